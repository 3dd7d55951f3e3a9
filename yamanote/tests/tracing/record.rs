//! A subscriber that writes down what it is told.

use std::collections::HashMap;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Spans are called a, b, c … in the order in which they come.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: Vec<String>,
    /// Handles of each span.
    handles: HashMap<u64, usize>,
    spans: u64,
}

struct Fields<'a>(&'a mut String);

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: impl Debug) {
        // Where and which differs from run to run.
        if !field.name().starts_with("loc.") && !field.name().starts_with("size.") {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "task.id" if name(value).is_none() => {}
            "task.id" => self.add(field, name(value).unwrap()),
            _ => self.add(field, value),
        }
    }
}

/// Ids of spans, which tasks' ids do not reach.
const FIRST: u64 = 1 << 40;

fn name(id: u64) -> Option<char> {
    id.checked_sub(FIRST).and_then(|n| char::from_u32('a' as u32 + n as u32))
}

fn called(id: &Id) -> char {
    name(id.into_u64()).unwrap()
}

impl Recorder {
    fn add(&self, line: String) {
        self.0.lock().unwrap().lines.push(line);
    }

    /// Writes a line of the test's own.
    pub fn mark(&self, text: &str) {
        self.add(format!("-- {text}"));
    }

    /// What was told since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().lines)
    }

    /// Compares what was told since the last time.
    #[track_caller]
    pub fn check(&self, expected: &str) {
        let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let told = self.take();
        assert!(told == expected, "expected\n{}\n\ntold\n{}", expected.join("\n"), told.join("\n"));
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tokio::") || metadata.target().starts_with("runtime::")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = {
            let mut state = self.0.lock().unwrap();
            state.spans += 1;
            Id::from_u64(FIRST + state.spans - 1)
        };
        self.0.lock().unwrap().handles.insert(id.into_u64(), 1);
        let parent = match (span.is_root(), span.parent()) {
            (true, _) => " root".to_owned(),
            (_, Some(parent)) => format!(" in {}", called(parent)),
            _ => String::new(),
        };
        let metadata = span.metadata();
        let mut line = format!("{}: {} {}{parent}", called(&id), metadata.target(), metadata.name());
        span.record(&mut Fields(&mut line));
        self.add(line);
        id
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().target().rsplit("::").next().unwrap().to_owned();
        event.record(&mut Fields(&mut line));
        self.add(line);
    }

    fn enter(&self, span: &Id) {
        self.add(format!("> {}", called(span)));
    }

    fn exit(&self, span: &Id) {
        self.add(format!("< {}", called(span)));
    }

    fn clone_span(&self, id: &Id) -> Id {
        *self.0.lock().unwrap().handles.get_mut(&id.into_u64()).unwrap() += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut state = self.0.lock().unwrap();
        let handles = state.handles.get_mut(&id.into_u64()).unwrap();
        *handles -= 1;
        let closed = *handles == 0;
        if closed {
            state.lines.push(format!("end of {}", called(&id)));
        }
        closed
    }
}

/// Runs `test` on a runtime of this thread, of which all is told.
pub fn recorded<F: Future>(test: impl FnOnce(Recorder) -> F) {
    let runtime = yamanote::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let recorder = Recorder::default();
    let future = test(recorder.clone());
    runtime.block_on(async {
        let _default = tracing::subscriber::set_default(recorder);
        future.await
    });
}
