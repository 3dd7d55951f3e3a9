//! Operations given up at every point where they wait: what the documentation calls cancel safe loses nothing.
//!
//! Each operation is run [`impatiently`], which means to drop it again and again: after a poll that had to wait, or,
//! the harder case, after its waker was run and before it could act on that.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use crate::support::*;
use yamanote::io::{AsyncReadExt, AsyncWriteExt, Interest};
use yamanote::net::{TcpListener, TcpStream, UdpSocket};

/// Polls an operation until it completes or, at random while it waits, is given up.
async fn perhaps<F: Future>(random: &Whims, operation: F) -> Option<F::Output> {
    let mut operation = Box::pin(operation);
    let mut polls = 0;
    let result = poll_fn(|cx| {
        // It was woken, or has waited: dropped without a further poll.
        if polls > 0 && random.below(2) == 0 {
            return Poll::Ready(None);
        }
        polls += 1;
        let result = operation.as_mut().poll(cx).map(Some);
        if result.is_pending() && random.below(3) == 0 {
            cx.waker().wake_by_ref();
        }
        result
    })
    .await;
    drop(operation);
    if result.is_none() {
        yamanote::task::yield_now().await;
    }
    result
}

/// Begins an operation anew until it completes.
macro_rules! impatiently {
    ($random:expr, $operation:expr) => {
        loop {
            if let Some(result) = perhaps(&$random, $operation).await {
                break result;
            }
        }
    };
}

/// Random numbers for several who hold the same.
struct Whims(Mutex<Random>);

impl Whims {
    fn new(seed: u64) -> Whims {
        Whims(Mutex::new(Random::new(seed)))
    }

    fn below(&self, n: usize) -> usize {
        self.0.lock().unwrap().below(n)
    }
}

const LEN: usize = 200_000;

fn pattern() -> Vec<u8> {
    (0..LEN).map(|i| (i % 251) as u8).collect()
}

/// Writes the pattern in pieces that do not fill the buffers, so that the reader has to wait.
async fn write_pieces(writer: &mut (impl yamanote::io::AsyncWrite + Unpin), seed: u64) {
    let mut random = Random::new(seed);
    let data = pattern();
    let mut rest = &data[..];
    while !rest.is_empty() {
        let n = rest.len().min(1 + random.below(3_000));
        writer.write_all(&rest[..n]).await.unwrap();
        rest = &rest[n..];
        if random.below(3) == 0 {
            yamanote::task::yield_now().await;
        }
    }
}

fn check(all: &[u8]) {
    assert!(all == pattern(), "{} bytes of {LEN}", all.len());
}

