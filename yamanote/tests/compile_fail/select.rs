//! What `select!` refuses.

async fn empty() {
    yamanote::select! {}
}

async fn else_is_not_last() {
    yamanote::select! {
        else => {}
        _ = async {} => {}
    }
}

async fn no_handler() {
    yamanote::select! {
        _ = async {}
    }
}

async fn handlers_disagree() -> u32 {
    yamanote::select! {
        _ = async {} => 1,
        _ = async {} => "two",
    }
}

async fn only_else() {
    yamanote::select! {
        else => {}
    }
}

fn not_async() {
    yamanote::select! {
        _ = async {} => {}
    }
}

fn main() {}
