//! File calls that the kernel answers from memory or refuses, so that a worker can make them.
//!
//! A path is looked up by `openat2` with `RESOLVE_CACHED`, a look that takes nothing but the cache of directory entries,
//! and with `O_PATH`, which opens nothing: only then is it known what the path leads to. (Merely to open a
//! named pipe would wake whoever waits for its other side; a device may do anything.) A regular file of a local
//! file system is then opened in earnest, and read by `preadv2` with `RWF_NOWAIT`.
//!
//! `None`, or [`Read::Waits`], is never an answer to the caller's question: it means that the ordinary call, on a thread that
//! may block, has to find the answer.

use std::cell::Cell;
use std::ffi::{CString, OsStr};
use std::fs::{File, Metadata};
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::io::ReadBuf;
use crate::sys::fs::{OpenHow, is_local};

/// `RESOLVE_CACHED` of linux/openat2.h: fail with `EAGAIN` rather than look at the disk. Since Linux 5.12.
const RESOLVE_CACHED: u64 = 0x20;
/// `RWF_NOWAIT` of linux/fs.h: fail with `EAGAIN` rather than wait for the disk. Since Linux 4.14.
const RWF_NOWAIT: libc::c_int = 0x8;

/// `struct open_how` of linux/openat2.h.
#[repr(C)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// Old kernels and sandboxes answer the same every time. Relaxed, wherever it is used: only spares the question.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// What may be asked of the files of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Device {
    /// Nothing: the answer may have to come over a network, or from another process.
    Waits,
    /// Their metadata, but not to be read without waiting.
    Tells,
    Reads,
}

/// Devices whose files were seen last, a few: a program's files are on one or two. Known by their number, which may
/// be given to another file system once this one is gone; the worst that follows is a call that waits.
const DEVICES: usize = 4;

thread_local! {
    static KNOWN: Cell<[Option<(u64, Device)>; DEVICES]> = const { Cell::new([None; DEVICES]) };
}

fn remember(number: u64, device: Device) {
    let mut known = KNOWN.get();
    match known.iter_mut().flatten().find(|entry| entry.0 == number) {
        Some(entry) => entry.1 = device,
        None => {
            known.rotate_right(1);
            known[0] = Some((number, device));
        }
    }
    KNOWN.set(known);
}

/// What is known of an inode without asking anybody but this kernel.
struct Inode {
    regular: bool,
    size: u64,
    number: u64,
    device_number: u64,
    device: Device,
}

impl Inode {
    fn of(file: &File) -> Option<Inode> {
        let mut status = MaybeUninit::<libc::statx>::zeroed();
        // SAFETY: an open descriptor, an empty path that ends with a null byte, and memory for the answer.
        let result = unsafe {
            libc::statx(
                file.as_raw_fd(),
                c"".as_ptr(),
                libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC,
                libc::STATX_BASIC_STATS,
                status.as_mut_ptr(),
            )
        };
        if result != 0 {
            return None;
        }
        // SAFETY: plain numbers, zeroed before the kernel wrote them.
        let status = unsafe { status.assume_init() };
        let device_number = u64::from(status.stx_dev_major) << 32 | u64::from(status.stx_dev_minor);
        let known = KNOWN.get().into_iter().flatten().find(|entry| entry.0 == device_number);
        let device = match known {
            Some((_, device)) => device,
            None => {
                let device = if is_local(file) { Device::Reads } else { Device::Waits };
                remember(device_number, device);
                device
            }
        };
        Some(Inode {
            regular: u32::from(status.stx_mode) & libc::S_IFMT == libc::S_IFREG,
            size: status.stx_size,
            number: status.stx_ino,
            device_number,
            device,
        })
    }
}

/// Opens what the cache of directory entries leads to. `NotFound` is an answer: of a path that is known not to exist.
fn open_cached(path: &CString, flags: libc::c_int) -> Option<io::Result<File>> {
    if REFUSED.load(Ordering::Relaxed) {
        return None;
    }
    let how = How { flags: (flags | libc::O_CLOEXEC) as u64, mode: 0, resolve: RESOLVE_CACHED };
    // SAFETY: a path that ends with a null byte, and a structure of the size that is told.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            &raw const how,
            mem::size_of::<How>(),
        )
    };
    if fd >= 0 {
        // SAFETY: just opened, and nobody else's.
        return Some(Ok(unsafe { File::from_raw_fd(fd as libc::c_int) }));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOENT) => Some(Err(error)),
        // EINVAL: a kernel that has the call, but not yet the flag.
        Some(libc::ENOSYS | libc::EPERM | libc::EINVAL) => {
            REFUSED.store(true, Ordering::Relaxed);
            None
        }
        _ => None,
    }
}

fn c_path(path: &Path) -> Option<CString> {
    // An inner null byte is an error, which the ordinary call tells.
    CString::new(path.as_os_str().as_bytes()).ok()
}

