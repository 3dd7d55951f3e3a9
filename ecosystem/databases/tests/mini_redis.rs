//! mini-redis, the program that teaches tokio, as its own server and client, and asked by the redis client.

use std::time::Duration;

use mini_redis::{client, server};
use redis::AsyncCommands;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Server {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<mini_redis::Result<()>>,
}

impl Server {
    async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server::run(listener, async {
            let _ = stopped.await;
        }));
        Server { address, stop, task }
    }

    /// It ends only when the last connection has: nobody may be left waiting.
    async fn stopped(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(60), self.task).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_set_and_get() {
    let server = Server::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..50 {
        let address = server.address;
        tasks.spawn(async move {
            let mut client = client::connect(address).await.unwrap();
            let key = format!("key {i}");
            assert_eq!(client.get(&key).await.unwrap(), None);
            for round in 0..10 {
                let value = format!("{i} in round {round}");
                client.set(&key, value.clone().into()).await.unwrap();
                assert_eq!(client.get(&key).await.unwrap().unwrap(), value);
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    server.stopped().await;
}

#[tokio::test]
async fn values_expire() {
    let server = Server::start().await;
    let mut client = client::connect(server.address).await.unwrap();
    client.set_expires("short", "lived".into(), Duration::from_millis(20)).await.unwrap();
    client.set_expires("long", "lived".into(), Duration::from_secs(3_600)).await.unwrap();
    while client.get("short").await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(client.get("long").await.unwrap().unwrap(), "lived");
    drop(client);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_hear_what_is_published() {
    let server = Server::start().await;
    let mut subscribers = Vec::new();
    for _ in 0..5 {
        let client = client::connect(server.address).await.unwrap();
        subscribers.push(client.subscribe(vec!["a".to_owned(), "b".to_owned()]).await.unwrap());
    }
    let mut publisher = client::connect(server.address).await.unwrap();
    for i in 0..50 {
        let channel = if i % 2 == 0 { "a" } else { "b" };
        assert_eq!(publisher.publish(channel, i.to_string().into()).await.unwrap(), 5);
    }
    for subscriber in &mut subscribers {
        for i in 0..50 {
            let message = subscriber.next_message().await.unwrap().unwrap();
            assert_eq!(message.content, i.to_string());
        }
    }
    drop(publisher);
    // The end reaches those who still listen, too.
    server.stopped().await;
    for subscriber in &mut subscribers {
        assert!(!matches!(subscriber.next_message().await, Ok(Some(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_client_understands_it() {
    let server = Server::start().await;
    let redis = redis::Client::open(format!("redis://{}", server.address)).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let _: () = redis.set("one", 1).await.unwrap();
    assert_eq!(redis.get::<_, i32>("one").await.unwrap(), 1);
    let pairs = (0..100).map(|i| {
        let mut redis = redis.clone();
        async move {
            let _: () = redis.set(i, i * i).await.unwrap();
            redis.get::<_, i32>(i).await.unwrap()
        }
    });
    let squares = futures_util::future::join_all(pairs).await;
    assert_eq!(squares, (0..100).map(|i| i * i).collect::<Vec<_>>());
    drop(redis);
    server.stopped().await;
}
