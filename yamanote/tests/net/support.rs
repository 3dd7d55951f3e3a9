//! What the tests share: runtimes, and reading and writing without the extension traits.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use yamanote::io::{AsyncRead, AsyncWrite, ReadBuf};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};

pub fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs a test on both flavours.
pub fn on_both<F: Future>(test: impl Fn() -> F) {
    single().block_on(test());
    multi().block_on(test());
}

/// Runs a test on each kind of runtime: one thread, one that keeps its tasks, one worker, several.
pub fn on_each<F: Future>(test: impl Fn() -> F) {
    single().block_on(test());
    Builder::new_current_thread()
        .enable_all()
        .build_local(yamanote::runtime::LocalOptions::default())
        .unwrap()
        .block_on(test());
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(test());
    multi().block_on(test());
}

/// Numbers that look random, the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }
}

pub async fn read(stream: &mut (impl AsyncRead + Unpin), buf: &mut [u8]) -> io::Result<usize> {
    let mut buf = ReadBuf::new(buf);
    poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buf)).await?;
    Ok(buf.filled().len())
}

pub async fn read_exact(stream: &mut (impl AsyncRead + Unpin), buf: &mut [u8]) -> io::Result<()> {
    let mut buf = ReadBuf::new(buf);
    while buf.remaining() > 0 {
        let before = buf.filled().len();
        poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buf)).await?;
        if buf.filled().len() == before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

pub async fn write_all(stream: &mut (impl AsyncWrite + Unpin), mut buf: &[u8]) -> io::Result<()> {
    while !buf.is_empty() {
        let n = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, buf)).await?;
        buf = &buf[n..];
    }
    Ok(())
}

pub async fn shutdown(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx)).await
}

pub async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

#[derive(Default)]
pub struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that counts.
#[derive(Default)]
pub struct Probe(Arc<Count>);

impl Probe {
    pub fn woken(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    pub fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker()))
    }
}

/// Polls once with a waker that does nothing.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub fn is_would_block<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

pub fn is_shutdown<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| {
        error.kind() == io::ErrorKind::Other && error.to_string().contains("being shutdown")
    })
}
