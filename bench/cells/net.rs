//! TCP echo: clients and server in one runtime, connections made before the clock starts.

use rt::io::{AsyncReadExt, AsyncWriteExt};
use rt::net::{TcpListener, TcpStream, UdpSocket};
use rt::runtime::Runtime;

use crate::harness::{CT, Cell, Context, Metric, W1, W2, on, times};

pub const CELLS: &[Cell] = &[
    Cell { name: "net/echo_1", flavours: &[CT, W1, W2], run: |c| echo(c, 1) },
    Cell { name: "net/echo_64", flavours: &[CT, W1, W2], run: |c| echo(c, 64) },
    Cell { name: "net/echo_1000", flavours: &[CT, W1, W2], run: |c| echo(c, 1000) },
    Cell { name: "net/connect_accept", flavours: &[CT, W1, W2], run: connect_accept },
    Cell { name: "net/bulk_mebibyte", flavours: &[CT, W2], run: bulk },
    Cell { name: "net/udp_ping_pong", flavours: &[CT, W2], run: udp },
    Cell { name: "net/duplex_ping_pong", flavours: &[CT, W2], run: duplex },
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
