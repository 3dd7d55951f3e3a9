//! The bytes on their way between a task and the thread that reads or writes its file.

use std::io::{self, Read, Write};

use crate::io::ReadBuf;

/// Owned by the file while it is idle and by the job while one runs, so no job ever touches a caller's memory.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// What lies before was handed out already.
    position: usize,
}

impl Buffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Hands out what fits.
    pub(crate) fn copy_to(&mut self, dst: &mut ReadBuf<'_>) {
        let n = self.len().min(dst.remaining());
        dst.put_slice(&self.bytes[self.position..self.position + n]);
        self.position += n;
        if self.position == self.bytes.len() {
            self.bytes.clear();
            self.position = 0;
        }
    }

    /// Takes in what fits into `max` bytes.
    pub(crate) fn copy_from(&mut self, src: &[u8], max: usize) -> usize {
        debug_assert!(self.is_empty());
        let n = src.len().min(max);
        self.bytes.extend_from_slice(&src[..n]);
        n
    }

    /// As [`copy_from`](Self::copy_from), from several slices.
    pub(crate) fn copy_from_slices(&mut self, slices: &[io::IoSlice<'_>], max: usize) -> usize {
        debug_assert!(self.is_empty());
        for slice in slices {
            let n = slice.len().min(max - self.bytes.len());
            self.bytes.extend_from_slice(&slice[..n]);
        }
        self.bytes.len()
    }

    /// Forgets what was read and not handed out; how far the file's position is ahead because of it.
    pub(crate) fn discard(&mut self) -> i64 {
        let ahead = self.len() as i64;
        self.bytes.clear();
        self.position = 0;
        ahead
    }

    /// One that holds what was read.
    pub(crate) fn holding(bytes: Vec<u8>) -> Buffer {
        Buffer { bytes, position: 0 }
    }

    /// What it holds: nothing, or the beginning of a read.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        debug_assert_eq!(self.position, 0);
        self.bytes
    }

    /// Takes in the beginning of a read that has to be gone on with.
    pub(crate) fn begin(&mut self, bytes: &[u8]) {
        debug_assert!(self.is_empty());
        self.bytes.extend_from_slice(bytes);
    }

    /// Fills itself up to `max` bytes, with one read. It may hold a beginning, which an error leaves.
    pub(crate) fn read_from(&mut self, source: &mut impl Read, max: usize) -> io::Result<usize> {
        debug_assert_eq!(self.position, 0);
        let begun = self.bytes.len();
        self.bytes.resize(max, 0);
        let result = loop {
            match source.read(&mut self.bytes[begun..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.bytes.truncate(begun + *result.as_ref().unwrap_or(&0));
        match result {
            // Whatever it is, the next read meets it.
            Err(_) if begun > 0 => Ok(begun),
            result => result.map(|n| begun + n),
        }
    }

    /// Writes all of itself.
    pub(crate) fn write_to(&mut self, sink: &mut impl Write) -> io::Result<()> {
        let result = sink.write_all(&self.bytes[self.position..]);
        self.bytes.clear();
        self.position = 0;
        result
    }
}
