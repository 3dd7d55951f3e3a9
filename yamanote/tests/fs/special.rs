//! What looks like a file and is none: pipes, directories, devices, the system's own files.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;

use yamanote::fs::{self, File, OpenOptions};
use yamanote::io::{AsyncReadExt, AsyncWriteExt};

use super::support::on_both;

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn opening_a_named_pipe_waits_for_the_other_side() {
    on_both(|dir| async move {
        for _ in 0..5 {
            let path = dir.path().join("pipe");
            fifo(&path);
            // Twice, so that the second look finds the path at hand.
            assert!(!fs::metadata(&path).await.unwrap().is_file());
            assert!(fs::try_exists(&path).await.unwrap());
            let reader = yamanote::spawn({
                let path = path.clone();
                async move {
                    let mut file = File::open(&path).await.unwrap();
                    let mut text = String::new();
                    file.read_to_string(&mut text).await.unwrap();
                    text
                }
            });
            let whole = yamanote::spawn(async { 7 });
            assert_eq!(whole.await.unwrap(), 7, "nobody is held up");
            let mut writer = OpenOptions::new().write(true).open(&path).await.unwrap();
            writer.write_all(b"through ").await.unwrap();
            writer.flush().await.unwrap();
            writer.write_all(b"the pipe").await.unwrap();
            writer.flush().await.unwrap();
            drop(writer);
            assert_eq!(reader.await.unwrap(), "through the pipe");
            fs::remove_file(&path).await.unwrap();
        }
    });
}

#[test]
fn a_socket_is_read_as_a_file() {
    on_both(|_| async {
        let (reader, mut writer) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut reader = File::from_std(std::fs::File::from(OwnedFd::from(reader)));
        let mut buf = [0; 16];
        for _ in 0..5 {
            let reading = reader.read(&mut buf);
            let (n, ()) = yamanote::join!(reading, async {
                yamanote::task::yield_now().await;
                io::Write::write_all(&mut writer, b"ping").unwrap();
            });
            assert_eq!(&buf[..n.unwrap()], b"ping");
        }
        drop(writer);
        assert_eq!(reader.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn a_directory_opened_as_a_file() {
    on_both(|dir| async move {
        for _ in 0..2 {
            let mut file = File::open(dir.path()).await.unwrap();
            assert!(file.metadata().await.unwrap().is_dir());
            let error = file.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
            file.sync_all().await.unwrap();
            let error = fs::read(dir.path()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        }
    });
}

#[test]
fn devices() {
    on_both(|_| async {
        for _ in 0..2 {
            assert_eq!(fs::read("/dev/null").await.unwrap(), b"");
            let mut zeros = File::open("/dev/zero").await.unwrap();
            let mut buf = [1; 100];
            zeros.read_exact(&mut buf).await.unwrap();
            assert_eq!(buf, [0; 100]);
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn files_of_the_system_whose_size_is_unknown() {
    on_both(|_| async {
        for _ in 0..2 {
            let status = fs::read_to_string("/proc/self/status").await.unwrap();
            assert!(status.contains("\nPid:"), "{status}");
            assert_eq!(fs::metadata("/proc/self/status").await.unwrap().len(), 0);

            let mut text = String::new();
            let mut file = File::open("/proc/self/status").await.unwrap();
            file.read_to_string(&mut text).await.unwrap();
            assert!(text.contains("\nPid:"));
            assert!(fs::read_link("/proc/self/exe").await.unwrap().is_absolute());
            assert!(fs::metadata("/proc/self/exe").await.unwrap().is_file());
        }
    });
}

#[test]
fn descriptors_in_and_out() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        fs::write(&path, "abc").await.unwrap();
        let file = File::open(&path).await.unwrap();
        assert_eq!(file.as_raw_fd(), file.as_fd().as_raw_fd());
        let fd = file.into_std().await.into_raw_fd();
        // SAFETY: the descriptor was just given out and belongs to nobody else.
        let mut file = unsafe { File::from_raw_fd(fd) };
        assert_eq!(file.read_u8().await.unwrap(), b'a');
        let mut file = File::from(OwnedFd::from(file.into_std().await));
        assert_eq!(file.read_u8().await.unwrap(), b'b');
    });
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_are_closed_on_exec_and_not_in_non_blocking_mode() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        fs::write(&path, "abc").await.unwrap();
        for _ in 0..3 {
            let ours = File::open(&path).await.unwrap();
            let theirs = std::fs::File::open(&path).unwrap();
            let flags = |fd: i32| {
                let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
                info.lines().find(|line| line.starts_with("flags:")).unwrap().to_owned()
            };
            assert_eq!(flags(ours.as_raw_fd()), flags(theirs.as_raw_fd()));
        }
    });
}

#[test]
fn modes_and_flags_of_the_system() {
    use std::os::unix::fs::PermissionsExt;
    on_both(|dir| async move {
        let path = dir.path().join("f");
        OpenOptions::new().write(true).create(true).mode(0o600).open(&path).await.unwrap();
        assert_eq!(fs::metadata(&path).await.unwrap().permissions().mode() & 0o777, 0o600);
        fs::symlink("f", dir.path().join("link")).await.unwrap();
        let nofollow = libc::O_NOFOLLOW;
        let link = dir.path().join("link");
        assert!(OpenOptions::new().read(true).custom_flags(nofollow).open(&link).await.is_err());
        OpenOptions::new().read(true).open(&link).await.unwrap();
    });
}
