//! What there is to know of the standard input.

/// Whether it is a file, so that reading does not wait for anybody.
#[cfg(unix)]
pub(crate) fn is_regular_file() -> bool {
    use std::os::fd::AsFd;

    let Ok(own) = std::io::stdin().as_fd().try_clone_to_owned() else { return false };
    std::fs::File::from(own).metadata().is_ok_and(|metadata| metadata.is_file())
}

/// Whether it is a file, so that reading does not wait for anybody: not known.
#[cfg(not(unix))]
pub(crate) fn is_regular_file() -> bool {
    false
}
