//! The flight recorder as the user sees it: a recording, and what can be made of it.
//!
//! What makes something of it is `#[inline]`, which here means: compiled with the program that asks for it. All others
//! build faster for it, and the debug information of a development build is smaller by megabytes.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io;
use std::panic::Location;
use std::time::Duration;

use crate::engine::observe::recorder::{Cause, Event, Mark, RING, What};
use crate::runtime::Handle;
use crate::sys::ticks;
use crate::task::Id;

/// Entries in each list of the summary. Arbitrary: a screenful.
const LISTED: usize = 10;

/// Records what a runtime's workers do, until it is dropped or [finished](FlightRecorder::finish).
///
/// Made by [`Handle::start_recording`].
///
/// # Examples
/// ```
/// use yamanote::runtime::{FlightRecorder, Handle};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let recorder: FlightRecorder = Handle::current().start_recording();
/// yamanote::spawn(yamanote::task::yield_now()).await.unwrap();
/// println!("{}", recorder.finish().summary());
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the recording ends when this is dropped"]
pub struct FlightRecorder {
    handle: Handle,
    since: Mark,
}

impl FlightRecorder {
    pub(crate) fn start(handle: Handle) -> FlightRecorder {
        let observer = &handle.shared.observer;
        ticks::settle();
        let since = observer.recorder.mark();
        {
            let mut users = observer.recorder.users.lock().unwrap_or_else(|e| e.into_inner());
            *users += 1;
            observer.want_events(true);
        }
        FlightRecorder { handle, since }
    }

    /// Ends it, and gives what was recorded.
    ///
    /// # Examples
    /// See [`Handle::start_recording`].
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let recorder = yamanote::runtime::Handle::current().start_recording();
    /// yamanote::spawn(async {}).await.unwrap();
    /// let recording = recorder.finish();
    /// yamanote::spawn(async {}).await.unwrap(); // not in it
    /// assert!(recording.event_count() > 0);
    /// # }
    /// ```
    #[inline]
    pub fn finish(self) -> Recording {
        let shared = &self.handle.shared;
        let end = shared.observer.recorder.mark();
        let end_ns = self.since.ns_to(&end);
        let (workers, slots) = (shared.workers(), shared.remotes.len());
        let name = |slot| match slot {
            slot if slot < workers => format!("worker {slot}"),
            slot if slot < slots => format!("spare {}", slot - workers),
            _ => "other threads".into(),
        };
        let rings = shared.observer.recorder.read(self.since);
        let mut tracks: Vec<_> =
            rings.into_iter().enumerate().map(|(slot, events)| Track::new(name(slot), events)).collect();
        let mut stalls = Vec::new();
        for track in &mut tracks {
            for (time, _) in &mut track.events {
                *time = self.since.ns_until(*time, &end);
            }
            track.events.retain(|&(time_ns, event)| {
                // Those that came while it was being ended are left out.
                if time_ns > end_ns {
                    return false;
                }
                // The monitor tells of it, but it is the worker's.
                let stall = if let What::Stall(slot) = event.what { Some(slot as usize) } else { None };
                stalls.extend(stall.map(|slot| (slot, time_ns, event)));
                stall.is_none()
            });
        }
        for (slot, time_ns, event) in stalls {
            let events = &mut tracks[slot].events;
            let at = events.partition_point(|(other, _)| *other <= time_ns);
            events.insert(at, (time_ns, event));
        }
        tracks.retain(|track| !track.events.is_empty());
        let mut recording = Recording { end_ns, tracks };
        recording.tell_yields();
        recording
    }
}

impl Drop for FlightRecorder {
    fn drop(&mut self) {
        let observer = &self.handle.shared.observer;
        let mut users = observer.recorder.users.lock().unwrap_or_else(|e| e.into_inner());
        *users -= 1;
        if *users == 0 {
            observer.want_events(false);
        }
    }
}

/// What happened on one worker, or elsewhere.
struct Track {
    name: String,
    events: Vec<(u64, Event)>,
    /// There was more than the ring holds.
    truncated: bool,
}

/// What a worker did for some time.
#[derive(Clone, Copy)]
enum Doing {
    /// It polled a task.
    Poll(Id, Option<&'static Location<'static>>),
    /// It polled the future of `block_on`.
    Root,
    Parked,
    /// It woke whoever waited for events or timers.
    Events,
}

