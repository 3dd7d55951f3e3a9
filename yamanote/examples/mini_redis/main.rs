//! A small redis: `cargo run --example mini_redis [ADDRESS]`, then `redis-cli -p PORT`, or any redis client.
//!
//! - `frame`: the wire format, in both directions
//! - `store`: values that expire, and channels to publish on
//! - `session`: one connection, from its requests to its answers

mod frame;
mod session;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::io;
use std::sync::Arc;

use store::Store;
use yamanote::net::TcpListener;

const HELP: &str = "\
usage: mini_redis [ADDRESS]

Serves PING, ECHO, GET, SET (with EX, PX), DEL, INCR, PTTL, DBSIZE, PUBLISH, SUBSCRIBE and QUIT on ADDRESS (default
127.0.0.1:6379; port 0 takes a free one).";

#[yamanote::main]
async fn main() -> io::Result<()> {
    let address = support::words(HELP, 0, 1).pop().unwrap_or_else(|| "127.0.0.1:6379".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    let store = Arc::new(Store::default());
    yamanote::spawn(store::expire(store.clone()));
    loop {
        let (socket, peer) = listener.accept().await?;
        let store = store.clone();
        yamanote::spawn(async move {
            if let Err(error) = session::serve(socket, store).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}
