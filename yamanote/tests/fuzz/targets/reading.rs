//! Readers made of `BufReader`, `take` and `chain`, which read in small pieces, against the standard library's.

use std::io::{self, BufRead, Read};

use yamanote::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::mock::{Pace, Reader};
use crate::poll::run as wait;
use crate::script::Script;

trait Ours: AsyncBufRead + AsyncRead + Unpin {}
impl<T: AsyncBufRead + AsyncRead + Unpin> Ours for T {}

/// The same stack of adapters over the same bytes, in both worlds.
fn build(script: &mut Script<'_>, depth: usize) -> (Box<dyn Ours>, Box<dyn BufRead>) {
    match script.below(if depth == 0 { 1 } else { 4 }) {
        1 => {
            let limit = script.below(200) as u64;
            let (ours, theirs) = build(script, depth - 1);
            (Box::new(ours.take(limit)), Box::new(theirs.take(limit)))
        }
        2 => {
            let (first, std_first) = build(script, depth - 1);
            let (second, std_second) = build(script, depth - 1);
            (Box::new(first.chain(second)), Box::new(std_first.chain(std_second)))
        }
        3 => {
            let capacity = 1 + script.below(64);
            let (ours, theirs) = build(script, depth - 1);
            let ours = BufReader::with_capacity(capacity, ours);
            (Box::new(ours), Box::new(io::BufReader::with_capacity(capacity, theirs)))
        }
        _ => {
            let (pace, capacity) = (Pace::new(script.bytes(12)), 1 + script.below(64));
            let bytes = script.text(100);
            let reader = Reader { rest: bytes.clone(), pace };
            (Box::new(BufReader::with_capacity(capacity, reader)), Box::new(io::Cursor::new(bytes)))
        }
    }
}

/// Two results are as good as the same: where the one fails, the other does, for the same reason.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(ours: io::Result<T>, theirs: io::Result<T>) {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
        (Err(ours), Err(theirs)) => assert_eq!(ours.kind(), theirs.kind()),
        (ours, theirs) => panic!("{ours:?} here, {theirs:?} there"),
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let (mut ours, mut theirs) = build(&mut script, 3);
    for _ in 0..60 {
        match script.below(9) {
            0 => {
                // How much comes at once is the reader's affair; what comes is not.
                let mut buf = vec![0; script.below(40)];
                let n = wait(ours.read(&mut buf)).unwrap();
                let mut expected = vec![0; n];
                theirs.read_exact(&mut expected).unwrap();
                assert_eq!(buf[..n], expected);
                if n == 0 && !buf.is_empty() {
                    assert!(theirs.fill_buf().unwrap().is_empty(), "an end before the end");
                }
            }
            1 => {
                let (mut buf, mut expected) = (vec![0; script.below(40)], Vec::new());
                let whole = theirs.by_ref().take(buf.len() as u64).read_to_end(&mut expected).unwrap();
                let read = wait(ours.read_exact(&mut buf));
                if whole == buf.len() {
                    read.unwrap();
                    assert_eq!(buf, expected);
                } else {
                    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
                }
            }
            2 => {
                let delimiter = b"\n,"[script.below(2)];
                let (mut buf, mut expected) = (b"x".to_vec(), b"x".to_vec());
                let read = wait(ours.read_until(delimiter, &mut buf));
                same(read, theirs.read_until(delimiter, &mut expected));
                assert_eq!(buf, expected);
            }
            3 => {
                let (mut buf, mut expected) = (String::from("x"), String::from("x"));
                let (read, theirs) = (wait(ours.read_line(&mut buf)), theirs.read_line(&mut expected));
                let failed = theirs.is_err();
                same(read, theirs);
                assert!(buf.starts_with('x'));
                if !failed {
                    assert_eq!(buf, expected);
                }
            }
            4 => {
                // Looking and taking less than was shown.
                let shown = wait(ours.fill_buf()).unwrap().to_vec();
                let part = script.below(shown.len() + 1);
                ours.consume(part);
                let mut expected = vec![0; part];
                theirs.read_exact(&mut expected).unwrap();
                assert_eq!(shown[..part], expected);
                if shown.is_empty() {
                    assert!(theirs.fill_buf().unwrap().is_empty(), "an end before the end");
                }
            }
            5 => {
                let (mut buf, mut expected) = ([0; 4], [0; 4]);
                let whole = theirs.read_exact(&mut expected[..2]);
                match wait(ours.read_u16()) {
                    Ok(number) => assert_eq!(number.to_be_bytes(), expected[..2]),
                    Err(error) => assert_eq!(error.kind(), whole.unwrap_err().kind()),
                }
                same(
                    wait(ours.read_exact(&mut buf[..1])).map(|_| buf[0]),
                    theirs.read_exact(&mut expected[..1]).map(|()| expected[0]),
                );
            }
            6 => {
                let (mut line, mut segments) = (Vec::new(), 1 + script.below(3));
                // `split` takes the delimiters away.
                let mut split = (&mut ours).split(b',');
                while segments > 0 {
                    segments -= 1;
                    line.clear();
                    theirs.read_until(b',', &mut line).unwrap();
                    let expected = match line.split_last() {
                        None => None,
                        Some((b',', rest)) => Some(rest.to_vec()),
                        Some(_) => Some(line.clone()),
                    };
                    assert_eq!(wait(split.next_segment()).unwrap(), expected);
                }
            }
            7 => {
                let mut lines = (&mut ours).lines();
                let mut line = String::new();
                let read = theirs.read_line(&mut line);
                match (wait(lines.next_line()), read) {
                    (Ok(None), Ok(0)) => {}
                    (Ok(Some(ours)), Ok(_)) => {
                        // A carriage return belongs to the end of a line only before its line feed.
                        let end =
                            line.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
                        assert_eq!(ours, end.unwrap_or(&line));
                    }
                    (Err(ours), Err(theirs)) => assert_eq!(ours.kind(), theirs.kind()),
                    (ours, theirs) => panic!("{ours:?} here, {theirs:?} there"),
                }
            }
            _ if script.below(4) == 0 => {
                let (mut buf, mut expected) = (b"x".to_vec(), b"x".to_vec());
                same(wait(ours.read_to_end(&mut buf)), theirs.read_to_end(&mut expected));
                assert_eq!(buf, expected);
            }
            _ => {}
        }
        if script.is_over() {
            break;
        }
    }
    let (mut rest, mut expected) = (Vec::new(), Vec::new());
    wait(ours.read_to_end(&mut rest)).unwrap();
    theirs.read_to_end(&mut expected).unwrap();
    assert_eq!(rest, expected, "what is left");
}
