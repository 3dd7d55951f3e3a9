//! Taking and showing traces.

use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::backtrace::Backtrace;
use crate::engine::trace;

/// Where futures wait: the stacks of all leaves that were reached, each up to its root.
///
/// Shown by [`Display`](fmt::Display) as a tree: a call a line, callees indented below, siblings for what is
/// waited for at the same time.
pub struct Trace {
    /// The innermost frame first.
    stacks: Vec<Vec<backtrace::Frame>>,
}

impl Trace {
    /// Runs `f`, which should poll a future once, in tracing mode, and tells which leaves it reached.
    ///
    /// Operations of this crate make no progress meanwhile; each wakes its task instead, to be polled again.
    ///
    /// # Examples
    /// ```
    /// use std::future::{Future, poll_fn};
    /// use std::pin::pin;
    /// use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut waits = pin!(Trace::root(async {
    ///     yamanote::time::sleep(std::time::Duration::from_millis(1)).await;
    /// }));
    /// let (poll, trace) =
    ///     poll_fn(|cx| std::task::Poll::Ready(Trace::capture(|| waits.as_mut().poll(cx)))).await;
    /// assert!(poll.is_pending());
    /// assert_eq!(trace.resolve_backtraces().len(), 1);
    /// waits.await;
    /// # }
    /// ```
    pub fn capture<F, R>(f: F) -> (R, Trace)
    where
        F: FnOnce() -> R,
    {
        let mut stacks = Vec::new();
        let result = trace_with(f, |meta| stacks.push(stack(meta)));
        (result, Trace { stacks })
    }

    /// Makes `future` a root: traces of what it waits for end at it.
    ///
    /// # Examples
    /// ```
    /// use std::future::{Future, poll_fn};
    /// use std::pin::pin;
    /// use std::task::Poll;
    /// use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// async fn inner() {
    ///     yamanote::task::yield_now().await;
    /// }
    ///
    /// // What executes the future is above the root, and not shown.
    /// let mut future = pin!(Trace::root(inner()));
    /// let (_, trace) = poll_fn(|cx| Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))).await;
    /// assert!(trace.to_string().contains("inner") && !trace.to_string().contains("block_on"));
    /// # }
    /// ```
    pub fn root<F>(future: F) -> Root<F>
    where
        F: Future,
    {
        Root { future }
    }

