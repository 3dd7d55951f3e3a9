//! The message points at what was written, not at what was made of it.

#[yamanote::main]
async fn main() -> Result<(), ()> {
    "not a result"
}
