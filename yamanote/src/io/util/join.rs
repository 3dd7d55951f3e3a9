//! One stream of a reader and a writer: [`Join`].

use std::io::IoSlice;
use std::pin::Pin;
use std::task::Context;

use pin_project_lite::pin_project;

use crate::io::{AsyncBufRead, AsyncRead, AsyncWrite, PollIo, ReadBuf};

/// Makes one stream out of a reader and a writer.
///
/// # Examples
/// ```
/// use yamanote::io::{self, AsyncReadExt, AsyncWriteExt};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// let mut stream = io::join(&b"in"[..], Vec::new());
/// let mut word = [0; 2];
/// stream.read_exact(&mut word).await?;
/// stream.write_all(b"out").await?;
/// assert_eq!((&word, &stream.writer()[..]), (b"in", &b"out"[..]));
/// # Ok(())
/// # }
/// ```
pub fn join<R: AsyncRead, W: AsyncWrite>(reader: R, writer: W) -> Join<R, W> {
    Join { reader, writer }
}

pin_project! {
    /// A stream that reads from one thing and writes to another.
    ///
    /// Made by [`join`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{self, AsyncWriteExt, Join, Stdin, Stdout};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// /// What talks to a terminal, or to a socket.
    /// type Terminal = Join<Stdin, Stdout>;
    ///
    /// let mut terminal: Terminal = io::join(io::stdin(), io::stdout());
    /// terminal.write_all(b"> ").await?;
    /// terminal.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub struct Join<R, W> {
        #[pin]
        reader: R,
        #[pin]
        writer: W,
    }
}

impl<R: AsyncRead, W: AsyncWrite> Join<R, W> {
    /// Takes it apart into the reader and the writer.
    ///
    /// # Examples
    /// ```
    /// let stream = yamanote::io::join(&b"in"[..], Vec::<u8>::new());
    /// let (reader, writer) = stream.into_inner();
    /// assert_eq!((reader, writer), (&b"in"[..], vec![]));
    /// ```
    pub fn into_inner(self) -> (R, W) {
        (self.reader, self.writer)
    }

    /// The reader.
    ///
    /// # Examples
    /// ```
    /// let stream = yamanote::io::join(&b"in"[..], Vec::<u8>::new());
    /// assert_eq!(*stream.reader(), b"in");
    /// ```
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The writer.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = yamanote::io::join(yamanote::io::empty(), Vec::new());
    /// stream.write_all(b"out").await?;
    /// assert_eq!(stream.writer(), b"out");
    /// # Ok(())
    /// # }
    /// ```
    pub fn writer(&self) -> &W {
        &self.writer
    }

    /// The reader, to be changed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = yamanote::io::join(&b"in"[..], yamanote::io::sink());
    /// *stream.reader_mut() = b"something else";
    /// let mut text = String::new();
    /// stream.read_to_string(&mut text).await?;
    /// assert_eq!(text, "something else");
    /// # Ok(())
    /// # }
    /// ```
    pub fn reader_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The writer, to be changed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = yamanote::io::join(yamanote::io::empty(), Vec::new());
    /// stream.write_all(b"first").await?;
    /// let first = std::mem::take(stream.writer_mut());
    /// stream.write_all(b"second").await?;
    /// assert_eq!((&first[..], &stream.writer()[..]), (&b"first"[..], &b"second"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn writer_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// The reader, pinned.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = pin!(yamanote::io::join(&b"in"[..], yamanote::io::sink()));
    /// let mut text = String::new();
    /// stream.as_mut().reader_pin_mut().read_to_string(&mut text).await?;
    /// assert_eq!(text, "in");
    /// # Ok(())
    /// # }
    /// ```
    pub fn reader_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().reader
    }

    /// The writer, pinned.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = pin!(yamanote::io::join(yamanote::io::empty(), Vec::new()));
    /// stream.as_mut().writer_pin_mut().write_all(b"out").await?;
    /// assert_eq!(stream.writer(), b"out");
    /// # Ok(())
    /// # }
    /// ```
    pub fn writer_pin_mut(self: Pin<&mut Self>) -> Pin<&mut W> {
        self.project().writer
    }
}

impl<R: AsyncRead, W> AsyncRead for Join<R, W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.project().reader.poll_read(cx, buf)
    }
}

impl<R: AsyncBufRead, W> AsyncBufRead for Join<R, W> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        self.project().reader.poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.project().reader.consume(amt);
    }
}

impl<R, W: AsyncWrite> AsyncWrite for Join<R, W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.project().writer.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.project().writer.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.project().writer.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.project().writer.poll_shutdown(cx)
    }
}
