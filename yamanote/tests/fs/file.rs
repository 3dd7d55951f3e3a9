//! Reading, writing and moving about in an open file.

use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::time::{Duration, SystemTime};

use yamanote::fs::{self, File, FileTimes, OpenOptions};
use yamanote::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader};

use super::support::{file, multi, on_both, pattern, poll_once, single};

#[test]
fn what_is_written_is_read() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let mut out = File::create(&path).await.unwrap();
        out.write_all(b"one two").await.unwrap();
        out.write_all(b" three").await.unwrap();
        out.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one two three");

        let mut text = String::new();
        let n = File::open(&path).await.unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!((n, text.as_str()), (13, "one two three"));
    });
}

#[test]
fn a_small_buffer_reads_on_where_the_last_read_ended() {
    on_both(|_| async {
        let (_dir, path) = file(b"abcdefgh");
        let mut file = File::open(&path).await.unwrap();
        let mut buf = [0; 3];
        for expected in [&b"abc"[..], b"def", b"gh", b"", b""] {
            let n = file.read(&mut buf).await.unwrap();
            assert_eq!(&buf[..n], expected);
        }
    });
}

#[test]
fn sizes_around_every_limit_are_read_whole() {
    on_both(|_| async {
        for len in [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1 << 20, (2 << 20) + 1, 5_000_000] {
            let expected = pattern(len);
            let (_dir, path) = file(&expected);
            assert!(fs::read(&path).await.unwrap() == expected, "fs::read of {len}");

            let mut bytes = Vec::new();
            File::open(&path).await.unwrap().read_to_end(&mut bytes).await.unwrap();
            assert!(bytes == expected, "read_to_end of {len}");

            let mut bytes = vec![0; len];
            let mut file = File::open(&path).await.unwrap();
            file.read_exact(&mut bytes).await.unwrap();
            assert!(bytes == expected, "read_exact of {len}");
            assert_eq!(file.read(&mut [0; 8]).await.unwrap(), 0);
        }
    });
}

