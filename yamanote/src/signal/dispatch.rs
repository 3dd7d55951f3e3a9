//! From the signal handler to the listeners.
//!
//! ```text
//! handler ──► pending flag + one byte into a socket ──► pump of some runtime ──► [`Slot`]
//! ```
//!
//! A handler may do next to nothing, so it sets its signal's flag and writes a byte into a socket pair that
//! the whole process shares. Each runtime that has listeners watches a duplicate of the other end (its
//! *pump*); whichever comes first empties it and tells the listeners of all runtimes. A pump is no task: it is
//! the waker that the socket's event wakes, and does its work there and then, in the worker's turn.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use mio::net::UnixStream;

use crate::engine::budget;
use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::interest::Interest;
use crate::loom::sync::atomic::{AtomicBool, Ordering};
use crate::runtime::Handle;
use crate::signal::slot::{Listening, Slot};
use crate::util::canary::canary;

/// What the process keeps for each signal.
#[derive(Default)]
struct Kind {
    /// Set by the handler, taken by a pump.
    pending: AtomicBool,
    slot: Slot,
    /// Whether the handler is installed, and what came of it.
    installed: Mutex<bool>,
}

struct Globals {
    kinds: Box<[Kind]>,
    sender: StdStream,
    receiver: StdStream,
}

fn globals() -> io::Result<&'static Globals> {
    static GLOBALS: OnceLock<Globals> = OnceLock::new();
    if let Some(globals) = GLOBALS.get() {
        return Ok(globals);
    }
    let (sender, receiver) = StdStream::pair()?;
    sender.set_nonblocking(true)?;
    receiver.set_nonblocking(true)?;
    let kinds = (0..=crate::sys::unix::highest_signal()).map(|_| Kind::default()).collect();
    Ok(GLOBALS.get_or_init(|| Globals { kinds, sender, receiver }))
}

impl Kind {
    /// Installs the handler, once in the process's life.
    fn install(&'static self, signal: i32, globals: &'static Globals) -> io::Result<()> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if *installed {
            return Ok(());
        }
        let handler = move || {
            // A full socket is as good: somebody is going to read it.
            self.raise(|| drop((&globals.sender).write(&[1])));
        };
        // SAFETY: the handler stores to an atomic and calls `write`, which a signal handler may; it neither
        // allocates nor locks, and `signal-hook-registry` keeps `errno`.
        unsafe { signal_hook_registry::register(signal, handler) }?;
        *installed = true;
        Ok(())
    }

    /// The signal came; `call` has a pump look.
    fn raise(&self, call: impl FnOnce()) {
        // Release pairs with the Acquire in `broadcast`.
        self.pending.store(true, Ordering::Release);
        call();
    }

    /// Tells the listeners if the signal came; whether it did.
    fn broadcast(&self) -> bool {
        if !self.pending.load(Ordering::Relaxed) || !self.pending.swap(false, Ordering::Acquire) {
            return false;
        }
        self.slot.tell();
        true
    }
}

/// What is done when a child ended, beside telling the listeners.
static CHILD_HOOK: OnceLock<fn()> = OnceLock::new();

/// Has `hook` called after every `SIGCHLD` that a runtime hears of; the current one hears of them from now on.
///
/// # Errors
/// If the system refuses the handler. Without a runtime nothing is done.
#[cfg(feature = "process")]
pub(crate) fn on_child_exit(hook: fn()) -> io::Result<()> {
    CHILD_HOOK.get_or_init(|| hook);
    let Ok(handle) = Handle::try_current() else { return Ok(()) };
    if !can_pump(&handle) {
        return Ok(());
    }
    let globals = globals()?;
    Pump::of(&handle, globals)?;
    globals.kinds[libc::SIGCHLD as usize].install(libc::SIGCHLD, globals)
}

/// Whether a runtime can watch the socket.
fn can_pump(handle: &Handle) -> bool {
    handle.shared.driver(0).io.is_enabled() && !handle.shared.is_shutdown()
}

/// Tells one runtime from another.
fn address(handle: &Handle) -> usize {
    Arc::as_ptr(&handle.shared) as usize
}

