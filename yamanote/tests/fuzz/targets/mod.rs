//! What is fuzzed: each target reads a script, and does the same with yamanote and with something that is simple
//! enough to be right.

mod broadcast;
mod mpsc;
mod notify;
mod pipes;
mod read_buf;
mod reading;
mod rwlock;
mod select;
mod semaphore;
mod watch;
mod writing;

pub type Target = fn(&[u8]);

pub const ALL: &[(&str, Target)] = &[
    ("broadcast", broadcast::run),
    ("mpsc", mpsc::run),
    ("notify", notify::run),
    ("pipes", pipes::run),
    ("read_buf", read_buf::run),
    ("reading", reading::run),
    ("rwlock", rwlock::run),
    ("select", select::run),
    ("semaphore", semaphore::run),
    ("watch", watch::run),
    ("writing", writing::run),
];
