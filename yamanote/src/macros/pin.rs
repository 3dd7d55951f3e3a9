//! `pin!`

/// Pins a value on the stack, under its own name.
///
/// Futures that are polled more than once by reference, in a loop around [`select!`](crate::select) for
/// instance, have to stay in place. Both forms shadow the variable by a `Pin<&mut T>`.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// use yamanote::pin;
///
/// async fn work() -> u32 { 5 }
///
/// let future = work();
/// pin!(future);
/// assert_eq!((&mut future).await, 5);
///
/// // Made and pinned at once:
/// pin! {
///     let one = work();
///     let two = work();
/// }
/// assert_eq!(one.await + two.await, 10);
/// # }
/// ```
#[macro_export]
macro_rules! pin {
    ($($name:ident),* $(,)?) => { $(
        // Moved, so that the caller cannot reach it other than through the pin.
        let mut $name = $name;
        // SAFETY: the variable is shadowed by the pin, so nobody can move what it holds.
        #[allow(unused_mut)]
        let mut $name = unsafe { ::core::pin::Pin::new_unchecked(&mut $name) };
    )* };
    ($(let $name:ident = $init:expr_2021;)*) => {
        $(
            let $name = $init;
            $crate::pin!($name);
        )*
    };
}
