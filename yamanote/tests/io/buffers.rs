//! `BufReader`, `BufWriter`, `BufStream`, against the standard library's.

use std::io::{BufRead as _, Cursor, ErrorKind, IoSlice, Read as _, Seek as _, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use yamanote::io::{
    self, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWriteExt, BufReader,
    BufStream, BufWriter, ReadBuf, SeekFrom,
};

use crate::support::{Mock, Random, Step, poll_once, run};

/// A position from the whole range, but mostly near the data.
fn any_seek(random: &mut Random) -> SeekFrom {
    match random.below(8) {
        0 => SeekFrom::Current(i64::MIN + random.below(3) as i64),
        1..=2 => SeekFrom::Start(random.below(70) as u64),
        3 => SeekFrom::End(random.below(80) as i64 - 70),
        _ => SeekFrom::Current(random.below(40) as i64 - 20),
    }
}

#[test]
fn reader_does_what_std_does() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let bytes = random.text(60);
        let capacity = 1 + random.below(16);
        let mut std = std::io::BufReader::with_capacity(capacity, Cursor::new(bytes.clone()));
        let mut ours = BufReader::with_capacity(capacity, Cursor::new(bytes));
        for _ in 0..60 {
            match random.below(3) {
                0 => {
                    let len = random.below(20);
                    let (mut expected, mut got) = (vec![0; len], vec![0; len]);
                    let n = std.read(&mut expected).unwrap();
                    assert_eq!(run(ours.read(&mut got)).unwrap(), n);
                    assert_eq!(got, expected);
                }
                1 => {
                    let expected = std.fill_buf().unwrap();
                    let amount = random.below(expected.len() + 1);
                    assert_eq!(run(ours.fill_buf()).unwrap(), expected);
                    std.consume(amount);
                    AsyncBufReadExt::consume(&mut ours, amount);
                }
                _ => {
                    let to = any_seek(&mut random);
                    match std.seek(to) {
                        Ok(position) => assert_eq!(run(ours.seek(to)).unwrap(), position),
                        Err(e) => assert_eq!(run(ours.seek(to)).unwrap_err().kind(), e.kind()),
                    }
                }
            }
            assert_eq!(ours.buffer(), std.buffer());
            assert_eq!(ours.get_ref().position(), std.get_ref().position());
        }
    }
}

#[test]
fn writer_does_what_std_does() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let capacity = random.below(16);
        let mut std = std::io::BufWriter::with_capacity(capacity, Cursor::new(Vec::new()));
        let mut ours = BufWriter::with_capacity(capacity, Cursor::new(Vec::new()));
        for _ in 0..40 {
            match random.below(8) {
                0 => {
                    std.flush().unwrap();
                    run(ours.flush()).unwrap();
                }
                1 => {
                    let to = any_seek(&mut random);
                    match std.seek(to) {
                        Ok(position) => assert_eq!(run(ours.seek(to)).unwrap(), position),
                        Err(e) => assert_eq!(run(ours.seek(to)).unwrap_err().kind(), e.kind()),
                    }
                }
                _ => {
                    let bytes = random.text(20);
                    assert_eq!(run(ours.write(&bytes)).unwrap(), std.write(&bytes).unwrap());
                }
            }
            assert_eq!(ours.buffer(), std.buffer());
            assert_eq!(ours.get_ref().get_ref(), std.get_ref().get_ref());
        }
    }
}

