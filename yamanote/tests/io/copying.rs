//! `copy`, `copy_buf`, `copy_bidirectional`.

use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote::io::{
    self, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy, copy_bidirectional,
    copy_bidirectional_with_sizes, copy_buf,
};

use crate::support::{Mock, Random, Step, run};

#[test]
fn everything_arrives_however_it_comes_and_goes() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let bytes = random.text(200);
        let mut reader = Mock::reader(random.script(&bytes));
        let mut writer = Mock::writer(random.slow_writes(80));
        assert_eq!(run(copy(&mut reader, &mut writer)).unwrap(), bytes.len() as u64);
        assert_eq!(writer.written, bytes);
        assert!(writer.flushed > 0);

        let reader = Mock::reader(random.script(&bytes));
        let mut reader = BufReader::with_capacity(1 + random.below(20), reader);
        let mut writer = Mock::writer(random.slow_writes(80));
        assert_eq!(run(copy_buf(&mut reader, &mut writer)).unwrap(), bytes.len() as u64);
        assert_eq!(writer.written, bytes);
        assert!(writer.flushed > 0);
    }
}

#[test]
fn errors_end_it() {
    let fail = || Step::Fail(ErrorKind::PermissionDenied);
    let some = || Step::Read(b"abc".to_vec());
    let kind = |result: io::Result<u64>| result.unwrap_err().kind();
    let mut sink = Mock::default();
    assert_eq!(kind(run(copy(&mut Mock::reader([fail()]), &mut sink))), ErrorKind::PermissionDenied);
    let reader = || Mock::reader([some()]);
    assert_eq!(kind(run(copy(&mut reader(), &mut Mock::writer([fail()])))), ErrorKind::PermissionDenied);
    let zero = || Mock::writer([Step::Write(1), Step::Write(0)]);
    assert_eq!(kind(run(copy(&mut reader(), &mut zero()))), ErrorKind::WriteZero);
    let mut buffered = BufReader::new(reader());
    assert_eq!(kind(run(copy_buf(&mut buffered, &mut zero()))), ErrorKind::WriteZero);
    // What was not written is still there.
    assert_eq!(buffered.buffer(), b"bc");
}

/// Holds everything back until it is flushed.
struct Withholding<W> {
    held: Vec<u8>,
    inner: W,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Withholding<W> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.held.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        while !me.held.is_empty() {
            let n = ready!(Pin::new(&mut me.inner).poll_write(cx, &me.held))?;
            me.held.drain(..n);
        }
        Pin::new(&mut me.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[test]
fn the_writer_is_flushed_when_the_reader_has_nothing() {
    // What is read is what was written: without a flush both would wait for each other.
    for buffered in [false, true] {
        let (reader, inner) = io::duplex(64);
        let mut writer = Withholding { held: Vec::new(), inner };
        run(writer.write_all(b"round and round")).unwrap();
        run(writer.flush()).unwrap();
        let copied = if buffered {
            run(copy_buf(&mut BufReader::new(reader).take(200), &mut writer))
        } else {
            run(copy(&mut reader.take(200), &mut writer))
        };
        assert_eq!(copied.unwrap(), 200);
    }
}

#[test]
fn reading_goes_on_while_the_writer_waits() {
    let pieces = (0..4).map(|n| Step::Read(vec![n; 10]));
    let mut writer = Mock::writer([Step::Wait, Step::Write(100)]);
    assert_eq!(run(copy(&mut Mock::reader(pieces), &mut writer)).unwrap(), 40);
    // All of it was ready for the second write.
    assert!(writer.writes.is_empty());
    assert_eq!(writer.written.len(), 40);
}

#[test]
fn both_directions_are_copied_and_shut_down() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let (up, down) = (random.text(100), random.text(100));
        let mut a = Mock::new(random.script(&up), random.slow_writes(50));
        let mut b = Mock::new(random.script(&down), random.slow_writes(50));
        let copied = match random.below(2) {
            0 => run(copy_bidirectional(&mut a, &mut b)),
            _ => run(copy_bidirectional_with_sizes(&mut a, &mut b, 1 + random.below(9), 3)),
        };
        assert_eq!(copied.unwrap(), (up.len() as u64, down.len() as u64));
        assert_eq!((a.written, a.shut_down), (down, 1));
        assert_eq!((b.written, b.shut_down), (up, 1));
    }
}

#[test]
fn one_direction_goes_on_after_the_other_has_ended() {
    let (mut client, mut inbound) = io::duplex(16);
    let (mut outbound, mut server) = io::duplex(16);
    let proxy = copy_bidirectional(&mut inbound, &mut outbound);
    let clients = async {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let servers = async {
        let mut question = Vec::new();
        server.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        server.write_all(&[7; 100]).await.unwrap();
        drop(server);
    };
    let (copied, answer, ()) = run(async { futures::join!(proxy, clients, servers) });
    assert_eq!(copied.unwrap(), (8, 100));
    assert_eq!(answer, [7; 100]);
}

#[test]
fn an_error_in_one_direction_ends_both() {
    let mut a = Mock::reader([Step::Fail(ErrorKind::Other)]);
    // The other one never ends.
    let (mut b, _peer) = io::duplex(1);
    assert_eq!(run(copy_bidirectional(&mut a, &mut b)).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(
        run(copy_bidirectional(&mut b, &mut Mock::reader([Step::Fail(ErrorKind::Other)])))
            .unwrap_err()
            .kind(),
        ErrorKind::Other
    );
}

#[test]
#[should_panic(expected = "`a_to_b_buf_size` must be greater than 0")]
fn no_buffer_up() {
    let _ = run(copy_bidirectional_with_sizes(&mut Mock::default(), &mut Mock::default(), 0, 1));
}

#[test]
#[should_panic(expected = "`b_to_a_buf_size` must be greater than 0")]
fn no_buffer_down() {
    let _ = run(copy_bidirectional_with_sizes(&mut Mock::default(), &mut Mock::default(), 1, 0));
}
