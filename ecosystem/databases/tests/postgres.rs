//! tokio-postgres against a real PostgreSQL: queries, pipelines, transactions that wait for each other, copies in
//! and out, notifications and a query that is cancelled.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, TryStreamExt, future, pin_mut, stream};
use tokio::sync::mpsc;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn config() -> Config {
    let text = std::env::var("POSTGRES").expect("POSTGRES names a server: run `cargo xtask ecosystem`");
    text.parse().unwrap()
}

async fn connect() -> Client {
    let (client, connection) = config().connect(NoTls).await.unwrap();
    // The connection is a task of its own and ends with its client.
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn rows_and_types() {
    let postgres = connect().await;
    let row = postgres
        .query_one(
            "SELECT $1::INT4 + 1, upper($2), $3::BYTEA, NULL::INT8",
            &[&41, &"yamanote", &&b"\0\xff"[..]],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>(1)), (42, "YAMANOTE"));
    assert_eq!((row.get::<_, &[u8]>(2), row.get::<_, Option<i64>>(3)), (&b"\0\xff"[..], None));
    let error = postgres.query("SELECT 1 / 0", &[]).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::DIVISION_BY_ZERO));
    let rows =
        postgres.query_raw("SELECT generate_series(1, 10000)", stream_of_nothing()).await.unwrap();
    let sum = rows.try_fold(0i64, |sum, row| future::ok(sum + i64::from(row.get::<_, i32>(0))));
    assert_eq!(sum.await.unwrap(), 10_000 * 10_001 / 2);
}

fn stream_of_nothing() -> impl ExactSizeIterator<Item = i32> {
    std::iter::empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_queries_on_one_connection_and_many_connections() {
    let postgres = std::sync::Arc::new(connect().await);
    let statement = postgres.prepare("SELECT $1::INT8 * 2").await.unwrap();
    let asked = (0..500i64).map(|i| {
        let (postgres, statement) = (postgres.clone(), statement.clone());
        async move { postgres.query_one(&statement, &[&i]).await.unwrap().get::<_, i64>(0) }
    });
    let answers = future::join_all(asked).await;
    assert_eq!(answers, (0..500).map(|i| i * 2).collect::<Vec<_>>());

    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..10i32 {
        tasks.spawn(async move {
            let postgres = connect().await;
            for j in 0..20i32 {
                let row = postgres.query_one("SELECT $1::INT4 - $2::INT4", &[&i, &j]).await.unwrap();
                assert_eq!(row.get::<_, i32>(0), i - j);
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_wait_for_each_other() {
    let postgres = connect().await;
    postgres
        .batch_execute("DROP TABLE IF EXISTS account; CREATE TABLE account (balance INT8 NOT NULL)")
        .await
        .unwrap();
    postgres.execute("INSERT INTO account VALUES (0)", &[]).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(async move {
            let mut postgres = connect().await;
            for _ in 0..10 {
                let transaction = postgres.transaction().await.unwrap();
                let row = transaction.query_one("SELECT balance FROM account FOR UPDATE", &[]).await;
                let balance: i64 = row.unwrap().get(0);
                tokio::task::yield_now().await;
                let set = "UPDATE account SET balance = $1";
                transaction.execute(set, &[&(balance + 1)]).await.unwrap();
                transaction.commit().await.unwrap();
                // What is dropped is rolled back.
                let transaction = postgres.transaction().await.unwrap();
                transaction.execute("UPDATE account SET balance = -1", &[]).await.unwrap();
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    let row = postgres.query_one("SELECT balance FROM account", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 80);
}

#[tokio::test]
async fn copies_in_and_out() {
    let postgres = connect().await;
    postgres.batch_execute("CREATE TEMPORARY TABLE copied (number INT4, word TEXT)").await.unwrap();
    let sink = postgres.copy_in("COPY copied FROM STDIN").await.unwrap();
    pin_mut!(sink);
    let expected: Vec<String> = (0..20_000).map(|i| format!("{i}\tword {i}\n")).collect();
    for piece in expected.chunks(700) {
        sink.send(bytes::Bytes::from(piece.concat())).await.unwrap();
    }
    assert_eq!(sink.finish().await.unwrap(), 20_000);
    let out = postgres.copy_out("COPY (SELECT * FROM copied ORDER BY number) TO STDOUT").await.unwrap();
    let text: Vec<u8> = out
        .try_fold(Vec::new(), |mut text, piece| {
            text.extend_from_slice(&piece);
            future::ok(text)
        })
        .await
        .unwrap();
    assert!(text == expected.concat().as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_arrive_in_order() {
    let (listener, mut connection) = config().connect(NoTls).await.unwrap();
    let (send, mut receive) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                send.send(notification.payload().to_owned()).unwrap();
            }
        }
    });
    listener.batch_execute("LISTEN news").await.unwrap();
    let speaker = connect().await;
    for i in 0..100 {
        speaker.execute("SELECT pg_notify('news', $1)", &[&i.to_string()]).await.unwrap();
    }
    for i in 0..100 {
        let text = tokio::time::timeout(PATIENCE, receive.recv()).await.unwrap().unwrap();
        assert_eq!(text, i.to_string());
    }
    drop(listener);
    assert_eq!(receive.recv().await, None);
}

#[tokio::test]
async fn a_query_is_cancelled_from_outside() {
    let postgres = connect().await;
    let token = postgres.cancel_token();
    let query = tokio::spawn(async move {
        let error = postgres.batch_execute("SELECT pg_sleep(86400)").await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
        // The connection is as good as before.
        postgres.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0)
    });
    // A cancellation that comes before the query has begun is lost.
    let observer = connect().await;
    let running = "SELECT 1 FROM pg_stat_activity \
                   WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(86400)%'";
    while observer.query(running, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    token.cancel_query(NoTls).await.unwrap();
    assert_eq!(query.await.unwrap(), 1);
}
