//! The flight recorder as the user sees it: a recording, and what can be made of it.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io;
use std::panic::Location;
use std::time::Duration;

use crate::engine::observe::recorder::{Cause, Event, RING, What};
use crate::runtime::Handle;
use crate::task::Id;

/// Entries in each list of the summary. Arbitrary: a screenful.
const LISTED: usize = 10;

/// Records what a runtime's workers do, until it is dropped or [finished](FlightRecorder::finish).
///
/// Made by [`Handle::start_recording`].
#[derive(Debug)]
#[must_use = "the recording ends when this is dropped"]
pub struct FlightRecorder {
    handle: Handle,
    since_ns: u64,
}

impl FlightRecorder {
    pub(crate) fn start(handle: Handle) -> FlightRecorder {
        let observer = &handle.shared.observer;
        let since_ns = observer.recorder.now_ns();
        {
            let mut users = observer.recorder.users.lock().unwrap_or_else(|e| e.into_inner());
            *users += 1;
            observer.want_events(true);
        }
        FlightRecorder { handle, since_ns }
    }

    /// Ends it, and gives what was recorded.
    ///
    /// # Examples
    /// See [`Handle::start_recording`].
    pub fn finish(self) -> Recording {
        let shared = &self.handle.shared;
        let end_ns = shared.observer.recorder.now_ns();
        let (workers, slots) = (shared.workers(), shared.remotes.len());
        let name = |slot| match slot {
            slot if slot < workers => format!("worker {slot}"),
            slot if slot < slots => format!("spare {}", slot - workers),
            _ => "other threads".into(),
        };
        let rings = shared.observer.recorder.read(self.since_ns);
        let mut tracks: Vec<_> =
            rings.into_iter().enumerate().map(|(slot, events)| Track::new(name(slot), events)).collect();
        tracks.retain(|track| !track.events.is_empty());
        for track in &mut tracks {
            // Those that came while it was being ended.
            track.events.retain(|(time_ns, _)| *time_ns <= end_ns);
        }
        Recording { since_ns: self.since_ns, end_ns, tracks }
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

/// A time during which a worker did one thing.
struct Slice {
    start_ns: u64,
    end_ns: u64,
    /// The task it polled. `None`: it was parked.
    task: Option<(Id, Option<&'static Location<'static>>)>,
}

impl Slice {
    fn ns(&self) -> u64 {
        self.end_ns - self.start_ns
    }
}

impl Track {
    fn new(name: String, events: Vec<(u64, Event)>) -> Track {
        Track { name, truncated: events.len() >= RING - 1, events }
    }

    /// The polls and parks, one after another. One whose end was not seen ends with what follows, or with the recording.
    fn slices(&self, end_ns: u64) -> Vec<Slice> {
        let mut slices = Vec::new();
        let mut open: Option<Slice> = None;
        for &(time_ns, event) in &self.events {
            let begun = match event.what {
                What::PollStart => Some(event.task.map(|id| (id, event.location))),
                What::Park => Some(None),
                What::PollEnd | What::Unpark => None,
                _ => continue,
            };
            if let Some(mut slice) = open.take() {
                slice.end_ns = time_ns;
                slices.push(slice);
            }
            open = begun.map(|task| Slice { start_ns: time_ns, end_ns: time_ns, task });
        }
        if let Some(mut slice) = open {
            slice.end_ns = end_ns.max(slice.start_ns);
            slices.push(slice);
        }
        slices
    }
}

/// What a runtime's workers did for a while.
///
/// # Looking at one
/// [`write_chrome_trace`](Recording::write_chrome_trace) writes it in the format of Chrome's tracing, which
/// [ui.perfetto.dev](https://ui.perfetto.dev) and `chrome://tracing` open: a row for each worker, with a bar for each poll,
/// named by where the task was spawned, and for each time it was parked; marks for what was spawned, woken (and by
/// whom), stolen, and for polls that took too long. [`summary`](Recording::summary) is for a terminal.
///
/// Each worker keeps its last 16,383 events: of a long recording, the end.
pub struct Recording {
    since_ns: u64,
    end_ns: u64,
    tracks: Vec<Track>,
}

impl Recording {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_ns - self.since_ns)
    }

    /// How many events are in it.
    pub fn event_count(&self) -> usize {
        self.tracks.iter().map(|track| track.events.len()).sum()
    }

    /// Whether more happened than the recorder keeps, so that only the last of it is here.
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
    pub fn write_chrome_trace(&self, mut out: impl io::Write) -> io::Result<()> {
        out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        let mut line = String::new();
        for (row, track) in self.tracks.iter().enumerate() {
            let comma = if row == 0 { "" } else { "," };
            line.clear();
            let _ = write!(
                line,
                "{comma}\n{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":{row},\"args\":{{\"name\":{}}}}}",
                Json(&track.name)
            );
            out.write_all(line.as_bytes())?;
            for slice in track.slices(self.end_ns) {
                line.clear();
                self.write_slice(&mut line, row, &slice);
                out.write_all(line.as_bytes())?;
            }
            for &(time_ns, event) in &track.events {
                line.clear();
                self.write_mark(&mut line, row, time_ns, event);
                out.write_all(line.as_bytes())?;
            }
        }
        out.write_all(b"\n]}\n")
    }

