//! Where a poller waits in simulations: the events are the operating system's, the time that passes until they come is
//! not.
//!
//! Pipes and pairs of sockets hand over what is written to them at once, and the system lists its events in the order in
//! which they came about. So what a poller is told depends on nothing but what the simulated threads did before.

use std::io;
use std::os::fd::AsRawFd;
use std::simulation;
use std::time::Duration;

/// Waits for events, at most for `timeout`.
pub(super) fn wait(
    poll: &mut mio::Poll,
    events: &mut mio::Events,
    timeout: Option<Duration>,
) -> io::Result<()> {
    if !simulation::is_running() {
        return poll.poll(events, timeout);
    }
    let mut result = Ok(());
    simulation::wait_for("poll", timeout, &mut || {
        result = poll.poll(events, Some(Duration::ZERO));
        result.is_err() || !events.is_empty()
    });
    result
}

/// Whether an event waits to be taken.
pub(super) fn is_ready(registry: &mio::Registry) -> bool {
    let mut fd = libc::pollfd { fd: registry.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one descriptor that is open, and a call that does not wait.
    unsafe { libc::poll(&mut fd, 1, 0) > 0 }
}
