//! The buffer that reads fill: [`ReadBuf`].
//!
//! ```text
//! [             capacity              ]
//! [ filled |         unfilled         ]
//! [    initialized    | uninitialized ]
//! ```
//!
//! Keeping the two borders apart spares readers both the zeroing of memory that is about to be overwritten
//! and the unsoundness of handing out memory nobody wrote: safe code sees initialised bytes only.

use std::fmt;
use std::mem::MaybeUninit;

/// A byte buffer that is filled from its front, over memory that may be uninitialised.
///
/// Three parts follow each other: the *filled* bytes hold data, the *initialised* ones behind them hold
/// something (left over from earlier use, say), the rest may be uninitialised.
///
/// # Invariants
/// `filled <= initialized <= memory.len()`, and the first `initialized` bytes of `memory` are initialised.
///
/// # Examples
/// ```
/// use std::mem::MaybeUninit;
/// use yamanote::io::ReadBuf;
///
/// let mut memory = [MaybeUninit::uninit(); 8];
/// let mut buf = ReadBuf::uninit(&mut memory);
/// buf.put_slice(b"abc");
/// buf.initialize_unfilled_to(2).copy_from_slice(b"de");
/// buf.advance(2);
/// assert_eq!(buf.filled(), b"abcde");
/// assert_eq!(buf.remaining(), 3);
/// ```
pub struct ReadBuf<'a> {
    memory: &'a mut [MaybeUninit<u8>],
    filled: usize,
    initialized: usize,
}

impl<'a> ReadBuf<'a> {
    /// An empty buffer over initialised memory.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.put_slice(b"text");
    /// assert_eq!((buffer.filled(), buffer.remaining()), (&b"text"[..], 4));
    /// ```
    #[inline]
    pub fn new(buf: &'a mut [u8]) -> ReadBuf<'a> {
        let initialized = buf.len();
        let buf: *mut [u8] = buf;
        // SAFETY: `MaybeUninit<u8>` has the layout of `u8`, and the borrow lasts for `'a`. The bytes are
        // the caller's initialised ones, to be found initialised when the borrow ends: safe methods only
        // ever write initialised bytes, and the unsafe ones that hand out `MaybeUninit` oblige their
        // caller not to de-initialise.
        let buf = unsafe { &mut *(buf as *mut [MaybeUninit<u8>]) };
        ReadBuf { memory: buf, filled: 0, initialized }
    }

    /// An empty buffer over memory that may be uninitialised.
    ///
    /// Use [`assume_init`](Self::assume_init) if a part of it is known to be initialised.
    ///
    /// # Examples
    /// ```
    /// use std::mem::MaybeUninit;
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [MaybeUninit::uninit(); 8]; // nothing was written to it yet
    /// let mut buffer = ReadBuf::uninit(&mut space);
    /// buffer.put_slice(b"text");
    /// assert_eq!((buffer.filled(), buffer.initialized().len()), (&b"text"[..], 4));
    /// ```
    #[inline]
    pub fn uninit(buf: &'a mut [MaybeUninit<u8>]) -> ReadBuf<'a> {
        ReadBuf { memory: buf, filled: 0, initialized: 0 }
    }

    /// How many bytes fit in, counting those filled.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// assert_eq!(ReadBuf::new(&mut space).capacity(), 8);
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// The filled bytes.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.put_slice(b"text");
    /// assert_eq!(buffer.filled(), b"text");
    /// ```
    #[inline]
    pub fn filled(&self) -> &[u8] {
        // SAFETY: filled bytes are initialised, by the invariant.
        unsafe { assume_init_ref(&self.memory[..self.filled]) }
    }

    /// The filled bytes, to be changed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buf = ReadBuf::new(&mut space);
    /// buf.put_slice(b"text");
    /// buf.filled_mut().make_ascii_uppercase();
    /// assert_eq!(buf.filled(), b"TEXT");
    /// ```
    #[inline]
    pub fn filled_mut(&mut self) -> &mut [u8] {
        // SAFETY: filled bytes are initialised, by the invariant.
        unsafe { assume_init_mut(&mut self.memory[..self.filled]) }
    }

    /// A buffer over the first `n` unfilled bytes, or over all of them if there are fewer.
    ///
    /// What is filled there is not counted here: call [`assume_init`](Self::assume_init) and
    /// [`advance`](Self::advance) afterwards.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// let mut part = buffer.take(3); // for somebody who may not fill more
    /// part.put_slice(b"abc");
    /// assert_eq!(part.remaining(), 0);
    /// ```
    #[inline]
    pub fn take(&mut self, n: usize) -> ReadBuf<'_> {
        let amount = self.remaining().min(n);
        let initialized = (self.initialized - self.filled).min(amount);
        ReadBuf { memory: &mut self.memory[self.filled..][..amount], filled: 0, initialized }
    }

    /// The bytes known to be initialised; the filled ones are their beginning.
    ///
    /// # Examples
    /// ```
    /// use std::mem::MaybeUninit;
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [MaybeUninit::uninit(); 8];
    /// let mut buf = ReadBuf::uninit(&mut space);
    /// assert!(buf.initialized().is_empty());
    /// buf.initialize_unfilled_to(4);
    /// // Initialised, but not filled.
    /// assert_eq!((buf.initialized(), buf.filled().len()), (&[0; 4][..], 0));
    /// ```
    #[inline]
    pub fn initialized(&self) -> &[u8] {
        // SAFETY: by the invariant.
        unsafe { assume_init_ref(&self.memory[..self.initialized]) }
    }

    /// The bytes known to be initialised, to be changed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = *b"old text";
    /// let mut buf = ReadBuf::new(&mut space);
    /// // As after a call that writes where it is told to, and says how much:
    /// buf.initialized_mut()[..3].copy_from_slice(b"new");
    /// buf.advance(3);
    /// assert_eq!(buf.filled(), b"new");
    /// ```
    #[inline]
    pub fn initialized_mut(&mut self) -> &mut [u8] {
        // SAFETY: by the invariant.
        unsafe { assume_init_mut(&mut self.memory[..self.initialized]) }
    }

    /// All of the memory, whether filled, initialised or neither.
    ///
    /// # Safety
    /// The caller must not make bytes uninitialised that were initialised.
    ///
    /// # Examples
    /// ```
    /// use std::mem::MaybeUninit;
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [MaybeUninit::uninit(); 8];
    /// let mut buf = ReadBuf::uninit(&mut space);
    /// // SAFETY: only initialised bytes are written.
    /// let memory = unsafe { buf.inner_mut() };
    /// memory[0].write(7);
    /// // SAFETY: the first byte has just been initialised.
    /// unsafe { buf.assume_init(1) };
    /// buf.advance(1);
    /// assert_eq!(buf.filled(), [7]);
    /// ```
    #[inline]
    pub unsafe fn inner_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        self.memory
    }

