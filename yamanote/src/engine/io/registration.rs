//! Ties an I/O resource to the poller of a worker, as late as possible, and moves it after its tasks.
//!
//! # When
//! A resource is registered by the first caller that has to wait for it, with the poller of the worker that
//! caller runs on. Until then operations are simply tried: many sockets (a short request on a fresh
//! connection) live and die without a poller. Resources that the system may refuse to watch are
//! [attached](Registration::attach) when they are made, so that the error shows there.
//!
//! # Where
//! An event wakes its task on the worker that saw it, so task and socket belong together. A task can be
//! stolen, though. When [`MOVE_AFTER`] waits in a row happened on workers that have another poller, it is
//! taken from the old poller and added to the poller of the last one. Adding reports what is ready at that
//! moment, so nothing that happens in between is lost, and an event still on its way through the old
//! poller's hands is at worst one too many.
//!
//! # Locks
//! `home` is held while the resource is registered, moved or deregistered. The pollers' locks are taken
//! inside it; no waker runs under it.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::engine::io::source::{Direction, ReadyEvent, Source, WakeBatch, Word};
use crate::engine::io::{DISABLED, shutdown_error};
use crate::io::interest::Interest;
use crate::io::ready::Ready;
use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::{AtomicUsize, Ordering};
use crate::runtime::Handle;
use crate::sys::poll::{BY_HANDLE, PollHandle, REPORTS_ONCE};
use crate::task::coop::poll_proceed;

/// Waits in a row on workers with another poller after which a socket follows its task. Arbitrary: a move costs two
/// system calls, and a task that was stolen once may well be stolen back.
const MOVE_AFTER: usize = 16;

/// `home` of a resource that no poller watches.
const NOWHERE: usize = usize::MAX;

pub(crate) struct Registration {
    runtime: Handle,
    source: Arc<Source>,
    resource: PollHandle,
    interest: Interest,
    /// The worker whose poller watches the resource. Changes under `moving`; read without it as a hint.
    home: AtomicUsize,
    moving: Mutex<()>,
    /// Waits in a row on foreign workers. A hint, too.
    foreign: AtomicUsize,
}

impl Registration {
    /// A registration with the current runtime. `assumed` is reported as ready until an operation refutes
    /// it; with `optimistic`, operations are tried before anything is known.
    ///
    /// # Panics
    /// Outside a runtime, or when the runtime has no I/O.
    #[track_caller]
    pub(crate) fn new(
        resource: PollHandle,
        interest: Interest,
        assumed: Ready,
        optimistic: bool,
    ) -> Registration {
        Registration::with_handle(Handle::current(), resource, interest, assumed, optimistic)
    }

    /// As [`new`](Self::new), with a runtime that is given.
    ///
    /// # Panics
    /// When the runtime has no I/O.
    #[track_caller]
    pub(crate) fn with_handle(
        runtime: Handle,
        resource: PollHandle,
        interest: Interest,
        assumed: Ready,
        optimistic: bool,
    ) -> Registration {
        assert!(runtime.shared.driver(0).io.is_enabled(), "{DISABLED}");
        Registration {
            runtime,
            source: Arc::new(Source::new(assumed, optimistic)),
            resource,
            interest,
            home: AtomicUsize::new(NOWHERE),
            moving: Mutex::new(()),
            foreign: AtomicUsize::new(0),
        }
    }

    /// Registers now, if that has not happened. `attach` makes the system call.
    pub(crate) fn attach_with(
        &self,
        attach: impl FnOnce(&mio::Registry, mio::Token) -> io::Result<()>,
    ) -> io::Result<()> {
        let _moving = self.moving.lock();
        // Relaxed: the lock orders it.
        if self.home.load(Ordering::Relaxed) != NOWHERE {
            return Ok(());
        }
        let here = self.runtime.shared.home();
        let io = &self.runtime.shared.driver(here).io;
        io.register(&self.source, attach)?;
        io.count_registered();
        // Relaxed: as above.
        self.home.store(here, Ordering::Relaxed);
        self.source.set_registered();
        Ok(())
    }

    /// Refuses a runtime that shuts down.
    pub(crate) fn check_runtime(&self) -> io::Result<()> {
        if self.runtime.shared.is_shutdown() { Err(shutdown_error()) } else { Ok(()) }
    }

