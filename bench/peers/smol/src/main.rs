//! The server on smol: an executor that all threads run, as `smol::spawn` has it.

use std::net::TcpListener;

use peer::{BUFFER, Options, Responder};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, Executor};

static EXECUTOR: Executor<'static> = Executor::new();

fn main() {
    let options = Options::from_arguments().without_hyper();
    let listener = Async::<TcpListener>::new(peer::listen(1).remove(0)).unwrap();
    for _ in 1..options.threads() {
        std::thread::spawn(|| smol::block_on(EXECUTOR.run(smol::future::pending::<()>())));
    }
    smol::block_on(EXECUTOR.run(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("the limits are high enough");
            let serving = serve(socket, Responder::new(options.kind));
            EXECUTOR.spawn(serving).detach();
        }
    }))
}

async fn serve(mut socket: Async<std::net::TcpStream>, mut responder: Responder) {
    let (mut buffer, mut out) = ([0; BUFFER], Vec::with_capacity(BUFFER));
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        let open = responder.answer(&buffer[..n], &mut out);
        if socket.write_all(&out).await.is_err() || !open {
            break;
        }
        out.clear();
    }
}
