//! `bench -- peers`: the same servers on yamanote and on what its users could pick instead, under one load.
//!
//! *Where they run.* With one thread the server has processor 0 and the load processor 1, where it never sleeps: no time
//! of the server's goes into waking it. With two threads the server has both, and the load shares them with it and
//! sleeps when nothing comes; then requests per second and latencies depend on the load too, and what compares is
//! processor time per request. On a machine with more processors the load has those that the server has not.
//!
//! *What is compared.* Each run is a server process of its own; within a round all peers of a table follow each other, and
//! each round begins with another one. Shown are the medians of the rounds.

mod load;
mod server;
mod table;

use std::time::Duration;

use crate::words::Words;
use load::{Load, Measured, Pace};
use server::{Peer, Server};

pub const HELP: &str = "\
usage: cargo run --release -p bench -- peers [OPTIONS]

Runs echo (64 bytes) and HTTP/1.1 servers on several runtimes and on plain loops under one load; prints requests per
second, latencies and the server's processor time per request. Linux.

  --only LIST         of yamanote, tokio, smol, monoio, glommio, compio, epoll, uring (default: these), yamanote-busy (with
                      Builder::busy_poll)
  --kinds LIST        of echo, http (a hand-written responder, the same for all), hyper (where it runs) (default: all)
  --workers LIST      threads of the server: 0 (current_thread), 1, 2 (default: all)
  --connections LIST  (default 1,50,500)
  --rate N            requests per second of the runs at a fixed rate; 0: none (default 20000; not with 1 connection,
                      nor with hyper)
  --seconds N         of a run, after a quarter of that to warm up (default 0.35)
  --rounds N          (default 3)
  --busy-poll N       microseconds, for yamanote-busy (default 20)
  --out DIR           also write peers.md and peers.svg there";

const NAMES: [&str; 9] =
    ["yamanote", "tokio", "smol", "monoio", "glommio", "compio", "epoll", "uring", "yamanote-busy"];

/// Those that run unless told otherwise: an option of the builder is no peer.
const USUAL: usize = 8;

/// The runtimes that have a single-threaded flavour besides one with a number of threads.
const TWO_FLAVOURS: [&str; 3] = ["yamanote", "tokio", "yamanote-busy"];

/// Those with a server that runs hyper.
const WITH_HYPER: [&str; 3] = TWO_FLAVOURS;

/// What a table compares.
#[derive(Clone, Debug, PartialEq)]
struct Scene {
    kind: String,
    connections: usize,
    pace: Pace,
    /// Threads, of which `current_thread` is one.
    threads: usize,
}

/// A peer's line in a table.
struct Line {
    name: String,
    rounds: Vec<Measured>,
}

struct Processors {
    server: Vec<usize>,
    load: Vec<usize>,
}

impl Processors {
    fn apart(&self) -> bool {
        self.server.iter().all(|cpu| !self.load.contains(cpu))
    }

    /// For a server of so many threads, where the machine has `all`.
    fn of(threads: usize, all: usize) -> Processors {
        let server: Vec<usize> = (0..threads.min(all)).collect();
        // The load is one thread.
        let load = if server.len() < all { vec![server.len()] } else { server.clone() };
        Processors { server, load }
    }
}

