//! `join!` and `try_join!`

/// Waits for several futures, all polled by the calling task, and gives their outputs as a tuple.
///
/// They are not run in parallel: one that blocks holds up the others. To use several threads, spawn the
/// futures and join the handles. Each poll begins with another of the futures; with `biased;` in front,
/// always with the first.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (a, b) = yamanote::join!(async { 1 }, async { "two" });
/// assert_eq!((a, b), (1, "two"));
/// # }
/// ```
#[macro_export]
macro_rules! join {
    ($($futures:tt)*) => {
        $crate::macros::support::join_impl!(($crate) $($futures)*)
    };
}

/// Waits for several futures, all polled by the calling task, until all gave `Ok` or one gave `Err`.
///
/// The result is `Ok` with a tuple, or the first error; the futures that are not done by then are dropped.
/// Otherwise as [`join!`](crate::join).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// async fn half(n: u32) -> Result<u32, String> {
///     if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) }
/// }
///
/// assert_eq!(yamanote::try_join!(half(2), half(8)), Ok((1, 4)));
/// assert_eq!(yamanote::try_join!(half(2), half(3)), Err("3 is odd".to_string()));
/// # }
/// ```
#[macro_export]
macro_rules! try_join {
    ($($futures:tt)*) => {
        $crate::macros::support::join_impl!(($crate) try $($futures)*)
    };
}
