//! Named pipes.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::{ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED};
use yamanote::io::{AsyncReadExt, AsyncWriteExt, Interest};
use yamanote::net::windows::named_pipe::*;
use yamanote::runtime::{Builder, Runtime};

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn name(of: &str) -> String {
    format!(r"\\.\pipe\yamanote-{}-{of}", std::process::id())
}

fn pair(name: &str) -> (NamedPipeServer, NamedPipeClient) {
    let server = ServerOptions::new().create(name).unwrap();
    (server, ClientOptions::new().open(name).unwrap())
}

#[test]
fn talks_both_ways_and_sees_the_end() {
    single().block_on(async {
        let (mut server, mut client) = pair(&name("both"));
        server.connect().await.unwrap();
        let big = vec![7; 300_000];
        let (sent, received) = yamanote::join!(server.write_all(&big), async {
            let mut back = vec![0; big.len()];
            client.read_exact(&mut back).await.unwrap();
            back
        });
        sent.unwrap();
        assert!(received == big);
        client.write_all(b"bye").await.unwrap();
        drop(client);
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"bye");
    });
}

#[test]
fn a_server_waits_for_a_client_and_may_give_up() {
    single().block_on(async {
        let name = name("waits");
        let server = ServerOptions::new().create(&name).unwrap();
        let mut connect = Box::pin(server.connect());
        assert!(futures::FutureExt::now_or_never(&mut connect).is_none());
        drop(connect);
        let mut client = ClientOptions::new().open(&name).unwrap();
        server.connect().await.unwrap();
        server.connect().await.unwrap();
        // And for the next, of whom nothing is heard that the first has said.
        client.write_all(b"first").await.unwrap();
        server.readable().await.unwrap();
        server.disconnect().unwrap();
        let error = client.write_all(b"x").await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(ERROR_PIPE_NOT_CONNECTED as i32));
        let later = yamanote::spawn({
            let name = name.clone();
            async move {
                yamanote::task::yield_now().await;
                let mut client = ClientOptions::new().open(&name).unwrap();
                client.write_all(b"second").await.unwrap();
                client
            }
        });
        server.connect().await.unwrap();
        let mut server = server;
        let mut text = [0; 6];
        server.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"second");
        drop(later.await.unwrap());
    });
}

#[test]
fn trying() {
    single().block_on(async {
        let (server, client) = pair(&name("trying"));
        server.connect().await.unwrap();
        let error = client.try_read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        server.writable().await.unwrap();
        let n = server.try_write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")]).unwrap();
        assert_eq!(n, 4);
        let mut got = Vec::with_capacity(3);
        while got.is_empty() {
            client.readable().await.unwrap();
            let _ = client.try_read_buf(&mut got);
        }
        assert_eq!(got, b"abc");
        let (mut one, mut two) = ([0; 1], [0; 1]);
        let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(client.try_read_vectored(&mut bufs).unwrap(), 1);
        assert_eq!(&one, b"d");
        let ready = server.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap();
        assert!(ready.is_writable());
    });
}

#[test]
fn options_and_what_is_known() {
    single().block_on(async {
        let name = name("options");
        let mut options = ServerOptions::new();
        options.max_instances(2).in_buffer_size(4_096).pipe_mode(PipeMode::Message);
        let server = options.create(&name).unwrap();
        let mut client = ClientOptions::new().pipe_mode(PipeMode::Message).open(&name).unwrap();
        let info = server.info().unwrap();
        assert_eq!((info.end, info.mode, info.max_instances), (PipeEnd::Server, PipeMode::Message, 2));
        assert_eq!(info.in_buffer_size, 4_096);
        assert_eq!(client.info().unwrap().end, PipeEnd::Client);
        assert!(!server.as_raw_handle().is_null());
        let busy = ClientOptions::new().open(&name).unwrap_err();
        assert_eq!(busy.raw_os_error(), Some(ERROR_PIPE_BUSY as i32));
        let second = options.create(&name).unwrap();
        let error = options.create(&name).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(ERROR_PIPE_BUSY as i32));
        drop(second);
        // One write, one message.
        server.connect().await.unwrap();
        let mut server = server;
        server.write_all(b"one").await.unwrap();
        server.write_all(b"two").await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(client.read(&mut buf).await.unwrap(), 3);
        assert_eq!(client.read(&mut buf).await.unwrap(), 3);
    });
}

#[test]
fn errors() {
    single().block_on(async {
        let missing = ClientOptions::new().open(name("nobody")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let null = ServerOptions::new().create("\\\\.\\pipe\\a\0b").unwrap_err();
        assert_eq!(null.kind(), io::ErrorKind::InvalidInput);
    });
    let too_many = std::panic::catch_unwind(|| drop(ServerOptions::new().max_instances(255).clone()));
    assert!(too_many.is_err());
}
