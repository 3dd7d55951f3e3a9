//! Waiting futures are dropped at any point: no permit, message or waker is lost, and nobody waits for ever.
//!
//! Each poll gets a waker of its own, which is counted until it is dropped.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::runtime::Builder;
use yamanote::sync::{Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use yamanote::task::{JoinSet, yield_now};

const TASKS: usize = 8;
const ROUNDS: usize = 300;

/// A task's waker, counted.
struct Counted {
    inner: Waker,
    alive: Arc<AtomicUsize>,
}

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.inner.wake_by_ref();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
    }
}

/// What a task decides by: an xorshift generator.
struct Dice {
    state: AtomicU64,
    wakers: Arc<AtomicUsize>,
}

impl Dice {
    fn below(&self, n: u64) -> u64 {
        let mut state = self.state.load(SeqCst);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.state.store(state, SeqCst);
        (state >> 11) % n
    }

    async fn pause(&self) {
        for _ in 0..self.below(4) {
            yield_now().await;
        }
    }

    /// Polls `future` a few times, in between to be woken or not, and drops it if it is not done by then.
    async fn perhaps<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        for left in (0..=self.below(4)).rev() {
            let poll = std::future::poll_fn(|cx| {
                self.wakers.fetch_add(1, SeqCst);
                let counted = Counted { inner: cx.waker().clone(), alive: Arc::clone(&self.wakers) };
                let waker = Waker::from(Arc::new(counted));
                Poll::Ready(future.as_mut().poll(&mut Context::from_waker(&waker)))
            });
            if let Poll::Ready(output) = poll.await {
                return Some(output);
            }
            if left > 0 {
                yield_now().await;
            }
        }
        None
    }
}

/// Runs `TASKS` times what `task` makes, on both flavours, and `check`s what it leaves.
fn storm<S, F>(start: impl Fn() -> S, task: impl Fn(Arc<S>, Dice, usize) -> F, check: impl Fn(S))
where
    S: Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    for (seed, workers) in [(1_u64, 0), (2, 2), (3, 4)] {
        let mut builder = match workers {
            0 => Builder::new_current_thread(),
            #[cfg(feature = "rt-multi-thread")]
            _ => Builder::new_multi_thread(),
            #[cfg(not(feature = "rt-multi-thread"))]
            _ => continue,
        };
        let runtime = builder.worker_threads(workers.max(1)).enable_all().build().unwrap();
        let wakers = Arc::new(AtomicUsize::new(0));
        let state = Arc::new(runtime.block_on(async { start() }));
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for i in 0..TASKS {
                let state_of_dice =
                    AtomicU64::new((seed * 100 + i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let dice = Dice { state: state_of_dice, wakers: Arc::clone(&wakers) };
                tasks.spawn(task(Arc::clone(&state), dice, i));
            }
            while let Some(task) = tasks.join_next().await {
                task.unwrap();
            }
        });
        drop(runtime);
        check(Arc::into_inner(state).unwrap());
        assert_eq!(wakers.load(SeqCst), 0, "wakers are left");
    }
}

#[test]
fn semaphore() {
    storm(
        || Semaphore::new(5),
        |semaphore, dice, _| async move {
            for _ in 0..ROUNDS {
                let n = dice.below(4) as u32;
                if let Some(permits) = dice.perhaps(semaphore.acquire_many(n)).await {
                    let permits = permits.unwrap();
                    dice.pause().await;
                    assert_eq!(permits.num_permits(), n as usize);
                }
            }
            // And it still can be had.
            drop(semaphore.acquire_many(5).await.unwrap());
        },
        |semaphore| assert_eq!(semaphore.available_permits(), 5),
    );
}

#[test]
fn mutex() {
    storm(
        || (Mutex::new(0), AtomicUsize::new(0)),
        |state, dice, _| async move {
            let (mutex, locked) = &*state;
            for _ in 0..ROUNDS {
                if let Some(mut value) = dice.perhaps(mutex.lock()).await {
                    let before = *value;
                    dice.pause().await;
                    *value = before + 1;
                    locked.fetch_add(1, SeqCst);
                }
            }
            drop(mutex.lock().await);
        },
        |(mutex, locked)| assert_eq!(mutex.into_inner(), locked.into_inner()),
    );
}