struct Slice {
    start_ns: u64,
    end_ns: u64,
    doing: Doing,
}

impl Slice {
    #[inline]
    fn ns(&self) -> u64 {
        self.end_ns - self.start_ns
    }
}

impl Track {
    #[inline]
    fn new(name: String, events: Vec<(u64, Event)>) -> Track {
        Track { name, truncated: events.len() >= RING - 1, events }
    }

    /// What was done, one thing after another. What has no end ends where the next begins, or with the recording.
    #[inline]
    fn slices(&self, end_ns: u64) -> Vec<Slice> {
        let mut slices = Vec::new();
        let mut open: Option<Slice> = None;
        // When the last thing ended.
        let mut free_ns = None;
        for &(time_ns, event) in &self.events {
            let begun = match event.what {
                What::PollStart => event.task.map(|id| Doing::Poll(id, event.location)),
                What::Root => Some(Doing::Root),
                What::Park => Some(Doing::Parked),
                What::PollEnd | What::Again | What::Unpark => None,
                // Inside a park, or after a poll: then they took the time since.
                What::Io(_) | What::Timers(_) => {
                    if let (None, Some(start_ns)) = (&open, free_ns) {
                        slices.push(Slice { start_ns, end_ns: time_ns, doing: Doing::Events });
                        free_ns = Some(time_ns);
                    }
                    continue;
                }
                What::Spawn | What::Wake(_) | What::Steal(_) | What::Stall(_) => continue,
            };
            if let Some(mut slice) = open.take() {
                slice.end_ns = time_ns;
                slices.push(slice);
            }
            open = begun.map(|doing| Slice { start_ns: time_ns, end_ns: time_ns, doing });
            free_ns = Some(time_ns);
        }
        if let Some(mut slice) = open {
            slice.end_ns = end_ns.max(slice.start_ns);
            slices.push(slice);
        }
        slices
    }
}

/// A wake and the poll that it led to.
struct Wakeup {
    task: Id,
    location: Option<&'static Location<'static>>,
    /// Row and time of each.
    woken: (usize, u64),
    polled: (usize, u64),
}

/// What a runtime's workers did for a while.
///
/// # Looking at one
/// [`write_chrome_trace`](Recording::write_chrome_trace) writes it in the format of Chrome's tracing, which
/// [ui.perfetto.dev](https://ui.perfetto.dev) and `chrome://tracing` open: a row for each worker, with a bar for each poll,
/// named by where the task was spawned, and for each time it was parked; arrows from each wake to the poll it led to;
/// marks for what was spawned, woken (and by whom), stolen, for events and timers, and for polls that took too long.
/// Times are those of the processor's clock where the kernel trusts it (64-bit x86), a poll's end is that of whatever the
/// worker did next. [`summary`](Recording::summary) is for a terminal.
///
/// Each worker keeps its last 16,383 events: of a long recording, the end.
pub struct Recording {
    end_ns: u64,
    tracks: Vec<Track>,
}

