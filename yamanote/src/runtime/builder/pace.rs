//! What a worker does next, and for how long: intervals, numbers of events, the watch over long polls.

use std::time::Duration;

use super::Builder;
use crate::runtime::RngSeed;

/// How long a poll may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum StallLimit {
    Default,
    Set(Option<Duration>),
}

impl Builder {
    /// After how many polls a worker looks at what came from elsewhere before its own queue. Lower is
    /// fairer to other threads, higher is less work.
    ///
    /// Unless set, it is 31 on a single-threaded runtime; on a multi-threaded one it follows how long polls
    /// take, so that what came from elsewhere waits for some 200 µs on average.
    ///
    /// # Panics
    /// If `val` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().global_queue_interval(31).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    pub fn global_queue_interval(&mut self, val: u32) -> &mut Builder {
        assert!(val > 0, "global_queue_interval must be greater than 0");
        self.global_queue_interval = Some(val);
        self
    }

    /// After how many polls a busy worker looks at its event driver and timers.
    ///
    /// Unless set, it is 61, or fewer where polls take so long that an event would wait for more than
    /// a millisecond on average. (Upstream's is 61 however long they take.)
    ///
    /// # Panics
    /// If `val` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_all().event_interval(31).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    pub fn event_interval(&mut self, val: u32) -> &mut Builder {
        assert!(val > 0, "event_interval must be greater than 0");
        self.event_interval = Some(val);
        self
    }

    /// Turns off the optimisation by which the task woken last runs next.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().disable_lifo_slot().build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn disable_lifo_slot(&mut self) -> &mut Builder {
        self.lifo_slot = false;
        self
    }

    /// Seeds the runtime's random choices; see [`RngSeed`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::{Builder, RngSeed};
    ///
    /// // What is drawn by lot, as the branches of `select!`, is drawn in the same order each time.
    /// let seed = RngSeed::from_bytes(b"any bytes");
    /// let runtime = Builder::new_current_thread().rng_seed(seed).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn rng_seed(&mut self, seed: RngSeed) -> &mut Builder {
        self.seed = Some(seed);
        self
    }

    /// How many events a worker takes from the operating system at once (1,024 by default).
    ///
    /// # Panics
    /// If `capacity` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().enable_io().max_io_events_per_tick(256).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Builder {
        assert!(capacity > 0, "max_io_events_per_tick must be non-zero");
        self.events_per_turn = capacity;
        self
    }

    /// How long a worker that has nothing to do may ask again and again for events before it waits for them; it does not
    /// unless this is set, nor for a duration of zero.
    ///
    /// To wait and to be woken takes longer than a short answer. Where the next message mostly comes within
    /// microseconds, as on few connections between programs on one machine, a worker that asks finds it sooner, for
    /// processor time in which nothing else runs there. So it asks only where that found something of late, and
    /// otherwise tries once in a while.
    ///
    /// A server with one connection, on a processor of its own, answered within 7.5 µs instead of 20.6, and used 7.7 µs of
    /// processor time for it instead of 17.9: what it costs to sleep and to wake up. Where messages came every 50 µs a
    /// limit of that length still cut the time to 0.4, for twice the processor time. With many connections there is
    /// nothing to gain, and where the other side shares the processor it loses. Those were measured with 50 µs; try what
    /// suits, where there is a processor to spare.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime =
    ///     Builder::new_current_thread().enable_io().busy_poll(Duration::from_micros(30)).build().unwrap();
    /// # drop(runtime);
    /// ```
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    pub fn busy_poll(&mut self, at_most: Duration) -> &mut Builder {
        self.busy_poll = (!at_most.is_zero()).then_some(at_most);
        self
    }

    /// How many events a worker that has other work takes at once, at the most. A worker takes no more than
    /// its queue has room for in any case.
    ///
    /// # Panics
    /// If `capacity` is 0.
    ///
    /// # Examples
    /// ```
    /// use yamanote::runtime::Builder;
    ///
    /// // Rather often and little at a time.
    /// let runtime = Builder::new_multi_thread()
    ///     .enable_all()
    ///     .event_interval(16)
    ///     .max_io_events_per_busy_tick(64)
    ///     .build()
    ///     .unwrap();
    /// # drop(runtime);
    /// ```
    #[track_caller]
    #[cfg(any(feature = "net", feature = "process", feature = "signal", feature = "io-uring"))]
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Builder {
        assert!(capacity > 0, "max_io_events_per_busy_tick must be non-zero");
        self.events_per_busy_turn = capacity;
        self
    }

    /// How long a poll may take before its worker counts as stuck. 10 ms unless set; `None` or zero turns the watch off.
    ///
    /// A task that blocks its thread, or computes for long, holds up what else its worker has to do. A runtime with
    /// several workers watches them from a thread of its own. Once a worker is stuck, its queued tasks, its
    /// sockets and its timers are served by others, and a spare worker takes its place until it comes back, so that even
    /// while all workers are stuck the other tasks go on. How many spares there may be at a time says
    /// [`max_spare_workers`](Builder::max_spare_workers). It is noticed between one and two limits after the
    /// poll began.
    ///
    /// The tasks of a single-threaded runtime cannot run elsewhere. It is watched only where
    /// [`on_stall`](Builder::on_stall) asks for it.
    ///
    /// The watch costs running tasks nothing, and while the runtime is idle no thread wakes up for it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use yamanote::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .enable_time()
    ///     .stall_limit(Duration::from_millis(5))
    ///     .build()
    ///     .unwrap();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// // The only worker waits for a task that only it could run.
    /// let stuck = runtime.spawn(async move {
    ///     yamanote::spawn(async move { tell.send("done").unwrap() });
    ///     told.recv().unwrap()
    /// });
    /// assert_eq!(runtime.block_on(stuck).unwrap(), "done");
    ///
    /// let unwatched = Builder::new_multi_thread().stall_limit(None).build().unwrap();
    /// # drop(unwatched);
    /// ```
    pub fn stall_limit(&mut self, limit: impl Into<Option<Duration>>) -> &mut Builder {
        self.stall_limit = StallLimit::Set(limit.into());
        self
    }

    /// How many spare workers may stand in for stuck ones at a time: twice the number of workers unless set, but no fewer
    /// than 4, and no more than 64 or the number of workers. When all of them are stuck too, nobody is
    /// left to run tasks, as on a runtime without spares.
    ///
    /// # Examples
    /// ```
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().max_spare_workers(16).build().unwrap();
    /// # drop(runtime);
    /// ```
    pub fn max_spare_workers(&mut self, max: usize) -> &mut Builder {
        self.max_spare_workers = Some(max);
        self
    }
}
