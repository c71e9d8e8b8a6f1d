//! What only a whole machine can suffer.

use crate::alerts::{Alert, Alerts};
use crate::course::{Course, OnRig, Step};
use lab::plan::Node;
use std::time::Duration;

/// What a takeover after T may cost besides T.
const SLOW_REST: Duration = Duration::from_secs(1);
/// Takes every processor from everything else: real-time priority above the daemon's, the kernel's throttling off.
///
/// An emulated machine's busybox has no chrt; its first program can do the same.
const SPIN: &str = "echo -1 >/proc/sys/kernel/sched_rt_runtime_us; \
                    spin() { if command -v chrt; then chrt -f 50 sh -c 'while :; do :; done'; else hil-guest spin; fi; }; \
                    for _ in $(seq $(nproc)); do spin & done; wait";

pub(super) fn kernel_panic(course: &mut Course, old: Node) -> Step {
    let timeout = course.facts().timeout;
    let before = course.newest_event(old.peer())?;
    let begin = std::time::Instant::now();
    course.run_last(old, "echo c >/proc/sysrq-trigger")?;
    let gap = course.takes_over(old.peer(), begin, timeout * 3)?;
    course.expect_at_most("gap", gap, timeout + SLOW_REST)?;
    course.expect_alert(Alert::silent_peer(old.peer()), before)?;
    let active = course.settle()?;
    course.expect_alert(Alert::silent_peer(old.peer()).cleared(), before)?;
    course.expect(active == old.peer(), "the machine that panicked returns as standby")?;
    let console = course.console(old)?;
    course.expect(console.contains("Kernel panic"), "the console tells of the panic")
}

/// While a wedged machine's kernel still answers for the cluster IP nobody may claim it: the watchdog ends that.
pub(super) fn wedged(course: &mut Course, old: Node) -> Step {
    let facts = course.facts();
    let boot = boot_id(course, old)?;
    let before = course.newest_event(old.peer())?;
    let begin = std::time::Instant::now();
    course.run_last(old, SPIN)?;
    let limit = facts.watchdog + facts.timeout * 3;
    course.takes_over(old.peer(), begin, limit)?;
    course.expect_alert(Alert::silent_peer(old.peer()), before)?;
    let active = course.settle()?;
    course.expect_alert(Alert::silent_peer(old.peer()).cleared(), before)?;
    course.expect(active == old.peer(), "the machine that was reset returns as standby")?;
    let now = boot_id(course, old)?;
    course.expect(now != boot, format_args!("the watchdog has reset {old}"))
}

/// The kernel's name for its boot.
pub(super) fn boot_id(course: &mut Course, node: Node) -> Step<String> {
    course.peek(node, "cat /proc/sys/kernel/random/boot_id")
}
