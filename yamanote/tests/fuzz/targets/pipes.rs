//! `duplex` and `simplex` against a queue of bytes with a limit.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use yamanote::io::{AsyncRead, AsyncWrite, ReadBuf, duplex, simplex, split};

use crate::poll::Wakes;
use crate::script::Script;

/// One direction as it should be.
struct Model {
    bytes: VecDeque<u8>,
    capacity: usize,
    is_closed: bool,
    /// Somebody was told to wait: who must be woken, and since when.
    reader_waits: bool,
    writer_waits: bool,
}

struct Side {
    wakes: Arc<Wakes>,
    waker: Waker,
    seen: usize,
}

impl Side {
    fn new() -> Side {
        let (wakes, waker) = Wakes::new();
        Side { wakes, waker, seen: 0 }
    }

    fn context(&mut self) -> Context<'_> {
        self.seen = self.wakes.count();
        Context::from_waker(&self.waker)
    }

    fn is_woken(&self) -> bool {
        self.wakes.count() > self.seen
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let capacity = 1 + script.below(20);
    if script.flag() {
        let (reader, writer) = simplex(capacity);
        // Its halves are those of one stream: a writer that leaves has not said that it was all.
        play(&mut script, capacity, reader, writer, false);
    } else {
        let (one, other) = duplex(capacity);
        // One direction is looked at; the other is only there.
        let (reader, _rest) = split(one);
        play(&mut script, capacity, reader, other, true);
    }
}

fn play(
    script: &mut Script<'_>,
    capacity: usize,
    mut reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    leaving_ends_it: bool,
) {
    let mut model = Model {
        bytes: VecDeque::new(),
        capacity,
        is_closed: false,
        reader_waits: false,
        writer_waits: false,
    };
    let (mut reading, mut writing) = (Side::new(), Side::new());
    let mut writer = Some(writer);
    let mut next = 0_u8;
    for _ in 0..100 {
        match script.below(8) {
            0..=3 => {
                let mut memory = vec![0; script.below(16)];
                let mut buf = ReadBuf::new(&mut memory);
                let read = Pin::new(&mut reader).poll_read(&mut reading.context(), &mut buf);
                let wanted = buf.capacity();
                model.reader_waits = false;
                match read {
                    Poll::Ready(read) => {
                        read.unwrap();
                        let n = buf.filled().len();
                        assert_eq!(n, wanted.min(model.bytes.len()), "all that is there and fits");
                        assert!(n > 0 || model.is_closed || wanted == 0, "an end before the end");
                        let expected: Vec<u8> = model.bytes.drain(..n).collect();
                        assert_eq!(buf.filled(), expected);
                        if n > 0 && model.writer_waits {
                            assert!(writing.is_woken(), "the writer sleeps, and there is room");
                        }
                    }
                    Poll::Pending => {
                        assert!(
                            model.bytes.is_empty() && !model.is_closed,
                            "pending with something to read"
                        );
                        model.reader_waits = true;
                    }
                }
            }
            4..=6 => {
                let Some(writer) = &mut writer else { continue };
                let bytes: Vec<u8> = (0..script.below(16)).map(|i| next.wrapping_add(i as u8)).collect();
                match Pin::new(writer).poll_write(&mut writing.context(), &bytes) {
                    Poll::Ready(Ok(n)) => {
                        assert!(!model.is_closed);
                        assert_eq!(n, bytes.len().min(model.capacity - model.bytes.len()), "what fits");
                        model.bytes.extend(&bytes[..n]);
                        next = next.wrapping_add(n as u8);
                        model.writer_waits = false;
                        if n > 0 && model.reader_waits {
                            assert!(reading.is_woken(), "the reader sleeps, and there is something");
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        assert!(model.is_closed);
                        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                    }
                    Poll::Pending => {
                        assert_eq!(model.bytes.len(), model.capacity, "pending with room");
                        model.writer_waits = true;
                    }
                }
            }
            _ if script.below(4) == 0 => {
                // The end: said, or by leaving.
                let Some(mut leaving) = writer.take() else { continue };
                if script.flag() || !leaving_ends_it {
                    let shut = Pin::new(&mut leaving).poll_shutdown(&mut writing.context());
                    assert!(matches!(shut, Poll::Ready(Ok(()))));
                    writer = Some(leaving);
                } else {
                    drop(leaving);
                }
                (model.is_closed, model.writer_waits) = (true, false);
                if model.reader_waits {
                    assert!(reading.is_woken(), "the reader sleeps, and it is over");
                }
            }
            _ => {}
        }
        if script.is_over() {
            break;
        }
    }
}
