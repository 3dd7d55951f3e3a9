//! An I/O resource together with its [`Registration`]: what the public socket types are made of.

use std::fmt;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};

use crate::engine::io::registration::Registration;
use crate::engine::io::source::Direction;
use crate::io::ReadBuf;
use crate::io::interest::Interest;
use crate::io::ready::Ready;
use crate::sys::poll::{BY_HANDLE, PARTIAL_MEANS_DRAINED, PollHandle, Pollable};

pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// # Invariants
/// `resource` is there until `into_inner` takes it. The registration never outlives the resource: it is
/// dropped first, or detached before the resource is given away.
pub(crate) struct PollEvented<E: Pollable> {
    registration: Registration,
    resource: Option<E>,
}

impl<E: Pollable> PollEvented<E> {
    /// A resource of which nothing is known.
    #[track_caller]
    pub(crate) fn new(resource: E) -> io::Result<PollEvented<E>> {
        PollEvented::with(resource, BOTH, Ready::EMPTY, true)
    }

    /// A resource to be watched for `interest` only.
    #[track_caller]
    pub(crate) fn with_interest(resource: E, interest: Interest) -> io::Result<PollEvented<E>> {
        PollEvented::with(resource, interest, Ready::EMPTY, true)
    }

    /// A resource that is taken to be ready for `assumed` until an operation refutes it.
    #[track_caller]
    pub(crate) fn assumed(
        resource: E,
        interest: Interest,
        assumed: Ready,
    ) -> io::Result<PollEvented<E>> {
        PollEvented::with(resource, interest, assumed, true)
    }

    /// A socket that is about to connect: no operation makes sense before an event says so.
    #[track_caller]
    pub(crate) fn connecting(resource: E, interest: Interest) -> io::Result<PollEvented<E>> {
        PollEvented::with(resource, interest, Ready::EMPTY, false)
    }

    #[track_caller]
    fn with(
        mut resource: E,
        interest: Interest,
        assumed: Ready,
        optimistic: bool,
    ) -> io::Result<PollEvented<E>> {
        let handle = PollHandle::of(&resource);
        let registration = Registration::new(handle, interest, assumed, optimistic);
        registration.check_runtime()?;
        if !BY_HANDLE {
            registration.attach_with(|registry, token| {
                resource.register(registry, token, crate::sys::poll::to_mio(interest))
            })?;
        }
        Ok(PollEvented { registration, resource: Some(resource) })
    }

    /// Asks the system to watch the resource now, to learn whether it can.
    #[cfg(unix)]
    pub(crate) fn attach(&self) -> io::Result<()> {
        self.registration.attach()
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Gives the resource back, out of the runtime's hands.
    pub(crate) fn into_inner(mut self) -> io::Result<E> {
        let mut resource = self.resource.take().expect("there until now");
        self.detach(&mut resource)?;
        Ok(resource)
    }

    fn detach(&self, resource: &mut E) -> io::Result<()> {
        if BY_HANDLE {
            self.registration.detach()
        } else {
            self.registration.detach_with(|registry| resource.deregister(registry))
        }
    }

    /// Reads into `buf`. With `stream`, a read that did not fill the buffer is taken to have emptied the
    /// resource, which spares the read that would find nothing. Not for resources that keep records apart
    /// (datagrams, descriptors that travel on a Unix socket, pipes in packet mode): there more may wait, for
    /// which no event will come. Of TCP this holds once an urgent byte has been seen.
    ///
    /// # Safety
    /// When `read` returns `Ok(n)`, it has written the first `n` bytes of the slice it got.
    pub(crate) unsafe fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        stream: bool,
        mut read: impl FnMut(&E, &mut [MaybeUninit<u8>]) -> io::Result<usize>,
    ) -> Poll<io::Result<()>> {
        self.registration.poll_io(cx, Direction::Read, |event| {
            // SAFETY: only bytes that `read` has written are declared initialised, and it gets to write
            // only; that it does not uninitialise any is part of its being a read.
            let unfilled = unsafe { buf.unfilled_mut() };
            let room = unfilled.len();
            let n = read(self, unfilled)?;
            if PARTIAL_MEANS_DRAINED && stream && 0 < n && n < room && !self.registration.saw_priority()
            {
                self.registration.clear(event);
            }
            // SAFETY: by contract, `read` has written `n` bytes.
            unsafe { buf.assume_init(n) };
            buf.advance(n);
            Ok(())
        })
    }

    /// Writes `len` bytes by `write`. One that wrote less is taken to have filled the resource.
    pub(crate) fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        len: usize,
        mut write: impl FnMut(&E) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.registration.poll_io(cx, Direction::Write, |event| {
            let n = write(self)?;
            if PARTIAL_MEANS_DRAINED && 0 < n && n < len {
                self.registration.clear(event);
            }
            Ok(n)
        })
    }

    pub(crate) fn poll_write<'a>(&'a self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>
    where
        &'a E: Write + 'a,
    {
        let mut resource: &'a E = self;
        self.poll_write_with(cx, buf.len(), |_| resource.write(buf))
    }

    pub(crate) fn poll_write_vectored<'a>(
        &'a self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>>
    where
        &'a E: Write + 'a,
    {
        let mut resource: &'a E = self;
        let len = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_write_with(cx, len, |_| resource.write_vectored(bufs))
    }
}

impl<E: Pollable> Deref for PollEvented<E> {
    type Target = E;

    fn deref(&self) -> &E {
        self.resource.as_ref().expect("there until `into_inner`")
    }
}

impl<E: Pollable> Drop for PollEvented<E> {
    fn drop(&mut self) {
        if let Some(mut resource) = self.resource.take() {
            // An error means that the descriptor was closed behind our back: the poller copes.
            let _ = self.detach(&mut resource);
        }
    }
}

impl<E: Pollable + fmt::Debug> fmt::Debug for PollEvented<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollEvented").field("io", &self.resource).finish()
    }
}

// A panic cannot leave a resource in a state that the next operation does not cope with.
impl<E: Pollable> UnwindSafe for PollEvented<E> {}
impl<E: Pollable> RefUnwindSafe for PollEvented<E> {}
