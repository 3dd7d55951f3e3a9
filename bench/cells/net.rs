//! TCP echo: clients and server in one runtime, connections made before the clock starts.

use rt::io::{AsyncReadExt, AsyncWriteExt};
use rt::net::{TcpListener, TcpStream, UdpSocket};
use rt::runtime::Runtime;

use crate::harness::{CT, Cell, Context, Metric, Sample, W1, W2, cpu_time, on, thread_cpu_ns, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "net/echo_1", flavours: &[CT, W1, W2], run: |c| echo(c, 1) },
    Cell { name: "net/echo_64", flavours: &[CT, W1, W2], run: |c| echo(c, 64) },
    Cell { name: "net/echo_1000", flavours: &[CT, W1, W2], run: |c| echo(c, 1000) },
    Cell { name: "net/connect_accept", flavours: &[CT, W1, W2], run: connect_accept },
    Cell { name: "net/bulk_mebibyte", flavours: &[CT, W2], run: bulk },
    Cell { name: "net/proxy_mebibyte", flavours: &[CT, W2], run: proxy_bulk },
    Cell { name: "net/proxy_echo", flavours: &[CT, W2], run: proxy_echo },
    Cell { name: "net/unix_ping_pong", flavours: &[CT, W2], run: unix },
    Cell { name: "net/udp_ping_pong", flavours: &[CT, W2], run: udp },
    Cell { name: "net/udp_burst", flavours: &[CT, W2], run: udp_burst },
    Cell { name: "net/duplex_ping_pong", flavours: &[CT, W2], run: duplex },
    Cell { name: "net/copy", flavours: &[CT, W2], run: copy },
];

const MESSAGE: usize = 64;

async fn serve(mut socket: TcpStream) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        if socket.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
}

/// Connects so many clients to a server in the same runtime.
pub fn connected(runtime: &Runtime, connections: u64) -> Vec<TcpStream> {
    on(runtime, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        rt::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                rt::spawn(serve(socket));
            }
        });
        let mut clients = Vec::new();
        for _ in 0..connections {
            let client = TcpStream::connect(address).await.unwrap();
            client.set_nodelay(true).unwrap();
            clients.push(client);
        }
        clients
    })
}

/// Sends a message and waits for its return, `n` times.
pub async fn exchange(mut client: TcpStream, n: u64) -> TcpStream {
    let mut buffer = [7; MESSAGE];
    for _ in 0..n {
        client.write_all(&buffer).await.unwrap();
        client.read_exact(&mut buffer).await.unwrap();
    }
    client
}

pub fn echo(context: &Context, connections: u64) -> Vec<Metric> {
    let runtime = context.runtime();
    let mut clients = connected(&runtime, connections);
    context
        .batches(|n| {
            let each = times(n, connections);
            let now = std::mem::take(&mut clients);
            clients = on(&runtime, async move {
                let tasks: Vec<_> =
                    now.into_iter().map(|client| rt::spawn(exchange(client, each))).collect();
                let mut clients = Vec::with_capacity(tasks.len());
                for task in tasks {
                    clients.push(task.await.unwrap());
                }
                clients
            });
            each * connections
        })
        .both()
}

/// A connection a request: connect, one exchange, close; sixteen at a time.
fn connect_accept(context: &Context) -> Vec<Metric> {
    const CLIENTS: u64 = 16;
    let runtime = context.runtime();
    let address = on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        rt::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                rt::spawn(serve(socket));
            }
        });
        address
    });
    context
        .batches(|n| {
            let each = times(n, CLIENTS);
            on(&runtime, async move {
                let task = move || async move {
                    for _ in 0..each {
                        let mut client = TcpStream::connect(address).await.unwrap();
                        // Closing by reset keeps used-up ports from piling up over a long run.
                        client.set_zero_linger().unwrap();
                        let mut buffer = [7; MESSAGE];
                        client.write_all(&buffer).await.unwrap();
                        client.read_exact(&mut buffer).await.unwrap();
                    }
                };
                let tasks: Vec<_> = (0..CLIENTS).map(|_| rt::spawn(task())).collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
            each * CLIENTS
        })
        .both()
}

/// One operation is a mebibyte from one task to another, written 64 KiB at a time.
fn bulk(context: &Context) -> Vec<Metric> {
    const MEBIBYTE: usize = 1 << 20;
    context
        .tasks(|n| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut sender = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut receiver, _) = listener.accept().await.unwrap();
            let sending = rt::spawn(async move {
                let chunk = vec![7; MEBIBYTE / 16];
                for _ in 0..n * 16 {
                    sender.write_all(&chunk).await.unwrap();
                }
            });
            let mut buffer = vec![0; MEBIBYTE / 16];
            let mut left = n as usize * MEBIBYTE;
            while left > 0 {
                left -= receiver.read(&mut buffer).await.unwrap();
            }
            sending.await.unwrap();
            n
        })
        .both()
}