    /// Registers now, if that has not happened.
    pub(crate) fn attach(&self) -> io::Result<()> {
        self.attach_with(|registry, token| self.resource.register(registry, token, self.interest))
    }

    /// Deregisters, if need be. `detach` makes the system call.
    pub(crate) fn detach_with(
        &self,
        detach: impl FnOnce(&mio::Registry) -> io::Result<()>,
    ) -> io::Result<()> {
        let _moving = self.moving.lock();
        // Relaxed: the lock orders it.
        let home = self.home.swap(NOWHERE, Ordering::Relaxed);
        if home == NOWHERE {
            return Ok(());
        }
        let io = &self.runtime.shared.driver(home).io;
        io.count_deregistered();
        io.deregister(&self.source, detach)
    }

    /// Deregisters, if need be.
    pub(crate) fn detach(&self) -> io::Result<()> {
        self.detach_with(|registry| self.resource.deregister(registry))
    }

    /// To be called before a wait: sees to it that a poller watches, preferably this worker's.
    fn before_wait(&self) -> io::Result<()> {
        if !self.is_registered() {
            return self.attach();
        }
        // Relaxed, all three: hints that no other memory depends on.
        let home = self.home.load(Ordering::Relaxed);
        let shared = &self.runtime.shared;
        if shared.is_near(home) {
            if self.foreign.load(Ordering::Relaxed) != 0 {
                self.foreign.store(0, Ordering::Relaxed);
            }
            return Ok(());
        }
        let here = shared.home();
        if BY_HANDLE
            && shared.is_home(here)
            && self.foreign.fetch_add(1, Ordering::Relaxed) + 1 >= MOVE_AFTER
        {
            self.foreign.store(0, Ordering::Relaxed);
            self.move_to(here);
        }
        Ok(())
    }

    #[cold]
    fn move_to(&self, here: usize) {
        let mut wakers = WakeBatch::new();
        let moving = self.moving.lock();
        // Relaxed: the lock orders it.
        let home = self.home.load(Ordering::Relaxed);
        if home == here || home == NOWHERE {
            return;
        }
        let shared = &self.runtime.shared;
        let moved = shared
            .driver(home)
            .io
            .deregister(&self.source, |registry| self.resource.deregister(registry))
            .and_then(|()| {
                shared.driver(here).io.register(&self.source, |registry, token| {
                    self.resource.register(registry, token, self.interest)
                })
            });
        if moved.is_ok() {
            self.home.store(here, Ordering::Relaxed);
        } else {
            // Nobody watches now. Whoever waits tries again and meets the error, if it lasts.
            self.home.store(NOWHERE, Ordering::Relaxed);
            self.source.set_deregistered(&mut wakers);
        }
        drop(moving);
        wakers.wake_all();
    }

    /// To be called before readiness is reported: as [`before_wait`](Self::before_wait), if there is none
    /// yet; and if there is, but only because it was assumed, then from now on the truth has to come in.
    fn before_report(&self, mask: Ready) -> io::Result<()> {
        let word = self.source.word();
        if word.event(mask).is_some() && word.is_registered() { Ok(()) } else { self.before_wait() }
    }

    /// Asks the poller for what is not known to be there.
    #[cold]
    fn watch_again(&self) {
        let _moving = self.moving.lock();
        // Relaxed: the lock orders it.
        let home = self.home.load(Ordering::Relaxed);
        if home == NOWHERE {
            return;
        }
        // What another thread clears after this look, that thread asks for.
        if let Some(interest) = self.source.word().unreported(self.interest) {
            // It is no system call, and does not fail.
            let _ = self.runtime.shared.driver(home).io.again(&self.source, |registry, token| {
                self.resource.watch_again(registry, token, interest)
            });
        }
    }

    fn is_registered(&self) -> bool {
        self.source.word().is_registered()
    }

    /// A resource that nobody watches yet has not heard of the runtime's end; whether it has come.
    #[inline]
    fn is_orphan(&self, word: Word, event: ReadyEvent) -> bool {
        event.is_shutdown || (!word.is_registered() && self.runtime.shared.driver(0).io.is_shutdown())
    }

