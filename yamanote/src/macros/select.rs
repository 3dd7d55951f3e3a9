//! `select!`

/// Waits for several futures at once, and goes on with the first whose output matches its pattern; the others are
/// dropped.
///
/// ```text
/// select! {
///     biased;                                     // optional
///     pattern = future, if condition => handler,  // any number of branches, `if` optional
///     else => handler,                            // optional
/// }
/// ```
///
/// 1. The conditions are evaluated; a branch whose condition is false is disabled.
/// 2. The futures are made, also those of disabled branches, which are not polled.
/// 3. The enabled ones are polled, all by the calling task: beginning with a random one, so that a branch that
///    is always ready starves no other; or in the order they stand, if the first thing is `biased;`.
/// 4. When one is ready and its output does not match its pattern, its branch is disabled and the others go on. If
///    it matches, all futures are dropped and the handler runs; it may `.await`, `?` and `break`.
/// 5. When all are disabled the `else` handler runs.
///
/// # Cancel safety
/// All but one of the futures are dropped before they are done. With a future that holds what it has received
/// so far, as `read_exact` does, that is lost. Each method says of itself whether it is *cancel safe*. A future
/// that shall go on in the next round is made and [pinned](crate::pin) outside, and used as `&mut future`.
///
/// # Panics
/// If all branches are disabled and there is no `else`.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::sync::mpsc;
///
/// let (tx, mut numbers) = mpsc::unbounded_channel();
/// let (_stop, mut stopped) = mpsc::channel::<()>(1);
/// tx.send(1).unwrap();
/// tx.send(2).unwrap();
/// drop(tx);
///
/// let mut sum = 0;
/// loop {
///     yamanote::select! {
///         Some(n) = numbers.recv() => sum += n,
///         _ = stopped.recv() => break,
///         else => break,
///     }
///     if numbers.is_closed() && numbers.is_empty() {
///         break;
///     }
/// }
/// assert_eq!(sum, 3);
/// # }
/// ```
///
/// A condition, so that a future is not polled after it was done:
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let a = async { 1 };
/// let b = async { 2 };
/// yamanote::pin!(a, b);
/// let (mut first, mut second) = (None, None);
/// while first.is_none() || second.is_none() {
///     yamanote::select! {
///         x = &mut a, if first.is_none() => first = Some(x),
///         x = &mut b, if second.is_none() => second = Some(x),
///     }
/// }
/// assert_eq!((first, second), (Some(1), Some(2)));
/// # }
/// ```
#[macro_export]
macro_rules! select {
    ($($branches:tt)*) => {
        $crate::macros::support::select_impl!(($crate) $($branches)*)
    };
}
