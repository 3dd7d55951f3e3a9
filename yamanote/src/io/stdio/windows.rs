//! The handles of the standard streams.

use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, RawHandle};

use super::{Stderr, Stdin, Stdout};

macro_rules! handle {
    ($($stream:ident, $open:path;)+) => {$(
        impl AsHandle for $stream {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                // SAFETY: the standard streams belong to the process and are not closed while it runs.
                unsafe { BorrowedHandle::borrow_raw(self.as_raw_handle()) }
            }
        }

        impl AsRawHandle for $stream {
            fn as_raw_handle(&self) -> RawHandle {
                $open().as_raw_handle()
            }
        }
    )+};
}

handle! {
    Stdin, std::io::stdin;
    Stdout, std::io::stdout;
    Stderr, std::io::stderr;
}
