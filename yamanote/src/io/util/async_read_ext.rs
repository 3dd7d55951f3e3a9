//! The methods of readers: [`AsyncReadExt`].

use bytes::BufMut;

use super::chain::{Chain, new_chain};
use super::read::{Read, ReadExact, ReadIntoBuf, new_read, new_read_buf, new_read_exact};
use super::read_number::{ReadNumber, new_read_number};
use super::read_to_end::{ReadToEnd, new_read_to_end};
use super::take::{Take, new_take};
use super::text::{ReadToString, new_read_to_string};
use crate::io::AsyncRead;

/// Declares the methods that read one number each.
macro_rules! numbers {
    ($($method:ident, $type:ty, $size:literal, $decode:ident, $what:literal, $bytes:literal => $value:literal;)+) => {$(
        #[doc = concat!("Reads ", $what, ".")]
        ///
        /// # Cancel safety
        /// Not cancel safe: the bytes that were read when the future is dropped are lost. For single bytes
        /// that means that nothing is lost.
        ///
        /// # Errors
        /// Of kind [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) if the source ends before; else
        /// whatever it fails with. Disturbed reads
        /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
        ///
        /// # Examples
        /// ```
        /// use yamanote::io::AsyncReadExt;
        ///
        /// # #[yamanote::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        #[doc = concat!("let mut reader: &[u8] = &", $bytes, ";")]
        #[doc = concat!("assert_eq!(reader.", stringify!($method), "().await?, ", $value, ");")]
        /// # Ok(())
        /// # }
        /// ```
        fn $method(&mut self) -> ReadNumber<'_, Self, [u8; $size], $type>
        where
            Self: Unpin,
        {
            new_read_number(self, <$type>::$decode)
        }
    )+};
}

/// The methods of everything that implements [`AsyncRead`].
///
/// Import it, or all of `yamanote::io` that ends in `Ext`, and call them on the reader.
///
/// # Examples
/// ```
/// use yamanote::io::AsyncReadExt;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut reader: &[u8] = b"some bytes";
/// let mut word = [0; 4];
/// reader.read_exact(&mut word).await?;
/// assert_eq!(&word, b"some");
///
/// let mut rest = String::new();
/// reader.read_to_string(&mut rest).await?;
/// assert_eq!(rest, " bytes");
/// # Ok(())
/// # }
/// ```
pub trait AsyncReadExt: AsyncRead {
    /// Makes a reader that reads this source to its end and then `next`.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut both = (&b"head "[..]).chain(&b"tail"[..]);
    /// let mut all = String::new();
    /// both.read_to_string(&mut all).await?;
    /// assert_eq!(all, "head tail");
    /// # Ok(())
    /// # }
    /// ```
    fn chain<R>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
        R: AsyncRead,
    {
        new_chain(self, next)
    }

    /// Reads some bytes into `buf`, once, and tells how many.
    ///
    /// 0 means that the source has reached its end, unless `buf` is empty. Fewer bytes than fit are no
    /// sign of the end.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing has been read.
    ///
    /// # Errors
    /// Whatever the source fails with; nothing was read then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader: &[u8] = b"abc";
    /// let mut buf = [0; 2];
    /// assert_eq!(reader.read(&mut buf).await?, 2);
    /// assert_eq!(reader.read(&mut buf).await?, 1);
    /// assert_eq!(reader.read(&mut buf).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> Read<'a, Self>
    where
        Self: Unpin,
    {
        new_read(self, buf)
    }

    /// Reads some bytes behind those `buf` already has, once, and tells how many.
    ///
    /// The memory need not be initialised before. A `Vec` or `BytesMut` that is full is grown by a small amount
    /// first; other types may have no room, and then nothing is read and the answer is 0. Otherwise 0
    /// means that the source has reached its end.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it is ready, nothing has been read.
    ///
    /// # Panics
    /// If the reader puts another buffer in place of the one it is to fill.
    ///
    /// # Errors
    /// Whatever the source fails with; nothing was read then.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader: &[u8] = b"abcdef";
    /// let mut buf = Vec::with_capacity(16);
    /// while reader.read_buf(&mut buf).await? > 0 {}
    /// assert_eq!(buf, b"abcdef");
    /// # Ok(())
    /// # }
    /// ```
    fn read_buf<'a, B>(&'a mut self, buf: &'a mut B) -> ReadIntoBuf<'a, Self, B>
    where
        Self: Unpin,
        B: BufMut + ?Sized,
    {
        new_read_buf(self, buf)
    }

    /// Reads until `buf` is full, and tells its length.
    ///
    /// # Cancel safety
    /// Not cancel safe: if the future is dropped before it is ready, some bytes may be in `buf`, and
    /// nobody knows how many.
    ///
    /// # Errors
    /// Of kind [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) if the source ends before; else whatever
    /// it fails with. The contents of `buf` are then unspecified. Disturbed reads
    /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader: &[u8] = b"abcde";
    /// let mut buf = [0; 3];
    /// reader.read_exact(&mut buf).await?;
    /// assert_eq!(&buf, b"abc");
    /// assert_eq!(reader.read_exact(&mut buf).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    /// # Ok(())
    /// # }
    /// ```
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExact<'a, Self>
    where
        Self: Unpin,
    {
        new_read_exact(self, buf)
    }

