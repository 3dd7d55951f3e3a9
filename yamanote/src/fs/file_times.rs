//! The times that can be set on a file.

use std::time::SystemTime;

/// When a file was last read and written, for [`File::set_times`](crate::fs::File::set_times). A time that is not given
/// stays as it is.
///
/// # Examples
/// ```
/// use std::time::SystemTime;
///
/// let times = yamanote::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
/// # let _ = times;
/// ```
#[derive(Clone, Debug, Default)]
pub struct FileTimes {
    pub(crate) inner: std::fs::FileTimes,
}

impl FileTimes {
    /// Changes nothing yet.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use yamanote::fs::{File, FileTimes};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    /// let file = File::create(&path).await?;
    /// file.set_times(FileTimes::new().set_modified(then)).await?;
    /// assert_eq!(file.metadata().await?.modified()?, then);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        FileTimes::default()
    }

    /// The time of the last read.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use yamanote::fs::{File, FileTimes};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    /// let file = File::create(&path).await?;
    /// file.set_times(FileTimes::new().set_accessed(then)).await?;
    /// assert_eq!(file.metadata().await?.accessed()?, then);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_accessed(mut self, accessed: SystemTime) -> Self {
        self.inner = self.inner.set_accessed(accessed);
        self
    }

    /// The time of the last write.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use yamanote::fs::{File, FileTimes};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("file");
    /// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    /// let file = File::create(&path).await?;
    /// file.set_times(FileTimes::new().set_modified(then)).await?;
    /// assert_eq!(file.metadata().await?.modified()?, then);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_modified(mut self, modified: SystemTime) -> Self {
        self.inner = self.inner.set_modified(modified);
        self
    }
}
