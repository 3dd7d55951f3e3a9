//! Small files that are in the page cache: nearly all of it is the way to the operating system and back.

use rt::io::{AsyncReadExt, AsyncSeekExt};

use crate::harness::{CT, Cell, Context, Metric, W2};

pub const CELLS: &[Cell] = &[
    Cell { name: "fs/read_4k", flavours: &[CT, W2], run: read_whole },
    Cell { name: "fs/read_4k_open_file", flavours: &[CT, W2], run: read_open },
    Cell { name: "fs/read_1m_by_64k", flavours: &[CT, W2], run: read_chunks },
    Cell { name: "fs/metadata", flavours: &[CT, W2], run: metadata },
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
