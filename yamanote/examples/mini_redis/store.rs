//! What all connections share: values, of which some expire, and the channels.
//!
//! A lock of the standard library is right here: it is held for a few instructions and never across an `await`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use yamanote::sync::{Notify, broadcast};
use yamanote::time::{Instant, sleep_until};

pub type Bytes = Vec<u8>;

/// Messages that a slow subscriber may be behind.
const BACKLOG: usize = 1024;

#[derive(Default)]
pub struct Store {
    state: Mutex<State>,
    /// Notified when the earliest end has changed.
    earlier: Notify,
}

#[derive(Default)]
struct State {
    values: HashMap<Bytes, Value>,
    /// When which value ends, the earliest first.
    ends: BTreeSet<(Instant, Bytes)>,
    channels: HashMap<Bytes, broadcast::Sender<Bytes>>,
}

struct Value {
    bytes: Bytes,
    end: Option<Instant>,
}

impl State {
    fn remove(&mut self, key: &[u8]) -> Option<Value> {
        let value = self.values.remove(key)?;
        if let Some(end) = value.end {
            self.ends.remove(&(end, key.to_vec()));
        }
        Some(value)
    }
}

impl Store {
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        let state = self.state.lock().unwrap();
        // One whose end has come and whose turn has not is gone already.
        let value =
            state.values.get(key).filter(|value| value.end.is_none_or(|end| end > Instant::now()));
        value.map(|value| value.bytes.clone())
    }

    pub fn set(&self, key: Bytes, bytes: Bytes, expires_in: Option<Duration>) {
        let mut state = self.state.lock().unwrap();
        state.remove(&key);
        // What ends later than can be counted does not end.
        let end = expires_in.and_then(|after| Instant::now().checked_add(after));
        let mut is_earliest = false;
        if let Some(end) = end {
            is_earliest = state.ends.first().is_none_or(|(first, _)| end < *first);
            state.ends.insert((end, key.clone()));
        }
        state.values.insert(key, Value { bytes, end });
        drop(state);
        if is_earliest {
            self.earlier.notify_one();
        }
    }

    pub fn remove(&self, key: &[u8]) -> bool {
        self.state.lock().unwrap().remove(key).is_some()
    }

    /// Adds one to a number, or to nothing; `None` if it is no number or too large. An end that it has, it keeps.
    pub fn increment(&self, key: Bytes) -> Option<i64> {
        let mut state = self.state.lock().unwrap();
        let value = state.values.entry(key).or_insert(Value { bytes: b"0".to_vec(), end: None });
        let number: i64 = std::str::from_utf8(&value.bytes).ok()?.parse().ok()?;
        let number = number.checked_add(1)?;
        value.bytes = number.to_string().into_bytes();
        Some(number)
    }

    /// How long a value lives on: redis's numbers -2 for one that is not there, and -1 for one without an end.
    pub fn milliseconds_left(&self, key: &[u8]) -> i64 {
        let state = self.state.lock().unwrap();
        match state.values.get(key).map(|value| value.end) {
            None => -2,
            Some(None) => -1,
            Some(Some(end)) => match end.checked_duration_since(Instant::now()) {
                Some(left) => i64::try_from(left.as_millis()).unwrap_or(i64::MAX),
                None => -2,
            },
        }
    }

    pub fn len(&self) -> usize {
        self.state.lock().unwrap().values.len()
    }

    /// Returns how many hear it.
    pub fn publish(&self, channel: &[u8], message: Bytes) -> usize {
        let state = self.state.lock().unwrap();
        state.channels.get(channel).map_or(0, |channel| channel.send(message).unwrap_or(0))
    }

    pub fn subscribe(&self, channel: &[u8]) -> broadcast::Receiver<Bytes> {
        let mut state = self.state.lock().unwrap();
        // Channels that nobody listens to any more go when somebody new comes.
        state.channels.retain(|_, channel| channel.receiver_count() > 0);
        let channel = state.channels.entry(channel.to_vec());
        channel.or_insert_with(|| broadcast::channel(BACKLOG).0).subscribe()
    }

    /// Removes what has ended; returns when the next one will.
    fn remove_ended(&self) -> Option<Instant> {
        let mut state = self.state.lock().unwrap();
        let now = Instant::now();
        while let Some((end, _)) = state.ends.first() {
            if *end > now {
                return Some(*end);
            }
            if let Some((_, key)) = state.ends.pop_first() {
                state.values.remove(&key);
            }
        }
        None
    }
}

/// Takes out what has ended, for ever: sleeps until the earliest end or until there is an earlier one.
pub async fn expire(store: Arc<Store>) {
    loop {
        match store.remove_ended() {
            Some(next) => yamanote::select! {
                () = sleep_until(next) => {}
                () = store.earlier.notified() => {}
            },
            None => store.earlier.notified().await,
        }
    }
}
