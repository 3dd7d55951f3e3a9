//! Who hears of a signal, and how often.

use std::io;

use yamanote::signal;
use yamanote::signal::unix::SignalKind;

use super::support::{multi, poll_once, send, single};

#[test]
fn an_interrupt_by_the_user() {
    for runtime in [single(), multi()] {
        runtime.block_on(async {
            let mut first = Box::pin(signal::ctrl_c());
            assert!(poll_once(first.as_mut()).await.is_none());
            yamanote::spawn(async { send(libc::SIGINT) });
            first.await.unwrap();
        });
    }
}

#[test]
fn each_signal_is_heard_once() {
    for runtime in [single(), multi()] {
        runtime.block_on(async {
            let mut listener = signal::unix::signal(SignalKind::user_defined1()).unwrap();
            for _ in 0..100 {
                assert!(poll_once(listener.recv()).await.is_none());
                send(libc::SIGUSR1);
                assert_eq!(listener.recv().await, Some(()));
            }
        });
    }
}

#[test]
fn all_listeners_hear() {
    for runtime in [single(), multi()] {
        runtime.block_on(async {
            let kind = SignalKind::user_defined2();
            let mut listeners: Vec<_> = (0..70).map(|_| signal::unix::signal(kind).unwrap()).collect();
            // Some are gone again; the others hear all the same.
            for i in (0..listeners.len()).rev().step_by(3) {
                drop(listeners.remove(i));
            }
            let tasks: Vec<_> = listeners
                .into_iter()
                .map(|mut listener| yamanote::spawn(async move { listener.recv().await }))
                .collect();
            send(libc::SIGUSR2);
            for task in tasks {
                assert_eq!(task.await.unwrap(), Some(()));
            }
        });
    }
}

#[test]
fn what_came_before_the_listener_does_not_count() {
    single().block_on(async {
        let kind = SignalKind::window_change();
        let mut first = signal::unix::signal(kind).unwrap();
        send(libc::SIGWINCH);
        first.recv().await;
        let mut second = signal::unix::signal(kind).unwrap();
        assert!(poll_once(second.recv()).await.is_none());
        send(libc::SIGWINCH);
        second.recv().await;
        first.recv().await;
    });
}

#[test]
fn several_at_once_may_be_one() {
    single().block_on(async {
        let mut listener = signal::unix::signal(SignalKind::alarm()).unwrap();
        for _ in 0..10 {
            send(libc::SIGALRM);
        }
        listener.recv().await;
        // Nothing more comes once all have arrived: they were sent by this very thread.
        while poll_once(listener.recv()).await.is_some() {}
        assert!(poll_once(listener.recv()).await.is_none());
    });
}

#[test]
fn a_dropped_listener_leaves_the_process_alive() {
    single().block_on(async {
        let kind = SignalKind::quit();
        drop(signal::unix::signal(kind).unwrap());
        send(libc::SIGQUIT);
        let mut listener = signal::unix::signal(kind).unwrap();
        send(libc::SIGQUIT);
        listener.recv().await;
    });
}

#[test]
fn a_dropped_wait_loses_no_signal() {
    single().block_on(async {
        let mut listener = signal::unix::signal(SignalKind::pipe()).unwrap();
        assert!(poll_once(listener.recv()).await.is_none());
        send(libc::SIGPIPE);
        yamanote::task::yield_now().await;
        listener.recv().await;
    });
}

#[cfg(target_os = "linux")]
#[test]
fn real_time_signals() {
    single().block_on(async {
        // All but the first, which another test uses.
        let mut listeners: Vec<_> = (libc::SIGRTMIN() + 1..=libc::SIGRTMIN() + 20)
            .map(|number| (number, signal::unix::signal(SignalKind::from_raw(number)).unwrap()))
            .collect();
        for (number, _) in &listeners {
            send(*number);
        }
        for (_, listener) in &mut listeners {
            listener.recv().await;
        }
    });
}

#[test]
fn what_cannot_be_listened_for() {
    single().block_on(async {
        for number in [
            -1,
            i32::MIN,
            i32::MAX,
            1000,
            libc::SIGKILL,
            libc::SIGSTOP,
            libc::SIGSEGV,
            libc::SIGILL,
            libc::SIGFPE,
        ] {
            let error = signal::unix::signal(SignalKind::from_raw(number)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Other, "{number}: {error}");
        }
    });
}

#[test]
fn kinds_are_numbers() {
    assert_eq!(SignalKind::from_raw(libc::SIGTERM), SignalKind::terminate());
    assert_eq!(SignalKind::from(libc::SIGHUP), SignalKind::hangup());
    assert_eq!(i32::from(SignalKind::child()), libc::SIGCHLD);
    assert_eq!(SignalKind::io().as_raw_value(), libc::SIGIO);
    assert_ne!(SignalKind::interrupt(), SignalKind::quit());
}
