//! A TCP proxy: `cargo run --example proxy LISTEN UPSTREAM` passes every connection on, in both directions at once.

mod support;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use yamanote::io::copy_bidirectional;
use yamanote::net::{TcpListener, TcpStream};
use yamanote::sync::Semaphore;
use yamanote::time::timeout;

const HELP: &str = "\
usage: proxy LISTEN UPSTREAM

Accepts connections on LISTEN (as 127.0.0.1:8080; port 0 takes a free one), opens one to UPSTREAM for each, and
copies in both directions until both have ended. Prints how much went each way.";

/// No more connections than this at a time; others wait in the system's queue.
const MOST: usize = 1024;

const PATIENCE: Duration = Duration::from_secs(10);

#[yamanote::main]
async fn main() -> io::Result<()> {
    let words = support::words(HELP, 2, 2);
    let upstream: Arc<str> = words[1].as_str().into();
    let listener = TcpListener::bind(&words[0]).await?;
    println!("listening on {}", listener.local_addr()?);
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Out of file descriptors, say: the connections that there are go on, and end some day.
            Err(error) => {
                eprintln!("accept: {error}");
                yamanote::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let upstream = upstream.clone();
        yamanote::spawn(async move {
            match pass_on(socket, &upstream).await {
                Ok((up, down)) => println!("{peer}: {up} bytes up, {down} bytes down"),
                Err(error) => eprintln!("{peer}: {error}"),
            }
            drop(place);
        });
    }
}

async fn pass_on(mut client: TcpStream, upstream: &str) -> io::Result<(u64, u64)> {
    let mut server = timeout(PATIENCE, TcpStream::connect(upstream)).await??;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await
}
