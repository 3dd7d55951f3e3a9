//! Where the `Stream` trait will live once the standard library has one; see the `tokio-stream` crate.
