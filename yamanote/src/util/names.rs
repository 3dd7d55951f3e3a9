//! Names of functions, as they are shown.

use std::borrow::Cow;

/// A function's name under the crate name that the program knows this crate by.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    if cfg!(feature = "__facade") && name.contains("yamanote::") {
        Cow::Owned(name.replace("yamanote::", "tokio::"))
    } else {
        Cow::Borrowed(name)
    }
}
