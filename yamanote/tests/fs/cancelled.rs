//! Futures that are dropped half-way, and runtimes that are gone.

use std::io::SeekFrom;
use std::time::Duration;

use yamanote::fs::{self, File, OpenOptions};
use yamanote::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use yamanote::runtime::Handle;

use super::support::{file, multi, on_both, pattern, poll_once};

#[test]
fn a_dropped_read_loses_nothing() {
    on_both(|_| async {
        let expected = pattern(300_000);
        let (_dir, path) = file(&expected);
        let mut file = File::open(&path).await.unwrap();
        let mut bytes = Vec::new();
        let mut buf = vec![0; 1000];
        // What a dropped read has read comes with the next one.
        while bytes.len() < expected.len() {
            if let Some(n) = poll_once(file.read(&mut buf)).await {
                bytes.extend_from_slice(&buf[..n.unwrap()]);
            }
            let n = file.read(&mut buf[..100]).await.unwrap();
            bytes.extend_from_slice(&buf[..n]);
        }
        assert!(bytes == expected);
    });
}

#[test]
fn a_dropped_set_len_is_over_before_what_follows() {
    on_both(|_| async {
        for _ in 0..20 {
            let (_dir, path) = file(&pattern(1000));
            let mut file = OpenOptions::new().read(true).write(true).open(&path).await.unwrap();
            let _ = poll_once(file.set_len(3)).await;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).await.unwrap();
            assert_eq!(bytes, pattern(1000)[..3]);
        }
    });
}

#[test]
fn a_file_in_use_by_a_dropped_future_is_given_back() {
    on_both(|_| async {
        for _ in 0..20 {
            let (_dir, path) = file(b"abc");
            let file = OpenOptions::new().read(true).write(true).open(&path).await.unwrap();
            let _ = poll_once(file.sync_all()).await;
            assert_eq!(file.into_std().await.metadata().unwrap().len(), 3);
        }
    });
}

#[test]
fn a_dropped_write_was_accepted() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let mut file = File::create(&path).await.unwrap();
        let mut expected = Vec::new();
        for i in 0..50u8 {
            if let Some(n) = poll_once(file.write(&[i; 10])).await {
                expected.extend_from_slice(&[i; 10][..n.unwrap()]);
            }
        }
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    });
}

#[test]
fn after_the_runtime_nothing_panics() {
    let (_dir, path) = file(&pattern(4096));
    let runtime = multi();
    let handle: Handle = runtime.handle().clone();
    runtime.shutdown_timeout(Duration::from_secs(60));
    let _entered = handle.enter();
    let waker = std::task::Waker::noop();
    let once = |future: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>| {
        let mut future = future;
        let _ = future.as_mut().poll(&mut std::task::Context::from_waker(waker));
    };
    for operation in ["read", "seek", "write", "flush", "set_len", "sync", "metadata", "clone"] {
        let std = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        let mut file = File::from_std(std);
        for _ in 0..3 {
            once(Box::pin(async {
                match operation {
                    "read" => drop(file.read(&mut [0; 8]).await),
                    "seek" => drop(file.seek(SeekFrom::Start(1)).await),
                    "write" => drop(file.write(b"x").await),
                    "flush" => drop(file.flush().await),
                    "set_len" => drop(file.set_len(4096).await),
                    "sync" => drop(file.sync_all().await),
                    "metadata" => drop(file.metadata().await),
                    _ => drop(file.try_clone().await),
                }
            }));
        }
        once(Box::pin(async { drop(file.read(&mut [0; 8]).await) }));
    }
    once(Box::pin(async { drop(fs::read(&path).await) }));
    once(Box::pin(async { drop(fs::write(&path, "x").await) }));
    once(Box::pin(async { drop(fs::read_dir("/").await) }));
}
