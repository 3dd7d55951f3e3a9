//! How the ends of a pipe are made.

use std::ffi::{OsStr, c_void};
use std::io;
use std::ptr;

use super::{NamedPipeClient, NamedPipeServer, PipeMode};
use crate::sys::windows::named_pipe as sys;

/// How to make a server's end of a pipe.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::net::windows::named_pipe::ServerOptions;
///
/// let server = ServerOptions::new()
///     .first_pipe_instance(true)
///     .create(r"\\.\pipe\yamanote-server-options")?;
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerOptions(sys::Server);

impl ServerOptions {
    /// A pipe for bytes, both ways, with buffers of 64 KiB, any number of instances, and for clients of this
    /// computer only.
    pub fn new() -> ServerOptions {
        ServerOptions(sys::Server {
            inbound: true,
            outbound: true,
            first: false,
            write_dac: false,
            write_owner: false,
            access_system_security: false,
            messages: false,
            reject_remote: true,
            max_instances: sys::UNLIMITED,
            out_buffer_size: 65_536,
            in_buffer_size: 65_536,
        })
    }

    /// How the pipe keeps what is written. [`PipeMode::Byte`] by default.
    pub fn pipe_mode(&mut self, pipe_mode: PipeMode) -> &mut Self {
        self.0.messages = pipe_mode == PipeMode::Message;
        self
    }

    /// Whether the client may write and the server read. On by default.
    ///
    /// A client that asks for what the server does not allow gets an error of kind
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied).
    pub fn access_inbound(&mut self, allowed: bool) -> &mut Self {
        self.0.inbound = allowed;
        self
    }

    /// Whether the server may write and the client read. On by default.
    pub fn access_outbound(&mut self, allowed: bool) -> &mut Self {
        self.0.outbound = allowed;
        self
    }

    /// Whether this has to be the first instance of the pipe. If it is not, it is not made, with an error of kind
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied). Off by default.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::net::windows::named_pipe::ServerOptions;
    ///
    /// let name = r"\\.\pipe\yamanote-first-instance";
    /// let mut options = ServerOptions::new();
    /// options.first_pipe_instance(true);
    /// let server = options.create(name)?;
    /// let error = options.create(name).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    /// drop(server);
    /// options.create(name)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn first_pipe_instance(&mut self, first: bool) -> &mut Self {
        self.0.first = first;
        self
    }

    /// Whether the server may change the list of who has access (`WRITE_DAC`). Off by default.
    pub fn write_dac(&mut self, requested: bool) -> &mut Self {
        self.0.write_dac = requested;
        self
    }

    /// Whether the server may change the owner (`WRITE_OWNER`). Off by default.
    pub fn write_owner(&mut self, requested: bool) -> &mut Self {
        self.0.write_owner = requested;
        self
    }

    /// Whether the server may change the list of what is audited (`ACCESS_SYSTEM_SECURITY`). Off by default.
    pub fn access_system_security(&mut self, requested: bool) -> &mut Self {
        self.0.access_system_security = requested;
        self
    }

    /// Whether clients of other computers are turned away. On by default.
    pub fn reject_remote_clients(&mut self, reject: bool) -> &mut Self {
        self.0.reject_remote = reject;
        self
    }

    /// How many instances there may be, 1 to 254. The first instance decides; the others have to say the same. Any number by
    /// default.
    ///
    /// # Panics
    /// For more than 254.
    #[track_caller]
    pub fn max_instances(&mut self, instances: usize) -> &mut Self {
        assert!(instances < 255, "cannot specify more than 254 instances");
        self.0.max_instances = instances as u32;
        self
    }

    /// The size of the outgoing buffer, in bytes; advice to the system.
    pub fn out_buffer_size(&mut self, buffer: u32) -> &mut Self {
        self.0.out_buffer_size = buffer;
        self
    }

    /// The size of the incoming buffer, in bytes; advice to the system.
    pub fn in_buffer_size(&mut self, buffer: u32) -> &mut Self {
        self.0.in_buffer_size = buffer;
        self
    }

    /// Makes the pipe, or another instance of it, by a name of the form `\\.\pipe\NAME`.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// Those of the system, and of kind [`InvalidInput`](io::ErrorKind::InvalidInput) for a name with a null
    /// character in it.
    #[track_caller]
    pub fn create(&self, addr: impl AsRef<OsStr>) -> io::Result<NamedPipeServer> {
        // SAFETY: null is allowed.
        unsafe { self.create_with_security_attributes_raw(addr, ptr::null_mut()) }
    }

    /// As [`create`](ServerOptions::create), with security attributes.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// As for [`create`](ServerOptions::create).
    ///
    /// # Safety
    /// `attrs` must be null or point to a valid `SECURITY_ATTRIBUTES`.
    #[track_caller]
    pub unsafe fn create_with_security_attributes_raw(
        &self,
        addr: impl AsRef<OsStr>,
        attrs: *mut c_void,
    ) -> io::Result<NamedPipeServer> {
        super::ends::let_go_of_dropped();
        // SAFETY: passed on to the caller.
        NamedPipeServer::from_owned(unsafe { self.0.create(addr.as_ref(), attrs) }?)
    }
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions::new()
    }
}