#[test]
fn rwlock() {
    storm(
        || (RwLock::new(0), AtomicUsize::new(0)),
        |state, dice, _| async move {
            let (lock, written) = &*state;
            for _ in 0..ROUNDS {
                if dice.below(3) == 0 {
                    if let Some(mut value) = dice.perhaps(lock.write()).await {
                        let before = *value;
                        dice.pause().await;
                        *value = before + 1;
                        written.fetch_add(1, SeqCst);
                    }
                } else if let Some(value) = dice.perhaps(lock.read()).await {
                    let before = *value;
                    dice.pause().await;
                    assert_eq!(*value, before);
                }
            }
            drop(lock.write().await);
        },
        |(lock, written)| {
            assert!(lock.try_write().is_ok());
            assert_eq!(lock.into_inner(), written.into_inner());
        },
    );
}

#[test]
fn mpsc_messages_and_permits() {
    type Sent = (usize, usize);
    struct State {
        sender: mpsc::Sender<Sent>,
        receiver: Mutex<mpsc::Receiver<Sent>>,
        sent: StdMutex<[VecDeque<usize>; TASKS]>,
    }

    impl State {
        /// Of each sender, in its order; the first that is awaited came.
        fn note(&self, (from, number): Sent) {
            assert_eq!(self.sent.lock().unwrap()[from].pop_front(), Some(number));
        }
    }

    storm(
        || {
            let (sender, receiver) = mpsc::channel(3);
            State { sender, receiver: Mutex::new(receiver), sent: StdMutex::default() }
        },
        |state, dice, i| async move {
            for number in 0..ROUNDS {
                match dice.below(3) {
                    // What is not sent is not noted. The permit first: a message may come before we know.
                    0 | 1 => {
                        if let Some(permit) = dice.perhaps(state.sender.reserve()).await {
                            let permit = permit.unwrap();
                            dice.pause().await;
                            if dice.below(4) != 0 {
                                state.sent.lock().unwrap()[i].push_back(number);
                                permit.send((i, number));
                            }
                        }
                    }
                    _ => {
                        if let Some(mut receiver) = dice.perhaps(state.receiver.lock()).await {
                            if let Some(message) = dice.perhaps(receiver.recv()).await {
                                state.note(message.unwrap());
                            }
                        }
                    }
                }
                if let Ok(mut receiver) = state.receiver.try_lock() {
                    // The channel is small: room for the next.
                    while let Ok(message) = receiver.try_recv() {
                        state.note(message);
                    }
                }
            }
        },
        |state| {
            while let Ok(message) = state.receiver.try_lock().unwrap().try_recv() {
                state.note(message);
            }
            assert!(state.sent.lock().unwrap().iter().all(VecDeque::is_empty));
            assert_eq!(state.sender.capacity(), 3);
        },
    );
}

/// Tourists wait and leave; one that was notified passes that on, as is its duty. The workers never leave, and get
/// every job.
#[test]
fn notify() {
    struct State {
        notify: Notify,
        jobs: AtomicUsize,
        done: AtomicUsize,
        over: AtomicUsize,
    }

    storm(
        || State {
            notify: Notify::new(),
            jobs: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            over: AtomicUsize::new(0),
        },
        |state, dice, i| async move {
            if i == 0 {
                // One job at a time, so that no notification makes up for another's loss.
                for n in 1..=ROUNDS {
                    state.jobs.fetch_add(1, SeqCst);
                    state.notify.notify_one();
                    while state.done.load(SeqCst) != n {
                        yield_now().await;
                    }
                }
                state.over.store(1, SeqCst);
                state.notify.notify_one();
            } else if i == 1 {
                while state.over.load(SeqCst) == 0 {
                    if state.jobs.load(SeqCst) == state.done.load(SeqCst) {
                        state.notify.notified().await;
                    } else {
                        state.done.fetch_add(1, SeqCst);
                    }
                }
            } else {
                while state.over.load(SeqCst) == 0 {
                    if dice.perhaps(state.notify.notified()).await.is_some() {
                        state.notify.notify_one();
                    }
                    dice.pause().await;
                }
            }
        },
        drop,
    );
}

