//! The methods of buffered readers: [`AsyncBufReadExt`].

use super::lines::{Lines, new_lines};
use super::read_until::{FillBuf, ReadUntil, new_fill_buf, new_read_until};
use super::segments::{Split, new_split};
use super::text::{ReadLine, new_read_line};
use crate::io::AsyncBufRead;

use std::pin::Pin;

/// The methods of everything that implements [`AsyncBufRead`].
///
/// # Examples
/// ```
/// use yamanote::io::{AsyncBufReadExt, BufReader};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut lines = BufReader::new(&b"one\ntwo\n"[..]).lines();
/// let mut count = 0;
/// while let Some(text) = lines.next_line().await? {
///     assert_eq!(text.len(), 3);
///     count += 1;
/// }
/// assert_eq!(count, 2);
/// # Ok(())
/// # }
/// ```
pub trait AsyncBufReadExt: AsyncBufRead {
    /// Appends bytes to `buf` up to and with the next `byte`, or up to the end of the source, and tells how
    /// many.
    ///
    /// 0 means that the source has reached its end.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, what was read until then is in `buf`, and a further call
    /// goes on; its answer counts its own bytes.
    ///
    /// # Errors
    /// Whatever the source fails with; what was read before is in `buf`. Disturbed reads
    /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader: &[u8] = b"key=value";
    /// let mut buf = Vec::new();
    /// assert_eq!(reader.read_until(b'=', &mut buf).await?, 4);
    /// assert_eq!(buf, b"key=");
    /// # Ok(())
    /// # }
    /// ```
    fn read_until<'a>(&'a mut self, byte: u8, buf: &'a mut Vec<u8>) -> ReadUntil<'a, Self>
    where
        Self: Unpin,
    {
        new_read_until(self, byte, buf)
    }

    /// Appends text to `buf` up to and with the next line break (`\n`), or up to the end of the source, and
    /// tells how many bytes that is.
    ///
    /// 0 means that the source has reached its end.
    ///
    /// # Cancel safety
    /// Not cancel safe: if the future is dropped before it is ready, what was read is lost, and so are
    /// the former contents of `buf`. [`lines`](Self::lines) and [`read_until`](Self::read_until) lose nothing.
    ///
    /// # Errors
    /// Of kind [`InvalidData`](std::io::ErrorKind::InvalidData) if what was read is not UTF-8; `buf` is then
    /// as before, and what was read is lost. Else whatever the source fails with; what was read before is
    /// in `buf` if it is UTF-8. Disturbed reads ([`Interrupted`](std::io::ErrorKind::Interrupted)) are
    /// repeated.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader: &[u8] = b"one\ntwo";
    /// let mut text = String::new();
    /// assert_eq!(reader.read_line(&mut text).await?, 4);
    /// assert_eq!(reader.read_line(&mut text).await?, 3);
    /// assert_eq!(text, "one\ntwo");
    /// assert_eq!(reader.read_line(&mut text).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn read_line<'a>(&'a mut self, buf: &'a mut String) -> ReadLine<'a, Self>
    where
        Self: Unpin,
    {
        new_read_line(self, buf)
    }

    /// Makes a reader of the segments of this source that end with `byte`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut segments = AsyncBufReadExt::split(&b"1;2"[..], b';');
    /// assert_eq!(segments.next_segment().await?, Some(b"1".to_vec()));
    /// assert_eq!(segments.next_segment().await?, Some(b"2".to_vec()));
    /// assert_eq!(segments.next_segment().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    fn split(self, byte: u8) -> Split<Self>
    where
        Self: Sized + Unpin,
    {
        new_split(self, byte)
    }

    /// Shows the buffered bytes, after filling the buffer if it is empty. An empty answer means that the source
    /// has reached its end.
    ///
    /// Call [`consume`](Self::consume) for those that were used; the others are shown again.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing is lost.
    ///
    /// # Errors
    /// Whatever the source fails with while it fills the buffer.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = BufReader::new(&b"abc"[..]);
    /// assert_eq!(reader.fill_buf().await?, b"abc");
    /// reader.consume(1);
    /// assert_eq!(reader.fill_buf().await?, b"bc");
    /// # Ok(())
    /// # }
    /// ```
    fn fill_buf(&mut self) -> FillBuf<'_, Self>
    where
        Self: Unpin,
    {
        new_fill_buf(self)
    }

    /// Marks `amt` bytes of those shown by [`fill_buf`](Self::fill_buf) as used; no more than were shown.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// let mut reader: &[u8] = b"abc";
    /// AsyncBufReadExt::consume(&mut reader, 2);
    /// assert_eq!(reader, b"c");
    /// ```
    fn consume(&mut self, amt: usize)
    where
        Self: Unpin,
    {
        Pin::new(self).consume(amt);
    }

    /// Makes a reader of the lines of this source.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut lines = (&b"one\ntwo\n"[..]).lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
    /// assert_eq!(lines.next_line().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        new_lines(self)
    }
}

impl<R: AsyncBufRead + ?Sized> AsyncBufReadExt for R {}
