//! Jobs in line, and the threads that take them.
//!
//! ```text
//!              submit                                     a job in line
//!   no thread ───────► at work ──► looking ──► idle ─────────────────────► at work
//!                         ▲           │          │ promised: one submit, one thread
//!                         └───────────┘          └──── kept too long, or shutdown ────► ended
//! ```
//!
//! All of it is one state under one lock, so what can go wrong is the count. *Nothing submitted is lost* because
//! each job in line has somebody who will look at the line after it came: a thread that is at work or looks, one that
//! was idle and is now promised to it (and to no other: two jobs never rely on the same thread), or one that is started
//! for it. A thread that ends, because it idled for too long, ends in the critical section in which it found
//! that nobody had counted on it.
//!
//! A thread that runs out of work may look for more for a moment before it waits ([`Spinner`]). While it looks, a
//! job is promised to it first, and nobody need be notified: `signals` moves, which is what it looks at. It is a
//! hint. Whether a job was promised to it, the thread learns under the lock.
//!
//! The user's code runs outside of the lock: jobs, hooks, and what names a thread.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use crate::engine::spin::Spinner;
use crate::loom::sync::atomic::{AtomicUsize, Ordering};
use crate::loom::sync::{Condvar, Mutex, MutexGuard};
use crate::loom::thread;
use crate::util::CachePadded;
use crate::util::canary::canary;

/// Whether a job that has not started is still run when the runtime shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mandatory {
    Yes,
    No,
    /// It is not, and if it has started, nobody waits for it: it changes nothing, and may take for ever.
    Expendable,
    /// It is, and comes before all others: a worker's core waits for a thread to drive it.
    Core,
}

pub(super) struct Queued<J> {
    pub(super) job: J,
    pub(super) mandatory: Mandatory,
}

/// Why a job was not taken.
pub(super) enum Refusal<E> {
    ShutDown,
    /// Preparing a thread failed.
    Unprepared(E),
    /// No thread could be started, and there is none that could run the job later.
    NoThreads(io::Error),
}

struct State<J> {
    queue: VecDeque<Queued<J>>,
    threads: usize,
    /// Of these, such as do an expendable job. Their handles are not among `handles`.
    expendable: usize,
    idle: usize,
    /// Idle threads that were notified and have not woken yet: each is promised to one job.
    promised: usize,
    /// A thread looks for work without waiting; one at most, and not counted in `idle`.
    looking: bool,
    /// Cores that were handed to the pool. A thread that drives a worker, perhaps for good, is none of those that
    /// the user allowed for blocking work: it does not count for the limit.
    cores: usize,
    shutdown: bool,
    next_thread: usize,
    /// Threads to be joined at shutdown.
    handles: HashMap<usize, thread::JoinHandle<()>>,
    /// The thread that ended last, joined by the next one to end.
    ended: Option<thread::JoinHandle<()>>,
}

impl<J> State<J> {
    fn queue(&mut self, queued: Queued<J>) {
        match queued.mandatory {
            Mandatory::Core => self.queue.push_front(queued),
            _ => self.queue.push_back(queued),
        }
    }
}

pub(super) struct Line<J> {
    state: Mutex<State<J>>,
    /// Moves when the thread that looks for work is to take some.
    signals: CachePadded<AtomicUsize>,
    spinner: Spinner,
    /// Work came, or shutdown.
    work: Condvar,
    /// A thread ended.
    ended: Condvar,
    /// Threads at the most, those that drive a core left out.
    cap: usize,
    /// How long an idle thread waits for the next job.
    keep_alive: Duration,
}

