//! The parts of a source between delimiters: [`Split`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::read_until::poll_read_until;
use crate::io::AsyncBufRead;

pin_project! {
    /// Reads a source in segments that end at a delimiter.
    ///
    /// Made by [`AsyncBufReadExt::split`](crate::io::AsyncBufReadExt::split). What was read of a segment that
    /// is not complete yet is kept here.
    #[derive(Debug)]
    #[must_use = "the segments are not read unless asked for"]
    pub struct Split<R> {
        #[pin]
        reader: R,
        segment: Vec<u8>,
        delimiter: u8,
        read: usize,
    }
}

pub(super) fn new_split<R: AsyncBufRead>(reader: R, delimiter: u8) -> Split<R> {
    Split { reader, segment: Vec::new(), delimiter, read: 0 }
}

impl<R: AsyncBufRead + Unpin> Split<R> {
    /// Reads the next segment, without its delimiter; `None` at the end.
    ///
    /// The last segment need not end with a delimiter.
    ///
    /// # Cancel safety
    /// Cancel safe: a segment of which a part has been read is completed by the next call.
    ///
    /// # Errors
    /// Whatever the source fails with; the next call goes on with the same segment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncBufReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut segments = AsyncBufReadExt::split(&b"a,,b"[..], b',');
    /// assert_eq!(segments.next_segment().await?, Some(b"a".to_vec()));
    /// assert_eq!(segments.next_segment().await?, Some(b"".to_vec()));
    /// assert_eq!(segments.next_segment().await?, Some(b"b".to_vec()));
    /// assert_eq!(segments.next_segment().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_segment(&mut self) -> io::Result<Option<Vec<u8>>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next_segment(cx)).await
    }
}

impl<R: AsyncBufRead> Split<R> {
    /// Polls for the next segment, as [`next_segment`](Self::next_segment) does.
    ///
    /// On `Poll::Pending` the task is woken once more can be read; only the waker of the last call counts.
    ///
    /// # Errors
    /// As for `next_segment`.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::Pin;
    /// use yamanote::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut words = BufReader::new(&b"one,two"[..]).split(b',');
    /// let word = poll_fn(|cx| Pin::new(&mut words).poll_next_segment(cx)).await?;
    /// assert_eq!(word.as_deref(), Some(&b"one"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_next_segment(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let me = self.project();
        let n = ready!(poll_read_until(me.reader, cx, *me.delimiter, me.segment, me.read))?;
        if n == 0 && me.segment.is_empty() {
            return Poll::Ready(Ok(None));
        }
        let mut segment = std::mem::take(me.segment);
        if segment.last() == Some(me.delimiter) {
            segment.pop();
        }
        Poll::Ready(Ok(Some(segment)))
    }
}
