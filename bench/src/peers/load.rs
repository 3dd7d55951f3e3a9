//! The load: a plain loop over epoll that sends requests on many connections and times the answers.
//!
//! *Saturated* is a closed loop: each connection has one request on its way, always. *At a rate* the requests fall due at
//! equal distances whatever the server does, go to the connection that has rested longest, and are timed from when
//! they were due, so that a server that stalls is charged for all that it delays.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use crate::stats::quantile;

/// What an answer takes at most, and the making of a connection.
const PATIENCE: Duration = Duration::from_secs(5);

const MESSAGE: [u8; 64] = [b'm'; 64];
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\naccept: */*\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    Saturated,
    /// Requests a second, over all connections.
    Rate(f64),
}

pub struct Load<'a> {
    /// Of the server; connections are spread evenly over them.
    pub ports: &'a [u16],
    pub http: bool,
    pub connections: usize,
    pub pace: Pace,
    pub warm_up: Duration,
    pub time: Duration,
    /// Whether to look for answers without ever sleeping: only where the processor is the load's alone.
    pub spins: bool,
}

/// Of one run; times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub requests_per_second: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    /// What the server used, user and system, for each request.
    pub cpu: f64,
}

struct Connection {
    socket: TcpStream,
    /// Bytes of the answer that have come.
    got: usize,
    /// When the request was sent, or due; `None` while it rests.
    since: Option<Instant>,
}

/// Loads the server. `cpu` tells what it has used so far.
pub fn run(load: &Load<'_>, cpu: impl Fn() -> Result<Duration, String>) -> Result<Measured, String> {
    let mut generator = Generator::new(load)?;
    let end = match load.pace {
        Pace::Saturated => {
            let now = Instant::now();
            for id in 0..generator.connections.len() {
                generator.send(id, now)?;
            }
            generator.phase(load.warm_up)?
        }
        Pace::Rate(_) => generator.phase(load.warm_up)?,
    };
    generator.latencies.clear();
    let used_before = cpu()?;
    let until = generator.phase(load.time)?;
    let used = cpu()? - used_before;
    let took = until - end;

    let mut latencies = std::mem::take(&mut generator.latencies);
    let requests = latencies.len();
    if requests == 0 {
        return Err("no answer came".to_owned());
    }
    latencies.sort_unstable();
    // Who still waits, and longer than nearly all others did, would have been left out just because it was starved.
    let tail = quantile(&latencies, 0.99);
    let waiting = generator.connections.iter().filter_map(|c| c.since).map(|s| nanos(until, s));
    latencies.extend(waiting.filter(|&age| age as f64 > tail));
    latencies.sort_unstable();
    Ok(Measured {
        requests_per_second: requests as f64 / took.as_secs_f64(),
        p50: quantile(&latencies, 0.5),
        p99: quantile(&latencies, 0.99),
        p999: quantile(&latencies, 0.999),
        cpu: used.as_nanos() as f64 / requests as f64,
    })
}

fn nanos(now: Instant, since: Instant) -> u64 {
    now.saturating_duration_since(since).as_nanos() as u64
}

struct Generator {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    request: &'static [u8],
    /// Bytes of an answer.
    answer: usize,
    http: bool,
    spins: bool,
    latencies: Vec<u64>,
    /// At a rate: the distance between requests, when the next one is due, and who can send it.
    distance: Option<Duration>,
    due: Instant,
    resting: VecDeque<usize>,
}

impl Generator {
    fn new(load: &Load<'_>) -> Result<Generator, String> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(std::io::Error::last_os_error().to_string());
        }
        // SAFETY: the descriptor is new and nobody else's.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        let request = if load.http { GET } else { &MESSAGE };
        let mut answer = MESSAGE.len();
        let mut connections = Vec::with_capacity(load.connections);
        for id in 0..load.connections {
            let connect = || {
                let mut socket =
                    TcpStream::connect((Ipv4Addr::LOCALHOST, load.ports[id % load.ports.len()]))?;
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(PATIENCE))?;
                // One exchange, so that the server has accepted it before the next one comes: no queue overflows.
                socket.write_all(request)?;
                let length = if load.http { whole_answer(&mut socket)? } else { MESSAGE.len() };
                if !load.http {
                    socket.read_exact(&mut [0; MESSAGE.len()])?;
                }
                socket.set_nonblocking(true)?;
                Ok::<_, std::io::Error>((socket, length))
            };
            let (socket, length) = connect().map_err(|error| format!("connection {id}: {error}"))?;
            answer = length;
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: id as u64 };
            // SAFETY: the pointer is to a live event.
            let result = unsafe {
                libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &mut event)
            };
            if result < 0 {
                return Err(std::io::Error::last_os_error().to_string());
            }
            connections.push(Connection { socket, got: 0, since: None });
        }
        let distance = match load.pace {
            Pace::Saturated => None,
            Pace::Rate(rate) => Some(Duration::from_secs_f64(1.0 / rate)),
        };
        Ok(Generator {
            epoll,
            resting: (0..connections.len()).collect(),
            connections,
            request,
            answer,
            http: load.http,
            spins: load.spins,
            latencies: Vec::new(),
            distance,
            due: Instant::now(),
        })
    }

    fn send(&mut self, id: usize, since: Instant) -> Result<(), String> {
        let connection = &mut self.connections[id];
        connection.since = Some(since);
        connection.got = 0;
        // So little fits always where the answer before it has been read.
        match connection.socket.write(self.request) {
            Ok(n) if n == self.request.len() => Ok(()),
            Ok(n) => Err(format!("{n} bytes of a request were taken")),
            Err(error) => Err(format!("a request: {error}")),
        }
    }

    /// Goes on for this long; tells when it ended.
    fn phase(&mut self, time: Duration) -> Result<Instant, String> {
        let begin = Instant::now();
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 512];
        loop {
            let mut now = Instant::now();
            if now - begin >= time {
                return Ok(now);
            }
            if let Some(distance) = self.distance {
                while self.due <= now {
                    let Some(id) = self.resting.pop_front() else { break };
                    self.send(id, self.due)?;
                    self.due += distance;
                    now = Instant::now();
                }
            }
            let wait = match self.distance {
                _ if self.spins => Duration::ZERO,
                Some(_) if !self.resting.is_empty() => self.due.saturating_duration_since(now),
                _ => Duration::from_millis(10),
            };
            let count = self.wait(&mut events, wait);
            for event in &events[..count] {
                self.answered(event.u64 as usize)?;
            }
        }
    }

    fn wait(&self, events: &mut [libc::epoll_event], wait: Duration) -> usize {
        let time = libc::timespec {
            tv_sec: wait.as_secs() as libc::time_t,
            tv_nsec: wait.subsec_nanos() as libc::c_long,
        };
        // SAFETY: the pointers are to a live slice of the length that is said, and to a live time.
        let count = unsafe {
            libc::epoll_pwait2(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                events.len() as i32,
                &time,
                std::ptr::null(),
            )
        };
        // Below zero: interrupted by a signal.
        count.max(0) as usize
    }

    fn answered(&mut self, id: usize) -> Result<(), String> {
        let connection = &mut self.connections[id];
        let mut buffer = [0; 4096];
        let read = match connection.socket.read(&mut buffer) {
            Ok(0) => return Err("the server closed a connection".to_owned()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(format!("an answer: {error}")),
        };
        if self.http && connection.got == 0 && !buffer.starts_with(b"HTTP/1.1 200") {
            return Err("an answer is no success".to_owned());
        }
        connection.got += read;
        let Some(since) = connection.since else {
            return Err("an answer that nobody asked for".to_owned());
        };
        match connection.got.cmp(&self.answer) {
            std::cmp::Ordering::Less => return Ok(()),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => return Err("an answer is too long".to_owned()),
        }
        let now = Instant::now();
        self.latencies.push(nanos(now, since));
        if self.distance.is_some() {
            connection.since = None;
            self.resting.push_back(id);
            return Ok(());
        }
        self.send(id, now)
    }
}

/// Reads an answer of unknown length; tells its length, which all that follow have.
fn whole_answer(socket: &mut TcpStream) -> std::io::Result<usize> {
    let mut answer = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        match socket.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&buffer[..read]),
        }
        let Some(head) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let body =
            text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let body: usize = body.ok_or(ErrorKind::InvalidData)?;
        if answer.len() >= head + 4 + body {
            return Ok(answer.len());
        }
    }
}
