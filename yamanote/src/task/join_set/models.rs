//! Models of the set: tasks that complete on other threads, against the thread that joins them.

use std::future::ready;
use std::panic::Location;
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize as StdAtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};

use super::entries::Entries;
use crate::engine::instrument::SpanId;
use crate::engine::task::{Id, JoinHandle, Runnable, Schedule, TaskRef, new_task};
use crate::loom::thread;

/// Nothing is woken in these models.
struct Nowhere;

impl Schedule for Nowhere {
    unsafe fn schedule(_: *const Self, task: Runnable<Self>) {
        task.shutdown();
    }

    fn bind(&self, task: TaskRef<Self>) -> Result<(), TaskRef<Self>> {
        Err(task)
    }

    fn release(&self, _: &TaskRef<Self>) -> bool {
        false
    }
}

#[derive(Default)]
struct Woken(StdAtomicUsize);

impl Wake for Woken {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task whose output counts itself, so that a leak or a double drop shows.
fn spawn(alive: &StdArc<()>) -> (Runnable<Nowhere>, JoinHandle<StdArc<()>>) {
    new_task(ready(StdArc::clone(alive)), Nowhere, Id::next(), Location::caller(), SpanId::default())
}

fn take(entries: &mut Entries) -> Option<StdArc<()>> {
    // SAFETY: `spawn` makes tasks of this output type only.
    let handle: Option<JoinHandle<StdArc<()>>> = unsafe { entries.take_ready() };
    handle.map(|mut handle| handle.take_output().unwrap().unwrap())
}

/// Whoever was told to wait is woken, and finds the task.
#[test]
fn whoever_waits_is_woken() {
    crate::loom::model(|| {
        let alive = StdArc::new(());
        let mut entries = Entries::new();
        let (task, handle) = spawn(&alive);
        entries.insert(handle);
        let runs = thread::spawn(move || task.run());
        let woken = StdArc::new(Woken::default());
        let waker = Waker::from(StdArc::clone(&woken));
        let waits = entries.poll_ready(&mut Context::from_waker(&waker)).is_pending();
        runs.join().unwrap();
        assert_eq!(woken.0.load(SeqCst), usize::from(waits), "woken if, and only if, it waits");
        assert!(entries.is_ready());
        drop(take(&mut entries).unwrap());
        drop(entries);
        assert_eq!(StdArc::strong_count(&alive), 1, "leaked");
    });
}

/// Two tasks complete, one of them while it is added: each is found, once.
#[test]
fn every_completion_is_seen() {
    crate::loom::model(|| {
        let alive = StdArc::new(());
        let mut entries = Entries::new();
        let (first, handle) = spawn(&alive);
        entries.insert(handle);
        let (second, handle) = spawn(&alive);
        let runs = thread::spawn(move || first.run());
        let runs_too = thread::spawn(move || second.run());
        entries.insert(handle);
        let mut seen = 0;
        if entries.is_ready() {
            drop(take(&mut entries).unwrap());
            seen += 1;
        }
        runs.join().unwrap();
        runs_too.join().unwrap();
        while entries.is_ready() {
            drop(take(&mut entries).unwrap());
            seen += 1;
        }
        assert_eq!((seen, entries.len()), (2, 0));
        drop(entries);
        assert_eq!(StdArc::strong_count(&alive), 1, "leaked");
    });
}

/// A slot is used again while its last task is still leaving.
#[test]
fn a_slot_is_used_again() {
    crate::loom::model(|| {
        let alive = StdArc::new(());
        let mut entries = Entries::new();
        let (task, handle) = spawn(&alive);
        entries.insert(handle);
        let runs = thread::spawn(move || task.run());
        let before = entries.is_ready();
        if before {
            drop(take(&mut entries).unwrap());
        }
        let (task, handle) = spawn(&alive);
        entries.insert(handle);
        task.run();
        runs.join().unwrap();
        let mut seen = usize::from(before);
        while entries.is_ready() {
            drop(take(&mut entries).unwrap());
            seen += 1;
        }
        assert_eq!((seen, entries.len()), (2, 0));
        drop(entries);
        assert_eq!(StdArc::strong_count(&alive), 1, "leaked");
    });
}

/// The set lets go of its tasks, and takes a new one, while one completes.
#[test]
fn letting_go_against_completion() {
    crate::loom::model(|| {
        let alive = StdArc::new(());
        let mut entries = Entries::new();
        let (task, handle) = spawn(&alive);
        entries.insert(handle);
        let runs = thread::spawn(move || task.run());
        entries.clear(false);
        let (task, handle) = spawn(&alive);
        entries.insert(handle);
        assert!(!entries.is_ready(), "told of a task that was let go");
        task.run();
        assert!(entries.is_ready());
        drop(take(&mut entries).unwrap());
        runs.join().unwrap();
        assert!(!entries.is_ready());
        drop(entries);
        assert_eq!(StdArc::strong_count(&alive), 1, "leaked");
    });
}
