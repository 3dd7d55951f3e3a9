use std::cell::RefCell;
use std::future::ready;

use yamanote::{join, try_join};

#[yamanote::test]
async fn all_outputs() {
    assert_eq!(join!(async { 1 }, ready("two"), async { 3.0 }), (1, "two", 3.0));
    assert_eq!(join!(biased; async { 1 }), (1,));
    let () = join!();
}

/// They take turns in being first.
#[yamanote::test]
async fn turns() {
    let order = RefCell::new(Vec::new());
    let task = |n| {
        let order = &order;
        async move {
            for _ in 0..2 {
                order.borrow_mut().push(n);
                yamanote::task::yield_now().await;
            }
        }
    };
    join!(task(1), task(2));
    assert_eq!(*order.borrow(), [1, 2, 2, 1]);
    order.borrow_mut().clear();
    join!(biased; task(1), task(2));
    assert_eq!(*order.borrow(), [1, 2, 1, 2]);
}

#[yamanote::test]
async fn the_first_error_ends_it() {
    assert_eq!(try_join!(async { Ok::<_, ()>(1) }, async { Ok::<_, ()>(2) }), Ok((1, 2)));
    let result: Result<((), u32), &str> =
        try_join!(std::future::pending::<Result<(), &str>>(), async { Err("no") });
    assert_eq!(result, Err("no"));
    assert_eq!(try_join!(), Ok::<(), ()>(()));
}

/// Commas and bars that do not part the futures.
#[yamanote::test]
#[rustfmt::skip]
#[allow(clippy::all)]
async fn expressions_with_commas() {
    use std::collections::HashMap;

    struct Pair<A, B>(A, B);
    trait Make<A, B> {
        fn make() -> (A, B);
    }
    impl Make<u8, u16> for () {
        fn make() -> (u8, u16) {
            (1, 2)
        }
    }
    fn swapped<A, B>(a: A, b: B) -> std::future::Ready<(B, A)> {
        ready((b, a))
    }
    let (a, b) = (1, 2);
    assert_eq!(
        join!(
            swapped::<u8, &str>(1, "x"),
            ready(<() as Make<u8, u16>>::make()),
            ready(a < b),
            ready((|x: u32, y: u32| x | y)(1, 2)),
            async { (|x: u32, y: u32| x + y)(1, 2) },
        ),
        (("x", 1), (1, 2), true, 3, 3)
    );
    let plus = |f: &dyn Fn(u32, u32) -> u32| ready(f(3, 4));
    let (one, two, three, four) = join!(
        plus(&|x, y| x + y),
        { let Pair(x, y) = Pair::<u8, u8>(1, 2); ready(x | y) },
        match a { 1 | 2 => ready(1), _ => ready(2) },
        if a < b || b > a { ready(HashMap::<u8, Vec<u8>>::new().len() as u32) } else { ready(1) },
    );
    assert_eq!((one, two, three, four), (7, 3, 1, 0));
}
