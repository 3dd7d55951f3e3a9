//! There is no ring: all is the pool's. See the twin in `ring_on.rs`.

use std::convert::Infallible;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::sys::fs::OpenHow;

pub(crate) async fn open(_: &Path, _: &OpenHow) -> Option<io::Result<File>> {
    None
}

pub(crate) async fn metadata(_: &Path, _: bool) -> Option<io::Result<Metadata>> {
    None
}

pub(crate) async fn exists(_: &Path) -> Option<io::Result<bool>> {
    None
}

pub(crate) async fn read(_: &Path) -> Option<io::Result<Vec<u8>>> {
    None
}

pub(crate) async fn read_if_turned(_: &Path) -> Option<io::Result<Vec<u8>>> {
    None
}

pub(crate) async fn sync(_: &Arc<File>, _: bool) -> Option<io::Result<()>> {
    None
}

pub(crate) async fn rename(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

pub(crate) async fn remove_file(_: &Path) -> Option<io::Result<()>> {
    None
}

pub(crate) async fn remove_dir(_: &Path) -> Option<io::Result<()>> {
    None
}

pub(crate) async fn create_dir(_: &Path, _: u32) -> Option<io::Result<()>> {
    None
}

pub(crate) async fn hard_link(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

#[cfg(unix)]
pub(crate) async fn symlink(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

pub(crate) struct Reading(Infallible);

pub(crate) struct Refused {
    pub(crate) file: Arc<File>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) max: usize,
}

/// How many bytes were read, behind those that there were, and all of them.
pub(crate) type Done = (io::Result<usize>, Vec<u8>);

impl Reading {
    #[inline(always)]
    pub(crate) fn start(
        file: Arc<File>,
        bytes: Vec<u8>,
        max: usize,
        _: &Context<'_>,
    ) -> Result<Reading, Refused> {
        Err(Refused { file, bytes, max })
    }

    pub(crate) fn poll(&mut self, _: &mut Context<'_>) -> Poll<Result<Done, Refused>> {
        match self.0 {}
    }
}
