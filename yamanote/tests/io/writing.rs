//! `AsyncWriteExt` and the destinations in memory.

use std::io::{ErrorKind, IoSlice};

use bytes::{Buf, Bytes};
use yamanote::io::{self, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};

use crate::support::{Mock, Random, Step, poll_once, run};

#[test]
fn write_is_one_attempt() {
    let mut mock =
        Mock::writer([Step::Write(2), Step::Fail(ErrorKind::Interrupted), Step::Wait, Step::Write(9)]);
    assert_eq!(run(mock.write(b"abc")).unwrap(), 2);
    assert_eq!(run(mock.write(b"c")).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(run(mock.write(b"c")).unwrap(), 1);
    assert_eq!(mock.written, b"abc");
    run(mock.flush()).unwrap();
    run(mock.shutdown()).unwrap();
    assert_eq!((mock.flushed, mock.shut_down), (1, 1));
}

#[test]
fn write_all_and_write_all_buf_go_on_until_everything_is_out() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let bytes = random.text(60);
        let mut mock = Mock::writer(random.slow_writes(30));
        run(mock.write_all(&bytes)).unwrap();
        assert_eq!(mock.written, bytes);

        let (a, b) = bytes.split_at(random.below(bytes.len() + 1));
        let mut src = Bytes::copy_from_slice(a).chain(Bytes::copy_from_slice(b));
        let mut mock = Mock::writer(random.slow_writes(30));
        mock.vectored = random.below(2) == 0;
        run(mock.write_all_buf(&mut src)).unwrap();
        assert_eq!(mock.written, bytes);
        assert!(!src.has_remaining());
    }
}

#[test]
fn a_destination_that_takes_nothing_is_an_error() {
    let mut mock = Mock::writer([Step::Write(2), Step::Write(0)]);
    assert_eq!(run(mock.write_all(b"abc")).unwrap_err().kind(), ErrorKind::WriteZero);
    let mut mock = Mock::writer([Step::Write(2), Step::Write(0)]);
    let mut src = &b"abc"[..];
    assert_eq!(run(mock.write_all_buf(&mut src)).unwrap_err().kind(), ErrorKind::WriteZero);
    assert_eq!(src, b"c");
    // Nothing to write is none.
    let mut mock = Mock::writer([Step::Write(0)]);
    run(mock.write_all(b"")).unwrap();
    run(mock.write_all_buf(&mut &b""[..])).unwrap();
    assert_eq!(run(mock.write_buf(&mut &b""[..])).unwrap(), 0);
    assert_eq!(mock.writes.len(), 1);
}

#[test]
fn write_all_buf_can_be_continued() {
    let mut mock = Mock::writer([Step::Write(2), Step::Wait, Step::Fail(ErrorKind::Other)]);
    let mut src = &b"abcdef"[..];
    assert!(poll_once(&mut Box::pin(mock.write_all_buf(&mut src))).is_pending());
    assert_eq!(src, b"cdef");
    assert!(run(mock.write_all_buf(&mut src)).is_err());
    run(mock.write_all_buf(&mut src)).unwrap();
    assert_eq!(mock.written, b"abcdef");
}

#[test]
fn write_buf_uses_vectored_writes_where_they_are_better() {
    let mut mock = Mock::writer([]);
    mock.vectored = true;
    let mut src = (&b"ab"[..]).chain_buf(&b"cd"[..]);
    assert_eq!(run(mock.write_buf(&mut src)).unwrap(), 4);
    mock.vectored = false;
    let mut src = (&b"ab"[..]).chain_buf(&b"cd"[..]);
    assert_eq!(run(mock.write_buf(&mut src)).unwrap(), 2);
    assert_eq!(mock.written, b"abcdab");
}

/// `Buf::chain` under a name that does not clash with `AsyncReadExt::chain`.
trait ChainBuf: Buf + Sized {
    fn chain_buf<B: Buf>(self, next: B) -> bytes::buf::Chain<Self, B> {
        Buf::chain(self, next)
    }
}

impl<B: Buf> ChainBuf for B {}

#[test]
fn sink_and_empty_swallow_everything() {
    let bufs = [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b"cde")];
    assert_eq!(run(io::sink().write_vectored(&bufs)).unwrap(), 5);
    assert_eq!(run(io::empty().write_vectored(&bufs)).unwrap(), 5);
    run(io::sink().write_all(&[0; 100])).unwrap();
    run(io::sink().shutdown()).unwrap();
    for to in [SeekFrom::Start(u64::MAX), SeekFrom::End(i64::MIN), SeekFrom::Current(7)] {
        assert_eq!(run(io::empty().seek(to)).unwrap(), 0);
    }
}

#[test]
fn join_delegates_to_its_parts() {
    let mut writer = Mock::writer([]);
    writer.vectored = true;
    let mut both = io::join(&b"abc"[..], writer);
    assert_eq!(run(both.read_u8()).unwrap(), b'a');
    run(both.write_vectored(&[IoSlice::new(b"x"), IoSlice::new(b"y")])).unwrap();
    run(both.flush()).unwrap();
    run(both.shutdown()).unwrap();
    assert_eq!(both.reader(), b"bc");
    assert_eq!(both.reader_mut(), b"bc");
    assert_eq!(both.writer_mut().written, b"xy");
    let (_, writer) = both.into_inner();
    assert_eq!((writer.flushed, writer.shut_down), (1, 1));
}
