//! One connection: reads requests, answers them in order, and changes over to messages once it has subscribed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use yamanote::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use yamanote::net::TcpStream;
use yamanote::sync::broadcast::error::RecvError;
use yamanote::sync::mpsc;
use yamanote::task::JoinSet;

use crate::frame::{Answer, read_request, write_answer};
use crate::store::{Bytes, Store};

/// Messages on their way to one subscriber.
const QUEUE: usize = 64;

enum Step {
    Answer(Answer),
    Subscribe(Vec<Bytes>),
    Quit,
}

pub async fn serve(mut socket: TcpStream, store: Arc<Store>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (read, write) = socket.split();
    let (mut read, mut write) = (BufReader::new(read), BufWriter::new(write));
    loop {
        // Answers to requests that came together go out together.
        if read.buffer().is_empty() {
            write.flush().await?;
        }
        let Some(words) = read_request(&mut read).await? else { return write.flush().await };
        match step(words, &store) {
            Step::Answer(answer) => write_answer(&mut write, &answer).await?,
            Step::Subscribe(channels) => return listen(read, write, channels, &store).await,
            Step::Quit => {
                write_answer(&mut write, &Answer::Simple("OK")).await?;
                return write.flush().await;
            }
        }
    }
}

fn step(mut words: Vec<Bytes>, store: &Store) -> Step {
    if words.is_empty() {
        return Step::Answer(Answer::Error("a request without a word".to_owned()));
    }
    let name = String::from_utf8_lossy(&words.remove(0)).to_ascii_uppercase();
    let number = |n: usize| Answer::Number(i64::try_from(n).unwrap_or(i64::MAX));
    let bytes = |found: Option<Bytes>| found.map_or(Answer::Nothing, Answer::Bytes);
    let answer = match (name.as_str(), &mut words[..]) {
        ("PING", []) => Answer::Simple("PONG"),
        ("PING" | "ECHO", [text]) => Answer::Bytes(std::mem::take(text)),
        ("GET", [key]) => bytes(store.get(key)),
        ("SET", [key, value, options @ ..]) => match expiry(options) {
            Ok(expires_in) => {
                store.set(std::mem::take(key), std::mem::take(value), expires_in);
                Answer::Simple("OK")
            }
            Err(error) => Answer::Error(error),
        },
        ("DEL", [_, ..]) => number(words.iter().filter(|key| store.remove(key)).count()),
        ("INCR", [key]) => match store.increment(std::mem::take(key)) {
            Some(number) => Answer::Number(number),
            None => Answer::Error("value is not an integer or out of range".to_owned()),
        },
        ("PTTL", [key]) => Answer::Number(store.milliseconds_left(key)),
        ("DBSIZE", []) => number(store.len()),
        ("PUBLISH", [channel, message]) => number(store.publish(channel, std::mem::take(message))),
        ("SUBSCRIBE", [_, ..]) => return Step::Subscribe(words),
        ("QUIT", []) => return Step::Quit,
        (
            "GET" | "SET" | "DEL" | "INCR" | "PTTL" | "DBSIZE" | "PUBLISH" | "SUBSCRIBE" | "PING"
            | "ECHO",
            _,
        ) => Answer::Error(format!("wrong number of arguments for '{}'", name.to_lowercase())),
        _ => Answer::Error(format!("unknown command '{name}'")),
    };
    Step::Answer(answer)
}

fn expiry(options: &[Bytes]) -> Result<Option<Duration>, String> {
    let [unit, amount] = options else {
        return if options.is_empty() { Ok(None) } else { Err("syntax error".to_owned()) };
    };
    let amount = std::str::from_utf8(amount).ok().and_then(|text| text.parse::<u64>().ok());
    let amount = amount.filter(|n| *n > 0).ok_or("value is not an integer or out of range")?;
    match unit.to_ascii_uppercase().as_slice() {
        b"EX" => Ok(Some(Duration::from_secs(amount))),
        b"PX" => Ok(Some(Duration::from_millis(amount))),
        _ => Err("syntax error".to_owned()),
    }
}

/// From here on the connection is for messages, until the client goes away or quits.
async fn listen(
    mut read: impl AsyncBufRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    channels: Vec<Bytes>,
    store: &Store,
) -> io::Result<()> {
    let (send, mut messages) = mpsc::channel(QUEUE);
    // One task a channel; all end when this set is dropped.
    let mut forwarders = JoinSet::new();
    let mut count = 0;
    let mut subscribe = |channel: Bytes, forwarders: &mut JoinSet<()>| {
        count += 1;
        forwarders.spawn(forward(channel.clone(), store.subscribe(&channel), send.clone()));
        let kind = Answer::Bytes(b"subscribe".to_vec());
        Answer::List(vec![kind, Answer::Bytes(channel), Answer::Number(count)])
    };
    for channel in channels {
        write_answer(&mut write, &subscribe(channel, &mut forwarders)).await?;
    }
    loop {
        write.flush().await?;
        // `fill_buf` loses nothing when another branch wins; a whole request is read only once it has begun.
        let next = yamanote::select! {
            message = messages.recv() => message,
            buffer = yamanote::io::AsyncBufReadExt::fill_buf(&mut read) => {
                buffer?;
                None
            }
        };
        match next {
            Some(message) => write_answer(&mut write, &message).await?,
            None => match read_request(&mut read).await? {
                None => return Ok(()),
                Some(mut words) => {
                    let name = if words.is_empty() { Vec::new() } else { words.remove(0) };
                    match (name.to_ascii_uppercase().as_slice(), &words[..]) {
                        (b"SUBSCRIBE", [_, ..]) => {
                            for channel in words {
                                write_answer(&mut write, &subscribe(channel, &mut forwarders)).await?;
                            }
                        }
                        (b"PING", []) => write_answer(&mut write, &Answer::Simple("PONG")).await?,
                        (b"QUIT", []) => {
                            write_answer(&mut write, &Answer::Simple("OK")).await?;
                            return write.flush().await;
                        }
                        _ => {
                            let text = "only SUBSCRIBE, PING and QUIT once subscribed".to_owned();
                            write_answer(&mut write, &Answer::Error(text)).await?;
                        }
                    }
                }
            },
        }
    }
}

async fn forward(
    channel: Bytes,
    mut receive: yamanote::sync::broadcast::Receiver<Bytes>,
    send: mpsc::Sender<Answer>,
) {
    loop {
        let message = match receive.recv().await {
            Ok(message) => message,
            // Too slow: it misses those.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let kind = Answer::Bytes(b"message".to_vec());
        let list = Answer::List(vec![kind, Answer::Bytes(channel.clone()), Answer::Bytes(message)]);
        if send.send(list).await.is_err() {
            return;
        }
    }
}
