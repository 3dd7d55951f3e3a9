//! Named pipes.
//!
//! A [server](NamedPipeServer) is one instance of a pipe, for one client at a time: made by [`ServerOptions::create`], it waits
//! for a client by [`NamedPipeServer::connect`]. For the next client there has to be another instance, made before the
//! first is given away, lest a client come while there is none. [Clients](NamedPipeClient) are made by
//! [`ClientOptions::open`].

#[cfg(feature = "io-util")]
mod buf;
mod ends;
mod options;

pub use ends::{NamedPipeClient, NamedPipeServer};
pub use options::{ClientOptions, ServerOptions};

/// How a pipe keeps what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PipeMode {
    /// A stream of bytes: where one write ended and the next began is lost.
    Byte,
    /// A sequence of messages, one for each write. A read that has no room for all of one fails with
    /// `ERROR_MORE_DATA`.
    Message,
}

/// An end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PipeEnd {
    /// That of the client.
    Client,
    /// That of the server.
    Server,
}

/// What is known of a pipe: [`NamedPipeServer::info`], [`NamedPipeClient::info`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipeInfo {
    /// Which end this is.
    pub end: PipeEnd,
    /// How it keeps what is written.
    pub mode: PipeMode,
    /// The size of the incoming buffer, in bytes.
    pub in_buffer_size: u32,
    /// The size of the outgoing buffer, in bytes.
    pub out_buffer_size: u32,
    /// How many instances there may be at most; 255 is any number.
    pub max_instances: u32,
}
