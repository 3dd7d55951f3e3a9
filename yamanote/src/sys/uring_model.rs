//! A ring for models: its kernel takes what is handed over, and completes it when a model has it do so.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::loom::sync::Mutex;
use crate::sys::fs::OpenHow;

pub(crate) const CALLED_OFF: i32 = -125;

pub(crate) struct Queue(Arc<Kernel>);
pub(crate) struct Submit(());
pub(crate) struct Complete(());

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Do(u64, Arc<Fate>),
    Cancel(u64),
}

/// What has become of a request. None of loom's: looked at where the locks have brought an order, or at the end.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// The kernel may use what belongs to it.
    lent: AtomicBool,
    pub(crate) dropped: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[allow(dead_code, reason = "the other systems' answers")]
    Busy,
    Never,
}

#[allow(dead_code, reason = "the other systems' answers")]
pub(crate) enum Answer {
    File(io::Result<File>),
    Read(Vec<u8>, io::Result<usize>),
    Done(io::Result<()>),
}

#[derive(Default)]
pub(crate) struct Kernel(Mutex<State>);

#[derive(Default)]
struct State {
    forbids: bool,
    pushed: Vec<Entry>,
    taken: Vec<Entry>,
    completed: Vec<(u64, i32)>,
}

impl Kernel {
    /// Does all that it has taken.
    pub(crate) fn work(&self) {
        let state = &mut *self.0.lock();
        for entry in std::mem::take(&mut state.taken) {
            if let Entry::Do(name, fate) = entry {
                fate.lent.store(false, SeqCst);
                state.completed.push((name, 0));
            }
        }
    }

    /// Takes nothing any more.
    pub(crate) fn forbid(&self) {
        self.0.lock().forbids = true;
    }

    pub(crate) fn has_untaken(&self) -> bool {
        !self.0.lock().pushed.is_empty()
    }
}

impl Queue {
    /// None that the runtime could use.
    pub(crate) fn new() -> Option<(Queue, Submit, Complete)> {
        None
    }

    pub(crate) fn model() -> (Arc<Kernel>, Queue, Submit, Complete) {
        let kernel = Arc::new(Kernel::default());
        (Arc::clone(&kernel), Queue(kernel), Submit(()), Complete(()))
    }

    /// One at a time, so that more than one is more than fits.
    pub(crate) fn room(&self, _: &mut Submit) -> usize {
        1 - self.0.0.lock().pushed.len()
    }

    /// # Safety
    /// As where there are rings.
    pub(crate) unsafe fn push(&self, _: &mut Submit, entry: &Entry) {
        if let Entry::Do(_, fate) = entry {
            fate.lent.store(true, SeqCst);
        }
        self.0.0.lock().pushed.push(entry.clone());
    }

    pub(crate) fn enter(&self, _: &mut Submit) -> Result<usize, Refusal> {
        let state = &mut *self.0.0.lock();
        if state.forbids {
            // It never will be used.
            for entry in &state.pushed {
                if let Entry::Do(_, fate) = entry {
                    fate.lent.store(false, SeqCst);
                }
            }
            return Err(Refusal::Never);
        }
        let count = state.pushed.len();
        for entry in std::mem::take(&mut state.pushed) {
            match entry {
                Entry::Do(..) => state.taken.push(entry),
                Entry::Cancel(name) => {
                    let is_it = |entry: &Entry| matches!(entry, Entry::Do(n, _) if *n == name);
                    if let Some(at) = state.taken.iter().position(is_it) {
                        let Entry::Do(name, fate) = state.taken.remove(at) else { unreachable!() };
                        fate.lent.store(false, SeqCst);
                        state.completed.push((name, CALLED_OFF));
                    }
                    state.completed.push((u64::MAX, 0));
                }
            }
        }
        Ok(count)
    }

    pub(crate) fn reap(&self, _: &mut Complete, mut each: impl FnMut(u64, i32)) {
        let completed = std::mem::take(&mut self.0.0.lock().completed);
        completed.into_iter().for_each(|(name, result)| each(name, result));
    }

    pub(crate) fn wait(&self, _: Duration) {
        crate::loom::thread::yield_now();
    }
}

impl std::os::fd::AsRawFd for Queue {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        unreachable!("no poller watches it")
    }
}

impl Entry {
    pub(crate) fn cancel(name: u64, _: u64) -> Entry {
        Entry::Cancel(name)
    }
}

/// What a model asks for.
pub(crate) struct Request {
    fate: Arc<Fate>,
    is_idle_wish: bool,
}

impl Request {
    pub(crate) fn model(is_idle_wish: bool) -> (Request, Arc<Fate>) {
        let fate = Arc::new(Fate::default());
        (Request { fate: Arc::clone(&fate), is_idle_wish }, fate)
    }

    pub(crate) fn open(_: &Path, _: &OpenHow) -> Option<Request> {
        None
    }

    pub(crate) fn look(_: &Path, _: bool) -> Option<Request> {
        None
    }

    pub(crate) fn read(_: Arc<File>, bytes: Vec<u8>, _: usize) -> Result<Request, Vec<u8>> {
        Err(bytes)
    }

    pub(crate) fn sync(_: Arc<File>, _: bool) -> Option<Request> {
        None
    }

    pub(crate) fn rename(_: &Path, _: &Path) -> Option<Request> {
        None
    }

    pub(crate) fn remove(_: &Path, _: bool) -> Option<Request> {
        None
    }

    pub(crate) fn make_directory(_: &Path, _: u32) -> Option<Request> {
        None
    }

    pub(crate) fn link(_: &Path, _: &Path) -> Option<Request> {
        None
    }

    pub(crate) fn symlink(_: &Path, _: &Path) -> Option<Request> {
        None
    }

    pub(crate) fn entry(&mut self, name: u64) -> Entry {
        Entry::Do(name, Arc::clone(&self.fate))
    }

    pub(crate) fn is_idle_wish(&self) -> bool {
        self.is_idle_wish
    }

    /// # Safety
    /// As where there are rings.
    pub(crate) unsafe fn answer(self, result: i32) -> Result<Answer, Request> {
        if result == CALLED_OFF { Err(self) } else { Ok(Answer::Done(Ok(()))) }
    }

    pub(crate) fn perform(self) {}

    pub(crate) fn into_buffer(self) -> Vec<u8> {
        Vec::new()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        assert!(!self.fate.lent.load(SeqCst), "the kernel still uses it");
        assert_eq!(self.fate.dropped.fetch_add(1, SeqCst), 0);
    }
}
