//! Macros, public and internal.
