//! Describing a process to be started.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command as StdCommand, ExitStatus, Output, Stdio};

use crate::process::{Child, imp};

/// Describes a process to be started.
///
/// As [`std::process::Command`], with asynchronous ways to start and to wait.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use yamanote::process::Command;
///
/// let mut child = Command::new("true").spawn()?;
/// assert!(child.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    std: StdCommand,
    kill_on_drop: bool,
}

impl Command {
    /// A process of the given program, without arguments, with the parent's environment, directory and standard
    /// streams.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert!(Command::new("true").status().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command::from(StdCommand::new(program))
    }

    /// The standard library's command in here.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// let mut command = Command::new("echo");
    /// command.arg("hello");
    /// assert_eq!(command.as_std().get_args().count(), 1);
    /// ```
    pub fn as_std(&self) -> &StdCommand {
        &self.std
    }

    /// The standard library's command in here, to be changed.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut command = Command::new("echo");
    /// command.as_std_mut().arg("by the standard library");
    /// assert_eq!(command.output().await?.stdout, b"by the standard library\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_std_mut(&mut self) -> &mut StdCommand {
        &mut self.std
    }

    /// The standard library's command. What only this type has, such as
    /// [`kill_on_drop`](Command::kill_on_drop), is lost.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut command = Command::new("true");
    /// command.arg("ignored");
    /// assert!(command.into_std().status()?.success()); // blocks, as the standard library does
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_std(self) -> StdCommand {
        self.std
    }

    /// Adds an argument.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // One argument each, as it is: no shell takes it apart.
    /// let output = Command::new("echo").arg("a  b").arg("$HOME").output().await?;
    /// assert_eq!(output.stdout, b"a  b $HOME\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg(arg);
        self
    }

    /// Adds several arguments.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let output = Command::new("echo").args(["one", "two"]).output().await?;
    /// assert_eq!(output.stdout, b"one two\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the environment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let output = Command::new("sh").args(["-c", "echo $WORD"]).env("WORD", "set").output().await?;
    /// assert_eq!(output.stdout, b"set\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env<Name, Value>(&mut self, name: Name, value: Value) -> &mut Command
    where
        Name: AsRef<OsStr>,
        Value: AsRef<OsStr>,
    {
        self.std.env(name, value);
        self
    }

    /// Sets several variables of the environment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let variables = [("ONE", "1"), ("TWO", "2")];
    /// let output = Command::new("sh").args(["-c", "echo $ONE $TWO"]).envs(variables).output().await?;
    /// assert_eq!(output.stdout, b"1 2\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn envs<All, Name, Value>(&mut self, variables: All) -> &mut Command
    where
        All: IntoIterator<Item = (Name, Value)>,
        Name: AsRef<OsStr>,
        Value: AsRef<OsStr>,
    {
        self.std.envs(variables);
        self
    }

    /// Removes a variable from the environment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut command = Command::new("sh");
    /// command.args(["-c", "echo ${HOME-none}"]).env_remove("HOME");
    /// assert_eq!(command.output().await?.stdout, b"none\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.std.env_remove(key);
        self
    }

    /// Starts from an empty environment.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let output = Command::new("/usr/bin/env").env_clear().env("ONLY", "this").output().await?;
    /// assert_eq!(output.stdout, b"ONLY=this\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_clear(&mut self) -> &mut Command {
        self.std.env_clear();
        self
    }

    /// The directory the process starts in.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let output = Command::new("pwd").current_dir("/").output().await?;
    /// assert_eq!(output.stdout, b"/\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.std.current_dir(dir);
        self
    }

    /// What the process reads from: inherited by default, nothing with [`output`](Command::output).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Nothing to read: its input ends at once.
    /// let output = Command::new("cat").stdin(Stdio::null()).output().await?;
    /// assert_eq!(output.stdout, b"");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdin(cfg);
        self
    }

    /// What the process writes to: inherited by default, a pipe with [`output`](Command::output).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let status = Command::new("echo").arg("unheard").stdout(Stdio::null()).status().await?;
    /// assert!(status.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdout(cfg);
        self
    }

    /// What the process writes errors to: inherited by default, a pipe with [`output`](Command::output).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let child = Command::new("sh").args(["-c", "echo oh >&2"]).stderr(Stdio::piped()).spawn()?;
    /// assert_eq!(child.wait_with_output().await?.stderr, b"oh\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stderr(cfg);
        self
    }

    /// Whether the process is killed when its [`Child`] is dropped before its end is known. Off by default.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::process::Command;
    /// use yamanote::time::timeout;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Given up after a while, the child does not run on alone.
    /// let sleeping = Command::new("sleep").arg("3600").kill_on_drop(true).status();
    /// timeout(Duration::from_millis(10), sleeping).await.unwrap_err();
    /// # Ok(())
    /// # }
    /// ```
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// See [`kill_on_drop`](Command::kill_on_drop).
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// let mut command = Command::new("true");
    /// assert!(!command.get_kill_on_drop());
    /// command.kill_on_drop(true);
    /// assert!(command.get_kill_on_drop());
    /// ```
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// Starts the process.
    ///
    /// # Errors
    /// If the program is not there, or the system refuses a process or a pipe.
    ///
    /// # Panics
    /// Outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut child = Command::new("true").spawn()?;
    /// assert!(child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.spawn_with(StdCommand::spawn)
    }

    /// Starts the process by a function of the caller's, which gets the standard library's command.
    ///
    /// # Errors
    /// Those of the function, and if the child's end cannot be watched for.
    ///
    /// # Panics
    /// Outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use yamanote::process::Command;
    ///
    /// let mut child = Command::new("true").spawn_with(|command| command.spawn())?;
    /// assert!(child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_with(
        &mut self,
        with: impl FnOnce(&mut StdCommand) -> io::Result<std::process::Child>,
    ) -> io::Result<Child> {
        // Before there is a process that a panic would leave behind.
        imp::check_runtime();
        let child = with(&mut self.std)?;
        Child::new(child, self.kill_on_drop)
    }

    /// Starts the process and waits for its end; what it writes goes where it is told to.
    ///
    /// # Errors
    /// If it cannot be started or waited for.
    ///
    /// # Panics
    /// Outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(Command::new("sh").args(["-c", "exit 3"]).status().await?.code(), Some(3));
    /// assert!(Command::new("there is no such program").status().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let child = self.spawn();
        async {
            let mut child = child?;
            // Nobody is going to write or read.
            drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
            child.wait().await
        }
    }

    /// Starts the process, waits for its end, and collects what it writes.
    ///
    /// # Errors
    /// If it cannot be started, read from or waited for.
    ///
    /// # Panics
    /// Outside a runtime with input/output enabled.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = yamanote::process::Command::new("echo").arg("-n").arg("x").output().await?;
    /// assert_eq!(output.stdout, b"x");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        self.std.stdout(Stdio::piped());
        self.std.stderr(Stdio::piped());
        let child = self.spawn();
        async { child?.wait_with_output().await }
    }
}

