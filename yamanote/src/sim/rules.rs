//! What must be true of a runtime whenever all threads wait and only time can go on.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::shared::Shared;

/// `left` is how long it will be until a thread goes on; `None`: none will.
pub(super) fn check(runtimes: &[Weak<Shared>], left: Option<u64>) -> Result<(), String> {
    let left = left.map(Duration::from_nanos);
    for shared in runtimes.iter().filter_map(Weak::upgrade) {
        if shared.is_shutdown() || shared.had_unhandled_panic() {
            continue;
        }
        if shared.is_single() {
            single(&shared)?
        } else {
            multi(&shared)?
        }
        timers(&shared, left)?;
    }
    Ok(())
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

fn multi(shared: &Shared) -> Result<(), String> {
    let slots = shared.crew.slots_in_use();
    let parked: Vec<usize> =
        (0..slots).filter(|&slot| shared.remotes[slot].parker.is_parked()).collect();
    for (slot, remote) in shared.remotes.iter().enumerate().take(slots) {
        let (ring, inbox) = (remote.ring.len(), remote.inbox.len());
        rule(parked.is_empty() || ring + inbox == 0, || {
            format!(
                "{ring} tasks wait in the ring of {slot}, {inbox} in its inbox, and of {slots} workers \
                 {parked:?} sleep"
            )
        })?;
        let own = !remote.lifo.is_empty() || !remote.deferred.is_empty();
        rule(!own || !parked.contains(&slot), || format!("worker {slot} sleeps on a task of its own"))?;
    }
    Ok(())
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
