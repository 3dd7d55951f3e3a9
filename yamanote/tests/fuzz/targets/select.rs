//! Storms of `select!`: branches that lose are dropped at every moment, and nothing that was sent is lost, doubled or
//! out of order.

use std::sync::Arc;
use std::time::Duration;

use yamanote::runtime::Builder;
use yamanote::sync::{Notify, Semaphore, mpsc, oneshot};
use yamanote::task::yield_now;
use yamanote::time::sleep;

use crate::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let count = 1 + script.below(40);
    let room = 1 + script.below(4);
    let pauses: Vec<u8> = script.bytes(60).to_vec();
    let choices: Vec<u8> = script.bytes(120).to_vec();
    runtime.block_on(async move {
        let (sender, mut receiver) = mpsc::channel(room);
        let (unbounded, mut other) = mpsc::unbounded_channel();
        let (done, mut finished) = oneshot::channel();
        let (notify, permits) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(1)));
        let (theirs, its) = (Arc::clone(&notify), Arc::clone(&permits));
        yamanote::spawn(async move {
            for i in 0..count {
                match pauses.get(i).map_or(0, |pause| pause % 5) {
                    0 => {}
                    1 => yield_now().await,
                    2 => sleep(Duration::from_millis(1)).await,
                    3 => theirs.notify_one(),
                    _ => drop(its.acquire().await.unwrap()),
                }
                // A send that is dropped while it waits has sent nothing.
                let mut tries = 0;
                loop {
                    let mut sent = false;
                    yamanote::select! {
                        biased;
                        result = sender.send(i) => { result.unwrap(); sent = true; }
                        () = yield_now(), if tries < 3 => {}
                    }
                    if sent {
                        break;
                    }
                    tries += 1;
                }
                unbounded.send(i).unwrap();
            }
            done.send(count).unwrap();
        });
        let (mut next, mut other_next, mut total) = (0, 0, None);
        // At the end of the choices nothing is ready but what is waited for, so that the clock, which is paused, may move on.
        let mut step = 0;
        while next < count || other_next < count || total.is_none() {
            let choice = choices.get(step).copied().unwrap_or(0);
            step += 1;
            // In any order, with branches that are ready at once, never, or soon.
            yamanote::select! {
                Some(value) = receiver.recv(), if choice & 1 == 0 => {
                    assert_eq!(value, next);
                    next += 1;
                }
                Some(value) = other.recv(), if choice & 2 == 0 => {
                    assert_eq!(value, other_next);
                    other_next += 1;
                }
                result = &mut finished, if total.is_none() => total = Some(result.unwrap()),
                () = notify.notified(), if choice & 4 != 0 => {}
                permit = permits.acquire(), if choice & 8 != 0 => {
                    let _permit = permit.unwrap();
                    yield_now().await;
                }
                () = sleep(Duration::from_micros(1 + u64::from(choice) * 20)) => {}
                () = yield_now(), if choice & 16 != 0 => {}
            }
        }
        assert_eq!((total, permits.available_permits()), (Some(count), 1));
        assert_eq!(receiver.recv().await, None);
        assert_eq!(other.recv().await, None);
    });
}
