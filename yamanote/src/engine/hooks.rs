//! The user's callbacks.
//!
//! They run on the runtime's threads, between one's task and another's, so a panic in one of them is reported by the panic
//! hook and goes no further. That of `on_task_spawn` goes to whoever spawns.

use std::sync::Arc;

use crate::runtime::{FuturelockReport, StallReport, TaskMeta};
use crate::util::contain::contain;

pub(crate) type Callback = Arc<dyn Fn() + Send + Sync>;
pub(crate) type TaskCallback = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

pub(crate) type StallCallback = Arc<dyn Fn(&StallReport) + Send + Sync>;
pub(crate) type FuturelockCallback = Arc<dyn Fn(&FuturelockReport) + Send + Sync>;

/// Calls a hook, if there is one.
#[inline]
pub(crate) fn call(hook: Option<&Callback>) {
    if let Some(hook) = hook {
        contain(|| hook());
    }
}

/// Calls a hook about a task, if there is one.
#[inline]
pub(crate) fn call_for(hook: Option<&TaskCallback>, meta: &TaskMeta<'_>) {
    if let Some(hook) = hook {
        contain(|| hook(meta));
    }
}

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) thread_start: Option<Callback>,
    pub(crate) thread_stop: Option<Callback>,
    pub(crate) before_park: Option<Callback>,
    pub(crate) after_unpark: Option<Callback>,
    pub(crate) task_spawn: Option<TaskCallback>,
    pub(crate) task_terminate: Option<TaskCallback>,
    pub(crate) before_poll: Option<TaskCallback>,
    pub(crate) after_poll: Option<TaskCallback>,
    pub(crate) stall: Option<StallCallback>,
    pub(crate) futurelock: Option<FuturelockCallback>,
}