    /// Looks up the names of the functions in the trace, for each leaf that was reached. Slow.
    ///
    /// # Examples
    /// ```
    /// use std::future::{Future, poll_fn};
    /// use std::pin::pin;
    /// use std::task::Poll;
    /// use yamanote::runtime::dump::Trace;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut future = pin!(Trace::root(yamanote::task::yield_now()));
    /// let (_, trace) = poll_fn(|cx| Poll::Ready(Trace::capture(|| future.as_mut().poll(cx)))).await;
    /// for backtrace in trace.resolve_backtraces() {
    ///     for symbol in backtrace.frames().flat_map(|frame| frame.symbols()) {
    ///         println!("{}", symbol.name_demangled().unwrap_or("?"));
    ///     }
    /// }
    /// # }
    /// ```
    pub fn resolve_backtraces(&self) -> Vec<Backtrace> {
        self.stacks.iter().map(|stack| Backtrace::resolve(stack)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }
}

/// The frames between a leaf and its root, without either.
#[inline(never)]
fn stack(meta: &TraceMeta) -> Vec<backtrace::Frame> {
    let mut frames = Vec::new();
    let mut above_leaf = false;
    backtrace::trace(|frame| {
        let address = frame.symbol_address().cast_const();
        if meta.root_addr.is_some_and(|root| trace::same(root, address)) {
            return false;
        }
        if above_leaf {
            frames.push(frame.clone());
        }
        above_leaf |= trace::same(meta.trace_leaf_addr, address);
        true
    });
    frames
}

/// Runs `f`, which should poll a future once, in tracing mode, and calls `trace_leaf` at each leaf that is reached.
///
/// The closure runs inside the leaf, so the stack is that of the waiting future: it can be looked at with whatever
/// unwinder is preferred. What it needs to know is in [`TraceMeta`].
///
/// # Examples
/// ```
/// use std::future::{Future, poll_fn};
/// use std::pin::pin;
/// use std::task::Poll;
/// use yamanote::runtime::dump::{Trace, trace_with};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut future = pin!(Trace::root(async { yamanote::join!(std::future::ready(()), yamanote::task::yield_now()) }));
/// let mut leaves = 0;
/// let poll = poll_fn(|cx| {
///     Poll::Ready(trace_with(|| future.as_mut().poll(cx).is_pending(), |_leaf| leaves += 1))
/// })
/// .await;
/// assert!(poll);
/// assert_eq!(leaves, 1);
/// # }
/// ```
pub fn trace_with<FN, FT, R>(f: FN, mut trace_leaf: FT) -> R
where
    FN: FnOnce() -> R,
    FT: FnMut(&TraceMeta),
{
    trace::with_tracer(&mut trace_leaf, f)
}

/// Which part of the stack belongs to the future: from [`trace_with`].
///
/// # Examples
/// ```
/// use std::future::{Future, poll_fn};
/// use std::pin::pin;
/// use std::task::Poll;
/// use yamanote::runtime::dump::{Trace, trace_with};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut future = pin!(Trace::root(yamanote::task::yield_now()));
/// let mut bounds = None;
/// poll_fn(|cx| {
///     let poll = || future.as_mut().poll(cx).is_pending();
///     Poll::Ready(trace_with(poll, |meta| bounds = Some((meta.trace_leaf_addr, meta.root_addr))))
/// })
/// .await;
/// let (leaf, root) = bounds.unwrap();
/// assert!(!leaf.is_null() && root.is_some());
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct TraceMeta {
    /// The function that polls the innermost [`Root`], if there is one: callers from it on are the executor's.
    pub root_addr: Option<*const c_void>,
    /// The function that called the closure: it and its callees are the runtime's.
    pub trace_leaf_addr: *const c_void,
}

pin_project_lite::pin_project! {
    /// A future at which traces end. Made by [`Trace::root`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::dump::{Root, Trace};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// /// A future of an executor's, under which traces end.
    /// struct Job<F>(Root<F>);
    ///
    /// let job = Job(Trace::root(async { 7 }));
    /// assert_eq!(job.0.await, 7);
    /// # }
    /// ```
    #[derive(Debug, Clone)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Root<T> {
        #[pin]
        future: T,
    }
}

impl<T: Future> Future for Root<T> {
    type Output = T::Output;

    // Not inlined: its address marks the root in the stack.
    #[inline(never)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        let address = <Self as Future>::poll as *const c_void;
        trace::with_root(address, || self.project().future.poll(cx))
    }
}

/// A call and what it calls, for display.
#[derive(Default)]
struct Tree {
    calls: Vec<(String, Tree)>,
}

impl Tree {
    fn insert(&mut self, calls: impl Iterator<Item = String>) {
        let mut here = self;
        for call in calls {
            let at = here.calls.iter().position(|(name, _)| *name == call).unwrap_or_else(|| {
                here.calls.push((call, Tree::default()));
                here.calls.len() - 1
            });
            here = &mut here.calls[at].1;
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        for (call, callees) in &self.calls {
            writeln!(f, "{:depth$}{call}", "")?;
            callees.write(f, depth + 2)?;
        }
        Ok(())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tree = Tree::default();
        for backtrace in self.resolve_backtraces() {
            let symbols: Vec<_> = backtrace.frames().flat_map(|frame| frame.symbols()).collect();
            tree.insert(symbols.into_iter().rev().map(ToString::to_string));
        }
        tree.write(f, 0)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("backtraces", &self.resolve_backtraces()).finish()
    }
}
