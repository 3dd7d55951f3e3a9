//! The traits, their implementations for pointers and memory, and what the types promise about threads.

use std::io::{Cursor, IoSlice, SeekFrom};
use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::BufMut;
use yamanote::io::{
    self, AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, ReadBuf,
};

use crate::support::{Mock, Step, panic_file, run};

fn is_send<T: Send>(_: &T) {}
fn is_sync<T: Sync>(_: &T) {}
fn is_unpin<T: Unpin>(_: &T) {}

#[test]
fn the_traits_can_be_trait_objects_behind_any_pointer() {
    let mut boxed: Box<dyn AsyncRead + Unpin> = Box::new(&b"ab"[..]);
    assert_eq!(run(boxed.read_u8()).unwrap(), b'a');
    let mut pinned: Pin<Box<dyn AsyncRead>> = Box::pin(&b"ab"[..]);
    assert_eq!(run(pinned.read_u8()).unwrap(), b'a');
    let mut slice = &b"abc"[..];
    let mut borrowed: &mut (dyn AsyncBufRead + Unpin) = &mut slice;
    assert_eq!(run(borrowed.fill_buf()).unwrap(), b"abc");
    AsyncBufReadExt::consume(&mut borrowed, 1);
    assert_eq!(run(borrowed.read_u8()).unwrap(), b'b');

    let mut writer: Pin<Box<dyn AsyncWrite>> = Box::pin(Vec::new());
    assert!(writer.is_write_vectored());
    run(writer.write_all(b"x")).unwrap();
    let mut seeker: Box<dyn AsyncSeek + Unpin> = Box::new(Cursor::new(b"abc"));
    assert_eq!(run(seeker.seek(SeekFrom::End(0))).unwrap(), 3);
}

/// A reader that must not move.
struct Immovable(&'static [u8], PhantomPinned);

impl AsyncRead for Immovable {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY: nothing is moved but the slice, which is not pinned structurally.
        let slice = unsafe { &mut self.get_unchecked_mut().0 };
        Pin::new(slice).poll_read(cx, buf)
    }
}

#[test]
fn what_must_not_move_is_read_through_a_pin() {
    let mut reader = pin!(Immovable(b"ab", PhantomPinned));
    let mut text = String::new();
    run(reader.read_to_string(&mut text)).unwrap();
    assert_eq!(text, "ab");
    let mut reader = pin!(Immovable(b"ab", PhantomPinned).chain(&b"c"[..]).take(3));
    run(reader.read_to_string(&mut text)).unwrap();
    assert_eq!(text, "ababc");
}

#[test]
fn cursors_read_and_write_where_they_stand() {
    let mut cursor = Cursor::new(vec![0; 4]);
    cursor.set_position(3);
    run(cursor.write_all(b"ab")).unwrap();
    assert_eq!(cursor.get_ref(), &[0, 0, 0, b'a', b'b']);

    let mut memory = [0; 3];
    let mut cursor = Cursor::new(&mut memory[..]);
    assert_eq!(run(cursor.write(b"abcd")).unwrap(), 3);
    assert_eq!(run(cursor.write(b"d")).unwrap(), 0);
    assert_eq!(run(cursor.write_all(b"d")).unwrap_err().kind(), io::ErrorKind::WriteZero);
    let mut cursor = Cursor::new(vec![0; 3].into_boxed_slice());
    let two = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
    assert_eq!(run(cursor.write_vectored(&two)).unwrap(), 3);
    let mut vec = Vec::new();
    run(Cursor::new(&mut vec).write_all(b"abc")).unwrap();
    assert_eq!(vec, b"abc");

    // Past the end is nothing.
    let mut cursor = Cursor::new(b"abc");
    cursor.set_position(u64::MAX);
    let mut buf = [0; 2];
    assert_eq!(run(cursor.read(&mut buf)).unwrap(), 0);
    assert_eq!(cursor.position(), u64::MAX);
    assert_eq!(run(cursor.fill_buf()).unwrap(), b"");
    assert!(run(cursor.seek(SeekFrom::Current(1))).is_err());
    assert_eq!(run(cursor.rewind()).unwrap(), 0);
    assert_eq!(run(cursor.read(&mut buf)).unwrap(), 2);
    assert_eq!(run(cursor.stream_position()).unwrap(), 2);
}

