//! Tasks, as programs use them.

mod join;
mod join_set;
mod local_set;
mod support;
