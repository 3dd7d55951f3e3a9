//! Sockets that several tasks, or several runtimes, have to do with.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::support::*;
use yamanote::io::{AsyncReadExt, AsyncWriteExt, Interest};
use yamanote::net::{TcpListener, TcpStream, UdpSocket};
use yamanote::runtime::Runtime;
use yamanote::task::{JoinHandle, yield_now};

/// Until a task that was just spawned has had every chance to begin its wait.
async fn until_it_waits<T>(task: &JoinHandle<T>) {
    for _ in 0..50 {
        yield_now().await;
    }
    assert!(!task.is_finished());
}

#[test]
fn one_half_goes_while_the_other_waits() {
    on_each(async || {
        // The writing half: the peer sees the end, the reader goes on.
        let (client, mut server) = tcp_pair().await;
        let (mut reader, writer) = client.into_split();
        let reading = yamanote::spawn(async move {
            let number = reader.read_u32().await;
            (number, reader.read(&mut [0]).await)
        });
        until_it_waits(&reading).await;
        drop(writer);
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        until_it_waits(&reading).await;
        server.write_u32(7).await.unwrap();
        drop(server);
        let (number, end) = reading.await.unwrap();
        assert_eq!((number.unwrap(), end.unwrap()), (7, 0));

        // The reading half, with its task: the writer goes on.
        let (client, mut server) = tcp_pair().await;
        let (mut reader, mut writer) = client.into_split();
        let reading = yamanote::spawn(async move { reader.read(&mut [0]).await });
        until_it_waits(&reading).await;
        reading.abort();
        assert!(reading.await.unwrap_err().is_cancelled());
        writer.write_u32(8).await.unwrap();
        assert_eq!(server.read_u32().await.unwrap(), 8);
        drop(writer);
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);

        // One that waits to write.
        let (client, mut server) = tcp_pair().await;
        let (mut reader, mut writer) = client.into_split();
        let writing = yamanote::spawn(async move {
            loop {
                writer.write_all(&[0; 100_000]).await.unwrap();
            }
        });
        until_it_waits(&writing).await;
        server.write_u32(9).await.unwrap();
        assert_eq!(reader.read_u32().await.unwrap(), 9);
        writing.abort();
        assert!(writing.await.unwrap_err().is_cancelled());
        // What was taken from the writer arrives, and then the end.
        let mut buf = vec![0; 1 << 16];
        while server.read(&mut buf).await.unwrap() > 0 {}
    });
}

#[test]
fn a_shared_socket_that_another_gives_up() {
    on_each(async || {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let to = socket.local_addr().unwrap();
        let receive = |socket: &Arc<UdpSocket>| {
            let socket = Arc::clone(socket);
            yamanote::spawn(async move { socket.recv(&mut [0; 8]).await })
        };
        let (one, other) = (receive(&socket), receive(&socket));
        until_it_waits(&one).await;
        until_it_waits(&other).await;
        drop(socket);
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        sender.send_to(b"hello", to).await.unwrap();
        assert_eq!(other.await.unwrap().unwrap(), 5);
        // The last one has gone: the address is free.
        std::net::UdpSocket::bind(to).unwrap();
    });
}

/// A reader in a `poll_*` slot, whose task has gone, keeps nobody from being woken.
#[test]
fn a_stale_waker() {
    on_each(async || {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let to = socket.local_addr().unwrap();
        let gone = {
            let socket = Arc::clone(&socket);
            yamanote::spawn(async move {
                let mut buf = [0; 8];
                let mut buf = yamanote::io::ReadBuf::new(&mut buf);
                std::future::poll_fn(|cx| socket.poll_recv(cx, &mut buf)).await
            })
        };
        until_it_waits(&gone).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let waiting = {
            let socket = Arc::clone(&socket);
            yamanote::spawn(async move { socket.recv(&mut [0; 8]).await })
        };
        until_it_waits(&waiting).await;
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        sender.send_to(b"hi", to).await.unwrap();
        assert_eq!(waiting.await.unwrap().unwrap(), 2);
    });
}

