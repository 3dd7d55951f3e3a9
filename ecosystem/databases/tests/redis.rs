//! The redis client against a real redis-server: commands, pipelines, transactions, many tasks on one connection,
//! publish and subscribe, blocking reads, and a connection that comes back.

use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{AsyncCommands, Client, pipe};

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn client() -> Client {
    let url = std::env::var("REDIS_URL").expect("REDIS_URL names a server: run `cargo xtask ecosystem`");
    Client::open(url).unwrap()
}

async fn connection() -> MultiplexedConnection {
    client().get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn values_come_back() {
    let mut redis = connection().await;
    let value: Vec<u8> = (0..1usize << 20).map(|i| (i % 251) as u8).collect();
    let _: () = redis.set("values:large", &value).await.unwrap();
    assert!(redis.get::<_, Vec<u8>>("values:large").await.unwrap() == value);
    assert_eq!(redis.get::<_, Option<String>>("values:none").await.unwrap(), None);
    let _: () = redis.hset_multiple("values:hash", &[("a", 1), ("b", 2)]).await.unwrap();
    let hash: std::collections::BTreeMap<String, i32> = redis.hgetall("values:hash").await.unwrap();
    assert_eq!(hash.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let error = redis.incr::<_, _, i64>("values:hash", 1).await.unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_a_connection() {
    let redis = connection().await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..50 {
        let mut redis = redis.clone();
        tasks.spawn(async move {
            let mut last = 0;
            for i in 0..40 {
                let key = format!("shared:{task}:{i}");
                let _: () = redis.set(&key, i).await.unwrap();
                assert_eq!(redis.get::<_, i32>(&key).await.unwrap(), i);
                let count: i64 = redis.incr("shared:count", 1).await.unwrap();
                assert!(count > last);
                last = count;
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    assert_eq!(redis.clone().get_del::<_, i64>("shared:count").await.unwrap(), 2_000);
}

#[tokio::test]
async fn pipelines_and_transactions() {
    let mut redis = connection().await;
    let mut pipeline = pipe();
    for i in 0..1_000 {
        pipeline.rpush("pipe:list", i).ignore();
    }
    pipeline.lrange("pipe:list", 0, -1);
    let (list,): (Vec<i32>,) = pipeline.query_async(&mut redis).await.unwrap();
    assert_eq!(list, (0..1_000).collect::<Vec<_>>());
    let (first, second): (i64, i64) = pipe()
        .atomic()
        .incr("pipe:number", 5)
        .incr("pipe:number", 6)
        .del("pipe:number")
        .ignore()
        .del("pipe:list")
        .ignore()
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!((first, second), (5, 11));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_reaches_all_who_listen() {
    let mut listeners = Vec::new();
    for _ in 0..5 {
        let mut listener = client().get_async_pubsub().await.unwrap();
        listener.subscribe("news").await.unwrap();
        listener.psubscribe("weather:*").await.unwrap();
        listeners.push(listener);
    }
    let mut redis = connection().await;
    for i in 0..100 {
        let channel = if i % 2 == 0 { "news" } else { "weather:tokyo" };
        assert_eq!(redis.publish::<_, _, i32>(channel, i).await.unwrap(), 5);
    }
    for mut listener in listeners {
        let mut messages = listener.on_message();
        for i in 0..100 {
            let message = tokio::time::timeout(PATIENCE, messages.next()).await.unwrap().unwrap();
            assert_eq!(message.get_payload::<i32>().unwrap(), i);
        }
    }
}

#[tokio::test]
async fn a_blocking_read_waits_for_somebody_to_push() {
    let mut waiting = connection().await;
    let reader = tokio::spawn(async move {
        waiting.blpop::<_, (String, String)>("queue", PATIENCE.as_secs_f64()).await.unwrap()
    });
    let mut redis = connection().await;
    // Until the server says that one client is blocked, nothing is pushed.
    loop {
        let info: String = redis::cmd("INFO").arg("clients").query_async(&mut redis).await.unwrap();
        if !info.contains("blocked_clients:0") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let _: () = redis.rpush("queue", "work").await.unwrap();
    assert_eq!(reader.await.unwrap(), ("queue".to_owned(), "work".to_owned()));
}

#[tokio::test]
async fn an_answer_that_does_not_come_times_out() {
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(Duration::from_millis(50));
    let mut redis = client().get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let error = redis.blpop::<_, Option<(String, String)>>("nothing", 0.0).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn a_managed_connection_comes_back() {
    let mut managed = ConnectionManager::new(client()).await.unwrap();
    let id: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut managed).await.unwrap();
    let mut other = connection().await;
    let killed: i64 =
        redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async(&mut other).await.unwrap();
    assert_eq!(killed, 1);
    let started = std::time::Instant::now();
    loop {
        let again: Result<i64, _> = redis::cmd("CLIENT").arg("ID").query_async(&mut managed).await;
        match again {
            Ok(again) => break assert_ne!(again, id),
            Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
        }
    }
}