#[test]
fn writer_loses_nothing_on_its_way_through_a_slow_destination() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut mock = Mock::writer(random.slow_writes(60));
        mock.vectored = random.below(2) == 0;
        let capacity = random.below(12);
        let mut writer = BufWriter::with_capacity(capacity, mock);
        let mut expected = Vec::new();
        for _ in 0..20 {
            let pieces: Vec<Vec<u8>> = (0..random.below(4)).map(|_| random.text(9)).collect();
            let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            let all = pieces.concat();
            match run(writer.write_vectored(&slices)) {
                Ok(n) => {
                    assert!(n > 0 || all.is_empty());
                    expected.extend_from_slice(&all[..n]);
                }
                Err(e) => assert_eq!(e.kind(), ErrorKind::Interrupted),
            }
            assert!(writer.buffer().len() <= capacity);
            assert_eq!([&writer.get_ref().written[..], writer.buffer()].concat(), expected);
        }
        run(writer.shutdown()).unwrap();
        let mock = writer.into_inner();
        assert_eq!(mock.written, expected);
        assert_eq!((mock.flushed, mock.shut_down), (0, 1));
    }
}

#[test]
fn writer_keeps_what_a_failed_flush_left() {
    let mut writer = BufWriter::new(Mock::writer([
        Step::Write(2),
        Step::Fail(ErrorKind::Other),
        Step::Write(1),
        Step::Write(0),
        Step::Wait,
    ]));
    run(writer.write_all(b"abcdef")).unwrap();
    assert_eq!(run(writer.flush()).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(writer.buffer(), b"cdef");
    assert_eq!(run(writer.flush()).unwrap_err().kind(), ErrorKind::WriteZero);
    assert_eq!(writer.buffer(), b"def");
    assert!(poll_once(&mut Box::pin(writer.flush())).is_pending());
    run(writer.write_all(b"g")).unwrap();
    run(writer.flush()).unwrap();
    assert_eq!(writer.get_ref().written, b"abcdefg");
}

#[test]
fn large_reads_pass_the_buffer_by_when_it_is_empty() {
    let mut reader = BufReader::with_capacity(2, &b"abcdefgh"[..]);
    let mut buf = [0; 3];
    assert_eq!(run(reader.read(&mut buf)).unwrap(), 3);
    assert_eq!(run(reader.read(&mut buf[..1])).unwrap(), 1);
    assert_eq!(reader.buffer(), b"e");
    assert_eq!(run(reader.read(&mut buf)).unwrap(), 1);
    assert_eq!(run(reader.read(&mut buf)).unwrap(), 3);
    assert_eq!(&buf, b"fgh");
    let debug = format!("{:?}", BufReader::with_capacity(2, io::empty()));
    assert_eq!(debug, "BufReader { reader: Empty { .. }, buffer: 0/2 }");
}

/// Waits before it completes a seek, and insists on being waited for.
struct SlowSeek {
    inner: Cursor<&'static [u8]>,
    under_way: Option<SeekFrom>,
    waits: usize,
}

impl AsyncRead for SlowSeek {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncSeek for SlowSeek {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        assert!(self.under_way.is_none() && self.waits == 0, "another operation is under way");
        self.under_way = Some(position);
        self.waits = 2;
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if self.waits > 0 {
            self.waits -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(to) = self.under_way.take() {
            std::io::Seek::seek(&mut self.inner, to)?;
        }
        Poll::Ready(Ok(self.inner.position()))
    }
}

#[test]
fn seeks_wait_for_what_is_under_way() {
    let inner = SlowSeek { inner: Cursor::new(b"abcdefgh"), under_way: None, waits: 0 };
    let mut reader = BufReader::with_capacity(4, inner);
    assert_eq!(run(reader.fill_buf()).unwrap(), b"abcd");
    // A cancelled seek is completed by the next.
    let mut seek = Box::pin(reader.seek(SeekFrom::Current(2)));
    assert!(poll_once(&mut seek).is_pending());
    drop(seek);
    assert_eq!(run(reader.seek(SeekFrom::Current(1))).unwrap(), 3);
    assert_eq!(run(reader.fill_buf()).unwrap(), b"defg");
    // What the source has under way on its own.
    reader.get_mut().waits = 1;
    let position = run(std::future::poll_fn(|cx| Pin::new(&mut reader).poll_complete(cx))).unwrap();
    assert_eq!(position, 3);
    assert_eq!(reader.buffer(), b"defg");
    // A failed seek leaves everything as it was.
    assert!(run(reader.seek(SeekFrom::Current(-100))).is_err());
    assert_eq!(reader.buffer(), b"defg");
    assert_eq!(run(reader.stream_position()).unwrap(), 3);
    assert!(reader.buffer().is_empty());
}

#[test]
fn a_relative_seek_that_overflows_is_made_in_two_steps() {
    /// A source as long as positions go.
    struct Endless(u64);
    impl AsyncRead for Endless {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.0 += buf.remaining() as u64;
            let n = buf.remaining();
            buf.initialize_unfilled();
            buf.advance(n);
            Poll::Ready(Ok(()))
        }
    }
    impl AsyncSeek for Endless {
        fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
            self.0 = match position {
                SeekFrom::Start(n) => n,
                SeekFrom::Current(n) => self.0.checked_add_signed(n).ok_or(ErrorKind::InvalidInput)?,
                SeekFrom::End(_) => return Err(ErrorKind::Unsupported.into()),
            };
            Ok(())
        }
        fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
            Poll::Ready(Ok(self.0))
        }
    }
    let mut reader = BufReader::with_capacity(5, Endless(0));
    assert_eq!(run(reader.seek(SeekFrom::Start(u64::MAX - 10))).unwrap(), u64::MAX - 10);
    assert_eq!(run(reader.fill_buf()).unwrap().len(), 5);
    let expected = u64::MAX - 10 - (1 << 63);
    assert_eq!(run(reader.seek(SeekFrom::Current(i64::MIN))).unwrap(), expected);
    // The second step fails: the first counts.
    assert_eq!(run(reader.fill_buf()).unwrap().len(), 5);
    assert_eq!(run(reader.seek(SeekFrom::Start(7))).unwrap(), 7);
    assert_eq!(run(reader.fill_buf()).unwrap().len(), 5);
    assert!(run(reader.seek(SeekFrom::Current(i64::MIN))).is_err());
    assert_eq!((reader.buffer().len(), reader.get_ref().0), (0, 7));
}

