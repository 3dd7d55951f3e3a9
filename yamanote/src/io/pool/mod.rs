//! Reading and writing by jobs of the blocking pool, for what no poller can wait for: the standard streams, and
//! on Windows the pipes to and from children.
//!
//! Each operation is a job, through a buffer that belongs to the job while it runs: the future that asked for it may be
//! gone before it is done. [`Input`] and [`Output`] are the two state machines.

use std::io;

mod input;
mod output;

pub(crate) use input::Input;
pub(crate) use output::Output;

/// The most bytes one job handles. As in upstream, which found no gain beyond it.
const MAX_BUFFER: usize = 2 * 1024 * 1024;

/// Gives each job its handle of the stream.
pub(crate) trait Open: Clone + Send + 'static {
    type Stream;

    fn open(&self) -> Self::Stream;

    /// Whether a read may take for ever, so that no runtime waits for it when it ends.
    const IS_EXPENDABLE: bool = false;

    /// Waits until there is something to be read, without taking it.
    fn wait(_: &mut Self::Stream) -> io::Result<()> {
        Ok(())
    }
}

/// Streams that are global.
impl<T: 'static> Open for fn() -> T {
    type Stream = T;

    fn open(&self) -> T {
        self()
    }
}
