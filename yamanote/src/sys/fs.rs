//! What differs between systems about directories and files.

/// Sets the mode of directories to be made.
#[cfg(unix)]
pub(crate) fn set_dir_mode(builder: &mut std::fs::DirBuilder, mode: Option<u32>) {
    if let Some(mode) = mode {
        std::os::unix::fs::DirBuilderExt::mode(builder, mode);
    }
}

/// There are no modes here, and no way to ask for one.
#[cfg(not(unix))]
pub(crate) fn set_dir_mode(_: &mut std::fs::DirBuilder, _: Option<u32>) {}
