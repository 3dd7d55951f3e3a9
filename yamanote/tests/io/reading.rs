//! `AsyncReadExt` and its adapters.

use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, BytesMut};
use yamanote::io::{self, AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, ReadBuf};

use crate::support::{Mock, Random, Step, poll_once, run};

#[test]
fn read_is_one_attempt() {
    let mut mock = Mock::reader([
        Step::Read(b"abc".to_vec()),
        Step::Fail(ErrorKind::Interrupted),
        Step::Wait,
        Step::Read(b"d".to_vec()),
    ]);
    let mut buf = [0; 8];
    assert_eq!(run(mock.read(&mut [])).unwrap(), 0);
    assert_eq!(run(mock.read(&mut buf)).unwrap(), 3);
    assert_eq!(run(mock.read(&mut buf)).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(run(mock.read(&mut buf)).unwrap(), 1);
    assert_eq!(&buf[..4], b"dbc\0");
    assert_eq!(run(mock.read(&mut buf)).unwrap(), 0);
}

#[test]
fn read_buf_appends_without_initialising() {
    let mut mock = Mock::reader([Step::Wait, Step::Read(b"abcdef".to_vec())]);
    let mut vec = Vec::with_capacity(3);
    vec.push(b'>');
    assert_eq!(run(mock.read_buf(&mut vec)).unwrap(), 2);
    assert_eq!(vec, b">ab");
    // A full vector grows.
    assert_eq!(run(mock.read_buf(&mut vec)).unwrap(), 4);
    assert_eq!(vec, b">abcdef");
    assert_eq!(run(mock.read_buf(&mut vec)).unwrap(), 0);

    // A type that cannot grow has no room, and the reader is not asked.
    let mut memory = [0; 2];
    let mut full = &mut memory[..0];
    assert_eq!(run(Mock::reader([Step::Fail(ErrorKind::Other)]).read_buf(&mut full)).unwrap(), 0);
    let mut bytes = BytesMut::with_capacity(4);
    let limited: &mut dyn BufMut = &mut (&mut bytes).limit(1);
    assert_eq!(run((&b"xyz"[..]).read_buf(limited)).unwrap(), 1);
    assert_eq!(bytes, "x");
}

#[test]
fn read_exact_goes_on_until_full() {
    let mut mock = Mock::reader([
        Step::Fail(ErrorKind::Interrupted),
        Step::Read(b"ab".to_vec()),
        Step::Wait,
        Step::Read(b"cde".to_vec()),
    ]);
    let mut buf = [0; 4];
    assert_eq!(run(mock.read_exact(&mut buf)).unwrap(), 4);
    assert_eq!(&buf, b"abcd");
    assert_eq!(run(mock.read_exact(&mut [])).unwrap(), 0);
    assert_eq!(run(mock.read_exact(&mut buf)).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(buf[0], b'e');
}

#[test]
fn read_to_end_reads_everything_however_it_comes() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let bytes = random.text(300);
        let mut mock = Mock::reader(random.script(&bytes));
        let mut vec = Vec::with_capacity(random.below(200));
        vec.extend_from_slice(&bytes[..random.below(bytes.len() + 1)]);
        let before = vec.clone();
        assert_eq!(run(mock.read_to_end(&mut vec)).unwrap(), bytes.len());
        assert_eq!(vec, [before, bytes].concat());
    }
}

#[test]
fn read_to_end_does_not_grow_a_vector_that_is_large_enough() {
    let bytes: Vec<u8> = (0..80).collect();
    for len in 32..80 {
        for capacity in len..90 {
            for split in [0, 1, len / 2, len - 1] {
                let steps = [&bytes[..split], &bytes[split..len]].map(|part| Step::Read(part.to_vec()));
                let mut mock = Mock::reader(
                    steps.into_iter().filter(|s| !matches!(s, Step::Read(b) if b.is_empty())),
                );
                let mut vec = Vec::with_capacity(capacity);
                run(mock.read_to_end(&mut vec)).unwrap();
                assert_eq!(vec, bytes[..len]);
                assert_eq!(vec.capacity(), capacity);
            }
        }
    }
}

#[test]
fn read_to_end_doubles_a_vector_that_is_too_small() {
    let mut vec = Vec::with_capacity(40);
    run((&[7; 45][..]).read_to_end(&mut vec)).unwrap();
    assert_eq!(vec.capacity(), 80);
    // From nothing it takes few steps.
    let mut vec = Vec::new();
    run((&[7; 100_000][..]).read_to_end(&mut vec)).unwrap();
    assert!(vec.capacity() < 300_000);
}

#[test]
fn read_to_end_hands_out_what_was_initialised_before() {
    /// Initialises all it gets at once, fills one byte a time, and expects the rest to stay initialised.
    struct Slow(usize);
    impl AsyncRead for Slow {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let initialized = buf.initialized().len();
            if self.0 == 0 {
                assert_eq!(initialized, 0);
                buf.initialize_unfilled();
            } else if self.0 <= 100 - 32 {
                assert_eq!(initialized, 100 - self.0);
            }
            self.0 += 1;
            if self.0 <= 90 {
                buf.put_slice(b"x");
            }
            Poll::Ready(Ok(()))
        }
    }
    let mut vec = Vec::with_capacity(100);
    run(Slow(0).read_to_end(&mut vec)).unwrap();
    assert_eq!(vec, [b'x'; 90]);
}

