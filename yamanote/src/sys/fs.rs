//! What differs between systems about directories and files.

/// Sets the mode of directories to be made.
#[cfg(unix)]
pub(crate) fn set_dir_mode(builder: &mut std::fs::DirBuilder, mode: Option<u32>) {
    if let Some(mode) = mode {
        std::os::unix::fs::DirBuilderExt::mode(builder, mode);
    }
}

/// There are no modes here, and no way to ask for one.
#[cfg(not(unix))]
pub(crate) fn set_dir_mode(_: &mut std::fs::DirBuilder, _: Option<u32>) {}

/// Whether this was told of the very file that the entry names.
#[cfg(unix)]
pub(crate) fn is_of(metadata: &std::fs::Metadata, entry: &std::fs::DirEntry) -> bool {
    std::os::unix::fs::MetadataExt::ino(metadata) == std::os::unix::fs::DirEntryExt::ino(entry)
}

/// Nobody knows.
#[cfg(not(unix))]
pub(crate) fn is_of(_: &std::fs::Metadata, _: &std::fs::DirEntry) -> bool {
    false
}

/// How a file is to be opened: what the standard library's options keep to themselves.
#[derive(Clone, Debug)]
#[cfg_attr(not(unix), allow(dead_code, reason = "nobody opens files by system call here"))]
pub(crate) struct OpenHow {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    pub(crate) truncate: bool,
    pub(crate) create: bool,
    pub(crate) create_new: bool,
    /// Of a file that is made.
    pub(crate) mode: u32,
    pub(crate) custom_flags: i32,
}

impl OpenHow {
    pub(crate) const NONE: OpenHow = OpenHow {
        mode: 0o666,
        custom_flags: 0,
        create_new: false,
        create: false,
        truncate: false,
        append: false,
        read: false,
        write: false,
    };
    pub(crate) const READ: OpenHow = OpenHow { read: true, ..OpenHow::NONE };
    pub(crate) const CREATE: OpenHow =
        OpenHow { write: true, create: true, truncate: true, ..OpenHow::NONE };
}

#[cfg(unix)]
impl OpenHow {
    /// The flags of `open`, as the standard library makes them; `None` where it refuses.
    #[allow(dead_code, reason = "not every Unix has calls that need them")]
    pub(crate) fn flags(&self) -> Option<i32> {
        let access = match (self.read, self.write, self.append) {
            (true, false, false) => libc::O_RDONLY,
            (false, true, false) => libc::O_WRONLY,
            (true, true, false) => libc::O_RDWR,
            (false, _, true) => libc::O_WRONLY | libc::O_APPEND,
            (true, _, true) => libc::O_RDWR | libc::O_APPEND,
            (false, false, false) => return None,
        };
        let allowed = match (self.write, self.append) {
            (true, false) => true,
            (false, false) => !(self.truncate || self.create || self.create_new),
            (_, true) => !self.truncate || self.create_new,
        };
        if !allowed {
            return None;
        }
        let creation = match (self.create, self.truncate, self.create_new) {
            (false, false, false) => 0,
            (true, false, false) => libc::O_CREAT,
            (false, true, false) => libc::O_TRUNC,
            (true, true, false) => libc::O_CREAT | libc::O_TRUNC,
            (_, _, true) => libc::O_CREAT | libc::O_EXCL,
        };
        Some(access | creation | (self.custom_flags & !libc::O_ACCMODE))
    }
}

/// Whether a file is on a file system that asks nobody.
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "not every Linux has calls that need it")]
pub(crate) fn is_local(file: &std::fs::File) -> bool {
    use std::os::fd::AsRawFd;

    // ext2 to ext4, xfs, btrfs, f2fs, bcachefs, tmpfs, ramfs, overlayfs: the numbers of linux/magic.h.
    const LOCAL: [u64; 8] = [
        0xEF53,
        0x5846_5342,
        0x9123_683E,
        0xF2F5_2010,
        0xCA45_1A4E,
        0x0102_1994,
        0x8584_58F6,
        0x794C_7630,
    ];
    let mut status = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: an open descriptor and memory for the answer.
    if unsafe { libc::fstatfs(file.as_raw_fd(), status.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: plain numbers, zeroed before the kernel wrote them.
    let status = unsafe { status.assume_init() };
    // The type of the number differs between architectures; the numbers have 32 bits.
    LOCAL.contains(&(status.f_type as u64 & 0xFFFF_FFFF))
}

/// Nobody asks here.
#[cfg(not(target_os = "linux"))]
#[allow(dead_code, reason = "for calls that other systems have not")]
pub(crate) fn is_local(_: &std::fs::File) -> bool {
    false
}
