//! Reading by jobs of the blocking pool.
//!
//! Idle, with what the last job read and nobody has fetched; or busy with a job. A read that is given up leaves the job
//! running, and the next read gets what it brought.

use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{MAX_BUFFER, Open};
use crate::engine::blocking::{spawn_blocking, spawn_expendable_blocking};
use crate::engine::context;
use crate::io::{PollIo, ReadBuf};
use crate::task::JoinHandle;

/// Reads from what `open` gives.
#[derive(Debug)]
pub(crate) struct Input<O> {
    open: O,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The bytes from `start` on have not been fetched.
    Idle {
        bytes: Vec<u8>,
        start: usize,
    },
    Busy(JoinHandle<(io::Result<()>, Vec<u8>)>),
}

impl<O: Open<Stream: Read>> Input<O> {
    pub(crate) fn new(open: O) -> Self {
        Input { open, state: State::Idle { bytes: Vec::new(), start: 0 } }
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> PollIo {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match &mut self.state {
                State::Idle { bytes, start } if *start < bytes.len() => {
                    *start += move_bytes(&bytes[*start..], buf);
                    return Poll::Ready(Ok(()));
                }
                State::Idle { bytes, start: _ } => {
                    let mut bytes = std::mem::take(bytes);
                    let amount = buf.remaining().min(MAX_BUFFER);
                    let open = self.open.clone();
                    let job = move || {
                        let result = read_for_runtime(&open, &mut bytes, amount);
                        (result, bytes)
                    };
                    self.state = State::Busy(match O::IS_EXPENDABLE {
                        true => spawn_expendable_blocking(job),
                        false => spawn_blocking(job),
                    });
                }
                State::Busy(job) => {
                    let outcome = ready!(Pin::new(job).poll(cx));
                    self.state = State::Idle { bytes: Vec::new(), start: 0 };
                    let (result, bytes) = outcome?;
                    result?;
                    let start = move_bytes(&bytes, buf);
                    // Nothing at all is the end.
                    self.state = State::Idle { bytes, start };
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

/// Moves what fits and tells how much that was.
fn move_bytes(bytes: &[u8], buf: &mut ReadBuf<'_>) -> usize {
    let amount = bytes.len().min(buf.remaining());
    buf.put_slice(&bytes[..amount]);
    amount
}

/// One read of at most `amount` bytes, unless the runtime it is for has ended meanwhile: whoever reads next gets what
/// there is.
fn read_for_runtime<O>(open: &O, bytes: &mut Vec<u8>, amount: usize) -> io::Result<()>
where
    O: Open<Stream: Read>,
{
    let mut stream = open.open();
    if O::IS_EXPENDABLE {
        bytes.clear();
        O::wait(&mut stream)?;
        if context::with_handle(|handle| handle.shared.is_shutdown()).unwrap_or(false) {
            return Ok(());
        }
    }
    read_some(stream, bytes, amount)
}

/// One read of at most `amount` bytes in place of what `bytes` has.
fn read_some(mut from: impl Read, bytes: &mut Vec<u8>, amount: usize) -> io::Result<()> {
    bytes.resize(amount, 0);
    let result = loop {
        match from.read(bytes) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    bytes.truncate(*result.as_ref().unwrap_or(&0));
    result.map(drop)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_read_keeps_what_does_not_fit() {
        /// Reads once it may.
        struct Gated;

        static GATE: std::sync::Mutex<()> = std::sync::Mutex::new(());

        impl Read for Gated {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let _gate = GATE.lock().unwrap();
                (&b"abcdef"[..]).read(buf)
            }
        }

        let runtime = crate::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut input = Input::new((|| Gated) as fn() -> Gated);
            let mut small = [0; 4];
            let mut buf = ReadBuf::new(&mut small);
            // Given up: the job goes on and reads four bytes.
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let closed = GATE.lock().unwrap();
            assert!(input.poll_read(&mut cx, &mut buf).is_pending());
            drop(closed);
            for expected in [&b"ab"[..], b"cd", b"ab"] {
                let mut memory = [0; 2];
                let mut buf = ReadBuf::new(&mut memory);
                std::future::poll_fn(|cx| input.poll_read(cx, &mut buf)).await.unwrap();
                assert_eq!(buf.filled(), expected);
            }
        });
    }

    #[test]
    fn errors_are_reported_and_not_final() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let runtime = crate::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut input = Input::new((|| Fails) as fn() -> Fails);
            for _ in 0..2 {
                let mut memory = [0; 2];
                let mut buf = ReadBuf::new(&mut memory);
                let e = std::future::poll_fn(|cx| input.poll_read(cx, &mut buf)).await.unwrap_err();
                assert_eq!(e.kind(), io::ErrorKind::PermissionDenied);
            }
        });
    }
}