    /// The unfilled memory.
    ///
    /// # Safety
    /// The caller must not make bytes uninitialised that were initialised.
    ///
    /// # Examples
    /// ```
    /// use std::mem::MaybeUninit;
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [MaybeUninit::uninit(); 8];
    /// let mut buf = ReadBuf::uninit(&mut space);
    /// buf.put_slice(b"ab");
    /// // SAFETY: only initialised bytes are written.
    /// let memory = unsafe { buf.unfilled_mut() };
    /// memory[0].write(b'c');
    /// // SAFETY: the first unfilled byte has just been initialised.
    /// unsafe { buf.assume_init(1) };
    /// buf.advance(1);
    /// assert_eq!(buf.filled(), b"abc");
    /// ```
    #[inline]
    pub unsafe fn unfilled_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.memory[self.filled..]
    }

    /// The unfilled memory, after zeroing what is not initialised yet.
    ///
    /// Fill it from its front and then call [`advance`](Self::advance).
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// let free = buffer.initialize_unfilled();
    /// free[..4].copy_from_slice(b"text");
    /// buffer.advance(4); // so much of it counts
    /// assert_eq!(buffer.filled(), b"text");
    /// ```
    #[inline]
    pub fn initialize_unfilled(&mut self) -> &mut [u8] {
        self.initialize_unfilled_to(self.remaining())
    }

    /// The first `n` unfilled bytes, after zeroing those of them that are not initialised yet.
    ///
    /// # Panics
    /// If fewer than `n` bytes are unfilled.
    ///
    /// # Examples
    /// ```
    /// use std::io::Read;
    /// use std::mem::MaybeUninit;
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [MaybeUninit::uninit(); 64];
    /// let mut buf = ReadBuf::uninit(&mut space);
    /// // For a reader that wants initialised memory; no more of it than needed.
    /// let n = (&b"text"[..]).read(buf.initialize_unfilled_to(16)).unwrap();
    /// buf.advance(n);
    /// assert_eq!((buf.filled(), buf.initialized().len()), (&b"text"[..], 16));
    /// ```
    #[inline]
    #[track_caller]
    pub fn initialize_unfilled_to(&mut self, n: usize) -> &mut [u8] {
        assert!(self.remaining() >= n, "n overflows remaining");
        let end = self.filled + n;
        if self.initialized < end {
            self.memory[self.initialized..end].fill(MaybeUninit::new(0));
            self.initialized = end;
        }
        // SAFETY: everything before `end` is initialised: before by the invariant, or just now.
        unsafe { assume_init_mut(&mut self.memory[self.filled..end]) }
    }

    /// How many bytes are unfilled.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.put_slice(b"text");
    /// assert_eq!(buffer.remaining(), 4);
    /// ```
    #[inline]
    pub fn remaining(&self) -> usize {
        self.capacity() - self.filled
    }

    /// Forgets what is filled; the bytes stay initialised.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.put_slice(b"text");
    /// buffer.clear();
    /// assert_eq!((buffer.filled(), buffer.remaining()), (&b""[..], 8));
    /// ```
    #[inline]
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Counts the next `n` bytes as filled.
    ///
    /// # Panics
    /// If they are not all initialised.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.initialize_unfilled()[0] = b'x';
    /// buffer.advance(1);
    /// assert_eq!(buffer.filled(), b"x");
    /// ```
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, n: usize) {
        let filled = self.filled.checked_add(n).expect("filled overflow");
        self.set_filled(filled);
    }

    /// Counts the first `n` bytes, and no others, as filled.
    ///
    /// This can also take filled bytes back.
    ///
    /// # Panics
    /// If they are not all initialised.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.put_slice(b"text");
    /// buffer.set_filled(2);
    /// assert_eq!(buffer.filled(), b"te");
    /// ```
    #[inline]
    #[track_caller]
    pub fn set_filled(&mut self, n: usize) {
        assert!(n <= self.initialized, "filled must not become larger than initialized");
        self.filled = n;
    }

    /// Counts the first `n` unfilled bytes as initialised; bytes that were so already stay so.
    ///
    /// # Safety
    /// They must be initialised, and `n` must not exceed [`remaining`](Self::remaining).
    ///
    /// # Examples
    /// ```
    /// use std::mem::MaybeUninit;
    /// use yamanote::io::ReadBuf;
    ///
    /// /// Fills it as a system call would, which knows of nothing but an address and a length.
    /// unsafe fn read(memory: *mut u8, len: usize) -> usize {
    ///     let text = b"text";
    ///     let n = len.min(text.len());
    ///     // SAFETY: the caller vouches for the memory, and `n` is within both.
    ///     unsafe { memory.copy_from_nonoverlapping(text.as_ptr(), n) };
    ///     n
    /// }
    ///
    /// let mut space = [MaybeUninit::uninit(); 8];
    /// let mut buf = ReadBuf::uninit(&mut space);
    /// // SAFETY: `read` initialises, and says how much.
    /// unsafe {
    ///     let n = read(buf.unfilled_mut().as_mut_ptr().cast(), buf.remaining());
    ///     buf.assume_init(n);
    ///     buf.advance(n);
    /// }
    /// assert_eq!(buf.filled(), b"text");
    /// ```
    #[inline]
    pub unsafe fn assume_init(&mut self, n: usize) {
        self.initialized = self.initialized.max(self.filled + n);
    }

    /// Appends `buf` to the filled bytes.
    ///
    /// # Panics
    /// If it does not fit into what remains.
    ///
    /// # Examples
    /// ```
    /// use yamanote::io::ReadBuf;
    ///
    /// let mut space = [0; 8];
    /// let mut buffer = ReadBuf::new(&mut space);
    /// buffer.put_slice(b"one");
    /// buffer.put_slice(b"two");
    /// assert_eq!(buffer.filled(), b"onetwo");
    /// ```
    #[inline]
    #[track_caller]
    pub fn put_slice(&mut self, buf: &[u8]) {
        assert!(self.remaining() >= buf.len(), "buf.len() must fit in remaining()");
        let end = self.filled + buf.len();
        let destination = self.memory[self.filled..end].as_mut_ptr().cast::<u8>();
        // SAFETY: `destination` is valid for `buf.len()` bytes, being a subslice of that length, and
        // cannot overlap `buf`, since we hold it exclusively.
        unsafe { std::ptr::copy_nonoverlapping(buf.as_ptr(), destination, buf.len()) };
        self.initialized = self.initialized.max(end);
        self.filled = end;
    }
}

