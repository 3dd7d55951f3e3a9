//! One of each channel, each for what it is good at: `cargo run --example channels`.

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use yamanote::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use yamanote::task::JoinSet;

const HELP: &str = "\
usage: channels

Shows a task that owns a map and is asked through mpsc and oneshot, a broadcast to several listeners, a watched
setting, and a semaphore that lets only so many work at a time.";

enum Request {
    Add { word: String, answer: oneshot::Sender<u64> },
    Total { answer: oneshot::Sender<u64> },
}

/// Owns the map: no lock, because nobody else touches it. Ends when the last sender is gone.
async fn own(mut requests: mpsc::Receiver<Request>) {
    let mut counts: HashMap<String, u64> = HashMap::new();
    while let Some(request) = requests.recv().await {
        // Whoever asked may have stopped waiting for the answer, and that is no error of ours.
        match request {
            Request::Add { word, answer } => {
                let count = counts.entry(word).or_default();
                *count += 1;
                let _ = answer.send(*count);
            }
            Request::Total { answer } => {
                let _ = answer.send(counts.values().sum());
            }
        }
    }
}

async fn ask(to: &mpsc::Sender<Request>, request: impl FnOnce(oneshot::Sender<u64>) -> Request) -> u64 {
    let (answer, answered) = oneshot::channel();
    let sent = to.send(request(answer)).await;
    assert!(sent.is_ok(), "the owner lives as long as its senders");
    answered.await.expect("every request is answered")
}

/// mpsc and oneshot: requests and their answers.
async fn requests() {
    let (send, receive) = mpsc::channel(16);
    let owner = yamanote::spawn(own(receive));
    let mut askers = JoinSet::new();
    for _ in 0..10 {
        let send = send.clone();
        askers.spawn(async move {
            for word in ["one", "two", "two"] {
                ask(&send, |answer| Request::Add { word: word.to_owned(), answer }).await;
            }
        });
    }
    askers.join_all().await;
    println!("mpsc and oneshot: {} words", ask(&send, |answer| Request::Total { answer }).await);
    drop(send);
    owner.await.expect("it ends with its last sender");
}

/// broadcast: everybody hears everything.
async fn news() {
    let (send, _) = broadcast::channel(16);
    let mut listeners = JoinSet::new();
    for _ in 0..3 {
        let mut receive = send.subscribe();
        listeners.spawn(async move {
            let mut heard = Vec::new();
            while let Ok(item) = receive.recv().await {
                heard.push(item);
            }
            heard
        });
    }
    for item in ["rain", "wind", "sun"] {
        send.send(item).expect("somebody listens");
    }
    drop(send);
    for heard in listeners.join_all().await {
        println!("broadcast: {}", heard.join(", "));
    }
}

/// watch: only the latest value matters, and everybody sees it.
async fn settings() {
    let (send, mut receive) = watch::channel(1);
    let watcher = yamanote::spawn(async move {
        let value = *receive.wait_for(|level| *level >= 3).await.expect("the sender is there");
        println!("watch: level {value}");
    });
    for level in 2..=3 {
        send.send_replace(level);
    }
    watcher.await.expect("level 3 was reached");
}

/// A semaphore: of many tasks, only three are at work at a time.
async fn few_at_a_time() {
    let places = Arc::new(Semaphore::new(3));
    let (report, mut reports) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..20 {
        let (places, report) = (places.clone(), report.clone());
        workers.spawn(async move {
            let _place = places.acquire().await.expect("it is never closed");
            let _ = report.send(3 - places.available_permits());
            yamanote::task::yield_now().await;
        });
    }
    drop(report);
    let mut most = 0;
    while let Some(busy) = reports.recv().await {
        most = most.max(busy);
    }
    workers.join_all().await;
    println!("semaphore: at most three at a time, {}", most <= 3);
}

#[yamanote::main]
async fn main() {
    support::words(HELP, 0, 0);
    requests().await;
    news().await;
    settings().await;
    few_at_a_time().await;
}
