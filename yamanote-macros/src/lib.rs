//! Procedural macros of the yamanote runtime; use them through `yamanote`.