#[cfg(feature = "io-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "io-util")))]
// SAFETY: `chunk_mut` is the unfilled memory, `remaining_mut` its length, and `advance_mut` moves the
// border by what its caller guarantees to have written there.
unsafe impl bytes::BufMut for ReadBuf<'_> {
    fn remaining_mut(&self) -> usize {
        self.remaining()
    }

    unsafe fn advance_mut(&mut self, n: usize) {
        assert!(n <= self.remaining(), "cannot advance past the end of the buffer");
        // SAFETY: the caller initialised the bytes, and they lie within the buffer.
        unsafe { self.assume_init(n) };
        self.advance(n);
    }

    fn chunk_mut(&mut self) -> &mut bytes::buf::UninitSlice {
        let unfilled = &mut self.memory[self.filled..];
        let (start, len) = (unfilled.as_mut_ptr().cast::<u8>(), unfilled.len());
        // SAFETY: `start` and `len` are those of a slice we hold exclusively for as long as the answer
        // is borrowed; `UninitSlice` does not let safe code de-initialise it.
        unsafe { bytes::buf::UninitSlice::from_raw_parts_mut(start, len) }
    }
}

impl fmt::Debug for ReadBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReadBuf { memory, filled, initialized } = self;
        let mut debug = f.debug_struct("ReadBuf");
        debug.field("filled", filled).field("initialized", initialized);
        debug.field("capacity", &memory.len()).finish()
    }
}

