//! What a Windows console tells the programs attached to it.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
    SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    C,
    Break,
    Close,
    Logoff,
    Shutdown,
}

impl Event {
    pub(crate) const COUNT: usize = 5;

    fn of(number: u32) -> Option<Event> {
        match number {
            CTRL_C_EVENT => Some(Event::C),
            CTRL_BREAK_EVENT => Some(Event::Break),
            CTRL_CLOSE_EVENT => Some(Event::Close),
            CTRL_LOGOFF_EVENT => Some(Event::Logoff),
            CTRL_SHUTDOWN_EVENT => Some(Event::Shutdown),
            _ => None,
        }
    }

    /// Whether the system ends the process as soon as the handler has answered that it dealt with the event.
    fn is_end(self) -> bool {
        matches!(self, Event::Close | Event::Logoff | Event::Shutdown)
    }
}

static HOOK: OnceLock<fn(Event) -> bool> = OnceLock::new();

/// Has `hook` called for each event, from now on and in a thread that the system starts. It answers whether the event is
/// dealt with; if not, what would have happened without the hook happens.
pub(crate) fn install(hook: fn(Event) -> bool) -> io::Result<()> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);

    HOOK.get_or_init(|| hook);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*installed {
        // SAFETY: the handler may be called by any thread at any time, and stays where it is.
        if unsafe { SetConsoleCtrlHandler(Some(handler), 1) } == 0 {
            return Err(io::Error::last_os_error());
        }
        *installed = true;
    }
    Ok(())
}

/// What the handler does but for the end of the process.
pub(crate) fn handle(event: Event) -> bool {
    HOOK.get().is_some_and(|hook| hook(event))
}

unsafe extern "system" fn handler(number: u32) -> BOOL {
    let Some(event) = Event::of(number) else { return 0 };
    if !handle(event) {
        return 0;
    }
    if event.is_end() {
        // An answer would be the end; without one the program has the seconds that the system grants.
        loop {
            std::thread::park();
        }
    }
    1
}
