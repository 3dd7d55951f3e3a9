//! Signals: the operating system interrupts the process, and a task hears of it.
//!
//! Signals are the process's, not a runtime's or a task's: every listener hears of every signal. Several
//! that arrive before a listener looks may be told as one. On Unix, once a listener for a kind of signal was
//! made, the process's own reaction to that kind (ending, for most) is off for good, also when the listener is
//! dropped; on Windows it is off while there is a listener.
//!
//! # Examples
//! ```no_run
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! yamanote::signal::ctrl_c().await?;
//! println!("interrupted");
//! # Ok(())
//! # }
//! ```

#[cfg(unix)]
mod dispatch;
mod slot;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

#[cfg(all(unix, feature = "process"))]
pub(crate) use dispatch::on_child_exit;

/// Waits for the user to interrupt the process, by Ctrl-C for instance.
///
/// On Unix, from the first poll on an interrupt no longer ends the process, also when this future is dropped. On
/// Windows it ends the process again once nobody waits for it.
///
/// # Errors
/// If the system refuses the handler.
///
/// # Panics
/// On Unix, outside a runtime with input/output enabled.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// yamanote::select! {
///     () = std::future::pending() => {}
///     result = yamanote::signal::ctrl_c() => {
///         result?;
///         println!("shutting down");
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub async fn ctrl_c() -> std::io::Result<()> {
    interrupt()?.recv().await;
    Ok(())
}

#[cfg(unix)]
use unix::interrupt;
#[cfg(windows)]
use windows::ctrl_c as interrupt;
