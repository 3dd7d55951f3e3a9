//! Something to look at: what [`run`] starts is what a console should show.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Barrier, Mutex, RwLock, Semaphore, mpsc, oneshot};
use tokio::task;
use tokio::time::{interval, sleep};

/// Spawns tasks of every kind, which go on until the runtime ends.
pub fn run() {
    let builder = || task::Builder::new();
    let lock = Arc::new(Mutex::new(0_u64));
    for name in ["miner-1", "miner-2"] {
        let lock = Arc::clone(&lock);
        let miner = async move {
            loop {
                let mut gold = lock.lock().await;
                sleep(Duration::from_millis(20)).await;
                *gold += 1;
            }
        };
        builder().name(name).spawn(miner).unwrap();
    }

    let (orders, mut inbox) = mpsc::channel::<oneshot::Sender<u64>>(4);
    let kitchen = async move {
        let stove = Semaphore::new(1);
        while let Some(answer) = inbox.recv().await {
            let _turn = stove.acquire().await;
            let dish = task::spawn_blocking(|| {
                std::thread::sleep(Duration::from_millis(2));
                42
            });
            let _ = answer.send(dish.await.unwrap());
        }
    };
    builder().name("kitchen").spawn(kitchen).unwrap();
    let guest = async move {
        let mut hunger = interval(Duration::from_millis(50));
        loop {
            hunger.tick().await;
            let (tx, rx) = oneshot::channel();
            if orders.send(tx).await.is_err() {
                return;
            }
            let _ = rx.await;
        }
    };
    builder().name("guest").spawn(guest).unwrap();

    let (board, meeting) = (Arc::new(RwLock::new(0)), Arc::new(Barrier::new(2)));
    for name in ["writer", "reader"] {
        let (board, meeting) = (Arc::clone(&board), Arc::clone(&meeting));
        let clerk = async move {
            loop {
                match name {
                    "writer" => *board.write().await += 1,
                    _ => drop(board.read().await),
                }
                meeting.wait().await;
                sleep(Duration::from_millis(30)).await;
            }
        };
        builder().name(name).spawn(clerk).unwrap();
    }

    // Never finishes, never waits for anything but itself: what a console warns of.
    let restless = async {
        loop {
            let mut turns = 0;
            std::future::poll_fn(|cx| {
                turns += 1;
                cx.waker().wake_by_ref();
                if turns > 50 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    builder().name("restless").spawn(restless).unwrap();
}
