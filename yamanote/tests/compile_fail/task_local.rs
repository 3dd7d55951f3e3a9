//! A task-local value is set by `scope`, not where it is declared.

yamanote::task_local! {
    static WITH_A_VALUE: u32 = 3;
}

fn main() {}
