//! Kernels and sandboxes without the younger system calls: what stands on them does without, silently.
//!
//! The refusal is a filter that a process installs for itself, and for good. So each way to refuse gets a process of
//! its own: this program again, told by its environment what to answer with.

#![cfg(all(target_os = "linux", not(loom)))]

use std::os::unix::process::CommandExt;
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use yamanote::fs;
use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::process::Command;
use yamanote::runtime::{Builder, FileIo, Runtime};

const VARIABLE: &str = "YAMANOTE_TEST_REFUSE_WITH";
/// If set, only rings cannot be entered, and only once one is in use, or not even then.
const LATE: &str = "YAMANOTE_TEST_REFUSE_LATE";

/// What old kernels lack, and sandboxes refuse.
const CALLS: [libc::c_long; 10] = [
    libc::SYS_pidfd_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_openat2,
    libc::SYS_epoll_pwait2,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_copy_file_range,
    libc::SYS_splice,
];

#[test]
fn calls_that_do_not_exist() {
    in_a_process_of_its_own(libc::ENOSYS);
}

#[test]
fn calls_that_are_forbidden() {
    in_a_process_of_its_own(libc::EPERM);
}

/// A process may forbid itself system calls when it has begun.
#[test]
fn a_ring_that_is_forbidden_while_it_is_in_use() {
    for errno in [libc::EPERM, libc::ENOSYS] {
        run(StdCommand::new(std::env::current_exe().unwrap())
            .args(["--exact", "everything_with_a_ring_that_cannot_be_entered", "--nocapture"])
            .env(VARIABLE, errno.to_string())
            .env(LATE, "1"));
    }
}

/// There is a ring, and nothing else.
#[test]
fn a_ring_that_cannot_be_entered() {
    run(StdCommand::new(std::env::current_exe().unwrap())
        .args(["--exact", "everything_with_a_ring_that_cannot_be_entered", "--nocapture"])
        .env(VARIABLE, libc::EPERM.to_string()));
}

/// Does nothing unless it is asked to by one of the above.
#[test]
fn everything_with_a_ring_that_cannot_be_entered() {
    let Ok(errno) = std::env::var(VARIABLE) else { return };
    let build = || Builder::new_current_thread().enable_all().file_io(FileIo::Ring).build().unwrap();
    let runtime = build();
    let refuse = || refuse(&[libc::SYS_io_uring_enter], errno.parse().unwrap());
    let late = std::env::var_os(LATE).is_some();
    if late {
        runtime.block_on(files());
    } else {
        refuse();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, "123").unwrap();
    runtime.block_on(async {
        // Some that are written down, and not handed over, when the filter comes.
        let mut all = Vec::new();
        for _ in 0..10 {
            let mut future = Box::pin(fs::read(&path));
            if futures::poll!(&mut future).is_pending() {
                all.push(future);
            }
        }
        // And some that nobody waits for any more, which are made all the same.
        let changes = ["a", "b", "c"].map(|name| dir.path().join(name));
        for change in &changes {
            let mut future = Box::pin(fs::create_dir(change));
            let _ = futures::poll!(&mut future);
        }
        if late {
            refuse();
        }
        for future in all {
            assert_eq!(future.await.unwrap(), b"123");
        }
        for change in &changes {
            while !change.is_dir() {
                yamanote::time::sleep(Duration::from_millis(1)).await;
            }
        }
        files().await;
    });
    drop(runtime);
    build().block_on(files());
    println!("everything went through");
}

fn in_a_process_of_its_own(errno: i32) {
    run(StdCommand::new(std::env::current_exe().unwrap())
        .args(["--exact", "everything_without_the_younger_calls", "--nocapture"])
        .env(VARIABLE, errno.to_string()));
}

fn run(command: &mut StdCommand) {
    if cfg!(sanitized) {
        // SAFETY: changes the mask of the child's one thread, which a child may.
        unsafe { command.pre_exec(|| mask_child_signal(libc::SIG_BLOCK)) };
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("everything went through"), "{text}");
    // Silently: nothing but the harness's own lines.
    assert_eq!(errors, "");
}

/// ThreadSanitizer runs a handler when the thread that got the signal makes, or is in, a call of the C library's that it
/// knows to block. A wait of the standard library's is none, and the thread that the kernel prefers, the harness's, does
/// nothing else: so nobody would hear of a child. Under sanitizers this thread gets the signals.
fn take_child_signals() {
    std::thread::spawn(|| {
        mask_child_signal(libc::SIG_UNBLOCK).unwrap();
        loop {
            // SAFETY: takes a number.
            unsafe { libc::usleep(1_000_000) };
        }
    });
}

fn mask_child_signal(how: i32) -> std::io::Result<()> {
    // SAFETY: a set that is filled before it is read, and this thread's mask.
    let result = unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        libc::pthread_sigmask(how, &set, std::ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(result)) }
}