    numbers! {
        read_u8, u8, 1, from_be_bytes, "an unsigned byte", "[7]" => "7";
        read_i8, i8, 1, from_be_bytes, "a signed byte", "[0xff]" => "-1";
        read_u16, u16, 2, from_be_bytes, "an unsigned 16-bit number, big-endian", "[1, 2]" => "0x0102";
        read_i16, i16, 2, from_be_bytes, "a signed 16-bit number, big-endian", "[0xff, 0xfe]" => "-2";
        read_u32, u32, 4, from_be_bytes, "an unsigned 32-bit number, big-endian",
            "[1, 2, 3, 4]" => "0x0102_0304";
        read_i32, i32, 4, from_be_bytes, "a signed 32-bit number, big-endian",
            "[0xff, 0xff, 0xff, 0xfe]" => "-2";
        read_u64, u64, 8, from_be_bytes, "an unsigned 64-bit number, big-endian",
            "7u64.to_be_bytes()" => "7";
        read_i64, i64, 8, from_be_bytes, "a signed 64-bit number, big-endian",
            "(-7i64).to_be_bytes()" => "-7";
        read_u128, u128, 16, from_be_bytes, "an unsigned 128-bit number, big-endian",
            "7u128.to_be_bytes()" => "7";
        read_i128, i128, 16, from_be_bytes, "a signed 128-bit number, big-endian",
            "(-7i128).to_be_bytes()" => "-7";
        read_f32, f32, 4, from_be_bytes, "a 32-bit floating-point number, big-endian",
            "1.5f32.to_be_bytes()" => "1.5";
        read_f64, f64, 8, from_be_bytes, "a 64-bit floating-point number, big-endian",
            "1.5f64.to_be_bytes()" => "1.5";
        read_u16_le, u16, 2, from_le_bytes, "an unsigned 16-bit number, little-endian",
            "[1, 2]" => "0x0201";
        read_i16_le, i16, 2, from_le_bytes, "a signed 16-bit number, little-endian",
            "[0xfe, 0xff]" => "-2";
        read_u32_le, u32, 4, from_le_bytes, "an unsigned 32-bit number, little-endian",
            "[1, 2, 3, 4]" => "0x0403_0201";
        read_i32_le, i32, 4, from_le_bytes, "a signed 32-bit number, little-endian",
            "[0xfe, 0xff, 0xff, 0xff]" => "-2";
        read_u64_le, u64, 8, from_le_bytes, "an unsigned 64-bit number, little-endian",
            "7u64.to_le_bytes()" => "7";
        read_i64_le, i64, 8, from_le_bytes, "a signed 64-bit number, little-endian",
            "(-7i64).to_le_bytes()" => "-7";
        read_u128_le, u128, 16, from_le_bytes, "an unsigned 128-bit number, little-endian",
            "7u128.to_le_bytes()" => "7";
        read_i128_le, i128, 16, from_le_bytes, "a signed 128-bit number, little-endian",
            "(-7i128).to_le_bytes()" => "-7";
        read_f32_le, f32, 4, from_le_bytes, "a 32-bit floating-point number, little-endian",
            "1.5f32.to_le_bytes()" => "1.5";
        read_f64_le, f64, 8, from_le_bytes, "a 64-bit floating-point number, little-endian",
            "1.5f64.to_le_bytes()" => "1.5";
    }

    /// Appends all bytes up to the end of the source to `buf`, and tells how many.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, what was read until then is in `buf`, and a further call
    /// goes on; its answer counts its own bytes.
    ///
    /// # Panics
    /// If the reader puts another buffer in place of the one it is to fill.
    ///
    /// # Errors
    /// Whatever the source fails with; what was read before is in `buf`. Disturbed reads
    /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut buf = vec![0];
    /// assert_eq!((&[1u8, 2][..]).read_to_end(&mut buf).await?, 2);
    /// assert_eq!(buf, [0, 1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    fn read_to_end<'a>(&'a mut self, buf: &'a mut Vec<u8>) -> ReadToEnd<'a, Self>
    where
        Self: Unpin,
    {
        new_read_to_end(self, buf)
    }

    /// Appends all text up to the end of the source to `dst`, and tells how many bytes that is.
    ///
    /// # Cancel safety
    /// Not cancel safe: if the future is dropped before it is ready, what was read is lost, and
    /// so are the former contents of `dst`.
    ///
    /// # Panics
    /// If the reader puts another buffer in place of the one it is to fill.
    ///
    /// # Errors
    /// Of kind [`InvalidData`](std::io::ErrorKind::InvalidData) if what was read is not UTF-8; else whatever
    /// the source fails with. `dst` is then as before, and what was read is lost. Disturbed reads
    /// ([`Interrupted`](std::io::ErrorKind::Interrupted)) are repeated.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut text = String::from("a");
    /// (&b"bc"[..]).read_to_string(&mut text).await?;
    /// assert_eq!(text, "abc");
    /// # Ok(())
    /// # }
    /// ```
    fn read_to_string<'a>(&'a mut self, dst: &'a mut String) -> ReadToString<'a, Self>
    where
        Self: Unpin,
    {
        new_read_to_string(self, dst)
    }

    /// Makes a reader of the next `limit` bytes of this source.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::AsyncReadExt;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut source: &[u8] = b"head and tail";
    /// let mut head = String::new();
    /// (&mut source).take(4).read_to_string(&mut head).await?;
    /// assert_eq!(head, "head");
    /// assert_eq!(source, b" and tail");
    /// # Ok(())
    /// # }
    /// ```
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        new_take(self, limit)
    }
}

impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}
