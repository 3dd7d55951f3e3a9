//! What a task that only waits occupies.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, Ordering};

use crate::harness::{CT, Cell, Context, Metric, W2, on};

pub const CELLS: &[Cell] = &[
    Cell { name: "memory/idle_task", flavours: &[CT, W2], run: idle_task },
    Cell { name: "memory/idle_connection", flavours: &[CT, W2], run: idle_connection },
];

static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting live bytes while it is told to.
pub struct Counting;

fn count(bytes: isize) {
    // Relaxed: a sum that is read when the counted work is over.
    if COUNTING.load(Ordering::Relaxed) {
        LIVE.fetch_add(bytes, Ordering::Relaxed);
        if bytes > 0 {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Runs `f` and tells how many allocations it made (those that grow count again).
pub fn allocations_in(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    COUNTING.store(true, Ordering::SeqCst);
    f();
    COUNTING.store(false, Ordering::SeqCst);
    ALLOCATIONS.load(Ordering::SeqCst) - before
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0);
    // SAFETY: no preconditions.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as f64
}

fn idle_task(context: &Context) -> Vec<Metric> {
    const TASKS: usize = 100_000;
    let runtime = context.runtime();
    on(&runtime, async {
        // The runtime's own first-use allocations are not the tasks'.
        rt::spawn(rt::task::yield_now()).await.unwrap();
        let resident = resident_bytes();
        COUNTING.store(true, Ordering::SeqCst);
        for _ in 0..TASKS {
            // Detached: a kept handle would be the caller's memory.
            rt::spawn(std::future::pending::<()>());
        }
        // Every task is polled once before this one has yielded often enough on any worker.
        for _ in 0..1_000 {
            rt::task::yield_now().await;
        }
        COUNTING.store(false, Ordering::SeqCst);
        let per_task = |bytes: f64| bytes / TASKS as f64;
        vec![
            Metric { name: "heap", value: per_task(LIVE.load(Ordering::SeqCst) as f64), unit: "B" },
            Metric { name: "resident", value: per_task(resident_bytes() - resident), unit: "B" },
        ]
    })
}

/// A server's end of a TCP connection that waits for a request, with its task.
fn idle_connection(context: &Context) -> Vec<Metric> {
    const CONNECTIONS: usize = 1_000;
    let runtime = context.runtime();
    on(&runtime, async {
        let listener = rt::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = |(mut socket, _): (rt::net::TcpStream, _)| {
            rt::spawn(async move {
                // As small a buffer as there can be: what waits is not measured by what it would read into.
                let _ = rt::io::AsyncReadExt::read_u8(&mut socket).await;
            });
        };
        let mut clients = vec![std::net::TcpStream::connect(address).unwrap()];
        clients.reserve(CONNECTIONS);
        serve(listener.accept().await.unwrap());
        rt::task::yield_now().await;
        let resident = resident_bytes();
        LIVE.store(0, Ordering::SeqCst);
        COUNTING.store(true, Ordering::SeqCst);
        for _ in 0..CONNECTIONS {
            clients.push(std::net::TcpStream::connect(address).unwrap());
            serve(listener.accept().await.unwrap());
        }
        for _ in 0..1_000 {
            rt::task::yield_now().await;
        }
        COUNTING.store(false, Ordering::SeqCst);
        let each = |bytes: f64| bytes / CONNECTIONS as f64;
        vec![
            Metric { name: "heap", value: each(LIVE.load(Ordering::SeqCst) as f64), unit: "B" },
            Metric { name: "resident", value: each(resident_bytes() - resident), unit: "B" },
        ]
    })
}
