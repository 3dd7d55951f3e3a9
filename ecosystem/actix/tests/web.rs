//! An actix-web server on threads of its own, asked by reqwest: JSON, state, streams, blocking work, keep-alive
//! and the orderly end. What actix calls a system is a `LocalSet` on a `current_thread` runtime.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data, Json, Path};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, Responder, get, post};
use futures_util::StreamExt;

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

#[get("/count")]
async fn hit(hits: Data<AtomicUsize>) -> impl Responder {
    hits.fetch_add(1, Ordering::SeqCst).to_string()
}

#[post("/echo")]
async fn echo(Json(mut words): Json<Vec<String>>) -> impl Responder {
    words.reverse();
    Json(words)
}

#[post("/upload")]
async fn upload(mut body: web::Payload) -> Result<String, Error> {
    let (mut length, mut sum) = (0, 0u64);
    while let Some(piece) = body.next().await {
        let piece = piece?;
        length += piece.len();
        sum += piece.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    Ok(format!("{length} {sum}"))
}

#[get("/stream/{n}")]
async fn stream(n: Path<usize>) -> impl Responder {
    // Neither `Send` nor in need of it: it stays on the thread of its worker.
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let pieces = futures_util::stream::iter(0..n.into_inner()).then(move |_| {
        let count = count.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            count.set(count.get() + 1);
            Ok::<_, Error>(Bytes::from(format!("{}\n", count.get())))
        }
    });
    HttpResponse::Ok().streaming(pieces)
}

#[get("/blocking/{n}")]
async fn blocking(n: Path<u64>) -> Result<String, Error> {
    let n = n.into_inner();
    Ok(web::block(move || (1..=n).sum::<u64>()).await?.to_string())
}

#[get("/local/{n}")]
async fn local(n: Path<usize>) -> String {
    let shared = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..n.into_inner())
        .map(|i| {
            let shared = shared.clone();
            actix_web::rt::spawn(async move {
                tokio::task::yield_now().await;
                shared.borrow_mut().push(i);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    shared.borrow().len().to_string()
}

#[get("/thread")]
async fn whereabouts(request: HttpRequest) -> String {
    format!("{:?} {:?}", std::thread::current().id(), request.version())
}

struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: std::thread::JoinHandle<std::io::Result<()>>,
}

impl Server {
    fn start(workers: usize) -> Server {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let hits = Data::new(AtomicUsize::new(0));
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(hits.clone())
                        .service(hit)
                        .service(echo)
                        .service(upload)
                        .service(stream)
                        .service(blocking)
                        .service(local)
                        .service(whereabouts)
                });
                let server = server.workers(workers).disable_signals().shutdown_timeout(60);
                let server = server.bind_auto_h2c("127.0.0.1:0")?;
                let address = server.addrs()[0];
                let server = server.run();
                send.send((address, server.handle())).unwrap();
                server.await
            })
        });
        let (address, handle) = receive.recv_timeout(PATIENCE).expect("the server starts");
        Server { address, handle, thread }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn stopped(self) {
        tokio::time::timeout(PATIENCE, self.handle.stop(true)).await.expect("the server stops");
        tokio::task::spawn_blocking(|| self.thread.join().unwrap().unwrap()).await.unwrap();
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(PATIENCE).build().unwrap()
}

async fn text(client: &reqwest::Client, url: String) -> String {
    client.get(url).send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_and_shared_state() {
    let server = Server::start(2);
    let client = client();
    let words = ["one", "two", "three"];
    let answer = client.post(server.url("/echo")).json(&words).send().await.unwrap();
    assert_eq!(answer.json::<Vec<String>>().await.unwrap(), ["three", "two", "one"]);
    let bad = client.post(server.url("/echo")).body("{").send().await.unwrap();
    assert_eq!(bad.status().as_u16() / 100, 4);

    let asked = (0..200).map(|_| text(&client, server.url("/count")));
    let answers: HashSet<usize> =
        futures_util::future::join_all(asked).await.iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(answers, (0..200).collect());
    drop(client);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_and_streams() {
    let server = Server::start(2);
    let client = client();
    let body: Vec<u8> = (0..3usize << 20).map(|i| (i % 251) as u8).collect();
    let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
    let length = body.len();
    let answer = client.post(server.url("/upload")).body(body).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), format!("{length} {sum}"));
    let expected: String = (1..=100).map(|i| format!("{i}\n")).collect();
    let asked = (0..10).map(|_| text(&client, server.url("/stream/100")));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer, expected);
    }
    drop(client);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_work_and_local_tasks() {
    let server = Server::start(1);
    let client = client();
    for n in [1, 10, 1_000] {
        assert_eq!(
            text(&client, server.url(&format!("/blocking/{n}"))).await,
            (n * (n + 1) / 2).to_string()
        );
        assert_eq!(text(&client, server.url(&format!("/local/{n}"))).await, n.to_string());
    }
    drop(client);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_reach_all_workers() {
    let server = Server::start(3);
    let mut threads = HashSet::new();
    // Connections are dealt out in turn, so these are more than enough.
    for _ in 0..12 {
        let answer = text(&client(), server.url("/thread")).await;
        let (thread, version) = answer.rsplit_once(' ').unwrap();
        assert_eq!(version, "HTTP/1.1");
        threads.insert(thread.to_owned());
    }
    assert_eq!(threads.len(), 3, "{threads:?}");
    let modern = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    assert!(text(&modern, server.url("/thread")).await.ends_with("HTTP/2.0"));
    drop(modern);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_has_begun_is_finished() {
    let server = Server::start(2);
    let mut answer = client().get(server.url("/stream/200")).send().await.unwrap();
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    let stopping = tokio::spawn(server.stopped());
    while let Some(piece) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    assert!(text.ends_with(b"\n200\n"));
    stopping.await.unwrap();
}
