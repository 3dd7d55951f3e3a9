//! What is built on the traits of [`io`](crate::io), all of it under the feature `io-util`.
//!
//! In reading order: the futures (`read`, `read_number`, `read_to_end`, `read_until`, `text`, `write`, `seek`),
//! the extension traits that return them (`*_ext`), the adapters (`chain`, `take`, `lines`, `segments`,
//! `buf_reader`, `buf_writer`, `buf_stream`), copying (`copy`, `relay`, `copy_buf`, `copy_bidirectional`), and the
//! sources and destinations in memory (`empty`, `repeat`, `sink`, `simplex`, `duplex`).
//!
//! The futures are public types in private modules: nobody can name them, but whoever has a generic reader
//! learns from their fields whether they are `Send`. None is `Unpin`, so that fields may be added
//! that must not move.

mod read;
mod read_number;
mod read_to_end;
mod read_until;
mod seek;
mod text;
mod write;

mod async_buf_read_ext;
mod async_read_ext;
mod async_seek_ext;
mod async_write_ext;

mod buf_reader;
mod buf_stream;
mod buf_writer;
mod chain;
mod lines;
mod segments;
mod take;

mod copy;
mod copy_bidirectional;
mod copy_buf;
mod relay;

mod duplex;
mod empty;
mod join;
mod repeat;
mod simplex;
mod sink;
mod split;

pub use async_buf_read_ext::AsyncBufReadExt;
pub use async_read_ext::AsyncReadExt;
pub use async_seek_ext::AsyncSeekExt;
pub use async_write_ext::AsyncWriteExt;
pub use buf_reader::BufReader;
pub use buf_stream::BufStream;
pub use buf_writer::BufWriter;
pub use chain::Chain;
pub use copy::copy;
pub use copy_bidirectional::{copy_bidirectional, copy_bidirectional_with_sizes};
pub use copy_buf::copy_buf;
pub use duplex::{DuplexStream, duplex};
pub use empty::{Empty, empty};
pub use join::{Join, join};
pub use lines::Lines;
pub use repeat::{Repeat, repeat};
pub use segments::Split;
pub use simplex::{SimplexStream, simplex};
pub use sink::{Sink, sink};
pub use split::{ReadHalf, WriteHalf, split};
pub use take::Take;

use std::io;

/// The size of buffers for which nobody asked for a size. As in the standard library.
const DEFAULT_BUFFER_SIZE: usize = 8 * 1024;

/// Whether an operation was only disturbed, so that it should be tried again.
fn is_interrupted(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted
}
