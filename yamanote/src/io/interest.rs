//! What a caller wants to learn about the readiness of an I/O resource.

use std::fmt;
use std::ops;

use crate::io::ready::Ready;

/// One bit per flag.
mod bits {
    pub(super) const READABLE: u8 = 0b0001;
    pub(super) const WRITABLE: u8 = 0b0010;
    pub(super) const PRIORITY: u8 = 0b0100;
    pub(super) const ERROR: u8 = 0b1000;
}

/// What to wait for: a non-empty set of flags.
///
/// # Examples
/// ```
/// use yamanote::io::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable());
/// assert_eq!(both.remove(Interest::WRITABLE), Some(Interest::READABLE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Reading may make progress, or the peer has closed.
    pub const READABLE: Self = Self(bits::READABLE);

    /// Writing may make progress, or the peer has closed.
    pub const WRITABLE: Self = Self(bits::WRITABLE);

    /// An error waits to be fetched, for instance in a socket's error queue.
    pub const ERROR: Self = Self(bits::ERROR);

    /// Urgent data can be read.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(any(target_os = "linux", target_os = "android"))))]
    pub const PRIORITY: Self = Self(bits::PRIORITY);

    /// Whether the set holds [`READABLE`](Self::READABLE).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// assert!(Interest::READABLE.is_readable());
    /// assert!(!Interest::WRITABLE.is_readable());
    /// ```
    pub const fn is_readable(self) -> bool {
        self.has(bits::READABLE)
    }

    /// Whether the set holds [`WRITABLE`](Self::WRITABLE).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// assert!(Interest::WRITABLE.is_writable());
    /// assert!(!Interest::READABLE.is_writable());
    /// ```
    pub const fn is_writable(self) -> bool {
        self.has(bits::WRITABLE)
    }

    /// Whether the set holds [`ERROR`](Self::ERROR).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// assert!(Interest::ERROR.is_error());
    /// assert!(!Interest::WRITABLE.is_error());
    /// ```
    pub const fn is_error(self) -> bool {
        self.has(bits::ERROR)
    }

    /// Whether the set holds [`PRIORITY`](Self::PRIORITY).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// assert!(Interest::PRIORITY.is_priority());
    /// assert!(!Interest::WRITABLE.is_priority());
    /// ```
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(any(target_os = "linux", target_os = "android"))))]
    pub const fn is_priority(self) -> bool {
        self.has(bits::PRIORITY)
    }

    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// Both sets together.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// let all = Interest::READABLE.add(Interest::WRITABLE).add(Interest::ERROR);
    /// assert!(all.is_readable() && all.is_writable() && all.is_error());
    /// ```
    #[must_use = "the result is a new set"]
    pub const fn add(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// The set without `other`, or `None` when nothing is left.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::Interest;
    ///
    /// let both = Interest::READABLE | Interest::WRITABLE;
    /// assert_eq!(both.remove(Interest::READABLE), Some(Interest::WRITABLE));
    /// assert_eq!(both.remove(both), None);
    /// ```
    #[must_use = "the result is a new set"]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        match self.0 & !other.0 {
            0 => None,
            left => Some(Interest(left)),
        }
    }

    /// What is left of it when `ready` is there. That a peer has closed satisfies nothing: it says so for ever.
    pub(crate) fn unmet_by(self, ready: Ready) -> Option<Interest> {
        let flags = [
            (Ready::READABLE, bits::READABLE),
            (Ready::WRITABLE, bits::WRITABLE),
            (Ready::URGENT, bits::PRIORITY),
            (Ready::ERROR, bits::ERROR),
        ];
        let met = flags.into_iter().filter(|(flag, _)| !(ready & *flag).is_empty());
        self.remove(Interest(met.fold(0, |all, (_, bit)| all | bit)))
    }

    /// The readiness that satisfies this interest.
    #[inline]
    pub(crate) const fn mask(self) -> Ready {
        const fn if_any(interest: Interest, bit: u8, ready: Ready) -> Ready {
            if interest.has(bit) { ready } else { Ready::EMPTY }
        }

        if_any(self, bits::READABLE, Ready::READABLE.with(Ready::READ_CLOSED))
            .with(if_any(self, bits::WRITABLE, Ready::WRITABLE.with(Ready::WRITE_CLOSED)))
            .with(if_any(self, bits::PRIORITY, Ready::URGENT.with(Ready::READ_CLOSED)))
            .with(if_any(self, bits::ERROR, Ready::ERROR))
    }
}

impl ops::BitOr for Interest {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        self.add(other)
    }
}

impl ops::BitOrAssign for Interest {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (bits::READABLE, "READABLE"),
            (bits::WRITABLE, "WRITABLE"),
            (bits::PRIORITY, "PRIORITY"),
            (bits::ERROR, "ERROR"),
        ];
        let mut separator = "";
        for (bit, name) in names {
            if self.has(bit) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        Ok(())
    }
}
