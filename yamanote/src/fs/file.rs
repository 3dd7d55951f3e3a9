//! An open file.

use std::fs::{Metadata, Permissions};
use std::future::Future;
use std::io::{self, IoSlice, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::{fmt, fs::File as StdFile};

use crate::engine::blocking::{spawn_blocking, spawn_mandatory_blocking};
use crate::fs::buffer::Buffer;
use crate::fs::cached::{self, MAX_READ, Position, Way, charge};
use crate::fs::ring::{self, Reading, Refused};
use crate::fs::{FileTimes, OpenOptions, asyncify};
use crate::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use crate::sync::Mutex;
use crate::sys::cached as sys;
use crate::sys::fs::OpenHow;
use crate::task::{JoinHandle, coop};

/// The most bytes a single job reads or writes. Upstream's number.
const MAX_BUFFER: usize = 2 * 1024 * 1024;

/// An open file, read and written by asynchronous operations.
///
/// Reads and writes are [`AsyncRead`](crate::io::AsyncRead) and [`AsyncWrite`](crate::io::AsyncWrite), used through
/// [`AsyncReadExt`](crate::io::AsyncReadExt) and [`AsyncWriteExt`](crate::io::AsyncWriteExt).
///
/// A write is done when the file has *accepted* the bytes: they are written in the background, in order, even if
/// the file is dropped meanwhile. [`flush`](crate::io::AsyncWriteExt::flush) waits for that and tells of
/// errors; a write's error is told by the next operation otherwise. Before a file is dropped whose errors
/// matter, flush it.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("file");
/// use yamanote::fs::File;
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
///
/// let mut file = File::create(&path).await?;
/// file.write_all(b"hello").await?;
/// file.flush().await?;
///
/// let mut text = String::new();
/// File::open(&path).await?.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct File {
    std: Arc<StdFile>,
    inner: Mutex<Inner>,
    max_buffer: usize,
    way: Way,
    position: Position,
}

struct Inner {
    state: State,
    /// What a background write failed with, until somebody is told.
    write_error: Option<io::ErrorKind>,
    position: u64,
    /// A seek was done at once, and nobody has asked what came of it. Until then, or until the file is used otherwise, it
    /// counts as under way.
    sought: bool,
}

enum State {
    /// Holds the buffer; it may hold bytes that were read and not asked for yet.
    Idle(Buffer),
    Busy(Job),
}

/// What a file is busy with.
enum Job {
    Pool(JoinHandle<(Operation, Buffer)>),
    /// Behind so many bytes that were there before.
    Ring(Reading, usize),
}

impl Job {
    /// A job of the pool's: reads until the buffer holds `max` bytes.
    fn read(file: Arc<StdFile>, mut buffer: Buffer, max: usize) -> Job {
        Job::Pool(spawn_blocking(move || {
            let result = buffer.read_from(&mut &*file, max);
            drop(file);
            (Operation::Read(result), buffer)
        }))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Operation, Buffer)>> {
        loop {
            match self {
                Job::Pool(job) => return Pin::new(job).poll(cx).map_err(io::Error::from),
                Job::Ring(reading, begun) => match ready!(reading.poll(cx)) {
                    Ok((result, bytes)) => {
                        let result = match result {
                            Ok(n) => Ok(*begun + n),
                            // Whatever it is, the next read meets it.
                            Err(_) if *begun > 0 => Ok(*begun),
                            Err(error) => Err(error),
                        };
                        return Poll::Ready(Ok((Operation::Read(result), Buffer::holding(bytes))));
                    }
                    Err(Refused { file, bytes, max }) => {
                        let max = bytes.len() + max;
                        *self = Job::read(file, Buffer::holding(bytes), max);
                    }
                },
            }
        }
    }
}

/// What a job did.
enum Operation {
    Read(io::Result<usize>),
    Write(io::Result<()>),
    Seek(io::Result<u64>),
    SetLen(io::Result<()>),
}

/// Puts the position back by bytes that were read ahead and that nobody asked for.
fn step_back(mut file: &StdFile, back: i64) -> io::Result<()> {
    match back {
        0 => Ok(()),
        _ => file.seek(SeekFrom::Current(-back)).map(drop),
    }
}