    fn write_slice(&self, line: &mut String, row: usize, slice: &Slice) {
        let (name, id) = match slice.task {
            Some((id, Some(location))) => (location.to_string(), Some(id)),
            Some((id, None)) => (format!("task {id}"), Some(id)),
            None => ("parked".into(), None),
        };
        let _ = write!(
            line,
            ",\n{{\"name\":{},\"ph\":\"X\",\"pid\":1,\"tid\":{row},\"ts\":{},\"dur\":{}",
            Json(&name),
            Us(slice.start_ns - self.since_ns),
            Us(slice.ns())
        );
        if let Some(id) = id {
            let _ = write!(line, ",\"args\":{{\"task\":{id}}}");
        }
        line.push('}');
    }

    fn write_mark(&self, line: &mut String, row: usize, time_ns: u64, event: Event) {
        let (name, by) = match event.what {
            What::Spawn => ("spawn", None),
            What::Wake(Cause::Task(id)) => ("wake", Some(format!("task {id}"))),
            What::Wake(Cause::Io) => ("wake", Some("an I/O event".into())),
            What::Wake(Cause::Timer) => ("wake", Some("a timer".into())),
            What::Wake(Cause::Outside) => ("wake", Some("outside".into())),
            What::Steal(n) => ("steal", Some(format!("{n} tasks"))),
            What::Stall(slot) => ("stall", Some(format!("slot {slot}"))),
            What::PollStart | What::PollEnd | What::Park | What::Unpark => return,
        };
        let _ = write!(
            line,
            ",\n{{\"name\":\"{name}\",\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":{row},\"ts\":{},\"args\":{{",
            Us(time_ns - self.since_ns)
        );
        let mut comma = "";
        if let Some(id) = event.task {
            let _ = write!(line, "\"task\":{id}");
            comma = ",";
        }
        if let Some(location) = event.location {
            let _ = write!(line, "{comma}\"at\":{}", Json(&location.to_string()));
            comma = ",";
        }
        if let Some(by) = by {
            let _ = write!(line, "{comma}\"from\":{}", Json(&by));
        }
        line.push_str("}}");
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
    pub fn summary(&self) -> String {
        let mut text = format!("{} events in {:?}", self.event_count(), self.duration());
        text.push_str(if self.is_truncated() { "; there were more than are kept\n" } else { "\n" });
        self.list_polls(&mut text);
        self.list_delays(&mut text);
        text
    }

    fn list_polls(&self, text: &mut String) {
        /// Polls, the longest, and all together.
        #[derive(Default)]
        struct Polls(u64, u64, u64);

        impl Polls {
            fn add(&mut self, ns: u64) {
                self.0 += 1;
                self.1 = self.1.max(ns);
                self.2 += ns;
            }
        }

        let mut places: HashMap<String, Polls> = HashMap::new();
        let mut tasks: HashMap<Id, (Polls, String)> = HashMap::new();
        for slice in self.tracks.iter().flat_map(|track| track.slices(self.end_ns)) {
            let Some((id, location)) = slice.task else { continue };
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

    fn list_delays(&self, text: &mut String) {
        let mut events: Vec<_> = self.tracks.iter().flat_map(|track| &track.events).collect();
        events.sort_by_key(|(time_ns, _)| *time_ns);
        let mut woken: HashMap<Id, u64> = HashMap::new();
        let mut delays = Vec::new();
        for &&(time_ns, event) in &events {
            let Some(id) = event.task else { continue };
            match event.what {
                What::Wake(_) => {
                    woken.entry(id).or_insert(time_ns);
                }
                What::PollStart => {
                    if let Some(since) = woken.remove(&id) {
                        delays.push((time_ns - since, id, event.location));
                    }
                }
                _ => {}
            }
        }
        delays.sort_by_key(|(ns, id, _)| (std::cmp::Reverse(*ns), *id));
        text.push_str("\nlongest times between a wake and the poll:\n");
        for (ns, id, location) in delays.iter().take(LISTED) {
            let place = location.map_or_else(|| "unknown".into(), Location::to_string);
            let _ = writeln!(text, "  {:>12.3?}  task {id}, {place}", Duration::from_nanos(*ns));
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("duration", &self.duration())
            .field("event_count", &self.event_count())
            .finish()
    }
}

/// Microseconds, to the nanosecond, as the format wants them.
struct Us(u64);

impl fmt::Display for Us {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// A string as JSON has it.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
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
