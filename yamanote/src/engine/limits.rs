//! Every capacity and interval of the engine, with where it comes from.

/// Tasks in a worker's local ring. Upstream's and Go's number; at 8 bytes a slot it is half a page.
#[cfg(not(loom))]
pub(crate) const LOCAL_QUEUE_CAPACITY: usize = 256;
#[cfg(loom)]
pub(crate) const LOCAL_QUEUE_CAPACITY: usize = 4;

/// Polls in a row that may come from the LIFO slot before the ring gets a turn: two tasks that wake each
/// other would otherwise keep it forever. Upstream's number.
pub(crate) const MAX_LIFO_POLLS: u8 = 3;

/// Ticks between two looks at the inbox before the local queue. Prime, so that it does not fall into step
/// with periodic work; upstream's default for its single-threaded flavour.
pub(crate) const GLOBAL_QUEUE_INTERVAL: u32 = 31;

/// How long a task may wait in the inbox of a busy worker, on average, where the interval adapts. Upstream
/// documents the same aim for its own.
pub(crate) const INBOX_TARGET: std::time::Duration = std::time::Duration::from_micros(200);

/// The adapting interval's bounds: the local queue keeps half of the polls at least, and the inbox is never
/// more than some ten microseconds of empty polls away.
pub(crate) const MIN_INBOX_INTERVAL: u32 = 2;
pub(crate) const MAX_INBOX_INTERVAL: u32 = 127;

/// How long an event may wait for a busy worker, on average, unless the interval was set: a turn of the driver
/// costs about a microsecond, a thousandth of this.
pub(crate) const TURN_TARGET: std::time::Duration = std::time::Duration::from_millis(1);

/// Ticks between two turns of the driver while there is work. Upstream's default.
pub(crate) const EVENT_INTERVAL: u32 = 61;

/// Workers that share a poller: as many as one epoll instance serves without being felt. See `io/poller`.
pub(crate) const WORKERS_PER_POLLER: usize = 4;

/// Events taken from the operating system in one turn, at the most. Upstream's default.
pub(crate) const EVENTS_PER_TURN: usize = 1024;

/// Tasks taken from somebody else's inbox at once. Arbitrary: half a ring leaves room for what they spawn.
pub(crate) const INBOX_BATCH: usize = LOCAL_QUEUE_CAPACITY / 2;

/// Spare workers at the least and, unless there are more workers, at the most. Arbitrary: even a runtime with one worker can
/// stand a few tasks that block at once; a slot is some 8 KiB.
pub(crate) const MIN_SPARES: usize = 4;
pub(crate) const MAX_SPARES: usize = 64;

/// Workers at the most: their indices are kept in 16 bits, one value of which means "none".
pub(crate) const MAX_WORKERS: usize = u16::MAX as usize - 1;

/// How long a poll may take before its worker counts as stuck, unless the builder says otherwise. Human-scale: below what
/// users notice.
pub(crate) const STALL_LIMIT: std::time::Duration = std::time::Duration::from_millis(10);

/// How long a permit may lie with a future that its task passes by, unless the builder says otherwise. Human-scale, and
/// long for a task that means to come back to it.
pub(crate) const FUTURELOCK_LIMIT: std::time::Duration = std::time::Duration::from_secs(1);

/// How often the monitor looks at the workers' poll counters, at the least while there is anything to watch: as
/// often as the limit asks for, and 100 wake-ups a second for the default.
pub(crate) const MONITOR_MAX_INTERVAL: std::time::Duration = std::time::Duration::from_millis(10);

/// How often it looks at the most: when it turns a stuck worker's driver itself, since there is no spare, and
/// finds something each time. Go's number for the same.
pub(crate) const MONITOR_MIN_INTERVAL: std::time::Duration = std::time::Duration::from_micros(20);

/// Looks in a row that find all workers asleep before the monitor sleeps too, until it is woken. Long
/// enough that a lightly loaded service does not pay a wake-up for each of its own.
pub(crate) const MONITOR_DOZE_AFTER: u32 = 100;

/// How often the monitor looks at lent cores while there are any: what `block_in_place` may hold events and timers up
/// for is some twice this, and what it takes to wake the monitor and a thread. To send one at once costs 10 µs each time.
pub(crate) const LENT_INTERVAL: std::time::Duration = std::time::Duration::from_micros(100);

/// Looks in a row that find nothing newly lent before it goes back to its usual interval.
pub(crate) const LENT_QUIET_LOOKS: u32 = 3;

/// How long a thread looks for work before it blocks, where that paid of late: about what it costs to block and be
/// woken on another processor, so that a vain look costs no more than twice what it might have spared.
pub(crate) const SPIN_LIMIT: std::time::Duration = std::time::Duration::from_micros(20);

/// Tries in a row that success can buy.
pub(crate) const SPIN_CREDIT: u32 = 8;

/// One wait in so many is preceded by a look although nothing speaks for it: a third of a microsecond a wait.
pub(crate) const SPIN_PROBE_EVERY: u32 = 64;

/// Futures larger than this are put on the heap before `block_on` drives them.
pub(crate) const BOX_FUTURE_ABOVE: usize = if cfg!(debug_assertions) { 2048 } else { 16 * 1024 };

/// Blocking threads at the most, unless the builder says otherwise. Upstream's default.
pub(crate) const MAX_BLOCKING_THREADS: usize = 512;

/// How long a blocking thread waits for the next job before it ends. Upstream's default.
pub(crate) const BLOCKING_KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(10);

/// The poll-time histogram's layout unless the builder says otherwise. Upstream's default.
pub(crate) const POLL_HISTOGRAM_WIDTH: std::time::Duration = std::time::Duration::from_micros(100);
pub(crate) const POLL_HISTOGRAM_BUCKETS: usize = 10;
