//! Sends every datagram back to where it came from: `cargo run --example udp_echo [ADDRESS]`.

mod support;

use std::io;

use yamanote::net::UdpSocket;

const HELP: &str = "\
usage: udp_echo [ADDRESS]

Receives datagrams on ADDRESS (default 127.0.0.1:7001; port 0 takes a free one) and sends each one back.";

/// No datagram is larger.
const LARGEST: usize = 65_535;

#[yamanote::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let address = support::words(HELP, 0, 1).pop().unwrap_or_else(|| "127.0.0.1:7001".to_owned());
    let socket = UdpSocket::bind(&address).await?;
    println!("listening on {}", socket.local_addr()?);
    let mut buffer = vec![0; LARGEST];
    loop {
        let (length, peer) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // An answer to somebody who has gone away comes back as this; it concerns nobody else.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = socket.send_to(&buffer[..length], peer).await {
            eprintln!("{peer}: {error}");
        }
    }
}