pub fn run(mut words: Words) -> Result<(), String> {
    let or = |list: Option<Vec<String>>, all: &[&str], option: &str| {
        let list = list.unwrap_or_else(|| all.iter().map(|&word| word.to_owned()).collect());
        match list.iter().find(|word| !all.contains(&word.as_str())) {
            Some(word) => Err(format!("{option}: {word} is none of {}", all.join(", "))),
            None => Ok(list),
        }
    };
    let usual = || NAMES[..USUAL].iter().map(|&name| name.to_owned()).collect();
    let only = or(Some(words.list("--only")?.unwrap_or_else(usual)), &NAMES, "--only")?;
    let kinds = or(words.list("--kinds")?, &["echo", "http", "hyper"], "--kinds")?;
    let workers: Vec<usize> = words.list("--workers")?.unwrap_or_else(|| vec![0, 1, 2]);
    let connections = words.list("--connections")?.unwrap_or_else(|| vec![1, 50, 500]);
    let rate: f64 = words.value("--rate")?.unwrap_or(20_000.0);
    let seconds: f64 = words.value("--seconds")?.unwrap_or(0.35);
    let rounds: usize = words.value("--rounds")?.unwrap_or(3);
    let busy_poll_us: u64 = words.value("--busy-poll")?.unwrap_or(20);
    let out: Option<std::path::PathBuf> = words.value("--out")?;
    if let Some(word) = words.rest()?.first() {
        return Err(format!("unexpected: {word}\n\n{HELP}"));
    }
    if rounds == 0 || seconds <= 0.0 || rate < 0.0 || connections.contains(&0) {
        return Err("--rounds, --seconds and --connections must be above 0, --rate not below".to_owned());
    }

    // Asked before a thread is kept on one of them, after which it would be the answer.
    let all = std::thread::available_parallelism().map_err(|error| error.to_string())?.get();
    if all < 2 {
        return Err("needs two processors".to_owned());
    }

    let mut peers = Vec::new();
    for name in NAMES.into_iter().filter(|name| only.iter().any(|word| word == name)) {
        match Peer::build(name, busy_poll_us) {
            Ok(peer) => peers.push(peer),
            Err(error) => println!("left out: {name}: {error}"),
        }
    }
    let time = Duration::from_secs_f64(seconds);
    let mut tables = Vec::new();
    for scene in scenes(&kinds, &connections, rate, &workers) {
        let processors = Processors::of(scene.threads, all);
        let lines = compare(&scene, &peers, &workers, rounds, time, &processors)?;
        if lines.is_empty() {
            continue;
        }
        print!("{}", table::text(&scene, &lines, processors.apart()));
        tables.push((scene, lines));
    }
    if let Some(folder) = out {
        table::write(&folder, &tables, rounds, seconds)?;
    }
    Ok(())
}

fn scenes(kinds: &[String], connections: &[usize], rate: f64, workers: &[usize]) -> Vec<Scene> {
    let mut threads: Vec<usize> = workers.iter().map(|&n| n.max(1)).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut scenes = Vec::new();
    for kind in kinds {
        for &threads in &threads {
            for &connections in connections {
                let mut paces = vec![Pace::Saturated];
                if rate > 0.0 && connections > 1 && kind != "hyper" {
                    paces.push(Pace::Rate(rate));
                }
                scenes.extend(paces.into_iter().map(|pace| Scene {
                    kind: kind.clone(),
                    connections,
                    pace,
                    threads,
                }));
            }
        }
    }
    scenes
}

/// All rounds of a scene.
fn compare(
    scene: &Scene,
    peers: &[Peer],
    workers: &[usize],
    rounds: usize,
    time: Duration,
    processors: &Processors,
) -> Result<Vec<Line>, String> {
    let mut contenders = Vec::new();
    for peer in peers {
        if scene.kind == "hyper" && !WITH_HYPER.contains(&peer.name) {
            continue;
        }
        if !TWO_FLAVOURS.contains(&peer.name) {
            contenders.push((peer, scene.threads, peer.name.to_owned()));
            continue;
        }
        for &workers in workers.iter().filter(|&&workers| workers.max(1) == scene.threads) {
            let flavour = if workers == 0 { "ct".to_owned() } else { format!("mt{workers}") };
            contenders.push((peer, workers, format!("{} {flavour}", peer.name)));
        }
    }
    let line = |(_, _, name): &(_, _, String)| Line { name: name.clone(), rounds: Vec::new() };
    let mut lines: Vec<Line> = contenders.iter().map(line).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let (peer, workers, name) = &contenders[index];
            match once(scene, peer, *workers, time, processors) {
                Ok(measured) => lines[index].rounds.push(measured),
                Err(error) => eprintln!("{name}, {}: {error}", scene.title()),
            }
        }
    }
    lines.retain(|line| !line.rounds.is_empty());
    Ok(lines)
}

fn once(
    scene: &Scene,
    peer: &Peer,
    workers: usize,
    time: Duration,
    processors: &Processors,
) -> Result<Measured, String> {
    let server = Server::start(peer, &scene.kind, workers, &processors.server)?;
    server::pin(&processors.load)?;
    load::run(
        &Load {
            ports: &server.ports,
            http: scene.kind != "echo",
            connections: scene.connections,
            pace: scene.pace,
            warm_up: time / 4,
            time,
            spins: processors.apart(),
        },
        || server.cpu(),
    )
}

impl Scene {
    fn title(&self) -> String {
        let pace = match self.pace {
            Pace::Saturated => "saturated".to_owned(),
            Pace::Rate(rate) => format!("{rate:.0} requests/s"),
        };
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        format!(
            "{}, {} connection{}, {pace}, {} thread{}",
            self.kind,
            self.connections,
            plural(self.connections),
            self.threads,
            plural(self.threads)
        )
    }
}
