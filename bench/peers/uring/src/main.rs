//! The server as a plain loop over io_uring, one a thread: what the kernel alone costs by completion.
//!
//! What the interface has for this: one accept and one receive a connection that stay armed, a ring of buffers
//! that the kernel takes from, and sends that are submitted together with the next wait.

mod buffers;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

use io_uring::{IoUring, cqueue, opcode, squeue, types::Fd};
use peer::{Kind, Options, Responder};

use buffers::{Buffers, GROUP};

const ACCEPT: u64 = 0;
const RECEIVE: u64 = 1;
const SEND: u64 = 2;

struct Connection {
    socket: TcpStream,
    responder: Responder,
    /// Being sent; not touched until that is over.
    sending: Vec<u8>,
    sent: usize,
    /// To be sent after it.
    waiting: Vec<u8>,
    /// The receive is armed.
    receives: bool,
    /// When all is sent, the connection ends.
    closes: bool,
}

fn main() {
    let options = Options::from_arguments().without_hyper();
    let kind = options.kind;
    peer::thread_per_listener(peer::listen(options.threads()), move |listener| {
        Server::new(kind).serve(&listener);
    });
}

struct Server {
    ring: IoUring,
    buffers: Buffers,
    connections: Vec<Option<Connection>>,
    kind: Kind,
}

impl Server {
    fn new(kind: Kind) -> Server {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_coop_taskrun()
            .setup_cqsize(4096)
            .build(1024)
            .expect("io_uring is allowed, and new enough");
        let buffers = Buffers::new(&ring);
        Server { ring, buffers, connections: Vec::new(), kind }
    }

    fn serve(mut self, listener: &TcpListener) -> ! {
        let accept = || opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build().user_data(ACCEPT);
        self.push(accept());
        let mut done: Vec<cqueue::Entry> = Vec::with_capacity(4096);
        loop {
            match self.ring.submit_and_wait(1) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
            done.extend(self.ring.completion());
            for entry in done.drain(..) {
                let id = (entry.user_data() >> 2) as usize;
                match entry.user_data() & 3 {
                    ACCEPT => {
                        assert!(entry.result() >= 0, "the limits are high enough");
                        // SAFETY: the descriptor is new and nobody else's.
                        self.accepted(unsafe { TcpStream::from_raw_fd(entry.result()) });
                        if !cqueue::more(entry.flags()) {
                            self.push(accept());
                        }
                    }
                    RECEIVE => self.received(id, entry.result(), entry.flags()),
                    _ => self.sent(id, entry.result()),
                }
            }
            self.buffers.publish();
        }
    }

    fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: what an entry points to is a connection's `sending`, which is kept until the completion.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.ring.submit().expect("a submission");
        }
    }

    fn accepted(&mut self, socket: TcpStream) {
        let free = self.connections.iter().position(Option::is_none);
        let id = free.unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let fd = socket.as_raw_fd();
        self.connections[id] = Some(Connection {
            socket,
            responder: Responder::new(self.kind),
            sending: Vec::new(),
            sent: 0,
            waiting: Vec::new(),
            receives: true,
            closes: false,
        });
        self.receive(id, fd);
    }

    fn receive(&mut self, id: usize, fd: i32) {
        let entry = opcode::RecvMulti::new(Fd(fd), GROUP).build();
        self.push(entry.user_data((id as u64) << 2 | RECEIVE));
    }

    fn received(&mut self, id: usize, result: i32, flags: u32) {
        let buffer = cqueue::buffer_select(flags);
        let connection = self.connections[id].as_mut().expect("its receive was armed");
        if let (Some(buffer), 1..) = (buffer, result) {
            let input = self.buffers.get(buffer, result as usize);
            if !connection.closes && !connection.responder.answer(input, &mut connection.waiting) {
                connection.closes = true;
            }
        }
        if let Some(buffer) = buffer {
            self.buffers.give_back(buffer);
        }
        if !cqueue::more(flags) {
            // Without buffers (a burst took them all) it is armed again when some are back.
            if result > 0 || result == -libc::ENOBUFS {
                let fd = connection.socket.as_raw_fd();
                self.buffers.publish();
                self.receive(id, fd);
            } else {
                connection.receives = false;
                connection.closes = true;
            }
        }
        self.go_on(id);
    }

    fn sent(&mut self, id: usize, result: i32) {
        let connection = self.connections[id].as_mut().expect("its send was in flight");
        if result < 0 {
            connection.sending.clear();
            connection.waiting.clear();
            connection.closes = true;
        } else {
            connection.sent += result as usize;
            if connection.sent < connection.sending.len() {
                return self.send(id);
            }
            connection.sending.clear();
        }
        self.go_on(id);
    }

    /// Sends what waits unless something is being sent, and ends what is over.
    fn go_on(&mut self, id: usize) {
        let slot = &mut self.connections[id];
        let connection = slot.as_mut().expect("something of it has just ended");
        if !connection.sending.is_empty() {
            return;
        }
        if !connection.waiting.is_empty() {
            std::mem::swap(&mut connection.sending, &mut connection.waiting);
            connection.sent = 0;
            return self.send(id);
        }
        if connection.closes {
            if connection.receives {
                // Ends the receive, after which we are here again.
                let _ = connection.socket.shutdown(Shutdown::Both);
            } else {
                *slot = None;
            }
        }
    }

    fn send(&mut self, id: usize) {
        let connection = self.connections[id].as_ref().expect("it has something to send");
        let rest = &connection.sending[connection.sent..];
        let fd = Fd(connection.socket.as_raw_fd());
        let entry = opcode::Send::new(fd, rest.as_ptr(), rest.len() as u32)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build();
        self.push(entry.user_data((id as u64) << 2 | SEND));
    }
}
