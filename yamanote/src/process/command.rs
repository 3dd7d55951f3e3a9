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
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command::from(StdCommand::new(program))
    }

    /// The standard library's command in here.
    pub fn as_std(&self) -> &StdCommand {
        &self.std
    }

    /// The standard library's command in here, to be changed.
    pub fn as_std_mut(&mut self) -> &mut StdCommand {
        &mut self.std
    }

    /// The standard library's command. What only this type has, such as
    /// [`kill_on_drop`](Command::kill_on_drop), is lost.
    pub fn into_std(self) -> StdCommand {
        self.std
    }

    /// Adds an argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg(arg);
        self
    }

    /// Adds several arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub fn env<Name, Value>(&mut self, name: Name, value: Value) -> &mut Command
    where
        Name: AsRef<OsStr>,
        Value: AsRef<OsStr>,
    {
        self.std.env(name, value);
        self
    }

    /// Sets several variables of the environment.
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
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.std.env_remove(key);
        self
    }

    /// Starts from an empty environment.
    pub fn env_clear(&mut self) -> &mut Command {
        self.std.env_clear();
        self
    }

    /// The directory the process starts in.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.std.current_dir(dir);
        self
    }

    /// What the process reads from: inherited by default, nothing with [`output`](Command::output).
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdin(cfg);
        self
    }

    /// What the process writes to: inherited by default, a pipe with [`output`](Command::output).
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdout(cfg);
        self
    }

    /// What the process writes errors to: inherited by default, a pipe with [`output`](Command::output).
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stderr(cfg);
        self
    }

    /// Whether the process is killed when its [`Child`] is dropped before its end is known. Off by default.
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// See [`kill_on_drop`](Command::kill_on_drop).
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
    pub fn uid(&mut self, id: u32) -> &mut Command {
        std::os::unix::process::CommandExt::uid(&mut self.std, id);
        self
    }

    /// The group the process runs as.
    pub fn gid(&mut self, id: u32) -> &mut Command {
        std::os::unix::process::CommandExt::gid(&mut self.std, id);
        self
    }

    /// What the process sees as its own name.
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        std::os::unix::process::CommandExt::arg0(&mut self.std, arg);
        self
    }

    /// Has a closure run in the child, between `fork` and `exec`.
    ///
    /// # Safety
    /// The closure runs in a copy of the process that has one thread: it may only do what a signal handler may.
    /// See [`std::os::unix::process::CommandExt::pre_exec`].
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller owes what the standard library asks for.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut self.std, f) };
        self
    }

    /// The process group of the process; 0 is a new one.
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        std::os::unix::process::CommandExt::process_group(&mut self.std, pgroup);
        self
    }
}

impl From<StdCommand> for Command {
    fn from(std: StdCommand) -> Command {
        Command { std, kill_on_drop: false }
    }
}
