//! quinn: streams in both directions, datagrams, a large transfer, and how a connection ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, ServerConfig, TransportConfig, VarInt,
};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncWriteExt;

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn endpoints(transport: TransportConfig) -> (Endpoint, Endpoint) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let transport = Arc::new(transport);
    let mut config = ServerConfig::with_single_cert(vec![certificate.clone()], key).unwrap();
    config.transport_config(transport.clone());
    let server = Endpoint::server(config, ANYWHERE).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    config.transport_config(transport);
    let mut client = Endpoint::client(ANYWHERE).unwrap();
    client.set_default_client_config(config);
    (server, client)
}

/// Echoes streams and datagrams until the connection ends; returns how it did.
async fn echo(connection: Connection) -> ConnectionError {
    loop {
        tokio::select! {
            streams = connection.accept_bi() => {
                let (mut write, mut read) = match streams {
                    Ok(streams) => streams,
                    Err(error) => return error,
                };
                tokio::spawn(async move {
                    // Through tokio's traits: what comes in goes out.
                    tokio::io::copy(&mut read, &mut write).await.unwrap();
                    write.shutdown().await.unwrap();
                });
            }
            datagram = connection.read_datagram() => match datagram {
                Ok(datagram) => connection.send_datagram(datagram).unwrap(),
                Err(error) => return error,
            },
        }
    }
}

async fn pair(server: &Endpoint, client: &Endpoint) -> (Connection, Connection) {
    let connecting = client.connect(server.local_addr().unwrap(), "localhost").unwrap();
    let accepting = async { server.accept().await.unwrap().await.unwrap() };
    let (accepted, connected) = tokio::join!(accepting, connecting);
    (accepted, connected.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_streams_on_one_connection() {
    let (server, client) = endpoints(TransportConfig::default());
    let (accepted, connection) = pair(&server, &client).await;
    let echoing = tokio::spawn(echo(accepted));
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..100usize {
        let connection = connection.clone();
        tasks.spawn(async move {
            let (mut write, mut read) = connection.open_bi().await.unwrap();
            let bytes = vec![i as u8; 1 + i * 1_000];
            let writing = async {
                write.write_all(&bytes).await.unwrap();
                write.finish().unwrap();
            };
            let (_, back) = tokio::join!(writing, read.read_to_end(200_000));
            assert!(back.unwrap() == bytes);
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    connection.close(VarInt::from_u32(7), b"that is all");
    let ConnectionError::ApplicationClosed(close) = echoing.await.unwrap() else {
        panic!("another end")
    };
    assert_eq!((close.error_code, &close.reason[..]), (VarInt::from_u32(7), &b"that is all"[..]));
    client.wait_idle().await;
}

#[tokio::test]
async fn datagrams_come_back() {
    let (server, client) = endpoints(TransportConfig::default());
    let (accepted, connection) = pair(&server, &client).await;
    let echoing = tokio::spawn(echo(accepted));
    let largest = connection.max_datagram_size().unwrap();
    for size in [1, 100, largest] {
        // A datagram may be lost, even here, when a buffer is full: then another one is sent.
        let mut answer = None;
        for _ in 0..20 {
            connection.send_datagram(vec![size as u8; size].into()).unwrap();
            if let Ok(datagram) =
                tokio::time::timeout(Duration::from_secs(3), connection.read_datagram()).await
            {
                answer = Some(datagram.unwrap());
                break;
            }
        }
        assert_eq!(answer.expect("one of them arrives"), vec![size as u8; size]);
    }
    drop(connection);
    drop(client);
    echoing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_mebibytes_one_way() {
    let (server, client) = endpoints(TransportConfig::default());
    let (accepted, connection) = pair(&server, &client).await;
    let length = 16usize << 20;
    let sending = tokio::spawn(async move {
        let mut write = accepted.open_uni().await.unwrap();
        let piece: Vec<u8> = (0..1usize << 16).map(|i| (i % 251) as u8).collect();
        for _ in 0..length / piece.len() {
            write.write_all(&piece).await.unwrap();
        }
        write.finish().unwrap();
        // Until the other side has all of it, the connection has to live.
        write.stopped().await.unwrap();
    });
    let mut read = connection.accept_uni().await.unwrap();
    let mut received = 0;
    while let Some(chunk) = read.read_chunk(usize::MAX, true).await.unwrap() {
        for (i, byte) in chunk.bytes.iter().enumerate() {
            let at = (chunk.offset as usize + i) % (1 << 16);
            assert_eq!(*byte, (at % 251) as u8);
        }
        received += chunk.bytes.len();
    }
    assert_eq!(received, length);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_is_silent_for_too_long_is_gone() {
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(Some(Duration::from_millis(200).try_into().unwrap()));
    let (server, client) = endpoints(transport);
    let (accepted, connection) = pair(&server, &client).await;
    let (ours, theirs) = tokio::join!(
        tokio::time::timeout(PATIENCE, connection.closed()),
        tokio::time::timeout(PATIENCE, accepted.closed())
    );
    assert_eq!(ours.unwrap(), ConnectionError::TimedOut);
    assert_eq!(theirs.unwrap(), ConnectionError::TimedOut);
}

#[tokio::test]
async fn nobody_answers_and_somebody_else_does() {
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(Some(Duration::from_millis(300).try_into().unwrap()));
    let (server, client) = endpoints(transport);
    let silent = tokio::net::UdpSocket::bind(ANYWHERE).await.unwrap();
    let error = client.connect(silent.local_addr().unwrap(), "localhost").unwrap().await.unwrap_err();
    assert_eq!(error, ConnectionError::TimedOut);
    // The name is another one than the certificate's.
    let connecting = client.connect(server.local_addr().unwrap(), "elsewhere").unwrap();
    let accepting = async { server.accept().await.unwrap().await };
    let (accepted, connected) = tokio::join!(accepting, connecting);
    assert!(matches!(connected.unwrap_err(), ConnectionError::TransportError(_)));
    accepted.unwrap_err();
}
