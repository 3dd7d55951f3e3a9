//! A router behind rustls, asked by reqwest: both protocols by what the handshake agrees on, large bodies,
//! a limit of rate and of time in front, certificates that nobody vouches for, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::http::{StatusCode, Version};
use axum::routing::{get, post};
use futures_util::StreamExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, ServerConfig};
use tower::{BoxError, Service, ServiceBuilder};

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    address: SocketAddr,
    certificate: reqwest::Certificate,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<usize>,
}

impl Server {
    /// Serves `router` on a port of its own until told to stop; then returns how many connections there were.
    async fn start(router: Router) -> Server {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = reqwest::Certificate::from_der(made.cert.der()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, acceptor, router, stopped));
        Server { address, certificate, stop, task }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    fn client(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .use_rustls_tls()
            .add_root_certificate(self.certificate.clone())
            .resolve("localhost", self.address)
            .timeout(PATIENCE)
    }

    async fn stopped(self) -> usize {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the server ends").unwrap()
    }
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    router: Router,
    mut stopped: oneshot::Receiver<()>,
) -> usize {
    let graceful = GracefulShutdown::new();
    let mut connections = tokio::task::JoinSet::new();
    let mut count = 0;
    loop {
        let socket = tokio::select! {
            socket = listener.accept() => socket.unwrap().0,
            _ = &mut stopped => break,
        };
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        count += 1;
        connections.spawn(async move {
            // A client that does not like the certificate goes away in the handshake.
            let Ok(socket) = acceptor.accept(socket).await else { return };
            let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                let mut router = router.clone();
                async move { router.call(request.map(Body::new)).await }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(socket), service);
            let _ = watcher.watch(connection.into_owned()).await;
        });
    }
    graceful.shutdown().await;
    while let Some(result) = connections.join_next().await {
        result.unwrap();
    }
    count
}

fn router() -> Router {
    Router::new()
        .route("/", get(|request: Request| async move { format!("{:?}", request.version()) }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route(
            "/stream/{n}",
            get(|Path(n): Path<usize>| async move {
                let pieces = futures_util::stream::iter(0..n).then(|i| async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok::<_, Infallible>(Bytes::from(format!("{i}\n")))
                });
                Body::from_stream(pieces)
            }),
        )
        .layer(DefaultBodyLimit::max(16 << 20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_handshake_chooses_the_protocol() {
    let server = Server::start(router()).await;
    let modern = server.client().build().unwrap();
    let old = server.client().http1_only().build().unwrap();
    for (client, version) in [(&modern, Version::HTTP_2), (&old, Version::HTTP_11)] {
        let answer = client.get(server.url("/")).send().await.unwrap();
        assert_eq!(answer.version(), version);
        assert_eq!(answer.text().await.unwrap(), format!("{version:?}"));
    }
    drop((modern, old));
    assert_eq!(server.stopped().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_some_mebibytes_on_many_streams() {
    let server = Server::start(router()).await;
    let body: Vec<u8> = (0..4usize << 20).map(|i| (i % 251) as u8).collect();
    for http1 in [false, true] {
        let client = server.client();
        let client = if http1 { client.http1_only() } else { client };
        let client = client.build().unwrap();
        // One connection exists before the others ask for it.
        client.get(server.url("/")).send().await.unwrap().text().await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for i in 0..8 {
            let (client, url, body) = (client.clone(), server.url("/echo"), body.clone());
            tasks.spawn(async move {
                let pieces: Vec<_> =
                    body.chunks(10_000 + i).map(|piece| Ok::<_, Infallible>(piece.to_vec())).collect();
                let pieces = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
                let answer = client.post(url).body(pieces).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                assert!(answer.bytes().await.unwrap() == body);
            });
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap();
        }
    }
    let connections = server.stopped().await;
    assert!(connections >= 2);
}

#[tokio::test(flavor = "current_thread")]
async fn who_vouches_for_it() {
    let server = Server::start(router()).await;
    let stranger = reqwest::Client::builder()
        .use_rustls_tls()
        .tls_built_in_root_certs(false)
        .resolve("localhost", server.address)
        .build()
        .unwrap();
    let error = stranger.get(server.url("/")).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    // The right certificate under the wrong name.
    let client = server.client().resolve("elsewhere", server.address).build().unwrap();
    let url = format!("https://elsewhere:{}/", server.address.port());
    assert!(client.get(url).send().await.unwrap_err().is_connect());
    // And plain text is no handshake.
    let url = format!("http://{}/", server.address);
    client.get(url).send().await.unwrap_err();
    assert_eq!(client.get(server.url("/")).send().await.unwrap().status(), 200);
    drop(client);
    assert_eq!(server.stopped().await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_has_begun_is_finished() {
    let server = Server::start(router()).await;
    let client = server.client().build().unwrap();
    let mut answers = Vec::new();
    for _ in 0..5 {
        let mut answer = client.get(server.url("/stream/200")).send().await.unwrap();
        let first = answer.chunk().await.unwrap().unwrap();
        answers.push((answer, first.to_vec()));
    }
    let stopped = tokio::spawn(server.stopped());
    let expected: String = (0..200).map(|i| format!("{i}\n")).collect();
    for (mut answer, mut text) in answers {
        while let Some(piece) = answer.chunk().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
    assert_eq!(stopped.await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_in_front_of_a_router() {
    let too_late = HandleErrorLayer::new(|error: BoxError| async move {
        match error.is::<tower::timeout::error::Elapsed>() {
            true => StatusCode::GATEWAY_TIMEOUT,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        }
    });
    let sleep = |Path(ms): Path<u64>| async move {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms.to_string()
    };
    let router = Router::new().route("/sleep/{ms}", get(sleep)).layer(
        ServiceBuilder::new()
            .layer(too_late)
            .buffer(32)
            .rate_limit(4, Duration::from_millis(200))
            .timeout(Duration::from_secs(20)),
    );
    // With its state given once, the router makes one limit; without, one for each request.
    let router = router.with_state(());
    let server = Server::start(router).await;
    let client = server.client().build().unwrap();
    let started = std::time::Instant::now();
    let asked = (0..12).map(|_| client.get(server.url("/sleep/0")).send());
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.unwrap().text().await.unwrap(), "0");
    }
    // Twelve at four every 200 ms: the last four have to wait for two more periods.
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    drop(client);
    server.stopped().await;

    let too_late = HandleErrorLayer::new(|_: BoxError| async { StatusCode::GATEWAY_TIMEOUT });
    let limits = ServiceBuilder::new().layer(too_late).timeout(Duration::from_millis(50));
    let server = Server::start(Router::new().route("/sleep/{ms}", get(sleep)).layer(limits)).await;
    let client = server.client().build().unwrap();
    let answer = client.get(server.url("/sleep/86400000")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    drop(client);
    server.stopped().await;
}