impl<J> Line<J> {
    pub(super) fn new(cap: usize, keep_alive: Duration) -> Line<J> {
        Line {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                threads: 0,
                expendable: 0,
                idle: 0,
                promised: 0,
                looking: false,
                cores: 0,
                shutdown: false,
                next_thread: 0,
                handles: HashMap::new(),
                ended: None,
            }),
            signals: CachePadded::new(AtomicUsize::new(0)),
            spinner: Spinner::new(),
            work: Condvar::new(),
            ended: Condvar::new(),
            cap,
            keep_alive,
        }
    }

    /// Puts a job in line, and sees that somebody comes for it; gives it back if nobody will.
    ///
    /// If that takes one more thread, `prepare` runs first, outside of the lock (by the end of it the thread may be
    /// needed no more), and then `start`, whose thread has to [`serve`](Self::serve) under the number it is given.
    pub(super) fn submit<P, E>(
        &self,
        queued: Queued<J>,
        prepare: impl Fn() -> Result<P, E>,
        start: impl FnOnce(P, usize) -> io::Result<thread::JoinHandle<()>>,
    ) -> Result<(), (J, Refusal<E>)> {
        let core = queued.mandatory == Mandatory::Core;
        let mut prepared = None;
        loop {
            let mut state = self.state.lock();
            if state.shutdown {
                drop(state);
                return Err((queued.job, Refusal::ShutDown));
            }
            if std::mem::take(&mut state.looking) {
                state.queue(queued);
                // Relaxed: a hint, see above.
                self.signals.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            if state.idle > 0 {
                state.queue(queued);
                // This one is ours: nobody else may count on it.
                if !canary!("idle-thread-promised-twice") {
                    state.idle -= 1;
                }
                state.promised += 1;
                // After the lock: the woken thread needs it at once, and would only meet us in it.
                drop(state);
                if !canary!("job-without-notice") {
                    self.work.notify_one();
                }
                return Ok(());
            }
            if state.threads >= self.cap + state.cores {
                state.queue(queued);
                return Ok(());
            }
            let Some(ready) = prepared.take() else {
                drop(state);
                match prepare() {
                    Ok(ready) => prepared = Some(ready),
                    Err(error) => return Err((queued.job, Refusal::Unprepared(error))),
                }
                continue;
            };
            let number = state.next_thread;
            return match start(ready, number) {
                Ok(thread) => {
                    state.queue(queued);
                    state.next_thread += 1;
                    state.threads += 1;
                    state.handles.insert(number, thread);
                    Ok(())
                }
                // Another thread will come to it; not one that drives a worker, perhaps for good.
                Err(_) if state.threads + usize::from(core) > state.cores => {
                    state.queue(queued);
                    Ok(())
                }
                Err(error) => {
                    drop(state);
                    Err((queued.job, Refusal::NoThreads(error)))
                }
            };
        }
    }

    /// A thread's life. `work` gets each job, and whether to cancel it instead; `stopped` runs when there will be no more.
    pub(super) fn serve(&self, number: usize, mut work: impl FnMut(J, bool), stopped: impl FnOnce()) {
        let mut state = self.state.lock();
        // A thread that is at work goes on with what is queued; one that idled when the shutdown came cancels it.
        let mut cancels = false;
        'work: loop {
            while let Some(queued) = state.queue.pop_front() {
                state = match queued.mandatory {
                    Mandatory::Expendable if !state.shutdown => {
                        self.do_expendable(state, number, || work(queued.job, false))
                    }
                    mandatory => {
                        let cancel = mandatory == Mandatory::Expendable
                            || (cancels && mandatory == Mandatory::No);
                        drop(state);
                        work(queued.job, cancel);
                        self.state.lock()
                    }
                };
                if state.threads > self.cap + state.cores {
                    // Back from driving a worker, while another thread was started in our place.
                    break 'work;
                }
            }
            if state.shutdown {
                break;
            }
            if !state.looking && self.spinner.should() {
                state = self.look(state);
                if !state.queue.is_empty() || state.shutdown {
                    continue 'work;
                }
            }
            state.idle += 1;
            let until = Instant::now().checked_add(self.keep_alive);
            loop {
                let left = match until {
                    Some(until) => until.saturating_duration_since(Instant::now()),
                    None => Duration::MAX,
                };
                state = self.wait(state, left);
                let timed_out = until.is_some_and(|until| Instant::now() >= until);
                if state.promised > 0 && !(timed_out && canary!("promised-thread-ends")) {
                    // Somebody counted on one idle thread, and took it off the count: that is us.
                    state.promised -= 1;
                    continue 'work;
                }
                if state.shutdown || timed_out {
                    state.idle -= 1;
                    if state.shutdown {
                        cancels = true;
                        continue 'work;
                    }
                    break 'work;
                }
            }
        }
        state.threads -= 1;
        // Only one ended thread is kept unjoined, and only while the pool lives.
        let previous = if state.shutdown {
            None
        } else {
            let me = state.handles.remove(&number);
            std::mem::replace(&mut state.ended, me)
        };
        drop(state);
        stopped();
        if let Some(previous) = previous {
            let _ = previous.join();
        }
        self.ended.notify_all();
    }

    /// Does a job that no shutdown waits for.
    fn do_expendable<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<J>>,
        number: usize,
        work: impl FnOnce(),
    ) -> MutexGuard<'a, State<J>> {
        state.expendable += 1;
        let me = state.handles.remove(&number);
        drop(state);
        work();
        let mut state = self.state.lock();
        state.expendable -= 1;
        // After a shutdown nobody joins us.
        if let (Some(me), false) = (me, state.shutdown) {
            state.handles.insert(number, me);
        }
        state
    }

    /// Looks for a job for a moment, without the lock.
    fn look<'a>(&'a self, mut state: MutexGuard<'a, State<J>>) -> MutexGuard<'a, State<J>> {
        state.looking = true;
        // Under the lock: a promise after it moves the number. Relaxed, both: a hint.
        let before = self.signals.load(Ordering::Relaxed);
        drop(state);
        self.spinner.spin(None, || self.signals.load(Ordering::Relaxed) != before);
        let mut state = self.state.lock();
        // If a job was promised, this was done; should another thread look by now, it merely goes unnoticed.
        state.looking = false;
        state
    }

    /// Waits for work. Somebody may have come for this thread at any time, also when the time is over.
    fn wait<'a>(&'a self, state: MutexGuard<'a, State<J>>, left: Duration) -> MutexGuard<'a, State<J>> {
        if left.is_zero() {
            // What a wait would do, which in models has no time to run out.
            drop(state);
            return self.state.lock();
        }
        self.work.wait_timeout(state, left).0
    }

    /// Lets no further job start (but mandatory ones) and waits for the threads (but those with an expendable one), for
    /// `timeout` at the most; without a limit if `None`.
    pub(super) fn shutdown(&self, timeout: Option<Duration>) {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state.lock();
        state.shutdown = true;
        if state.threads > 0 {
            self.work.notify_all();
        }
        while state.threads > state.expendable {
            state = match (timeout, until) {
                (Some(_), Some(until)) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.ended.wait_timeout(state, left).0
                }
                _ => self.ended.wait(state),
            };
        }
        let handles: Vec<_> = state.handles.drain().map(|(_, handle)| handle).collect();
        let ended = state.ended.take();
        drop(state);
        for handle in handles.into_iter().chain(ended) {
            if handle.thread().id() != thread::current().id() {
                let _ = handle.join();
            }
        }
    }

    /// A core is in the pool's hands from now on.
    pub(super) fn lend_core(&self) {
        self.state.lock().cores += 1;
    }

    /// It is not any more.
    pub(super) fn return_core(&self) {
        self.state.lock().cores -= 1;
    }

    pub(super) fn threads(&self) -> usize {
        self.state.lock().threads
    }

    pub(super) fn idle_threads(&self) -> usize {
        let state = self.state.lock();
        state.idle + usize::from(state.looking)
    }

    pub(super) fn depth(&self) -> usize {
        self.state.lock().queue.len()
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};

    use super::*;
    use crate::loom::model;
    use crate::loom::sync::Arc;

    /// Meets others: waits until a number of them has come.
    #[derive(Default)]
    struct Meeting(Mutex<usize>, Condvar);

    impl Meeting {
        fn come(&self) {
            *self.0.lock() += 1;
            self.1.notify_all();
        }

        fn wait_for(&self, number: usize) {
            let mut come = self.0.lock();
            while *come < number {
                come = self.1.wait(come);
            }
        }
    }

    type Job = Box<dyn FnOnce() + Send>;

    struct Pool {
        line: Line<Job>,
        /// Jobs that ran, and jobs that were cancelled. Not loom's: only read when all has ended.
        ran: Count,
        cancelled: Count,
    }

    impl Pool {
        fn new(cap: usize, keep_alive: Duration) -> Arc<Pool> {
            let (ran, cancelled) = (Count::new(0), Count::new(0));
            Arc::new(Pool { line: Line::new(cap, keep_alive), ran, cancelled })
        }

        fn submit(this: &Arc<Pool>, mandatory: Mandatory, job: impl FnOnce() + Send + 'static) -> bool {
            let queued = Queued { job: Box::new(job) as Job, mandatory };
            let pool = Arc::clone(this);
            let taken = this.line.submit(
                queued,
                || Ok::<_, ()>(()),
                |(), number| {
                    let serve = move || {
                        let work = |job: Job, cancel: bool| match cancel {
                            true => drop(pool.cancelled.fetch_add(1, SeqCst)),
                            false => {
                                job();
                                pool.ran.fetch_add(1, SeqCst);
                            }
                        };
                        pool.line.serve(number, work, || ());
                    };
                    thread::Builder::new().spawn(serve)
                },
            );
            taken.is_ok()
        }
    }

    /// A spawn meets the exit of the last idle thread: that thread takes the job, or another is started for it.
    #[test]
    fn a_spawn_is_not_lost_to_a_thread_that_ends() {
        model(|| {
            let pool = Pool::new(1, Duration::ZERO);
            let done = Arc::new(Meeting::default());
            for _ in 0..2 {
                let done = Arc::clone(&done);
                assert!(Pool::submit(&pool, Mandatory::No, move || done.come()));
            }
            done.wait_for(2);
            pool.line.shutdown(None);
            assert_eq!(pool.ran.load(SeqCst), 2);
        });
    }

    /// Two jobs that need each other, submitted when one thread idles or is about to: they get a thread each.
    #[test]
    fn an_idle_thread_is_promised_to_one_job() {
        model(|| {
            let pool = Pool::new(2, Duration::MAX);
            assert!(Pool::submit(&pool, Mandatory::No, || ()));
            let meeting = Arc::new(Meeting::default());
            for _ in 0..2 {
                let meeting = Arc::clone(&meeting);
                let submitted = Pool::submit(&pool, Mandatory::No, move || {
                    meeting.come();
                    meeting.wait_for(2);
                });
                assert!(submitted);
            }
            meeting.wait_for(2);
            pool.line.shutdown(None);
            assert_eq!(pool.ran.load(SeqCst), 3);
            assert_eq!(pool.line.threads(), 0);
        });
    }

    /// Of two jobs submitted during a shutdown each is refused, cancelled or run, and what has to run does.
    #[test]
    fn a_shutdown_meets_a_spawn() {
        model(|| {
            let pool = Pool::new(1, Duration::MAX);
            let other = Arc::clone(&pool);
            let submits = thread::spawn(move || {
                let mandatory = usize::from(Pool::submit(&other, Mandatory::Yes, || ()));
                (mandatory, usize::from(Pool::submit(&other, Mandatory::No, || ())))
            });
            pool.line.shutdown(None);
            let (mandatory, other) = submits.join().unwrap();
            // What came before the shutdown was waited for.
            let (ran, cancelled) = (pool.ran.load(SeqCst), pool.cancelled.load(SeqCst));
            assert!(ran >= mandatory);
            assert_eq!(ran + cancelled, mandatory + other);
        });
    }

    /// A core that is handed to the pool finds a thread although all that are allowed are at work; and when it is back,
    /// the pool has no more threads than allowed.
    #[test]
    fn a_lent_core_is_driven() {
        model(|| {
            let pool = Pool::new(1, Duration::MAX);
            let driven = Arc::new(Meeting::default());
            let waits = Arc::clone(&driven);
            assert!(Pool::submit(&pool, Mandatory::No, move || waits.wait_for(1)));
            pool.line.lend_core();
            let (drives, lent) = (Arc::clone(&driven), Arc::clone(&pool));
            let submitted = Pool::submit(&pool, Mandatory::Core, move || {
                drives.come();
                lent.line.return_core();
            });
            assert!(submitted);
            driven.wait_for(1);
            pool.line.shutdown(None);
            assert_eq!((pool.ran.load(SeqCst), pool.line.depth()), (2, 0));
        });
    }
}
