//! Files that are in the page cache: nearly all of it is the way to the operating system and back. What is named `std` does
//! the same with the standard library, on the thread it is on: the limit.

use std::io::{Read, Seek};

use rt::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::harness::{CT, Cell, Context, Metric, W2};

pub const CELLS: &[Cell] = &[
    Cell { name: "fs/read_4k", flavours: &[CT, W2], run: read_whole },
    Cell { name: "fs/read_4k_open_file", flavours: &[CT, W2], run: read_open },
    Cell { name: "fs/read_1m_by_64k", flavours: &[CT, W2], run: read_chunks },
    Cell { name: "fs/metadata", flavours: &[CT, W2], run: metadata },
    Cell { name: "fs/small_files_64", flavours: &[CT, W2], run: small_files },
    Cell { name: "fs/read_dir_1000", flavours: &[CT, W2], run: read_dir },
    Cell { name: "fs/open_for_writing", flavours: &[CT, W2], run: open_for_writing },
    Cell { name: "fs/write_4k", flavours: &[CT, W2], run: write_4k },
    Cell { name: "fs/write_1m", flavours: &[CT, W2], run: write_1m },
    Cell { name: "fs/std_read_4k", flavours: &[CT], run: std_read_whole },
    Cell { name: "fs/std_read_1m_by_64k", flavours: &[CT], run: std_read_chunks },
    Cell { name: "fs/std_metadata", flavours: &[CT], run: std_metadata },
    Cell { name: "fs/std_read_dir_1000", flavours: &[CT], run: std_read_dir },
    Cell { name: "fs/std_write_4k", flavours: &[CT], run: std_write_4k },
    Cell { name: "fs/std_write_1m", flavours: &[CT], run: std_write_1m },
    Cell { name: "fs/blocking_round_trip", flavours: &[CT, W2], run: round_trip },
    Cell { name: "fs/blocking_round_trip_64", flavours: &[CT, W2], run: round_trip_64 },
];

const SIZE: usize = 4096;

/// A file that exists while the cell runs.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let path = std::env::temp_dir().join(format!("yamanote-bench-{}", std::process::id()));
        std::fs::write(&path, vec![7; SIZE]).expect("the temporary folder is writable");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn read_whole(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    context
        .tasks(|n| {
            let path = file.0.clone();
            async move {
                for _ in 0..n {
                    assert_eq!(rt::fs::read(&path).await.unwrap().len(), SIZE);
                }
                n
            }
        })
        .both()
}

fn read_open(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    context
        .tasks(|n| {
            let path = file.0.clone();
            async move {
                let mut file = rt::fs::File::open(path).await.unwrap();
                let mut buffer = [0; SIZE];
                for _ in 0..n {
                    file.rewind().await.unwrap();
                    file.read_exact(&mut buffer).await.unwrap();
                }
                n
            }
        })
        .both()
}

fn metadata(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    context
        .tasks(|n| {
            let path = file.0.clone();
            async move {
                for _ in 0..n {
                    assert_eq!(rt::fs::metadata(&path).await.unwrap().len(), SIZE as u64);
                }
                n
            }
        })
        .both()
}

/// A mebibyte that is in memory, in pieces of 64 KiB.
fn read_chunks(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    std::fs::write(&file.0, vec![7; 1 << 20]).expect("the temporary folder is writable");
    context
        .tasks(|n| {
            let path = file.0.clone();
            async move {
                let mut file = rt::fs::File::open(path).await.unwrap();
                let mut buffer = vec![0; 64 * 1024];
                for _ in 0..n {
                    file.rewind().await.unwrap();
                    for _ in 0..16 {
                        file.read_exact(&mut buffer).await.unwrap();
                    }
                }
                n
            }
        })
        .both()
}

