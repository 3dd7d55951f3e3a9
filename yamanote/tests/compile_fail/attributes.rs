//! What `#[main]` and `#[test]` refuse.

#[yamanote::main]
fn not_async() {}

#[yamanote::main(threads = 4)]
async fn unknown_argument() {}

#[yamanote::main(threaded)]
async fn unknown_word() {}

#[yamanote::main(flavor = "single")]
async fn unknown_flavor() {}

#[yamanote::main(flavor = 4)]
async fn flavor_is_no_string() {}

#[yamanote::main(flavor = "current_thread", worker_threads = 4)]
async fn workers_of_a_single_thread() {}

#[yamanote::main(worker_threads = "four")]
async fn workers_are_a_number() {}

#[yamanote::main(worker_threads = 0)]
async fn no_workers() {}

#[yamanote::main(flavor = "multi_thread", start_paused = true)]
async fn paused_on_many_threads() {}

#[yamanote::main(flavor = "current_thread", flavor = "current_thread")]
async fn twice() {}

#[yamanote::main(crate = 456)]
async fn crate_is_no_path() {}

#[yamanote::main(flavor = "current_thread", unhandled_panic = "explode")]
async fn unknown_reaction_to_panics() {}

#[yamanote::test]
async fn with_an_argument(_fixture: u8) {}

#[yamanote::test]
#[test]
async fn a_test_twice() {}

#[yamanote::test(flavor = "current_thread", unhandled_panic = 1)]
async fn reaction_is_no_string() {}

fn main() {}
