//! A chat server for `nc`, `telnet` or any program that sends lines: `cargo run --example chat [ADDRESS]`.
//!
//! Each connection is a task that waits for two things at once: a line from its own client, and what others say.
//! A `broadcast` channel carries the talk; whoever reads too slowly misses some of it, is told how much, and holds
//! nobody up.

mod support;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use yamanote::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::sync::broadcast::{self, error::RecvError};

const HELP: &str = "\
usage: chat [ADDRESS]

Serves a chat room on ADDRESS (default 127.0.0.1:7000). The first line of a client is its name, each further one
goes to all others; `/who` lists the names, `/quit` leaves.";

/// How many messages a slow client may be behind before it misses some.
const BACKLOG: usize = 256;

/// Bytes of a line; a longer one ends the connection.
const LONGEST_LINE: u64 = 4096;

/// One message and who it is from, who does not hear it again.
#[derive(Clone)]
struct Message {
    from: Arc<str>,
    text: Arc<str>,
}

struct Room {
    talk: broadcast::Sender<Message>,
    names: Mutex<BTreeSet<Arc<str>>>,
}

/// Somebody in the room; leaves it when dropped, however the connection ends.
struct Guest {
    name: Arc<str>,
    room: Arc<Room>,
}

impl Guest {
    /// `None` if somebody of that name is there.
    fn enter(room: &Arc<Room>, name: &str) -> Option<Guest> {
        let name: Arc<str> = name.into();
        if !room.names.lock().unwrap().insert(name.clone()) {
            return None;
        }
        let guest = Guest { name, room: room.clone() };
        guest.tell(format!("* {} is here", guest.name));
        Some(guest)
    }

    fn say(&self, text: &str) {
        self.tell(format!("{}: {text}", self.name));
    }

    fn tell(&self, text: String) {
        // An error only says that nobody listens.
        let _ = self.room.talk.send(Message { from: self.name.clone(), text: text.into() });
    }

    fn who(&self) -> String {
        let names = self.room.names.lock().unwrap();
        names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.room.names.lock().unwrap().remove(&self.name);
        self.tell(format!("* {} is gone", self.name));
    }
}

#[yamanote::main]
async fn main() -> io::Result<()> {
    let address = support::words(HELP, 0, 1).pop().unwrap_or_else(|| "127.0.0.1:7000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    let room =
        Arc::new(Room { talk: broadcast::channel(BACKLOG).0, names: Mutex::new(BTreeSet::new()) });
    loop {
        let (socket, peer) = listener.accept().await?;
        let room = room.clone();
        yamanote::spawn(async move {
            if let Err(error) = serve(socket, room).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn serve(mut socket: TcpStream, room: Arc<Room>) -> io::Result<()> {
    let (read, mut write) = socket.split();
    let mut read = BufReader::new(read);
    write.write_all(b"your name?\n").await?;
    let guest = loop {
        let Some(name) = line(&mut read).await? else { return Ok(()) };
        if name.is_empty() {
            write.write_all(b"* a name has letters\n").await?;
            continue;
        }
        match Guest::enter(&room, &name) {
            Some(guest) => break guest,
            None => write.write_all(b"* that name is taken\n").await?,
        }
    };
    let mut talk = room.talk.subscribe();
    write.write_all(format!("* here are: {}\n", guest.who()).as_bytes()).await?;

    // Reading a line is not cancel safe by itself, so the future lives across the turns of the loop and a new one
    // is made only when the last one has brought a line.
    let mut reading = Box::pin(next_line(read));
    loop {
        yamanote::select! {
            (read, line) = &mut reading => {
                match line?.as_deref() {
                    None | Some("/quit") => return Ok(()),
                    Some("/who") => {
                        write.write_all(format!("* here are: {}\n", guest.who()).as_bytes()).await?;
                    }
                    Some("") => {}
                    Some(text) => guest.say(text),
                }
                reading.set(next_line(read));
            }
            message = talk.recv() => match message {
                Ok(message) if message.from == guest.name => {}
                Ok(message) => write.write_all(format!("{}\n", message.text).as_bytes()).await?,
                Err(RecvError::Lagged(n)) => {
                    write.write_all(format!("* you missed {n} messages\n").as_bytes()).await?;
                }
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}

async fn next_line<R: AsyncBufRead + Unpin>(mut read: R) -> (R, io::Result<Option<String>>) {
    let line = line(&mut read).await;
    (read, line)
}

/// The next line without its end, or `None` at the end of the stream.
async fn line(read: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    read.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line too long"));
    }
    Ok(Some(String::from_utf8_lossy(&line).trim().to_owned()))
}
