//! The examples, each as a process of its own: they start, do what they say, and understand `--help`.

mod servers;
mod shows;
mod support;
