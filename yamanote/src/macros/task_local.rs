//! `task_local!`

/// Declares variables that each task has for itself, as `thread_local!` does for threads.
///
/// Each becomes a [`LocalKey`](crate::task::LocalKey), whose value is set for the duration of a future by
/// [`scope`](crate::task::LocalKey::scope).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// yamanote::task_local! {
///     /// Which request is being served.
///     pub static REQUEST: u32;
/// }
///
/// let number = REQUEST.scope(7, async { REQUEST.get() }).await;
/// assert_eq!(number, 7);
/// # }
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty; $($rest:tt)*) => {
        $crate::task_local!(@key [$(#[$attr])*] $vis $name $t);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty) => {
        $crate::task_local!(@key [$(#[$attr])*] $vis $name $t);
    };
    (@key [$(#[$attr:meta])*] $vis:vis $name:ident $t:ty) => {
        $(#[$attr])*
        $vis static $name: $crate::task::LocalKey<$t> = {
            ::std::thread_local! {
                static VALUE: ::std::cell::RefCell<::core::option::Option<$t>> = const {
                    ::std::cell::RefCell::new(::core::option::Option::None)
                };
            }
            $crate::task::LocalKey::__new(&VALUE)
        };
    };
}
