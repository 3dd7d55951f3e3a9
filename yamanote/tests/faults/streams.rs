//! Streams: all that is written arrives, once, in order, and then the end.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use yamanote::io::{AsyncRead, AsyncWrite, copy, copy_bidirectional, split};
use yamanote::net::unix::pipe;
use yamanote::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use yamanote::task::JoinSet;

use crate::shim::Rates;
use crate::{records, shim, under};

const RATES: Rates = Rates { eintr: 60, eagain: 120, short: 250, enobufs: 0, emfile: 0, refusal: 0 };
const STREAMS: u64 = 12;
const RECORDS: u32 = 60;
const MAX: usize = 6_000;

/// Records there and back over a connection whose other end echoes.
async fn exchange(
    connection: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    stream: u64,
    (records, max): (u32, usize),
) {
    let (reader, writer) = split(connection);
    let writing = yamanote::spawn(records::write(writer, stream, records, max));
    records::read(reader, stream, records).await.unwrap();
    writing.await.unwrap().unwrap();
}

async fn all(tasks: JoinSet<()>) {
    tasks.join_all().await;
}

#[test]
fn tcp_through_a_proxy() {
    through_a_proxy(RATES, STREAMS, (RECORDS, MAX), || {});
}

/// So much at a time that the proxy has the system move the bytes, which refuses now and then, before or after it has
/// taken them.
#[test]
fn much_through_a_proxy() {
    let rates = Rates { eintr: 30, eagain: 60, short: 100, enobufs: 0, emfile: 0, refusal: 3 };
    let moves = AtomicU64::new(0);
    through_a_proxy(rates, 3, (16, 200_000), || {
        moves.fetch_add(shim::moves(), SeqCst);
    });
    assert!(moves.into_inner() > 0, "everything was copied");
}

fn through_a_proxy(rates: Rates, streams: u64, records: (u32, usize), at_the_end: impl Fn()) {
    under(rates, async |seed| {
        let back = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (back_addr, front_addr) = (back.local_addr().unwrap(), front.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut echoes = JoinSet::new();
            for _ in 0..streams {
                let (stream, _) = back.accept().await.unwrap();
                echoes.spawn(async move {
                    let (mut reader, mut writer) = stream.into_split();
                    copy(&mut reader, &mut writer).await.unwrap();
                });
            }
            all(echoes).await;
        });
        tasks.spawn(async move {
            let mut proxies = JoinSet::new();
            for _ in 0..streams {
                let (mut client, _) = front.accept().await.unwrap();
                proxies.spawn(async move {
                    let mut server = TcpStream::connect(back_addr).await.unwrap();
                    let (up, down) = copy_bidirectional(&mut client, &mut server).await.unwrap();
                    assert_eq!(up, down);
                });
            }
            all(proxies).await;
        });
        for i in 0..streams {
            tasks.spawn(async move {
                exchange(TcpStream::connect(front_addr).await.unwrap(), seed << 8 | i, records).await;
            });
        }
        all(tasks).await;
        at_the_end();
    });
}

#[test]
fn unix() {
    under(RATES, async |seed| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut echoes = JoinSet::new();
            for _ in 0..STREAMS {
                let (stream, _) = listener.accept().await.unwrap();
                echoes.spawn(async move {
                    let (mut reader, mut writer) = stream.into_split();
                    copy(&mut reader, &mut writer).await.unwrap();
                });
            }
            all(echoes).await;
        });
        for i in 0..STREAMS {
            let path = path.clone();
            tasks.spawn(async move {
                exchange(UnixStream::connect(path).await.unwrap(), seed << 8 | i, (RECORDS, MAX)).await;
            });
        }
        all(tasks).await;
    });
}

#[test]
fn pipes() {
    under(RATES, async |seed| {
        let mut tasks = JoinSet::new();
        for i in 0..STREAMS {
            let (sender, receiver) = pipe::pipe().unwrap();
            let stream = seed << 8 | i;
            tasks.spawn(async move {
                records::write(sender, stream, 2 * RECORDS, 20_000).await.unwrap();
            });
            tasks.spawn(async move { records::read(receiver, stream, 2 * RECORDS).await.unwrap() });
        }
        all(tasks).await;
    });
}

/// The readiness functions and `try_*`, which put up with spurious answers by their own loops.
#[test]
fn trying() {
    under(RATES, async |seed| {
        let mut tasks = JoinSet::new();
        for i in 0..STREAMS {
            let (a, b) = UnixStream::pair().unwrap();
            let data: Vec<u8> =
                (0..RECORDS).flat_map(|number| records::record(seed << 8 | i, number, MAX)).collect();
            let expected = data.clone();
            tasks.spawn(async move {
                let mut rest = &data[..];
                while !rest.is_empty() {
                    a.writable().await.unwrap();
                    match a.try_write(rest) {
                        Ok(n) => rest = &rest[n..],
                        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                    }
                }
            });
            tasks.spawn(async move {
                let mut got = Vec::new();
                loop {
                    b.readable().await.unwrap();
                    match b.try_read_buf(&mut got) {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                    }
                }
                assert!(got == expected, "{} bytes of {}", got.len(), expected.len());
            });
        }
        all(tasks).await;
    });
}

/// Who waits for nothing makes no system calls, whatever went wrong before.
#[test]
fn nobody_spins() {
    under(RATES, async |seed| {
        let (a, b) = UnixStream::pair().unwrap();
        let (a_reader, a_writer) = a.into_split();
        let (mut b_reader, mut b_writer) = b.into_split();
        let echo = yamanote::spawn(async move { copy(&mut b_reader, &mut b_writer).await });
        let reading = yamanote::spawn(async move {
            let mut reader = a_reader;
            for number in 0..100 {
                read_one(&mut reader, seed, number).await;
            }
            reader
        });
        let mut writer = a_writer;
        for number in 0..100 {
            use yamanote::io::AsyncWriteExt;
            writer.write_all(&records::record(seed, number, MAX)).await.unwrap();
        }
        let reader = reading.await.unwrap();
        // Both ends wait now. An injected interruption costs a call each, so a few there may be.
        let waiting = yamanote::spawn(records::read(reader, seed, 0));
        yamanote::time::sleep(Duration::from_millis(20)).await;
        let before = shim::calls();
        yamanote::time::sleep(Duration::from_millis(60)).await;
        let during = shim::calls() - before;
        assert!(during < 100, "{during} calls while nothing happened");
        drop(writer);
        waiting.await.unwrap().unwrap();
        echo.await.unwrap().unwrap();
    });
}

async fn read_one(reader: &mut (impl AsyncRead + Unpin), stream: u64, number: u32) {
    use yamanote::io::AsyncReadExt;
    let mut got = records::record(stream, number, MAX);
    let expected = got.clone();
    got.fill(0);
    reader.read_exact(&mut got).await.unwrap();
    assert!(got == expected, "record {number}");
}
