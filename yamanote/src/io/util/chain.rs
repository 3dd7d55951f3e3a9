//! Two sources one after the other: [`Chain`].

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::io::{AsyncBufRead, AsyncRead, PollIo, ReadBuf};

pin_project! {
    /// Reads from one source to its end and then from another.
    ///
    /// Made by [`AsyncReadExt::chain`](crate::io::AsyncReadExt::chain).
    #[must_use = "readers do nothing unless read from"]
    pub struct Chain<T, U> {
        #[pin]
        first: T,
        #[pin]
        second: U,
        first_ended: bool,
    }
}

pub(super) fn new_chain<T: AsyncRead, U: AsyncRead>(first: T, second: U) -> Chain<T, U> {
    Chain { first, second, first_ended: false }
}

impl<T: AsyncRead, U: AsyncRead> Chain<T, U> {
    /// Both sources.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut text = (&b"some "[..]).chain(&b"text"[..]);
    /// text.read_exact(&mut [0; 7]).await?;
    /// assert_eq!(text.get_ref(), (&&b""[..], &&b"xt"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> (&T, &U) {
        (&self.first, &self.second)
    }

    /// Both sources, to be changed. Reading from them directly may spoil the order.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut text = (&b"some "[..]).chain(&b"text"[..]);
    /// *text.get_mut().1 = b"bread";
    /// let mut all = String::new();
    /// text.read_to_string(&mut all).await?;
    /// assert_eq!(all, "some bread");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> (&mut T, &mut U) {
        (&mut self.first, &mut self.second)
    }

    /// Both sources, pinned. Reading from them directly may spoil the order.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut text = pin!((&b"some "[..]).chain(&b"text"[..]));
    /// let (_first, second) = text.as_mut().get_pin_mut();
    /// let mut byte = [0];
    /// second.get_mut().read_exact(&mut byte).await?;
    /// assert_eq!(byte, *b"t"); // out of turn
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_pin_mut(self: Pin<&mut Self>) -> (Pin<&mut T>, Pin<&mut U>) {
        let me = self.project();
        (me.first, me.second)
    }

    /// Takes the chain apart.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut both = (&b"one"[..]).chain(&b"two"[..]);
    /// both.read_exact(&mut [0; 4]).await?;
    /// assert_eq!(both.into_inner(), (&b""[..], &b"wo"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> (T, U) {
        (self.first, self.second)
    }
}

impl<T: fmt::Debug, U: fmt::Debug> fmt::Debug for Chain<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("t", &self.first).field("u", &self.second).finish()
    }
}

impl<T: AsyncRead, U: AsyncRead> AsyncRead for Chain<T, U> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        let me = self.project();
        if !*me.first_ended {
            let room = buf.remaining();
            ready!(me.first.poll_read(cx, buf))?;
            // Where nothing fits, nothing is no sign of the end.
            if buf.remaining() != room || room == 0 {
                return Poll::Ready(Ok(()));
            }
            *me.first_ended = true;
        }
        me.second.poll_read(cx, buf)
    }
}

impl<T: AsyncBufRead, U: AsyncBufRead> AsyncBufRead for Chain<T, U> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        let me = self.project();
        if !*me.first_ended {
            let bytes = ready!(me.first.poll_fill_buf(cx))?;
            if !bytes.is_empty() {
                return Poll::Ready(Ok(bytes));
            }
            *me.first_ended = true;
        }
        me.second.poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        if *me.first_ended {
            me.second.consume(amt);
        } else {
            me.first.consume(amt);
        }
    }
}
