//! A list of all tasks, with what each of them did.
//!
//! Kept only where [`Builder::track_tasks`](crate::runtime::Builder::track_tasks) asks for it: then a poll and a wake
//! cost a lock each, which is one of a few dozen, so that workers seldom meet. Where only reports are wanted that name
//! tasks, it keeps the names of those that have one, and costs polls nothing; and to tasks without a name, that end, a load.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::observe::recorder::Cause;
use crate::engine::task::{Id, Origin};
use crate::runtime::{TaskInfo, TaskKind, TaskState, WokenBy};
use crate::util::defaults;

/// Arbitrary: well above the number of workers that meet.
const SHARDS: usize = 32;

/// Counters that tell of most tasks that they have no name. Arbitrary: a page of them.
const NAMED: usize = 1024;

/// There is, or was, a runtime with a list of all its tasks. For those parts that belong to no runtime in particular.
static WANTED: AtomicBool = AtomicBool::new(false);

#[inline]
pub(crate) fn is_wanted() -> bool {
    // Relaxed: a list need not have what was there before it.
    WANTED.load(Ordering::Relaxed)
}

/// What is known of a task.
struct Record {
    name: Option<Box<str>>,
    kind: TaskKind,
    location: &'static Location<'static>,
    state: TaskState,
    /// Woken while it was polled.
    woken: bool,
    polls: u64,
    busy: Duration,
    /// When the last poll began or, if it is over, ended.
    since: Option<Instant>,
    spawned: Instant,
    woken_by: Option<Cause>,
}

/// Which of a task's polls it is, and when it began.
pub(crate) struct PollNumber {
    number: u64,
    start: Instant,
}

pub(crate) struct TaskList {
    shards: Box<[Mutex<HashMap<Id, Record>>]>,
    keeps_all: bool,
    keeps_names: bool,
    /// Where only names are kept: how many of the tasks that an id may be of have one.
    named: Box<[AtomicU32]>,
}