#[test]
fn stream_buffers_both_directions() {
    let mut stream = BufStream::new(Mock::new([Step::Read(b"one\ntwo\n".to_vec())], []));
    let mut line = String::new();
    run(stream.read_line(&mut line)).unwrap();
    run(stream.write_all(b"answer")).unwrap();
    assert_eq!((&line[..], stream.get_ref().written.len()), ("one\n", 0));
    run(stream.flush()).unwrap();
    assert_eq!(stream.get_ref().written, b"answer");
    run(stream.shutdown()).unwrap();
    assert_eq!(stream.get_mut().shut_down, 1);
    assert_eq!(stream.into_inner().written, b"answer");
}

#[test]
fn stream_is_made_of_either_nesting_with_what_is_buffered() {
    let mut inside_out = BufWriter::new(BufReader::new(Mock::new([Step::Read(b"ab".to_vec())], [])));
    assert_eq!(run(inside_out.fill_buf()).unwrap(), b"ab");
    run(inside_out.write_all(b"xy")).unwrap();
    let mut stream = BufStream::from(inside_out);
    assert_eq!(run(stream.read_u16()).unwrap(), u16::from_be_bytes(*b"ab"));
    run(stream.flush()).unwrap();
    assert_eq!(stream.get_ref().written, b"xy");

    let mut right_way = BufReader::new(BufWriter::new(Cursor::new(b"abc".to_vec())));
    assert_eq!(run(right_way.fill_buf()).unwrap(), b"abc");
    let mut stream = BufStream::from(right_way);
    assert_eq!(run(stream.read_u8()).unwrap(), b'a');
    // The seek counts from what the user has read, and empties both buffers.
    assert_eq!(run(stream.seek(SeekFrom::Current(1))).unwrap(), 2);
    run(stream.write_all(b"X")).unwrap();
    assert_eq!(run(stream.rewind()).unwrap(), 0);
    assert_eq!(stream.into_inner().into_inner(), b"abX");
}
