//! Connects, says hello, and prints the answer: `cargo run --example hello [ADDRESS]`.
//!
//! Without an address it talks to a server of its own, a task in the same process.

mod support;

use std::io;
use std::net::SocketAddr;

use yamanote::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use yamanote::net::{TcpListener, TcpStream};

const HELP: &str = "\
usage: hello [ADDRESS]

Connects to ADDRESS (as 127.0.0.1:7777), sends a line, and prints the line that comes back. Without ADDRESS it
starts an echo server to talk to.";

#[yamanote::main]
async fn main() -> io::Result<()> {
    let address = match support::words(HELP, 0, 1).pop() {
        Some(address) => address,
        None => start_server().await?.to_string(),
    };
    let mut socket = TcpStream::connect(&address).await?;
    socket.write_all(b"hello world\n").await?;
    let mut answer = String::new();
    if BufReader::new(&mut socket).read_line(&mut answer).await? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server said nothing"));
    }
    println!("the server at {address} says: {}", answer.trim_end());
    Ok(())
}

/// Serves one connection, then ends.
async fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    yamanote::spawn(async move {
        let (mut socket, _) = listener.accept().await?;
        let (mut read, mut write) = socket.split();
        yamanote::io::copy(&mut read, &mut write).await
    });
    Ok(address)
}
