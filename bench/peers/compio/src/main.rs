//! The server on compio (io_uring): a runtime a thread, each with a listener.

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;
use peer::{BUFFER, Kind, Options, Responder};

fn main() {
    let options = Options::from_arguments().without_hyper();
    let kind = options.kind;
    peer::thread_per_listener(peer::listen(options.threads()), move |listener| {
        Runtime::new().expect("io_uring is allowed").block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (socket, _) = listener.accept().await.expect("the limits are high enough");
                compio::runtime::spawn(serve(socket, kind)).detach();
            }
        })
    });
}

async fn serve(mut socket: TcpStream, kind: Kind) {
    let mut responder = Responder::new(kind);
    let (mut buffer, mut out) = (Vec::with_capacity(BUFFER), Vec::with_capacity(BUFFER));
    loop {
        buffer.clear();
        let BufResult(read, read_into) = socket.read(buffer).await;
        buffer = read_into;
        let Ok(n @ 1..) = read else { break };
        let open = responder.answer(&buffer[..n], &mut out);
        let BufResult(written, written_from) = socket.write_all(out).await;
        out = written_from;
        if written.is_err() || !open {
            break;
        }
        out.clear();
    }
}
