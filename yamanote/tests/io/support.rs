//! Readers and writers that follow a script, a runner without a runtime, and a source of randomness that is the same
//! in every run.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Counts its wakes.
#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn new() -> (Arc<Wakes>, Waker) {
        let wakes = Arc::new(Wakes::default());
        (wakes.clone(), wakes.into())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls once.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs a future to its end. What is pending must have woken its task, or it would never end in earnest.
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut seen = 0;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        assert!(wakes.count() > seen, "pending, and nobody will wake it");
        seen = wakes.count();
    }
}

/// The file in which `f` panics.
pub fn panic_file(f: impl FnOnce()) -> Option<String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let place = Arc::new(Mutex::new(None));
    let here = std::thread::current().id();
    let previous = Arc::new(std::panic::take_hook());
    std::panic::set_hook(Box::new({
        let (place, previous) = (place.clone(), previous.clone());
        move |info| {
            if std::thread::current().id() == here {
                *place.lock().unwrap() = info.location().map(|l| l.file().to_owned());
            } else {
                previous(info);
            }
        }
    }));
    let _ = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(Box::new(move |info| previous(info)));
    place.lock().unwrap().take()
}

/// What a mock does when it is polled.
#[derive(Clone, Debug)]
pub enum Step {
    /// Gives these bytes; what does not fit stays for the next poll.
    Read(Vec<u8>),
    /// Takes up to so many bytes.
    Write(usize),
    /// Is pending once, and wakes.
    Wait,
    Fail(io::ErrorKind),
}

/// Follows separate scripts for reading and writing. At the end of its script reading is at the end, and writing takes
/// everything.
#[derive(Debug, Default)]
pub struct Mock {
    pub reads: VecDeque<Step>,
    pub writes: VecDeque<Step>,
    pub written: Vec<u8>,
    pub flushed: usize,
    pub shut_down: usize,
    pub vectored: bool,
}

impl Mock {
    pub fn new(reads: impl IntoIterator<Item = Step>, writes: impl IntoIterator<Item = Step>) -> Self {
        Mock {
            reads: reads.into_iter().collect(),
            writes: writes.into_iter().collect(),
            ..Mock::default()
        }
    }

    pub fn reader(reads: impl IntoIterator<Item = Step>) -> Self {
        Self::new(reads, [])
    }

    pub fn writer(writes: impl IntoIterator<Item = Step>) -> Self {
        Self::new([], writes)
    }

    fn write(&mut self, cx: &mut Context<'_>, bufs: &[&[u8]]) -> Poll<io::Result<usize>> {
        let limit = match self.writes.pop_front() {
            None => usize::MAX,
            Some(Step::Write(limit)) => limit,
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Fail(kind)) => return Poll::Ready(Err(kind.into())),
            Some(Step::Read(_)) => panic!("a read in the script of writes"),
        };
        let before = self.written.len();
        for buf in bufs {
            let room = limit - (self.written.len() - before);
            self.written.extend_from_slice(&buf[..buf.len().min(room)]);
        }
        Poll::Ready(Ok(self.written.len() - before))
    }
}

impl AsyncRead for Mock {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.reads.pop_front() {
            None => Poll::Ready(Ok(())),
            Some(Step::Read(mut bytes)) => {
                let amount = bytes.len().min(buf.remaining());
                buf.put_slice(&bytes[..amount]);
                bytes.drain(..amount);
                if !bytes.is_empty() {
                    self.reads.push_front(Step::Read(bytes));
                }
                Poll::Ready(Ok(()))
            }
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Fail(kind)) => Poll::Ready(Err(kind.into())),
            Some(Step::Write(_)) => panic!("a write in the script of reads"),
        }
    }
}

impl AsyncWrite for Mock {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, &[buf])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.vectored {
            let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
            self.write(cx, &bufs)
        } else {
            let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
            self.write(cx, &[first])
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down += 1;
        Poll::Ready(Ok(()))
    }
}

/// xorshift.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    /// Text of few different bytes, so that delimiters are frequent.
    pub fn text(&mut self, max_len: usize) -> Vec<u8> {
        let len = self.below(max_len + 1);
        (0..len).map(|_| b"ab\n\r,"[self.below(5)]).collect()
    }

    /// The bytes in pieces, with waits and disturbances in between.
    pub fn script(&mut self, bytes: &[u8]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.below(6) {
                0 => steps.push(Step::Wait),
                1 => steps.push(Step::Fail(io::ErrorKind::Interrupted)),
                _ => {
                    let (piece, next) = rest.split_at(1 + self.below(rest.len().min(9)));
                    steps.push(Step::Read(piece.to_vec()));
                    rest = next;
                }
            }
        }
        steps
    }

    /// Writes of few bytes at a time, with waits and disturbances in between.
    pub fn slow_writes(&mut self, count: usize) -> Vec<Step> {
        (0..count)
            .map(|_| match self.below(6) {
                0 => Step::Wait,
                1 => Step::Fail(io::ErrorKind::Interrupted),
                _ => Step::Write(1 + self.below(7)),
            })
            .collect()
    }
}
