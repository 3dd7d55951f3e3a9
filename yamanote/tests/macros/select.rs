use std::cell::Cell;
use std::future::{pending, ready};

use yamanote::select;
use yamanote::sync::oneshot;

#[yamanote::test]
async fn the_first_that_is_ready() {
    let got = select! {
        n = async { 1 } => n,
        _ = pending::<()>() => unreachable!(),
    };
    assert_eq!(got, 1);
}

#[yamanote::test]
async fn biased_goes_from_top_to_bottom() {
    for _ in 0..50 {
        let got = select! {
            biased;
            _ = ready(()) => 1,
            _ = ready(()) => 2,
        };
        assert_eq!(got, 1);
    }
}

#[yamanote::test]
async fn fair_begins_anywhere() {
    let mut seen = [0; 3];
    for _ in 0..300 {
        let i: usize = select! {
            _ = ready(()) => 0,
            _ = ready(()) => 1,
            _ = ready(()) => 2,
        };
        seen[i] += 1;
    }
    assert!(seen.iter().all(|&n| n > 0), "{seen:?}");
}

#[yamanote::test]
async fn patterns_that_do_not_match_disable() {
    let got = select! {
        Some(n) = ready(None::<u32>) => n,
        Ok(n @ 5..=9) = ready(Ok::<u32, ()>(3)) => n,
        ref mut x = ready(7u32) => { *x += 1; *x }
    };
    assert_eq!(got, 8);
    let got = select! {
        Some(n) = ready(None::<u32>) => n,
        else => 9,
    };
    assert_eq!(got, 9);
}

#[yamanote::test]
#[should_panic(expected = "all branches are disabled and there is no else branch")]
async fn nothing_left() {
    select! {
        Some(()) = ready(None) => {}
    }
}

#[yamanote::test]
async fn conditions_are_evaluated_and_futures_made_first() {
    let log = Cell::new(0);
    let note = |n| {
        log.set(log.get() * 10 + n);
        n
    };
    select! {
        _ = ready(note(3)), if note(1) == 0 => unreachable!(),
        _ = ready(note(4)), if note(2) == 2 => {}
    }
    assert_eq!(log.get(), 1234);
}

#[yamanote::test]
async fn handlers_own_what_the_futures_borrowed() {
    let mut text = String::from("a");
    select! {
        _ = async { text.push('b') } => text.push('c'),
        _ = pending::<()>() => {}
    }
    assert_eq!(text, "abc");
}

#[yamanote::test]
async fn control_flow_leaves_the_handler() {
    async fn inner() -> Result<u32, &'static str> {
        let mut rounds = 0;
        loop {
            select! {
                n = async { Ok::<u32, &'static str>(rounds) } => {
                    if n? == 3 {
                        break;
                    }
                    rounds += 1;
                    continue;
                }
            }
        }
        Err("done")
    }
    assert_eq!(inner().await, Err("done"));
}

/// The loser is dropped before the handler runs.
#[yamanote::test]
async fn losers_are_dropped() {
    let (tx, rx) = oneshot::channel::<()>();
    select! {
        _ = rx => unreachable!(),
        () = ready(()) => assert!(tx.is_closed()),
    }
}

/// Always ready, `select!` in a loop lets others run all the same.
#[yamanote::test]
async fn takes_part_in_the_budget() {
    let other = yamanote::spawn(async {});
    while !other.is_finished() {
        select! {
            biased;
            () = yamanote::task::consume_budget() => {}
        }
    }
}

#[yamanote::test]
async fn many_branches() {
    let n = select! {
        biased;
        _ = pending::<()>() => 0, _ = pending::<()>() => 1, _ = pending::<()>() => 2, _ = pending::<()>() => 3,
        _ = pending::<()>() => 4, _ = pending::<()>() => 5, _ = pending::<()>() => 6, _ = pending::<()>() => 7,
        _ = pending::<()>() => 8, _ = pending::<()>() => 9, _ = pending::<()>() => 10, _ = ready(()) => 11,
    };
    assert_eq!(n, 11);
}
