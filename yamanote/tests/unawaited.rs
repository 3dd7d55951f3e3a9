//! What may block for ever does not hold up a runtime's end: reading the standard input, and looking up a name.
//!
//! Each case is a process of its own: this program again, told by its environment what to do.

#![cfg(all(target_os = "linux", not(loom)))]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use yamanote::io::AsyncReadExt;
use yamanote::runtime::{Builder, Runtime};

const VARIABLE: &str = "YAMANOTE_TEST_UNAWAITED";

fn this_program(case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "in_a_process_of_its_own", "--nocapture"]).env(VARIABLE, case);
    command
}

fn runtimes() -> [Runtime; 2] {
    let build = |mut builder: Builder| builder.worker_threads(2).enable_all().build().unwrap();
    [build(Builder::new_current_thread()), build(Builder::new_multi_thread())]
}

/// Does nothing unless it is asked to by one of the below.
#[test]
fn in_a_process_of_its_own() {
    match std::env::var(VARIABLE).as_deref() {
        Ok("input") => runtimes_end_while_input_is_waited_for(),
        Ok("whole") => {
            let mut text = String::new();
            let [runtime, _] = runtimes();
            runtime.block_on(yamanote::io::stdin().read_to_string(&mut text)).unwrap();
            println!("read {}", text.len());
        }
        Ok("name") => a_name_is_looked_up_in_vain(),
        _ => {}
    }
}

fn runtimes_end_while_input_is_waited_for() {
    for runtime in runtimes() {
        runtime.block_on(async {
            yamanote::spawn(async {
                let mut buf = [0; 100];
                yamanote::io::stdin().read(&mut buf).await.map(drop)
            });
            // Long enough for a thread to take the job, or not: both have to do.
            yamanote::time::sleep(Duration::from_millis(20)).await;
        });
        drop(runtime);
        println!("ended");
    }
    // SAFETY: asks for the flags of a descriptor.
    let flags = unsafe { libc::fcntl(0, libc::F_GETFL) };
    assert_eq!(flags & libc::O_NONBLOCK, 0, "others share the input");
    // What comes now is not swallowed by those who waited.
    for _ in 0..2 {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        println!("got {}", line.trim());
    }
}

/// With `input` on the other side of the process's standard input.
fn converse(mut input: File, stdin: Stdio) {
    let mut child = this_program("input").stdin(stdin).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let ended = lines.by_ref().filter(|line| line.contains("ended")).take(2).count();
    assert_eq!(ended, 2);
    input.write_all(b"first\nsecond\n").unwrap();
    let got: Vec<_> = lines.by_ref().filter(|line| line.starts_with("got")).take(2).collect();
    assert_eq!(got, ["got first", "got second"]);
    // Its harness has more to say.
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_pipe() {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which are then nobody else's.
    let (read, write) = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (OwnedFd::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    };
    converse(write, read.into());
}

#[test]
fn a_terminal() {
    // SAFETY: system calls without memory, on a descriptor that is then nobody else's.
    let master = unsafe {
        let fd = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        if fd < 0 || libc::grantpt(fd) != 0 || libc::unlockpt(fd) != 0 {
            println!("skipped: no terminals here ({})", std::io::Error::last_os_error());
            return;
        }
        File::from_raw_fd(fd)
    };
    let mut name = [0u8; 64];
    // SAFETY: room of the size that is told.
    let named = unsafe { libc::ptsname_r(master.as_raw_fd(), name.as_mut_ptr().cast(), name.len()) };
    assert_eq!(named, 0);
    let end = name.iter().position(|&byte| byte == 0).unwrap();
    let name = std::str::from_utf8(&name[..end]).unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    converse(master, slave.into());
}

#[test]
fn a_file_is_read_whole() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![b'x'; 3_000_000]).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let output = this_program("whole").stdin(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("read 3000000"), "{text}");
}

#[test]
fn a_pipe_is_read_whole() {
    let mut child = this_program("whole").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&vec![b'x'; 3_000_000]));
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("read 3000000"), "{text}");
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_name() {
    let output = this_program("name").stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    match text.lines().find(|line| line.starts_with("skipped")) {
        Some(line) => println!("{line}"),
        None => assert!(text.contains("ended in time"), "{text}"),
    }
}

/// Asks a server that never answers: in a network, and with a configuration, of this process's own.
fn a_name_is_looked_up_in_vain() {
    if let Err(error) = cut_off() {
        println!("skipped: no network of one's own here ({error})");
        return;
    }
    let silent = std::net::UdpSocket::bind("127.0.0.1:53").unwrap();
    for runtime in runtimes() {
        let begun = Instant::now();
        runtime.block_on(async {
            let lookup = yamanote::net::lookup_host("example.com:80");
            let waited = yamanote::time::timeout(Duration::from_millis(200), lookup).await;
            assert!(waited.is_err(), "nobody answers");
        });
        drop(runtime);
        // The resolver would wait for half a minute, and then again.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
    let mut question = [0; 512];
    assert!(silent.recv(&mut question).unwrap() > 0, "it was asked");
    println!("ended in time");
}

fn cut_off() -> std::io::Result<()> {
    let check = |result: libc::c_int| match result {
        0.. => Ok(result),
        _ => Err(std::io::Error::last_os_error()),
    };
    let mut configuration = tempfile::NamedTempFile::new()?;
    writeln!(configuration, "nameserver 127.0.0.1\noptions timeout:30 attempts:3")?;
    let path = std::ffi::CString::new(configuration.path().to_str().unwrap())?;
    // SAFETY: paths that end with a null byte, and no data. The test's other threads do nothing meanwhile.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWNET))?;
        let private = libc::MS_REC | libc::MS_PRIVATE;
        check(libc::mount(
            c"none".as_ptr(),
            c"/".as_ptr(),
            std::ptr::null(),
            private,
            std::ptr::null(),
        ))?;
        let target = c"/etc/resolv.conf".as_ptr();
        check(libc::mount(path.as_ptr(), target, std::ptr::null(), libc::MS_BIND, std::ptr::null()))?;
        let socket = OwnedFd::from_raw_fd(check(libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0))?);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request))?;
    }
    Ok(())
}