#[test]
fn read_to_end_keeps_what_came_before_an_error_or_a_cancellation() {
    let mut mock = Mock::reader([
        Step::Read(b"ab".to_vec()),
        Step::Fail(ErrorKind::Other),
        Step::Read(b"cd".to_vec()),
        Step::Wait,
        Step::Read(b"e".to_vec()),
    ]);
    let mut vec = Vec::new();
    assert!(run(mock.read_to_end(&mut vec)).is_err());
    assert_eq!(vec, b"ab");
    assert!(poll_once(&mut Box::pin(mock.read_to_end(&mut vec))).is_pending());
    assert_eq!(vec, b"abcd");
    assert_eq!(run(mock.read_to_end(&mut vec)).unwrap(), 1);
    assert_eq!(vec, b"abcde");
}

#[test]
fn take_and_chain_read_as_in_std() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let (first, second) = (random.text(40), random.text(40));
        let limit = random.below(100) as u64;
        let mut expected = Vec::new();
        let std = std::io::Read::chain(&first[..], &second[..]);
        std::io::Read::read_to_end(&mut std::io::Read::take(std, limit), &mut expected).unwrap();

        let first = Mock::reader(random.script(&first));
        let second = Mock::reader(random.script(&second));
        let mut both = AsyncReadExt::take(AsyncReadExt::chain(first, second), limit);
        let mut got = Vec::new();
        loop {
            let before = both.limit();
            let mut buf = vec![0; 1 + random.below(9)];
            match run(both.read(&mut buf)) {
                Ok(0) => break,
                Ok(n) => {
                    assert_eq!(before - both.limit(), n as u64);
                    got.extend_from_slice(&buf[..n]);
                }
                Err(e) => assert_eq!(e.kind(), ErrorKind::Interrupted),
            }
        }
        assert_eq!(got, expected);
    }
}

#[test]
fn take_leaves_the_rest_and_can_be_given_more() {
    let mut source = &b"abcdef"[..];
    let mut take = AsyncReadExt::take(&mut source, 2);
    let mut text = String::new();
    run(take.read_to_string(&mut text)).unwrap();
    take.set_limit(1);
    run(take.read_to_string(&mut text)).unwrap();
    assert_eq!((&text[..], take.limit()), ("abc", 0));
    assert_eq!(**take.get_ref(), &b"def"[..]);
    // At the limit the source is not asked any more.
    let mut none = AsyncReadExt::take(Mock::reader([Step::Fail(ErrorKind::Other)]), 0);
    assert_eq!(run(none.read(&mut [0; 4])).unwrap(), 0);
    // What was filled before stays.
    let mut memory = [0; 8];
    let mut buf = ReadBuf::new(&mut memory);
    buf.put_slice(b"AB");
    let mut take = AsyncReadExt::take(&b"hello"[..], 4);
    run(std::future::poll_fn(|cx| Pin::new(&mut take).poll_read(cx, &mut buf))).unwrap();
    assert_eq!(buf.filled(), b"ABhell");
    // Buffered.
    let mut take = AsyncReadExt::take(&b"hello"[..], 4);
    assert_eq!(run(take.fill_buf()).unwrap(), b"hell");
    Pin::new(&mut take).consume(99);
    assert_eq!((take.limit(), run(take.fill_buf()).unwrap()), (0, &b""[..]));
    assert_eq!(take.into_inner(), b"o");
}

#[test]
fn chain_is_not_ended_by_a_read_of_nothing() {
    let mut chain = AsyncReadExt::chain(&b"ab"[..], &b"cd"[..]);
    assert_eq!(run(chain.read(&mut [])).unwrap(), 0);
    assert_eq!(run(chain.fill_buf()).unwrap(), b"ab");
    AsyncBufReadExt::consume(&mut chain, 2);
    assert_eq!(run(chain.fill_buf()).unwrap(), b"cd");
    AsyncBufReadExt::consume(&mut chain, 1);
    assert_eq!(chain.into_inner(), (&b""[..], &b"d"[..]));
}

#[test]
fn empty_and_repeat() {
    let mut buf = [1; 600];
    assert_eq!(run(io::empty().read(&mut buf)).unwrap(), 0);
    assert_eq!(run(io::repeat(9).read(&mut buf)).unwrap(), 600);
    assert_eq!(buf, [9; 600]);
    let mut vec = Vec::with_capacity(10);
    assert_eq!(run(io::repeat(5).read_buf(&mut vec)).unwrap(), 10);
    assert_eq!(vec, [5; 10]);
    assert_eq!(format!("{:?} {:?}", io::empty(), io::sink()), "Empty { .. } Sink { .. }");
}
