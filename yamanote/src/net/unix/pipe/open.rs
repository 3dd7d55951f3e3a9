//! Opening an end of a FIFO.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{End, Receiver, Sender, not_a_pipe};
use crate::sys;

/// How to open an end of a FIFO.
///
/// # Examples
/// ```no_run
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::unix::pipe;
///
/// let receiver = pipe::OpenOptions::new().open_receiver("path/to/fifo")?;
/// let sender = pipe::OpenOptions::new().open_sender("path/to/fifo")?;
/// # drop((sender, receiver));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    unchecked: bool,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    read_write: bool,
}

impl OpenOptions {
    /// Options that are all off.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::unix::pipe::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Not a FIFO.
    /// # let file = tempfile::NamedTempFile::new()?;
    /// # let path = file.path();
    /// let error = OpenOptions::new().open_receiver(path).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Opens either end for reading *and* writing, which Linux allows for FIFOs.
    ///
    /// A sender can then be opened before there is a receiver, and a receiver never sees the end of the
    /// stream, since it counts as a sender itself.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    /// use yamanote::net::unix::pipe::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("fifo");
    /// assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// // Nobody receives yet, which would be an error otherwise.
    /// let mut sender = OpenOptions::new().read_write(true).open_sender(&path)?;
    /// sender.write_all(b"text").await?;
    /// let mut receiver = OpenOptions::new().open_receiver(&path)?;
    /// let mut buf = [0; 4];
    /// receiver.read_exact(&mut buf).await?;
    /// assert_eq!(buf, *b"text");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(any(target_os = "linux", target_os = "android"))))]
    pub fn read_write(&mut self, value: bool) -> &mut OpenOptions {
        self.read_write = value;
        self
    }

    /// Does not check that the file is a FIFO. What happens if it is not depends on the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::net::unix::pipe::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("fifo");
    /// assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// // Saves a system call, for who knows what lies at the path.
    /// let receiver = OpenOptions::new().unchecked(true).open_receiver(&path)?;
    /// # drop(receiver);
    /// # Ok(())
    /// # }
    /// ```
    pub fn unchecked(&mut self, value: bool) -> &mut OpenOptions {
        self.unchecked = value;
        self
    }

    /// Opens the end that reads. Does not wait for a sender.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`InvalidInput`](io::ErrorKind::InvalidInput) when the file is no FIFO, and others of the
    /// system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    /// use yamanote::net::unix::pipe::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("fifo");
    /// assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// let mut receiver = OpenOptions::new().open_receiver(&path)?;
    /// // Somebody else writes to it.
    /// let writer = path.clone();
    /// let writing = yamanote::task::spawn_blocking(move || std::fs::write(writer, "text"));
    /// let mut text = String::new();
    /// while text.is_empty() {
    ///     receiver.readable().await?;
    ///     receiver.read_to_string(&mut text).await?;
    /// }
    /// assert_eq!(text, "text");
    /// writing.await??;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        Receiver::from_nonblocking(self.open(path.as_ref(), End::Receiver)?.into())
    }

    /// Opens the end that writes.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// With kind [`InvalidInput`](io::ErrorKind::InvalidInput) when the file is no FIFO, with `ENXIO` when
    /// no receiver has it open, and others of the system.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    /// use yamanote::net::unix::pipe::OpenOptions;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("fifo");
    /// assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// // Nobody has the other end open.
    /// assert!(OpenOptions::new().open_sender(&path).is_err());
    ///
    /// let _receiver = OpenOptions::new().open_receiver(&path)?;
    /// let mut sender = OpenOptions::new().open_sender(&path)?;
    /// sender.write_all(b"text").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        Sender::from_nonblocking(self.open(path.as_ref(), End::Sender)?.into())
    }

    fn open(&self, path: &Path, end: End) -> io::Result<File> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let both = self.read_write;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let both = false;
        let file = std::fs::OpenOptions::new()
            .read(both || end == End::Receiver)
            .write(both || end == End::Sender)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        if !self.unchecked && !sys::unix::is_pipe(file.as_fd())? {
            return Err(not_a_pipe());
        }
        Ok(file)
    }
}
