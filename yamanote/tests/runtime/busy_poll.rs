//! Workers that look for events before they wait: whatever they are to notice, they notice.

use std::time::Duration;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};
use yamanote::sync::{mpsc, oneshot};
use yamanote::time::sleep;

/// So long that a look which misses something never ends.
const FOR_EVER: Duration = Duration::from_secs(100_000);

fn runtimes(at_most: Duration) -> [Runtime; 3] {
    let multi = |workers| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers);
        builder
    };
    [Builder::new_current_thread(), multi(1), multi(2)]
        .map(|mut builder| builder.enable_all().busy_poll(at_most).build().unwrap())
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// Answers from a thread outside, so that every wait ends with an event from elsewhere.
async fn exchange(messages: usize) {
    let (mut ours, theirs) = pair().await;
    let mut theirs = theirs.into_std().unwrap();
    theirs.set_nonblocking(false).unwrap();
    let echo = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut byte = [0];
        while theirs.read_exact(&mut byte).is_ok() {
            theirs.write_all(&byte).unwrap();
        }
    });
    let mut byte = [0];
    for i in 0..messages {
        ours.write_all(&[i as u8]).await.unwrap();
        ours.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte[0], i as u8);
    }
    drop(ours);
    echo.join().unwrap();
}

#[test]
fn events_are_found() {
    for at_most in [Duration::ZERO, Duration::from_micros(20), FOR_EVER] {
        for runtime in runtimes(at_most) {
            runtime.block_on(async { yamanote::spawn(exchange(500)).await.unwrap() });
        }
    }
}

#[test]
fn timers_fire_meanwhile() {
    for runtime in runtimes(FOR_EVER) {
        runtime.block_on(async {
            yamanote::spawn(async {
                exchange(200).await;
                // A socket that nothing comes on, so that there is something to look for.
                let _idle = pair().await;
                for _ in 0..3 {
                    sleep(Duration::from_millis(2)).await;
                }
            })
            .await
            .unwrap();
        });
    }
}

#[test]
fn other_threads_are_heard_meanwhile() {
    for runtime in runtimes(FOR_EVER) {
        let (ask, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        let task = runtime.spawn(async move {
            exchange(200).await;
            let _idle = pair().await;
            while let Some(answer) = asked.recv().await {
                answer.send(()).unwrap();
            }
        });
        let outside = std::thread::spawn(move || {
            for _ in 0..200 {
                let (answer, answered) = oneshot::channel();
                ask.send(answer).unwrap();
                answered.blocking_recv().unwrap();
            }
        });
        runtime.block_on(task).unwrap();
        outside.join().unwrap();
    }
}
