//! Small parts that several modules share and that know nothing of tasks.

#[cfg(all(unix, feature = "net"))]
pub(crate) mod as_type;
pub(crate) mod atomic_waker;
pub(crate) mod cache_padded;
pub(crate) mod canary;
pub(crate) mod contain;
pub(crate) mod counter;
pub(crate) mod linked_list;
#[cfg(feature = "taskdump")]
pub(crate) mod names;
pub(crate) mod purse;
pub(crate) mod rng;
pub(crate) mod wait_list;
pub(crate) mod wake_list;

pub(crate) use atomic_waker::AtomicWaker;
pub(crate) use cache_padded::CachePadded;
pub(crate) use counter::Counter;
pub(crate) use linked_list::LinkedList;
pub(crate) use purse::Purse;
pub(crate) use wake_list::WakeList;

/// So many of them. Many types go through here, so it is a loop, of which a development build makes less than of an iterator.
pub(crate) fn defaults<T: Default>(n: usize) -> Box<[T]> {
    let mut all = Vec::with_capacity(n);
    for _ in 0..n {
        all.push(T::default());
    }
    all.into_boxed_slice()
}

/// What a thread runs. One type, so that what the standard library has around it is compiled once.
pub(crate) type ThreadMain = Box<dyn FnOnce() + Send>;

/// In a type, takes `UnwindSafe` and `RefUnwindSafe` from it and nothing else, where upstream's lacks them:
/// a program must not come to rely on what it loses when it goes back.
#[cfg(any(feature = "process", feature = "signal"))]
pub(crate) type NotUnwindSafe = std::marker::PhantomData<&'static (dyn Fn() + Send + Sync)>;