#[cfg(unix)]
#[test]
fn a_shared_descriptor() {
    use std::os::unix::net::UnixStream;
    use yamanote::io::unix::AsyncFd;

    on_each(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        // SAFETY: a stream keeps its descriptor.
        let fd = Arc::new(unsafe { AsyncFd::register(ours) }.unwrap());
        let wait = |fd: &Arc<AsyncFd<UnixStream>>| {
            let fd = Arc::clone(fd);
            yamanote::spawn(async move { fd.readable().await.map(|mut guard| guard.retain_ready()) })
        };
        let (one, other) = (wait(&fd), wait(&fd));
        until_it_waits(&one).await;
        until_it_waits(&other).await;
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
        drop(theirs);
        other.await.unwrap().unwrap();
        // Nobody holds it any more, so it can be taken back.
        Arc::try_unwrap(fd).unwrap().into_inner();
    });
}

/// Both runtimes are driven by somebody: the one a socket belongs to and the one whose task waits.
fn with_home(test: impl Fn(&Runtime, &Runtime)) {
    for home in [
        yamanote::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        multi(),
    ] {
        for guest in [single(), multi()] {
            test(&home, &guest);
        }
    }
}

#[test]
fn a_socket_of_another_runtime() {
    with_home(|home, guest| {
        let (mut client, mut server) = home.block_on(tcp_pair());
        let (one, other) = home.block_on(async {
            (
                UdpSocket::bind("127.0.0.1:0").await.unwrap(),
                UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            )
        });
        let to = other.local_addr().unwrap();
        guest.block_on(async {
            let echo = yamanote::spawn(async move {
                let mut buf = vec![0; 10_000];
                loop {
                    let n = server.read(&mut buf).await.unwrap();
                    if n == 0 {
                        break;
                    }
                    server.write_all(&buf[..n]).await.unwrap();
                }
            });
            for i in 0..100 {
                let message = vec![i as u8; 1 + i * 97];
                let mut back = vec![0; message.len()];
                client.write_all(&message).await.unwrap();
                client.read_exact(&mut back).await.unwrap();
                assert!(back == message);
            }
            client.shutdown().await.unwrap();
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
            echo.await.unwrap();
            // Half of the work here, half at home.
            let receiving = home.spawn(async move {
                for i in 0..100u8 {
                    let mut buf = [0];
                    other.recv(&mut buf).await.unwrap();
                    assert_eq!(buf, [i]);
                }
            });
            for i in 0..100u8 {
                one.send_to(&[i], to).await.unwrap();
                yield_now().await;
            }
            receiving.await.unwrap();
        });
    });
}

/// Tasks of two runtimes take turns with one listener and one connection each.
#[test]
fn a_socket_of_two_runtimes() {
    with_home(|home, guest| {
        let listener = Arc::new(home.block_on(TcpListener::bind("127.0.0.1:0")).unwrap());
        let addr = listener.local_addr().unwrap();
        let serve = |runtime: &Runtime| {
            let listener = Arc::clone(&listener);
            runtime.spawn(async move {
                let mut served = 0;
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let number = stream.read_u32().await.unwrap();
                    if number == u32::MAX {
                        return served;
                    }
                    stream.write_u32(number + 1).await.unwrap();
                    served += 1;
                }
            })
        };
        let servers = [serve(home), serve(guest)];
        guest.block_on(async {
            for number in 0..60 {
                let mut client = TcpStream::connect(addr).await.unwrap();
                client.write_u32(number).await.unwrap();
                assert_eq!(client.read_u32().await.unwrap(), number + 1);
            }
            for _ in &servers {
                TcpStream::connect(addr).await.unwrap().write_u32(u32::MAX).await.unwrap();
            }
            let [one, other] = servers;
            assert_eq!(one.await.unwrap() + other.await.unwrap(), 60);
        });
    });
}

