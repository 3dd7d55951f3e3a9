//! Signals of Unix systems.

use std::io;
use std::marker::PhantomData;
use std::os::raw::c_int;
use std::task::{Context, Poll};

use super::dispatch::Listener;

/// A kind of signal.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// A signal by its number, for those without a name here, real-time signals for instance.
    ///
    /// Whether it can be listened for shows when a listener is made.
    ///
    /// # Examples
    /// ```
    /// use yamanote::signal::unix::SignalKind;
    ///
    /// assert_eq!(SignalKind::from_raw(SignalKind::hangup().as_raw_value()), SignalKind::hangup());
    /// ```
    pub const fn from_raw(signum: c_int) -> Self {
        SignalKind(signum)
    }

    /// The signal's number.
    ///
    /// # Examples
    /// ```
    /// use yamanote::signal::unix::SignalKind;
    ///
    /// let kind = SignalKind::terminate();
    /// assert_eq!(SignalKind::from_raw(kind.as_raw_value()), kind);
    /// ```
    pub const fn as_raw_value(&self) -> c_int {
        self.0
    }

    /// `SIGALRM`: a timer of the system's has run out.
    ///
    /// # Examples
    /// ```
    /// use yamanote::signal::unix::SignalKind;
    ///
    /// assert_ne!(SignalKind::alarm(), SignalKind::interrupt());
    /// ```
    pub const fn alarm() -> Self {
        SignalKind(libc::SIGALRM)
    }

    /// `SIGCHLD`: a child process has changed its state.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut children = signal(SignalKind::child())?;
    /// children.recv().await;
    /// println!("a child has ended or stopped");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn child() -> Self {
        SignalKind(libc::SIGCHLD)
    }

    /// `SIGHUP`: the terminal is gone; for services, by convention, a wish to read the configuration again.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut hangups = signal(SignalKind::hangup())?;
    /// while hangups.recv().await.is_some() {
    ///     println!("reading the configuration again");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn hangup() -> Self {
        SignalKind(libc::SIGHUP)
    }

    /// `SIGINFO`: the user asks how things stand.
    #[cfg(any(
        target_os = "illumos",
        target_os = "macos",
        target_os = "freebsd",
        target_os = "openbsd",
        target_os = "netbsd",
        target_os = "dragonfly",
    ))]
    pub const fn info() -> Self {
        SignalKind(libc::SIGINFO)
    }

    /// `SIGINT`: the user interrupts the process.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut interrupts = signal(SignalKind::interrupt())?;
    /// interrupts.recv().await;
    /// println!("Ctrl-C was pressed");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn interrupt() -> Self {
        SignalKind(libc::SIGINT)
    }

    /// `SIGIO`: input or output is possible on a file descriptor that asked for signals.
    ///
    /// # Examples
    /// ```
    /// use yamanote::signal::unix::SignalKind;
    ///
    /// assert_ne!(SignalKind::io(), SignalKind::pipe());
    /// ```
    #[cfg(not(target_os = "haiku"))]
    pub const fn io() -> Self {
        SignalKind(libc::SIGIO)
    }

    /// `SIGPIPE`: the process wrote to a pipe that nobody reads.
    ///
    /// # Examples
    /// ```
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // With a listener a write to a closed pipe is an error as any other, and no end of the process.
    /// let broken = signal(SignalKind::pipe())?;
    /// # drop(broken);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn pipe() -> Self {
        SignalKind(libc::SIGPIPE)
    }

    /// `SIGQUIT`: the user wants the process to end, with a memory image.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut quits = signal(SignalKind::quit())?;
    /// quits.recv().await;
    /// println!("Ctrl-\\ was pressed");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn quit() -> Self {
        SignalKind(libc::SIGQUIT)
    }

    /// `SIGTERM`: somebody asks the process to end.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut terminations = signal(SignalKind::terminate())?;
    /// terminations.recv().await;
    /// println!("asked to end");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn terminate() -> Self {
        SignalKind(libc::SIGTERM)
    }

    /// `SIGUSR1`: means what the program says it means.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut requests = signal(SignalKind::user_defined1())?;
    /// while requests.recv().await.is_some() {
    ///     println!("somebody sent SIGUSR1");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn user_defined1() -> Self {
        SignalKind(libc::SIGUSR1)
    }

    /// `SIGUSR2`: means what the program says it means.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut requests = signal(SignalKind::user_defined2())?;
    /// while requests.recv().await.is_some() {
    ///     println!("somebody sent SIGUSR2");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn user_defined2() -> Self {
        SignalKind(libc::SIGUSR2)
    }

    /// `SIGWINCH`: the terminal's window has another size.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut changes = signal(SignalKind::window_change())?;
    /// while changes.recv().await.is_some() {
    ///     println!("drawing all of it again");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn window_change() -> Self {
        SignalKind(libc::SIGWINCH)
    }
}

impl From<c_int> for SignalKind {
    fn from(signum: c_int) -> Self {
        SignalKind(signum)
    }
}

impl From<SignalKind> for c_int {
    fn from(kind: SignalKind) -> Self {
        kind.0
    }
}

/// A listener for one kind of signal.
///
/// Signals that come while nobody looks are told at the next look, all together as one.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::signal::unix::{SignalKind, signal};
///
/// let mut hangups = signal(SignalKind::hangup())?;
/// loop {
///     hangups.recv().await;
///     println!("reading the configuration again");
/// }
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Signal {
    listener: Listener,
    _not_unwind_safe: crate::util::NotUnwindSafe,
}

/// Makes a listener for one kind of signal.
///
/// From now on signals of that kind no longer do to the process what they did, for as long as it lives.
///
/// # Errors
/// If the kind cannot be listened for (`SIGKILL`, `SIGSTOP`, `SIGILL`, `SIGFPE`, `SIGSEGV`, numbers that are
/// none), or the system refuses.
///
/// # Panics
/// Outside a runtime with input/output enabled.
///
/// # Examples
/// ```no_run
/// use yamanote::signal::unix::{SignalKind, signal};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut interrupts, mut terminations) =
///     (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
/// yamanote::select! {
///     _ = interrupts.recv() => println!("interrupted"),
///     _ = terminations.recv() => println!("terminated"),
/// }
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Ok(Signal { listener: Listener::new(kind.0)?, _not_unwind_safe: PhantomData })
}

/// What Ctrl-C sends.
#[track_caller]
pub(super) fn interrupt() -> io::Result<Signal> {
    signal(SignalKind::interrupt())
}

impl Signal {
    /// Waits for the next signal. Never `None`.
    ///
    /// # Cancel safety
    /// No signal is lost if the future is dropped.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut hangups = signal(SignalKind::hangup())?;
    /// while hangups.recv().await.is_some() {
    ///     println!("once or several times since the last look");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Option<()> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Polls for the next signal. Never ready with `None`.
    ///
    /// Only the last waker is woken.
    ///
    /// # Examples
    /// ```no_run
    /// use std::future::poll_fn;
    /// use yamanote::signal::unix::{SignalKind, signal};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut hangups = signal(SignalKind::hangup())?;
    /// poll_fn(|cx| hangups.poll_recv(cx)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.listener.poll_changed(cx).map(Some)
    }

    /// Fails if there is no runtime, of those that polled it, which could still tell of a signal.
    #[cfg(feature = "process")]
    pub(crate) fn check_runtime(&self) -> io::Result<()> {
        self.listener.check_runtime()
    }
}

impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signal").finish_non_exhaustive()
    }
}
