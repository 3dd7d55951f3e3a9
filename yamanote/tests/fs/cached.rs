//! What a worker reads itself must not be told from what the pool reads.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yamanote::fs::{self, File, OpenOptions};
use yamanote::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use yamanote::runtime::{Builder, FileIo};

use super::support::{WAYS, file, on_both, pattern};

#[test]
fn a_file_that_grows_and_shrinks_is_read_as_it_is() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let mut buf = [0; 64];
        for len in [0, 1, 4095, 4096, 4097, 10, 0, 300_000, 5] {
            std::fs::write(&path, pattern(len)).unwrap();
            assert!(fs::read(&path).await.unwrap() == pattern(len), "{len} bytes");
            assert_eq!(fs::metadata(&path).await.unwrap().len(), len as u64);
        }
        std::fs::write(&path, pattern(50)).unwrap();
        let mut reader = File::open(&path).await.unwrap();
        assert_eq!(reader.read(&mut buf).await.unwrap(), 50);
        // The end is no end for good.
        assert_eq!(reader.read(&mut buf).await.unwrap(), 0);
        assert_eq!(reader.read(&mut buf).await.unwrap(), 0);
        std::fs::write(&path, pattern(60)).unwrap();
        assert_eq!(reader.read(&mut buf).await.unwrap(), 10);
        assert_eq!(buf[..10], pattern(60)[50..]);
        // Cut off before the position.
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(7).unwrap();
        assert_eq!(reader.read(&mut buf).await.unwrap(), 0);
        assert_eq!(reader.metadata().await.unwrap().len(), 7);
    });
}

#[test]
fn reads_writes_and_seeks_keep_their_order() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).open(&path).await.unwrap();
        let mut buf = [0; 4];
        for round in 0..20_u8 {
            file.rewind().await.unwrap();
            file.write_all(&[round; 6]).await.unwrap();
            file.write_all(b"end").await.unwrap();
            assert_eq!(file.read(&mut buf).await.unwrap(), 0, "behind what was written");
            file.seek(std::io::SeekFrom::Current(-5)).await.unwrap();
            file.read_exact(&mut buf).await.unwrap();
            assert_eq!(buf, [round, round, b'e', b'n']);
            assert_eq!(file.stream_position().await.unwrap(), 8);
        }
        assert!(file.seek(std::io::SeekFrom::Current(-9)).await.is_err());
        assert_eq!(file.stream_position().await.unwrap(), 8);
    });
}

#[test]
fn errors_are_the_same() {
    on_both(|dir| async move {
        let none = dir.path().join("none");
        for _ in 0..2 {
            assert_eq!(fs::read(&none).await.unwrap_err().raw_os_error(), Some(2));
            assert_eq!(fs::metadata(&none).await.unwrap_err().raw_os_error(), Some(2));
            assert_eq!(File::open(&none).await.unwrap_err().raw_os_error(), Some(2));
            assert!(!fs::try_exists(&none).await.unwrap());
        }
        let path = dir.path().join("f");
        std::fs::write(&path, b"\xFF\xFE").unwrap();
        assert_eq!(fs::read_to_string(&path).await.unwrap_err().kind(), ErrorKind::InvalidData);
        // Which they are differs between systems.
        let below = std::fs::metadata(path.join("x")).unwrap_err().kind();
        assert_eq!(fs::metadata(path.join("x")).await.unwrap_err().kind(), below);
        let directory = std::fs::read(dir.path()).unwrap_err().kind();
        assert_eq!(fs::read(dir.path()).await.unwrap_err().kind(), directory);
        assert_eq!(fs::read("a\0b").await.unwrap_err().kind(), ErrorKind::InvalidInput);
        let mut file = OpenOptions::new().write(true).open(&path).await.unwrap();
        assert!(file.read(&mut [0; 2]).await.is_err(), "not open for reading");
    });
}

#[cfg(unix)]
#[test]
fn links_are_followed_or_not() {
    on_both(|dir| async move {
        let (path, link) = (dir.path().join("f"), dir.path().join("link"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(!fs::try_exists(&link).await.unwrap(), "it leads nowhere");
        std::fs::write(&path, "abc").unwrap();
        for _ in 0..2 {
            assert!(fs::try_exists(&link).await.unwrap());
            assert_eq!(fs::metadata(&link).await.unwrap().len(), 3);
            assert!(fs::symlink_metadata(&link).await.unwrap().is_symlink());
            assert_eq!(fs::read_to_string(&link).await.unwrap(), "abc");
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn the_systems_own_files_are_read_to_their_end() {
    on_both(|_| async {
        for path in ["/proc/self/status", "/proc/cpuinfo", "/sys/kernel/mm/transparent_hugepage/enabled"]
        {
            let Ok(expected) = std::fs::metadata(path) else { continue };
            assert!(!fs::read_to_string(path).await.unwrap().is_empty(), "{path}");
            let mut text = String::new();
            let mut file = File::open(path).await.unwrap();
            file.read_to_string(&mut text).await.unwrap();
            assert!(!text.is_empty(), "{path}");
            assert_eq!(file.metadata().await.unwrap().len(), expected.len());
        }
        let mut file = File::open("/dev/zero").await.unwrap();
        assert_eq!(file.read(&mut [1; 100]).await.unwrap(), 100);
    });
}

#[test]
fn a_large_file_lets_others_run() {
    let (_dir, path) = file(&pattern(1 << 20));
    let runtime = Builder::new_current_thread().file_io(FileIo::Cached).build().unwrap();
    runtime.block_on(async {
        let reading = yamanote::spawn(async move {
            let mut file = File::open(&path).await.unwrap();
            let mut buf = vec![0; 64 * 1024];
            let ran = Arc::new(AtomicBool::new(false));
            yamanote::spawn({
                let ran = ran.clone();
                async move { ran.store(true, Ordering::Relaxed) }
            });
            // 4 MiB, twice as much as a poll may copy.
            for _ in 0..4 {
                file.rewind().await.unwrap();
                while file.read(&mut buf).await.unwrap() > 0 {}
            }
            assert!(ran.load(Ordering::Relaxed), "the other task had its turn");
        });
        reading.await.unwrap();
    });
}

/// As when everything goes to the pool, which takes no jobs any more.
#[test]
fn a_runtime_that_is_shut_down_reads_nothing() {
    let (_dir, path) = file(b"there");
    for mode in WAYS {
        for multi_thread in [false, true] {
            let mut builder =
                if multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
            let rt = builder.worker_threads(1).file_io(mode).build().unwrap();
            // Known, and in memory.
            rt.block_on(fs::read(&path)).unwrap();
            let handle = rt.handle().clone();
            rt.shutdown_background();
            assert_eq!(handle.block_on(fs::read(&path)).unwrap_err().kind(), ErrorKind::Other);
            assert_eq!(handle.block_on(fs::metadata(&path)).unwrap_err().kind(), ErrorKind::Other);
            assert_eq!(handle.block_on(File::open(&path)).unwrap_err().kind(), ErrorKind::Other);
        }
    }
}