#[test]
fn broadcast_reaches_all() {
    static KEPT: std::sync::Mutex<Vec<broadcast::Receiver<usize>>> = std::sync::Mutex::new(Vec::new());
    storm(
        || broadcast::channel::<usize>(TASKS * ROUNDS).0,
        |sender, dice, i| async move {
            let mut receiver = sender.subscribe();
            // All have subscribed before the first of them sends.
            while sender.receiver_count() < TASKS {
                yield_now().await;
            }
            let mut next = [0; TASKS];
            let mut sent = 0;
            while next.iter().sum::<usize>() < TASKS * ROUNDS {
                if sent < ROUNDS {
                    sender.send(i * ROUNDS + sent).unwrap();
                    sent += 1;
                }
                while let Some(value) = dice.perhaps(receiver.recv()).await {
                    let value = value.unwrap();
                    let (from, number) = (value / ROUNDS, value % ROUNDS);
                    assert_eq!(number, next[from]);
                    next[from] += 1;
                    if next.iter().sum::<usize>() == TASKS * ROUNDS {
                        break;
                    }
                }
                yield_now().await;
            }
            // Nobody leaves before all have come: `receiver_count` must not fall while one still waits for it.
            KEPT.lock().unwrap().push(receiver);
        },
        |sender| {
            assert_eq!(sender.receiver_count(), TASKS);
            KEPT.lock().unwrap().clear();
            assert_eq!(sender.receiver_count(), 0);
        },
    );
}

#[test]
fn watch_shows_the_last_value() {
    storm(
        || watch::Sender::new(0),
        |sender, dice, i| async move {
            if i == 0 {
                for n in 1..=ROUNDS {
                    sender.send_replace(n);
                    dice.pause().await;
                }
                return;
            }
            let mut receiver = sender.subscribe();
            let mut last = *receiver.borrow_and_update();
            while last < ROUNDS {
                // The odd ones are patient: each is woken by the last change at the latest.
                if i % 2 == 1 {
                    receiver.changed().await.unwrap();
                } else if dice.perhaps(receiver.changed()).await.is_none() {
                    yield_now().await;
                }
                let value = *receiver.borrow_and_update();
                assert!(value >= last);
                last = value;
            }
        },
        |sender| assert_eq!((*sender.borrow(), sender.receiver_count()), (ROUNDS, 0)),
    );
}

#[test]
fn oneshot_gives_or_gives_back() {
    struct Value(Arc<AtomicUsize>);

    impl Drop for Value {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    storm(
        || Arc::new(AtomicUsize::new(0)),
        |dropped, dice, _| async move {
            for _ in 0..ROUNDS {
                let (mut sender, receiver) = oneshot::channel();
                let value = Value(Arc::clone(&dropped));
                let state = AtomicU64::new(dice.below(u64::MAX) | 1);
                let other = Dice { state, wakers: Arc::clone(&dice.wakers) };
                let receives = yamanote::spawn(async move { other.perhaps(receiver).await.is_some() });
                dice.pause().await;
                let closed = dice.perhaps(sender.closed()).await.is_some();
                let sent = sender.send(value).is_ok();
                let received = receives.await.unwrap();
                // Sent and not received: it came after the last poll.
                assert!(!received || (sent && !closed));
            }
        },
        |dropped| assert_eq!(dropped.load(SeqCst), TASKS * ROUNDS),
    );
}

#[test]
fn once_cell_is_made_once() {
    storm(
        || (OnceCell::new(), AtomicUsize::new(0)),
        |state, dice, i| async move {
            let (cell, made) = &*state;
            let make = || async {
                yield_now().await;
                yield_now().await;
                made.fetch_add(1, SeqCst);
                i
            };
            while dice.perhaps(cell.get_or_init(make)).await.is_none() {}
        },
        |(cell, made)| {
            assert!(cell.initialized());
            assert_eq!(made.into_inner(), 1);
        },
    );
}