impl Recording {
    /// How long it took.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let handle = yamanote::runtime::Handle::current();
    /// let recording = handle.record(Duration::from_millis(5)).await;
    /// assert!(recording.duration() >= Duration::from_millis(5));
    /// # }
    /// ```
    #[inline]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_ns)
    }

    /// How many events are in it.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let recorder = yamanote::runtime::Handle::current().start_recording();
    /// yamanote::spawn(yamanote::task::yield_now()).await.unwrap();
    /// // Spawned, polled twice, woken …
    /// assert!(recorder.finish().event_count() >= 4);
    /// # }
    /// ```
    #[inline]
    pub fn event_count(&self) -> usize {
        self.tracks.iter().map(|track| track.events.len()).sum()
    }

    /// Whether more happened than the recorder keeps, so that only the last of it is here.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let recorder = yamanote::runtime::Handle::current().start_recording();
    /// yamanote::spawn(async {}).await.unwrap();
    /// assert!(!recorder.finish().is_truncated());
    /// # }
    /// ```
    #[inline]
    pub fn is_truncated(&self) -> bool {
        self.tracks.iter().any(|track| track.truncated)
    }

    /// Writes it in the format of Chrome's tracing, as JSON.
    ///
    /// # Errors
    /// Those of `out`.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let runtime = yamanote::runtime::Builder::new_multi_thread().enable_time().build()?;
    /// let handle = runtime.handle().clone();
    /// let recording = runtime.block_on(handle.record(std::time::Duration::from_millis(20)));
    /// let mut file = Vec::new(); // or std::fs::File::create("trace.json")?
    /// recording.write_chrome_trace(&mut file)?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn write_chrome_trace(&self, mut out: impl io::Write) -> io::Result<()> {
        out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n")?;
        out.write_all(b"{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":0,\"args\":{\"name\":\"runtime\"}}")?;
        let places = self.places();
        let mut line = String::new();
        for (row, track) in self.tracks.iter().enumerate() {
            line.clear();
            for (what, value) in
                [("thread_name", Json(&track.name).to_string()), ("thread_sort_index", row.to_string())]
            {
                let key = if what == "thread_name" { "name" } else { "sort_index" };
                let _ = write!(
                    line,
                    ",\n{{\"name\":\"{what}\",\"ph\":\"M\",\"pid\":1,\"tid\":{row},\"args\":{{\"{key}\":{value}}}}}"
                );
            }
            out.write_all(line.as_bytes())?;
            for slice in track.slices(self.end_ns) {
                line.clear();
                write_slice(&mut line, row, &slice);
                out.write_all(line.as_bytes())?;
            }
            for &(time_ns, event) in &track.events {
                line.clear();
                write_mark(&mut line, row, time_ns, event, &places);
                out.write_all(line.as_bytes())?;
            }
        }
        let slices: Vec<_> = self.tracks.iter().map(|track| track.slices(self.end_ns)).collect();
        for (number, wakeup) in self.wakeups().iter().enumerate() {
            line.clear();
            // An arrow begins at a bar, or a viewer does not know from where.
            let (row, woken_ns) = wakeup.woken;
            let after = slices[row].partition_point(|slice| slice.start_ns <= woken_ns);
            if after > 0 && woken_ns <= slices[row][after - 1].end_ns {
                write_arrow(&mut line, number, wakeup);
                out.write_all(line.as_bytes())?;
            }
        }
        out.write_all(b"\n]}\n")
    }

    /// A task that is polled although nothing woke it since its last poll was woken in that, and queued when it ended:
    /// that has no event of its own, which would cost a busy worker as much as the poll's.
    fn tell_yields(&mut self) {
        enum Step {
            Woken,
            Polled,
            /// The poll's end, and the row that it is in.
            Ended(usize),
        }

        let mut steps = Vec::new();
        for (row, track) in self.tracks.iter().enumerate() {
            let wakes = track.events.iter().filter_map(|(time_ns, event)| match event.what {
                What::Wake(_) | What::Again | What::Spawn => Some((*time_ns, event.task?, Step::Woken)),
                _ => None,
            });
            steps.extend(wakes);
            for slice in track.slices(self.end_ns) {
                if let Doing::Poll(id, _) = slice.doing {
                    steps.push((slice.start_ns, id, Step::Polled));
                    steps.push((slice.end_ns, id, Step::Ended(row)));
                }
            }
        }
        // A poll that begins when another ends comes after that.
        steps.sort_by_key(|(time_ns, id, step)| (*time_ns, *id, matches!(step, Step::Polled)));
        // Of each task, when and in which row its last poll ended, and whether something woke it since that began; it may
        // have been told of the end only after that.
        let mut seen: HashMap<Id, (Option<(u64, usize)>, bool)> = HashMap::new();
        let mut yields = Vec::new();
        for (time_ns, id, step) in steps {
            let (ended, woken) = seen.entry(id).or_default();
            match step {
                Step::Woken => *woken = true,
                Step::Polled => {
                    let again = ended.take().filter(|_| !*woken);
                    yields.extend(again.map(|(time_ns, row)| (row, time_ns, id)));
                    *woken = false;
                }
                Step::Ended(row) => *ended = Some((time_ns, row)),
            }
        }
        for (row, time_ns, id) in yields {
            let again = Event { what: What::Again, task: Some(id), location: None };
            self.tracks[row].events.push((time_ns, again));
        }
        self.tracks.iter_mut().for_each(|track| track.events.sort_by_key(|(time_ns, _)| *time_ns));
    }

    /// Where tasks were spawned, as far as that is known.
    #[inline]
    fn places(&self) -> HashMap<Id, &'static Location<'static>> {
        let events = self.tracks.iter().flat_map(|track| &track.events);
        events.filter_map(|(_, event)| Some((event.task?, event.location?))).collect()
    }

    /// The wakes that led to a poll, by the time of that.
    #[inline]
    fn wakeups(&self) -> Vec<Wakeup> {
        let rows = self.tracks.iter().enumerate();
        let mut events: Vec<_> = rows
            .flat_map(|(row, track)| {
                track.events.iter().map(move |(time_ns, event)| (row, *time_ns, event))
            })
            .collect();
        events.sort_by_key(|&(_, time_ns, _)| time_ns);
        let mut woken = HashMap::new();
        let mut wakeups = Vec::new();
        for (row, time_ns, event) in events {
            let Some(task) = event.task else { continue };
            match event.what {
                What::Wake(_) | What::Again | What::Spawn => {
                    woken.entry(task).or_insert((row, time_ns));
                }
                What::PollStart => wakeups.extend(woken.remove(&task).map(|woken| Wakeup {
                    task,
                    location: event.location,
                    woken,
                    polled: (row, time_ns),
                })),
                _ => {}
            }
        }
        wakeups
    }

    /// The longest polls by where their tasks were spawned, the longest times between a wake and the poll, and the
    /// tasks that were polled for longest.
    ///
    /// # Examples
    /// ```
    /// # #[yamanote::main]
    /// # async fn main() {
    /// let recorder = yamanote::runtime::Handle::current().start_recording();
    /// yamanote::spawn(async { std::hint::black_box(1) }).await.unwrap();
    /// println!("{}", recorder.finish().summary());
    /// # }
    /// ```
    #[inline]
    pub fn summary(&self) -> String {
        let mut text = format!("{} events in {:?}", self.event_count(), self.duration());
        text.push_str(if self.is_truncated() { "; there were more than are kept\n" } else { "\n" });
        self.list_polls(&mut text);
        self.list_delays(&mut text);
        text
    }

    #[inline]
    fn list_polls(&self, text: &mut String) {
        /// Polls, the longest, and all together.
        #[derive(Default)]
        struct Polls(u64, u64, u64);

        impl Polls {
            #[inline]
            fn add(&mut self, ns: u64) {
                self.0 += 1;
                self.1 = self.1.max(ns);
                self.2 += ns;
            }
        }

        let mut places: HashMap<String, Polls> = HashMap::new();
        let mut tasks: HashMap<Id, (Polls, String)> = HashMap::new();
        for slice in self.tracks.iter().flat_map(|track| track.slices(self.end_ns)) {
            let Doing::Poll(id, location) = slice.doing else { continue };
            let place = location.map_or_else(|| "unknown".into(), Location::to_string);
            let task = tasks.entry(id).or_insert_with(|| (Polls::default(), place.clone()));
            task.0.add(slice.ns());
            places.entry(place).or_default().add(slice.ns());
        }
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
        text.push_str("\nlongest polls, by where the task was spawned:\n");
        for (place, Polls(n, longest, sum)) in places.iter().take(LISTED) {
            let (longest, sum) = (Duration::from_nanos(*longest), Duration::from_nanos(*sum));
            let _ = writeln!(text, "  {longest:>12.3?} of {sum:>12.3?} in {n:>6} polls  {place}");
        }
        let mut tasks: Vec<_> = tasks.into_iter().collect();
        tasks.sort_by_key(|(id, (polls, _))| (std::cmp::Reverse(polls.2), *id));
        text.push_str("\nbusiest tasks:\n");
        for (id, (Polls(n, _, sum), place)) in tasks.iter().take(LISTED) {
            let _ = writeln!(
                text,
                "  {:>12.3?} in {n:>6} polls  task {id}, {place}",
                Duration::from_nanos(*sum)
            );
        }
    }

    #[inline]
    fn list_delays(&self, text: &mut String) {
        let delay = |wakeup: &Wakeup| (wakeup.polled.1 - wakeup.woken.1, wakeup.task, wakeup.location);
        let mut delays: Vec<_> = self.wakeups().iter().map(delay).collect();
        delays.sort_by_key(|(ns, id, _)| (std::cmp::Reverse(*ns), *id));
        text.push_str("\nlongest times between a wake and the poll:\n");
        for (ns, id, location) in delays.iter().take(LISTED) {
            let place = location.map_or_else(|| "unknown".into(), Location::to_string);
            let _ = writeln!(text, "  {:>12.3?}  task {id}, {place}", Duration::from_nanos(*ns));
        }
    }
}