fn lost() -> io::Error {
    io::Error::other("background task failed")
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// If there is no such file, or no permission to read it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::{self, File};
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// fs::write(&path, "text").await?;
    /// let mut text = String::new();
    /// File::open(&path).await?.read_to_string(&mut text).await?;
    /// assert_eq!(text, "text");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        if let Some(result) = cached::open(&path, &OpenHow::READ).await {
            return result.map(File::opened);
        }
        if let Some(result) = ring::open(&path, &OpenHow::READ).await {
            return result.map(File::opened);
        }
        Ok(File::opened(asyncify(|| StdFile::open(path)).await?))
    }

    /// Opens a file for writing; makes it if it is not there and empties it if it is.
    ///
    /// # Errors
    /// If that is not possible or not allowed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::{self, File};
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let mut file = File::create(&path).await?;
    /// file.write_all(b"text").await?;
    /// file.flush().await?; // when this is done, it is written
    /// assert_eq!(fs::read(&path).await?, b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        if let Some(result) = ring::open(&path, &OpenHow::CREATE).await {
            return result.map(File::opened);
        }
        Ok(File::opened(asyncify(|| StdFile::create(path)).await?))
    }

    /// Makes a file and opens it for reading and writing.
    ///
    /// # Errors
    /// If a file of that name exists ([`AlreadyExists`](io::ErrorKind::AlreadyExists)), or none can be made.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// File::create_new(&path).await?;
    /// assert_eq!(File::create_new(&path).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        let how = OpenHow { read: true, write: true, create_new: true, ..OpenHow::NONE };
        if let Some(result) = ring::open(&path, &how).await {
            return result.map(File::opened);
        }
        let open = || StdFile::options().read(true).write(true).create_new(true).open(path);
        Ok(File::opened(asyncify(open).await?))
    }

    /// Options for opening a file another way.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::options().read(true).append(true).create(true).open(&path).await?;
    /// # drop(file);
    /// # Ok(())
    /// # }
    /// ```
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Takes over a file of the standard library's.
    ///
    /// # Examples
    /// ```
    /// # fn f() -> std::io::Result<()> {
    /// let file = yamanote::fs::File::from_std(std::fs::File::open("foo.txt")?);
    /// # let _ = file;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_std(std: StdFile) -> File {
        File::new(std, Position::unknown())
    }

    /// One that was opened just now: nobody else has it.
    pub(crate) fn opened(std: StdFile) -> File {
        File::new(std, Position::own())
    }

    fn new(std: StdFile, position: Position) -> File {
        File {
            std: Arc::new(std),
            inner: Mutex::new(Inner {
                state: State::Idle(Buffer::default()),
                write_error: None,
                position: 0,
                sought: false,
            }),
            max_buffer: MAX_BUFFER,
            way: Way::default(),
            position,
        }
    }

    /// Has the system write the contents and the metadata through to the disk, after what was accepted.
    ///
    /// # Errors
    /// If that fails. An error of an earlier write is told by [`flush`](crate::io::AsyncWriteExt::flush).
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let mut file = File::create(&path).await?;
    /// file.write_all(b"must not be lost").await?;
    /// file.sync_all().await?; // on the disk, with its length and times
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sync_all(&self) -> io::Result<()> {
        self.inner.lock().await.finish().await;
        if let Some(result) = ring::sync(&self.std, false).await {
            return result;
        }
        let std = Arc::clone(&self.std);
        asyncify(move || std.sync_all()).await
    }

    /// As [`sync_all`](File::sync_all), without metadata that is not needed to read the contents.
    ///
    /// # Errors
    /// As for `sync_all`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let mut file = File::create(&path).await?;
    /// file.write_all(b"must not be lost").await?;
    /// file.sync_data().await?; // on the disk, perhaps with old times
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sync_data(&self) -> io::Result<()> {
        self.inner.lock().await.finish().await;
        if let Some(result) = ring::sync(&self.std, true).await {
            return result;
        }
        let std = Arc::clone(&self.std);
        asyncify(move || std.sync_data()).await
    }

    /// Cuts the file off, or fills it up with zeros, to `size` bytes.
    ///
    /// # Errors
    /// If the file is not open for writing, or the disk is full.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::create(&path).await?;
    /// file.set_len(1_000).await?; // zeros
    /// assert_eq!(file.metadata().await?.len(), 1_000);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        let mut inner = self.inner.lock().await;
        inner.finish().await;
        let State::Idle(buffer) = &mut inner.state else { return Err(lost()) };
        let mut buffer = std::mem::take(buffer);
        let back = buffer.discard();
        let std = Arc::clone(&self.std);
        // The file is busy with it, so that what comes next waits for it even if this future is dropped.
        inner.state = State::Busy(Job::Pool(spawn_blocking(move || {
            let result = step_back(&std, back).and_then(|()| std.set_len(size));
            (Operation::SetLen(result), buffer)
        })));
        match std::future::poll_fn(|cx| inner.poll_job(cx)).await? {
            Operation::SetLen(result) => result,
            Operation::Read(_) | Operation::Write(_) | Operation::Seek(_) => Err(lost()),
        }
    }

    /// What the system knows of the file.
    ///
    /// # Errors
    /// If it does not tell.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::create(&path).await?;
    /// assert!(file.metadata().await?.is_file());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn metadata(&self) -> io::Result<Metadata> {
        if self.way.is_cached(&self.std) {
            std::future::poll_fn(coop::poll_proceed).await.made_progress();
            return self.std.metadata();
        }
        let std = Arc::clone(&self.std);
        asyncify(move || std.metadata()).await
    }

    /// Opens the same file a second time; both share one position.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    /// use yamanote::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let mut file = File::options().read(true).write(true).create(true).open(&path).await?;
    /// let mut same = file.try_clone().await?;
    /// file.write_all(b"text").await?;
    /// file.flush().await?;
    /// // One file, one position.
    /// same.rewind().await?;
    /// let mut text = String::new();
    /// same.read_to_string(&mut text).await?;
    /// assert_eq!(text, "text");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_clone(&self) -> io::Result<File> {
        self.inner.lock().await.finish().await;
        let std = Arc::clone(&self.std);
        let std = asyncify(move || std.try_clone()).await?;
        self.position.share();
        let mut file = File::from_std(std);
        file.set_max_buf_size(self.max_buffer);
        Ok(file)
    }

    /// Gives the standard library's file back, after what was accepted has been written.
    ///
    /// # Panics
    /// If a dropped future left something behind that still uses the file, and the process has no
    /// descriptor left for a second one.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let dir = tempfile::tempdir()?;
    /// let file = yamanote::fs::File::create(dir.path().join("f")).await?.into_std().await;
    /// assert_eq!(file.metadata()?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_std(mut self) -> StdFile {
        self.inner.get_mut().finish().await;
        // A job drops its reference before its result is told. One that nobody waited for, of a
        // `metadata` whose future was dropped for instance, may still hold the file.
        Arc::try_unwrap(self.std)
            .unwrap_or_else(|std| std.try_clone().expect("a descriptor for a file that is in use"))
    }

    /// Gives the standard library's file back, or this one if an operation is under way.
    ///
    /// # Errors
    /// If one is.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::create(&path).await?;
    /// // Refused only while an operation is under way.
    /// let file: std::fs::File = file.try_into_std().expect("nothing is under way");
    /// # Ok(())
    /// # }
    /// ```
    #[allow(clippy::result_large_err, reason = "upstream's signature; large with spans only")]
    pub fn try_into_std(mut self) -> Result<StdFile, File> {
        if matches!(self.inner.get_mut().state, State::Busy(_)) {
            return Err(self);
        }
        let File { std, inner, max_buffer, way, position } = self;
        Arc::try_unwrap(std).map_err(|std| File { std, inner, max_buffer, way, position })
    }

    /// Changes the file's permissions.
    ///
    /// # Errors
    /// If that is not allowed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::create(&path).await?;
    /// let mut permissions = file.metadata().await?.permissions();
    /// permissions.set_readonly(true);
    /// file.set_permissions(permissions).await?;
    /// assert!(file.metadata().await?.permissions().readonly());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        let std = Arc::clone(&self.std);
        asyncify(move || std.set_permissions(perm)).await
    }

    /// Changes the times the system keeps for the file, after what was accepted has been written.
    ///
    /// # Errors
    /// If that is not allowed.
    ///
    /// # Examples
    /// ```
    /// use std::time::SystemTime;
    /// use yamanote::fs::{File, FileTimes};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::create(&path).await?;
    /// let times = FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH).set_modified(SystemTime::UNIX_EPOCH);
    /// file.set_times(times).await?;
    /// assert_eq!(file.metadata().await?.modified()?, SystemTime::UNIX_EPOCH);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.inner.lock().await.finish().await;
        let std = Arc::clone(&self.std);
        asyncify(move || std.set_times(times.inner)).await
    }

    /// Changes the time of the last write.
    ///
    /// # Errors
    /// If that is not allowed.
    ///
    /// # Examples
    /// ```
    /// use std::time::SystemTime;
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let file = File::create(&path).await?;
    /// file.set_modified(SystemTime::UNIX_EPOCH).await?;
    /// assert_eq!(file.metadata().await?.modified()?, SystemTime::UNIX_EPOCH);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_modified(&self, time: std::time::SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time)).await
    }

    /// How many bytes a single read or write takes, at the most (2 MiB by default). More is faster for large
    /// files and costs memory.
    ///
    /// # Panics
    /// If `max_buf_size` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let mut file = File::create(&path).await?;
    /// file.set_max_buf_size(64 * 1024);
    /// assert_eq!(file.max_buf_size(), 64 * 1024);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(max_buf_size > 0, "`max_buf_size` must be greater than 0");
        self.max_buffer = max_buf_size;
    }

    /// See [`set_max_buf_size`](File::set_max_buf_size).
    ///
    /// # Examples
    /// ```
    /// use yamanote::fs::File;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let mut file = File::create(&path).await?;
    /// file.set_max_buf_size(64 * 1024);
    /// assert_eq!(file.max_buf_size(), 64 * 1024);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_buf_size(&self) -> usize {
        self.max_buffer
    }

    /// Starts writing the buffer in the background.
    fn start_write(&mut self, mut buffer: Buffer, back: i64) -> io::Result<()> {
        let std = Arc::clone(&self.std);
        let job = spawn_mandatory_blocking(move || {
            let result = step_back(&std, back).and_then(|()| buffer.write_to(&mut &*std));
            (Operation::Write(result), buffer)
        });
        self.inner.get_mut().state = State::Busy(Job::Pool(job.ok_or_else(lost)?));
        Ok(())
    }

    /// Waits until a write may start; gives the buffer, and how far the position is ahead.
    fn poll_writable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Buffer, i64)>> {
        let inner = self.inner.get_mut();
        inner.sought = false;
        if let Some(kind) = inner.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        loop {
            match &mut inner.state {
                State::Idle(buffer) => {
                    let mut buffer = std::mem::take(buffer);
                    let back = buffer.discard();
                    return Poll::Ready(Ok((buffer, back)));
                }
                State::Busy(_) => match ready!(inner.poll_job(cx)) {
                    Ok(Operation::Write(Err(error))) | Err(error) => return Poll::Ready(Err(error)),
                    Ok(_) => {}
                },
            }
        }
    }
}

