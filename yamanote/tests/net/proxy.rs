//! Copying between sockets, in amounts for which the system is made to move the bytes itself.

use std::io;

use crate::support::*;
use yamanote::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, copy_bidirectional};
use yamanote::net::TcpStream;

const LEN: usize = 2_500_000;

fn pattern(seed: usize) -> Vec<u8> {
    (0..LEN).map(|i| ((i * 7 + seed) % 251) as u8).collect()
}

/// Writes all at once, ends the stream, and reads what comes until its end.
async fn exchange<S>(stream: S, seed: usize) -> Vec<u8>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut reader, mut writer) = yamanote::io::split(stream);
    let writing = yamanote::spawn(async move {
        writer.write_all(&pattern(seed)).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.unwrap();
    writing.await.unwrap();
    all
}

#[test]
fn both_ways_at_once() {
    on_each(async || {
        let (client, mut inbound) = tcp_pair().await;
        let (mut outbound, server) = tcp_pair().await;
        let proxy =
            yamanote::spawn(
                async move { copy_bidirectional(&mut inbound, &mut outbound).await.unwrap() },
            );
        let serving = yamanote::spawn(exchange(server, 1));
        assert!(exchange(client, 2).await == pattern(1));
        assert!(serving.await.unwrap() == pattern(2));
        assert_eq!(proxy.await.unwrap(), (LEN as u64, LEN as u64));
    });
}

#[cfg(unix)]
#[test]
fn between_sockets_of_two_kinds() {
    use yamanote::net::UnixStream;

    on_each(async || {
        let (client, mut inbound) = UnixStream::pair().unwrap();
        let (mut outbound, server) = tcp_pair().await;
        let proxy =
            yamanote::spawn(
                async move { copy_bidirectional(&mut inbound, &mut outbound).await.unwrap() },
            );
        let serving = yamanote::spawn(exchange(server, 3));
        assert!(exchange(client, 4).await == pattern(3));
        assert!(serving.await.unwrap() == pattern(4));
        assert_eq!(proxy.await.unwrap(), (LEN as u64, LEN as u64));
    });
}

#[test]
fn one_way_between_halves() {
    on_each(async || {
        let (client, inbound) = tcp_pair().await;
        let (outbound, server) = tcp_pair().await;
        let ((mut reader, back), (forth, mut writer)) = (inbound.into_split(), outbound.into_split());
        let copying = yamanote::spawn(async move {
            let copied = copy(&mut reader, &mut writer).await.unwrap();
            // Not shut down by the copying: by the drop.
            drop((writer, back));
            copied
        });
        let serving = yamanote::spawn(async move {
            let mut all = Vec::new();
            { server }.read_to_end(&mut all).await.unwrap();
            all
        });
        assert!(exchange(client, 6).await.is_empty());
        assert!(serving.await.unwrap() == pattern(6));
        drop(forth);
        assert_eq!(copying.await.unwrap(), LEN as u64);
    });
}

/// Large and small by turns: nothing waits for more to come.
#[test]
fn much_and_little() {
    on_each(async || {
        let (mut client, mut inbound) = tcp_pair().await;
        let (mut outbound, mut server) = tcp_pair().await;
        for stream in [&client, &inbound, &outbound, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let proxy =
            yamanote::spawn(
                async move { copy_bidirectional(&mut inbound, &mut outbound).await.unwrap() },
            );
        let echo = yamanote::spawn(async move {
            while let Ok(len) = server.read_u32().await {
                let mut message = vec![0; len as usize];
                server.read_exact(&mut message).await.unwrap();
                server.write_all(&message).await.unwrap();
            }
        });
        let mut total = 0;
        for i in 0..40 {
            let lens = if i % 4 == 0 { vec![700_000] } else { vec![1, 100, 9_000, 20_000, 1] };
            for len in lens {
                let message: Vec<u8> = (0..len).map(|j| (i + j) as u8).collect();
                let mut back = vec![0; len];
                client.write_u32(len as u32).await.unwrap();
                // The echo answers only when all has come.
                client.write_all(&message).await.unwrap();
                client.read_exact(&mut back).await.unwrap();
                assert!(back == message);
                total += len as u64;
            }
        }
        drop(client);
        echo.await.unwrap();
        let (up, down) = proxy.await.unwrap();
        assert_eq!(down, total);
        assert!(up > total);
    });
}

/// Both peers are gone, or one: reported as for any other reader or writer, and never by a signal.
#[test]
fn ends_in_the_middle() {
    async fn begin() -> (TcpStream, TcpStream, yamanote::task::JoinHandle<io::Result<(u64, u64)>>) {
        let (mut client, mut inbound) = tcp_pair().await;
        let (mut outbound, mut server) = tcp_pair().await;
        let proxy =
            yamanote::spawn(async move { copy_bidirectional(&mut inbound, &mut outbound).await });
        // Enough for the system to be at it.
        let writing = yamanote::spawn(async move {
            client.write_all(&pattern(0)).await.unwrap();
            client
        });
        server.read_exact(&mut vec![0; LEN]).await.unwrap();
        (writing.await.unwrap(), server, proxy)
    }

    on_each(async || {
        let (client, mut server, proxy) = begin().await;
        client.set_zero_linger().unwrap();
        drop(client);
        assert_eq!(proxy.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);

        let (mut client, server, proxy) = begin().await;
        server.set_zero_linger().unwrap();
        drop(server);
        // It fails by the read or the write, whichever is first.
        let error = proxy.await.unwrap().unwrap_err();
        assert!(matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe));
        while client.write_all(&[0; 1_000]).await.is_ok() {}

        // Given up: both connections end.
        let (mut client, mut server, proxy) = begin().await;
        proxy.abort();
        assert!(proxy.await.unwrap_err().is_cancelled());
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    });
}

/// A receiver that does not read holds up its own connection only, and the proxy's waiting costs nothing.
#[test]
fn a_receiver_that_waits() {
    on_each(async || {
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let (mut client, mut inbound) = tcp_pair().await;
            let (mut outbound, server) = tcp_pair().await;
            yamanote::spawn(async move { copy_bidirectional(&mut inbound, &mut outbound).await });
            let writing = yamanote::spawn(async move {
                let data = pattern(9);
                for _ in 0..2 {
                    client.write_all(&data).await.unwrap();
                }
            });
            waiting.push((server, writing));
        }
        for _ in 0..200 {
            yamanote::task::yield_now().await;
        }
        let (client, mut inbound) = tcp_pair().await;
        let (mut outbound, server) = tcp_pair().await;
        yamanote::spawn(async move { copy_bidirectional(&mut inbound, &mut outbound).await });
        let serving = yamanote::spawn(exchange(server, 1));
        assert!(exchange(client, 2).await == pattern(1));
        assert!(serving.await.unwrap() == pattern(2));
        let expected = pattern(9);
        for (mut server, writing) in waiting {
            let mut all = Vec::new();
            server.read_to_end(&mut all).await.unwrap();
            assert_eq!(all.len(), 2 * LEN);
            assert!(all.chunks(LEN).all(|chunk| chunk == expected));
            writing.await.unwrap();
        }
    });
}