/// A proxy by `copy_bidirectional` in front of `back`; tells its address.
async fn proxy(back: std::net::SocketAddr) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    rt::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            rt::spawn(async move {
                let mut server = TcpStream::connect(back).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let _ = rt::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

/// One operation is a mebibyte through a proxy. Its ends are blocking threads whose CPU time is not counted: what a
/// client and a server spend elsewhere.
fn proxy_bulk(context: &Context) -> Vec<Metric> {
    const MEBIBYTE: usize = 1 << 20;
    let runtime = context.runtime();
    let back = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = on(&runtime, proxy(back.local_addr().unwrap()));
    // A single-threaded runtime works only while somebody waits for it.
    let (stop, stopped) = rt::sync::oneshot::channel::<()>();
    let driver = std::thread::spawn(move || runtime.block_on(async { stopped.await.unwrap_err() }));
    let mut sender = std::net::TcpStream::connect(address).unwrap();
    let (mut receiver, _) = back.accept().unwrap();
    let (order, orders) = std::sync::mpsc::channel::<u64>();
    let elsewhere = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let note = |elsewhere: &std::sync::atomic::AtomicU64, before: u64| {
        let spent = thread_cpu_ns() - before;
        elsewhere.fetch_add(spent, std::sync::atomic::Ordering::SeqCst);
    };
    let sending = {
        let elsewhere = elsewhere.clone();
        std::thread::spawn(move || {
            let chunk = vec![7; MEBIBYTE / 16];
            for n in orders {
                let before = thread_cpu_ns();
                for _ in 0..n * 16 {
                    std::io::Write::write_all(&mut sender, &chunk).unwrap();
                }
                note(&elsewhere, before);
            }
        })
    };
    let mut buffer = vec![0; MEBIBYTE / 4];
    let mut total = 0;
    let before_all = (cpu_time(), elsewhere.load(std::sync::atomic::Ordering::SeqCst));
    let sample = context.batches(|n| {
        order.send(n).unwrap();
        let before = thread_cpu_ns();
        let mut left = n as usize * MEBIBYTE;
        while left > 0 {
            left -= std::io::Read::read(&mut receiver, &mut buffer).unwrap();
        }
        note(&elsewhere, before);
        total += n;
        n
    });
    drop(order);
    sending.join().unwrap();
    let spent = (cpu_time() - before_all.0).as_nanos() as f64;
    let spent_elsewhere = (elsewhere.load(std::sync::atomic::Ordering::SeqCst) - before_all.1) as f64;
    drop(stop);
    driver.join().unwrap();
    Sample { wall_ns: sample.wall_ns, cpu_ns: (spent - spent_elsewhere) / total as f64 }.both()
}

/// A small message through a proxy and back.
fn proxy_echo(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let back = listener.local_addr().unwrap();
            rt::spawn(async move {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                serve(socket).await;
            });
            let mut client = TcpStream::connect(proxy(back).await).await.unwrap();
            client.set_nodelay(true).unwrap();
            let mut buffer = [7; MESSAGE];
            for _ in 0..n {
                client.write_all(&buffer).await.unwrap();
                client.read_exact(&mut buffer).await.unwrap();
            }
            n
        })
        .both()
}

/// A message there and back over a pair of Unix sockets.
fn unix(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (mut one, mut other) = rt::net::UnixStream::pair().unwrap();
            let echo = rt::spawn(async move {
                let mut buffer = [0; MESSAGE];
                for _ in 0..n {
                    other.read_exact(&mut buffer).await.unwrap();
                    other.write_all(&buffer).await.unwrap();
                }
            });
            let mut buffer = [7; MESSAGE];
            for _ in 0..n {
                one.write_all(&buffer).await.unwrap();
                one.read_exact(&mut buffer).await.unwrap();
            }
            echo.await.unwrap();
            n
        })
        .both()
}

