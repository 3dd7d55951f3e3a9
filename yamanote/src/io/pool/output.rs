//! Writing by jobs of the blocking pool.
//!
//! A write copies its bytes, hands them to a job and is done; the operation after it waits for that job, and reports
//! what it failed with. The jobs are mandatory ones: what was accepted is written even if the runtime shuts
//! down before the job has begun.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{MAX_BUFFER, Open};
use crate::engine::blocking::spawn_mandatory_blocking;
use crate::io::PollIo;
use crate::task::JoinHandle;

/// Writes to what `open` gives.
#[derive(Debug)]
pub(crate) struct Output<O> {
    open: O,
    state: State,
    /// Something was written since the last flush.
    unflushed: bool,
}

#[derive(Debug)]
enum State {
    /// With the memory of the last job.
    Idle(Vec<u8>),
    Busy(JoinHandle<(io::Result<()>, Vec<u8>)>),
}

impl<O: Open<Stream: Write>> Output<O> {
    pub(crate) fn new(open: O) -> Self {
        Output { open, state: State::Idle(Vec::new()), unflushed: false }
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> PollIo<usize> {
        let mut bytes = ready!(self.poll_idle(cx))?;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let amount = buf.len().min(MAX_BUFFER);
        bytes.clear();
        bytes.extend_from_slice(&buf[..amount]);
        self.start(bytes, |to, bytes| to.write_all(bytes))?;
        self.unflushed = true;
        Poll::Ready(Ok(amount))
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> PollIo {
        loop {
            let bytes = ready!(self.poll_idle(cx))?;
            if !self.unflushed {
                self.state = State::Idle(bytes);
                return Poll::Ready(Ok(()));
            }
            self.start(bytes, |to, _| to.flush())?;
            self.unflushed = false;
        }
    }

    /// Waits for the job under way, and gives the memory.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> PollIo<Vec<u8>> {
        match &mut self.state {
            State::Idle(bytes) => Poll::Ready(Ok(std::mem::take(bytes))),
            State::Busy(job) => {
                let outcome = ready!(Pin::new(job).poll(cx));
                self.state = State::Idle(Vec::new());
                let (result, bytes) = outcome?;
                Poll::Ready(result.map(|()| bytes))
            }
        }
    }

    fn start(
        &mut self,
        bytes: Vec<u8>,
        work: fn(&mut O::Stream, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let open = self.open.clone();
        let job = spawn_mandatory_blocking(move || {
            let result = work(&mut open.open(), &bytes);
            (result, bytes)
        });
        match job {
            Some(job) => {
                self.state = State::Busy(job);
                Ok(())
            }
            None => Err(crate::runtime::shutdown_error()),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Mutex;

    static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    /// Fails after having taken eight bytes.
    struct Global;

    impl Write for Global {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            let mut written = WRITTEN.lock().unwrap();
            if written.len() >= 8 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let amount = buf.len().min(3);
            written.extend_from_slice(&buf[..amount]);
            Ok(amount)
        }

        fn flush(&mut self) -> io::Result<()> {
            WRITTEN.lock().unwrap().push(b'|');
            Ok(())
        }
    }

    #[test]
    fn writes_are_complete_after_a_flush_and_errors_come_with_the_next_operation() {
        let runtime = crate::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut output = Output::new((|| Global) as fn() -> Global);
            let n = std::future::poll_fn(|cx| output.poll_write(cx, b"abcd")).await.unwrap();
            assert_eq!(n, 4);
            std::future::poll_fn(|cx| output.poll_flush(cx)).await.unwrap();
            assert_eq!(*WRITTEN.lock().unwrap(), b"abcd|");
            // Nothing to be flushed.
            std::future::poll_fn(|cx| output.poll_flush(cx)).await.unwrap();
            assert_eq!(*WRITTEN.lock().unwrap(), b"abcd|");
            // Accepted; three of five bytes get through.
            let n = std::future::poll_fn(|cx| output.poll_write(cx, b"efghi")).await.unwrap();
            assert_eq!(n, 5);
            let e = std::future::poll_fn(|cx| output.poll_flush(cx)).await.unwrap_err();
            assert_eq!(e.kind(), io::ErrorKind::StorageFull);
            assert_eq!(*WRITTEN.lock().unwrap(), b"abcd|efg");
        });
    }
}
