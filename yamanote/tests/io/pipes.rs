//! Pipes in memory, halves, and the cooperative budget of what never has to wait.

use std::future::Future;
use std::io::{ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::io::{
    self, AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex,
    simplex, split,
};

use crate::support::{Mock, Wakes, poll_once, run};

#[test]
fn duplex_carries_bytes_both_ways() {
    let (mut a, mut b) = duplex(8);
    let mut buf = [0; 16];
    run(a.write_all(b"ping")).unwrap();
    run(b.write_all(b"pong")).unwrap();
    assert_eq!(run(a.read(&mut buf)).unwrap(), 4);
    assert_eq!(&buf[..4], b"pong");
    assert_eq!(run(b.read(&mut buf[..3])).unwrap(), 3);
    assert_eq!(run(b.read(&mut buf[3..])).unwrap(), 1);
    assert_eq!(&buf[..4], b"ping");
    // As much as fits.
    assert_eq!(run(a.write(&[1; 20])).unwrap(), 8);
    assert!(poll_once(&mut Box::pin(a.write(&[1]))).is_pending());
    assert_eq!(run(b.read(&mut buf[..3])).unwrap(), 3);
    let two = [IoSlice::new(&[2; 2]), IoSlice::new(&[3; 5])];
    assert_eq!(run(a.write_vectored(&two)).unwrap(), 3);
    assert_eq!(run(b.read(&mut buf)).unwrap(), 8);
    assert_eq!(&buf[..8], [1, 1, 1, 1, 1, 2, 2, 3]);
    assert!(poll_once(&mut Box::pin(b.read(&mut buf))).is_pending());
}

#[test]
fn nothing_is_read_and_written_at_once() {
    let (mut a, mut b) = duplex(1);
    assert_eq!(run(a.read(&mut [])).unwrap(), 0);
    run(a.write_all(b"x")).unwrap();
    assert_eq!(run(a.write(&[])).unwrap(), 0);
    assert_eq!(run(a.write_vectored(&[IoSlice::new(&[]), IoSlice::new(&[])])).unwrap(), 0);
    run(b.shutdown()).unwrap();
    assert_eq!(run(b.write(&[])).unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(b);
    assert_eq!(run(a.write(&[])).unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(run(a.write_vectored(&[])).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_closed_end_is_seen_after_what_is_under_way() {
    let (mut a, mut b) = duplex(8);
    run(a.write_all(b"last")).unwrap();
    run(a.shutdown()).unwrap();
    let mut all = Vec::new();
    run(b.read_to_end(&mut all)).unwrap();
    assert_eq!(all, b"last");
    assert_eq!(run(a.write(b"x")).unwrap_err().kind(), ErrorKind::BrokenPipe);
    // The other direction is open.
    run(b.write_all(b"more")).unwrap();
    drop(b);
    all.clear();
    run(a.read_to_end(&mut all)).unwrap();
    assert_eq!(all, b"more");
}

/// Polls `future` once with a waker that counts, does `then`, and expects one wake.
#[track_caller]
fn woken_by<F: Future>(future: F, then: impl FnOnce()) -> F::Output {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut cx).is_pending());
    then();
    assert_eq!(wakes.count(), 1);
    match future.poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("woken for nothing"),
    }
}

#[test]
fn each_operation_wakes_who_waits_for_it() {
    let (mut a, mut b) = duplex(1);
    let mut byte = [0];
    assert_eq!(woken_by(b.read(&mut byte), || run(a.write_all(b"x")).unwrap()).unwrap(), 1);
    run(a.write_all(b"y")).unwrap();
    woken_by(a.write_all(b"z"), || assert_eq!(run(b.read_u8()).unwrap(), b'y')).unwrap();
    assert_eq!(run(b.read_u8()).unwrap(), b'z');
    assert_eq!(woken_by(b.read(&mut byte), || run(a.shutdown()).unwrap()).unwrap(), 0);

    let (mut a, b) = duplex(1);
    assert_eq!(woken_by(a.read(&mut byte), || drop(b)).unwrap(), 0);
    let (mut a, b) = duplex(1);
    run(a.write_all(b"x")).unwrap();
    let e = woken_by(a.write_all(b"y"), || drop(b)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BrokenPipe);
}

/// A waker that polls its future on the spot: it would deadlock if it ran under a lock of the pipe.
struct PollsWhenWoken<F>(Mutex<Option<Pin<Box<F>>>>);

impl<F: Future<Output = ()> + Send + 'static> Wake for PollsWhenWoken<F> {
    fn wake(self: Arc<Self>) {
        let mut future = self.0.lock().unwrap();
        let poll = future.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_ready());
        *future = None;
    }
}

fn done_when_woken<F: Future<Output = ()> + Send + 'static>(future: F) -> impl Fn() -> bool {
    let task = Arc::new(PollsWhenWoken(Mutex::new(Some(Box::pin(future)))));
    let waker = Waker::from(task.clone());
    let poll = task.0.lock().unwrap().as_mut().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
    assert!(poll.is_pending());
    move || task.0.lock().unwrap().is_none()
}

