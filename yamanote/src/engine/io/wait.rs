//! Where a poller waits for the operating system. Its twin does so in simulations.

use std::io;
use std::time::Duration;

/// Waits for events, at most for `timeout`.
#[inline]
pub(super) fn wait(
    poll: &mut mio::Poll,
    events: &mut mio::Events,
    timeout: Option<Duration>,
) -> io::Result<()> {
    poll.poll(events, timeout)
}
