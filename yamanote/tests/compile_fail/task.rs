//! What may not go to another thread, or outlive its task.

use std::cell::Cell;
use std::rc::Rc;

fn a_task_is_sent() {
    let shared = Rc::new(Cell::new(0));
    yamanote::spawn(async move {
        yamanote::task::yield_now().await;
        shared.set(1);
    });
}

fn a_task_outlives_its_frame(text: &str) {
    yamanote::spawn(async move {
        println!("{text}");
    });
}

async fn a_guard_across_a_spawn(mutex: &yamanote::sync::Mutex<u32>) {
    let guard = mutex.lock().await;
    yamanote::spawn(async move { drop(guard) });
}

fn main() {}
