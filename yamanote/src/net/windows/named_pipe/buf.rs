//! Receiving into growing buffers ([`BufMut`]).

use std::io::{self, Read};

use bytes::BufMut;

use super::{NamedPipeClient, NamedPipeServer};
use crate::io::Interest;
use crate::net::buf::fill;

macro_rules! try_read_buf {
    ($($ty:ident),+) => {$(
        impl $ty {
            /// As `try_read`, appending to a buffer. Reads at most what there is room for in the buffer's next chunk.
            ///
            /// # Errors
            /// With kind [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing.
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.io.registration().try_io(Interest::READABLE, || {
                    // SAFETY: the closure initialises all of the slice.
                    let (n, ()) = unsafe {
                        fill(buf, |room| {
                            // The reader takes initialised memory only.
                            let zeroed = room.iter_mut().map(|byte| byte.write(0)).count();
                            let room = std::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), zeroed);
                            (&*self.io).read(room).map(|n| (n, ()))
                        })
                    }?;
                    Ok(n)
                })
            }
        }
    )+};
}

try_read_buf!(NamedPipeServer, NamedPipeClient);
