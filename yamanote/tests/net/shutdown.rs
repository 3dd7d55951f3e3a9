//! What waits for the I/O of a runtime that goes is woken and fails.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::support::*;
use yamanote::net::TcpListener;
use yamanote::runtime::Runtime;

fn listener(runtime: &Runtime) -> TcpListener {
    let _enter = runtime.enter();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    TcpListener::from_std(listener).unwrap()
}

#[test]
fn later_waits_fail() {
    for runtime in [single(), multi()] {
        let listener = listener(&runtime);
        // Even if there is something to accept.
        let _peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        drop(runtime);
        let Poll::Ready(result) = poll_once(listener.accept()) else { panic!("must not wait") };
        assert!(is_shutdown(&result));
    }
}

#[test]
fn waits_under_way_are_woken() {
    for runtime in [single(), multi()] {
        let listener = listener(&runtime);
        let probe = Probe::default();
        let mut accept = Box::pin(listener.accept());
        assert!(probe.poll(accept.as_mut()).is_pending());
        drop(runtime);
        assert_eq!(probe.woken(), 1);
        let Poll::Ready(result) = probe.poll(accept.as_mut()) else { panic!("must not wait") };
        assert!(is_shutdown(&result));
    }
}

#[test]
fn a_read_that_finds_data_works_and_the_next_fails() {
    for runtime in [single(), multi()] {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        peer.write_all(b"hello").unwrap();
        let (mut stream, _) = runtime.block_on(listener.accept()).unwrap();
        drop(runtime);
        let mut buf = [0; 5];
        while is_would_block(&stream.try_read(&mut buf)) {}
        assert_eq!(&buf, b"hello");
        assert!(is_would_block(&stream.try_read(&mut buf)));
        let other = single();
        assert!(is_shutdown(&other.block_on(read(&mut stream, &mut buf))));
        assert!(is_shutdown(&other.block_on(stream.readable())));
    }
}

/// A waker that keeps alive what it was registered with.
struct Cycle {
    _listener: Arc<TcpListener>,
    dropped: Arc<AtomicBool>,
}

impl Wake for Cycle {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Cycle {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

#[test]
fn wakers_are_let_go() {
    for runtime in [single(), multi()] {
        let listener = Arc::new(listener(&runtime));
        let dropped = Arc::new(AtomicBool::new(false));
        {
            let waker = Waker::from(Arc::new(Cycle {
                _listener: Arc::clone(&listener),
                dropped: Arc::clone(&dropped),
            }));
            assert!(listener.poll_accept(&mut Context::from_waker(&waker)).is_pending());
        }
        drop(listener);
        assert!(!dropped.load(Ordering::SeqCst));
        drop(runtime);
        assert!(dropped.load(Ordering::SeqCst));
    }
}

#[test]
fn a_wake_may_drop_the_socket() {
    struct Owner(std::sync::Mutex<Option<Arc<TcpListener>>>);

    impl Wake for Owner {
        fn wake(self: Arc<Self>) {
            let listener = self.0.lock().unwrap().take();
            drop(listener);
        }
    }

    let runtime = single();
    let listener = Arc::new(listener(&runtime));
    let addr = listener.local_addr().unwrap();
    let owner = Arc::new(Owner(std::sync::Mutex::new(Some(Arc::clone(&listener)))));
    let waker = Waker::from(Arc::clone(&owner));
    assert!(listener.poll_accept(&mut Context::from_waker(&waker)).is_pending());
    drop((listener, waker));
    let _peer = std::net::TcpStream::connect(addr).unwrap();
    while owner.0.lock().unwrap().is_some() {
        runtime.block_on(yamanote::task::yield_now());
    }
}

#[test]
fn waits_race_with_the_end() {
    for _ in 0..50 {
        let runtime = multi();
        let listener = listener(&runtime);
        let end = std::thread::spawn(move || drop(runtime));
        let other = single();
        assert!(is_shutdown(&other.block_on(listener.accept())));
        end.join().unwrap();
    }
}
