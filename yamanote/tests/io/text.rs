//! Strings, lines and segments.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::str::Utf8Error;
use std::string::FromUtf8Error;
use std::task::{Context, Waker};

use yamanote::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::support::{Mock, Random, Step, poll_once, run};

fn read(bytes: &[u8]) -> Step {
    Step::Read(bytes.to_vec())
}

#[test]
fn read_until_and_read_line_agree_with_std() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let bytes = random.text(80);
        let mut std = &bytes[..];
        let mut ours =
            BufReader::with_capacity(1 + random.below(12), Mock::reader(random.script(&bytes)));
        loop {
            let (expected, got) = if random.below(2) == 0 {
                let (mut expected, mut got) = (Vec::new(), Vec::new());
                let n = io::BufRead::read_until(&mut std, b',', &mut expected).unwrap();
                assert_eq!(run(ours.read_until(b',', &mut got)).unwrap(), n);
                (expected, got)
            } else {
                let (mut expected, mut got) = (String::new(), String::new());
                let n = io::BufRead::read_line(&mut std, &mut expected).unwrap();
                assert_eq!(run(ours.read_line(&mut got)).unwrap(), n);
                (expected.into_bytes(), got.into_bytes())
            };
            assert_eq!(got, expected);
            if expected.is_empty() {
                break;
            }
        }
    }
}

#[test]
fn lines_and_segments_agree_with_std() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let bytes = random.text(80);
        let capacity = 1 + random.below(12);
        let mut lines = BufReader::with_capacity(capacity, Mock::reader(random.script(&bytes))).lines();
        for expected in io::BufRead::lines(&bytes[..]) {
            assert_eq!(run(lines.next_line()).unwrap(), Some(expected.unwrap()));
        }
        assert_eq!(run(lines.next_line()).unwrap(), None);

        let reader = BufReader::with_capacity(capacity, Mock::reader(random.script(&bytes)));
        let mut segments = AsyncBufReadExt::split(reader, b',');
        for expected in io::BufRead::split(&bytes[..], b',') {
            assert_eq!(run(segments.next_segment()).unwrap(), Some(expected.unwrap()));
        }
        assert_eq!(run(segments.next_segment()).unwrap(), None);
    }
}

#[test]
fn lines_lose_nothing_when_cancelled_or_failing() {
    let mut lines = BufReader::new(Mock::reader([
        read(b"ab\xc3"),
        Step::Fail(ErrorKind::Other),
        read(b"\xa9c"),
        Step::Wait,
        read(b"d\nnext"),
    ]))
    .lines();
    assert_eq!(run(lines.next_line()).unwrap_err().kind(), ErrorKind::Other);
    assert!(poll_once(&mut Box::pin(lines.next_line())).is_pending());
    assert_eq!(run(lines.next_line()).unwrap().as_deref(), Some("ab\u{e9}cd"));
    let poll = Pin::new(&mut lines).poll_next_line(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, std::task::Poll::Ready(Ok(Some(line))) if line == "next"));
    assert_eq!(run(lines.next_line()).unwrap(), None);
    assert!(lines.get_ref().buffer().is_empty());
    lines.get_mut().get_mut().reads.push_back(read(b"more"));
    assert_eq!(run(lines.next_line()).unwrap().as_deref(), Some("more"));
}