    /// The event, which was seen in `word` or after it.
    #[inline]
    fn checked(&self, word: Word, event: ReadyEvent) -> io::Result<ReadyEvent> {
        if self.is_orphan(word, event) { Err(shutdown_error()) } else { Ok(event) }
    }

    /// Waits until an operation is worth a try.
    #[inline]
    fn poll_attempt(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<ReadyEvent>> {
        let word = self.source.word();
        match word.attempt(direction.mask()) {
            Some(event) => Poll::Ready(self.checked(word, event)),
            None => self.poll_wait(cx, direction),
        }
    }

    /// Nothing was there a moment ago: waits.
    #[inline(never)]
    fn poll_wait(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<ReadyEvent>> {
        self.before_wait()?;
        let event = ready!(self.source.poll_wait(cx, direction));
        Poll::Ready(self.checked(self.source.word(), event))
    }

    fn poll_event(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<ReadyEvent>> {
        self.before_report(direction.mask())?;
        let event = ready!(self.source.poll_ready(cx, direction));
        Poll::Ready(self.checked(self.source.word(), event))
    }

    /// Waits until the resource was seen to be ready. Wakes the last caller of each direction only.
    pub(crate) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<ReadyEvent>> {
        let coop = ready!(poll_proceed(cx));
        let event = ready!(self.poll_event(cx, direction))?;
        coop.made_progress();
        Poll::Ready(Ok(event))
    }

    /// Runs `operation` until it does anything but block. It gets the event it relies on.
    pub(crate) fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(ReadyEvent) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        // Taken once: an attempt that finds nothing is no operation.
        let coop = ready!(poll_proceed(cx));
        loop {
            let event = ready!(self.poll_attempt(cx, direction))?;
            let result = operation(event);
            match result.as_ref().err().map(io::Error::kind) {
                Some(io::ErrorKind::WouldBlock) => self.clear(event),
                // A signal came before anything was done: that is no second time.
                Some(io::ErrorKind::Interrupted) => {}
                _ => {
                    coop.made_progress();
                    return Poll::Ready(result);
                }
            }
        }
    }

    /// Waits until the resource was seen to be ready. Any number of tasks may wait.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<ReadyEvent> {
        self.before_report(interest.mask())?;
        let event = self.source.readiness(interest).await;
        self.checked(self.source.word(), event)
    }

    /// Runs `operation` until it does anything but block. Any number of tasks may wait. An operation that a
    /// signal disturbed is repeated.
    pub(crate) async fn async_io<R>(
        &self,
        interest: Interest,
        mut operation: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.async_io_raw(interest, || undisturbed(&mut operation)).await
    }

    /// As [`async_io`](Self::async_io) for an operation that is not ours, whose errors but the one are its
    /// caller's business.
    pub(crate) async fn async_io_raw<R>(
        &self,
        interest: Interest,
        mut operation: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        let mask = interest.mask();
        // One future for all of it: waits are the same node of the list, linked when there is nothing to try.
        let mut waiting = pin!(self.source.readiness(interest));
        poll_fn(|cx| {
            let coop = ready!(poll_proceed(cx));
            loop {
                let mut word = self.source.word();
                let event = match word.attempt(mask) {
                    Some(event) if !waiting.as_ref().is_begun() => event,
                    _ => {
                        if !waiting.as_ref().is_begun() {
                            self.before_wait()?;
                        }
                        let event = ready!(waiting.as_mut().poll_again(cx));
                        word = self.source.word();
                        event
                    }
                };
                let event = self.checked(word, event)?;
                match operation() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.clear(event),
                    result => {
                        coop.made_progress();
                        return Poll::Ready(result);
                    }
                }
            }
        })
        .await
    }

    /// Runs `operation` unless it is known that it would block. One that a signal disturbed is repeated.
    pub(crate) fn try_io<R>(
        &self,
        interest: Interest,
        operation: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.try_io_raw(interest, || undisturbed(operation))
    }

    /// As [`try_io`](Self::try_io) for an operation that is not ours.
    pub(crate) fn try_io_raw<R>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let Some(event) = self.source.word().attempt_now(interest.mask()) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let result = operation();
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.clear(event);
        }
        result
    }

    /// Whether urgent data was ever reported.
    pub(crate) fn saw_priority(&self) -> bool {
        self.source.word().saw_priority()
    }

    /// An operation found that `event` no longer holds.
    pub(crate) fn clear(&self, event: ReadyEvent) {
        self.source.clear(event);
        if REPORTS_ONCE {
            self.watch_again();
        }
    }
}

