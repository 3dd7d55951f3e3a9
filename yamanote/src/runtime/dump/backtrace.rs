//! Resolved stacks.

use std::ffi::c_void;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::sys::stack::Calls;

/// A stack, from a leaf up to its root, with the names of its functions.
///
/// Made by [`Trace::resolve_backtraces`](super::Trace::resolve_backtraces) and
/// [`StallReport::backtrace`](crate::runtime::StallReport::backtrace). Its `Display` has a line for each function.
///
/// # Examples
/// ```
/// # use std::future::{Future, poll_fn};
/// # use yamanote::runtime::dump::Trace;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// # async fn wait_a_moment() {
/// #     yamanote::task::yield_now().await;
/// # }
/// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
/// # let capture = |cx: &mut std::task::Context<'_>| {
/// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
/// # };
/// # let (_, trace) = poll_fn(capture).await;
/// for backtrace in trace.resolve_backtraces() {
///     println!("{} calls deep", backtrace.frames().count());
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Backtrace {
    frames: Vec<BacktraceFrame>,
    is_whole: bool,
}

impl Backtrace {
    /// Looks up the names of the functions that `frames` are in.
    pub(super) fn resolve(frames: &[backtrace::Frame]) -> Backtrace {
        Backtrace { frames: frames.iter().map(BacktraceFrame::resolve).collect(), is_whole: true }
    }

    /// Looks up the functions that are under way, up to the root of the task that they belong to.
    pub(crate) fn of_task(calls: &Calls) -> Backtrace {
        let mut is_whole = calls.is_whole;
        let all = calls.addresses.iter().map(|&address| BacktraceFrame::at(address));
        let until_root = all.take_while(|frame| {
            is_whole |= frame.is_root();
            !frame.is_root()
        });
        let frames = until_root.collect();
        Backtrace { frames, is_whole }
    }

    /// Whether it goes back to where the task is polled, or, for what is no task's, to where the thread began.
    ///
    /// What a stuck worker was doing cannot always be followed that far; see
    /// [`StallReport::backtrace`](crate::runtime::StallReport::backtrace). Its `Display` then ends with a line that says so.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// // Those that a task's waits leave always do.
    /// assert!(trace.resolve_backtraces().iter().all(|backtrace| backtrace.is_whole()));
    /// # }
    /// ```
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The frames, the innermost first.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// // The one that waits is the first.
    /// assert!(backtrace.frames().next().is_some());
    /// # }
    /// ```
    pub fn frames(&self) -> impl Iterator<Item = &BacktraceFrame> {
        self.frames.iter()
    }
}

/// An address, as one that may go from thread to thread: nothing is done with it.
#[derive(Clone, Copy, Debug)]
struct Address(usize);

impl Address {
    fn new(pointer: *mut c_void) -> Address {
        Address(pointer.expose_provenance())
    }

    fn get(self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.0)
    }
}

/// A call in a [`Backtrace`].
///
/// # Examples
/// ```
/// # use std::future::{Future, poll_fn};
/// # use yamanote::runtime::dump::Trace;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// # async fn wait_a_moment() {
/// #     yamanote::task::yield_now().await;
/// # }
/// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
/// # let capture = |cx: &mut std::task::Context<'_>| {
/// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
/// # };
/// # let (_, trace) = poll_fn(capture).await;
/// let backtrace = &trace.resolve_backtraces()[0];
/// for frame in backtrace.frames() {
///     let name = frame.symbols().next().and_then(|symbol| symbol.name_demangled());
///     println!("{:?} in {}", frame.ip(), name.unwrap_or("?"));
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BacktraceFrame {
    ip: Address,
    symbol_address: Address,
    symbols: Vec<BacktraceSymbol>,
}

impl BacktraceFrame {
    fn resolve(frame: &backtrace::Frame) -> BacktraceFrame {
        let mut symbols = Vec::new();
        backtrace::resolve_frame(frame, |symbol| symbols.push(BacktraceSymbol::new(symbol)));
        BacktraceFrame {
            ip: Address::new(frame.ip()),
            symbol_address: Address::new(frame.symbol_address()),
            symbols,
        }
    }

    fn at(address: usize) -> BacktraceFrame {
        let ip = Address(address);
        let mut symbols = Vec::new();
        backtrace::resolve(ip.get(), |symbol| symbols.push(BacktraceSymbol::new(symbol)));
        // What is inlined has no address of its own.
        let symbol_address = symbols.last().and_then(|symbol| symbol.address).unwrap_or(ip);
        BacktraceFrame { ip, symbol_address, symbols }
    }

    /// Whether it is the one that polls a task's future.
    fn is_root(&self) -> bool {
        const ROOT: &str = concat!("<", module_path!());
        let root = ROOT.strip_suffix("backtrace").unwrap_or(ROOT);
        self.symbols()
            .filter_map(BacktraceSymbol::name_demangled)
            .any(|name| name.strip_prefix(root).is_some_and(|rest| rest.starts_with("trace::Root<")))
    }

    /// The instruction to be executed next.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// assert!(backtrace.frames().all(|frame| !frame.ip().is_null()));
    /// # }
    /// ```
    pub fn ip(&self) -> *mut c_void {
        self.ip.get()
    }

    /// Where the function begins.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// let frame = backtrace.frames().next().unwrap();
    /// // How far into the function:
    /// println!("{}", frame.ip() as usize - frame.symbol_address() as usize);
    /// # }
    /// ```
    pub fn symbol_address(&self) -> *mut c_void {
        self.symbol_address.get()
    }

