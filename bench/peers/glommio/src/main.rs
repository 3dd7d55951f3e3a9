//! The server on glommio (io_uring): an executor a thread, each with a listener.

use std::os::fd::{FromRawFd, IntoRawFd};

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Placement};
use peer::{BUFFER, Kind, Options, Responder};

fn main() {
    let options = Options::from_arguments().without_hyper();
    let kind = options.kind;
    peer::thread_per_listener(peer::listen(options.threads()), move |listener| {
        let executor = LocalExecutorBuilder::new(Placement::Unbound)
            .make()
            .expect("io_uring is allowed, and enough memory may be locked (ulimit -l)");
        executor.run(async move {
            // SAFETY: the descriptor is a listening socket's that nobody else has any more.
            let listener = unsafe { TcpListener::from_raw_fd(listener.into_raw_fd()) };
            loop {
                let socket = listener.accept().await.expect("the limits are high enough");
                glommio::spawn_local(serve(socket, kind)).detach();
            }
        })
    });
}

async fn serve(mut socket: TcpStream, kind: Kind) {
    let mut responder = Responder::new(kind);
    let (mut buffer, mut out) = ([0; BUFFER], Vec::with_capacity(BUFFER));
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        let open = responder.answer(&buffer[..n], &mut out);
        if socket.write_all(&out).await.is_err() || !open {
            break;
        }
        out.clear();
    }
}
