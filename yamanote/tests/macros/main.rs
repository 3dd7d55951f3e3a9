//! The macros from outside.

mod entry;
mod join;
mod local;
mod select;
