//! tower's layers: timeouts, rate and concurrency limits, buffers, load shedding, retries, hedges, balance.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};
use tower::retry::Policy;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_fails() {
    let service = service_fn(|ms: u64| async move {
        sleep(Duration::from_millis(ms)).await;
        Ok::<_, Infallible>(ms)
    });
    let mut service = ServiceBuilder::new().timeout(Duration::from_millis(100)).service(service);
    assert_eq!(service.ready().await.unwrap().call(99).await.unwrap(), 99);
    let started = Instant::now();
    let error = service.ready().await.unwrap().call(10_000).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
    assert!(started.elapsed() <= Duration::from_millis(102), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_a_second() {
    let service = service_fn(|started: Instant| async move { Ok::<_, BoxError>(started.elapsed()) });
    let service =
        ServiceBuilder::new().buffer(64).rate_limit(5, Duration::from_secs(1)).service(service);
    let started = Instant::now();
    let calls = (0..20).map(|_| service.clone().oneshot(started));
    let mut times: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    times.sort_unstable();
    for (i, time) in times.iter().enumerate() {
        let second = Duration::from_secs(i as u64 / 5);
        assert!(*time >= second && *time < second + Duration::from_millis(100), "{i}: {time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_at_once() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let service = service_fn({
        let most = most.clone();
        move |i: usize| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(10)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, BoxError>(i)
            }
        }
    });
    let service = ServiceBuilder::new().concurrency_limit(3).service(service);
    let started = Instant::now();
    let answers = join_all((0..30).map(|i| service.clone().oneshot(i))).await;
    for (i, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), i);
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_busy_service_sheds_its_load() {
    let open = Arc::new(tokio::sync::Semaphore::new(0));
    let service = service_fn({
        let open = open.clone();
        move |()| {
            let open = open.clone();
            async move { open.acquire().await.map(drop).map_err(BoxError::from) }
        }
    });
    let service = ServiceBuilder::new().load_shed().concurrency_limit(1).service(service);
    let mut first = service.clone();
    let running = first.ready().await.unwrap().call(());
    let mut second = service.clone();
    let error = second.ready().await.unwrap().call(()).await.unwrap_err();
    assert!(error.is::<tower::load_shed::error::Overloaded>(), "{error}");
    open.add_permits(1);
    running.await.unwrap();
    second.ready().await.unwrap().call(()).await.unwrap();
}

#[derive(Clone)]
struct Attempts(usize);

impl Policy<u32, u32, BoxError> for Attempts {
    type Future = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

    fn retry(&mut self, _: &mut u32, result: &mut Result<u32, BoxError>) -> Option<Self::Future> {
        if result.is_ok() || self.0 == 0 {
            return None;
        }
        self.0 -= 1;
        Some(Box::pin(sleep(Duration::from_secs(1))))
    }

    fn clone_request(&mut self, request: &u32) -> Option<u32> {
        Some(*request)
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_tried_again_a_second_later() {
    let calls = Arc::new(AtomicUsize::new(0));
    let service = service_fn({
        let calls = calls.clone();
        move |good_from: u32| {
            let call = calls.fetch_add(1, Ordering::SeqCst) as u32;
            async move { if call >= good_from { Ok(call) } else { Err(BoxError::from("not yet")) } }
        }
    });
    let service = ServiceBuilder::new().retry(Attempts(3)).service(service);
    let started = Instant::now();
    assert_eq!(service.clone().oneshot(3).await.unwrap(), 3);
    assert!(started.elapsed() >= Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(service.oneshot(100).await.unwrap_err().to_string(), "not yet");
    assert_eq!(calls.load(Ordering::SeqCst), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buffer_serves_many_tasks() {
    let mut count = 0u64;
    // Not `Clone` and with state: the buffer's task owns it.
    let service = service_fn(move |i: u64| {
        count += 1;
        let answer = (i, count);
        async move { Ok::<_, Infallible>(answer) }
    });
    let service = ServiceBuilder::new().buffer(4).service(service);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..200 {
        let service = service.clone();
        tasks.spawn(async move {
            let (echo, order) = service.oneshot(i).await.unwrap();
            assert_eq!(echo, i);
            order
        });
    }
    let mut orders = tasks.join_all().await;
    orders.sort_unstable();
    assert_eq!(orders, (1..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn load_goes_to_whoever_has_less() {
    use tower::balance::p2c::Balance;
    use tower::discover::ServiceList;
    use tower::load::{CompleteOnResponse, PendingRequests};

    let counts: Vec<_> = (0..4).map(|_| Arc::new(AtomicUsize::new(0))).collect();
    let services = counts.iter().cloned().map(|count| {
        let service = service_fn(move |()| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, BoxError>(()) }
        });
        PendingRequests::new(service, CompleteOnResponse::default())
    });
    let mut balance = Balance::new(ServiceList::new(services.collect::<Vec<_>>()));
    for _ in 0..400 {
        balance.ready().await.unwrap().call(()).await.unwrap();
    }
    let counts: Vec<_> = counts.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    assert_eq!(counts.iter().sum::<usize>(), 400);
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}