/// What `std::fs::metadata` gives, or `symlink_metadata` if links are not to be followed.
pub(crate) fn metadata(path: &Path, follow: bool) -> Option<io::Result<Metadata>> {
    let flags = libc::O_PATH | if follow { 0 } else { libc::O_NOFOLLOW };
    let file = match open_cached(&c_path(path)?, flags)? {
        Ok(file) => file,
        Err(error) => return Some(Err(error)),
    };
    if Inode::of(&file)?.device == Device::Waits {
        return None;
    }
    file.metadata().ok().map(Ok)
}

/// What `std::fs::canonicalize` gives: what the kernel calls the file that the path led to, if it still leads there.
pub(crate) fn canonicalize(path: &Path) -> Option<io::Result<PathBuf>> {
    match open_cached(&c_path(path)?, libc::O_PATH)? {
        Ok(file) => name(&file).map(Ok),
        Err(error) => Some(Err(error)),
    }
}

/// What the kernel calls a file, if that leads to it.
fn name(file: &File) -> Option<PathBuf> {
    let there = Inode::of(file)?;
    if there.device == Device::Waits {
        return None;
    }
    // One that is as long as this may have been cut off.
    let mut bytes = [0_u8; libc::PATH_MAX as usize];
    let link = CString::new(format!("/proc/thread-self/fd/{}", file.as_raw_fd())).ok()?;
    // SAFETY: a path that ends with a null byte, and as much memory as is told.
    let n = unsafe { libc::readlink(link.as_ptr(), bytes.as_mut_ptr().cast(), bytes.len()) };
    let name = bytes.get(..usize::try_from(n).ok()?)?;
    if name.first() != Some(&b'/') || name.len() == bytes.len() {
        return None;
    }
    // What is out of reach, or was removed, is called something else, or something more.
    let again = open_cached(&CString::new(name).ok()?, libc::O_PATH | libc::O_NOFOLLOW)?.ok()?;
    let again = Inode::of(&again)?;
    let same = again.number == there.number && again.device_number == there.device_number;
    same.then(|| PathBuf::from(OsStr::from_bytes(name)))
}

/// Opens a regular file, with what is known of it.
fn open_regular(
    path: &Path,
    flags: libc::c_int,
    size_fits: impl Fn(u64) -> bool,
) -> Option<io::Result<(File, Inode)>> {
    let path = c_path(path)?;
    let expected = match open_cached(&path, libc::O_PATH)? {
        Ok(file) => Inode::of(&file)?,
        Err(error) => return Some(Err(error)),
    };
    if !expected.regular || expected.device != Device::Reads || !size_fits(expected.size) {
        return None;
    }
    // Not to wait where another process has a lease on the file, and refuses to give it up.
    let file = open_cached(&path, flags | libc::O_NONBLOCK)?.ok()?;
    let inode = Inode::of(&file)?;
    let same = inode.number == expected.number && inode.device_number == expected.device_number;
    (same && inode.regular && size_fits(inode.size)).then_some(Ok((file, inode)))
}

/// What `std::fs::OpenOptions::open` gives, if it is a regular file that is neither to be made nor emptied.
pub(crate) fn open(path: &Path, how: &OpenHow) -> Option<io::Result<File>> {
    let flags = how.flags()?;
    if how.custom_flags != 0 || flags & (libc::O_CREAT | libc::O_TRUNC) != 0 {
        return None;
    }
    let file = match open_regular(path, flags, |_| true)? {
        Ok((file, _)) => file,
        Err(error) => return Some(Err(error)),
    };
    // SAFETY: changes flags of an open descriptor that is nobody else's: what `open` would have left out. The large-file
    // flag, which the kernel sets by itself, cannot be changed.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags & libc::O_APPEND) };
    (result == 0).then_some(Ok(file))
}

/// What `std::fs::read` gives, of a file of `max` bytes at the most.
pub(crate) fn read_whole(path: &Path, max: usize) -> Option<io::Result<Vec<u8>>> {
    // The system's own files say that they have no bytes.
    let (file, inode) = match open_regular(path, libc::O_RDONLY, |size| size > 0 && size <= max as u64)?
    {
        Ok(opened) => opened,
        Err(error) => return Some(Err(error)),
    };
    let size = inode.size as usize;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).ok()?;
    match read_some(&file, &mut bytes.spare_capacity_mut()[..size]) {
        // All that the file had. Less may be a page that is not there: no call has said that it is the end.
        Ok(n) if n == size => {
            // SAFETY: so many bytes were written.
            unsafe { bytes.set_len(n) };
            Some(Ok(bytes))
        }
        Err(Some(libc::EOPNOTSUPP)) => {
            remember(inode.device_number, Device::Tells);
            None
        }
        _ => None,
    }
}

