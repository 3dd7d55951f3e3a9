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

/// What a handler may be, up to the comma that ends it.
#[yamanote::test]
#[rustfmt::skip]
#[allow(clippy::all)]
async fn handlers_with_commas() {
    use std::collections::HashMap;

    fn first<A, B>(a: A, _: B) -> A {
        a
    }
    for i in 0..12u32 {
        let (a, b) = (i, 2);
        let got: u32 = select! {
            biased;
            n = ready(7u32), if i == 0 => first::<u32, &str>(n, "x"),
            n = ready(7u32), if i == 1 => <u32 as Into<u32>>::into(n) ,
            n = ready(7u32), if i == 2 => (|x: u32, y: u32| x | y)(n, 8),
            n = ready(7u32), if i == 3 => if a < b || b > a { n } else { n + 1 },
            n = ready(7u32), if i == 4 => n as u64 as u32,
            n = ready(7u32), if i == 5 => HashMap::<u32, Vec<u32>>::from([(1, vec![n, n])])[&1].iter().sum::<u32>(),
            n = ready(7u32), if i == 6 => match n { 1 | 2 => 0, n => n << 1 | 1 },
            n = ready(7u32), if i == 7 => { n } // no comma
            n = ready(7u32), if i == 8 => ({ let f: fn(u32, u32) -> u32 = |x, _| x; f })(n, 0),
            n = ready(7u32), if i == 9 => *&n & !1 ,
            n = ready(7u32), if i == 10 => 'a: loop { break 'a n },
            n = ready(7u32) => n,
        };
        assert_eq!(got, [7, 7, 15, 8, 7, 14, 15, 7, 7, 6, 7, 7][i as usize], "{i}");
    }
}

/// Closures and ranges as results, and futures that are made by expressions with commas of their own.
#[yamanote::test]
#[rustfmt::skip]
async fn futures_with_commas() {
    async fn pair<A, B>(a: A, b: B) -> (A, B) {
        (a, b)
    }
    let add = select! {
        (a, b) = pair::<u8, u8>(1, 2), if matches!(Some(1), Some(x) if x < 2) => move |c, d| a + b + c + d,
        _ = pending::<()>() => unreachable!(),
    };
    assert_eq!(add(3u8, 4), 10);
    let range = select! {
        1..=3 = async { 2 } => 0..=2,
        _ = pending::<()>(), if false => 1..=2,
        else => unreachable!(),
    };
    assert_eq!(range, 0..=2);
}

/// Bindings of all kinds, where the pattern is tried by reference first.
#[yamanote::test]
async fn patterns() {
    #[derive(Debug, PartialEq)]
    struct Named {
        a: String,
        b: Option<u8>,
    }
    const ONE: u8 = 1;
    let named = || async { Named { a: "a".to_owned(), b: Some(1) } };
    let got = select! {
        Named { mut a, b: Some(ref b @ (ONE | 2..=4)) } = named() => { a.push('!'); (a, *b) }
    };
    assert_eq!(got, ("a!".to_owned(), 1));
    let got = select! {
        [first, .., mut last] = async { [1, 2, 3] } => { last += first; last }
    };
    assert_eq!(got, 4);
    let got = select! {
        Ok(mut n) | Err(mut n) = async { Err::<u8, u8>(1) } => { n += 1; n }
    };
    assert_eq!(got, 2);
}

/// Through a macro of the user's, which hands over parts in invisible brackets.
#[yamanote::test]
async fn within_a_macro() {
    macro_rules! first {
        ($pattern:pat, $future:expr, $condition:expr, $handler:expr) => {
            select! {
                $pattern = $future, if $condition => $handler,
                else => None,
            }
        };
    }
    assert_eq!(
        first!(Some(mut n), ready(Some(1)), true, {
            n += 1;
            Some(n)
        }),
        Some(2)
    );
    assert_eq!(first!(Some(n), ready(Some(1)), 1 > 2, Some(n)), None);
}