/// Urgent bytes are not part of the stream; those around them are.
#[cfg(target_os = "linux")]
#[test]
fn urgent_bytes_on_the_way() {
    on_each(async || {
        let (client, mut inbound) = tcp_pair().await;
        let (mut outbound, mut server) = tcp_pair().await;
        let proxy =
            yamanote::spawn(
                async move { copy_bidirectional(&mut inbound, &mut outbound).await.unwrap() },
            );
        let writing = yamanote::spawn(async move {
            let mut client = client;
            let data = pattern(3);
            for chunk in data.chunks(LEN / 5) {
                client.write_all(chunk).await.unwrap();
                loop {
                    client.writable().await.unwrap();
                    match client.try_io(yamanote::io::Interest::WRITABLE, || {
                        socket2::SockRef::from(&client).send_out_of_band(b"!")
                    }) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        result => break assert_eq!(result.unwrap(), 1),
                    }
                }
            }
            client.shutdown().await.unwrap();
            client
        });
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        let client = writing.await.unwrap();
        drop((server, client));
        // A further urgent byte makes the one before it an ordinary one, if it was not skipped by then.
        let expected = pattern(3);
        let mut rest = &all[..];
        for chunk in expected.chunks(LEN / 5) {
            rest = rest.strip_prefix(chunk).expect("in order and complete");
            rest = rest.strip_prefix(b"!").unwrap_or(rest);
        }
        assert!(rest.is_empty());
        proxy.await.unwrap();
    });
}