#[cfg(unix)]
impl Command {
    /// The user the process runs as.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Needs to be root.
    /// Command::new("whoami").uid(65_534).gid(65_534).status().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn uid(&mut self, id: u32) -> &mut Command {
        std::os::unix::process::CommandExt::uid(&mut self.std, id);
        self
    }

    /// The group the process runs as.
    ///
    /// # Examples
    /// ```no_run
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Needs to be root.
    /// Command::new("id").gid(65_534).status().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn gid(&mut self, id: u32) -> &mut Command {
        std::os::unix::process::CommandExt::gid(&mut self.std, id);
        self
    }

    /// What the process sees as its own name.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let output = Command::new("sh").arg0("shell").args(["-c", "echo $0"]).output().await?;
    /// assert_eq!(output.stdout, b"shell\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        std::os::unix::process::CommandExt::arg0(&mut self.std, arg);
        self
    }

    /// Has a closure run in the child, between `fork` and `exec`.
    ///
    /// # Safety
    /// The closure runs in a copy of the process that has one thread: it may only do what a signal handler may.
    /// See [`std::os::unix::process::CommandExt::pre_exec`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut command = Command::new("true");
    /// // SAFETY: does nothing but a system call that is allowed between fork and exec.
    /// unsafe {
    ///     command.pre_exec(|| match libc::setsid() {
    ///         -1 => Err(std::io::Error::last_os_error()),
    ///         _ => Ok(()),
    ///     });
    /// }
    /// assert!(command.status().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller owes what the standard library asks for.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut self.std, f) };
        self
    }

    /// The process group of the process; 0 is a new one.
    ///
    /// # Examples
    /// ```
    /// use yamanote::process::Command;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A group of its own: Ctrl-C in our terminal does not reach it.
    /// let status = Command::new("true").process_group(0).status().await?;
    /// assert!(status.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        std::os::unix::process::CommandExt::process_group(&mut self.std, pgroup);
        self
    }
}

#[cfg(windows)]
impl Command {
    /// Flags for the system's `CreateProcess`, beside the one for a Unicode environment, which is always set.
    pub fn creation_flags(&mut self, flags: u32) -> &mut Command {
        std::os::windows::process::CommandExt::creation_flags(&mut self.std, flags);
        self
    }

    /// Appends text to the command line as it is, neither quoted nor escaped, for programs that take their command line
    /// apart by rules of their own (`cmd.exe /c`).
    pub fn raw_arg<S: AsRef<OsStr>>(&mut self, text_to_append_as_is: S) -> &mut Command {
        std::os::windows::process::CommandExt::raw_arg(&mut self.std, text_to_append_as_is);
        self
    }
}

impl From<StdCommand> for Command {
    fn from(std: StdCommand) -> Command {
        Command { std, kill_on_drop: false }
    }
}
