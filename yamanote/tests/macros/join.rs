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
