//! What `try_join!` refuses.

async fn not_a_result() {
    let _ = yamanote::try_join!(async { Ok::<(), ()>(()) }, async { 3 });
}

fn main() {}
