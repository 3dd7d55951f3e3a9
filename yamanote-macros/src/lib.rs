//! Procedural macros of the yamanote runtime; use them through `yamanote` (or its `tokio` facade).
//!
//! `#[main]` and `#[test]` exist in several variants that differ in the crate they expand to and in the runtime
//! they take by default; the crate that re-exports them picks those that fit its features. `select_impl` and
//! `join_impl` are what `select!`, `join!` and `try_join!` need of a parser.

mod entry;
mod expression;
mod join;
mod select;
mod tokens;

use proc_macro::TokenStream;

use entry::{Kind, Variant};

const YAMANOTE: Variant = Variant { krate: "yamanote", multi_thread: true };
const YAMANOTE_RT: Variant = Variant { krate: "yamanote", multi_thread: false };
const TOKIO: Variant = Variant { krate: "tokio", multi_thread: true };
const TOKIO_RT: Variant = Variant { krate: "tokio", multi_thread: false };

/// Runs an `async fn` on a runtime made for it: a multi-threaded one, unless told otherwise.
///
/// Fit for `main`, and for any function that shall be called from code that is not asynchronous. Arguments, all
/// optional: `flavor = "multi_thread"`, `"current_thread"` or `"local"`; `worker_threads = N`;
/// `start_paused = true`; `unhandled_panic = "ignore"` or `"shutdown_runtime"`; `name = "…"`; `crate = "path"`.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Main, &YAMANOTE)
}

/// As [`macro@main`], for builds without the multi-threaded runtime.
#[proc_macro_attribute]
pub fn main_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Main, &YAMANOTE_RT)
}

/// Makes a test of an `async fn`, on a single-threaded runtime unless told otherwise.
///
/// The arguments are those of [`macro@main`].
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Test, &YAMANOTE)
}

/// As [`macro@test`], for builds without the multi-threaded runtime.
#[proc_macro_attribute]
pub fn test_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Test, &YAMANOTE_RT)
}

/// As [`macro@main`], for the facade.
#[proc_macro_attribute]
pub fn tokio_main(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Main, &TOKIO)
}

/// As [`macro@main`], for the facade without the multi-threaded runtime.
#[proc_macro_attribute]
pub fn tokio_main_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Main, &TOKIO_RT)
}

/// As [`macro@test`], for the facade.
#[proc_macro_attribute]
pub fn tokio_test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Test, &TOKIO)
}

/// As [`macro@test`], for the facade without the multi-threaded runtime.
#[proc_macro_attribute]
pub fn tokio_test_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(args, item, Kind::Test, &TOKIO_RT)
}

/// Says that the macro needs a feature.
#[proc_macro_attribute]
pub fn main_fail(_args: TokenStream, _item: TokenStream) -> TokenStream {
    entry::missing_feature("The #[tokio::main] macro requires rt or rt-multi-thread.")
}

/// Says that the macro needs a feature.
#[proc_macro_attribute]
pub fn test_fail(_args: TokenStream, _item: TokenStream) -> TokenStream {
    entry::missing_feature("The #[tokio::test] macro requires rt or rt-multi-thread.")
}

/// Behind `select!`.
#[doc(hidden)]
#[proc_macro]
pub fn select_impl(input: TokenStream) -> TokenStream {
    select::expand(input)
}

/// Behind `join!` and `try_join!`.
#[doc(hidden)]
#[proc_macro]
pub fn join_impl(input: TokenStream) -> TokenStream {
    join::expand(input)
}
