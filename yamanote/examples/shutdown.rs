//! A server that ends in order: `cargo run --example shutdown [ADDRESS [SECONDS]]`, then Ctrl-C (or `kill`).
//!
//! Asked to stop it takes no new connection, tells the old ones, lets each finish the request it is at, and waits for
//! them, but not for ever. A second Ctrl-C ends it at once.

mod support;

use std::io;
use std::time::Duration;

use yamanote::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::sync::watch;
use yamanote::task::JoinSet;
use yamanote::time::{sleep, timeout};

const HELP: &str = "\
usage: shutdown [ADDRESS [SECONDS]]

Serves on ADDRESS (default 127.0.0.1:7002; port 0 takes a free one): each line is a number of milliseconds, answered
after that long. Ends in order on Ctrl-C or SIGTERM; whoever then takes longer than SECONDS (default 10) is cut off.";

#[yamanote::main]
async fn main() -> io::Result<()> {
    let mut words = support::words(HELP, 0, 2).into_iter();
    let address = words.next().unwrap_or_else(|| "127.0.0.1:7002".to_owned());
    let seconds = words.next().unwrap_or_else(|| "10".to_owned()).parse().map_err(io::Error::other)?;
    let patience = Duration::from_secs(seconds);
    // Before the address is printed: whoever reads it may send a signal at once.
    let mut stop = std::pin::pin!(stop_signal()?);
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);

    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        yamanote::select! {
            accepted = listener.accept() => {
                let (socket, _) = accepted?;
                let stopped = stopped.clone();
                connections.spawn(async move {
                    // A client that breaks off ends its own connection only.
                    serve(socket, stopped).await.unwrap_or(0)
                });
            }
            // Those that have ended are taken out as they do, so that the set does not grow.
            Some(_) = connections.join_next() => {}
            () = &mut stop => break,
        }
    }

    drop(listener);
    println!("stopping, {} connections open", connections.len());
    stopping.send_replace(true);
    let draining = async {
        let mut answers = 0;
        while let Some(result) = connections.join_next().await {
            answers += result.unwrap_or(0);
        }
        answers
    };
    yamanote::select! {
        drained = timeout(patience, draining) => match drained {
            Ok(answers) => println!("stopped, the last connections had {answers} answers"),
            Err(_) => println!("stopped, some were cut off"),
        },
        _ = yamanote::signal::ctrl_c() => println!("stopped at once"),
    }
    Ok(())
}

/// Answers line by line; returns how many it has answered.
async fn serve(mut socket: TcpStream, mut stopped: watch::Receiver<bool>) -> io::Result<usize> {
    let (read, mut write) = socket.split();
    let mut lines = BufReader::new(read).lines();
    let mut answers = 0;
    loop {
        // Only waiting for a request is given up, not answering one: `next_line` loses nothing when it is dropped.
        let line = yamanote::select! {
            line = lines.next_line() => line?,
            _ = stopped.wait_for(|is_stopped| *is_stopped) => None,
        };
        let Some(line) = line else { break };
        match line.trim().parse() {
            Ok(ms) => {
                write.write_all(b"working\n").await?;
                sleep(Duration::from_millis(ms)).await;
                write.write_all(format!("that took {ms} ms\n").as_bytes()).await?;
                answers += 1;
            }
            Err(_) => write.write_all(b"not a number\n").await?,
        }
    }
    write.write_all(b"bye\n").await?;
    write.shutdown().await?;
    Ok(answers)
}

/// Completes when the process is asked to end. The handlers are in place when this returns.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use yamanote::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        yamanote::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = yamanote::signal::ctrl_c().await;
    })
}
