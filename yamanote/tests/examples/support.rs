//! Starts examples and talks to them with the standard library only, so that nothing here shares their bugs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An example that runs, killed at the end of the test.
pub struct Example {
    pub child: Child,
    pub address: SocketAddr,
    output: BufReader<ChildStdout>,
}

impl Example {
    /// Starts a server, and waits until it says where it listens.
    pub fn start(name: &str, words: &[&str]) -> Example {
        let mut child = command(name)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().and_then(|word| word.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{name} said {line:?}"));
        Example { child, address, output }
    }

    pub fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { read: BufReader::new(socket.try_clone().unwrap()), socket }
    }

    /// The next line that it prints, or what is empty at its end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Client {
    pub socket: TcpStream,
    read: BufReader<TcpStream>,
}

impl Client {
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.read.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Everything up to the end.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.read.read_to_end(&mut bytes).unwrap();
        bytes
    }
}

/// Runs an example to its end.
pub fn run(name: &str, words: &[&str]) -> Output {
    command(name).args(words).stdin(Stdio::null()).output().expect("the example starts")
}

/// Standard output of an example that has to succeed.
pub fn output(name: &str, words: &[&str]) -> String {
    let output = run(name, words);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn command(name: &str) -> Command {
    Command::new(folder().join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

/// Where cargo puts examples: beside the folder of this program. If it was asked for everything, they are there and
/// up to date; if it was asked for this test only, it is asked again here.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let program = std::env::current_exe().unwrap();
        let profile = program.parent().and_then(Path::parent).expect("target/PROFILE/deps/PROGRAM");
        let folder = profile.join("examples");
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let newest = newest(&package.join("src")).max(newest(&package.join("examples")));
        let is_old = |name: &String| {
            let program = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
            program.metadata().and_then(|metadata| metadata.modified()).map_or(true, |at| at < newest)
        };
        if names().iter().any(is_old) {
            let name = profile.file_name().unwrap().to_str().unwrap();
            let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .args(["build", "--quiet", "--package", "yamanote", "--examples", "--profile"])
                .arg(if name == "debug" { "dev" } else { name })
                .arg("--target-dir")
                .arg(profile.parent().unwrap())
                .current_dir(package)
                .status();
            assert!(status.unwrap().success(), "the examples do not build");
        }
        folder
    })
}

/// When the newest file below a folder was written.
fn newest(folder: &Path) -> SystemTime {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let times = entries.map(|path| match path.is_dir() {
        true => newest(&path),
        false => path.metadata().unwrap().modified().unwrap(),
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// All examples, as the folder has them: a new one is noticed.
pub fn names() -> Vec<String> {
    let entries = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").read_dir().unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").exists())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}
