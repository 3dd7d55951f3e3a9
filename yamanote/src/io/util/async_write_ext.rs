//! The methods of writers: [`AsyncWriteExt`].

use std::io::IoSlice;

use bytes::Buf;

use super::write::{
    Flush, Shutdown, Write, WriteAll, WriteAllBuf, WriteBuf, WriteNumber, WriteVectored, new_flush,
    new_shutdown, new_write, new_write_all, new_write_all_buf, new_write_buf, new_write_number,
    new_write_vectored,
};
use crate::io::AsyncWrite;

/// Declares the methods that write one number each.
macro_rules! numbers {
    ($($method:ident, $type:ty, $size:literal, $encode:ident, $what:literal, $value:literal => $bytes:literal;)+) => {$(
        #[doc = concat!("Writes ", $what, ".")]
        ///
        /// # Cancel safety
        /// Not cancel safe: if the future is dropped before it is ready, some of the bytes may have been
        /// written. A single byte is written or not, but nobody knows which.
        ///
        /// # Errors
        /// Of kind [`WriteZero`](std::io::ErrorKind::WriteZero) if the destination takes no more bytes; else
        /// whatever it fails with. Disturbed writes
        /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
        ///
        /// # Examples
        /// ```
        /// use yamanote::io::AsyncWriteExt;
        ///
        /// # #[yamanote::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// let mut writer = Vec::new();
        #[doc = concat!("writer.", stringify!($method), "(", $value, ").await?;")]
        #[doc = concat!("assert_eq!(writer, ", $bytes, ");")]
        /// # Ok(())
        /// # }
        /// ```
        fn $method(&mut self, n: $type) -> WriteNumber<'_, Self, [u8; $size]>
        where
            Self: Unpin,
        {
            new_write_number(self, n.$encode())
        }
    )+};
}

/// The methods of everything that implements [`AsyncWrite`].
///
/// # Examples
/// ```
/// use yamanote::io::AsyncWriteExt;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut writer = Vec::new();
/// writer.write_all(b"some bytes").await?;
/// writer.write_u16(0x0a0b).await?;
/// assert_eq!(writer, b"some bytes\x0a\x0b");
/// # Ok(())
/// # }
/// ```
pub trait AsyncWriteExt: AsyncWrite {
    /// Writes some bytes of `src`, once, and tells how many.
    ///
    /// That may be fewer than there are. 0 means that the destination takes no more, or that `src` is
    /// empty.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing has been written.
    ///
    /// # Errors
    /// Whatever the destination fails with; nothing was written then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut pipe, _other_end) = yamanote::io::duplex(4);
    /// assert_eq!(pipe.write(b"abcdef").await?, 4);
    /// # Ok(())
    /// # }
    /// ```
    fn write<'a>(&'a mut self, src: &'a [u8]) -> Write<'a, Self>
    where
        Self: Unpin,
    {
        new_write(self, src)
    }

    /// As [`write`](Self::write), for bytes that lie in several buffers.
    ///
    /// They are taken in order, the last perhaps in part.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing has been written.
    ///
    /// # Errors
    /// Whatever the destination fails with; nothing was written then.
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSlice;
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut writer = Vec::new();
    /// let n = writer.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")]).await?;
    /// assert_eq!((n, &writer[..]), (4, &b"abcd"[..]));
    /// # Ok(())
    /// # }
    /// ```
    fn write_vectored<'a, 'b>(&'a mut self, bufs: &'a [IoSlice<'b>]) -> WriteVectored<'a, 'b, Self>
    where
        Self: Unpin,
    {
        new_write_vectored(self, bufs)
    }

    /// Writes some bytes of `src`, once, takes them off its front, and tells how many.
    ///
    /// If the destination [prefers it](AsyncWrite::is_write_vectored), the pieces of `src` are written
    /// together. 0 means that the destination takes no more, or that `src` is empty.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing has been written and `src` is as
    /// before.
    ///
    /// # Errors
    /// Whatever the destination fails with; nothing was written then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut pipe, _other_end) = yamanote::io::duplex(4);
    /// let mut src: &[u8] = b"abcdef";
    /// assert_eq!(pipe.write_buf(&mut src).await?, 4);
    /// assert_eq!(src, b"ef");
    /// # Ok(())
    /// # }
    /// ```
    fn write_buf<'a, B>(&'a mut self, src: &'a mut B) -> WriteBuf<'a, Self, B>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        new_write_buf(self, src)
    }

    /// Writes all bytes of `src`, taking them off its front.
    ///
    /// # Cancel safety
    /// Cancel safe in this sense: if the future is dropped before it is ready, `src` is left with the bytes
    /// that were not written, so that another call completes the work.
    ///
    /// # Errors
    /// Of kind [`WriteZero`](std::io::ErrorKind::WriteZero) if the destination takes no more bytes; else
    /// whatever it fails with. `src` is left with the bytes that were not written. Disturbed writes
    /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut writer = Vec::new();
    /// let mut src = std::io::Cursor::new("abcdef");
    /// writer.write_all_buf(&mut src).await?;
    /// assert_eq!(writer, b"abcdef");
    /// # Ok(())
    /// # }
    /// ```
    fn write_all_buf<'a, B>(&'a mut self, src: &'a mut B) -> WriteAllBuf<'a, Self, B>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        new_write_all_buf(self, src)
    }