#[test]
fn wakers_run_outside_the_locks() {
    let reads = |mut stream: DuplexStream, n| async move {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), n);
    };
    let (mut a, b) = duplex(1);
    let done = done_when_woken(reads(b, 1));
    assert_eq!(run(a.write(b"x")).unwrap(), 1);
    assert!(done());
    let (mut a, b) = duplex(1);
    let done = done_when_woken(reads(b, 0));
    run(a.shutdown()).unwrap();
    assert!(done());
    let (a, b) = duplex(1);
    let done = done_when_woken(reads(b, 0));
    drop(a);
    assert!(done());
    let (mut a, mut b) = duplex(1);
    let done = done_when_woken(async move { a.write_all(b"xy").await.unwrap() });
    assert_eq!(run(b.read(&mut [0])).unwrap(), 1);
    assert!(done());
    let (mut a, b) = duplex(1);
    let done = done_when_woken(async move {
        drop(a.write_all(b"xy").await.unwrap_err());
    });
    drop(b);
    assert!(done());
}

#[test]
fn a_replaced_waker_is_dropped_outside_the_locks() {
    /// Its last waker takes the other end along.
    struct Owner(#[allow(dead_code)] DuplexStream);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    fn check(peer: DuplexStream, future: impl Future<Output = ()>) {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Owner(peer)));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(future.as_mut().poll(&mut cx).is_ready());
    }
    let (mut a, b) = duplex(1);
    check(b, async { assert_eq!(a.read(&mut [0]).await.unwrap(), 0) });
    let (mut a, b) = duplex(1);
    check(b, async { drop(a.write_all(b"xy").await.unwrap_err()) });
}

#[test]
fn threads_can_talk() {
    const BYTES: usize = 100_000;
    let (mut a, mut b) = duplex(37);
    let writer = std::thread::spawn(move || {
        futures::executor::block_on(async {
            for n in 0..BYTES {
                a.write_u8(n as u8).await.unwrap();
            }
        });
    });
    let mut all = Vec::new();
    futures::executor::block_on(b.read_to_end(&mut all)).unwrap();
    assert!(all.len() == BYTES && all.iter().enumerate().all(|(n, byte)| n as u8 == *byte));
    writer.join().unwrap();
}

#[test]
fn simplex_goes_one_way() {
    let (mut reader, mut writer) = simplex(2);
    assert!(reader.is_pair_of(&writer));
    run(writer.write_all(b"ab")).unwrap();
    assert_eq!(run(reader.read_u8()).unwrap(), b'a');
    woken_by(writer.write_all(b"cd"), || assert_eq!(run(reader.read_u8()).unwrap(), b'b')).unwrap();
    run(writer.shutdown()).unwrap();
    let mut rest = Vec::new();
    run(reader.read_to_end(&mut rest)).unwrap();
    assert_eq!(rest, b"cd");
    assert_eq!(run(writer.write(b"x")).unwrap_err().kind(), ErrorKind::BrokenPipe);
    let mut whole = reader.unsplit(writer);
    assert_eq!(run(whole.read(&mut [0])).unwrap(), 0);
}

#[test]
fn halves_share_the_stream() {
    let mut mock = Mock::new([crate::support::Step::Read(b"in".to_vec())], []);
    mock.vectored = true;
    let (mut reader, mut writer) = split(mock);
    let (_, stranger) = split(Mock::default());
    assert!(reader.is_pair_of(&writer) && writer.is_pair_of(&reader));
    assert!(!reader.is_pair_of(&stranger));
    assert!(writer.is_write_vectored() && !stranger.is_write_vectored());
    let mut word = [0; 2];
    run(reader.read_exact(&mut word)).unwrap();
    run(writer.write_all(b"out")).unwrap();
    run(writer.flush()).unwrap();
    run(writer.shutdown()).unwrap();
    let mock = reader.unsplit(writer);
    assert_eq!((&mock.written[..], mock.flushed, mock.shut_down), (&b"out"[..], 1, 1));
    assert_eq!(&word, b"in");
}

/// What never has to wait gives way nevertheless: `busy` is polled once by a runtime and must come back.
fn gives_way(mut busy: impl AsyncFnMut()) {
    let runtime = yamanote::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut endless = pin!(async {
            loop {
                busy().await;
            }
        });
        std::future::poll_fn(|cx| {
            assert!(endless.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    });
}

#[test]
fn everything_in_memory_is_cooperative() {
    let mut buf = [0; 64];
    gives_way(async || drop(io::empty().read(&mut [0]).await));
    gives_way(async || drop(io::empty().read_line(&mut String::new()).await));
    gives_way(async || drop(io::empty().rewind().await));
    gives_way(async || drop(io::repeat(1).read_exact(&mut [0; 9]).await));
    gives_way(async || drop(io::sink().write_all(&[0; 9]).await));
    gives_way(async || drop(io::sink().write_vectored(&[IoSlice::new(&[0; 9])]).await));
    gives_way(async || drop(io::sink().flush().await));
    gives_way(async || drop(io::sink().shutdown().await));
    gives_way(async || drop(io::copy(&mut &b"abc"[..], &mut Vec::new()).await));
    gives_way(async || drop(io::copy_buf(&mut &b"abc"[..], &mut Vec::new()).await));
    gives_way(async || {
        drop(io::copy_bidirectional(&mut Mock::default(), &mut Mock::default()).await);
    });
    let (mut a, mut b) = duplex(64);
    gives_way(async || {
        a.write_all(&[3; 64]).await.unwrap();
        b.read_exact(&mut buf).await.unwrap();
    });
    // One copy that never ends.
    gives_way(async || drop(io::copy(&mut Endless, &mut Vec::new()).await));
}

/// A source that does not take part in the budget itself.
struct Endless;

impl io::AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}
