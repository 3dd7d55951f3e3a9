//! A server that runs out of descriptors reports it, goes on, and has every client served in the end.

use std::future::Future;
use std::io;

use yamanote::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use yamanote::task::JoinSet;

use crate::shim::Rates;
use crate::under;

const RATES: Rates = Rates { eintr: 100, eagain: 150, short: 0, enobufs: 0, emfile: 300, refusal: 0 };
const CLIENTS: u32 = 100;

async fn all_are_served<S, C>(accept: impl AsyncFn() -> io::Result<S>, connect: impl Fn() -> C)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Future<Output = io::Result<S>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for i in 0..CLIENTS {
        let connecting = connect();
        tasks.spawn(async move {
            let mut stream = connecting.await.unwrap();
            stream.write_u32(i).await.unwrap();
            assert_eq!(stream.read_u32().await.unwrap(), i);
        });
    }
    let (mut served, mut refused) = (0, 0);
    while served < CLIENTS {
        match accept().await {
            Ok(mut stream) => {
                served += 1;
                tasks.spawn(async move {
                    let number = stream.read_u32().await.unwrap();
                    stream.write_u32(number).await.unwrap();
                });
            }
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                refused += 1;
                yamanote::task::yield_now().await;
            }
        }
    }
    assert!(refused > 0);
    tasks.join_all().await;
}

#[test]
fn tcp() {
    under(RATES, async |_| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let accept = async || listener.accept().await.map(|(stream, _)| stream);
        all_are_served(accept, || TcpStream::connect(addr)).await;
    });
}

#[test]
fn unix() {
    under(RATES, async |_| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let accept = async || listener.accept().await.map(|(stream, _)| stream);
        all_are_served(accept, || UnixStream::connect(path.clone())).await;
    });
}