#[test]
fn unless_overridden_a_vectored_write_takes_the_first_piece_with_bytes() {
    struct Plain(Vec<u8>);
    impl AsyncWrite for Plain {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.extend_from_slice(buf);
            Poll::Ready(Ok(buf.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    let mut plain = Plain(Vec::new());
    assert!(!plain.is_write_vectored());
    let bufs = [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b"c")];
    assert_eq!(run(plain.write_vectored(&bufs)).unwrap(), 2);
    assert_eq!(run(plain.write_vectored(&[])).unwrap(), 0);
    assert_eq!(plain.0, b"ab");
}

#[test]
fn read_buf_is_a_buf_mut() {
    let mut memory = [MaybeUninit::uninit(); 6];
    let mut buf = ReadBuf::uninit(&mut memory);
    buf.put_u16(0x0102);
    assert_eq!((buf.remaining_mut(), buf.chunk_mut().len()), (4, 4));
    BufMut::put_slice(&mut buf, &[3, 4, 5, 6]);
    assert_eq!(buf.filled(), [1, 2, 3, 4, 5, 6]);
    assert!(!buf.has_remaining_mut());
    assert_eq!(buf.chunk_mut().len(), 0);
}

#[test]
fn panics_point_at_the_caller() {
    let here = Some(file!().to_owned());
    let mut memory = [0; 2];
    let mut buf = ReadBuf::new(&mut memory);
    assert_eq!(panic_file(|| buf.advance(3)), here);
    assert_eq!(panic_file(|| buf.advance(usize::MAX)), here);
    assert_eq!(panic_file(|| buf.set_filled(3)), here);
    assert_eq!(panic_file(|| buf.put_slice(&[0; 3])), here);
    assert_eq!(panic_file(|| _ = buf.initialize_unfilled_to(3)), here);
    assert_eq!(panic_file(|| drop(io::duplex(0))), here);
    assert_eq!(panic_file(|| drop(io::simplex(0))), here);
    assert_eq!(panic_file(|| drop(io::SimplexStream::new_unsplit(0))), here);
    assert_eq!(panic_file(|| drop(io::BufReader::with_capacity(0, io::empty()))), here);
    assert_eq!(panic_file(|| drop(io::BufStream::with_capacity(0, 1, io::empty()))), here);
    assert_eq!(
        panic_file(|| {
            let (reader, _) = io::split(io::empty());
            let (_, writer) = io::split(io::empty());
            reader.unsplit(writer);
        }),
        here
    );
    assert_eq!(panic_file(|| ()), None);
}

/// Puts a buffer of its own, larger and full, in the place of the one it was given.
struct Swindler;

/// The addresses of what swindlers lent for ever: a leak detector finds them here and is content.
static LENT: std::sync::Mutex<Vec<usize>> = std::sync::Mutex::new(Vec::new());

impl AsyncRead for Swindler {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let own = Box::leak(vec![1; buf.capacity() + 16].into_boxed_slice());
        let len = own.len();
        LENT.lock().unwrap().push(own.as_ptr().addr());
        *buf = ReadBuf::new(own);
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_reader_that_swaps_buffers_is_caught() {
    fn panics(f: impl FnOnce()) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err()
    }
    assert!(panics(|| drop(run(Swindler.read_buf(&mut Vec::<u8>::with_capacity(8))))));
    assert!(panics(|| drop(run(Swindler.read_to_end(&mut Vec::new())))));
    assert!(panics(|| drop(run(Swindler.take(4).read_buf(&mut Vec::<u8>::with_capacity(8))))));
    assert!(panics(|| drop(run(Swindler.take(4).read(&mut [0; 8])))));
    assert!(panics(|| drop(run(io::BufReader::new(Swindler).fill_buf()))));
    assert!(panics(|| drop(run(io::copy(&mut Swindler, &mut io::sink())))));
}

#[test]
fn types_and_futures_go_between_threads_as_far_as_what_they_hold_does() {
    let (a, b) = io::duplex(1);
    is_send(&a);
    is_sync(&a);
    is_unpin(&a);
    let (reader, writer) = io::split(b);
    is_send(&reader);
    is_sync(&writer);
    is_unpin(&reader);

    // A half may move although the stream must not.
    let (reader, _) = io::split(io::join(Immovable(b"", PhantomPinned), io::sink()));
    is_unpin(&reader);

    let mut mock = Mock::reader([Step::Read(vec![1])]);
    let mut byte = [0];
    let read = mock.read(&mut byte);
    is_send(&read);
    is_sync(&read);
    drop(read);
    let copy = async { io::copy(&mut Mock::default(), &mut Mock::default()).await };
    is_send(&copy);
    let both = async { io::copy_bidirectional(&mut Mock::default(), &mut Mock::default()).await };
    is_send(&both);
    let mut lines = io::BufReader::new(Mock::default()).lines();
    let next = lines.next_line();
    is_send(&next);
    is_sync(&next);
}

#[test]
fn a_failed_or_pending_read_leaves_the_buffer_alone() {
    let mut mock = Mock::reader([Step::Wait, Step::Fail(io::ErrorKind::Other), Step::Read(vec![7])]);
    let mut memory = [0; 4];
    let mut buf = ReadBuf::new(&mut memory);
    let mut cx = Context::from_waker(Waker::noop());
    let mut take = (&mut mock).take(2);
    assert!(Pin::new(&mut take).poll_read(&mut cx, &mut buf).is_pending());
    assert!(matches!(Pin::new(&mut take).poll_read(&mut cx, &mut buf), Poll::Ready(Err(_))));
    assert_eq!((buf.filled().len(), take.limit()), (0, 2));
    assert!(Pin::new(&mut take).poll_read(&mut cx, &mut buf).is_ready());
    assert_eq!((buf.filled(), take.limit()), (&[7][..], 1));
}
