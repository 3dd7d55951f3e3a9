//! The system calls of named pipes.

use std::ffi::{OsStr, c_void};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING,
    PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
    WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, GetNamedPipeInfo, PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_SERVER_END, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES, SetNamedPipeHandleState,
};
use windows_sys::Win32::System::SystemServices::ACCESS_SYSTEM_SECURITY;

/// What a client's server may do in its name if nothing else is said: learn who it is.
pub(crate) const IDENTIFICATION: u32 = SECURITY_IDENTIFICATION;

/// As many instances as there is memory for.
pub(crate) const UNLIMITED: u32 = PIPE_UNLIMITED_INSTANCES;

/// How a server's end is made.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) inbound: bool,
    pub(crate) outbound: bool,
    pub(crate) first: bool,
    pub(crate) write_dac: bool,
    pub(crate) write_owner: bool,
    pub(crate) access_system_security: bool,
    pub(crate) messages: bool,
    pub(crate) reject_remote: bool,
    pub(crate) max_instances: u32,
    pub(crate) out_buffer_size: u32,
    pub(crate) in_buffer_size: u32,
}

/// How a client's end is opened.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) qos: u32,
    pub(crate) messages: bool,
}

/// What the system knows of a pipe.
pub(crate) struct Info {
    pub(crate) is_server: bool,
    pub(crate) messages: bool,
    pub(crate) max_instances: u32,
    pub(crate) out_buffer_size: u32,
    pub(crate) in_buffer_size: u32,
}

/// The flags that are on, as one word.
fn flags(all: &[(bool, u32)]) -> u32 {
    all.iter().filter(|(is_on, _)| *is_on).fold(0, |word, (_, flag)| word | flag)
}

/// A name as the system takes it. One with a null character in it would be cut there.
fn wide(name: &OsStr) -> io::Result<Vec<u16>> {
    let mut wide: Vec<u16> = name.encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a null character in a pipe's name"));
    }
    wide.push(0);
    Ok(wide)
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just made it for us.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

impl Server {
    /// `CreateNamedPipe`.
    ///
    /// # Safety
    /// `attributes` is null or points to `SECURITY_ATTRIBUTES`.
    pub(crate) unsafe fn create(
        &self,
        name: &OsStr,
        attributes: *mut c_void,
    ) -> io::Result<OwnedHandle> {
        let name = wide(name)?;
        let open_mode = flags(&[
            (true, FILE_FLAG_OVERLAPPED),
            (self.inbound, PIPE_ACCESS_INBOUND),
            (self.outbound, PIPE_ACCESS_OUTBOUND),
            (self.first, FILE_FLAG_FIRST_PIPE_INSTANCE),
            (self.write_dac, WRITE_DAC),
            (self.write_owner, WRITE_OWNER),
            (self.access_system_security, ACCESS_SYSTEM_SECURITY),
        ]);
        let pipe_mode = flags(&[
            (self.messages, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE),
            (self.reject_remote, PIPE_REJECT_REMOTE_CLIENTS),
        ]);
        // SAFETY: the name ends with a null character; the attributes are the caller's affair.
        owned(unsafe {
            CreateNamedPipeW(
                name.as_ptr(),
                open_mode,
                pipe_mode,
                self.max_instances,
                self.out_buffer_size,
                self.in_buffer_size,
                0,
                attributes.cast(),
            )
        })
    }
}

impl Client {
    /// `CreateFile`.
    ///
    /// # Safety
    /// `attributes` is null or points to `SECURITY_ATTRIBUTES`.
    pub(crate) unsafe fn open(&self, name: &OsStr, attributes: *mut c_void) -> io::Result<OwnedHandle> {
        let name = wide(name)?;
        let access = flags(&[(self.read, GENERIC_READ), (self.write, GENERIC_WRITE)]);
        // SAFETY: the name ends with a null character; the attributes are the caller's affair.
        let handle = owned(unsafe {
            CreateFileW(
                name.as_ptr(),
                access,
                0,
                attributes.cast(),
                OPEN_EXISTING,
                FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | self.qos,
                ptr::null_mut(),
            )
        })?;
        if self.messages {
            let mode = PIPE_READMODE_MESSAGE;
            // SAFETY: the handle is open, the pointers are to a word or null.
            let ok = unsafe {
                SetNamedPipeHandleState(handle.as_raw_handle(), &mode, ptr::null(), ptr::null())
            };
            if ok == 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(handle)
    }
}

/// `GetNamedPipeInfo`.
pub(crate) fn info(pipe: BorrowedHandle<'_>) -> io::Result<Info> {
    let (mut flags, mut out_buffer_size, mut in_buffer_size, mut max_instances) = (0, 0, 0, 0);
    // SAFETY: the handle is open, the pointers are to words that may be written.
    let ok = unsafe {
        GetNamedPipeInfo(
            pipe.as_raw_handle(),
            &mut flags,
            &mut out_buffer_size,
            &mut in_buffer_size,
            &mut max_instances,
        )
    };
    if ok == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Info {
        is_server: flags & PIPE_SERVER_END != 0,
        messages: flags & PIPE_TYPE_MESSAGE != 0,
        max_instances,
        out_buffer_size,
        in_buffer_size,
    })
}
