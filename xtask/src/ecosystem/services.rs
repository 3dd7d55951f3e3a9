//! Servers from Debian for the programs to talk to: each on a free loopback port, with its data in a folder of its
//! own, both gone when [`Services`] is dropped.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell;

/// What starts slowly on a loaded machine still starts within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The user as whom PostgreSQL runs when we are root, which it refuses to be; Debian's package makes it.
const POSTGRES_USER: &str = "postgres";

pub(crate) struct Services {
    folder: PathBuf,
    children: Vec<Child>,
    variables: Vec<(&'static str, String)>,
}

impl Services {
    pub(crate) fn start(names: &BTreeSet<&str>, may_install: bool) -> Result<Services, String> {
        let folder = std::env::temp_dir().join(format!("yamanote-ecosystem-{}", std::process::id()));
        let mut services = Services { folder, children: Vec::new(), variables: Vec::new() };
        std::fs::create_dir_all(&services.folder).map_err(|error| error.to_string())?;
        for name in names {
            match *name {
                "redis" => services.redis(may_install)?,
                "postgres" => services.postgres(may_install)?,
                // No server: a client that tests start themselves.
                "ssh" => drop(find("ssh", "openssh-client", may_install)?),
                _ => return Err(format!("no service named `{name}` is known")),
            }
        }
        Ok(services)
    }

    /// What tells the programs where the servers are.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn redis(&mut self, may_install: bool) -> Result<(), String> {
        let (program, port) = (find("redis-server", "redis-server", may_install)?, free_port()?);
        let folder = self.make_folder("redis")?;
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(&folder);
        self.spawn(&mut command, "redis")?;
        self.wait_for("redis", || answers_ping(port))?;
        self.variables.push(("REDIS_URL", format!("redis://127.0.0.1:{port}/")));
        Ok(())
    }

    fn postgres(&mut self, may_install: bool) -> Result<(), String> {
        // Through links: its siblings are beside the program itself.
        let initdb = find("initdb", "postgresql", may_install)?;
        let initdb = initdb.canonicalize().map_err(|error| format!("{}: {error}", initdb.display()))?;
        let server = initdb.with_file_name("postgres");
        let ready = initdb.with_file_name("pg_isready");
        let (folder, port) = (self.make_folder("postgres")?, free_port()?);
        let is_root = shell::stdout(Command::new("id").arg("-u"))?.trim() == "0";
        if is_root {
            run(Command::new("chown").arg(POSTGRES_USER).args([&folder, &self.folder]))?;
        }
        let as_user = |program: &Path| match is_root {
            true => {
                let mut command = Command::new("setpriv");
                let user = ["--reuid", POSTGRES_USER, "--regid", POSTGRES_USER, "--clear-groups", "--"];
                command.args(user).arg(program);
                command
            }
            false => Command::new(program),
        };
        let data = folder.join("data");
        let mut command = as_user(&initdb);
        command.current_dir(&folder).arg("--pgdata").arg(&data);
        // The C locale is there on every machine.
        command.args([
            "--username",
            "yamanote",
            "--auth",
            "trust",
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
        ]);
        run(&mut command)?;
        let mut command = as_user(&server);
        command.current_dir(&folder).arg("-D").arg(&data).args(["-p", &port.to_string()]);
        command.arg("-k").arg(&folder).args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        self.spawn(&mut command, "postgres")?;
        self.wait_for("postgres", || {
            let mut ready = Command::new(&ready);
            ready.args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string()]);
            ready.status().is_ok_and(|status| status.success())
        })?;
        let text = format!("host=127.0.0.1 port={port} user=yamanote dbname=postgres");
        self.variables.push(("POSTGRES", text));
        Ok(())
    }

    fn make_folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn spawn(&mut self, command: &mut Command, name: &str) -> Result<(), String> {
        let log = std::fs::File::create(self.log(name)).map_err(|error| error.to_string())?;
        let also = log.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(log).stderr(also);
        let child = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        self.children.push(child);
        Ok(())
    }

    /// Waits until `is_ready`; the server must not end before.
    fn wait_for(&mut self, name: &str, is_ready: impl Fn() -> bool) -> Result<(), String> {
        let started = Instant::now();
        while !is_ready() {
            let ended = match self.children.last_mut() {
                Some(child) => child.try_wait().map_err(|error| error.to_string())?,
                None => None,
            };
            if ended.is_some() || started.elapsed() > PATIENCE {
                let log = shell::read(&self.log(name)).unwrap_or_default();
                return Err(format!("{name} does not start:\n{log}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // Asked first, so that PostgreSQL ends its own children and frees its shared memory.
        for child in &mut self.children {
            if matches!(child.try_wait(), Ok(None)) {
                let _ = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
            }
        }
        let asked = Instant::now();
        for child in &mut self.children {
            while asked.elapsed() < Duration::from_secs(10) && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where `program` is; installs Debian's `package` if it is nowhere and that may be.
fn find(program: &str, package: &str, may_install: bool) -> Result<PathBuf, String> {
    if let Some(path) = installed(program) {
        return Ok(path);
    }
    if !may_install || !shell::is_installed("apt-get") {
        return Err(format!("`{program}` is missing (in Debian, package {package})"));
    }
    println!("installing {package}");
    let apt = |words: &[&str]| {
        run(Command::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", package])?;
    installed(program).ok_or_else(|| format!("{package} is installed and has no `{program}`"))
}

fn installed(program: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    // Debian keeps each version of PostgreSQL to itself.
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}

fn answers_ping(port: u16) -> bool {
    use std::io::{Read, Write};
    let Ok(mut socket) = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut answer = [0; 7];
    let asked = socket.write_all(b"PING\r\n").and_then(|()| socket.read_exact(&mut answer));
    asked.is_ok() && answer == *b"+PONG\r\n"
}

/// Runs quietly; its output is the error message if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
