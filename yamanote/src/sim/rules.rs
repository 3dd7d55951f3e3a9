//! What must be true of a runtime whenever all threads wait and only time can go on.
//!
//! What waits in the queues of a worker that is in a poll is a special case: the worker tells the others of what it
//! moved there when that poll is over, so if the poll never ends it is for the monitor to tell them. That takes it up
//! to twice the stall limit; a third is for chance. So it is with events at a poller whose worker is in a poll.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::limits::STALL_LIMIT;
use crate::engine::shared::Shared;

/// The rules, and what they remember.
#[derive(Default)]
pub(super) struct Rules {
    /// The poll in which each worker was seen with something behind it and others asleep, and since when, by its
    /// runtime and slot.
    behind: RefCell<BTreeMap<(usize, usize), (u64, u64)>>,
    /// How many events had been taken from each worker's poller when one was seen there that nobody waited for, and since
    /// when that has been so.
    unseen: RefCell<BTreeMap<(usize, usize), (u64, u64)>>,
}

/// How long what waits behind a poll may wait at the most: see above.
fn longest() -> Duration {
    3 * STALL_LIMIT + 10 * std::simulation::longest_delay()
}

impl Rules {
    /// `left` is how long it will be until a thread goes on; `None`: none will.
    pub(super) fn check(&self, runtimes: &[Weak<Shared>], left: Option<u64>) -> Result<(), String> {
        let left = left.map(Duration::from_nanos);
        let runtimes = runtimes.iter().enumerate();
        for (number, shared) in runtimes.filter_map(|(n, runtime)| Some((n, runtime.upgrade()?))) {
            if shared.is_shutdown() || shared.had_unhandled_panic() {
                continue;
            }
            if shared.is_single() {
                single(&shared)?
            } else {
                self.multi(number, &shared)?
            }
            timers(&shared, left)?;
            self.events(number, &shared)?;
        }
        Ok(())
    }

    fn multi(&self, number: usize, shared: &Shared) -> Result<(), String> {
        let slots = shared.crew.slots_in_use();
        let parked: Vec<usize> =
            (0..slots).filter(|&slot| shared.remotes[slot].parker.is_parked()).collect();
        let longest = longest();
        let (now, mut behind) = (std::simulation::now(), self.behind.borrow_mut());
        for (slot, remote) in shared.remotes.iter().enumerate().take(slots) {
            let (ring, inbox) = (remote.ring.len(), remote.inbox.len());
            let own = !remote.lifo.is_empty() || !remote.deferred.is_empty();
            let waits = ring + inbox > 0 || own;
            if !waits || parked.is_empty() {
                behind.remove(&(number, slot));
                continue;
            }
            let what = || {
                format!(
                    "{ring} tasks wait in the ring of {slot}, {inbox} in its inbox, more: {own}, and of {slots} \
                     workers {parked:?} sleep"
                )
            };
            rule(!parked.contains(&slot), what)?;
            let poll = remote.stats.polls.get();
            let seen = behind.entry((number, slot)).or_insert((poll, now));
            if seen.0 != poll {
                *seen = (poll, now);
            }
            let waited = Duration::from_nanos(now - seen.1);
            rule(waited <= longest, || format!("{}, since {waited:?}", what()))?;
        }
        Ok(())
    }

    /// An event that is there is taken: by who waits for it, or on behalf of who cannot.
    fn events(&self, number: usize, shared: &Shared) -> Result<(), String> {
        let (now, mut unseen) = (std::simulation::now(), self.unseen.borrow_mut());
        for (slot, remote) in shared.remotes.iter().enumerate() {
            let io = &remote.driver.io;
            if !io.has_events() {
                unseen.remove(&(number, slot));
                continue;
            }
            if shared.is_single() {
                // Nobody need drive it.
                rule(!remote.parker.is_parked(), || "an event waits, and its worker sleeps".into())?;
                continue;
            }
            let taken = io.ready_count();
            let seen = unseen.entry((number, slot)).or_insert((taken, now));
            if seen.0 != taken {
                *seen = (taken, now);
            }
            let waited = Duration::from_nanos(now - seen.1);
            // A spare that comes for a stuck worker may take a task first that is the next to be stuck.
            let longest = longest() * shared.crew.slots_in_use() as u32;
            rule(waited <= longest, || {
                format!("an event waits in the poller of worker {slot}, since {waited:?}")
            })?;
        }
        Ok(())
    }
}

fn rule(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn single(shared: &Shared) -> Result<(), String> {
    let remote = &shared.remotes[0];
    let waits = !remote.inbox.is_empty() || !remote.ring.is_empty() || !remote.deferred.is_empty();
    let woken = shared.root_woken.load(Ordering::SeqCst);
    rule(!remote.parker.is_parked() || !(waits || woken), || {
        format!("a task waits (in a queue: {waits}, the root: {woken}), and its worker sleeps")
    })
}

/// Whoever waits in a driver wakes in time for its first timer.
fn timers(shared: &Shared, left: Option<Duration>) -> Result<(), String> {
    // Between reading the clock and waiting, time passes, more of it where chance holds the thread up, maybe again
    // and again.
    let slack = Duration::from_millis(1) + 10 * std::simulation::longest_delay();
    for (worker, remote) in shared.remotes.iter().enumerate() {
        let next = remote.driver.timers.as_ref().and_then(|timers| timers.next_expiration());
        let Some(tick) = next else { continue };
        let holder = if shared.is_single() { worker } else { remote.seat.holder() };
        if !shared.remotes[holder].parker.is_parked() || shared.clock.is_paused() {
            // Stuck in a poll: the monitor's business.
            continue;
        }
        let due = shared.clock.duration_until(tick);
        rule(left.is_some_and(|left| left <= due + slack), || {
            format!("a timer of worker {worker} is due in {due:?}, and nobody wakes for {left:?}")
        })?;
    }
    Ok(())
}
