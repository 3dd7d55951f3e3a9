use yamanote::runtime::Builder;

#[test]
fn tasks_are_counted() {
    let rt = Builder::new_current_thread().build().unwrap();
    let metrics = rt.metrics();
    rt.block_on(async {
        let task = yamanote::spawn(std::future::pending::<()>());
        assert_eq!(metrics.num_alive_tasks(), 1);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert_eq!((metrics.num_alive_tasks(), metrics.spawned_tasks_count()), (0, 1));
}

#[test]
fn queue_depths() {
    let rt = Builder::new_current_thread().build().unwrap();
    let metrics = rt.metrics();
    rt.spawn(async {});
    assert_eq!(metrics.global_queue_depth(), 1);
    rt.block_on(async {
        for _ in 0..1000 {
            yamanote::spawn(async {});
        }
        assert_eq!(metrics.worker_local_queue_depth(0), 1000);
    });
}

#[test]
fn forced_yields_are_counted() {
    let rt = Builder::new_current_thread().build().unwrap();
    rt.block_on(async {
        for _ in 0..200 {
            yamanote::task::coop::consume_budget().await;
        }
    });
    assert_eq!(rt.metrics().budget_forced_yield_count(), 1);
}
