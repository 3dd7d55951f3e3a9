//! The server as a plain loop over epoll, one a thread: what the kernel alone costs by readiness.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use peer::{BUFFER, Kind, Options, Responder};

const LISTENER: u64 = u64::MAX;

struct Connection {
    socket: TcpStream,
    responder: Responder,
    /// What could not be sent yet.
    unsent: Vec<u8>,
    /// After what is unsent, the connection ends.
    closes: bool,
}

fn main() {
    let options = Options::from_arguments().without_hyper();
    let kind = options.kind;
    peer::thread_per_listener(peer::listen(options.threads()), move |listener| serve(&listener, kind));
}

struct Epoll(OwnedFd);

impl Epoll {
    fn new() -> Epoll {
        // SAFETY: no pointers.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        assert!(fd >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the descriptor is new and nobody else's.
        Epoll(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn control(&self, operation: i32, fd: &impl AsRawFd, interest: i32, id: u64) {
        let mut event = libc::epoll_event { events: interest as u32, u64: id };
        // SAFETY: the pointer is to a live event.
        let result =
            unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd.as_raw_fd(), &mut event) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }

    fn wait<'a>(&self, events: &'a mut [libc::epoll_event]) -> &'a [libc::epoll_event] {
        // SAFETY: the pointer and the length are those of a live, writable slice.
        let count = unsafe {
            libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), events.len() as i32, -1)
        };
        // Below zero: interrupted by a signal.
        &events[..count.max(0) as usize]
    }
}

fn serve(listener: &TcpListener, kind: Kind) {
    let epoll = Epoll::new();
    listener.set_nonblocking(true).unwrap();
    epoll.control(libc::EPOLL_CTL_ADD, listener, libc::EPOLLIN, LISTENER);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 256];
    let (mut buffer, mut out) = ([0; BUFFER], Vec::with_capacity(BUFFER));
    loop {
        for event in epoll.wait(&mut events) {
            let id = event.u64;
            if id == LISTENER {
                while let Ok((socket, _)) = listener.accept() {
                    socket.set_nonblocking(true).unwrap();
                    let free = connections.iter().position(Option::is_none);
                    let id = free.unwrap_or_else(|| {
                        connections.push(None);
                        connections.len() - 1
                    });
                    epoll.control(libc::EPOLL_CTL_ADD, &socket, libc::EPOLLIN, id as u64);
                    let responder = Responder::new(kind);
                    connections[id] =
                        Some(Connection { socket, responder, unsent: Vec::new(), closes: false });
                }
                continue;
            }
            let slot = &mut connections[id as usize];
            let Some(connection) = slot else { continue };
            if !connection.go_on(&epoll, id, &mut buffer, &mut out) {
                // Closing a descriptor takes it out of the epoll instance.
                *slot = None;
            }
        }
    }
}

impl Connection {
    /// `false`: it is over.
    fn go_on(&mut self, epoll: &Epoll, id: u64, buffer: &mut [u8], out: &mut Vec<u8>) -> bool {
        if !self.unsent.is_empty() {
            return self.send_rest(epoll, id);
        }
        let n = match self.socket.read(buffer) {
            Ok(0) => return false,
            Ok(n) => n,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        out.clear();
        self.closes = !self.responder.answer(&buffer[..n], out);
        if out.is_empty() {
            return !self.closes;
        }
        let sent = match self.socket.write(out) {
            Ok(sent) => sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return false,
        };
        if sent < out.len() {
            self.unsent.extend_from_slice(&out[sent..]);
            epoll.control(libc::EPOLL_CTL_MOD, &self.socket, libc::EPOLLOUT, id);
            return true;
        }
        !self.closes
    }

    fn send_rest(&mut self, epoll: &Epoll, id: u64) -> bool {
        match self.socket.write(&self.unsent) {
            Ok(sent) => drop(self.unsent.drain(..sent)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        if self.unsent.is_empty() {
            epoll.control(libc::EPOLL_CTL_MOD, &self.socket, libc::EPOLLIN, id);
            return !self.closes;
        }
        true
    }
}
