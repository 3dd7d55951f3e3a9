//! The relay between sockets.

use std::io;
use std::task::{Context, Poll, ready};

use super::super::{DEFAULT_BUFFER_SIZE, is_interrupted};
use super::Relayed;
use crate::engine::budget;
use crate::engine::io::source::Direction;
use crate::net::ends::End;
use crate::sys::splice::{self, Pipe};

/// Buffers that were filled in a row before it is tried. Arbitrary: 64 KiB, which a message seldom has.
const TRY_AFTER: u32 = 8;

/// Pieces in a row that a buffer would have held before it is given up: those are cheaper copied.
const STOP_AFTER: u32 = 8;

#[derive(Debug, Default)]
pub(in super::super) struct Relay {
    state: State,
    pipe: Option<Pipe>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Bytes are copied; so many buffers were filled in a row.
    Off(u32),
    /// Bytes are moved; so many pieces in a row were small.
    On(u32),
    /// Not with these two.
    Never,
}

impl Default for State {
    fn default() -> State {
        State::Off(0)
    }
}

impl Relay {
    /// A read brought `len` bytes where there was room for `room`.
    pub(in super::super) fn note_read(&mut self, len: usize, room: usize) {
        if let State::Off(full) = &mut self.state {
            *full = if len == room { *full + 1 } else { 0 };
            if *full == TRY_AFTER {
                self.state = State::On(0);
            }
        }
    }

    pub(in super::super) fn is_on(&self) -> bool {
        matches!(self.state, State::On(_))
    }