#[test]
fn reads() {
    on_each(async || {
        let (mut client, mut server) = tcp_pair().await;
        let writing = yamanote::spawn(async move {
            write_pieces(&mut client, 1).await;
            client
        });
        let random = Whims::new(2);
        let mut all = Vec::new();
        let mut buf = [0; 2_000];
        while all.len() < LEN {
            let room = 1 + random.below(buf.len());
            let n = impatiently!(random, server.read(&mut buf[..room])).unwrap();
            all.extend_from_slice(&buf[..n]);
        }
        check(&all);
        drop(writing.await.unwrap());
        assert_eq!(server.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn reads_into_a_growing_buffer() {
    on_each(async || {
        let (mut client, mut server) = tcp_pair().await;
        let writing = yamanote::spawn(async move { write_pieces(&mut client, 3).await });
        let random = Whims::new(4);
        let mut all = Vec::new();
        while impatiently!(random, server.read_buf(&mut all)).unwrap() > 0 {}
        check(&all);
        writing.await.unwrap();
    });
}

/// Readiness, then a try: what is woken and dropped in between leaves the readiness where it was.
#[test]
fn readiness() {
    on_each(async || {
        let (mut client, server) = tcp_pair().await;
        let writing = yamanote::spawn(async move { write_pieces(&mut client, 5).await });
        let random = Whims::new(6);
        let mut all = Vec::new();
        loop {
            let closed = if random.below(2) == 0 {
                impatiently!(random, server.readable()).unwrap();
                false
            } else {
                let ready = impatiently!(random, server.ready(Interest::READABLE));
                ready.unwrap().is_read_closed()
            };
            match server.try_read_buf(&mut all) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    assert!(!closed, "closed, and yet it would block");
                }
            }
        }
        check(&all);
        writing.await.unwrap();
    });
}

#[test]
fn peeks_and_closures() {
    on_each(async || {
        let (mut client, server) = tcp_pair().await;
        let writing = yamanote::spawn(async move { write_pieces(&mut client, 7).await });
        let random = Whims::new(8);
        let mut all = Vec::new();
        while all.len() < LEN {
            let seen = impatiently!(random, async {
                let mut buf = [0; 100];
                server.peek(&mut buf).await.map(|n| buf[..n].to_vec())
            });
            let seen = seen.unwrap();
            let read = impatiently!(random, {
                server.async_io(Interest::READABLE, || {
                    let mut got = Vec::with_capacity(1_000);
                    let n = socket2::SockRef::from(&server).recv(got.spare_capacity_mut())?;
                    // SAFETY: `recv` has initialised that many bytes.
                    unsafe { got.set_len(n) };
                    Ok(got)
                })
            });
            let read = read.unwrap();
            assert!(read.starts_with(&seen) || seen.starts_with(&read));
            all.extend(read);
        }
        check(&all);
        writing.await.unwrap();
    });
}

#[test]
fn writes() {
    on_each(async || {
        let (mut client, mut server) = tcp_pair().await;
        // Small buffers are full often.
        socket2::SockRef::from(&client).set_send_buffer_size(10_000).unwrap();
        let reading = yamanote::spawn(async move {
            let mut random = Random::new(9);
            let mut all = Vec::new();
            let mut buf = [0; 4_000];
            loop {
                let room = 1 + random.below(buf.len());
                match server.read(&mut buf[..room]).await.unwrap() {
                    0 => return all,
                    n => all.extend_from_slice(&buf[..n]),
                }
                if random.below(8) == 0 {
                    yamanote::task::yield_now().await;
                }
            }
        });
        let random = Whims::new(10);
        let data = pattern();
        let mut rest = &data[..];
        while !rest.is_empty() {
            let n = match random.below(3) {
                0 => impatiently!(random, client.write(rest)).unwrap(),
                1 => {
                    let (one, other) = rest.split_at(rest.len() / 2);
                    let bufs = [io::IoSlice::new(one), io::IoSlice::new(other)];
                    impatiently!(random, client.write_vectored(&bufs)).unwrap()
                }
                _ => {
                    // Advances the slice by what was written, and only then.
                    let mut left = rest;
                    impatiently!(random, client.write_all_buf(&mut left)).unwrap();
                    rest.len() - left.len()
                }
            };
            rest = &rest[n..];
        }
        drop(client);
        check(&reading.await.unwrap());
    });
}

#[test]
fn accepts() {
    on_each(async || {
        const CLIENTS: u32 = 60;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connecting = yamanote::spawn(async move {
            let mut clients = Vec::new();
            for number in 0..CLIENTS {
                let mut client = TcpStream::connect(addr).await.unwrap();
                client.write_u32(number).await.unwrap();
                clients.push(client);
                if number % 3 == 0 {
                    yamanote::task::yield_now().await;
                }
            }
            clients
        });
        let random = Whims::new(11);
        let mut seen = Vec::new();
        for _ in 0..CLIENTS {
            let (mut server, _) = impatiently!(random, listener.accept()).unwrap();
            seen.push(server.read_u32().await.unwrap());
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..CLIENTS));
        connecting.await.unwrap();
    });
}

/// Datagrams come once each and in order, however the receiving is given up.
#[test]
fn datagrams() {
    on_each(async || {
        const DATAGRAMS: u32 = 400;
        let receiver = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        receiver.connect(sender.local_addr().unwrap()).await.unwrap();
        sender.connect(receiver.local_addr().unwrap()).await.unwrap();
        let sending = yamanote::spawn(async move {
            let random = Whims::new(12);
            for number in 0..DATAGRAMS {
                // No more under way than the system keeps.
                if number % 16 == 15 {
                    impatiently!(random, sender.recv(&mut [0; 4])).unwrap();
                }
                impatiently!(random, sender.send(&number.to_le_bytes())).unwrap();
            }
        });
        let random = Whims::new(13);
        for number in 0..DATAGRAMS {
            let kind = random.below(4);
            let got = impatiently!(random, async {
                let mut buf = [0; 8];
                let n = match kind {
                    0 => receiver.recv(&mut buf).await?,
                    1 => receiver.recv_from(&mut buf).await?.0,
                    2 => {
                        receiver.peek_from(&mut buf).await?;
                        receiver.recv(&mut buf).await?
                    }
                    _ => {
                        let mut grown = Vec::with_capacity(8);
                        let n = receiver.recv_buf(&mut grown).await?;
                        buf[..n].copy_from_slice(&grown);
                        n
                    }
                };
                io::Result::Ok(buf[..n].to_vec())
            });
            assert_eq!(got.unwrap(), number.to_le_bytes());
            if number % 16 == 14 {
                receiver.send(b"on").await.unwrap();
            }
        }
        sending.await.unwrap();
    });
}

/// Many who wait for the same socket, of whom some go: those who stay get everything.
#[test]
fn receivers_that_go() {
    on_each(async || {
        const DATAGRAMS: usize = 300;
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (done, mut received) = yamanote::sync::mpsc::unbounded_channel();
        let receivers: Vec<_> = (0..8)
            .map(|seed| {
                let (socket, done) = (Arc::clone(&socket), done.clone());
                yamanote::spawn(async move {
                    let random = Whims::new(20 + seed);
                    loop {
                        let got = impatiently!(random, async {
                            let mut buf = [0; 4];
                            socket.recv(&mut buf).await.map(|_| buf)
                        });
                        let number = u32::from_le_bytes(got.unwrap());
                        if done.send(number).is_err() {
                            break;
                        }
                    }
                })
            })
            .collect();
        let to = socket.local_addr().unwrap();
        let mut seen = Vec::new();
        for number in 0..DATAGRAMS as u32 {
            sender.send_to(&number.to_le_bytes(), to).await.unwrap();
            if number % 4 == 3 {
                for _ in 0..4 {
                    seen.push(received.recv().await.unwrap());
                }
            }
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..DATAGRAMS as u32));
        for receiver in receivers {
            receiver.abort();
        }
    });
}