/// Does nothing unless it is asked to by one of the above.
#[test]
fn everything_without_the_younger_calls() {
    let Ok(errno) = std::env::var(VARIABLE) else { return };
    if cfg!(sanitized) {
        take_child_signals();
    }
    let errno = errno.parse().unwrap();
    refuse(&CALLS, errno);
    for call in CALLS {
        // SAFETY: the filter answers before the kernel looks at an argument.
        let answer = unsafe { libc::syscall(call, -1, 0, 0, 0, 0, 0) };
        assert_eq!(answer, -1);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(errno), "call {call}");
    }
    for builder in [Builder::new_current_thread, Builder::new_multi_thread] {
        for way in [FileIo::Cached, FileIo::Ring] {
            let runtime: Runtime = builder().enable_all().file_io(way).build().unwrap();
            runtime.block_on(async {
                children().await;
                files().await;
                sockets_and_timers().await;
                proxies().await;
            });
        }
    }
    a_child_of_a_runtime_that_is_gone();
    println!("everything went through");
}

/// Nobody would tell of its end, which is said, and not waited for.
fn a_child_of_a_runtime_that_is_gone() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let mut child = runtime.block_on(async { Command::new("sleep").arg("600").spawn().unwrap() });
    drop(runtime);
    assert!(handle.block_on(child.wait()).is_err());
    Builder::new_current_thread().enable_all().build().unwrap().block_on(child.kill()).unwrap();
}

async fn children() {
    // The second finds out less than the first: that there are no descriptors is known by then.
    for _ in 0..2 {
        let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(3));
    }
    let output = Command::new("sh").args(["-c", "cat; echo oh >&2"]).stdin(Stdio::null()).output();
    assert_eq!(output.await.unwrap().stderr, b"oh\n");
    // Each signal may stand for many ends.
    let mut sleepers: Vec<_> =
        (0..100).map(|_| Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap()).collect();
    for sleeper in &mut sleepers {
        sleeper.start_kill().unwrap();
    }
    for mut sleeper in sleepers {
        assert_eq!(sleeper.wait().await.unwrap().code(), None);
    }
    // One that nobody waits for leaves nothing behind.
    let orphan = Command::new("true").spawn().unwrap().id().unwrap();
    // SAFETY: signal 0 is only a question.
    while unsafe { libc::kill(orphan as i32, 0) } == 0 {
        yamanote::time::sleep(Duration::from_millis(1)).await;
    }
    let mut sleeper = Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
    let waiting = yamanote::time::timeout(Duration::from_millis(5), sleeper.wait()).await;
    assert!(waiting.is_err());
    sleeper.kill().await.unwrap();
}

async fn files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "12345").await.unwrap();
    assert_eq!(fs::read(&path).await.unwrap(), b"12345");
    assert_eq!(fs::copy(&path, dir.path().join("g")).await.unwrap(), 5);
    let mut file = fs::OpenOptions::new().read(true).append(true).open(&path).await.unwrap();
    file.write_all(b"67").await.unwrap();
    file.flush().await.unwrap();
    let mut file = fs::File::open(&path).await.unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "1234567");
    fs::rename(&path, dir.path().join("i")).await.unwrap();
    fs::remove_file(dir.path().join("i")).await.unwrap();
    let missing = fs::File::open(dir.path().join("h")).await.unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

async fn sockets_and_timers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = yamanote::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buf = [0; 5];
        stream.read_exact(&mut buf).await.unwrap();
        yamanote::time::sleep(Duration::from_micros(1_500)).await;
        stream.write_all(&buf).await.unwrap();
    });
    let mut client = TcpStream::connect(addr).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let mut buf = [0; 5];
    client.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"hello");
    server.await.unwrap();
}

/// So much through a proxy that it would have the kernel move it.
async fn proxies() {
    const LEN: usize = 3 << 20;
    let pair = async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    };
    let (mut client, mut inbound) = pair().await;
    let (mut outbound, mut server) = pair().await;
    let proxy = yamanote::spawn(async move {
        yamanote::io::copy_bidirectional(&mut inbound, &mut outbound).await.unwrap()
    });
    let writing = yamanote::spawn(async move {
        let data: Vec<u8> = (0..LEN).map(|i| (i % 251) as u8).collect();
        client.write_all(&data).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    let mut data = Vec::new();
    server.read_to_end(&mut data).await.unwrap();
    assert!(data.len() == LEN && data.iter().enumerate().all(|(i, byte)| *byte == (i % 251) as u8));
    drop((server, writing.await.unwrap()));
    assert_eq!(proxy.await.unwrap(), (LEN as u64, 0));
}

/// Has this thread, and all that it starts from here on, get `errno` for an answer to the calls.
fn refuse(calls: &[libc::c_long], errno: i32) {
    let statement =
        |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    // The call's number is the first field of what the filter looks at.
    let mut program = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0)];
    for &call in calls {
        program.push(statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, call as u32));
        program.push(statement(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_ERRNO | errno as u32,
        ));
    }
    program.push(statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the first call takes integers; the second reads the program, which is there until it returns.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0);
    }
}