#[test]
fn a_file_that_grows_is_read_on() {
    on_both(|_| async {
        let (_dir, path) = file(b"start");
        let mut reader = File::open(&path).await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(reader.read(&mut buf).await.unwrap(), 5);
        assert_eq!(reader.read(&mut buf).await.unwrap(), 0, "its end for now");
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        assert_eq!(reader.read(&mut buf).await.unwrap(), 4);
        assert_eq!(&buf[..4], b"more");
        assert_eq!(reader.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn an_empty_buffer_is_no_end() {
    on_both(|_| async {
        let (_dir, path) = file(b"text");
        let mut file = File::open(&path).await.unwrap();
        assert_eq!(poll_once(file.read(&mut [])).await.unwrap().unwrap(), 0);
        assert_eq!(file.read(&mut [0; 9]).await.unwrap(), 4);
    });
}

#[test]
fn seeking_from_everywhere() {
    on_both(|_| async {
        let (_dir, path) = file(b"0123456789");
        let mut file = File::open(&path).await.unwrap();
        let mut byte = [0; 1];
        for (to, place) in [
            (SeekFrom::Start(4), 4),
            (SeekFrom::Current(2), 7),
            (SeekFrom::Current(-3), 5),
            (SeekFrom::End(-1), 9),
            (SeekFrom::Start(0), 0),
        ] {
            assert_eq!(file.seek(to).await.unwrap(), place);
            assert_eq!(file.read(&mut byte).await.unwrap(), 1);
            assert_eq!(u64::from(byte[0] - b'0'), place);
            assert_eq!(file.stream_position().await.unwrap(), place + 1);
        }
        file.rewind().await.unwrap();
        assert_eq!(file.stream_position().await.unwrap(), 0);
        assert!(file.seek(SeekFrom::Current(-1)).await.is_err(), "before the start");
        assert_eq!(file.read(&mut byte).await.unwrap(), 1);
        assert_eq!(&byte, b"0");

        assert_eq!(file.seek(SeekFrom::End(100)).await.unwrap(), 110);
        assert_eq!(file.read(&mut byte).await.unwrap(), 0);
    });
}

#[test]
fn a_second_seek_before_the_first_is_done_is_refused() {
    use std::pin::Pin;
    use yamanote::io::AsyncSeek;
    on_both(|_| async {
        let (_dir, path) = file(b"0123456789");
        let mut file = File::open(&path).await.unwrap();
        Pin::new(&mut file).start_seek(SeekFrom::Start(3)).unwrap();
        let error = Pin::new(&mut file).start_seek(SeekFrom::Start(5)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Other);
        let place = std::future::poll_fn(|cx| Pin::new(&mut file).poll_complete(cx)).await.unwrap();
        assert_eq!(place, 3);
    });
}

#[test]
fn bytes_read_ahead_do_not_shift_what_follows() {
    on_both(|dir| async move {
        for after in ["write", "seek", "set_len", "sync", "clone"] {
            let path = dir.path().join(after);
            std::fs::write(&path, pattern(100_000)).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).await.unwrap();
            // A read that asked for much and was dropped; the next one asks for little.
            let mut large = vec![0; 50_000];
            let taken = match poll_once(file.read(&mut large)).await {
                Some(n) => n.unwrap(),
                None => 0,
            };
            let mut small = [0; 10];
            let n = file.read(&mut small).await.unwrap();
            let place = taken + n;
            assert_eq!(small[..n], pattern(100_000)[taken..place]);

            match after {
                "write" => {
                    file.write_all(b"HERE").await.unwrap();
                    file.flush().await.unwrap();
                    let now = std::fs::read(&path).unwrap();
                    assert_eq!(&now[place..place + 4], b"HERE");
                    assert_eq!(now[..place], pattern(100_000)[..place]);
                    assert_eq!(now[place + 4..], pattern(100_000)[place + 4..]);
                }
                "seek" => {
                    assert_eq!(file.seek(SeekFrom::Current(5)).await.unwrap(), place as u64 + 5);
                    assert_eq!(file.read_u8().await.unwrap(), pattern(100_000)[place + 5]);
                }
                "set_len" => {
                    file.set_len(place as u64 + 1).await.unwrap();
                    let mut rest = Vec::new();
                    file.read_to_end(&mut rest).await.unwrap();
                    assert_eq!(rest, pattern(100_000)[place..=place]);
                }
                _ => {
                    if after == "sync" {
                        file.sync_all().await.unwrap();
                    } else {
                        drop(file.try_clone().await.unwrap());
                    }
                    assert_eq!(file.read_u8().await.unwrap(), pattern(100_000)[place]);
                }
            }
        }
    });
}

#[test]
fn reading_what_was_written_just_now() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let mut file =
            OpenOptions::new().read(true).write(true).create_new(true).open(&path).await.unwrap();
        for round in 0..100u32 {
            // No flush: a read or seek comes after the write all the same.
            file.write_all(&round.to_le_bytes()).await.unwrap();
            assert_eq!(file.seek(SeekFrom::Current(-4)).await.unwrap(), u64::from(round) * 4);
            assert_eq!(file.read_u32_le().await.unwrap(), round);
        }
        file.write_all(b"tail").await.unwrap();
        assert_eq!(file.read(&mut [0; 4]).await.unwrap(), 0);
    });
}

#[test]
fn appending_goes_to_the_end_wherever_one_reads() {
    on_both(|_| async {
        let (_dir, path) = file(b"0123456789");
        let mut file = OpenOptions::new().read(true).append(true).open(&path).await.unwrap();
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"01");
        file.write_all(b"ab").await.unwrap();
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"0123456789ab");
        file.rewind().await.unwrap();
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"01");
    });
}

#[test]
fn clones_share_a_position() {
    on_both(|_| async {
        let (_dir, path) = file(b"abcdef");
        let mut file = File::open(&path).await.unwrap();
        let mut clone = file.try_clone().await.unwrap();
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        clone.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"cd");
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"ef");
        clone.rewind().await.unwrap();
        assert_eq!(file.read_u8().await.unwrap(), b'a');
    });
}

#[test]
fn the_standard_librarys_file_and_back() {
    on_both(|_| async {
        let (_dir, path) = file(b"abcdef");
        let mut std = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        std.seek(SeekFrom::Start(2)).unwrap();
        let mut file = File::from_std(std);
        assert_eq!(file.read_u8().await.unwrap(), b'c');
        file.write_all(b"XY").await.unwrap();

        // A write is under way or done; either way it is not lost.
        let mut std = match file.try_into_std() {
            Ok(std) => std,
            Err(file) => file.into_std().await,
        };
        let mut rest = String::new();
        std.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "f");
        assert_eq!(std::fs::read(&path).unwrap(), b"abcXYf");
    });
}

#[test]
fn the_largest_read_and_write_can_be_set() {
    on_both(|_| async {
        let (_dir, path) = file(b"abcdef");
        let mut file = OpenOptions::new().read(true).write(true).open(&path).await.unwrap();
        assert_eq!(file.max_buf_size(), 2 * 1024 * 1024);
        file.set_max_buf_size(2);
        assert_eq!(file.read(&mut [0; 100]).await.unwrap(), 2);
        assert_eq!(file.write(b"wxyz").await.unwrap(), 2);
        assert_eq!(file.write_vectored(&[IoSlice::new(b"1"), IoSlice::new(b"23")]).await.unwrap(), 2);
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abwx12");
        assert_eq!(file.try_clone().await.unwrap().max_buf_size(), 2);
    });
}

