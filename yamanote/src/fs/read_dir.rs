//! Walking a directory.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{FileType, Metadata};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

use crate::engine::blocking::spawn_blocking;
use crate::fs::{asyncify, cached};
use crate::task::{JoinHandle, coop};

/// Entries read by the first job, by each further one [`GROWTH`] times as many as by the one before, and at most by one. A
/// job costs microseconds, an entry well under one: who looks for the first few does not pay for a thousand, and who reads
/// a thousand does not wait for thirty jobs.
const FIRST_BATCH: usize = 64;
const GROWTH: usize = 4;
/// As many as the kernel tells of at once, or so: in the 32 KiB that are asked for.
const MAX_BATCH: usize = 1024;

/// The entries of a directory.
///
/// `.` and `..` are not among them; the order is the system's.
///
/// The asynchronous form of [`std::fs::read_dir`].
///
/// # Errors
/// If there is no such directory, or no permission to read it.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # yamanote::fs::write(dir.path().join("a"), "").await?;
/// let mut listing = yamanote::fs::read_dir(dir.path()).await?;
/// while let Some(entry) = listing.next_entry().await? {
///     println!("{:?}", entry.file_name());
/// }
/// # Ok(())
/// # }
/// ```
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let batch = asyncify(move || Ok(Batch::next(std::fs::read_dir(path)?, FIRST_BATCH))).await?;
    Ok(ReadDir { state: State::Have(batch) })
}

/// What one job read, and what is left to read.
struct Batch {
    entries: VecDeque<io::Result<DirEntry>>,
    /// `None` when the directory has been read to its end.
    rest: Option<std::fs::ReadDir>,
    /// How many entries the next job is to read.
    next: usize,
}

impl Batch {
    fn next(mut dir: std::fs::ReadDir, size: usize) -> Batch {
        let next = (size * GROWTH).min(MAX_BATCH);
        let mut entries = VecDeque::with_capacity(FIRST_BATCH);
        while entries.len() < size {
            match dir.next() {
                Some(Ok(entry)) => entries.push_back(Ok(DirEntry::new(entry))),
                Some(Err(error)) => {
                    // Told once the entries before it have been; reading then goes on.
                    entries.push_back(Err(error));
                    break;
                }
                None => return Batch { entries, rest: None, next },
            }
        }
        Batch { entries, rest: Some(dir), next }
    }
}

enum State {
    Have(Batch),
    Reading(JoinHandle<Batch>),
    /// The job was lost with its runtime.
    Lost,
}

/// The entries of a directory, one by one: from [`read_dir`].
///
/// # Examples
/// ```
/// use yamanote::fs::{self, ReadDir};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// for name in ["a", "b", "c"] {
///     fs::write(folder.join(name), "").await?;
/// }
/// let mut listing: ReadDir = fs::read_dir(folder).await?;
/// let mut names = Vec::new();
/// while let Some(entry) = listing.next_entry().await? {
///     names.push(entry.file_name());
/// }
/// names.sort(); // they come in any order
/// assert_eq!(names, ["a", "b", "c"]);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is read unless it is polled"]
pub struct ReadDir {
    state: State,
}

