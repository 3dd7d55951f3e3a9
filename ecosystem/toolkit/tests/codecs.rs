//! tokio-util's codecs over sockets and pipes: frames come whole and in order, however the bytes are cut.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::codec::{
    BytesCodec, Decoder, Encoder, Framed, FramedRead, FramedWrite, LengthDelimitedCodec, LinesCodec,
    LinesCodecError,
};
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};
use tokio_util::io::{ReaderStream, StreamReader, SyncIoBridge};
use tokio_util::udp::UdpFramed;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

#[tokio::test]
async fn lines_over_tcp() {
    let (client, server) = pair().await;
    let server = tokio::spawn(async move {
        let mut lines = Framed::new(server, LinesCodec::new());
        while let Some(line) = lines.next().await {
            lines.send(line.unwrap().to_uppercase()).await.unwrap();
        }
    });
    let (mut write, mut read) = Framed::new(client, LinesCodec::new()).split();
    let writer = tokio::spawn(async move {
        for i in 0..1_000 {
            write.feed(format!("line {i}")).await.unwrap();
        }
        write.flush().await.unwrap();
        write
    });
    for i in 0..1_000 {
        assert_eq!(read.next().await.unwrap().unwrap(), format!("LINE {i}"));
    }
    // Together again, and closed, the socket tells the server that it is over.
    let mut whole = writer.await.unwrap().reunite(read).unwrap();
    SinkExt::<String>::close(&mut whole).await.unwrap();
    assert!(whole.next().await.is_none());
    server.await.unwrap();
}

#[tokio::test]
async fn a_line_too_long_is_an_error_and_the_next_one_is_fine() {
    let (mut client, server) = pair().await;
    let mut lines = FramedRead::new(server, LinesCodec::new_with_max_length(8));
    client.write_all(b"far too long a line\nfine\n").await.unwrap();
    drop(client);
    let error = lines.next().await.unwrap().unwrap_err();
    assert!(matches!(error, LinesCodecError::MaxLineLengthExceeded), "{error}");
    // An error ends the stream once; whoever asks again goes on behind it.
    assert!(lines.next().await.is_none());
    assert_eq!(lines.next().await.unwrap().unwrap(), "fine");
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn frames_with_a_length_come_whole_however_they_are_cut() {
    // A pipe of seven bytes cuts every frame somewhere else.
    let (client, server) = tokio::io::duplex(7);
    let writer = tokio::spawn(async move {
        let mut frames = FramedWrite::new(client, LengthDelimitedCodec::new());
        for length in 0..300 {
            frames.send(Bytes::from(vec![length as u8; length])).await.unwrap();
        }
    });
    let mut frames = FramedRead::new(server, LengthDelimitedCodec::new());
    for length in 0..300 {
        let frame = frames.next().await.unwrap().unwrap();
        assert_eq!(frame, vec![length as u8; length]);
    }
    assert!(frames.next().await.is_none());
    writer.await.unwrap();
}

/// Numbers in network order, and what is left of one is an error.
struct Numbers;

impl Decoder for Numbers {
    type Item = u32;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> std::io::Result<Option<u32>> {
        Ok((bytes.len() >= 4).then(|| bytes.get_u32()))
    }
}

impl Encoder<u32> for Numbers {
    type Error = std::io::Error;

    fn encode(&mut self, number: u32, bytes: &mut BytesMut) -> std::io::Result<()> {
        bytes.put_u32(number);
        Ok(())
    }
}

#[tokio::test]
async fn a_codec_of_our_own() {
    let (client, server) = pair().await;
    let summing = tokio::spawn(async move {
        let numbers = FramedRead::new(server, Numbers);
        numbers.fold(0u64, |sum, number| async move { sum + u64::from(number.unwrap()) }).await
    });
    let mut numbers = FramedWrite::new(client, Numbers);
    numbers.send_all(&mut futures::stream::iter((1..=10_000).map(Ok))).await.unwrap();
    numbers.close().await.unwrap();
    assert_eq!(summing.await.unwrap(), 10_000 * 10_001 / 2);
}

#[tokio::test]
async fn half_a_frame_at_the_end_is_an_error() {
    let (mut client, server) = pair().await;
    client.write_all(&[0, 0, 0, 1, 0, 0]).await.unwrap();
    drop(client);
    let mut numbers = FramedRead::new(server, Numbers);
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    assert_eq!(numbers.next().await.unwrap().unwrap_err().kind(), std::io::ErrorKind::Other);
}

#[tokio::test]
async fn datagrams_are_frames() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let mut server = UdpFramed::new(server, BytesCodec::new());
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let from = client.local_addr().unwrap();
    let mut client = UdpFramed::new(client, BytesCodec::new());
    for text in ["one", "two", ""] {
        client.send((Bytes::from(text), address)).await.unwrap();
        if text.is_empty() {
            // No byte, no frame: the codec waits for the next one.
            continue;
        }
        let (frame, peer) = server.next().await.unwrap().unwrap();
        assert_eq!((&frame[..], peer), (text.as_bytes(), from));
        server.send((frame.freeze(), peer)).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap().0, text.as_bytes());
    }
}

#[tokio::test]
async fn a_reader_is_a_stream_and_a_stream_is_a_reader() {
    let bytes: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
    let stream = ReaderStream::with_capacity(std::io::Cursor::new(bytes.clone()), 1_000);
    let mut reader = StreamReader::new(stream);
    let mut back = Vec::new();
    reader.read_to_end(&mut back).await.unwrap();
    assert!(back == bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_thread_reads_what_tasks_write() {
    let (read, mut write) = tokio::io::duplex(64);
    let reader = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut SyncIoBridge::new(read), &mut text).unwrap();
        text
    });
    for i in 0..100 {
        write.write_all(format!("{i},").as_bytes()).await.unwrap();
    }
    drop(write);
    let expected: String = (0..100).map(|i| format!("{i},")).collect();
    assert_eq!(reader.await.unwrap(), expected);
}

#[tokio::test]
async fn the_other_traits() {
    let (client, server) = pair().await;
    let mut write = client.compat_write();
    let mut read = server.compat();
    let text = b"through futures' traits".as_slice();
    let copy = async {
        futures::AsyncWriteExt::write_all(&mut write, text).await.unwrap();
        futures::AsyncWriteExt::close(&mut write).await.unwrap();
    };
    let mut back = Vec::new();
    let (_, n) = tokio::join!(copy, futures::AsyncReadExt::read_to_end(&mut read, &mut back));
    assert_eq!((n.unwrap(), &back[..]), (text.len(), text));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_does_not_come_times_out() {
    let (_client, server) = tokio::io::duplex(64);
    let mut frames = FramedRead::new(server, LengthDelimitedCodec::new());
    let started = tokio::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(30), frames.next()).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::from_secs(30));
}
