//! What the servers under comparison have in common: how they are called, and what they answer.
//!
//! A server is called `SERVER KIND WORKERS [BUSY_POLL_MICROSECONDS]` and prints `ports P…`, one for each of its accept loops: a runtime that
//! spreads connections itself has one, a loop per thread has one a thread, over which the load spreads its connections
//! evenly. It runs until it is killed.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

/// The largest message that is read at once.
pub const BUFFER: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sends back what comes.
    Echo,
    /// Answers HTTP/1.1 requests with [`Responder`].
    Http,
    /// Answers HTTP/1.1 requests with hyper.
    Hyper,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub kind: Kind,
    /// Threads that serve; 0 is the runtime's single-threaded flavour, where that is another one than one thread.
    pub workers: usize,
    /// How long to ask for events before waiting for them, where the runtime can be told.
    pub busy_poll: Option<Duration>,
}

impl Options {
    /// From the command line; ends the process where it cannot be read.
    pub fn from_arguments() -> Options {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let read = || {
            let (kind, workers, busy_poll) = match &words[..] {
                [kind, workers] => (kind, workers, None),
                [kind, workers, micros] => {
                    (kind, workers, Some(Duration::from_micros(micros.parse().ok()?)))
                }
                _ => return None,
            };
            let kind = match kind.as_str() {
                "echo" => Kind::Echo,
                "http" => Kind::Http,
                "hyper" => Kind::Hyper,
                _ => return None,
            };
            Some(Options { kind, workers: workers.parse().ok()?, busy_poll })
        };
        read().unwrap_or_else(|| {
            eprintln!("usage: SERVER echo|http|hyper WORKERS [BUSY_POLL_MICROSECONDS]");
            std::process::exit(2);
        })
    }

    pub fn threads(self) -> usize {
        self.workers.max(1)
    }

    /// For servers that have only the two kinds of their own.
    pub fn without_hyper(self) -> Options {
        if self.kind == Kind::Hyper {
            eprintln!("this server does not run hyper");
            std::process::exit(2);
        }
        self
    }
}

/// `count` listeners on free ports, which are announced.
pub fn listen(count: usize) -> Vec<TcpListener> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port")).collect();
    let mut line = "ports".to_owned();
    for listener in &listeners {
        line += &format!(" {}", listener.local_addr().expect("it is bound").port());
    }
    println!("{line}");
    std::io::stdout().flush().expect("somebody reads");
    listeners
}

/// Runs `serve` for each listener on a thread of its own, the last one on this.
pub fn thread_per_listener(
    listeners: Vec<TcpListener>,
    serve: impl Fn(TcpListener) + Copy + Send + 'static,
) {
    let mut listeners = listeners.into_iter();
    let last = listeners.next_back();
    for listener in listeners {
        std::thread::spawn(move || serve(listener));
    }
    if let Some(listener) = last {
        serve(listener);
    }
}

pub const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, world!";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const BAD: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// A head that is longer than this is refused.
const LONGEST_HEAD: usize = 8 * 1024;

/// One connection's side of the protocol: an echo, or as little of HTTP/1.1 as answers a GET, the same for all peers.
#[derive(Debug)]
pub struct Responder {
    kind: Kind,
    /// The beginning of a request whose rest did not come yet.
    begun: Vec<u8>,
}

impl Responder {
    pub fn new(kind: Kind) -> Responder {
        Responder { kind, begun: Vec::new() }
    }

    /// Takes what was read, and appends to `out` what is to be sent. `false`: nothing more is to be read.
    pub fn answer(&mut self, input: &[u8], out: &mut Vec<u8>) -> bool {
        if self.kind == Kind::Echo {
            out.extend_from_slice(input);
            return true;
        }
        if self.begun.is_empty() {
            let (used, open) = requests(input, out);
            self.begun.extend_from_slice(&input[used..]);
            return open;
        }
        self.begun.extend_from_slice(input);
        let (used, open) = requests(&self.begun, out);
        self.begun.drain(..used);
        open
    }
}

/// Answers all requests that are complete; tells how many bytes they have and whether more may follow.
fn requests(input: &[u8], out: &mut Vec<u8>) -> (usize, bool) {
    let mut used = 0;
    while let Some(length) = input[used..].windows(4).position(|w| w == b"\r\n\r\n") {
        let head = &input[used..used + length];
        used += length + 4;
        let Ok(head) = std::str::from_utf8(head) else {
            out.extend_from_slice(BAD);
            return (used, false);
        };
        let mut lines = head.split("\r\n");
        let mut line = lines.next().unwrap_or_default().split(' ');
        match (line.next(), line.next(), line.next()) {
            (Some("GET"), Some("/"), Some("HTTP/1.1")) => out.extend_from_slice(RESPONSE),
            (Some("GET"), Some(_), Some("HTTP/1.1")) => out.extend_from_slice(NOT_FOUND),
            _ => {
                out.extend_from_slice(BAD);
                return (used, false);
            }
        }
        let closes = |line: &str| {
            let Some((name, value)) = line.split_once(':') else { return false };
            name.eq_ignore_ascii_case("connection") && value.trim().eq_ignore_ascii_case("close")
        };
        if lines.any(closes) {
            return (used, false);
        }
    }
    if input.len() - used > LONGEST_HEAD {
        out.extend_from_slice(BAD);
        return (input.len(), false);
    }
    (used, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_pieces_and_in_a_row() {
        let mut responder = Responder::new(Kind::Http);
        let mut out = Vec::new();
        assert!(responder.answer(b"GET / HT", &mut out));
        assert!(out.is_empty());
        assert!(responder.answer(b"TP/1.1\r\nhost: x\r\n\r\nGET /else HTTP/1.1\r\n\r\nG", &mut out));
        assert_eq!(out, [RESPONSE, NOT_FOUND].concat());
        out.clear();
        assert!(!responder.answer(b"ET / HTTP/1.1\r\nConnection: close\r\n\r\n", &mut out));
        assert_eq!(out, RESPONSE);
        out.clear();
        assert!(!Responder::new(Kind::Http).answer(b"SSH-2.0\r\n\r\n", &mut out));
        assert_eq!(out, BAD);
    }

    #[test]
    fn an_endless_head_is_refused() {
        let mut out = Vec::new();
        assert!(!Responder::new(Kind::Http).answer(&[b'a'; LONGEST_HEAD + 1], &mut out));
        assert_eq!(out, BAD);
    }
}
