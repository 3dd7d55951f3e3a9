use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::support::*;
use yamanote::io::Interest;
use yamanote::net::unix::pipe;

fn fifo(dir: &Path) -> PathBuf {
    let path = dir.join("fifo");
    let name = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the name is a string that ends in a null byte.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o700) }, 0);
    path
}

fn is_nonblocking(fd: &impl AsFd) -> bool {
    // SAFETY: the call touches no memory.
    unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

#[test]
fn anonymous() {
    on_both(async || {
        let (mut sender, mut receiver) = pipe::pipe().unwrap();
        assert!(poll_once(read(&mut receiver, &mut [0])).is_pending());
        let writer = yamanote::spawn(async move {
            let data: Vec<u8> = (0..1 << 20).map(|i| (i % 251) as u8).collect();
            write_all(&mut sender, &data).await.unwrap();
        });
        let mut data = vec![0; 1 << 20];
        read_exact(&mut receiver, &mut data).await.unwrap();
        assert!(data.iter().enumerate().all(|(i, b)| *b == (i % 251) as u8));
        assert_eq!(read(&mut receiver, &mut [0]).await.unwrap(), 0);
        writer.await.unwrap();
    });
}

#[test]
fn trying() {
    on_both(async || {
        let (sender, receiver) = pipe::pipe().unwrap();
        sender.writable().await.unwrap();
        let mut sent = 0;
        while let Ok(n) = sender.try_write_vectored(&[IoSlice::new(&[1; 700]), IoSlice::new(&[2; 300])])
        {
            sent += n;
        }
        assert!(poll_once(sender.writable()).is_pending());
        let (mut a, mut b) = ([0; 700], [0; 300]);
        while sent > 0 {
            receiver.readable().await.unwrap();
            let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
            match receiver.try_read_vectored(&mut bufs) {
                Ok(n) => sent -= n,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        sender.writable().await.unwrap();
        sender.try_write(b"hello").unwrap();
        receiver.readable().await.unwrap();
        let mut grown = Vec::with_capacity(16);
        while receiver.try_read_buf(&mut grown).is_err() {
            receiver.readable().await.unwrap();
        }
        assert_eq!(grown, b"hello");
        drop(receiver);
        while !sender.ready(Interest::WRITABLE).await.unwrap().is_write_closed() {
            yamanote::task::yield_now().await;
        }
        assert_eq!(sender.try_write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
}

/// In packet mode a read gets one packet, although more are waiting.
#[cfg(target_os = "linux")]
#[test]
fn packets_do_not_hide_each_other() {
    single().block_on(async {
        let (sender, mut receiver) = pipe::pipe().unwrap();
        let flags = libc::O_DIRECT | libc::O_NONBLOCK;
        // SAFETY: the call touches no memory.
        assert_eq!(unsafe { libc::fcntl(sender.as_raw_fd(), libc::F_SETFL, flags) }, 0);
        sender.writable().await.unwrap();
        sender.try_write(b"one").unwrap();
        sender.try_write(b"two").unwrap();
        let mut buf = [0; 16];
        assert_eq!(read(&mut receiver, &mut buf).await.unwrap(), 3);
        assert_eq!(read(&mut receiver, &mut buf).await.unwrap(), 3);
    });
}

#[test]
fn named() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = fifo(dir.path());
        let error = pipe::OpenOptions::new().open_sender(&path).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENXIO));
        let mut receiver = pipe::OpenOptions::new().open_receiver(&path).unwrap();
        for _ in 0..2 {
            // Senders come and go; each is seen to its end.
            let mut sender = pipe::OpenOptions::new().open_sender(&path).unwrap();
            write_all(&mut sender, b"hello").await.unwrap();
            drop(sender);
            assert!(receiver.ready(Interest::READABLE).await.unwrap().is_readable());
            let mut buf = [0; 5];
            read_exact(&mut receiver, &mut buf).await.unwrap();
            assert_eq!(read(&mut receiver, &mut buf).await.unwrap(), 0);
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn named_for_both() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = fifo(dir.path());
        let mut sender = pipe::OpenOptions::new().read_write(true).open_sender(&path).unwrap();
        write_all(&mut sender, b"hello").await.unwrap();
        let mut receiver = pipe::OpenOptions::new().read_write(true).open_receiver(&path).unwrap();
        let mut buf = [0; 5];
        read_exact(&mut receiver, &mut buf).await.unwrap();
        drop(sender);
        // It never sees the end.
        assert!(poll_once(read(&mut receiver, &mut buf)).is_pending());
    });
}

#[test]
fn files_are_checked() {
    on_both(async || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = std::fs::File::create(&path).unwrap();
        let is_invalid = |error: io::Error| error.kind() == io::ErrorKind::InvalidInput;
        assert!(is_invalid(pipe::OpenOptions::new().open_sender(&path).unwrap_err()));
        assert!(is_invalid(pipe::OpenOptions::new().open_receiver(&path).unwrap_err()));
        assert!(is_invalid(pipe::Sender::from_file(file.try_clone().unwrap()).unwrap_err()));
        // Unchecked, the system says it.
        assert!(pipe::Sender::from_file_unchecked(file).is_err());

        let (reader, writer) = std_pipe();
        assert!(is_invalid(pipe::Sender::from_owned_fd(reader.try_clone().unwrap()).unwrap_err()));
        assert!(is_invalid(pipe::Receiver::from_owned_fd(writer.try_clone().unwrap()).unwrap_err()));
        assert!(!is_nonblocking(&reader));
        let receiver = pipe::Receiver::from_owned_fd(reader).unwrap();
        let sender = pipe::Sender::from_owned_fd(writer).unwrap();
        assert!(is_nonblocking(&receiver) && is_nonblocking(&sender));
        assert!(!is_nonblocking(&receiver.into_blocking_fd().unwrap()));
        assert!(is_nonblocking(&sender.into_nonblocking_fd().unwrap()));
    });
}

fn std_pipe() -> (OwnedFd, OwnedFd) {
    use std::os::fd::FromRawFd;

    let mut fds = [0; 2];
    // SAFETY: the pointer is to room for two descriptors, which are then ours.
    unsafe {
        assert_eq!(libc::pipe(fds.as_mut_ptr()), 0);
        (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1]))
    }
}
