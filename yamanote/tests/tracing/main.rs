//! What subscribers are told, as transcripts. Those of whole operations are what upstream tells of the same.

mod panics;
mod record;
mod sync;
mod task;
mod time;