    /// Writes all bytes of `src`.
    ///
    /// # Cancel safety
    /// Not cancel safe: if the future is dropped before it is ready, some bytes may have been written, and
    /// nobody knows how many. See [`write_all_buf`](Self::write_all_buf).
    ///
    /// # Errors
    /// Of kind [`WriteZero`](std::io::ErrorKind::WriteZero) if the destination takes no more bytes; else
    /// whatever it fails with. Disturbed writes ([`Interrupted`](std::io::ErrorKind::Interrupted)) are
    /// repeated.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncWriteExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut writer = Vec::new();
    /// writer.write_all(b"all of it").await?;
    /// assert_eq!(writer, b"all of it");
    /// # Ok(())
    /// # }
    /// ```
    fn write_all<'a>(&'a mut self, src: &'a [u8]) -> WriteAll<'a, Self>
    where
        Self: Unpin,
    {
        new_write_all(self, src)
    }

    numbers! {
        write_u8, u8, 1, to_be_bytes, "an unsigned byte", "7" => "[7]";
        write_i8, i8, 1, to_be_bytes, "a signed byte", "-1" => "[0xff]";
        write_u16, u16, 2, to_be_bytes, "an unsigned 16-bit number, big-endian", "0x0102" => "[1, 2]";
        write_i16, i16, 2, to_be_bytes, "a signed 16-bit number, big-endian", "-2" => "[0xff, 0xfe]";
        write_u32, u32, 4, to_be_bytes, "an unsigned 32-bit number, big-endian",
            "0x0102_0304" => "[1, 2, 3, 4]";
        write_i32, i32, 4, to_be_bytes, "a signed 32-bit number, big-endian",
            "-2" => "[0xff, 0xff, 0xff, 0xfe]";
        write_u64, u64, 8, to_be_bytes, "an unsigned 64-bit number, big-endian",
            "7" => "7u64.to_be_bytes()";
        write_i64, i64, 8, to_be_bytes, "a signed 64-bit number, big-endian",
            "-7" => "(-7i64).to_be_bytes()";
        write_u128, u128, 16, to_be_bytes, "an unsigned 128-bit number, big-endian",
            "7" => "7u128.to_be_bytes()";
        write_i128, i128, 16, to_be_bytes, "a signed 128-bit number, big-endian",
            "-7" => "(-7i128).to_be_bytes()";
        write_f32, f32, 4, to_be_bytes, "a 32-bit floating-point number, big-endian",
            "1.5" => "1.5f32.to_be_bytes()";
        write_f64, f64, 8, to_be_bytes, "a 64-bit floating-point number, big-endian",
            "1.5" => "1.5f64.to_be_bytes()";
        write_u16_le, u16, 2, to_le_bytes, "an unsigned 16-bit number, little-endian",
            "0x0102" => "[2, 1]";
        write_i16_le, i16, 2, to_le_bytes, "a signed 16-bit number, little-endian",
            "-2" => "[0xfe, 0xff]";
        write_u32_le, u32, 4, to_le_bytes, "an unsigned 32-bit number, little-endian",
            "0x0102_0304" => "[4, 3, 2, 1]";
        write_i32_le, i32, 4, to_le_bytes, "a signed 32-bit number, little-endian",
            "-2" => "[0xfe, 0xff, 0xff, 0xff]";
        write_u64_le, u64, 8, to_le_bytes, "an unsigned 64-bit number, little-endian",
            "7" => "7u64.to_le_bytes()";
        write_i64_le, i64, 8, to_le_bytes, "a signed 64-bit number, little-endian",
            "-7" => "(-7i64).to_le_bytes()";
        write_u128_le, u128, 16, to_le_bytes, "an unsigned 128-bit number, little-endian",
            "7" => "7u128.to_le_bytes()";
        write_i128_le, i128, 16, to_le_bytes, "a signed 128-bit number, little-endian",
            "-7" => "(-7i128).to_le_bytes()";
        write_f32_le, f32, 4, to_le_bytes, "a 32-bit floating-point number, little-endian",
            "1.5" => "1.5f32.to_le_bytes()";
        write_f64_le, f64, 8, to_le_bytes, "a 64-bit floating-point number, little-endian",
            "1.5" => "1.5f64.to_le_bytes()";
    }

    /// Brings everything written so far to where it belongs.
    ///
    /// # Cancel safety
    /// Cancel safe: another call completes the work.
    ///
    /// # Errors
    /// Whatever the destination fails with.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"abc").await?;
    /// writer.flush().await?;
    /// assert_eq!(writer.into_inner(), b"abc");
    /// # Ok(())
    /// # }
    /// ```
    fn flush(&mut self) -> Flush<'_, Self>
    where
        Self: Unpin,
    {
        new_flush(self)
    }

    /// Ends writing: flushes, and tells the other side that no more will come.
    ///
    /// What cannot be ended is only flushed, or left alone. Afterwards nothing should be written.
    ///
    /// # Cancel safety
    /// Cancel safe: another call completes the work.
    ///
    /// # Errors
    /// Whatever the destination fails with.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut here, mut there) = yamanote::io::duplex(16);
    /// here.write_all(b"bye").await?;
    /// here.shutdown().await?;
    /// let mut received = Vec::new();
    /// there.read_to_end(&mut received).await?;
    /// assert_eq!(received, b"bye");
    /// # Ok(())
    /// # }
    /// ```
    fn shutdown(&mut self) -> Shutdown<'_, Self>
    where
        Self: Unpin,
    {
        new_shutdown(self)
    }
}

impl<W: AsyncWrite + ?Sized> AsyncWriteExt for W {}
