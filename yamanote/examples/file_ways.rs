//! What operations on files cost, in each way in which a runtime can do them, beside the standard library's.
//!
//!     cargo run --release --features io-uring --example file_ways [FOLDER [OPERATION]]
//!
//! Microseconds an operation, once with one in flight and once with 64. `cold` drops the file from memory first.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use yamanote::fs::{self, File, OpenOptions};
use yamanote::io::{AsyncReadExt, AsyncWriteExt};
use yamanote::runtime::{Builder, FileIo, Runtime};
use yamanote::task::JoinSet;

mod support;

const HELP: &str = "\
usage: file_ways [FOLDER [OPERATION]]

Times operations on files in FOLDER (default: the system's for temporary files), all or those whose names contain
OPERATION.";

const SMALL: usize = 4096;
const FILES: usize = 256;
const LARGE: usize = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Read4k,
    Read4kCold,
    ReadDirect,
    ReadBy64k,
    ReadBy64kCold,
    Metadata,
    MetadataMissing,
    Rename,
    CreateRemove,
    OpenForWriting,
    Write4k,
    Fsync,
}

use Operation::{
    CreateRemove, Fsync, Metadata, MetadataMissing, OpenForWriting, Read4k, Read4kCold, ReadBy64k,
    ReadBy64kCold, ReadDirect, Rename, Write4k,
};

const ALL: [Operation; 12] = [
    Read4k,
    Read4kCold,
    ReadDirect,
    ReadBy64k,
    ReadBy64kCold,
    Metadata,
    MetadataMissing,
    Rename,
    CreateRemove,
    OpenForWriting,
    Write4k,
    Fsync,
];

/// Throws a file out of memory.
fn forget(path: &Path) {
    let file = std::fs::File::open(path).unwrap();
    // SAFETY: an open descriptor; the call takes numbers.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
}

fn name(folder: &Path, i: usize) -> PathBuf {
    folder.join((i % FILES).to_string())
}

/// Memory as past the cache it has to be: at a multiple of 4096.
fn aligned(memory: &mut [u8]) -> &mut [u8] {
    let offset = memory.as_ptr().align_offset(SMALL);
    &mut memory[offset..offset + SMALL]
}

/// What each task does, `i` telling them apart.
async fn perform(operation: Operation, folder: Arc<PathBuf>, i: usize) {
    let path = name(&folder, i);
    match operation {
        Read4k | Read4kCold => assert_eq!(fs::read(&path).await.unwrap().len(), SMALL),
        ReadDirect => {
            let mut options = OpenOptions::new();
            let Ok(file) = options.read(true).custom_flags(libc::O_DIRECT).open(&path).await else {
                return;
            };
            // The file's own buffer is as aligned as the allocator makes it, so that this only tells when it suits.
            let mut file = file;
            let _ = file.read(&mut [0; SMALL]).await;
        }
        ReadBy64k | ReadBy64kCold => {
            let mut file = File::open(folder.join("large")).await.unwrap();
            let mut buffer = vec![0; 64 * 1024];
            let mut total = 0;
            loop {
                match file.read(&mut buffer).await.unwrap() {
                    0 => break,
                    n => total += n,
                }
            }
            assert_eq!(total, LARGE);
        }
        Metadata => assert_eq!(fs::metadata(&path).await.unwrap().len(), SMALL as u64),
        MetadataMissing => assert!(fs::metadata(folder.join("none")).await.is_err()),
        Rename => {
            let (from, to) = (folder.join(format!("{i}.a")), folder.join(format!("{i}.b")));
            fs::rename(&from, &to).await.unwrap();
            fs::rename(&to, &from).await.unwrap();
        }
        CreateRemove => {
            let path = folder.join(format!("new {i}"));
            drop(File::create(&path).await.unwrap());
            fs::remove_file(&path).await.unwrap();
        }
        OpenForWriting => drop(OpenOptions::new().write(true).open(&path).await.unwrap()),
        Write4k => {
            let mut file = OpenOptions::new().write(true).open(&path).await.unwrap();
            for _ in 0..8 {
                file.write_all(&[7; SMALL / 8]).await.unwrap();
            }
            file.flush().await.unwrap();
        }
        Fsync => {
            let mut file = OpenOptions::new().write(true).open(&path).await.unwrap();
            file.write_all(&[8; SMALL]).await.unwrap();
            file.sync_data().await.unwrap();
        }
    }
}

