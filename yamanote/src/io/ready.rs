//! What an I/O resource was last seen to be ready for.

use std::fmt;
use std::ops;

/// One bit per flag.
mod bits {
    pub(super) const READABLE: u8 = 0b00_0001;
    pub(super) const WRITABLE: u8 = 0b00_0010;
    pub(super) const READ_CLOSED: u8 = 0b00_0100;
    pub(super) const WRITE_CLOSED: u8 = 0b00_1000;
    pub(super) const PRIORITY: u8 = 0b01_0000;
    pub(super) const ERROR: u8 = 0b10_0000;

    /// What every platform knows.
    pub(super) const COMMON: u8 = READABLE | WRITABLE | READ_CLOSED | WRITE_CLOSED | ERROR;
}

/// What an I/O resource is ready for: a set of flags.
///
/// Readiness is a hint. It says what the operating system last reported; the operation itself may still
/// answer that it would block, which clears the flag it was tried for.
///
/// # Examples
/// ```
/// use yamanote::io::Ready;
///
/// let ready = Ready::READABLE | Ready::READ_CLOSED;
/// assert!(ready.is_readable());
/// assert!(!ready.is_writable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// Reading may make progress.
    pub const READABLE: Self = Self(bits::READABLE);

    /// Writing may make progress.
    pub const WRITABLE: Self = Self(bits::WRITABLE);

    /// The peer will send no more.
    pub const READ_CLOSED: Self = Self(bits::READ_CLOSED);

    /// The peer will take no more.
    pub const WRITE_CLOSED: Self = Self(bits::WRITE_CLOSED);

    /// Urgent data can be read.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(any(target_os = "linux", target_os = "android"))))]
    pub const PRIORITY: Self = Self(bits::PRIORITY);

    /// `PRIORITY`, with a name on every platform; nothing sets it where it has none.
    pub(crate) const URGENT: Ready = Ready(bits::PRIORITY);

    /// An error waits to be fetched.
    pub const ERROR: Self = Self(bits::ERROR);

    /// Every flag the platform knows.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const ALL: Self = Self(bits::COMMON | bits::PRIORITY);

    /// Every flag the platform knows.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub const ALL: Self = Self(bits::COMMON);

    const fn has(self, any: u8) -> bool {
        self.0 & any != 0
    }

    /// Whether no flag is set.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// assert!(Ready::EMPTY.is_empty());
    /// assert!(!Ready::WRITABLE.is_empty());
    /// ```
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether reading may make progress. So it does, with end of file, once the peer has closed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// assert!(Ready::READABLE.is_readable());
    /// assert!(Ready::READ_CLOSED.is_readable());
    /// assert!(!Ready::WRITABLE.is_readable());
    /// ```
    #[inline]
    pub fn is_readable(self) -> bool {
        self.has(bits::READABLE | bits::READ_CLOSED)
    }

    /// Whether writing may make progress. So it does, with an error, once the peer has closed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// assert!(Ready::WRITABLE.is_writable());
    /// assert!(Ready::WRITE_CLOSED.is_writable());
    /// assert!(!Ready::READABLE.is_writable());
    /// ```
    #[inline]
    pub fn is_writable(self) -> bool {
        self.has(bits::WRITABLE | bits::WRITE_CLOSED)
    }

    /// Whether the peer was seen to close the direction we read from.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// let ready = Ready::ALL - Ready::READ_CLOSED;
    /// assert!(!ready.is_read_closed());
    /// assert!((ready | Ready::READ_CLOSED).is_read_closed());
    /// ```
    #[inline]
    pub fn is_read_closed(self) -> bool {
        self.has(bits::READ_CLOSED)
    }

    /// Whether the peer was seen to close the direction we write to.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// let ready = Ready::ALL - Ready::WRITE_CLOSED;
    /// assert!(!ready.is_write_closed());
    /// assert!((ready | Ready::WRITE_CLOSED).is_write_closed());
    /// ```
    #[inline]
    pub fn is_write_closed(self) -> bool {
        self.has(bits::WRITE_CLOSED)
    }

    /// Whether urgent data can be read.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// assert!(Ready::PRIORITY.is_priority());
    /// assert!(!Ready::READABLE.is_priority());
    /// ```
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(any(target_os = "linux", target_os = "android"))))]
    pub fn is_priority(self) -> bool {
        self.has(bits::PRIORITY)
    }

    /// Whether an error waits to be fetched.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Ready;
    ///
    /// assert!(Ready::ERROR.is_error());
    /// assert!(!Ready::READABLE.is_error());
    /// ```
    #[inline]
    pub fn is_error(self) -> bool {
        self.has(bits::ERROR)
    }

    /// As `is_priority`, on every platform.
    pub(crate) const fn saw_priority(self) -> bool {
        self.has(bits::PRIORITY)
    }

    /// The flags as bits, below `1 << Ready::BITS`.
    /// Both together; the operator is not for constants.
    #[inline]
    pub(crate) const fn with(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// The set whose [`bits`](Self::bits) these are; unknown bits are dropped.
    #[inline]
    pub(crate) const fn from_bits_truncate(bits: u8) -> Ready {
        Ready(bits & Ready::ALL.0)
    }

    /// How many bits a set takes.
    pub(crate) const BITS: u32 = 6;
}

impl ops::BitOr<Ready> for Ready {
    type Output = Ready;

    #[inline]
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl ops::BitOrAssign<Ready> for Ready {
    #[inline]
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl ops::BitAnd<Ready> for Ready {
    type Output = Ready;

    #[inline]
    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl ops::Sub<Ready> for Ready {
    type Output = Ready;

    #[inline]
    fn sub(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error())
            .field("is_priority", &self.saw_priority())
            .finish()
    }
}