#[test]
#[should_panic = "`max_buf_size` must be greater than 0"]
fn the_largest_read_is_not_zero() {
    let (_dir, path) = file(b"");
    File::from_std(std::fs::File::open(path).unwrap()).set_max_buf_size(0);
}

#[test]
fn vectored_writes_are_taken_whole() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let mut file = File::create(&path).await.unwrap();
        assert!(yamanote::io::AsyncWrite::is_write_vectored(&file));
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(file.write_vectored(&parts).await.unwrap(), 5);
        file.shutdown().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abcde");
    });
}

#[test]
fn a_buffered_reader_around_a_file_seeks_rightly() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).await.unwrap();
        let mut reader = BufReader::new(file);
        reader.write_all(b"0123456789").await.unwrap();
        for (to, place) in [(SeekFrom::Start(1), 1), (SeekFrom::End(-3), 7), (SeekFrom::Current(-2), 6)]
        {
            assert_eq!(reader.seek(to).await.unwrap(), place);
            assert_eq!(u64::from(reader.read_u8().await.unwrap() - b'0'), place);
        }
    });
}

#[test]
fn an_error_of_a_write_is_told_later() {
    on_both(|_| async {
        let (_dir, path) = file(b"abc");
        // Not open for writing: accepted, then refused by the system.
        let mut file = File::open(&path).await.unwrap();
        file.write_all(b"x").await.unwrap();
        assert!(file.flush().await.is_err());
        file.flush().await.unwrap();
        assert_eq!(file.read_u8().await.unwrap(), b'a');

        file.write_all(b"x").await.unwrap();
        assert!(file.write(b"y").await.is_err());

        file.write_all(b"x").await.unwrap();
        assert_eq!(file.read_u8().await.unwrap(), b'b', "reading is not what failed");
        assert!(file.flush().await.is_err());
    });
}

#[test]
fn a_file_open_for_writing_only_is_not_read() {
    on_both(|dir| async move {
        let mut file = File::create(dir.path().join("f")).await.unwrap();
        let error = file.read(&mut [0; 4]).await.unwrap_err();
        let std = std::fs::File::create(dir.path().join("g")).unwrap();
        let expected = (&std).read(&mut [0; 4]).unwrap_err();
        assert_eq!(error.raw_os_error(), expected.raw_os_error());
    });
}

#[test]
fn opening_what_is_not_there_or_must_not_be() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        for _ in 0..3 {
            let error = File::open(&path).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
        File::create_new(&path).await.unwrap();
        let error = File::create_new(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        File::open(&path).await.unwrap();
        let error = File::open(path.join("below")).await.unwrap_err();
        let expected =
            if cfg!(windows) { io::ErrorKind::NotFound } else { io::ErrorKind::NotADirectory };
        assert_eq!(error.kind(), expected);
        let error = File::open("nul\0byte").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let error = File::open("").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = OpenOptions::new().read(true).truncate(true).open(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn length_times_permissions() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let file = File::create(&path).await.unwrap();
        file.set_len(1000).await.unwrap();
        file.sync_data().await.unwrap();
        assert_eq!(file.metadata().await.unwrap().len(), 1000);

        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let accessed = modified + Duration::from_secs(60);
        file.set_times(FileTimes::new().set_modified(modified).set_accessed(accessed)).await.unwrap();
        let metadata = file.metadata().await.unwrap();
        assert_eq!((metadata.modified().unwrap(), metadata.accessed().unwrap()), (modified, accessed));
        file.set_modified(accessed).await.unwrap();
        assert_eq!(file.metadata().await.unwrap().modified().unwrap(), accessed);

        let mut permissions = file.metadata().await.unwrap().permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions).await.unwrap();
        assert!(fs::metadata(&path).await.unwrap().permissions().readonly());
    });
}

#[test]
fn what_a_dropped_file_accepted_is_written() {
    for runtime in [single(), multi()] {
        let (_dir, path) = file(b"");
        runtime.block_on(async {
            let mut file = File::create(&path).await.unwrap();
            file.write_all(b"accepted").await.unwrap();
        });
        drop(runtime);
        assert_eq!(std::fs::read(&path).unwrap(), b"accepted");
    }
}

