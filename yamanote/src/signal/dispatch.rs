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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use mio::net::UnixStream;

use crate::engine::budget;
use crate::engine::io::poll_evented::PollEvented;
use crate::engine::io::source::Direction;
use crate::io::interest::Interest;
use crate::runtime::Handle;
use crate::signal::slot::{Listening, Slot};

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
            // Release pairs with the Acquire in `broadcast`.
            self.pending.store(true, Ordering::Release);
            // A full socket is as good: somebody is going to read it.
            let _ = (&globals.sender).write(&[1]);
        };
        // SAFETY: the handler stores to an atomic and calls `write`, which a signal handler may; it neither
        // allocates nor locks, and `signal-hook-registry` keeps `errno`.
        unsafe { signal_hook_registry::register(signal, handler) }?;
        *installed = true;
        Ok(())
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
        self.listening.wake_by(cx);
        self.follow();
        // A broadcast either came before the waker was stored, and its version is seen now, or finds it.
        if self.listening.take_changed() { Poll::Ready(()) } else { Poll::Pending }
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
        // Not on any task's account.
        budget::with_unconstrained(|| {
            let read = |_| (&*self.socket).read(&mut bytes);
            let mut read = read;
            while let Poll::Ready(Ok(n)) =
                self.socket.registration().poll_io(&mut cx, Direction::Read, &mut read)
            {
                if n == 0 {
                    break;
                }
            }
        });
        // After the socket was emptied: a signal that comes from here on leaves a byte of its own.
        for (signal, kind) in self.globals.kinds.iter().enumerate() {
            if kind.broadcast() && signal == libc::SIGCHLD as usize {
                if let Some(hook) = CHILD_HOOK.get() {
                    hook();
                }
            }
        }
    }
}
