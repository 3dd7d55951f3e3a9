//! `watch` against a value with a version.

use std::task::Poll;

use yamanote::sync::watch;

use crate::poll::Polled;
use crate::script::Script;

struct Receiver {
    /// Lent to `changed` while that waits.
    receiver: Option<watch::Receiver<u32>>,
    seen: u32,
    waits: Option<Polled<(watch::Receiver<u32>, bool)>>,
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let (sender, receiver) = watch::channel(0_u32);
    let mut sender = Some(sender);
    // The value is the version.
    let mut version = 0;
    let mut receivers = vec![Receiver { receiver: Some(receiver), seen: 0, waits: None }];
    for _ in 0..200 {
        let at = if receivers.is_empty() { 0 } else { script.below(receivers.len().min(200)) };
        match script.below(9) {
            0 | 1 => {
                let Some(sender) = &sender else { continue };
                let expected = !receivers.is_empty();
                match script.below(3) {
                    0 => assert_eq!(sender.send(version + 1).is_ok(), expected),
                    1 => _ = sender.send_replace(version + 1),
                    _ => sender.send_modify(|value| *value += 1),
                }
                // A value that nobody is there for is not kept by `send`.
                version = *sender.borrow();
            }
            2 => {
                let Some(sender) = &sender else { continue };
                let modified = sender.send_if_modified(|value| {
                    let change = version % 2 == 0;
                    *value += u32::from(change);
                    change
                });
                version += u32::from(modified);
            }
            3 | 4 => {
                let Some(receiver) = receivers.get_mut(at) else { continue };
                if let Some(mut lent) = receiver.receiver.take() {
                    receiver.waits = Some(Polled::new(async move {
                        let changed = lent.changed().await.is_ok();
                        (lent, changed)
                    }));
                }
                let Some(waits) = &mut receiver.waits else { continue };
                match waits.poll() {
                    Poll::Ready((back, changed)) => {
                        assert_eq!(changed, receiver.seen != version, "a change, or the end");
                        assert!(changed || sender.is_none());
                        receiver.seen = version;
                        receiver.receiver = Some(back);
                        receiver.waits = None;
                    }
                    Poll::Pending => {
                        assert!(receiver.seen == version && sender.is_some(), "it sleeps over a change");
                    }
                }
            }
            5 => {
                let Some(receiver) = receivers.get_mut(at) else { continue };
                let Some(ours) = &mut receiver.receiver else { continue };
                if script.flag() {
                    assert_eq!(*ours.borrow(), version);
                } else {
                    assert_eq!(*ours.borrow_and_update(), version);
                    receiver.seen = version;
                }
            }
            6 => {
                let Some(receiver) = receivers.get_mut(at) else { continue };
                let Some(ours) = &mut receiver.receiver else { continue };
                match ours.has_changed() {
                    Ok(changed) => assert_eq!(changed, receiver.seen != version),
                    Err(_) => assert!(sender.is_none()),
                }
                match script.below(3) {
                    0 => {
                        ours.mark_unchanged();
                        receiver.seen = version;
                    }
                    1 => {
                        ours.mark_changed();
                        receiver.seen = version.wrapping_sub(1);
                    }
                    _ => {}
                }
            }
            7 => match script.below(4) {
                0 => {
                    let Some(Receiver { receiver: Some(ours), seen, .. }) = receivers.get(at) else {
                        continue;
                    };
                    let copy = Receiver { receiver: Some(ours.clone()), seen: *seen, waits: None };
                    receivers.push(copy);
                }
                1 => {
                    let Some(sender) = &sender else { continue };
                    receivers.push(Receiver {
                        receiver: Some(sender.subscribe()),
                        seen: version,
                        waits: None,
                    });
                }
                _ if !receivers.is_empty() => drop(receivers.swap_remove(at)),
                _ => {}
            },
            _ if script.below(12) == 1 => sender = None,
            _ => {}
        }
        for receiver in &receivers {
            if let Some(waits) = &receiver.waits {
                if receiver.seen != version || sender.is_none() {
                    assert!(waits.is_woken(), "something changed, and it sleeps");
                }
            }
        }
        if let Some(sender) = &sender {
            assert_eq!(sender.receiver_count(), receivers.len());
        }
        if script.is_over() {
            break;
        }
    }
}