/// The runtime of a socket goes while a task of another waits for it: an error, at once and from then on.
#[test]
fn the_runtime_of_a_socket_goes() {
    type Waits = Vec<(&'static str, JoinHandle<io::Result<()>>)>;

    fn begin(home: &Runtime, guest: &Runtime) -> (Waits, Vec<TcpStream>) {
        let (mut peers, mut waits) = (Vec::new(), Waits::new());
        let mut pair = || {
            let (client, server) = home.block_on(tcp_pair());
            peers.push(server);
            client
        };
        let mut stream = pair();
        waits.push(("read", guest.spawn(async move { stream.read(&mut [0]).await.map(drop) })));
        let stream = pair();
        waits.push(("readable", guest.spawn(async move { stream.readable().await })));
        let mut stream = pair();
        waits.push(("write", guest.spawn(async move { stream.write_all(&vec![0; 64 << 20]).await })));
        let stream = pair();
        waits.push(("peek", guest.spawn(async move { stream.peek(&mut [0]).await.map(drop) })));
        let stream = pair();
        let operation = async move {
            stream.async_io(Interest::READABLE, || Err(io::ErrorKind::WouldBlock.into())).await
        };
        waits.push(("async_io", guest.spawn(operation)));
        let listener = home.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        waits.push(("accept", guest.spawn(async move { listener.accept().await.map(drop) })));
        let socket = home.block_on(UdpSocket::bind("127.0.0.1:0")).unwrap();
        waits.push(("recv", guest.spawn(async move { socket.recv(&mut [0]).await.map(drop) })));
        #[cfg(unix)]
        {
            use yamanote::io::unix::AsyncFd;
            use yamanote::net::unix::pipe;
            use yamanote::net::{UnixDatagram, UnixListener, UnixStream};

            let _enter = home.enter();
            let (mut stream, peer) = UnixStream::pair().unwrap();
            let read = async move { stream.read(&mut [0]).await.map(|_| drop(peer)) };
            waits.push(("unix read", guest.spawn(read)));
            let (socket, peer) = UnixDatagram::pair().unwrap();
            let receive = async move { socket.recv(&mut [0]).await.map(|_| drop(peer)) };
            waits.push(("unix recv", guest.spawn(receive)));
            let dir = tempfile::tempdir().unwrap();
            let listener = UnixListener::bind(dir.path().join("socket")).unwrap();
            waits.push(("unix accept", guest.spawn(async move { listener.accept().await.map(drop) })));
            let (sender, mut receiver) = pipe::pipe().unwrap();
            let read = async move { receiver.read(&mut [0]).await.map(|_| drop(sender)) };
            waits.push(("pipe", guest.spawn(read)));
            let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            // SAFETY: a stream keeps its descriptor.
            let fd = unsafe { AsyncFd::register(ours) }.unwrap();
            let ready = async move { fd.readable().await.map(|_| drop(theirs)) };
            waits.push(("fd", guest.spawn(ready)));
        }
        (waits, peers)
    }

    for home in [single as fn() -> Runtime, multi] {
        for guest in [single(), multi()] {
            let home = home();
            let (waits, peers) = begin(&home, &guest);
            guest.block_on(async {
                for (_, wait) in &waits {
                    until_it_waits(wait).await;
                }
            });
            home.shutdown_timeout(Duration::from_secs(10));
            guest.block_on(async {
                for (name, wait) in waits {
                    let result = wait.await.unwrap();
                    assert!(is_shutdown(&result), "{name}: {result:?}");
                }
            });
            // Sockets outlive their runtime, and are good for nothing that waits.
            guest.block_on(async {
                for mut peer in peers {
                    assert!(is_shutdown(&peer.readable().await));
                    assert!(is_shutdown(&peer.read(&mut [0]).await));
                    drop(peer);
                }
            });
        }
    }
}

/// The runtime of a waiting task goes, with the task; the socket, and its own runtime, stay in use.
#[test]
fn the_runtime_of_a_waiting_task_goes() {
    for guest in [single as fn() -> Runtime, multi] {
        let home = multi();
        let (client, mut server) = home.block_on(tcp_pair());
        let client = Arc::new(client);
        for _ in 0..5 {
            let guest = guest();
            let wait = {
                let client = Arc::clone(&client);
                guest.spawn(async move { client.readable().await })
            };
            guest.block_on(until_it_waits(&wait));
            drop(guest);
            assert_eq!(Arc::strong_count(&client), 1);
        }
        home.block_on(async {
            server.write_u32(1).await.unwrap();
            client.readable().await.unwrap();
            assert!(client.try_read(&mut [0; 8]).unwrap() > 0);
        });
    }
}

/// A future that was begun on one runtime is finished on another.
#[test]
fn a_wait_that_changes_runtimes() {
    with_home(|home, guest| {
        let (client, server) = home.block_on(tcp_pair());
        let mut wait = Box::pin(async move {
            client.readable().await.unwrap();
            client.try_read(&mut [0; 4]).unwrap()
        });
        let probe = Probe::default();
        assert!(probe.poll(wait.as_mut()).is_pending());
        {
            let _enter = home.enter();
            assert!(probe.poll(wait.as_mut()).is_pending());
        }
        let wait = guest.spawn(wait);
        guest.block_on(until_it_waits(&wait));
        assert_eq!(server.try_write(b"abc").unwrap(), 3);
        assert_eq!(guest.block_on(wait).unwrap(), 3);
    });
}
