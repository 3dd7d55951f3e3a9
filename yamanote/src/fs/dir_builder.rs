//! Making directories with options.

use std::io;
use std::path::Path;

use crate::fs::{asyncify, ring};

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
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::DirBuilder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// DirBuilder::new().create(folder.join("new")).await?;
    /// assert!(folder.join("new").is_dir());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        DirBuilder::default()
    }

    /// Whether missing parents are made too; a directory that exists is then no error.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::DirBuilder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// DirBuilder::new().recursive(true).create(folder.join("a/b/c")).await?;
    /// assert!(folder.join("a/b/c").is_dir());
    /// # Ok(())
    /// # }
    /// ```
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// The mode of the new directories, less the process's mask (0o777 by default).
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::fs::PermissionsExt;
    /// use yamanote::fs::{self, DirBuilder};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// DirBuilder::new().mode(0o700).create(folder.join("private")).await?;
    /// let mode = fs::metadata(folder.join("private")).await?.permissions().mode();
    /// assert_eq!(mode & 0o777, 0o700);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(unix)]
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = Some(mode);
        self
    }

    /// Makes the directory.
    ///
    /// # Errors
    /// If it or a parent cannot be made; if it exists and [`recursive`](DirBuilder::recursive) is off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::DirBuilder;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// DirBuilder::new().create(folder.join("new")).await?;
    /// // Not twice, unless it is `recursive`.
    /// let error = DirBuilder::new().create(folder.join("new")).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref().to_owned();
        if !self.recursive {
            if let Some(result) = ring::create_dir(&path, self.mode.unwrap_or(0o777)).await {
                return result;
            }
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(self.recursive);
        crate::sys::fs::set_dir_mode(&mut builder, self.mode);
        asyncify(move || builder.create(path)).await
    }
}