/// A directory of small files that exists while the cell runs.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(files: usize) -> Folder {
        let path = std::env::temp_dir().join(format!("yamanote-bench-dir-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder is writable");
        for i in 0..files {
            std::fs::write(path.join(i.to_string()), [7; 1000])
                .expect("the temporary folder is writable");
        }
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A thousand files, 64 at a time; one is an operation.
fn small_files(context: &Context) -> Vec<Metric> {
    const FILES: u64 = 1_000;
    const LANES: u64 = 64;
    let folder = Folder::new(FILES as usize);
    context
        .tasks(|n| {
            let folder = folder.0.clone();
            async move {
                let each = n.div_ceil(LANES);
                let lanes: Vec<_> = (0..LANES)
                    .map(|lane| {
                        let folder = folder.clone();
                        rt::spawn(async move {
                            for i in 0..each {
                                let path = folder.join(((lane + i * LANES) % FILES).to_string());
                                assert_eq!(rt::fs::read(&path).await.unwrap().len(), 1000);
                            }
                        })
                    })
                    .collect();
                for lane in lanes {
                    lane.await.unwrap();
                }
                each * LANES
            }
        })
        .both()
}

fn read_dir(context: &Context) -> Vec<Metric> {
    let folder = Folder::new(1_000);
    context
        .tasks(|n| {
            let folder = folder.0.clone();
            async move {
                for _ in 0..n {
                    let mut entries = rt::fs::read_dir(&folder).await.unwrap();
                    let mut count = 0;
                    while entries.next_entry().await.unwrap().is_some() {
                        count += 1;
                    }
                    assert_eq!(count, 1_000);
                }
                n
            }
        })
        .both()
}

fn open_for_writing(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    context
        .tasks(|n| {
            let path = file.0.clone();
            async move {
                for _ in 0..n {
                    drop(rt::fs::OpenOptions::new().write(true).open(&path).await.unwrap());
                }
                n
            }
        })
        .both()
}

fn write(context: &Context, size: usize) -> Vec<Metric> {
    let file = Scratch::new();
    context
        .tasks(|n| {
            let path = file.0.clone();
            async move {
                let mut file = rt::fs::OpenOptions::new().write(true).open(&path).await.unwrap();
                let bytes = vec![7; size];
                for _ in 0..n {
                    file.rewind().await.unwrap();
                    file.write_all(&bytes).await.unwrap();
                    file.flush().await.unwrap();
                }
                n
            }
        })
        .both()
}

fn write_4k(context: &Context) -> Vec<Metric> {
    write(context, SIZE)
}

fn write_1m(context: &Context) -> Vec<Metric> {
    write(context, 1 << 20)
}

/// Does `operation` as often as it takes, with the standard library.
fn with_std(context: &Context, mut operation: impl FnMut()) -> Vec<Metric> {
    context
        .batches(|n| {
            for _ in 0..n {
                operation();
            }
            n
        })
        .both()
}

fn std_read_whole(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    with_std(context, || assert_eq!(std::fs::read(&file.0).unwrap().len(), SIZE))
}

fn std_read_chunks(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    std::fs::write(&file.0, vec![7; 1 << 20]).expect("the temporary folder is writable");
    let mut open = std::fs::File::open(&file.0).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    with_std(context, || {
        open.rewind().unwrap();
        for _ in 0..16 {
            open.read_exact(&mut buffer).unwrap();
        }
    })
}

fn std_metadata(context: &Context) -> Vec<Metric> {
    let file = Scratch::new();
    with_std(context, || assert_eq!(std::fs::metadata(&file.0).unwrap().len(), SIZE as u64))
}

fn std_read_dir(context: &Context) -> Vec<Metric> {
    let folder = Folder::new(1_000);
    with_std(context, || assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1_000))
}

fn std_write(context: &Context, size: usize) -> Vec<Metric> {
    let file = Scratch::new();
    let mut open = std::fs::File::options().write(true).open(&file.0).unwrap();
    let bytes = vec![7; size];
    with_std(context, || {
        open.rewind().unwrap();
        std::io::Write::write_all(&mut open, &bytes).unwrap();
    })
}

fn std_write_4k(context: &Context) -> Vec<Metric> {
    std_write(context, SIZE)
}

fn std_write_1m(context: &Context) -> Vec<Metric> {
    std_write(context, 1 << 20)
}

/// A job of the blocking pool's that does nothing, there and back.
fn round_trip(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            for _ in 0..n {
                rt::task::spawn_blocking(|| ()).await.unwrap();
            }
            n
        })
        .both()
}

fn round_trip_64(context: &Context) -> Vec<Metric> {
    context
        .tasks(|n| async move {
            let each = n.div_ceil(64);
            let lanes: Vec<_> = (0..64)
                .map(|_| {
                    rt::spawn(async move {
                        for _ in 0..each {
                            rt::task::spawn_blocking(|| ()).await.unwrap();
                        }
                    })
                })
                .collect();
            for lane in lanes {
                lane.await.unwrap();
            }
            each * 64
        })
        .both()
}
