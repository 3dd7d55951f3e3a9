//! Making directories with options.

use std::io;
use std::path::Path;

use crate::fs::asyncify;

/// Makes directories, recursively or with a mode.
///
/// The asynchronous form of [`std::fs::DirBuilder`].
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// yamanote::fs::DirBuilder::new().recursive(true).create(dir.path().join("a/b")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct DirBuilder {
    recursive: bool,
    /// Where there are modes.
    mode: Option<u32>,
}

impl DirBuilder {
    /// Options for one directory whose parent exists, with the default mode.
    pub fn new() -> Self {
        DirBuilder::default()
    }

    /// Whether missing parents are made too; a directory that exists is then no error.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// The mode of the new directories, less the process's mask (0o777 by default).
    #[cfg(unix)]
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = Some(mode);
        self
    }

    /// Makes the directory.
    ///
    /// # Errors
    /// If it or a parent cannot be made; if it exists and [`recursive`](DirBuilder::recursive) is off.
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref().to_owned();
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(self.recursive);
        crate::sys::fs::set_dir_mode(&mut builder, self.mode);
        asyncify(move || builder.create(path)).await
    }
}