#[cfg(unix)]
mod unix {
    use super::*;
    use yamanote::io::unix::AsyncFd;
    use yamanote::net::unix::pipe;
    use yamanote::net::{UnixDatagram, UnixListener, UnixStream};

    #[test]
    fn streams_and_pipes() {
        on_each(async || {
            let (mut a, b) = UnixStream::pair().unwrap();
            let (mut sender, receiver) = pipe::pipe().unwrap();
            let writing = yamanote::spawn(async move { write_pieces(&mut a, 14).await });
            let piping = yamanote::spawn(async move { write_pieces(&mut sender, 15).await });
            let random = Whims::new(16);
            let (mut from_stream, mut from_pipe) = (Vec::new(), Vec::new());
            while from_stream.len() < LEN {
                impatiently!(random, b.readable()).unwrap();
                let _ = b.try_read_buf(&mut from_stream);
                if from_pipe.len() < LEN {
                    impatiently!(random, receiver.readable()).unwrap();
                    let _ = receiver.try_read_buf(&mut from_pipe);
                }
            }
            while from_pipe.len() < LEN {
                impatiently!(random, receiver.readable()).unwrap();
                let _ = receiver.try_read_buf(&mut from_pipe);
            }
            check(&from_stream);
            check(&from_pipe);
            writing.await.unwrap();
            piping.await.unwrap();
        });
    }

    #[test]
    fn unix_datagrams() {
        on_each(async || {
            const DATAGRAMS: u32 = 500;
            let (a, b) = UnixDatagram::pair().unwrap();
            let sending = yamanote::spawn(async move {
                let random = Whims::new(17);
                for number in 0..DATAGRAMS {
                    // Waits when the queue is full.
                    impatiently!(random, a.send(&number.to_le_bytes())).unwrap();
                }
            });
            let random = Whims::new(18);
            for number in 0..DATAGRAMS {
                let got = impatiently!(random, async {
                    let mut buf = [0; 8];
                    b.recv(&mut buf).await.map(|n| buf[..n].to_vec())
                });
                assert_eq!(got.unwrap(), number.to_le_bytes());
            }
            sending.await.unwrap();
        });
    }

    #[test]
    fn unix_accepts() {
        on_each(async || {
            const CLIENTS: u32 = 60;
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("socket");
            let listener = UnixListener::bind(&path).unwrap();
            let connecting = yamanote::spawn(async move {
                let mut clients = Vec::new();
                for number in 0..CLIENTS {
                    let mut client = UnixStream::connect(&path).await.unwrap();
                    client.write_u32(number).await.unwrap();
                    clients.push(client);
                }
                clients
            });
            let random = Whims::new(19);
            for number in 0..CLIENTS {
                let (mut server, _) = impatiently!(random, listener.accept()).unwrap();
                assert_eq!(server.read_u32().await.unwrap(), number);
            }
            connecting.await.unwrap();
        });
    }

    #[test]
    fn descriptors() {
        on_each(async || {
            let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            theirs.set_nonblocking(true).unwrap();
            // SAFETY: a stream keeps its descriptor.
            let fd = unsafe { AsyncFd::register(ours) }.unwrap();
            let mut peer = UnixStream::from_std(theirs).unwrap();
            let writing = yamanote::spawn(async move { write_pieces(&mut peer, 30).await });
            let random = Whims::new(31);
            let mut all = Vec::new();
            let mut buf = [0; 1_000];
            loop {
                let mut guard = impatiently!(random, fd.readable()).unwrap();
                match guard.try_io(|fd| io::Read::read(&mut fd.get_ref(), &mut buf)) {
                    Ok(Ok(0)) => break,
                    Ok(n) => all.extend_from_slice(&buf[..n.unwrap()]),
                    Err(_would_block) => {}
                }
            }
            check(&all);
            writing.await.unwrap();
        });
    }
}

/// An operation that is given up between the unit of the budget it got and the system call, or because it got
/// none, has done nothing.
#[test]
fn out_of_budget() {
    on_each(async || {
        let (mut client, server) = tcp_pair().await;
        client.write_all(&pattern()[..4_000]).await.unwrap();
        let random = Whims::new(32);
        let reading = async {
            let mut all = Vec::new();
            while all.len() < 4_000 {
                // There is always something to read, so it never waits for anything but its budget.
                let byte = impatiently!(random, {
                    server.async_io(Interest::READABLE, || {
                        let mut byte = [std::mem::MaybeUninit::new(0)];
                        let n = socket2::SockRef::from(&server).recv(&mut byte)?;
                        assert_eq!(n, 1);
                        // SAFETY: initialised from the beginning.
                        Ok(unsafe { byte[0].assume_init() })
                    })
                });
                all.push(byte.unwrap());
            }
            all
        };
        assert!(reading.await == pattern()[..4_000]);
    });
}
