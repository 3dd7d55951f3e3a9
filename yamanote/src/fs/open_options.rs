//! How a file is opened.

use std::io;
use std::path::Path;

use crate::fs::{File, asyncify, cached, ring};
use crate::sys::fs::OpenHow;

/// Options for opening a file.
///
/// The asynchronous form of [`std::fs::OpenOptions`], with the same rules about which options go together.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs::OpenOptions;
///
/// let file = OpenOptions::new().read(true).write(true).create(true).truncate(true)
///     .open(dir.path().join("log")).await?;
/// # drop(file);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    std: std::fs::OpenOptions,
    /// The same once more, which the standard library's do not tell. `None` if they came from elsewhere.
    how: Option<OpenHow>,
}

impl OpenOptions {
    /// All options off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = OpenOptions::new().read(true).write(true).create(true).open(&path).await?;
    /// assert_eq!(file.metadata().await?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> OpenOptions {
        OpenOptions { std: std::fs::OpenOptions::new(), how: Some(OpenHow::NONE) }
    }

    /// Whether the file can be read.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::{self, OpenOptions};
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, "text").await?;
    /// let mut text = String::new();
    /// OpenOptions::new().read(true).open(&path).await?.read_to_string(&mut text).await?;
    /// assert_eq!(text, "text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(&mut self, read: bool) -> &mut OpenOptions {
        self.std.read(read);
        self.note(|how| how.read = read);
        self
    }

    /// Whether the file can be written.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::{self, OpenOptions};
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, "old text").await?;
    /// // Over what is there, from its beginning.
    /// let mut file = OpenOptions::new().write(true).open(&path).await?;
    /// file.write_all(b"new").await?;
    /// file.flush().await?;
    /// assert_eq!(fs::read_to_string(&path).await?, "new text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn write(&mut self, write: bool) -> &mut OpenOptions {
        self.std.write(write);
        self.note(|how| how.write = write);
        self
    }

    /// Whether every write goes to the file's end.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::{self, OpenOptions};
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, "one, ").await?;
    /// let mut file = OpenOptions::new().append(true).open(&path).await?;
    /// file.write_all(b"two").await?;
    /// file.flush().await?;
    /// assert_eq!(fs::read_to_string(&path).await?, "one, two");
    /// # Ok(())
    /// # }
    /// ```
    pub fn append(&mut self, append: bool) -> &mut OpenOptions {
        self.std.append(append);
        self.note(|how| how.append = append);
        self
    }

    /// Whether the file's contents are thrown away.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::{self, OpenOptions};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, "old text").await?;
    /// OpenOptions::new().write(true).truncate(true).open(&path).await?;
    /// assert_eq!(fs::metadata(&path).await?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn truncate(&mut self, truncate: bool) -> &mut OpenOptions {
        self.std.truncate(truncate);
        self.note(|how| how.truncate = truncate);
        self
    }

    /// Whether the file is made if it is not there.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// OpenOptions::new().write(true).create(true).open(&path).await?; // makes it
    /// OpenOptions::new().write(true).create(true).open(&path).await?; // opens it
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&mut self, create: bool) -> &mut OpenOptions {
        self.std.create(create);
        self.note(|how| how.create = create);
        self
    }

    /// Whether the file must be made: one that is there is an error.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::fs::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// OpenOptions::new().write(true).create_new(true).open(&path).await?;
    /// // Of several who try at once, one succeeds.
    /// let error = OpenOptions::new().write(true).create_new(true).open(&path).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_new(&mut self, create_new: bool) -> &mut OpenOptions {
        self.std.create_new(create_new);
        self.note(|how| how.create_new = create_new);
        self
    }

    /// Opens a file.
    ///
    /// # Errors
    /// If the file is not there and is not to be made, if it is there and must not be, for want of a
    /// permission, and for options that contradict each other.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::fs::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let error = OpenOptions::new().read(true).open(&path).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        if let Some(how) = &self.how {
            if let Some(result) = cached::open(&path, how).await {
                return result.map(File::opened);
            }
            if let Some(result) = ring::open(&path, how).await {
                return result.map(File::opened);
            }
        }
        let options = self.std.clone();
        Ok(File::opened(asyncify(move || options.open(path)).await?))
    }

    fn note(&mut self, change: impl FnOnce(&mut OpenHow)) {
        if let Some(how) = &mut self.how {
            change(how);
        }
    }

    /// The mode of a file that is made, less the process's mask.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::fs::PermissionsExt;
    /// use yamanote::fs::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = OpenOptions::new().write(true).create(true).mode(0o600).open(&path).await?;
    /// assert_eq!(file.metadata().await?.permissions().mode() & 0o777, 0o600);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(unix)]
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        std::os::unix::fs::OpenOptionsExt::mode(&mut self.std, mode);
        self.note(|how| how.mode = mode);
        self
    }

    /// Further flags for the system's `open`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("link");
    /// std::os::unix::fs::symlink("nowhere", &path)?;
    /// // A link is not followed, not even to nowhere.
    /// let mut options = OpenOptions::new();
    /// let error = options.read(true).custom_flags(libc::O_NOFOLLOW).open(&path).await.unwrap_err();
    /// assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(unix)]
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut self.std, flags);
        self.note(|how| how.custom_flags = flags);
        self
    }
}

#[cfg(windows)]
impl OpenOptions {
    /// The access that is asked for, in place of the one that the other options make.
    pub fn access_mode(&mut self, access: u32) -> &mut OpenOptions {
        std::os::windows::fs::OpenOptionsExt::access_mode(&mut self.std, access);
        self
    }

    /// What others may do with the file meanwhile.
    pub fn share_mode(&mut self, share: u32) -> &mut OpenOptions {
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut self.std, share);
        self
    }

    /// Further flags for the system's `CreateFile2`.
    pub fn custom_flags(&mut self, flags: u32) -> &mut OpenOptions {
        std::os::windows::fs::OpenOptionsExt::custom_flags(&mut self.std, flags);
        self
    }

    /// Attributes of a file that is made.
    pub fn attributes(&mut self, attributes: u32) -> &mut OpenOptions {
        std::os::windows::fs::OpenOptionsExt::attributes(&mut self.std, attributes);
        self
    }

    /// The security quality of service.
    pub fn security_qos_flags(&mut self, flags: u32) -> &mut OpenOptions {
        std::os::windows::fs::OpenOptionsExt::security_qos_flags(&mut self.std, flags);
        self
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions::new()
    }
}

impl From<std::fs::OpenOptions> for OpenOptions {
    fn from(options: std::fs::OpenOptions) -> OpenOptions {
        OpenOptions { std: options, how: None }
    }
}
