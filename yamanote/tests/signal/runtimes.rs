//! Signals and runtimes: several, others, none.

use std::panic::catch_unwind;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use yamanote::runtime::Builder;
use yamanote::signal::unix::{SignalKind, signal};

use super::support::{multi, poll_once, send, single};

#[test]
fn every_runtime_hears() {
    for _ in 0..10 {
        let (ready, listening) = mpsc::channel();
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let ready = ready.clone();
                thread::spawn(move || {
                    let runtime = if i % 2 == 0 { single() } else { multi() };
                    runtime.block_on(async {
                        let mut listener = signal(SignalKind::hangup()).unwrap();
                        ready.send(()).unwrap();
                        listener.recv().await;
                    });
                })
            })
            .collect();
        for _ in &threads {
            listening.recv().unwrap();
        }
        send(libc::SIGHUP);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn one_runtime_goes_and_the_other_goes_on_hearing() {
    let kind = SignalKind::terminate();
    let (first, second) = (single(), single());
    let mut one = first.block_on(async { signal(kind).unwrap() });
    let mut two = second.block_on(async { signal(kind).unwrap() });
    send(libc::SIGTERM);
    first.block_on(one.recv());
    drop((one, first));
    second.block_on(two.recv());
    send(libc::SIGTERM);
    second.block_on(two.recv());
}

#[test]
fn a_listener_is_heard_in_the_runtime_that_polls_it() {
    let kind = SignalKind::io();
    for gone in [false, true] {
        let first = single();
        let mut listener = first.block_on(async { signal(kind).unwrap() });
        // Or it stays, and nobody drives it.
        let mut first = Some(first);
        if gone {
            first.take().unwrap().shutdown_timeout(Duration::from_secs(60));
        }
        for second in [single(), multi()] {
            second.block_on(async {
                for _ in 0..3 {
                    assert!(poll_once(listener.recv()).await.is_none());
                    send(libc::SIGIO);
                    listener.recv().await;
                }
            });
        }
        drop(first);
    }
}

#[test]
fn outside_a_runtime_it_panics() {
    assert!(catch_unwind(|| drop(signal(SignalKind::from_raw(35)))).is_err());
    let runtime = Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let payload = catch_unwind(|| drop(signal(SignalKind::from_raw(35)))).unwrap_err();
    let message = payload.downcast_ref::<&str>().copied().map(String::from);
    let message = message.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap();
    assert!(message.contains("signal driver"), "{message}");
}

#[test]
fn a_runtime_that_is_shut_down_refuses() {
    let runtime = single();
    let handle = runtime.handle().clone();
    runtime.shutdown_timeout(Duration::from_secs(60));
    let _entered = handle.enter();
    assert!(signal(SignalKind::hangup()).is_err());
}
