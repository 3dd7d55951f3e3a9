//! Building the peers, and running one of them as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::build;

/// A peer that compiled.
pub struct Peer {
    pub name: &'static str,
    /// What its servers are told besides.
    extra: Vec<String>,
    executable: PathBuf,
}

impl Peer {
    /// Compiles the package of this name, or says why that fails.
    pub fn build(name: &'static str, busy_poll_us: u64) -> Result<Peer, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let (package, extra) = match name.strip_suffix("-busy") {
            Some(name) => (name, vec![busy_poll_us.to_string()]),
            None => (name, Vec::new()),
        };
        let package = format!("peer-{package}");
        let executable = build::executables(&folder, &[&package])?.remove(0);
        Ok(Peer { name, extra, executable })
    }
}

/// A server that runs; dropping it ends it.
pub struct Server {
    child: Child,
    pub ports: Vec<u16>,
}

impl Server {
    /// Starts `peer` on these processors.
    pub fn start(peer: &Peer, kind: &str, workers: usize, cpus: &[usize]) -> Result<Server, String> {
        let cpus = cpu_set(cpus);
        let mut command = Command::new(&peer.executable);
        command
            .args([kind, &workers.to_string()])
            .args(&peer.extra)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        // SAFETY: the closure makes two system calls and touches nothing but its own copy of the set.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                set_affinity(&cpus)
            });
        }
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        let mut server = Server { child, ports: Vec::new() };
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        let mut words = line.split_whitespace();
        if words.next() != Some("ports") {
            return Err("it did not start".to_owned());
        }
        for word in words {
            server.ports.push(word.parse().map_err(|_| format!("not a port: {word}"))?);
        }
        Ok(server)
    }

    /// What it has used of processors since it started.
    pub fn cpu(&self) -> Result<Duration, String> {
        let mut clock = 0;
        // SAFETY: the pointer is to a live clock id.
        let error = unsafe { libc::clock_getcpuclockid(self.child.id() as libc::pid_t, &mut clock) };
        if error != 0 {
            return Err(std::io::Error::from_raw_os_error(error).to_string());
        }
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live time.
        if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
            return Err(std::io::Error::last_os_error().to_string());
        }
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps this thread on these processors.
pub fn pin(cpus: &[usize]) -> Result<(), String> {
    set_affinity(&cpu_set(cpus)).map_err(|error| format!("processors {cpus:?}: {error}"))
}

fn cpu_set(cpus: &[usize]) -> libc::cpu_set_t {
    // SAFETY: a set is bits, for which all zeroes is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &cpu in cpus {
        // SAFETY: the set is live; a number beyond it is refused by an assertion of the slice inside.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    set
}

fn set_affinity(set: &libc::cpu_set_t) -> std::io::Result<()> {
    // SAFETY: the pointer is to a live set of that size.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
