//! What only Windows has: named pipes, and children's handles and pipes.

#![cfg(all(windows, not(loom)))]

mod children;
mod console;
mod named_pipes;
