//! The file descriptors of the standard streams.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use super::{Stderr, Stdin, Stdout};

macro_rules! descriptor {
    ($($stream:ident, $number:expr_2021;)+) => {$(
        impl AsFd for $stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                // SAFETY: the process is taken to have its standard streams open as long as it runs, as
                // the standard library does where it hands out the same descriptor.
                unsafe { BorrowedFd::borrow_raw($number) }
            }
        }

        impl AsRawFd for $stream {
            fn as_raw_fd(&self) -> RawFd {
                $number
            }
        }
    )+};
}

descriptor! {
    Stdin, 0;
    Stdout, 1;
    Stderr, 2;
}
