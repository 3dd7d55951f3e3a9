//! The server on tokio and on yamanote: one source, in which `rt` is the one or the other.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::rt::ReadBufCursor;
use hyper::service::service_fn;
use hyper::{Request, Response};
use peer::{BUFFER, Kind, Options, Responder};
use rt::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use rt::net::{TcpListener, TcpStream};
use rt::runtime::Builder;

fn main() {
    let options = Options::from_arguments();
    let mut builder = match options.workers {
        0 => Builder::new_current_thread(),
        workers => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(workers);
            builder
        }
    };
    #[cfg(feature = "busy-poll")]
    if let Some(at_most) = options.busy_poll {
        builder.busy_poll(at_most);
    }
    let runtime = builder.enable_all().build().expect("the runtime builds");
    let listener = peer::listen(1).remove(0);
    runtime.block_on(async move {
        // A task, so that on the multi-thread flavour a worker accepts.
        rt::spawn(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (socket, _) = listener.accept().await.expect("the limits are high enough");
                match options.kind {
                    Kind::Echo => rt::spawn(echo(socket)),
                    Kind::Http => rt::spawn(http(socket)),
                    Kind::Hyper => rt::spawn(hyper(socket)),
                };
            }
        })
        .await
        .unwrap();
    });
}

async fn echo(mut socket: TcpStream) {
    let mut buffer = [0; BUFFER];
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        if socket.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
}

async fn http(mut socket: TcpStream) {
    let mut responder = Responder::new(Kind::Http);
    let (mut buffer, mut out) = ([0; BUFFER], Vec::with_capacity(BUFFER));
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        let open = responder.answer(&buffer[..n], &mut out);
        if socket.write_all(&out).await.is_err() || !open {
            break;
        }
        out.clear();
    }
}

async fn hyper(socket: TcpStream) {
    async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(Response::new(Full::new(Bytes::from_static(b"Hello, world!"))))
    }
    // An error is a connection's end.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(Timer)
        .serve_connection(Io(socket), service_fn(hello))
        .await;
}

/// Hyper's traits on the runtime's socket, the same for both.
struct Io(TcpStream);

impl hyper::rt::Read for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        // SAFETY: `ReadBuf` only ever initialises what it is given.
        let mut buffer = ReadBuf::uninit(unsafe { cursor.as_mut() });
        let poll = Pin::new(&mut self.0).poll_read(cx, &mut buffer);
        let filled = buffer.filled().len();
        // SAFETY: `ReadBuf` has initialised what it says is filled.
        unsafe { cursor.advance(filled) };
        poll
    }
}

impl hyper::rt::Write for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }
}

/// Without a timer hyper has no header timeout; servers have one.
#[derive(Clone, Copy, Debug)]
struct Timer;

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: std::time::Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(Box::pin(rt::time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(Box::pin(rt::time::sleep_until(deadline.into()))))
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn hyper::rt::Sleep>>, deadline: std::time::Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(sleep) => sleep.get_mut().0.as_mut().reset(deadline.into()),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

struct Sleep(Pin<Box<rt::time::Sleep>>);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl hyper::rt::Sleep for Sleep {}
