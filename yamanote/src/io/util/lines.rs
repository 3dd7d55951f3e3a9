//! The lines of a source: [`Lines`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::read_until::poll_read_until;
use crate::io::{AsyncBufRead, PollIo};

pin_project! {
    /// Reads a source line by line.
    ///
    /// Made by [`AsyncBufReadExt::lines`](crate::io::AsyncBufReadExt::lines). What was read of a line that
    /// is not complete yet is kept here, so neither a cancelled call nor a failed read loses any of it.
    #[derive(Debug)]
    #[must_use = "the lines are not read unless asked for"]
    pub struct Lines<R> {
        #[pin]
        reader: R,
        // Bytes, not text: a read may end within a character.
        line: Vec<u8>,
        read: usize,
    }
}

pub(super) fn new_lines<R: AsyncBufRead>(reader: R) -> Lines<R> {
    Lines { reader, line: Vec::new(), read: 0 }
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads the next line, without its line break (`\n` or `\r\n`); `None` at the end.
    ///
    /// The last line need not have a line break.
    ///
    /// # Cancel safety
    /// Cancel safe: a line of which a part has been read is completed by the next call.
    ///
    /// # Errors
    /// Whatever the source fails with; the next call goes on with the same line. Of kind
    /// [`InvalidData`](io::ErrorKind::InvalidData) if the line is not valid UTF-8; the next call then
    /// reads the line after it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut lines = (&b"one\r\ntwo"[..]).lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
    /// assert_eq!(lines.next_line().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_line(&mut self) -> io::Result<Option<String>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next_line(cx)).await
    }

    /// The source.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, AsyncReadExt};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut lines = (&b"length: 4\ntext"[..]).lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("length: 4"));
    /// // What follows is no line.
    /// let mut body = [0; 4];
    /// lines.get_mut().read_exact(&mut body).await?;
    /// assert_eq!(body, *b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The source, to look at.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut lines = (&b"one\ntwo\n"[..]).lines();
    /// lines.next_line().await?;
    /// assert_eq!(*lines.get_ref(), b"two\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&mut self) -> &R {
        &self.reader
    }

    /// Gives the source back. A line that was read in part is lost.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut lines = BufReader::new(&b"head\nand the rest"[..]).lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("head"));
    /// let mut rest = String::new();
    /// lines.into_inner().read_to_string(&mut rest).await?;
    /// assert_eq!(rest, "and the rest");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: AsyncBufRead> Lines<R> {
    /// Polls for the next line, as [`next_line`](Self::next_line) does.
    ///
    /// On `Poll::Pending` the task is woken once more can be read; only the waker of the last call counts.
    ///
    /// # Errors
    /// As for `next_line`.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::Pin;
    /// use yamanote::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut lines = BufReader::new(&b"one\ntwo"[..]).lines();
    /// let line = poll_fn(|cx| Pin::new(&mut lines).poll_next_line(cx)).await?;
    /// assert_eq!(line.as_deref(), Some("one"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_next_line(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<Option<String>> {
        let me = self.project();
        let n = ready!(poll_read_until(me.reader, cx, b'\n', me.line, me.read))?;
        if n == 0 && me.line.is_empty() {
            return Poll::Ready(Ok(None));
        }
        let mut line = std::mem::take(me.line);
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        let line = String::from_utf8(line).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Poll::Ready(Ok(Some(line)))
    }
}
