//! Client and server in one process over TCP: each kind of call, many at once, deadlines, cancellation, and the
//! server's orderly end.

use std::net::SocketAddr;
use std::time::Duration;

use rpc::generated::numbers_client::NumbersClient;
use rpc::generated::numbers_server::NumbersServer;
use rpc::{Arithmetic, Number};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    address: SocketAddr,
    service: Arithmetic,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

async fn start() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Arithmetic::default();
    let (stop, stopped) = oneshot::channel();
    let server = Server::builder().add_service(NumbersServer::new(service.clone()));
    let server = server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), async {
        let _ = stopped.await;
    });
    Running { address, service, stop, task: tokio::spawn(server) }
}

impl Running {
    async fn client(&self) -> NumbersClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        NumbersClient::new(endpoint.connect().await.unwrap())
    }

    async fn idle(&self) {
        tokio::time::timeout(PATIENCE, async {
            while self.service.busy() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("nothing is left running");
    }

    async fn stopped(self) {
        self.idle().await;
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends").unwrap().unwrap();
    }
}

fn numbers(values: impl Iterator<Item = i64> + Send + 'static) -> impl Stream<Item = Number> {
    tokio_stream::iter(values.map(Number::from))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unary_calls_share_a_connection() {
    let server = start().await;
    let client = server.client().await;
    let mut tasks = tokio::task::JoinSet::new();
    for value in 0..200 {
        let mut client = client.clone();
        tasks.spawn(async move {
            let number = Number { value, pause_ms: value as u64 % 7, ballast: vec![7; value as usize] };
            let answer = client.double(number.clone()).await.unwrap().into_inner();
            assert_eq!(answer, Number { value: value * 2, ..number });
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    let error = client.clone().double(Number::from(i64::MAX)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::OutOfRange, "9223372036854775807 is too large"));
    drop(client);
    server.stopped().await;
}

#[tokio::test]
async fn streams_in_each_direction() {
    let server = start().await;
    let mut client = server.client().await;

    let counted = client.count_to(Number::from(500)).await.unwrap().into_inner();
    let counted: Vec<_> = counted.map(|number| number.unwrap().value).collect().await;
    assert_eq!(counted, (1..=500).collect::<Vec<_>>());

    let sum = client.sum(numbers(1..=5_000)).await.unwrap().into_inner();
    assert_eq!(sum.value, 5_000 * 5_001 / 2);

    // Ping-pong: the next number goes out when the answer to the last one is here.
    let (send, receive) = mpsc::channel(1);
    send.send(Number::from(1)).await.unwrap();
    let mut sums = client.running_sum(ReceiverStream::new(receive)).await.unwrap().into_inner();
    let mut expected = 0;
    for i in 1..=100 {
        expected += i;
        assert_eq!(sums.message().await.unwrap().unwrap().value, expected);
        send.send(Number::from(i + 1)).await.unwrap();
    }
    drop(send);
    assert_eq!(sums.message().await.unwrap().unwrap().value, expected + 101);
    assert_eq!(sums.message().await.unwrap(), None);

    let mut sums = client.running_sum(numbers(999_999..=2_000_000)).await.unwrap().into_inner();
    assert_eq!(sums.message().await.unwrap().unwrap().value, 999_999);
    assert_eq!(sums.message().await.unwrap_err().code(), Code::ResourceExhausted);
    drop((client, sums));
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_holds_a_fast_stream_back_and_gets_all_of_it() {
    let server = start().await;
    let mut client = server.client().await;
    // More than any window holds: 40 MB in pieces of 100 kB.
    let asked = Number { value: 400, pause_ms: 0, ballast: vec![1; 100_000] };
    let mut answers = client.count_to(asked).await.unwrap().into_inner();
    let mut expected = 0;
    while let Some(number) = answers.message().await.unwrap() {
        expected += 1;
        assert_eq!((number.value, number.ballast.len()), (expected, 100_000));
        if expected % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(expected, 400);
    drop((client, answers));
    server.stopped().await;
}

#[tokio::test]
async fn a_deadline_ends_the_call_on_both_sides() {
    let server = start().await;
    let mut client = server.client().await;
    let mut request = Request::new(Number { value: 1, pause_ms: 86_400_000, ballast: Vec::new() });
    request.set_timeout(Duration::from_millis(30));
    let error = client.double(request).await.unwrap_err();
    assert!(matches!(error.code(), Code::Cancelled | Code::DeadlineExceeded), "{error}");
    server.idle().await;
    drop(client);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_drops_a_call_cancels_it() {
    let server = start().await;
    let mut client = server.client().await;
    let forever = Number { value: i64::MAX, pause_ms: 1, ballast: Vec::new() };
    let mut answers = client.count_to(forever.clone()).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().value, 1);
    assert_eq!(server.service.busy(), 1);
    drop(answers);
    server.idle().await;

    let mut other = client.clone();
    let call = tokio::spawn(async move {
        other.double(Number { value: 1, pause_ms: 86_400_000, ballast: Vec::new() }).await
    });
    while server.service.busy() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    server.idle().await;
    drop(client);
    server.stopped().await;
}

#[tokio::test]
async fn the_server_finishes_what_has_begun() {
    let server = start().await;
    let mut client = server.client().await;
    let asked = Number { value: 50, pause_ms: 2, ballast: Vec::new() };
    let mut answers = client.count_to(asked).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().value, 1);
    server.stop.send(()).unwrap();
    let mut last = 1;
    while let Some(number) = answers.message().await.unwrap() {
        last = number.value;
    }
    assert_eq!(last, 50);
    drop((client, answers));
    tokio::time::timeout(PATIENCE, server.task).await.expect("it ends").unwrap().unwrap();
    // Nobody is left to talk to.
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    assert!(endpoint.connect().await.is_err());
}

#[tokio::test]
async fn an_interceptor_sees_every_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let guarded = NumbersServer::with_interceptor(Arithmetic::default(), |request: Request<()>| {
        match request.metadata().get("pass") {
            Some(pass) if pass == "sesame" => Ok(request),
            _ => Err(Status::unauthenticated("no pass")),
        }
    });
    let server = Server::builder().add_service(guarded);
    let server = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let error = NumbersClient::new(channel.clone()).double(Number::from(4)).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    let mut client = NumbersClient::with_interceptor(channel, |mut request: Request<()>| {
        request.metadata_mut().insert("pass", "sesame".parse().unwrap());
        Ok(request)
    });
    assert_eq!(client.double(Number::from(4)).await.unwrap().into_inner().value, 8);
    server.abort();
}