impl ReadDir {
    /// The next entry; `None` at the end.
    ///
    /// # Cancel safety
    /// An entry is not lost if the future is dropped.
    ///
    /// # Errors
    /// If the system fails to read on.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let mut entries = fs::read_dir(folder).await?;
    /// assert!(entries.next_entry().await?.is_none()); // `.` and `..` do not count
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        std::future::poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// Polls for the next entry; `None` at the end.
    ///
    /// # Errors
    /// As for [`next_entry`](ReadDir::next_entry).
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// fs::write(folder.join("file"), "").await?;
    /// let mut entries = fs::read_dir(folder).await?;
    /// let entry = poll_fn(|cx| entries.poll_next_entry(cx)).await?;
    /// assert_eq!(entry.expect("there is one").file_name(), "file");
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        loop {
            match &mut self.state {
                State::Have(batch) => {
                    if !batch.entries.is_empty() {
                        // A batch is many: others shall run in between.
                        ready!(coop::poll_proceed(cx)).made_progress();
                    }
                    if let Some(entry) = batch.entries.pop_front() {
                        return Poll::Ready(entry.map(Some));
                    }
                    let Some(dir) = batch.rest.take() else { return Poll::Ready(Ok(None)) };
                    let size = batch.next;
                    self.state = State::Reading(spawn_blocking(move || Batch::next(dir, size)));
                }
                State::Reading(job) => match ready!(Pin::new(job).poll(cx)) {
                    Ok(batch) => self.state = State::Have(batch),
                    Err(error) => {
                        self.state = State::Lost;
                        return Poll::Ready(Err(error.into()));
                    }
                },
                State::Lost => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}

/// An entry of a directory.
///
/// # Examples
/// ```
/// use yamanote::fs::{self, DirEntry};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// fs::write(folder.join("file"), "four").await?;
/// let mut entries = fs::read_dir(folder).await?;
/// let entry: DirEntry = entries.next_entry().await?.expect("there is one");
/// assert_eq!(entry.metadata().await?.len(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DirEntry {
    /// Where the system told the type with the name, no look at the file is needed.
    file_type: Option<FileType>,
    entry: Arc<std::fs::DirEntry>,
}

impl DirEntry {
    fn new(entry: std::fs::DirEntry) -> DirEntry {
        // Free on the systems that tell it with the name; we are on a blocking thread for the others.
        DirEntry { file_type: entry.file_type().ok(), entry: Arc::new(entry) }
    }

    /// The directory's path with the entry's name.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// fs::write(folder.join("file"), "").await?;
    /// let entry = fs::read_dir(folder).await?.next_entry().await?.expect("there is one");
    /// assert_eq!(entry.path(), folder.join("file"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// The entry's name.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// fs::write(folder.join("file"), "").await?;
    /// let entry = fs::read_dir(folder).await?.next_entry().await?.expect("there is one");
    /// assert_eq!(entry.file_name(), "file");
    /// # Ok(())
    /// # }
    /// ```
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// What the system knows of the entry, without following a symbolic link.
    ///
    /// # Errors
    /// If the entry is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// fs::write(folder.join("file"), "four").await?;
    /// let entry = fs::read_dir(folder).await?.next_entry().await?.expect("there is one");
    /// assert_eq!(entry.metadata().await?.len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn metadata(&self) -> io::Result<Metadata> {
        if cached::is_enabled() {
            // By the path, which may lead elsewhere by now: it is the answer only for the file that the entry named.
            if let Some(Ok(metadata)) = cached::metadata(&self.entry.path(), false).await {
                if crate::sys::fs::is_of(&metadata, &self.entry) {
                    return Ok(metadata);
                }
            }
        }
        let entry = Arc::clone(&self.entry);
        asyncify(move || entry.metadata()).await
    }

    /// What kind of file the entry is, without following a symbolic link.
    ///
    /// # Errors
    /// If the entry is gone.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// fs::create_dir(folder.join("inner")).await?;
    /// let entry = fs::read_dir(folder).await?.next_entry().await?.expect("there is one");
    /// assert!(entry.file_type().await?.is_dir());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(file_type) = self.file_type {
            return Ok(file_type);
        }
        let entry = Arc::clone(&self.entry);
        asyncify(move || entry.file_type()).await
    }

    /// The number of the file's inode.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::fs::MetadataExt;
    /// use yamanote::fs;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// fs::write(folder.join("file"), "").await?;
    /// let entry = fs::read_dir(folder).await?.next_entry().await?.expect("there is one");
    /// assert_eq!(entry.ino(), entry.metadata().await?.ino());
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(unix)]
    pub fn ino(&self) -> u64 {
        std::os::unix::fs::DirEntryExt::ino(&*self.entry)
    }
}