/// One listener of one signal.
pub(super) struct Listener {
    listening: Listening,
    /// Of the runtime that last polled this listener, at first of the one that made it: it keeps the signal
    /// on its way while that runtime runs.
    pump: Arc<Pump>,
}

impl Listener {
    /// # Panics
    /// Outside a runtime with input/output.
    #[track_caller]
    pub(super) fn new(signal: i32) -> io::Result<Listener> {
        let handle = Handle::current();
        if !handle.shared.driver(0).io.is_enabled() {
            panic!(
                "there is no signal driver running, must be called from the context of a Tokio 1.x \
                 runtime with IO enabled"
            );
        }
        if signal < 0 || signal_hook_registry::FORBIDDEN.contains(&signal) {
            return Err(io::Error::other(format!("Refusing to register signal {signal}")));
        }
        if handle.shared.is_shutdown() {
            return Err(io::Error::other("the runtime is shut down"));
        }
        let globals = globals()?;
        let Some(kind) = globals.kinds.get(signal as usize) else {
            return Err(io::Error::other(format!("signal {signal} does not exist")));
        };
        // The pump first: a signal that comes right after the handler is in place is then on its way.
        let pump = Pump::of(&handle, globals)?;
        kind.install(signal, globals)?;
        Ok(Listener { listening: Listening::new(&kind.slot), pump })
    }

    /// Ready once for any number of signals since the last time.
    pub(super) fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.listening.take_changed() {
            return Poll::Ready(());
        }
        self.follow();
        self.listening.poll_changed(cx)
    }

    /// Fails if the runtime that would tell this listener is gone.
    #[cfg(feature = "process")]
    pub(super) fn check_runtime(&self) -> io::Result<()> {
        self.pump.socket.registration().check_runtime()
    }

    /// The runtime that polls is not always the one that the listener was made on, and that one may be gone or
    /// idle.
    fn follow(&mut self) {
        let Ok(handle) = Handle::try_current() else { return };
        if self.pump.runtime == address(&handle) || !can_pump(&handle) {
            return;
        }
        // On an error the signal still comes by the old way, if it does.
        if let Ok(pump) = Pump::of(&handle, self.pump.globals) {
            self.pump = pump;
        }
    }
}

/// A runtime's end of the socket.
struct Pump {
    socket: PollEvented<UnixStream>,
    globals: &'static Globals,
    /// Whose it is: an [`address`]. The socket keeps the runtime's memory, so no other gets there.
    runtime: usize,
}

/// Woken by the socket's event. Weak, since the socket keeps its waker.
struct PumpWaker(Weak<Pump>);

impl Wake for PumpWaker {
    fn wake(self: Arc<Self>) {
        if let Some(pump) = self.0.upgrade() {
            pump.run();
        }
    }
}

impl Pump {
    /// The runtime's pump.
    fn of(handle: &Handle, globals: &'static Globals) -> io::Result<Arc<Pump>> {
        let mut made = false;
        let pump = handle.shared.attachments.get_or_try(|| {
            made = true;
            let _guard = handle.enter();
            let socket = UnixStream::from_std(globals.receiver.try_clone()?);
            let socket = PollEvented::with_interest(socket, Interest::READABLE)?;
            io::Result::Ok(Arc::new(Pump { socket, globals, runtime: address(handle) }))
        })?;
        if made {
            // Not before the lock is released: it wakes listeners.
            pump.run();
        }
        Ok(pump)
    }

    /// Empties the socket, tells the listeners, and waits for the next event.
    fn run(self: &Arc<Self>) {
        let waker = Waker::from(Arc::new(PumpWaker(Arc::downgrade(self))));
        let mut cx = Context::from_waker(&waker);
        let mut bytes = [0; 128];
        let mut empty = || {
            let mut read = |_| (&*self.socket).read(&mut bytes);
            while let Poll::Ready(Ok(n)) =
                self.socket.registration().poll_io(&mut cx, Direction::Read, &mut read)
            {
                if n == 0 {
                    break;
                }
            }
        };
        // Not on any task's account.
        let empty = || budget::with_unconstrained(&mut empty);
        tell_all(empty, &self.globals.kinds, |signal| {
            if signal == libc::SIGCHLD as usize {
                if let Some(hook) = CHILD_HOOK.get() {
                    hook();
                }
            }
        });
    }
}

