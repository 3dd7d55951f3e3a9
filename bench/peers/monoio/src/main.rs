//! The server on monoio (io_uring): a runtime a thread, each with a listener.

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{FusionDriver, RuntimeBuilder};
use peer::{BUFFER, Kind, Options, Responder};

fn main() {
    let options = Options::from_arguments().without_hyper();
    let kind = options.kind;
    peer::thread_per_listener(peer::listen(options.threads()), move |listener| {
        let mut runtime = RuntimeBuilder::<FusionDriver>::new().build().expect("io_uring is allowed");
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (socket, _) = listener.accept().await.expect("the limits are high enough");
                monoio::spawn(serve(socket, kind));
            }
        })
    });
}

async fn serve(mut socket: TcpStream, kind: Kind) {
    let mut responder = Responder::new(kind);
    let (mut buffer, mut out) = (vec![0; BUFFER], Vec::with_capacity(BUFFER));
    loop {
        let (read, read_into) = socket.read(buffer).await;
        buffer = read_into;
        let Ok(n @ 1..) = read else { break };
        let open = responder.answer(&buffer[..n], &mut out);
        let (written, written_from) = socket.write_all(out).await;
        out = written_from;
        if written.is_err() || !open {
            break;
        }
        out.clear();
    }
}
