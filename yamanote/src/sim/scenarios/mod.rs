//! What is simulated: small programs that lean on one part of the runtime each.

mod blocking;
mod clocks;
mod fairness;
mod shutdown;
mod single;
mod sockets;
mod stalls;
mod wakes;

use super::{Scenario, Stage, one_in, pick};

const fn scenario(name: &'static str, main: fn(&Stage)) -> Scenario {
    Scenario { name, refuse_thread_one_in: 0, main }
}

pub(super) const ALL: &[Scenario] = &[
    scenario("ring", wakes::ring),
    scenario("outside", wakes::outside),
    scenario("channels", wakes::channels),
    scenario("aborts", wakes::aborts),
    scenario("fairness", fairness::hogs),
    scenario("yields", fairness::yields),
    scenario("timers", clocks::timers),
    scenario("moved_timers", clocks::moved),
    scenario("stalls", stalls::stalls),
    scenario("in_place", stalls::in_place),
    scenario("blocking", blocking::jobs),
    Scenario { name: "refused", refuse_thread_one_in: 3, main: blocking::refused },
    scenario("shutdown", shutdown::any_moment),
    scenario("background", shutdown::background),
    scenario("single", single::shared_by_threads),
    scenario("paused", single::paused),
    scenario("echo", sockets::echo),
    scenario("races", sockets::races),
    scenario("readers", sockets::readers),
    scenario("stalled_io", sockets::stalled),
    scenario("io_shutdown", sockets::any_moment),
    scenario("io_single", sockets::single),
    scenario("permits", wakes::permits),
    scenario("notices", blocking::notices),
];
