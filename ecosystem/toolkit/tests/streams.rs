//! tokio-stream: adapters, timeouts, maps of streams and the wrappers of channels, timers and sockets.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::wrappers::{
    BroadcastStream, IntervalStream, LinesStream, ReceiverStream, TcpListenerStream, WatchStream,
};
use tokio_stream::{StreamExt, StreamMap};

#[tokio::test(start_paused = true)]
async fn timeouts_throttles_and_chunks_by_time() {
    let (send, receive) = mpsc::channel(8);
    tokio::spawn(async move {
        for i in 0..6u64 {
            tokio::time::sleep(Duration::from_millis(i * 10)).await;
            send.send(i).await.unwrap();
        }
    });
    // Items at 0, 10, 30, 60, 100 and 150 ms; what takes more than 35 ms is late once.
    let items = ReceiverStream::new(receive).timeout(Duration::from_millis(35));
    let items: Vec<_> = items.map(|item| item.ok()).collect().await;
    assert_eq!(items, [Some(0), Some(1), Some(2), Some(3), None, Some(4), None, Some(5)]);

    let started = Instant::now();
    let slow = tokio_stream::iter(0..5).throttle(Duration::from_millis(20));
    assert_eq!(slow.collect::<Vec<_>>().await, [0, 1, 2, 3, 4]);
    assert!(started.elapsed() >= Duration::from_millis(80), "{:?}", started.elapsed());

    let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(10)));
    let pieces = ticks.take(10).chunks_timeout(100, Duration::from_millis(45));
    let sizes: Vec<_> = pieces.map(|piece| piece.len()).collect().await;
    assert_eq!(sizes.iter().sum::<usize>(), 10);
    assert_eq!(sizes.len(), 2, "{sizes:?}");
}

#[tokio::test]
async fn a_map_of_streams_takes_from_all() {
    let mut map = StreamMap::new();
    let mut senders = Vec::new();
    for key in 0..5 {
        let (send, receive) = mpsc::channel(4);
        map.insert(key, ReceiverStream::new(receive));
        senders.push(send);
    }
    for (key, send) in senders.into_iter().enumerate() {
        tokio::spawn(async move {
            for i in 0..20 {
                send.send(key * 100 + i).await.unwrap();
            }
        });
    }
    let mut next = [0; 5];
    while let Some((key, value)) = map.next().await {
        assert_eq!(value, key * 100 + next[key]);
        next[key] += 1;
    }
    assert_eq!(next, [20; 5]);
}

#[tokio::test]
async fn channels_as_streams() {
    let (send, receive) = broadcast::channel(4);
    let mut stream = BroadcastStream::new(receive);
    for i in 0..6 {
        send.send(i).unwrap();
    }
    assert_eq!(stream.next().await, Some(Err(BroadcastStreamRecvError::Lagged(2))));
    drop(send);
    assert_eq!(stream.collect::<Vec<_>>().await, [Ok(2), Ok(3), Ok(4), Ok(5)]);

    let (send, receive) = watch::channel(0);
    let mut stream = WatchStream::new(receive);
    assert_eq!(stream.next().await, Some(0));
    send.send(1).unwrap();
    send.send(2).unwrap();
    assert_eq!(stream.next().await, Some(2));
    drop(send);
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_listener_as_a_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..10)
        .map(|i| {
            tokio::spawn(async move {
                let mut socket = TcpStream::connect(address).await.unwrap();
                socket.write_all(format!("{i}\nend\n").as_bytes()).await.unwrap();
            })
        })
        .collect();
    let mut sockets = TcpListenerStream::new(listener).take(10);
    let mut seen = Vec::new();
    while let Some(socket) = sockets.next().await {
        let lines = LinesStream::new(BufReader::new(socket.unwrap()).lines());
        let lines: Vec<String> = lines.collect::<Result<_, _>>().await.unwrap();
        assert_eq!(lines[1], "end");
        seen.push(lines[0].parse::<usize>().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn merged_streams_are_fair() {
    let left = tokio_stream::iter((0..1_000).map(|i| ('l', i)));
    let right = tokio_stream::iter((0..1_000).map(|i| ('r', i)));
    let merged: Vec<_> = left.merge(right).collect().await;
    assert_eq!(merged.len(), 2_000);
    // Neither is starved: each has a fair share of the first half.
    let lefts = merged[..1_000].iter().filter(|(side, _)| *side == 'l').count();
    assert!((400..=600).contains(&lefts), "{lefts}");
}