#[test]
fn a_line_that_is_not_text_is_reported_once() {
    let mut lines = AsyncBufReadExt::lines(&b"ok\n\xff\xfe\r\nnext\n\xff"[..]);
    assert_eq!(run(lines.next_line()).unwrap().as_deref(), Some("ok"));
    let e = run(lines.next_line()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidData);
    let inner = e.into_inner().unwrap().downcast::<FromUtf8Error>().unwrap();
    assert_eq!(inner.into_bytes(), b"\xff\xfe");
    assert_eq!(run(lines.next_line()).unwrap().as_deref(), Some("next"));
    assert_eq!(run(lines.next_line()).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(run(lines.next_line()).unwrap(), None);
}

#[test]
fn segments_may_be_empty_and_any_bytes() {
    let mut segments = AsyncBufReadExt::split(&b",\xff,,x"[..], b',');
    for expected in [&b""[..], b"\xff", b"", b"x"] {
        assert_eq!(run(segments.next_segment()).unwrap().as_deref(), Some(expected));
    }
    assert_eq!(run(segments.next_segment()).unwrap(), None);
}

#[test]
fn read_until_keeps_what_came_before_an_error_or_a_cancellation() {
    let mut reader = BufReader::new(Mock::reader([
        read(b"ab"),
        Step::Fail(ErrorKind::Other),
        read(b"cd"),
        Step::Wait,
        read(b"e,f"),
    ]));
    let mut vec = Vec::new();
    assert!(run(reader.read_until(b',', &mut vec)).is_err());
    assert_eq!(vec, b"ab");
    assert!(poll_once(&mut Box::pin(reader.read_until(b',', &mut vec))).is_pending());
    assert_eq!(vec, b"abcd");
    assert_eq!(run(reader.read_until(b',', &mut vec)).unwrap(), 2);
    assert_eq!(vec, b"abcde,");
}

#[test]
fn read_line_restores_the_string() {
    // Not UTF-8: as before, and the error counts from the start of the whole.
    let mut line = String::from("Foo");
    let mut reader = BufReader::new(Mock::reader([read(b"bar\xffbaz\nnext\n")]));
    let e = run(reader.read_line(&mut line)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidData);
    assert_eq!(e.into_inner().unwrap().downcast::<Utf8Error>().unwrap().valid_up_to(), 6);
    assert_eq!(line, "Foo");
    run(reader.read_line(&mut line)).unwrap();
    assert_eq!(line, "Foonext\n");

    // A failed read: with what was read, if that is UTF-8.
    let mut reader = BufReader::new(Mock::reader([
        read(b"bar"),
        Step::Fail(ErrorKind::Other),
        read(b"\xff"),
        Step::Fail(ErrorKind::TimedOut),
    ]));
    let mut line = String::from("Foo");
    assert_eq!(run(reader.read_line(&mut line)).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(line, "Foobar");
    assert_eq!(run(reader.read_line(&mut line)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(line, "Foobar");
}

#[test]
fn read_to_string_restores_the_string() {
    let mut text = String::from("abc");
    let e = run((&b"\xff\xff"[..]).read_to_string(&mut text)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidData);
    assert_eq!(e.into_inner().unwrap().downcast::<Utf8Error>().unwrap().valid_up_to(), 3);
    assert_eq!(text, "abc");
    let mut mock = Mock::reader([read(b"def"), Step::Fail(ErrorKind::Other)]);
    assert_eq!(run(mock.read_to_string(&mut text)).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(text, "abc");
    let mut mock =
        Mock::reader([read(b"d\xc3"), Step::Wait, Step::Fail(ErrorKind::Interrupted), read(b"\xa9")]);
    assert_eq!(run(mock.read_to_string(&mut text)).unwrap(), 3);
    assert_eq!(text, "abcd\u{e9}");
}

#[test]
fn fill_buf_can_be_cancelled() {
    let mut reader = BufReader::new(Mock::reader([Step::Wait, read(b"abc")]));
    assert!(poll_once(&mut Box::pin(reader.fill_buf())).is_pending());
    assert_eq!(run(reader.fill_buf()).unwrap(), b"abc");
    reader.consume_one();
    assert_eq!(run(reader.fill_buf()).unwrap(), b"bc");
}

trait ConsumeOne: AsyncBufReadExt + Unpin {
    fn consume_one(&mut self) {
        AsyncBufReadExt::consume(self, 1);
    }
}

impl<R: AsyncBufReadExt + Unpin> ConsumeOne for R {}
