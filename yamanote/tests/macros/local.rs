use std::rc::Rc;

yamanote::task_local! {
    static NUMBER: u32;
    pub(crate) static TEXT: String
}

#[yamanote::test]
async fn each_task_has_its_own() {
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            yamanote::spawn(NUMBER.scope(n, async move {
                yamanote::task::yield_now().await;
                NUMBER.get() == n
            }))
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert!(NUMBER.try_get().is_err());
}

#[yamanote::test]
async fn scopes_nest_and_survive_panics() {
    NUMBER
        .scope(1, async {
            let inner = std::panic::catch_unwind(|| NUMBER.sync_scope(2, || panic!("planned")));
            assert!(inner.is_err());
            assert_eq!(NUMBER.get(), 1);
            TEXT.scope("x".into(), async { assert_eq!(TEXT.with(String::len), 1) }).await;
        })
        .await;
}

/// The future is dropped inside its scope.
#[yamanote::test]
async fn destructors_see_the_value() {
    yamanote::task_local! {
        static SEEN: Rc<std::cell::Cell<bool>>;
    }

    struct Looks;

    impl Drop for Looks {
        fn drop(&mut self) {
            SEEN.with(|seen| seen.set(true));
        }
    }

    let seen = Rc::new(std::cell::Cell::new(false));
    drop(SEEN.scope(Rc::clone(&seen), async {
        let _looks = Looks;
        std::future::pending::<()>().await;
    }));
    assert!(!seen.get(), "never polled, nothing to drop");
    let mut future = Box::pin(SEEN.scope(Rc::clone(&seen), async {
        let _looks = Looks;
        std::future::pending::<()>().await;
    }));
    assert!(futures::poll!(&mut future).is_pending());
    drop(future);
    assert!(seen.get());
}
