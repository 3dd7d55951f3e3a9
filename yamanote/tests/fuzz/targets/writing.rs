//! What is written through buffers, `copy` and `copy_buf`, against what should arrive.

use std::io::{self, Write};

use yamanote::io::{AsyncWriteExt, BufReader, BufWriter, copy, copy_buf};

use crate::mock::{Pace, Reader, Writer};
use crate::poll::run as wait;
use crate::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let pace = Pace::new(script.bytes(12));
    let capacity = script.below(40);
    let mut expected = Vec::new();
    let mut ours = BufWriter::with_capacity(capacity, Writer::new(pace));
    // How much the standard library's holds back at any time.
    let mut theirs = io::BufWriter::with_capacity(capacity, Vec::new());
    for _ in 0..60 {
        match script.below(7) {
            0 | 1 => {
                let bytes = script.bytes(60);
                wait(ours.write_all(bytes)).unwrap();
                theirs.write_all(bytes).unwrap();
                expected.extend_from_slice(bytes);
            }
            2 => {
                let bytes = script.bytes(60);
                let n = wait(ours.write(bytes)).unwrap();
                assert!(n > 0 || bytes.is_empty());
                theirs.write_all(&bytes[..n]).unwrap();
                expected.extend_from_slice(&bytes[..n]);
            }
            3 => {
                let parts = [script.bytes(20), script.bytes(20), script.bytes(20)];
                let slices = parts.map(io::IoSlice::new);
                let n = wait(ours.write_vectored(&slices)).unwrap();
                let all = parts.concat();
                assert!(n > 0 || all.is_empty());
                theirs.write_all(&all[..n]).unwrap();
                expected.extend_from_slice(&all[..n]);
            }
            4 => {
                wait(ours.flush()).unwrap();
                theirs.flush().unwrap();
                assert_eq!(ours.get_ref().written, expected);
            }
            5 => {
                let bytes = script.bytes(100).to_vec();
                let mut reader = Reader { rest: bytes.clone(), pace: Pace::new(script.bytes(6)) };
                let n = if script.flag() {
                    let mut reader = BufReader::with_capacity(1 + script.below(30), reader);
                    wait(copy_buf(&mut reader, &mut ours)).unwrap()
                } else {
                    wait(copy(&mut reader, &mut ours)).unwrap()
                };
                assert_eq!(n, bytes.len() as u64);
                expected.extend_from_slice(&bytes);
                // Both flush at the end.
                assert_eq!(ours.get_ref().written, expected);
                theirs.write_all(&bytes).unwrap();
                theirs.flush().unwrap();
            }
            _ => {
                let number = u32::from(script.byte()) << 20;
                wait(ours.write_u32_le(number)).unwrap();
                theirs.write_all(&number.to_le_bytes()).unwrap();
                expected.extend_from_slice(&number.to_le_bytes());
            }
        }
        assert!(ours.buffer().len() <= capacity);
        let arrived = &ours.get_ref().written;
        assert_eq!([&arrived[..], ours.buffer()].concat(), expected, "all is here or there");
        if script.is_over() {
            break;
        }
    }
    wait(ours.shutdown()).unwrap();
    let writer = ours.into_inner();
    assert!(writer.is_shut_down);
    assert_eq!(writer.written, expected);
    assert_eq!(theirs.into_inner().unwrap(), expected);
}
