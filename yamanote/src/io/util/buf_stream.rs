//! Buffers for both directions of a stream: [`BufStream`].

use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::Context;

use pin_project_lite::pin_project;

use super::{BufReader, BufWriter, buf_reader, buf_writer};
use crate::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, PollIo, ReadBuf};

pin_project! {
    /// A stream with a read buffer and a write buffer: a [`BufReader`] around a [`BufWriter`].
    ///
    /// What is true for these is true for it; above all, it has to be flushed or shut down, for dropping it
    /// drops what is buffered.
    #[derive(Debug)]
    pub struct BufStream<RW> {
        #[pin]
        inner: BufReader<BufWriter<RW>>,
    }
}

impl<RW: AsyncRead + AsyncWrite> BufStream<RW> {
    /// A stream with buffers of 8 KiB each.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (here, mut there) = yamanote::io::duplex(64);
    /// let mut stream = BufStream::new(here);
    /// there.write_all(b"ping\n").await?;
    /// let mut line = String::new();
    /// stream.read_line(&mut line).await?;
    /// assert_eq!(line, "ping\n");
    /// stream.write_all(b"pong\n").await?;
    /// stream.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(stream: RW) -> BufStream<RW> {
        BufStream { inner: BufReader::new(BufWriter::new(stream)) }
    }

    /// A stream with buffers of these sizes.
    ///
    /// # Panics
    /// If `reader_capacity` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufStream, duplex};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (here, _there) = duplex(64);
    /// // Many small messages come in, large ones go out.
    /// let mut stream = BufStream::with_capacity(16 << 10, 64, here);
    /// stream.write_all(&[0; 32]).await?; // fits into the buffer
    /// stream.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn with_capacity(reader_capacity: usize, writer_capacity: usize, stream: RW) -> BufStream<RW> {
        let writer = BufWriter::with_capacity(writer_capacity, stream);
        BufStream { inner: BufReader::with_capacity(reader_capacity, writer) }
    }

    /// What is wrapped.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::BufStream;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = yamanote::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let connecting = yamanote::net::TcpStream::connect(listener.local_addr()?);
    /// # let (client, server) = yamanote::join!(connecting, listener.accept());
    /// # let (client, _server) = (client?, server?.0);
    /// let stream = BufStream::new(client);
    /// stream.get_ref().set_nodelay(true)?;
    /// assert!(stream.get_ref().nodelay()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_ref(&self) -> &RW {
        self.inner.get_ref().get_ref()
    }

    /// What is wrapped, to be changed. Reading or writing it directly passes the buffers by.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = BufStream::new(std::io::Cursor::new(Vec::new()));
    /// stream.write_all(b"second").await?;
    /// stream.get_mut().write_all(b"first ").await?; // overtakes
    /// stream.flush().await?;
    /// assert_eq!(stream.into_inner().into_inner(), b"first second");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut RW {
        self.inner.get_mut().get_mut()
    }

    /// What is wrapped, pinned. Reading or writing it directly passes the buffers by.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use yamanote::io::{AsyncWriteExt, BufStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = pin!(BufStream::new(std::io::Cursor::new(Vec::new())));
    /// stream.as_mut().get_pin_mut().write_all(b"past the buffer").await?;
    /// assert_eq!(stream.get_ref().get_ref(), b"past the buffer");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut RW> {
        self.project().inner.get_pin_mut().get_pin_mut()
    }

    /// Gives back what is wrapped. What is buffered is lost.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufStream};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut stream = BufStream::new(std::io::Cursor::new(Vec::new()));
    /// stream.write_all(b"kept").await?;
    /// stream.flush().await?;
    /// stream.write_all(b" and lost").await?;
    /// assert_eq!(stream.into_inner().into_inner(), b"kept");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> RW {
        self.inner.into_inner().into_inner()
    }
}

impl<RW> From<BufReader<BufWriter<RW>>> for BufStream<RW> {
    fn from(inner: BufReader<BufWriter<RW>>) -> Self {
        BufStream { inner }
    }
}

/// Keeps what is buffered. A seek that was submitted and not waited for is forgotten.
impl<RW> From<BufWriter<BufReader<RW>>> for BufStream<RW> {
    fn from(writer: BufWriter<BufReader<RW>>) -> Self {
        let BufWriter { inner: reader, buffer: write_buffer, written, seek: _ } = writer;
        let BufReader { inner, buffer: read_buffer, seek: _ } = reader;
        BufStream {
            inner: BufReader {
                inner: BufWriter {
                    inner,
                    buffer: write_buffer,
                    written,
                    seek: buf_writer::SeekState::Idle,
                },
                buffer: read_buffer,
                seek: buf_reader::SeekState::Idle,
            },
        }
    }
}

impl<RW: AsyncRead + AsyncWrite> AsyncWrite for BufStream<RW> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        self.project().inner.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> PollIo<usize> {
        self.project().inner.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.project().inner.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo {
        self.project().inner.poll_shutdown(cx)
    }
}

impl<RW: AsyncRead + AsyncWrite> AsyncRead for BufStream<RW> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        self.project().inner.poll_read(cx, buf)
    }
}

impl<RW: AsyncRead + AsyncWrite> AsyncBufRead for BufStream<RW> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<&[u8]> {
        self.project().inner.poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.project().inner.consume(amt);
    }
}

/// Seeks to a byte, after writing out the write buffer; a successful seek drops the read buffer.
impl<RW: AsyncRead + AsyncWrite + AsyncSeek> AsyncSeek for BufStream<RW> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.project().inner.start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollIo<u64> {
        self.project().inner.poll_complete(cx)
    }
}