impl TaskList {
    pub(crate) fn new(keeps_all: bool, keeps_names: bool) -> TaskList {
        if keeps_all {
            WANTED.store(true, Ordering::Relaxed);
        }
        let shards = if keeps_all || keeps_names { SHARDS } else { 0 };
        let named = if keeps_names && !keeps_all { NAMED } else { 0 };
        TaskList { shards: defaults(shards), keeps_all, keeps_names, named: defaults(named) }
    }

    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.keeps_all || self.keeps_names
    }

    pub(crate) fn keeps_all(&self) -> bool {
        self.keeps_all
    }

    fn shard(&self, id: Id) -> MutexGuard<'_, HashMap<Id, Record>> {
        self.shards[id.as_u64() as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counter that a task shares with a thousandth of the others. There is none where all tasks are kept.
    fn named(&self, id: Id) -> Option<&AtomicU32> {
        self.named.get(id.as_u64() as usize % NAMED)
    }

    #[cold]
    pub(crate) fn insert(&self, origin: &Origin<'_>, kind: TaskKind) {
        if !self.keeps_all && origin.name.is_none() {
            return;
        }
        if let Some(named) = self.named(origin.id) {
            // Relaxed: whoever ends the task got it through a queue.
            named.fetch_add(1, Ordering::Relaxed);
        }
        let record = Record {
            name: origin.name.map(Box::from),
            kind,
            location: origin.location,
            state: TaskState::Queued,
            woken: false,
            polls: 0,
            busy: Duration::ZERO,
            since: None,
            spawned: Instant::now(),
            woken_by: None,
        };
        self.shard(origin.id).insert(origin.id, record);
    }

    #[cold]
    pub(crate) fn remove(&self, id: Id) {
        let named = self.named(id);
        // Relaxed: see `insert`.
        if named.is_some_and(|named| named.load(Ordering::Relaxed) == 0) {
            return;
        }
        let record = self.shard(id).remove(&id);
        if let (Some(named), Some(_)) = (named, &record) {
            named.fetch_sub(1, Ordering::Relaxed);
        }
        // Outside the lock.
        drop(record);
    }

    pub(crate) fn name(&self, id: Id) -> Option<String> {
        if !self.is_kept() {
            return None;
        }
        self.shard(id).get(&id)?.name.as_deref().map(str::to_owned)
    }

    pub(crate) fn note_woken(&self, id: Id, cause: Cause) {
        if let Some(record) = self.shard(id).get_mut(&id) {
            // A task that is just spawned was woken by nobody.
            if record.state != TaskState::Queued {
                record.woken_by = Some(cause);
            }
            match record.state {
                TaskState::Running => record.woken = true,
                _ => record.state = TaskState::Queued,
            }
        }
    }

    /// A task of a set begins a poll, of which nobody may have told when it was spawned.
    pub(crate) fn note_local_poll(&self, id: Id, location: &'static Location<'static>) -> PollNumber {
        let is_known = self.shard(id).contains_key(&id);
        if !is_known {
            self.insert(&Origin { id, name: None, location }, TaskKind::Local);
        }
        self.note_poll(id)
    }

    /// A poll begins; to be given to `note_polled` when it is over.
    pub(crate) fn note_poll(&self, id: Id) -> PollNumber {
        let start = Instant::now();
        let mut poll = PollNumber { number: 0, start };
        if let Some(record) = self.shard(id).get_mut(&id) {
            record.state = TaskState::Running;
            record.woken = false;
            record.polls += 1;
            record.since = Some(start);
            poll.number = record.polls;
        }
        poll
    }

    /// The poll is over. If the task has ended by that, it is in the list no more.
    pub(crate) fn note_polled(&self, id: Id, poll: PollNumber) {
        if let Some(record) = self.shard(id).get_mut(&id) {
            let now = Instant::now();
            record.busy += now.saturating_duration_since(poll.start);
            // It may have been queued, and polled by another worker, before we got here.
            if record.polls == poll.number {
                record.since = Some(now);
                record.state = if record.woken { TaskState::Queued } else { TaskState::Idle };
            }
        }
    }

    /// All tasks, those with the smallest ids first.
    #[inline]
    pub(crate) fn all(&self) -> Vec<TaskInfo> {
        let mut tasks = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            tasks.extend(shard.iter().map(|(&id, record)| {
                let running = record.state == TaskState::Running;
                let last = record.since.map(|since| now.saturating_duration_since(since));
                TaskInfo {
                    id,
                    name: record.name.as_deref().map(str::to_owned),
                    kind: record.kind,
                    spawned_at: record.location,
                    state: record.state,
                    polls: record.polls,
                    busy: record.busy + last.filter(|_| running).unwrap_or_default(),
                    since_poll: last.filter(|_| !running),
                    age: now.saturating_duration_since(record.spawned),
                    woken_by: record.woken_by.map(|cause| match cause {
                        Cause::Task(id) => WokenBy::Task(id, None),
                        Cause::Io => WokenBy::Io,
                        Cause::Timer => WokenBy::Timer,
                        Cause::Outside => WokenBy::Outside,
                    }),
                }
            }));
        }
        // Where the wakers were spawned, if they are there still; one lock at a time.
        for task in &mut tasks {
            if let Some(WokenBy::Task(id, place @ None)) = &mut task.woken_by {
                *place = self.shard(*id).get(id).map(|record| record.location);
            }
        }
        tasks.sort_by_key(|task| task.id);
        tasks
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Of those without a name nothing is kept, and their end is not looked up.
    #[test]
    fn names_alone() {
        let list = TaskList::new(false, true);
        let named = Origin { name: Some("a"), ..Origin::here() };
        let other = Origin::here();
        list.insert(&named, TaskKind::Async);
        list.insert(&other, TaskKind::Async);
        assert_eq!((list.name(named.id).as_deref(), list.name(other.id)), (Some("a"), None));
        let held = list.shard(other.id);
        // Would wait for ever.
        list.remove(other.id);
        drop(held);
        list.remove(named.id);
        assert_eq!(list.name(named.id), None);
        assert!(list.named.iter().all(|named| named.load(Ordering::Relaxed) == 0));
        assert!(list.all().is_empty());
    }
}