impl fmt::Debug for Recording {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("duration", &self.duration())
            .field("event_count", &self.event_count())
            .finish()
    }
}

#[inline]
fn write_slice(line: &mut String, row: usize, slice: &Slice) {
    let (name, kind, id) = match slice.doing {
        Doing::Poll(id, Some(location)) => (location.to_string(), "poll", Some(id)),
        Doing::Poll(id, None) => (format!("task {id}"), "poll", Some(id)),
        Doing::Root => ("block_on".into(), "poll", None),
        Doing::Parked => ("parked".into(), "worker", None),
        Doing::Events => ("events".into(), "worker", None),
    };
    let _ = write!(
        line,
        ",\n{{\"name\":{},\"cat\":\"{kind}\",\"ph\":\"X\",\"pid\":1,\"tid\":{row},\"ts\":{},\"dur\":{}",
        Json(&name),
        Us(slice.start_ns),
        Us(slice.ns())
    );
    if let Some(id) = id {
        let _ = write!(line, ",\"args\":{{\"task\":{id}}}");
    }
    line.push('}');
}

#[inline]
fn write_mark(
    line: &mut String,
    row: usize,
    time_ns: u64,
    event: Event,
    places: &HashMap<Id, &'static Location<'static>>,
) {
    let (name, detail) = match event.what {
        What::Spawn => ("spawn", None),
        What::Wake(Cause::Task(id)) => match places.get(&id) {
            Some(place) => ("wake", Some(("from", format!("task {id}, spawned at {place}")))),
            None => ("wake", Some(("from", format!("task {id}")))),
        },
        What::Wake(Cause::Io) => ("wake", Some(("from", "an I/O event".into()))),
        What::Wake(Cause::Timer) => ("wake", Some(("from", "a timer".into()))),
        What::Wake(Cause::Outside) => ("wake", Some(("from", "outside".into()))),
        What::Again => ("wake", Some(("from", "its own poll".into()))),
        What::Steal(n) => ("steal", Some(("tasks", n.to_string()))),
        What::Stall(_) => ("stall", None),
        What::Io(n) => ("I/O", Some(("events", n.to_string()))),
        What::Timers(n) => ("timers", Some(("fired", n.to_string()))),
        What::PollStart | What::PollEnd | What::Root | What::Park | What::Unpark => return,
    };
    let _ = write!(
        line,
        ",\n{{\"name\":\"{name}\",\"cat\":\"mark\",\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":{row},\"ts\":{},\"args\":{{",
        Us(time_ns)
    );
    let mut comma = "";
    if let Some(id) = event.task {
        let _ = write!(line, "\"task\":{id}");
        comma = ",";
    }
    if let Some(location) = event.location.or_else(|| places.get(&event.task?).copied()) {
        let _ = write!(line, "{comma}\"at\":{}", Json(&location.to_string()));
        comma = ",";
    }
    if let Some((key, value)) = detail {
        let _ = write!(line, "{comma}\"{key}\":{}", Json(&value));
    }
    line.push_str("}}");
}

/// From where a task was woken to where it is polled for that.
#[inline]
fn write_arrow(line: &mut String, number: usize, wakeup: &Wakeup) {
    let ends = [("s\"", wakeup.woken), ("f\",\"bp\":\"e\"", wakeup.polled)];
    for (phase, (row, time_ns)) in ends {
        let _ = write!(
            line,
            ",\n{{\"name\":\"wake\",\"cat\":\"wake\",\"ph\":\"{phase},\"id\":{number},\"pid\":1,\"tid\":{row},\"ts\":{}}}",
            Us(time_ns)
        );
    }
}

/// Microseconds, to the nanosecond, as the format wants them.
struct Us(u64);

impl fmt::Display for Us {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// A string as JSON has it.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