/// Empties the socket, then tells the listeners of each kind: a signal that comes from there on leaves a byte of its own.
fn tell_all(mut empty: impl FnMut(), kinds: &[Kind], mut told: impl FnMut(usize)) {
    if !canary!("socket-emptied-too-late") {
        empty();
    }
    for (signal, kind) in kinds.iter().enumerate() {
        if kind.broadcast() {
            told(signal);
        }
    }
    if canary!("socket-emptied-too-late") {
        empty();
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::loom::sync::{Condvar, Mutex};
    use crate::loom::{model, thread};

    /// What the socket pair does: bytes that any pump may take, and an event at each pump for what comes.
    #[derive(Default)]
    struct Socket {
        state: Mutex<Bytes>,
        condvar: Condvar,
    }

    #[derive(Default)]
    struct Bytes {
        there: usize,
        /// Nobody writes any more.
        closed: bool,
    }

    impl Socket {
        fn write(&self) {
            self.state.lock().there += 1;
            self.condvar.notify_all();
        }

        fn close(&self) {
            self.state.lock().closed = true;
            self.condvar.notify_all();
        }

        fn empty(&self) {
            self.state.lock().there = 0;
        }

        /// Whether there is anything to read, when there is or will never be.
        fn wait(&self) -> bool {
            let mut state = self.state.lock();
            while state.there == 0 && !state.closed {
                state = self.condvar.wait(state);
            }
            state.there > 0
        }
    }

    /// A task that sleeps until it is woken.
    #[derive(Default)]
    struct Sleeper(Mutex<bool>, Condvar);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            *self.0.lock() = true;
            self.1.notify_one();
        }
    }

    impl Sleeper {
        fn sleep(&self) {
            let mut woken = self.0.lock();
            while !*woken {
                woken = self.1.wait(woken);
            }
            *woken = false;
        }
    }

    /// The kinds of a process, of one signal, which live as long as the model's execution.
    fn with_kinds(f: impl FnOnce(&'static [Kind])) {
        let kinds = Box::into_raw(Box::new([Kind::default()]));
        // SAFETY: made just now, and freed below, when all threads that were given it have been joined.
        f(unsafe { &*kinds });
        // SAFETY: made above.
        drop(unsafe { Box::from_raw(kinds) });
    }

    /// A listener is told, whatever the order of the handler, the pump and its own look.
    #[test]
    fn a_signal_reaches_its_listener() {
        model(|| {
            with_kinds(|kinds| {
                let socket = crate::loom::sync::Arc::new(Socket::default());
                let mut listening = Listening::new(&kinds[0].slot);
                let written = socket.clone();
                let handler = thread::spawn(move || kinds[0].raise(|| written.write()));
                let read = socket.clone();
                let pump = thread::spawn(move || {
                    assert!(read.wait());
                    tell_all(|| read.empty(), kinds, |_| ());
                });
                let sleeper = Arc::new(Sleeper::default());
                let waker = Waker::from(Arc::clone(&sleeper));
                while listening.poll_changed(&mut Context::from_waker(&waker)).is_pending() {
                    sleeper.sleep();
                }
                handler.join().unwrap();
                pump.join().unwrap();
            });
        });
    }

    /// The pumps of two runtimes take each other's bytes; still nothing that came stays unheard.
    #[test]
    fn two_pumps_leave_no_signal_behind() {
        model(|| {
            with_kinds(|kinds| {
                let socket = crate::loom::sync::Arc::new(Socket::default());
                let pumps: Vec<_> = (0..2)
                    .map(|_| {
                        let socket = socket.clone();
                        thread::spawn(move || {
                            while socket.wait() {
                                tell_all(|| socket.empty(), kinds, |_| ());
                            }
                        })
                    })
                    .collect();
                for _ in 0..2 {
                    kinds[0].raise(|| socket.write());
                }
                socket.close();
                for pump in pumps {
                    pump.join().unwrap();
                }
                assert!(!kinds[0].pending.load(Ordering::Relaxed), "nobody told the listeners");
            });
        });
    }
}
