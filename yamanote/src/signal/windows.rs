//! Signals of Windows: what a console tells the programs that are attached to it.
//!
//! While there is a listener, a signal of its kind does not end the process by itself. Of
//! [`ctrl_close`], [`ctrl_logoff`] and [`ctrl_shutdown`] that holds for a few seconds only: the system ends the process
//! when these are over, whatever it does. So a program has that much time to put things in order, and ends itself.
//!
//! Listeners need no runtime to be made, and work on any executor.

use std::io;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use super::slot::{Listening, Slot};
use crate::sys::console::{self, Event};

/// What the process keeps for each event.
static SLOTS: [Slot; Event::COUNT] = [const { Slot::new() }; Event::COUNT];

/// Called by the system, in a thread of its own for each event; whether somebody listens.
fn on_event(event: Event) -> bool {
    let slot = &SLOTS[event as usize];
    let is_heard = slot.has_listeners();
    if is_heard {
        slot.tell();
    }
    is_heard
}

struct Listener {
    listening: Listening,
    _not_unwind_safe: crate::util::NotUnwindSafe,
}

impl Listener {
    fn new(event: Event) -> io::Result<Listener> {
        console::install(on_event)?;
        let listening = Listening::new(&SLOTS[event as usize]);
        Ok(Listener { listening, _not_unwind_safe: PhantomData })
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.listening.poll_changed(cx).map(Some)
    }
}

/// Makes a listener for: the user interrupts the process, by Ctrl-C.
///
/// # Errors
/// If the system refuses the handler.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::signal::windows::ctrl_c;
///
/// let mut signal = ctrl_c()?;
/// loop {
///     signal.recv().await;
///     println!("heard it");
/// }
/// # }
/// ```
pub fn ctrl_c() -> io::Result<CtrlC> {
    Ok(CtrlC { listener: Listener::new(Event::C)? })
}

/// Hears when the user interrupts the process, by Ctrl-C. Made by [`ctrl_c`].
///
/// Signals that come while nobody looks are told at the next look, all together as one.
#[must_use = "listeners do nothing unless polled"]
pub struct CtrlC {
    listener: Listener,
}

/// Makes a listener for: the user presses Ctrl-Break.
///
/// # Errors
/// If the system refuses the handler.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::signal::windows::ctrl_break;
///
/// let mut signal = ctrl_break()?;
/// loop {
///     signal.recv().await;
///     println!("heard it");
/// }
/// # }
/// ```
pub fn ctrl_break() -> io::Result<CtrlBreak> {
    Ok(CtrlBreak { listener: Listener::new(Event::Break)? })
}

/// Hears when the user presses Ctrl-Break. Made by [`ctrl_break`].
///
/// Signals that come while nobody looks are told at the next look, all together as one.
#[must_use = "listeners do nothing unless polled"]
pub struct CtrlBreak {
    listener: Listener,
}

/// Makes a listener for: the console's window is closed.
///
/// # Errors
/// If the system refuses the handler.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::signal::windows::ctrl_close;
///
/// ctrl_close()?.recv().await;
/// println!("putting things in order");
/// # Ok(())
/// # }
/// ```
pub fn ctrl_close() -> io::Result<CtrlClose> {
    Ok(CtrlClose { listener: Listener::new(Event::Close)? })
}

/// Hears when the console's window is closed. Made by [`ctrl_close`].
///
/// Signals that come while nobody looks are told at the next look, all together as one.
#[must_use = "listeners do nothing unless polled"]
pub struct CtrlClose {
    listener: Listener,
}

/// Makes a listener for: the user logs off (services hear of it, other programs may not).
///
/// # Errors
/// If the system refuses the handler.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::signal::windows::ctrl_logoff;
///
/// ctrl_logoff()?.recv().await;
/// println!("putting things in order");
/// # Ok(())
/// # }
/// ```
pub fn ctrl_logoff() -> io::Result<CtrlLogoff> {
    Ok(CtrlLogoff { listener: Listener::new(Event::Logoff)? })
}

/// Hears when the user logs off (services hear of it, other programs may not). Made by [`ctrl_logoff`].
///
/// Signals that come while nobody looks are told at the next look, all together as one.
#[must_use = "listeners do nothing unless polled"]
pub struct CtrlLogoff {
    listener: Listener,
}

/// Makes a listener for: the system shuts down (services hear of it, other programs may not).
///
/// # Errors
/// If the system refuses the handler.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::signal::windows::ctrl_shutdown;
///
/// ctrl_shutdown()?.recv().await;
/// println!("putting things in order");
/// # Ok(())
/// # }
/// ```
pub fn ctrl_shutdown() -> io::Result<CtrlShutdown> {
    Ok(CtrlShutdown { listener: Listener::new(Event::Shutdown)? })
}

/// Hears when the system shuts down (services hear of it, other programs may not). Made by [`ctrl_shutdown`].
///
/// Signals that come while nobody looks are told at the next look, all together as one.
#[must_use = "listeners do nothing unless polled"]
pub struct CtrlShutdown {
    listener: Listener,
}

macro_rules! listeners {
    ($($ty:ident),+) => {$(
        impl $ty {
            /// Waits for the next signal. Never `None`.
            ///
            /// # Cancel safety
            /// No signal is lost if the future is dropped.
            pub async fn recv(&mut self) -> Option<()> {
                std::future::poll_fn(|cx| self.poll_recv(cx)).await
            }

            /// Polls for the next signal. Never ready with `None`.
            ///
            /// Only the last waker is woken.
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
                self.listener.poll_recv(cx)
            }
        }

        impl std::fmt::Debug for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($ty)).finish_non_exhaustive()
            }
        }
    )+};
}

listeners!(CtrlC, CtrlBreak, CtrlClose, CtrlLogoff, CtrlShutdown);

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sys::console::handle;

    /// The events of one kind: tests run side by side.
    #[test]
    fn a_listener_hears_and_without_one_the_system_goes_on() {
        let runtime = crate::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut first, mut second) = (ctrl_break().unwrap(), ctrl_break().unwrap());
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert!(first.poll_recv(&mut cx).is_pending());
            let system = std::thread::spawn(|| handle(Event::Break));
            first.recv().await;
            assert!(system.join().unwrap());
            // Two as one, though the other had not been polled.
            assert!(handle(Event::Break));
            second.recv().await;
            assert!(second.poll_recv(&mut cx).is_pending());
            assert!(first.poll_recv(&mut cx).is_ready());
            drop(first);
            assert!(handle(Event::Break));
            drop(second);
            assert!(!handle(Event::Break));
        });
    }

    #[test]
    fn kinds_do_not_mix() {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let (mut c, mut logoff) = (ctrl_c().unwrap(), ctrl_logoff().unwrap());
        assert!(handle(Event::C));
        assert!(c.poll_recv(&mut cx).is_ready());
        assert!(logoff.poll_recv(&mut cx).is_pending());
        assert!(!handle(Event::Shutdown));
        assert_eq!(format!("{c:?}"), "CtrlC { .. }");
    }
}
