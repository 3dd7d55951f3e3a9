use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::support::*;
use yamanote::io::unix::AsyncFd;
use yamanote::io::{Interest, Ready};

fn pair() -> (AsyncFd<UnixStream>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    // SAFETY: a stream keeps its descriptor.
    (unsafe { AsyncFd::register(ours) }.unwrap(), theirs)
}

/// Writes until there is no room; returns how much that was.
fn fill(stream: &UnixStream) -> usize {
    let mut sent = 0;
    while let Ok(n) = (&*stream).write(&[0; 512]) {
        sent += n;
    }
    sent
}

fn drain(stream: &UnixStream, mut amount: usize) {
    let mut buf = [0; 512];
    while amount > 0 {
        match (&*stream).read(&mut buf) {
            Ok(n) => amount -= n,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
}

#[test]
fn readiness_stays_until_cleared() {
    on_both(async || {
        let (fd, mut peer) = pair();
        assert!(poll_once(fd.readable()).is_pending());
        fd.writable().await.unwrap().retain_ready();
        peer.write_all(b"0").unwrap();
        let mut guard = fd.readable().await.unwrap();
        assert!(guard.ready().is_readable());
        guard.try_io(|fd| fd.get_ref().read(&mut [0])).unwrap().unwrap();
        assert!(poll_once(fd.readable()).is_ready());
        guard.clear_ready();
        assert!(guard.ready().is_empty());
        assert!(poll_once(fd.readable()).is_pending());
        peer.write_all(b"0").unwrap();
        let mut guard = fd.readable().await.unwrap();
        // Would block, says the closure.
        assert!(guard.try_io(|_| Err::<(), _>(io::ErrorKind::WouldBlock.into())).is_err());
        assert!(poll_once(fd.readable()).is_pending());
    });
}

#[test]
fn cleared_by_part() {
    on_both(async || {
        let (mut fd, mut peer) = pair();
        peer.write_all(b"0").unwrap();
        let both = Ready::READABLE | Ready::WRITABLE;
        while fd.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap().ready() != both {
            yamanote::task::yield_now().await;
        }
        let mut guard = fd.ready_mut(Interest::READABLE | Interest::WRITABLE).await.unwrap();
        guard.clear_ready_matching(Ready::READABLE);
        assert_eq!(guard.ready(), Ready::WRITABLE);
        guard.clear_ready_matching(Ready::WRITABLE);
        assert_eq!(guard.ready(), Ready::EMPTY);
        assert!(poll_once(fd.writable()).is_pending());
    });
}

#[test]
fn full_and_drained() {
    on_both(async || {
        let (fd, peer) = pair();
        let mut guard = fd.writable().await.unwrap();
        let mut sent = 0;
        while let Ok(Ok(n)) = guard.try_io(|fd| fd.get_ref().write(&[0; 512])) {
            sent += n;
        }
        assert!(poll_once(fd.writable()).is_pending());
        drain(&peer, sent);
        fd.writable().await.unwrap().retain_ready();
    });
}

#[test]
fn gated_operations() {
    single().block_on(async {
        let (mut fd, mut peer) = pair();
        while poll_once(fd.writable()).is_pending() {
            yamanote::task::yield_now().await;
        }
        // Known not to be readable: not even tried.
        let result: io::Result<()> = fd.try_io_mut(Interest::READABLE, |_| unreachable!());
        assert!(is_would_block(&result));
        fd.try_io(Interest::WRITABLE, |_| Ok(())).unwrap();
        peer.write_all(b"x").unwrap();
        let n = fd.async_io_mut(Interest::READABLE, |stream| stream.read(&mut [0; 4])).await.unwrap();
        assert_eq!(n, 1);
        let mut calls = 0;
        let n = fd
            .async_io(Interest::READABLE, |mut stream| {
                calls += 1;
                if calls == 1 {
                    peer.write_all(b"yz").unwrap();
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                stream.read(&mut [0; 4])
            })
            .await
            .unwrap();
        assert_eq!(n, 2);
    });
}

#[test]
fn many_wait() {
    on_both(async || {
        let (fd, mut peer) = pair();
        let fd = Arc::new(fd);
        let waiters: Vec<_> = (0..10)
            .map(|_| {
                let fd = fd.clone();
                yamanote::spawn(async move {
                    let mut guard = fd.readable().await.unwrap();
                    yamanote::task::yield_now().await;
                    while fd.get_ref().read(&mut [0; 64]).is_ok() {}
                    guard.clear_ready();
                })
            })
            .collect();
        // All of them have to wait first.
        for _ in 0..100 {
            yamanote::task::yield_now().await;
        }
        while waiters.iter().any(|waiter| !waiter.is_finished()) {
            // It may be full, but then an event is under way.
            let _ = peer.write(b"0");
            yamanote::task::yield_now().await;
        }
        for waiter in waiters {
            waiter.await.unwrap();
        }
    });
}

#[test]
fn poll_functions_keep_the_last_task() {
    on_both(async || {
        let (fd, mut peer) = pair();
        let sent = fill(fd.get_ref());
        let (first, second) = (Probe::default(), Probe::default());
        for probe in [&first, &second] {
            let waker = probe.waker();
            let mut cx = Context::from_waker(&waker);
            assert!(fd.poll_read_ready(&mut cx).is_pending());
        }
        peer.write_all(b"0").unwrap();
        poll_fn(|cx| fd.poll_read_ready(cx)).await.unwrap().retain_ready();
        assert_eq!(first.woken(), 0);
        drain(&peer, sent);
        poll_fn(|cx| fd.poll_write_ready(cx)).await.unwrap().retain_ready();
    });
}

#[test]
fn what_is_inside_comes_out() {
    on_both(async || {
        let (fd, mut peer) = pair();
        let inner = fd.into_inner();
        assert!(is_would_block(&peer.read(&mut [0])));
        // SAFETY: a stream keeps its descriptor.
        drop(unsafe { AsyncFd::register(inner) }.unwrap());
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn what_cannot_be_watched_comes_back() {
    #[derive(Debug)]
    struct Nothing;

    impl AsRawFd for Nothing {
        fn as_raw_fd(&self) -> RawFd {
            -1
        }
    }

    on_both(async || {
        let inner = Arc::new(Nothing);
        // SAFETY: there is no descriptor.
        let error = unsafe { AsyncFd::register(inner.clone()) }.unwrap_err();
        let (back, cause) = error.into_parts();
        assert!(Arc::ptr_eq(&inner, &back));
        assert_eq!(cause.raw_os_error(), Some(libc::EBADF));
        let file = tempfile::tempfile().unwrap();
        // SAFETY: a file keeps its descriptor.
        let error: io::Error = unsafe { AsyncFd::register(file) }.unwrap_err().into();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    });
}

/// The descriptor is closed first, and a duplicate keeps the system's registration alive.
#[test]
#[allow(deprecated)]
fn closed_behind_our_back() {
    on_both(async || {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let duplicate = ours.try_clone().unwrap();
        let fd = AsyncFd::with_interest(ours.as_raw_fd(), Interest::READABLE).unwrap();
        drop(ours);
        drop(fd);
        yamanote::task::yield_now().await;
        peer.write_all(b"x").unwrap();
        for _ in 0..10 {
            yamanote::task::yield_now().await;
        }
        drop(duplicate);
    });
}

#[test]
fn the_end_of_the_runtime_is_an_error() {
    for runtime in [single(), multi()] {
        let (fd, _peer) = {
            let _enter = runtime.enter();
            pair()
        };
        fill(fd.get_ref());
        let probe = Probe::default();
        let mut readable = Box::pin(fd.readable());
        let mut writable = Box::pin(poll_fn(|cx| fd.poll_write_ready(cx)));
        assert!(probe.poll(readable.as_mut()).is_pending());
        // It may have been seen writable before it was full.
        let mut guard = match probe.poll(writable.as_mut()) {
            Poll::Ready(guard) => Some(guard.unwrap()),
            Poll::Pending => None,
        };
        drop(runtime);
        assert!(matches!(probe.poll(readable.as_mut()), Poll::Ready(Err(_))));
        assert!(matches!(probe.poll(writable.as_mut()), Poll::Ready(Err(_))));
        if let Some(guard) = &mut guard {
            guard.clear_ready();
        }
        assert!(matches!(poll_once(fd.readable()), Poll::Ready(Err(_))));
        assert!(matches!(poll_once(fd.writable()), Poll::Ready(Err(_))));
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn urgent_data() {
    on_both(async || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // SAFETY: a stream keeps its descriptor.
        let fd = unsafe { AsyncFd::register_with_interest(client, Interest::PRIORITY) }.unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(poll_once(fd.ready(Interest::PRIORITY)).is_pending());
        socket2::SockRef::from(&server).send_out_of_band(b"!").unwrap();
        assert!(fd.ready(Interest::PRIORITY).await.unwrap().ready().is_priority());
    });
}