impl Inner {
    /// Waits for the job that is under way and puts its buffer back.
    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Operation>> {
        let State::Busy(job) = &mut self.state else {
            unreachable!("only called when a job is under way")
        };
        let (operation, buffer) = match ready!(job.poll(cx)) {
            Ok(done) => done,
            Err(error) => {
                self.state = State::Idle(Buffer::default());
                return Poll::Ready(Err(error));
            }
        };
        self.state = State::Idle(buffer);
        if let Operation::Seek(Ok(position)) = operation {
            self.position = position;
        }
        Poll::Ready(Ok(operation))
    }

    /// Waits for the job that is under way, if any; a write's error is kept for whoever asks.
    async fn finish(&mut self) {
        self.sought = false;
        std::future::poll_fn(|cx| {
            while let State::Busy(_) = self.state {
                if let Err(error) | Ok(Operation::Write(Err(error))) = ready!(self.poll_job(cx)) {
                    self.write_error = Some(error.kind());
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

impl AsyncRead for File {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        dst: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let inner = me.inner.get_mut();
        inner.sought = false;
        loop {
            match &mut inner.state {
                State::Idle(buffer) => {
                    if !buffer.is_empty() || dst.remaining() == 0 {
                        buffer.copy_to(dst);
                        return Poll::Ready(Ok(()));
                    }
                    let max = dst.remaining().min(me.max_buffer);
                    if max <= MAX_READ && me.way.is_cached(&me.std) {
                        let unit = ready!(coop::poll_proceed(cx));
                        match sys::read(&me.std, dst, max) {
                            sys::Read::Done(n) => {
                                unit.made_progress();
                                charge(n);
                                return Poll::Ready(Ok(()));
                            }
                            sys::Read::Part(bytes) => buffer.begin(bytes),
                            sys::Read::Waits => {}
                            sys::Read::Never => me.way.leave_to_pool(),
                        }
                    }
                    let (file, bytes) = (Arc::clone(&me.std), std::mem::take(buffer).into_bytes());
                    let begun = bytes.len();
                    // It would not take turns with others who read at the same position.
                    let started = match me.position.is_shared(&file) {
                        true => Err(Refused { file, bytes, max }),
                        false => Reading::start(file, bytes, max - begun, cx),
                    };
                    match started {
                        Ok(reading) => {
                            inner.state = State::Busy(Job::Ring(reading, begun));
                            return Poll::Pending;
                        }
                        Err(Refused { file, bytes, .. }) => {
                            let job = Job::read(file, Buffer::holding(bytes), max);
                            inner.state = State::Busy(job);
                        }
                    }
                }
                State::Busy(_) => match ready!(inner.poll_job(cx))? {
                    Operation::Read(result) => {
                        result?;
                        if let State::Idle(buffer) = &mut inner.state {
                            buffer.copy_to(dst);
                        }
                        return Poll::Ready(Ok(()));
                    }
                    Operation::Write(Err(error)) => inner.write_error = Some(error.kind()),
                    Operation::Write(Ok(())) | Operation::Seek(_) | Operation::SetLen(_) => {}
                },
            }
        }
    }
}

impl AsyncWrite for File {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, src: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let (mut buffer, back) = ready!(me.poll_writable(cx))?;
        let n = buffer.copy_from(src, me.max_buffer);
        Poll::Ready(me.start_write(buffer, back).map(|()| n))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let (mut buffer, back) = ready!(me.poll_writable(cx))?;
        let n = buffer.copy_from_slices(slices, me.max_buffer);
        Poll::Ready(me.start_write(buffer, back).map(|()| n))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = self.get_mut().inner.get_mut();
        inner.sought = false;
        if let Some(kind) = inner.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        match inner.state {
            State::Idle(_) => Poll::Ready(Ok(())),
            State::Busy(_) => match ready!(inner.poll_job(cx))? {
                Operation::Write(result) => Poll::Ready(result),
                Operation::Read(_) | Operation::Seek(_) | Operation::SetLen(_) => Poll::Ready(Ok(())),
            },
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    fn start_seek(self: Pin<&mut Self>, mut to: SeekFrom) -> io::Result<()> {
        let me = self.get_mut();
        let inner = me.inner.get_mut();
        let buffer = match &mut inner.state {
            State::Idle(buffer) if !inner.sought => buffer,
            _ => {
                return Err(io::Error::other(
                    "other file operation is pending, call poll_complete before start_seek",
                ));
            }
        };
        let mut buffer = std::mem::take(buffer);
        let ahead = buffer.discard();
        if let SeekFrom::Current(offset) = &mut to {
            // Relative to where the reader is, not to how far it has read ahead.
            *offset = offset.saturating_sub(ahead);
        }
        if me.way.is_cached(&me.std) {
            // An error is for `poll_complete` to tell, which hears of it from the pool.
            if let Ok(position) = (&*me.std).seek(to) {
                inner.position = position;
                inner.sought = true;
                inner.state = State::Idle(buffer);
                return Ok(());
            }
        }
        let std = Arc::clone(&me.std);
        let job = spawn_blocking(move || (Operation::Seek((&*std).seek(to)), buffer));
        inner.state = State::Busy(Job::Pool(job));
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let inner = self.get_mut().inner.get_mut();
        loop {
            match inner.state {
                State::Idle(_) => {
                    // A seek may have been done at once: a task that does nothing else lets others run.
                    ready!(coop::poll_proceed(cx)).made_progress();
                    inner.sought = false;
                    return Poll::Ready(Ok(inner.position));
                }
                State::Busy(_) => match ready!(inner.poll_job(cx))? {
                    Operation::Seek(result) => return Poll::Ready(result),
                    Operation::Write(Err(error)) => inner.write_error = Some(error.kind()),
                    Operation::Write(Ok(())) | Operation::Read(_) | Operation::SetLen(_) => {}
                },
            }
        }
    }
}

impl From<StdFile> for File {
    fn from(std: StdFile) -> File {
        File::from_std(std)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("tokio::fs::File").field("std", &self.std).finish()
    }
}

#[cfg(unix)]
mod os {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

    use super::{File, StdFile};

    impl AsRawFd for File {
        fn as_raw_fd(&self) -> RawFd {
            self.position.share();
            self.std.as_raw_fd()
        }
    }

    impl AsFd for File {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.position.share();
            self.std.as_fd()
        }
    }

    impl FromRawFd for File {
        unsafe fn from_raw_fd(fd: RawFd) -> Self {
            // SAFETY: the caller owes what the standard library's function asks for.
            File::from_std(unsafe { StdFile::from_raw_fd(fd) })
        }
    }

    impl From<OwnedFd> for File {
        fn from(fd: OwnedFd) -> File {
            File::from_std(fd.into())
        }
    }
}

#[cfg(windows)]
mod os {
    use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, RawHandle};

    use super::{File, StdFile};

    impl AsRawHandle for File {
        fn as_raw_handle(&self) -> RawHandle {
            self.std.as_raw_handle()
        }
    }

    impl AsHandle for File {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.std.as_handle()
        }
    }

    impl FromRawHandle for File {
        unsafe fn from_raw_handle(handle: RawHandle) -> Self {
            // SAFETY: the caller owes what the standard library's function asks for.
            File::from_std(unsafe { StdFile::from_raw_handle(handle) })
        }
    }
}
