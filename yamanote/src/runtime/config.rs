//! Small types that configure or describe a runtime.

use crate::util::rng;

/// What kind of scheduler a runtime has.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, RuntimeFlavor};
///
/// let runtime = Builder::new_current_thread().build().unwrap();
/// assert_eq!(runtime.handle().runtime_flavor(), RuntimeFlavor::CurrentThread);
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// Tasks run on the thread that blocks on the runtime.
    CurrentThread,
    /// Tasks run on a number of worker threads.
    MultiThread,
}

/// What a runtime does when a task panics and nobody asks for its result.
///
/// See [`Builder::unhandled_panic`](crate::runtime::Builder::unhandled_panic).
///
/// # Examples
/// ```should_panic
/// use yamanote::runtime::{Builder, UnhandledPanic};
///
/// let policy = UnhandledPanic::ShutdownRuntime;
/// let runtime = Builder::new_current_thread().unhandled_panic(policy).build().unwrap();
/// runtime.spawn(async { panic!("nobody would notice") });
/// runtime.block_on(std::future::pending::<()>());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// Goes on; the panic is in the task's [`JoinError`](crate::task::JoinError).
    #[default]
    Ignore,
    /// Stops: `block_on` panics, and all other tasks are dropped.
    ShutdownRuntime,
}

/// How a runtime's file operations are done.
///
/// See [`Builder::file_io`](crate::runtime::Builder::file_io).
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, FileIo};
///
/// let runtime = Builder::new_current_thread().file_io(FileIo::Pool).build().unwrap();
/// # drop(runtime);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileIo {
    /// What is in memory, the calling worker fetches itself, where the system has calls that never wait (64-bit Linux
    /// with glibc). With the feature `io-uring`, the kernel's ring then does what it does no later than the pool: reading small files
    /// and open ones, looking up, renaming, linking, making directories and removing. The blocking pool does the rest. Which
    /// is which was measured: `docs/measured/files.md`.
    #[default]
    Cached,
    /// The blocking pool does everything.
    Pool,
    /// The kernel's io_uring does what it can, and nothing is fetched by workers: on Linux since 5.15, with the feature `io-uring` and a
    /// runtime that has I/O enabled. The blocking pool does the rest, or everything where there is no ring to be had.
    ///
    /// The default with the feature `io-uring` and `--cfg tokio_unstable`, as it is tokio's. Writing is the pool's all the same.
    Ring,
}

/// The seed of a runtime's random choices.
///
/// Two single-threaded runtimes with the same seed make the same choices, such as the branch at which
/// [`select!`](crate::select) begins.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, RngSeed};
///
/// let runtime = Builder::new_current_thread()
///     .rng_seed(RngSeed::from_bytes(b"always the same"))
///     .build()
///     .unwrap();
/// # drop(runtime);
/// ```
#[allow(unreachable_pub)]
#[derive(Clone, Debug)]
pub struct RngSeed(u64);

impl RngSeed {
    /// Derives a seed from bytes of any number.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, RngSeed};
    ///
    /// let seed = RngSeed::from_bytes(b"the name of a test, say");
    /// let runtime = Builder::new_current_thread().rng_seed(seed).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // FNV-1a, then one round of mixing: short inputs that differ in a bit differ everywhere.
        let hash = bytes
            .iter()
            .fold(0xCBF2_9CE4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
        let (state, _) = rng::step(hash | 1);
        RngSeed(state)
    }

    pub(crate) fn fresh() -> Self {
        RngSeed(rng::fresh_seed())
    }

    pub(crate) fn value(&self) -> u64 {
        self.0
    }
}
