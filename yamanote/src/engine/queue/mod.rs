//! Where runnable tasks wait: the worker's ring and LIFO slot, and the inbox for what comes from elsewhere.

pub(crate) mod inbox;
pub(crate) mod lifo;
pub(crate) mod ring;

pub(crate) use inbox::{Chain, Inbox};
pub(crate) use lifo::LifoSlot;
pub(crate) use ring::{Raw, Ring};