/// Whether a file is one that [`read`] can be tried on, and whose metadata and position nobody has to be asked for.
pub(crate) fn suits(file: &File) -> bool {
    let Some(inode) = Inode::of(file) else { return false };
    // SAFETY: reads the flags of an open descriptor.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    // Past the cache there is always something to wait for.
    inode.regular && inode.device == Device::Reads && flags >= 0 && flags & libc::O_DIRECT == 0
}

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read<'a> {
    /// So many bytes are in the buffer: all that were asked for, or all that there are.
    Done(usize),
    /// These bytes, which the buffer does not count; there may be more, which has to be waited for.
    Part(&'a [u8]),
    /// It would have to wait.
    Waits,
    /// This file cannot be read so.
    Never,
}

/// Reads up to `max` bytes at the file's position, which moves, as `read` does.
pub(crate) fn read<'a>(file: &File, into: &'a mut ReadBuf<'_>, max: usize) -> Read<'a> {
    // SAFETY: nothing is made uninitialised: the kernel writes bytes.
    let free = unsafe { &mut into.unfilled_mut()[..max] };
    match read_some(file, free) {
        Ok(n) => {
            // SAFETY: the kernel wrote so many.
            unsafe { into.assume_init(n) };
            // Linux 5.9 and 5.10 knew cases in which less, or nothing, is not the end.
            if n == max || is_at_end(file) {
                into.advance(n);
                Read::Done(n)
            } else {
                Read::Part(into.initialize_unfilled_to(n))
            }
        }
        Err(Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EPERM | libc::EBADF)) => Read::Never,
        Err(_) => Read::Waits,
    }
}

fn read_some(file: &File, into: &mut [MaybeUninit<u8>]) -> Result<usize, Option<i32>> {
    let slice = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // At the file's position.
    let here: libc::c_long = -1;
    // SAFETY: one slice of writable memory, and a descriptor that is open. Of the two halves of the position, 64-bit
    // systems take the first.
    let n = unsafe {
        libc::syscall(
            libc::SYS_preadv2,
            file.as_raw_fd(),
            &raw const slice,
            1_usize,
            here,
            0_usize,
            RWF_NOWAIT,
        )
    };
    if n >= 0 { Ok(n as usize) } else { Err(io::Error::last_os_error().raw_os_error()) }
}

/// Whether the position is the end of a file that has bytes.
fn is_at_end(file: &File) -> bool {
    // SAFETY: asks for the position of an open descriptor.
    let position = unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_CUR) };
    position >= 0 && Inode::of(file).is_some_and(|inode| inode.size > 0 && position as u64 >= inode.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_devices_are_remembered() {
        for number in 0..6 {
            remember(number, Device::Reads);
        }
        remember(4, Device::Tells);
        let known = KNOWN.get();
        assert_eq!(known[0], Some((5, Device::Reads)));
        assert_eq!(known[1], Some((4, Device::Tells)));
        assert_eq!(known[3], Some((2, Device::Reads)));
    }

    #[test]
    fn the_kernels_name_for_a_file_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("f");
        let file = File::create(&path).unwrap();
        // None where the kernel has no such call, or there is no /proc.
        assert!(name(&file).is_none_or(|name| name == path));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(name(&file), None);
        std::fs::write(&path, "another").unwrap();
        assert_eq!(name(&file), None);
        // What the kernel calls it now.
        std::fs::write(dir.path().join("f (deleted)"), "").unwrap();
        assert_eq!(name(&file), None);
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let open = |path| open(Path::new(path), &OpenHow::READ);
        assert!(open("/dev/null").is_none());
        assert!(open("/").is_none());
        assert!(open("/proc/self/status").is_none());
        assert!(read_whole(Path::new("/proc/self/status"), 4096).is_none());
        assert!(metadata(Path::new("a\0b"), true).is_none());
    }

    #[test]
    fn an_opened_file_has_the_flags_of_an_ordinary_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let flags = |file: &File| {
            // SAFETY: reads flags of open descriptors.
            let get = |what| unsafe { libc::fcntl(file.as_raw_fd(), what) };
            (get(libc::F_GETFL), get(libc::F_GETFD))
        };
        let read = OpenHow::READ;
        let both = OpenHow { read: true, write: true, ..OpenHow::NONE };
        let append = OpenHow { append: true, ..OpenHow::NONE };
        for how in [read, both, append] {
            let mut options = std::fs::OpenOptions::new();
            options.read(how.read).write(how.write).append(how.append);
            let ordinary = options.open(file.path()).unwrap();
            // None where the kernel or the file system has no such call.
            if let Some(opened) = open(file.path(), &how) {
                assert_eq!(flags(&opened.unwrap()), flags(&ordinary));
            }
        }
    }

    #[test]
    fn nothing_is_made_or_emptied() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(open(file.path(), &OpenHow::CREATE).is_none());
        assert!(open(file.path(), &OpenHow { write: true, truncate: true, ..OpenHow::NONE }).is_none());
        // Nor are options that contradict each other an answer.
        assert!(open(file.path(), &OpenHow { read: true, create: true, ..OpenHow::NONE }).is_none());
        assert!(open(file.path(), &OpenHow::NONE).is_none());
    }
}