#[test]
fn a_reader_lets_others_run() {
    // One thread, and a task that reads a cached file without end: the other one gets its turn.
    single().block_on(async {
        let (_dir, path) = file(&pattern(8192));
        let reader = yamanote::spawn(async move {
            let mut file = File::open(&path).await.unwrap();
            let mut buf = vec![0; 4096];
            loop {
                if file.read(&mut buf).await.unwrap() == 0 {
                    file.rewind().await.unwrap();
                }
            }
        });
        for _ in 0..100 {
            yamanote::task::yield_now().await;
        }
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
    });
    single().block_on(async {
        let (_dir, path) = file(&pattern(8192));
        let reader = yamanote::spawn(async move {
            loop {
                fs::read(&path).await.unwrap();
                fs::metadata(&path).await.unwrap();
                assert!(fs::try_exists(&path).await.unwrap());
            }
        });
        for _ in 0..100 {
            yamanote::task::yield_now().await;
        }
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn many_tasks_at_once() {
    multi().block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let tasks: Vec<_> = (0..64usize)
            .map(|i| {
                let path = dir.path().join(i.to_string());
                yamanote::spawn(async move {
                    let expected = pattern(i * 997);
                    fs::write(&path, &expected).await.unwrap();
                    for _ in 0..10 {
                        assert_eq!(fs::metadata(&path).await.unwrap().len(), expected.len() as u64);
                        assert!(fs::read(&path).await.unwrap() == expected);
                    }
                    fs::remove_file(&path).await.unwrap();
                    assert!(!fs::try_exists(&path).await.unwrap());
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn outside_a_runtime_operations_panic() {
    let (_dir, path) = file(b"abc");
    let waker = std::task::Waker::noop();
    let panics = |future: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let mut future = future;
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = future.as_mut().poll(&mut std::task::Context::from_waker(waker));
        }))
        .is_err()
    };
    let p = path.clone();
    assert!(panics(Box::pin(async move { drop(fs::read(p).await) })));
    let p = path.clone();
    assert!(panics(Box::pin(async move { drop(fs::metadata(p).await) })));
    let p = path.clone();
    assert!(panics(Box::pin(async move { drop(File::open(p).await) })));
    let mut file = File::from_std(std::fs::File::open(&path).unwrap());
    assert!(panics(Box::pin(async move { drop(file.read(&mut [0; 3]).await) })));
}

#[test]
fn debug_shows_the_file() {
    let (_dir, path) = file(b"");
    let file = File::from_std(std::fs::File::open(path).unwrap());
    assert!(format!("{file:?}").starts_with("tokio::fs::File { std: File { "));
}

/// Each takes what the others have not: at one position, one read comes after the other. Also where the kernel does them, for
/// several runtimes.
#[test]
fn clones_that_read_at_once_take_turns() {
    const PIECE: usize = 100 * 1024;
    const PIECES: usize = 40;
    for way in super::support::WAYS {
        let runtime =
            || yamanote::runtime::Builder::new_current_thread().enable_all().file_io(way).build();
        for round in 0..6 {
            let (_dir, path) = file(&pattern(PIECES * PIECE));
            let clones = runtime().unwrap().block_on(async {
                let first = match round % 3 {
                    0 => File::open(&path).await.unwrap(),
                    1 => File::from_std(std::fs::File::open(&path).unwrap()),
                    _ => File::options().read(true).open(&path).await.unwrap(),
                };
                let mut clones = vec![first.try_clone().await.unwrap()];
                #[cfg(unix)]
                {
                    use std::os::fd::AsFd;
                    clones.push(std::fs::File::from(first.as_fd().try_clone_to_owned().unwrap()).into());
                }
                clones.push(clones[0].try_clone().await.unwrap());
                clones.push(first);
                clones
            });
            let begin = std::sync::Barrier::new(clones.len());
            let read = |mut clone: File| {
                let runtime = runtime().unwrap();
                begin.wait();
                runtime.block_on(async {
                    let mut pieces = Vec::new();
                    loop {
                        let mut piece = vec![0; PIECE];
                        match clone.read(&mut piece).await.unwrap() {
                            0 => return pieces,
                            n => pieces.push(piece[..n].to_vec()),
                        }
                    }
                })
            };
            let mut all: Vec<_> = std::thread::scope(|scope| {
                let readers: Vec<_> =
                    clones.into_iter().map(|clone| scope.spawn(|| read(clone))).collect();
                readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
            });
            let mut expected: Vec<_> =
                pattern(PIECES * PIECE).chunks(PIECE).map(<[u8]>::to_vec).collect();
            all.sort();
            expected.sort();
            assert!(all == expected, "{way:?}: {} pieces", all.len());
        }
    }
}