fn perform_std(operation: Operation, folder: &Path, i: usize) {
    use std::io::{Read, Write};
    use std::os::unix::fs::OpenOptionsExt;
    let path = name(folder, i);
    match operation {
        Read4k | Read4kCold => assert_eq!(std::fs::read(&path).unwrap().len(), SMALL),
        ReadDirect => {
            let mut options = std::fs::OpenOptions::new();
            let Ok(mut file) = options.read(true).custom_flags(libc::O_DIRECT).open(&path) else {
                return;
            };
            let _ = file.read(aligned(&mut [0; 2 * SMALL]));
        }
        ReadBy64k | ReadBy64kCold => {
            let mut file = std::fs::File::open(folder.join("large")).unwrap();
            let mut buffer = vec![0; 64 * 1024];
            while file.read(&mut buffer).unwrap() > 0 {}
        }
        Metadata => assert_eq!(std::fs::metadata(&path).unwrap().len(), SMALL as u64),
        MetadataMissing => assert!(std::fs::metadata(folder.join("none")).is_err()),
        Rename => {
            let (from, to) = (folder.join(format!("{i}.a")), folder.join(format!("{i}.b")));
            std::fs::rename(&from, &to).unwrap();
            std::fs::rename(&to, &from).unwrap();
        }
        CreateRemove => {
            let path = folder.join(format!("new {i}"));
            drop(std::fs::File::create(&path).unwrap());
            std::fs::remove_file(&path).unwrap();
        }
        OpenForWriting => drop(std::fs::OpenOptions::new().write(true).open(&path).unwrap()),
        Write4k => {
            let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            for _ in 0..8 {
                file.write_all(&[7; SMALL / 8]).unwrap();
            }
        }
        Fsync => {
            let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.write_all(&[8; SMALL]).unwrap();
            file.sync_data().unwrap();
        }
    }
}

/// How often in a batch.
fn count(operation: Operation) -> usize {
    match operation {
        ReadBy64k | ReadBy64kCold => 8,
        Fsync => 64,
        Read4kCold => FILES,
        _ => 2048,
    }
}

fn prepare(operation: Operation, folder: &Path) {
    match operation {
        Read4kCold => (0..FILES).for_each(|i| forget(&name(folder, i))),
        ReadBy64kCold => forget(&folder.join("large")),
        _ => {}
    }
}

fn measure(
    runtime: &Runtime,
    operation: Operation,
    folder: &Arc<PathBuf>,
    in_flight: usize,
) -> Duration {
    let mut best = Duration::MAX;
    let count = count(operation);
    for _ in 0..5 {
        prepare(operation, folder);
        let begun = Instant::now();
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for lane in 0..in_flight.min(count) {
                let folder = Arc::clone(folder);
                tasks.spawn(async move {
                    for round in 0..count / in_flight.min(count) {
                        // Renames want a file of their own.
                        let i = if operation == Rename { lane } else { lane + round * in_flight };
                        perform(operation, Arc::clone(&folder), i).await;
                    }
                });
            }
            while tasks.join_next().await.is_some() {}
        });
        best = best.min(begun.elapsed() / count as u32);
    }
    best
}

fn measure_std(operation: Operation, folder: &Path) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        prepare(operation, folder);
        let begun = Instant::now();
        for i in 0..count(operation) {
            perform_std(operation, folder, if operation == Rename { 0 } else { i });
        }
        best = best.min(begun.elapsed() / count(operation) as u32);
    }
    best
}

fn main() {
    let mut arguments = support::words(HELP, 0, 2).into_iter();
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let wanted = arguments.next();
    let folder = Arc::new(parent.join(format!("yamanote-file-ways-{}", std::process::id())));
    std::fs::create_dir(&*folder).unwrap();
    for i in 0..FILES {
        std::fs::write(name(&folder, i), [7; SMALL]).unwrap();
    }
    for i in 0..64 {
        std::fs::write(folder.join(format!("{i}.a")), "x").unwrap();
    }
    std::fs::write(folder.join("large"), vec![7; LARGE]).unwrap();
    // Only what is on the disk can be thrown out of memory.
    for i in 0..FILES {
        std::fs::File::open(name(&folder, i)).unwrap().sync_all().unwrap();
    }
    std::fs::File::open(folder.join("large")).unwrap().sync_all().unwrap();

    println!("{:<16} {:>9} | {:^29} | {:^29}", "µs", "std", "one in flight", "64 in flight");
    println!(
        "{:<16} {:>9} | {:>9} {:>9} {:>9} | {:>9} {:>9} {:>9}",
        "", "", "cached", "pool", "ring", "cached", "pool", "ring"
    );
    for operation in ALL {
        if wanted.as_ref().is_some_and(|wanted| !format!("{operation:?}").contains(wanted.as_str())) {
            continue;
        }
        let mut cells = vec![measure_std(operation, &folder)];
        for in_flight in [1, 64] {
            for way in [FileIo::Cached, FileIo::Pool, FileIo::Ring] {
                let mut builder = Builder::new_multi_thread();
                let runtime = builder.worker_threads(2).enable_all().file_io(way).build().unwrap();
                cells.push(measure(&runtime, operation, &folder, in_flight));
            }
        }
        print!("{:<16}", format!("{operation:?}"));
        for (i, cell) in cells.iter().enumerate() {
            if i % 3 == 1 {
                print!(" |");
            }
            print!(" {:>9.1}", cell.as_secs_f64() * 1e6);
        }
        println!();
    }
    std::fs::remove_dir_all(&*folder).unwrap();
}