/// How to open a client's end of a pipe.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::io::{AsyncReadExt, AsyncWriteExt};
/// use yamanote::net::windows::named_pipe::{ClientOptions, ServerOptions};
///
/// let name = r"\\.\pipe\yamanote-client-options";
/// let mut server = ServerOptions::new().create(name)?;
/// let mut client = ClientOptions::new().open(name)?;
/// server.connect().await?;
///
/// server.write_all(b"hello").await?;
/// let mut buf = [0; 5];
/// client.read_exact(&mut buf).await?;
/// assert_eq!(&buf, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientOptions(sys::Client);

impl ClientOptions {
    /// To read and write bytes; the server may learn who the client is, and no more.
    pub fn new() -> ClientOptions {
        ClientOptions(sys::Client { read: true, write: true, qos: sys::IDENTIFICATION, messages: false })
    }

    /// Whether the client reads. On by default.
    pub fn read(&mut self, allowed: bool) -> &mut Self {
        self.0.read = allowed;
        self
    }

    /// Whether the client writes. On by default.
    pub fn write(&mut self, allowed: bool) -> &mut Self {
        self.0.write = allowed;
        self
    }

    /// What the server may do in the client's name, `SECURITY_IDENTIFICATION` by default. `SECURITY_SQOS_PRESENT` is
    /// always set.
    ///
    /// More than the default is for servers that are trusted: a program with privileges lends them to who made the pipe.
    pub fn security_qos_flags(&mut self, flags: u32) -> &mut Self {
        self.0.qos = flags;
        self
    }

    /// How the client reads. [`PipeMode::Byte`] by default.
    pub fn pipe_mode(&mut self, pipe_mode: PipeMode) -> &mut Self {
        self.0.messages = pipe_mode == PipeMode::Message;
        self
    }

    /// Opens the pipe by its name.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// Those of the system. Two are to be expected: [`NotFound`](io::ErrorKind::NotFound) when there is no such pipe, and
    /// `ERROR_PIPE_BUSY` when all its instances have a client; try again a little later.
    #[track_caller]
    pub fn open(&self, addr: impl AsRef<OsStr>) -> io::Result<NamedPipeClient> {
        // SAFETY: null is allowed.
        unsafe { self.open_with_security_attributes_raw(addr, ptr::null_mut()) }
    }

    /// As [`open`](ClientOptions::open), with security attributes.
    ///
    /// # Panics
    /// Outside a runtime, or on one without I/O.
    ///
    /// # Errors
    /// As for [`open`](ClientOptions::open).
    ///
    /// # Safety
    /// `attrs` must be null or point to a valid `SECURITY_ATTRIBUTES`.
    #[track_caller]
    pub unsafe fn open_with_security_attributes_raw(
        &self,
        addr: impl AsRef<OsStr>,
        attrs: *mut c_void,
    ) -> io::Result<NamedPipeClient> {
        // SAFETY: passed on to the caller.
        NamedPipeClient::from_owned(unsafe { self.0.open(addr.as_ref(), attrs) }?)
    }
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions::new()
    }
}
