//! The methods of streams with a position: [`AsyncSeekExt`].

use std::io::SeekFrom;

use super::seek::{Seek, new_seek};
use crate::io::AsyncSeek;

/// The methods of everything that implements [`AsyncSeek`].
///
/// # Examples
/// ```
/// use std::io::{Cursor, SeekFrom};
/// use yamanote::io::{AsyncReadExt, AsyncSeekExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut cursor = Cursor::new(b"abcdef");
/// cursor.seek(SeekFrom::End(-2)).await?;
/// assert_eq!(cursor.read_u8().await?, b'e');
/// # Ok(())
/// # }
/// ```
pub trait AsyncSeekExt: AsyncSeek {
    /// Moves to `pos` and tells the new position, counted from the start.
    ///
    /// Moving past the end is allowed, moving to before the start is not. What another operation has under
    /// way is waited for first.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, the position may be the old or the new one. A further
    /// seek waits for the one under way.
    ///
    /// # Errors
    /// Whatever the stream fails with; of kind [`InvalidInput`](std::io::ErrorKind::InvalidInput) usually if
    /// the position is invalid.
    ///
    /// # Examples
    /// ```
    /// use std::io::{Cursor, SeekFrom};
    /// use yamanote::io::AsyncSeekExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut cursor = Cursor::new(b"abcdef");
    /// assert_eq!(cursor.seek(SeekFrom::Start(4)).await?, 4);
    /// assert_eq!(cursor.seek(SeekFrom::Current(-1)).await?, 3);
    /// assert!(cursor.seek(SeekFrom::Current(-4)).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    fn seek(&mut self, pos: SeekFrom) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        new_seek(self, pos)
    }

    /// Moves to the start: `seek(SeekFrom::Start(0))`.
    ///
    /// # Cancel safety
    /// As for [`seek`](Self::seek).
    ///
    /// # Errors
    /// As for [`seek`](Self::seek).
    ///
    /// # Examples
    /// ```
    /// use std::io::Cursor;
    /// use yamanote::io::{AsyncSeekExt, AsyncWriteExt};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut cursor = Cursor::new(Vec::new());
    /// cursor.write_all(b"abc").await?;
    /// assert_eq!(cursor.rewind().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn rewind(&mut self) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Start(0))
    }

    /// Tells the position: `seek(SeekFrom::Current(0))`. Like every seek, it empties the buffers in between.
    ///
    /// # Cancel safety
    /// As for [`seek`](Self::seek).
    ///
    /// # Errors
    /// As for [`seek`](Self::seek).
    ///
    /// # Examples
    /// ```
    /// use std::io::Cursor;
    /// use yamanote::io::{AsyncReadExt, AsyncSeekExt};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut cursor = Cursor::new(b"abc");
    /// cursor.read_u8().await?;
    /// assert_eq!(cursor.stream_position().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn stream_position(&mut self) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Current(0))
    }
}

impl<S: AsyncSeek + ?Sized> AsyncSeekExt for S {}