    /// The function, preceded by those that the compiler inlined into it, the innermost first. Empty when
    /// nothing is known.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// let inlined = backtrace.frames().map(|frame| frame.symbols().count().saturating_sub(1)).sum::<usize>();
    /// println!("{inlined} functions have been inlined");
    /// # }
    /// ```
    pub fn symbols(&self) -> impl Iterator<Item = &BacktraceSymbol> {
        self.symbols.iter()
    }
}

/// A function in a [`BacktraceFrame`], and the place in it.
///
/// # Examples
/// ```
/// # use std::future::{Future, poll_fn};
/// # use yamanote::runtime::dump::Trace;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// # async fn wait_a_moment() {
/// #     yamanote::task::yield_now().await;
/// # }
/// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
/// # let capture = |cx: &mut std::task::Context<'_>| {
/// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
/// # };
/// # let (_, trace) = poll_fn(capture).await;
/// let backtrace = &trace.resolve_backtraces()[0];
/// for symbol in backtrace.frames().flat_map(|frame| frame.symbols()) {
///     let place = symbol.filename().zip(symbol.lineno());
///     println!("{:?} at {place:?}", symbol.name_demangled());
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BacktraceSymbol {
    name: Option<Box<[u8]>>,
    name_demangled: Option<Box<str>>,
    address: Option<Address>,
    filename: Option<PathBuf>,
    lineno: Option<u32>,
    colno: Option<u32>,
}

impl BacktraceSymbol {
    fn new(symbol: &backtrace::Symbol) -> BacktraceSymbol {
        let name = symbol.name();
        BacktraceSymbol {
            name: name.as_ref().map(|name| name.as_bytes().into()),
            // Without the hash.
            name_demangled: name.as_ref().map(|name| format!("{name:#}").into()),
            address: symbol.addr().map(Address::new),
            filename: symbol.filename().map(Path::to_owned),
            lineno: symbol.lineno(),
            colno: symbol.colno(),
        }
    }

    /// The name as the linker knows it.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// let symbol = backtrace.frames().flat_map(|frame| frame.symbols()).next().unwrap();
    /// println!("{:?}", symbol.name_raw().map(String::from_utf8_lossy)); // _ZN… or _R…
    /// # }
    /// ```
    pub fn name_raw(&self) -> Option<&[u8]> {
        self.name.as_deref()
    }

    /// The name as the source has it.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtraces = trace.resolve_backtraces();
    /// let mut names = backtraces[0].frames().flat_map(|frame| frame.symbols()).filter_map(|s| s.name_demangled());
    /// assert!(names.any(|name| name.contains("wait_a_moment")));
    /// # }
    /// ```
    pub fn name_demangled(&self) -> Option<&str> {
        self.name_demangled.as_deref()
    }

    /// Where the function begins.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// let symbol = backtrace.frames().flat_map(|frame| frame.symbols()).next().unwrap();
    /// println!("{:?}", symbol.addr());
    /// # }
    /// ```
    pub fn addr(&self) -> Option<*mut c_void> {
        self.address.map(Address::get)
    }

    /// The source file, if debug information tells.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// let symbol = backtrace.frames().flat_map(|frame| frame.symbols()).next().unwrap();
    /// // `None` where the program was built without debug information.
    /// println!("{:?}", symbol.filename());
    /// # }
    /// ```
    pub fn filename(&self) -> Option<&Path> {
        self.filename.as_deref()
    }

    /// The line in it, from 1.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// for symbol in backtrace.frames().flat_map(|frame| frame.symbols()) {
    ///     assert_ne!(symbol.lineno(), Some(0));
    /// }
    /// # }
    /// ```
    pub fn lineno(&self) -> Option<u32> {
        self.lineno
    }

    /// The column in the line, from 1.
    ///
    /// # Examples
    /// ```
    /// # use std::future::{Future, poll_fn};
    /// # use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn wait_a_moment() {
    /// #     yamanote::task::yield_now().await;
    /// # }
    /// # let mut future = std::pin::pin!(Trace::root(wait_a_moment()));
    /// # let capture = |cx: &mut std::task::Context<'_>| {
    /// #     std::task::Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))
    /// # };
    /// # let (_, trace) = poll_fn(capture).await;
    /// let backtrace = &trace.resolve_backtraces()[0];
    /// for symbol in backtrace.frames().flat_map(|frame| frame.symbols()) {
    ///     assert_ne!(symbol.colno(), Some(0));
    /// }
    /// # }
    /// ```
    pub fn colno(&self) -> Option<u32> {
        self.colno
    }
}

/// `name at file:line:column`, as far as it is known.
impl fmt::Display for BacktraceSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name_demangled().unwrap_or("<unknown>");
        f.write_str(&crate::util::names::shown(name))?;
        if let Some(file) = self.filename() {
            write!(f, " at {}", file.display())?;
            for number in [self.lineno(), self.colno()].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for frame in &self.frames {
            for symbol in &frame.symbols {
                writeln!(f, "  {symbol}")?;
            }
            if frame.symbols.is_empty() {
                writeln!(f, "  {:#x}", frame.ip.0)?;
            }
        }
        if !self.is_whole {
            writeln!(f, "  (who called this cannot be told)")?;
        }
        Ok(())
    }
}