    /// Moves everything that comes, and counts what was written in `moved`.
    pub(in super::super) fn poll<R: ?Sized, W: ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &R,
        writer: &W,
        moved: &mut u64,
    ) -> Poll<io::Result<Relayed>> {
        let (Some(from), Some(to)) = (End::of_reader(reader), End::of_writer(writer)) else {
            return self.stop(State::Never);
        };
        loop {
            let pipe = match &mut self.pipe {
                Some(pipe) => pipe,
                None => {
                    // Urgent bytes are for `recv` to skip.
                    if from.registration.saw_priority() || !splice::is_harmless() {
                        return self.stop(State::Never);
                    }
                    match Pipe::take() {
                        Some(pipe) => self.pipe.insert(pipe),
                        None => return self.stop(State::Off(0)),
                    }
                }
            };
            if pipe.held() == 0 {
                let filled = from.registration.poll_io(cx, Direction::Read, |_| pipe.fill(from.handle));
                match filled {
                    Poll::Pending => {
                        self.leave_pipe();
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(0)) => {
                        self.leave_pipe();
                        return Poll::Ready(Ok(Relayed::Ended));
                    }
                    Poll::Ready(Ok(len)) => self.note_piece(len),
                    Poll::Ready(Err(error)) if splice::is_refusal(&error) => {
                        return self.stop(State::Never);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                }
            }
            while let Some(pipe) = self.pipe.as_mut().filter(|pipe| pipe.held() > 0) {
                let drained = to.registration.poll_io(cx, Direction::Write, |_| pipe.drain(to.handle));
                match ready!(drained) {
                    Ok(0) => {
                        let error = "the writer takes no more bytes";
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, error)));
                    }
                    Ok(len) => *moved += len as u64,
                    Err(error) if splice::is_refusal(&error) => return self.stop(State::Never),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            if !self.is_on() {
                return self.stop(self.state);
            }
        }
    }

    /// A piece came: is it worth it, and what does it take from the task's budget?
    fn note_piece(&mut self, len: usize) {
        if let State::On(small) = &mut self.state {
            *small = if len <= DEFAULT_BUFFER_SIZE { *small + 1 } else { 0 };
            if *small == STOP_AFTER {
                self.state = State::Off(0);
            }
        }
        // As much as if it were copied, so that others get their turn as often.
        for _ in 0..len / DEFAULT_BUFFER_SIZE {
            if budget::take().is_none() {
                break;
            }
        }
    }

    fn stop(&mut self, state: State) -> Poll<io::Result<Relayed>> {
        self.state = state;
        self.leave_pipe();
        Poll::Ready(Ok(Relayed::Stopped))
    }

    /// Leaves the pipe to others, unless something is in it.
    fn leave_pipe(&mut self) {
        if let Some(pipe) = self.pipe.take_if(|pipe| pipe.held() == 0) {
            pipe.give_back();
        }
    }

    /// Takes bytes that were read and not written into `buf`, and tells how many. If they do not fill it, there are no
    /// more.
    #[inline]
    pub(in super::super) fn rescue(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.pipe.is_none() {
            return Ok(0);
        }
        let mut len = 0;
        while let Some(pipe) = self.pipe.as_mut().filter(|pipe| pipe.held() > 0 && len < buf.len()) {
            match pipe.read(&mut buf[len..]) {
                Ok(n) => len += n,
                Err(error) if is_interrupted(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.leave_pipe();
        Ok(len)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.leave_pipe();
    }
}

#[cfg(all(test, feature = "full", not(loom)))]
mod tests {
    use super::*;
    use crate::io::util::copy::Transfer;
    use crate::io::{AsyncReadExt, AsyncWriteExt};
    use crate::net::UnixStream;
    use std::future::poll_fn;
    use std::pin::Pin;

    /// Runs a test with the ends of two connections: what is written to the first is copied to the last.
    fn with_connections(test: impl AsyncFnOnce(UnixStream, UnixStream, UnixStream, UnixStream)) {
        crate::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let ((a, b), (c, d)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
            test(a, b, c, d).await;
        });
    }

    #[test]
    fn much_is_moved_and_little_copied() {
        if Pipe::take().is_none() {
            // Nothing is moved on this system.
            return;
        }
        with_connections(async |mut a, mut b, mut c, mut d| {
            let mut transfer = Transfer::new(100);
            let mut poll = |transfer: &mut Transfer| {
                let cx = &mut Context::from_waker(std::task::Waker::noop());
                transfer.poll(cx, Pin::new(&mut b), Pin::new(&mut c))
            };
            // By whole buffers, so many in a row ...
            a.write_all(&[1; 100 * (TRY_AFTER as usize - 1)]).await.unwrap();
            assert!(poll(&mut transfer).is_pending());
            assert!(!transfer.relay.is_on());
            a.write_all(&[1; 100]).await.unwrap();
            crate::task::yield_now().await;
            assert!(poll(&mut transfer).is_pending());
            assert!(transfer.relay.is_on());
            assert!(transfer.relay.pipe.is_none(), "kept while nothing comes");
            // ... and back by so many small pieces.
            for _ in 0..STOP_AFTER {
                assert!(transfer.relay.is_on());
                a.write_all(&[2; 10]).await.unwrap();
                crate::task::yield_now().await;
                assert!(poll(&mut transfer).is_pending());
            }
            assert!(!transfer.relay.is_on());
            drop(a);
            crate::task::yield_now().await;
            assert!(poll(&mut transfer).is_ready());
            drop(c);
            let mut all = Vec::new();
            d.read_to_end(&mut all).await.unwrap();
            let (ones, twos) = all.split_at(100 * TRY_AFTER as usize);
            assert!(ones.iter().all(|byte| *byte == 1));
            assert_eq!(twos, [2; 10 * STOP_AFTER as usize]);
        });
    }

    /// What the pipe holds when the system will not go on comes before what is read next.
    #[test]
    fn what_was_taken_is_rescued() {
        with_connections(async |mut a, mut b, mut c, mut d| {
            let data: Vec<u8> = (0..10_000).map(|i| (i % 251) as u8).collect();
            a.write_all(&data[..9_000]).await.unwrap();
            let mut transfer = Transfer::new(700);
            let Some(mut pipe) = Pipe::take() else { return };
            let from = End::of_reader(&b).unwrap();
            assert_eq!(pipe.fill(from.handle).unwrap(), 9_000);
            transfer.relay = Relay { state: State::Never, pipe: Some(pipe) };
            a.write_all(&data[9_000..]).await.unwrap();
            drop(a);
            let writing = crate::spawn(async move {
                poll_fn(|cx| transfer.poll(cx, Pin::new(&mut b), Pin::new(&mut c))).await.unwrap()
            });
            let mut all = Vec::new();
            d.read_to_end(&mut all).await.unwrap();
            assert!(all == data);
            assert_eq!(writing.await.unwrap(), 10_000);
        });
    }

    #[test]
    fn only_between_sockets() {
        with_connections(async |mut a, mut b, _c, _d| {
            a.write_all(&[3; 5_000]).await.unwrap();
            drop(a);
            let (mut transfer, mut sink) = (Transfer::new(100), Vec::new());
            poll_fn(|cx| transfer.poll(cx, Pin::new(&mut b), Pin::new(&mut sink))).await.unwrap();
            assert_eq!(sink, [3; 5_000]);
            assert!(matches!(transfer.relay.state, State::Never));
        });
    }
}
