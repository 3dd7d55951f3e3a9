//! What is told of permits that nobody comes for.

use std::backtrace::Backtrace;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::task::Id;

/// A future was handed permits, and its task goes on without polling it, as
/// [`Builder::on_futurelock`](crate::runtime::Builder::on_futurelock) tells it.
///
/// Its `Display` says all of it in a line.
///
/// # Examples
/// ```
/// use yamanote::runtime::{Builder, FuturelockReport};
///
/// fn complain(report: &FuturelockReport) {
///     eprintln!("{report}");
/// }
/// let runtime = Builder::new_multi_thread().enable_all().on_futurelock(complain).build().unwrap();
/// # drop(runtime);
/// ```
///
/// One that is made: at [`Builder::on_futurelock`](crate::runtime::Builder::on_futurelock).
#[derive(Clone, Debug)]
pub struct FuturelockReport {
    pub(crate) task: Option<Id>,
    pub(crate) name: Option<String>,
    pub(crate) spawned_at: Option<&'static Location<'static>>,
    pub(crate) held: Duration,
    pub(crate) polls: u32,
    pub(crate) place: Arc<Backtrace>,
}

impl FuturelockReport {
    /// The task. `None`: it is the future that a `block_on` waits for.
    ///
    /// # Examples
    /// ```
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// let report = reports.recv().unwrap();
    /// assert_eq!(report.task(), Some(task.id()));
    /// ```
    pub fn task(&self) -> Option<Id> {
        self.task
    }

    /// The task's name, if [`task::Builder`](crate::task::Builder) gave it one.
    ///
    /// # Examples
    /// ```
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// assert_eq!(reports.recv().unwrap().name(), Some("order"));
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where in the source the task was spawned.
    ///
    /// # Examples
    /// ```
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// println!("spawned at {}", reports.recv().unwrap().spawned_at().unwrap());
    /// ```
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.spawned_at
    }

    /// Since when the future has had the permits.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// assert!(reports.recv().unwrap().held() >= Duration::from_millis(10));
    /// ```
    pub fn held(&self) -> Duration {
        self.held
    }

    /// How often the task was polled since, each time without polling the future.
    ///
    /// # Examples
    /// ```
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// assert!(reports.recv().unwrap().polls() >= 1);
    /// ```
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// The calls in which the future was polled for the first time, when it began to wait.
    ///
    /// # Examples
    /// ```
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// let report = reports.recv().unwrap();
    /// println!("the future that is not polled began to wait here:\n{}", report.backtrace());
    /// ```
    #[inline]
    pub fn backtrace(&self) -> &Backtrace {
        &self.place
    }

    /// The innermost of those calls that is not this library's nor the standard library's: the function that waits, with
    /// its place in the source if debug information tells. `None` if the program has no names.
    ///
    /// # Examples
    /// ```
    /// # let (tell, reports) = std::sync::mpsc::channel();
    /// # let runtime = yamanote::runtime::Builder::new_multi_thread()
    /// #     .worker_threads(1)
    /// #     .enable_time()
    /// #     .futurelock_limit(std::time::Duration::from_millis(10))
    /// #     .on_futurelock(move |report| tell.send(report.clone()).unwrap())
    /// #     .build()
    /// #     .unwrap();
    /// # let lock = std::sync::Arc::new(yamanote::sync::Mutex::new(()));
    /// # let held = runtime.block_on(lock.clone().lock_owned());
    /// # let locks_twice = async move {
    /// #     let mut first = Box::pin(lock.lock());
    /// #     yamanote::select! {
    /// #         _ = &mut first => {}
    /// #         _ = yamanote::time::sleep(std::time::Duration::from_millis(1)) => {
    /// #             drop(held);
    /// #             let _second = lock.lock().await;
    /// #         }
    /// #     }
    /// # };
    /// # let builder = yamanote::task::Builder::new().name("order");
    /// # let task = builder.spawn_on(locks_twice, runtime.handle()).unwrap();
    /// let report = reports.recv().unwrap();
    /// if let Some(function) = report.waits_in() {
    ///     println!("{function} waits for a lock, and nobody polls it");
    /// }
    /// ```
    #[inline]
    pub fn waits_in(&self) -> Option<String> {
        waits_in(&self.place.to_string())
    }
}

/// Out of a backtrace as the standard library shows it: `  7: name`, `             at file:line:column`.
#[inline]
fn waits_in(backtrace: &str) -> Option<String> {
    const LIBRARIES: [&str; 5] = ["yamanote::", "tokio::", "std::", "core::", "alloc::"];
    let mut lines = backtrace.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((number, name)) = line.trim_start().split_once(": ") else { continue };
        if number.parse::<u32>().is_err() || name == "<unknown>" {
            continue;
        }
        // `<crate::Type as Trait>::function`; a type of another crate is the program's.
        let start = name.trim_start_matches(['<', '&']);
        if LIBRARIES.iter().any(|library| start.starts_with(library)) {
            continue;
        }
        let place = lines.peek().and_then(|next| next.trim_start().strip_prefix("at "));
        return Some(match place {
            Some(place) => format!("{name} at {place}"),
            None => name.to_owned(),
        });
    }
    None
}

impl fmt::Display for FuturelockReport {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(id) => write!(f, "task {id}")?,
            None => f.write_str("the future of a block_on")?,
        }
        if let Some(name) = &self.name {
            write!(f, " '{name}'")?;
        }
        if let Some(location) = self.spawned_at {
            write!(f, ", spawned at {location},")?;
        }
        write!(f, " was handed a permit {:?} ago, was polled {} times since", self.held, self.polls)?;
        f.write_str(", and does not poll what waited for it")?;
        match self.waits_in() {
            Some(place) => write!(f, ", in {place}"),
            None => Ok(()),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::waits_in;

    #[test]
    fn the_innermost_function_of_the_program() {
        let text = "   0: std::backtrace::Backtrace::force_capture\n             at /rustc/x.rs:1:2\n   \
                    1: yamanote::sync::mutex::Mutex<T>::lock::{{closure}}\n   \
                    2: <core::pin::Pin<P> as core::future::future::Future>::poll\n   \
                    3: shop::order::{{closure}}\n             at ./src/main.rs:7:9\n   4: main\n";
        assert_eq!(waits_in(text).as_deref(), Some("shop::order::{{closure}} at ./src/main.rs:7:9"));
        let text = "   0: <unknown>\n   1: <shop::Order as core::future::future::Future>::poll\n";
        assert_eq!(
            waits_in(text).as_deref(),
            Some("<shop::Order as core::future::future::Future>::poll")
        );
        assert_eq!(waits_in("disabled backtrace"), None);
    }
}