/// A datagram there and back between two tasks.
fn udp(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            one.connect(other.local_addr().unwrap()).await.unwrap();
            other.connect(one.local_addr().unwrap()).await.unwrap();
            let echo = rt::spawn(async move {
                let mut buffer = [0; MESSAGE];
                for _ in 0..n {
                    let length = other.recv(&mut buffer).await.unwrap();
                    other.send(&buffer[..length]).await.unwrap();
                }
            });
            let mut buffer = [7; MESSAGE];
            for _ in 0..n {
                one.send(&buffer).await.unwrap();
                one.recv(&mut buffer).await.unwrap();
            }
            echo.await.unwrap();
            n
        })
        .both()
}

/// A datagram of a burst of 32, sent by one task and received by another, by the best means a side has: several a system
/// call, or one.
fn udp_burst(context: &Context) -> Vec<Metric> {
    const BURST: u64 = 32;
    context
        .tasks(|n| async move {
            let bursts = times(n, BURST);
            let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
            let receiving = rt::spawn(async move {
                for _ in 0..bursts {
                    receive_burst(&other, BURST as usize).await;
                    other.send_to(b"on", from).await.unwrap();
                }
            });
            let datagrams = [([7; MESSAGE], to); BURST as usize];
            for _ in 0..bursts {
                send_burst(&one, &datagrams).await;
                one.recv(&mut [0; 2]).await.unwrap();
            }
            receiving.await.unwrap();
            bursts * BURST
        })
        .both()
}

#[cfg(feature = "batches")]
async fn send_burst(socket: &UdpSocket, mut datagrams: &[([u8; MESSAGE], std::net::SocketAddr)]) {
    while !datagrams.is_empty() {
        let sent = rt::net::udp_batch::send_batch(socket, datagrams).await.unwrap();
        datagrams = &datagrams[sent..];
    }
}

#[cfg(feature = "batches")]
async fn receive_burst(socket: &UdpSocket, count: usize) {
    let mut batch = rt::net::udp_batch::RecvBatch::new(count, MESSAGE);
    let mut left = count;
    while left > 0 {
        batch.recv(socket).await.unwrap();
        left -= batch.iter().count();
    }
}

#[cfg(not(feature = "batches"))]
async fn send_burst(socket: &UdpSocket, datagrams: &[([u8; MESSAGE], std::net::SocketAddr)]) {
    for (datagram, to) in datagrams {
        socket.send_to(datagram, *to).await.unwrap();
    }
}

#[cfg(not(feature = "batches"))]
async fn receive_burst(socket: &UdpSocket, count: usize) {
    let mut buffer = [0; MESSAGE];
    for _ in 0..count {
        socket.recv_from(&mut buffer).await.unwrap();
    }
}

/// As an echo, without the operating system: what the readers, writers and wakes cost alone.
fn duplex(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let (mut one, mut other) = rt::io::duplex(1024);
            let echo = rt::spawn(async move {
                let mut buffer = [0; MESSAGE];
                for _ in 0..n {
                    other.read_exact(&mut buffer).await.unwrap();
                    other.write_all(&buffer).await.unwrap();
                }
            });
            let mut buffer = [7; MESSAGE];
            for _ in 0..n {
                one.write_all(&buffer).await.unwrap();
                one.read_exact(&mut buffer).await.unwrap();
            }
            echo.await.unwrap();
            n
        })
        .both()
}

/// A small piece that `copy` takes out of one pipe in memory and puts into another.
fn copy(context: &Context) -> Vec<Metric> {
    const PIECE: usize = 256;
    context
        .tasks(|n| async move {
            let (mut source, mut from) = rt::io::duplex(4 * PIECE);
            let (mut to, mut sink) = rt::io::duplex(4 * PIECE);
            let writing = rt::spawn(async move {
                for _ in 0..n {
                    source.write_all(&[7; PIECE]).await.unwrap();
                }
            });
            let copying = rt::spawn(async move { rt::io::copy(&mut from, &mut to).await.unwrap() });
            let mut buffer = [0; PIECE];
            for _ in 0..n {
                sink.read_exact(&mut buffer).await.unwrap();
            }
            writing.await.unwrap();
            copying.await.unwrap();
            n
        })
        .both()
}
