//! The beginning of a source: [`Take`].

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::io::{AsyncBufRead, AsyncRead, PollIo, ReadBuf};

pin_project! {
    /// Reads at most so many bytes of a source, and then reports its end.
    ///
    /// Made by [`AsyncReadExt::take`](crate::io::AsyncReadExt::take).
    #[derive(Debug)]
    #[must_use = "readers do nothing unless read from"]
    pub struct Take<R> {
        #[pin]
        inner: R,
        limit: u64,
    }
}

pub(super) fn new_take<R: AsyncRead>(inner: R, limit: u64) -> Take<R> {
    Take { inner, limit }
}

impl<R: AsyncRead> Take<R> {
    /// How many bytes may still be read. The source may end before.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut first = (&b"some text"[..]).take(4);
    /// first.read_u8().await?;
    /// assert_eq!(first.limit(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Sets how many bytes may be read from now on, no matter how many have been.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut part = (&b"some text"[..]).take(4);
    /// let mut text = String::new();
    /// part.read_to_string(&mut text).await?;
    /// part.set_limit(3); // three more
    /// part.read_to_string(&mut text).await?;
    /// assert_eq!(text, "some te");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The source.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut head = (&b"some text"[..]).take(5);
    /// head.read_to_end(&mut Vec::new()).await?;
    /// assert_eq!(*head.get_ref(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The source, to be changed. What is read from it directly does not count.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut head = (&b"some text"[..]).take(4);
    /// // Not counted:
    /// head.get_mut().read_exact(&mut [0; 5]).await?;
    /// let mut text = String::new();
    /// head.read_to_string(&mut text).await?;
    /// assert_eq!(text, "text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The source, pinned. What is read from it directly does not count.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut head = pin!((&b"some text"[..]).take(4));
    /// let mut skipped = [0; 5];
    /// head.as_mut().get_pin_mut().read_exact(&mut skipped).await?;
    /// let mut text = String::new();
    /// head.read_to_string(&mut text).await?;
    /// assert_eq!((&skipped, &text[..]), (b"some ", "text"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().inner
    }

    /// Gives the source back, read up to where it was read.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut first = (&b"some text"[..]).take(5);
    /// let mut text = String::new();
    /// first.read_to_string(&mut text).await?;
    /// assert_eq!(first.into_inner(), b"text");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> R {
        self.inner
    }
}

/// A limit as an amount of memory.
fn clamp(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl<R: AsyncRead> AsyncRead for Take<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let me = self.project();
        if *me.limit == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut part = buf.take(clamp(*me.limit));
        let (start, len) = (part.filled().as_ptr(), part.capacity());
        ready!(me.inner.poll_read(cx, &mut part))?;
        let filled = part.filled();
        // What is counted below must be our memory, whatever the reader did with the buffer.
        assert!(
            filled.as_ptr() == start && filled.len() <= len,
            "the reader replaced the buffer it was given"
        );
        let n = filled.len();
        // SAFETY: `part` was the first unfilled memory of `buf`, and it is still `part`'s memory that is
        // filled, so these `n` bytes are initialised and are no more than remain.
        unsafe { buf.assume_init(n) };
        buf.advance(n);
        *me.limit -= n as u64;
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Take<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        let me = self.project();
        // The source might block at a point past which nobody will read.
        if *me.limit == 0 {
            return Poll::Ready(Ok(&[]));
        }
        let bytes = ready!(me.inner.poll_fill_buf(cx))?;
        let shown = bytes.len().min(clamp(*me.limit));
        Poll::Ready(Ok(&bytes[..shown]))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        let amt = amt.min(clamp(*me.limit));
        *me.limit -= amt as u64;
        me.inner.consume(amt);
    }
}