/// # Safety
/// All of `slice` must be initialised.
#[inline]
unsafe fn assume_init_ref(slice: &[MaybeUninit<u8>]) -> &[u8] {
    // SAFETY: same layout; initialised, as the caller promises.
    unsafe { &*(slice as *const [MaybeUninit<u8>] as *const [u8]) }
}

/// # Safety
/// All of `slice` must be initialised.
#[inline]
unsafe fn assume_init_mut(slice: &mut [MaybeUninit<u8>]) -> &mut [u8] {
    // SAFETY: same layout; initialised, as the caller promises. `u8` cannot be de-initialised safely.
    unsafe { &mut *(slice as *mut [MaybeUninit<u8>] as *mut [u8]) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_borders_move_as_documented() {
        let mut memory = [MaybeUninit::uninit(); 6];
        let mut buf = ReadBuf::uninit(&mut memory);
        assert_eq!((buf.capacity(), buf.remaining()), (6, 6));
        buf.put_slice(b"ab");
        assert_eq!(buf.initialized(), b"ab");
        assert_eq!(buf.initialize_unfilled_to(2), [0, 0]);
        assert_eq!(buf.filled(), b"ab");
        buf.advance(1);
        assert_eq!(buf.filled(), b"ab\0");
        assert_eq!(buf.initialized(), b"ab\0\0");
        buf.clear();
        assert_eq!(buf.initialized(), b"ab\0\0");
        buf.set_filled(4);
        buf.put_slice(b"cd");
        assert_eq!((buf.filled(), buf.remaining()), (&b"ab\0\0cd"[..], 0));
        assert!(buf.initialize_unfilled().is_empty());
    }

    #[test]
    fn take_is_limited_and_knows_what_is_initialised() {
        let mut memory = [MaybeUninit::uninit(); 6];
        let mut buf = ReadBuf::uninit(&mut memory);
        buf.initialize_unfilled_to(3);
        buf.advance(1);
        let mut part = buf.take(4);
        assert_eq!((part.capacity(), part.initialized().len(), part.filled().len()), (4, 2, 0));
        part.put_slice(b"wxyz");
        // SAFETY: four bytes were filled through `part`.
        unsafe { buf.assume_init(4) };
        buf.advance(4);
        assert_eq!(buf.filled(), b"\0wxyz");
        assert_eq!(buf.take(100).capacity(), 1);
    }
}