/// Repeats an operation that a signal disturbed. It has done nothing, so that is no second time.
fn undisturbed<R>(mut operation: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // An error means that the descriptor was closed behind our back: the poller copes.
        let _ = self.detach();
        drop(self.source.take_slots());
    }
}

#[cfg(all(test, unix, feature = "full", not(loom)))]
mod tests {
    use super::*;
    use crate::engine::io::poll_evented::PollEvented;
    use crate::runtime::{Builder, Runtime};
    use std::io::{Read, Write};
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    type Socket = PollEvented<mio::net::UnixStream>;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    }

    fn pair() -> (Arc<Socket>, Arc<Socket>) {
        let (a, b) = mio::net::UnixStream::pair().unwrap();
        (Arc::new(Socket::new(a).unwrap()), Arc::new(Socket::new(b).unwrap()))
    }

    async fn recv(socket: &Socket) {
        let n = socket
            .registration()
            .async_io(Interest::READABLE, || (&mut &**socket).read(&mut [0]))
            .await
            .unwrap();
        assert_eq!(n, 1);
    }

    async fn send(socket: &Socket) {
        socket
            .registration()
            .async_io(Interest::WRITABLE, || (&mut &**socket).write(b"x"))
            .await
            .unwrap();
    }

    #[test]
    fn moving_loses_no_event() {
        let runtime = runtime();
        let (a, b) = {
            let _enter = runtime.enter();
            pair()
        };
        a.attach().unwrap();
        b.attach().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let mover = {
            let (a, b, stop) = (Arc::clone(&a), Arc::clone(&b), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut moves = 0;
                while !stop.load(SeqCst) {
                    for socket in [&a, &b] {
                        socket.registration().move_to(moves % 2);
                    }
                    moves += 1;
                }
                moves
            })
        };
        runtime.block_on(async {
            let echo = {
                let b = Arc::clone(&b);
                crate::spawn(async move {
                    for _ in 0..3_000 {
                        recv(&b).await;
                        send(&b).await;
                    }
                })
            };
            let ping = crate::spawn(async move {
                for _ in 0..3_000 {
                    send(&a).await;
                    recv(&a).await;
                }
            });
            echo.await.unwrap();
            ping.await.unwrap();
        });
        stop.store(true, SeqCst);
        assert!(mover.join().unwrap() > 0);
        // One registration, however often it moved.
        let counts = |f: fn(&crate::engine::io::IoDriver) -> u64| -> u64 {
            let shared = &runtime.handle().shared;
            (0..shared.workers()).map(|worker| f(&shared.driver(worker).io)).sum()
        };
        assert_eq!(counts(|io| io.fd_registered_count()), 2);
        drop(b);
        assert_eq!(counts(|io| io.fd_deregistered_count()), 2);
    }

    #[test]
    fn a_failed_move_wakes_who_waits() {
        use std::os::fd::AsRawFd;

        let runtime = runtime();
        let (a, _b) = {
            let _enter = runtime.enter();
            pair()
        };
        runtime.block_on(async {
            let waiter = {
                let a = Arc::clone(&a);
                crate::spawn(async move { a.registration().ready(Interest::READABLE).await })
            };
            while a.registration().home.load(SeqCst) == NOWHERE {
                crate::task::yield_now().await;
            }
            // Taken out of the poller behind the registration's back, as if it had been closed.
            let home = a.registration().home.load(SeqCst);
            let handle = PollHandle::of(&**a);
            let io = &a.registration().runtime.shared.driver(home).io;
            io.deregister(&a.registration().source, |registry| handle.deregister(registry)).unwrap();
            assert!(a.as_raw_fd() > 0);
            a.registration().move_to(1 - home);
            assert_eq!(a.registration().home.load(SeqCst), NOWHERE);
            // It is woken, and what it reports is for an operation to refute.
            waiter.await.unwrap().unwrap();
            // The next wait registers anew.
            assert!(
                futures::FutureExt::now_or_never(a.registration().ready(Interest::READABLE)).is_none()
            );
            assert_ne!(a.registration().home.load(SeqCst), NOWHERE);
        });
    }
}
