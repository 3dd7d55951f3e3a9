//! Small parts that several modules share and that know nothing of tasks.

pub(crate) mod atomic_waker;
pub(crate) mod cache_padded;
pub(crate) mod counter;
pub(crate) mod linked_list;
pub(crate) mod rng;
pub(crate) mod wait_list;
pub(crate) mod wake_list;

pub(crate) use atomic_waker::AtomicWaker;
pub(crate) use cache_padded::CachePadded;
pub(crate) use counter::Counter;
pub(crate) use linked_list::LinkedList;
pub(crate) use wake_list::WakeList;
