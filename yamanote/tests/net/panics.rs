//! Sockets cannot be made without a runtime, or on one without I/O; the panic names the caller.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Mutex, PoisonError};

use yamanote::runtime::Builder;

/// The file and the message of the panic of `f`.
fn panic_of(f: impl FnOnce()) -> (String, String) {
    static HOOK: Mutex<()> = Mutex::new(());
    let _hook = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let place = std::sync::Arc::new(Mutex::new(String::new()));
    let previous = std::panic::take_hook();
    {
        let place = place.clone();
        let thread = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == thread {
                *place.lock().unwrap() = info.location().map_or("", Location::file).to_owned();
            }
        }));
    }
    let panic = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(previous);
    let panic = panic.expect_err("must panic");
    let message = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap();
    let place = place.lock().unwrap().clone();
    (place, message)
}

fn without_io(f: impl FnOnce()) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (place, message) = panic_of(|| runtime.block_on(async { f() }));
    assert_eq!(place, file!());
    assert!(message.contains("IO is disabled"), "{message}");
}

fn without_runtime(f: impl FnOnce()) {
    let (place, message) = panic_of(f);
    assert_eq!(place, file!());
    assert!(message.contains("no reactor running"), "{message}");
}

fn tcp() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let _ = yamanote::net::TcpListener::from_std(listener);
}

fn udp() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = yamanote::net::UdpSocket::from_std(socket);
}

#[test]
fn sockets() {
    without_io(tcp);
    without_io(udp);
    without_runtime(tcp);
    without_runtime(udp);
}

#[cfg(unix)]
#[test]
fn unix() {
    use yamanote::net::unix::pipe;
    use yamanote::net::{UnixDatagram, UnixListener, UnixStream};

    let dir = tempfile::tempdir().unwrap();
    without_io(|| drop(UnixListener::bind(dir.path().join("a"))));
    without_io(|| drop(UnixStream::pair()));
    without_io(|| drop(UnixDatagram::unbound()));
    without_io(|| drop(pipe::pipe()));
    without_runtime(|| drop(UnixStream::pair()));
}

#[cfg(unix)]
#[test]
fn async_fd() {
    use yamanote::io::Interest;
    use yamanote::io::unix::AsyncFd;

    // SAFETY: the descriptor of standard input stays open.
    without_io(|| drop(unsafe { AsyncFd::register(0) }));
    // SAFETY: as above.
    without_io(|| drop(unsafe { AsyncFd::register_with_interest(0, Interest::READABLE) }));
    // SAFETY: as above.
    without_runtime(|| drop(unsafe { AsyncFd::register(0) }));
}
