//! Planted bugs, to see that the checks catch bugs (`cargo xtask canary`).
//!
//! `canary!("name")` is `false`, and what hangs on it is no code at all, unless the crate is built with `--cfg canary`;
//! then it is true for the one that the environment names.

macro_rules! canary {
    ($name:literal) => {{
        #[cfg(canary)]
        let planted = $crate::util::canary::is_planted($name);
        #[cfg(not(canary))]
        let planted = false;
        planted
    }};
}

pub(crate) use canary;

#[cfg(canary)]
pub(crate) fn is_planted(name: &str) -> bool {
    // Not one of loom's: models must not see it.
    static PLANTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    PLANTED.get_or_init(|| std::env::var("YAMANOTE_CANARY").ok()).as_deref() == Some(name)
}
