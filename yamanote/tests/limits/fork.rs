//! A child made by `fork`, in which the parent's runtime is left alone and a new one made: what `SECURITY.md` allows.

use std::time::Duration;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::net::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, Runtime};

use crate::support::{role, run_child};

/// Tasks, a timer, a connection, a blocking job.
fn exercise(rt: &Runtime) {
    rt.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = yamanote::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            yamanote::time::sleep(Duration::from_millis(1)).await;
            stream.write_u32(5).await.unwrap();
        });
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(stream.read_u32().await.unwrap(), 5);
        client.await.unwrap();
        assert_eq!(yamanote::task::spawn_blocking(|| 6).await.unwrap(), 6);
    });
}

fn fork_beside_a_runtime() {
    let parents = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    exercise(&parents);
    // SAFETY: what the child does is what is looked at; it is in a process of its own, and ends by `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        for workers in [0, 2] {
            let mut builder = match workers {
                0 => Builder::new_current_thread(),
                _ => Builder::new_multi_thread(),
            };
            let rt = builder.worker_threads(workers.max(1)).enable_all().build().unwrap();
            exercise(&rt);
        }
        // SAFETY: ends the process, without what the parent's runtime would do.
        unsafe { libc::_exit(7) };
    }
    let mut status = 0;
    // SAFETY: our child, and memory for the status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7, "{status:#x}");
    // The parent has not noticed.
    exercise(&parents);
    drop(parents);
    println!("both work");
}

#[test]
fn a_child_has_a_runtime_of_its_own() {
    if role().is_some() {
        return fork_beside_a_runtime();
    }
    // Sanitizers keep threads of their own, which a fork leaves behind.
    if cfg!(sanitized) {
        return;
    }
    let output = run_child("fork::a_child_has_a_runtime_of_its_own", "parent");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("both work"), "{output:?}");
}
