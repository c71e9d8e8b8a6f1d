//! Services of the PBX that crash or hang.

use crate::core_pattern::CorePattern;
use crate::daemon;
use crate::lab_course::{Course, Failure, PHONE_JUDGES, Step};
use crate::plan::Node;
use crate::service::{KICK_TIMEOUT, KICKING, Kicks, PROCESS, ServiceProcess};
use fair::StallWatch;
use std::fs;
use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

/// A handover takes no longer.
const HANDOVER: Duration = Duration::from_millis(10);
/// Time the lab's own measuring may add on a busy machine.
const LAB_SLACK: Duration = Duration::from_millis(50);
/// Longest time for something that is not timed.
const PATIENCE: Duration = Duration::from_secs(10);
/// A pause that the phone may notice though nobody handed over.
const NO_GAP: Duration = Duration::from_millis(50);
/// Size of the dump of which nobody may wait for the end.
const DUMP_MIB: u32 = 500;
/// How long that dump may take to be written.
const DUMP_PATIENCE: Duration = Duration::from_secs(120);

/// The services of both nodes.
struct Pbx {
    processes: [Option<ServiceProcess>; 2],
    kicks: [Option<Kicks>; 2],
}

impl Pbx {
    /// Configures services on both nodes and starts them.
    fn start(software_fault_switch: bool, mib: u32) -> Step<Self> {
        let mut pbx = Self { processes: [None, None], kicks: [None, None] };
        for node in Node::ALL {
            daemon::add_services(node, software_fault_switch)?;
            pbx.processes[node.index()] = Some(ServiceProcess::start(node, mib)?);
            pbx.kicks[node.index()] = Some(Kicks::start(node)?);
        }
        Ok(pbx)
    }

    fn crash(&self, course: &mut Course, node: Node) -> Step {
        course.pair.timeline.note(format_args!("{PROCESS} of {node} crashes"));
        match &self.processes[node.index()] {
            Some(process) => Ok(process.crash()?),
            None => Err(Failure::new(format!("{PROCESS} of {node} does not run"))),
        }
    }

    /// Stops the kicks; gives the time of the last one.
    fn hang(&mut self, course: &mut Course, node: Node) -> Step<Instant> {
        course.pair.timeline.note(format_args!("{KICKING} of {node} hangs"));
        let kicks = self.kicks[node.index()].take();
        kicks.map(Kicks::stop).ok_or_else(|| Failure::new(format!("{KICKING} of {node} hangs already")))
    }

    fn restart(&mut self, course: &mut Course, node: Node) -> Step {
        course.pair.timeline.note(format_args!("services of {node} restarted"));
        self.processes[node.index()] = None;
        self.processes[node.index()] = Some(ServiceProcess::start(node, 0)?);
        self.kicks[node.index()] = Some(Kicks::start(node)?);
        Ok(())
    }
}

fn is_at_fault(course: &mut Course, node: Node, service: &str) -> bool {
    let name = format!("SERVICE {service}");
    let status = course.pair.status(node);
    status.is_some_and(|status| status.faults.iter().any(|fault| fault.name == name && fault.raised))
}

fn wait_for_fault(course: &mut Course, node: Node, service: &str, raised: bool) -> Step<Duration> {
    let what = format!("fault of {service} on {node}: {raised}");
    course.wait_for(what, PATIENCE, |course| is_at_fault(course, node, service) == raised)
}

/// The standby serves so soon after `begin`.
fn handed_over(course: &mut Course, old: Node, begin: Instant, debounce: Duration) -> Step<Instant> {
    let (bound, served) = taken_over(course, old, begin)?;
    course.expect_at_most("served after", served, debounce + HANDOVER + LAB_SLACK)?;
    Ok(bound)
}

/// When the other node had the address, and how long after `begin` it served.
fn taken_over(course: &mut Course, old: Node, begin: Instant) -> Step<(Instant, Duration)> {
    let bound = course.takes_over(old.peer(), begin, PATIENCE)?;
    let gap = course.gap_of_change(old.peer(), begin)?;
    let served = gap.end.saturating_duration_since(begin);
    course.measured("gap", gap.length());
    course.measured("served after", served);
    Ok((bound, served))
}

pub(super) fn crash(course: &mut Course) -> Step {
    let mut pbx = Pbx::start(true, 0)?;
    let old = course.boot()?;
    let begin = Instant::now();
    pbx.crash(course, old)?;
    handed_over(course, old, begin, Duration::ZERO)?;
    wait_for_fault(course, old, PROCESS, true)?;
    pbx.restart(course, old)?;
    let cleared = wait_for_fault(course, old, PROCESS, false)?;
    course.measured("cleared after", cleared);
    let active = course.settle()?;
    course.expect(active == old.peer(), "no preemption when the fault is cleared")
}

pub(super) fn deadlock(course: &mut Course) -> Step {
    let mut pbx = Pbx::start(true, 0)?;
    let old = course.boot()?;
    let last_kick = pbx.hang(course, old)?;
    let bound = handed_over(course, old, last_kick, KICK_TIMEOUT)?;
    course.expect(bound - last_kick >= KICK_TIMEOUT, "no handover before the deadline")?;
    wait_for_fault(course, old, KICKING, true)?;
    pbx.restart(course, old)?;
    wait_for_fault(course, old, KICKING, false)?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "no preemption when the fault is cleared")
}

pub(super) fn switch_off(course: &mut Course) -> Step {
    let mut pbx = Pbx::start(false, 0)?;
    let active = course.boot()?;
    let begin = Instant::now();
    pbx.crash(course, active)?;
    pbx.hang(course, active)?;
    wait_for_fault(course, active, PROCESS, true)?;
    wait_for_fault(course, active, KICKING, true)?;
    let length = course.timeout * 2;
    course.watch("no role change", length, |course| course.has_role(active, "Active"))?;
    pbx.restart(course, active)?;
    wait_for_fault(course, active, PROCESS, false)?;
    wait_for_fault(course, active, KICKING, false)?;
    course.pass(PHONE_JUDGES)?;
    let gap = course.longest_gap(begin);
    course.measured("longest gap", gap);
    course.expect_at_most("gap", gap, NO_GAP)
}

/// A dump of 500 MB: the standby serves long before it is written, because the kernel's helper reports first.
pub(super) fn core_dump(course: &mut Course) -> Step {
    let pbx = Pbx::start(true, DUMP_MIB)?;
    let old = course.boot()?;
    let pattern = match CorePattern::set(old) {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            eprintln!("skipped: {error}");
            return Ok(());
        }
        set => set?,
    };
    let nobody = StallWatch::of_nobody()?;
    let begin = Instant::now();
    let dump = thread::spawn(move || wait_for_dump(begin));
    pbx.crash(course, old)?;
    let (bound, served) = taken_over(course, old, begin)?;
    // Until its helper runs the kernel's own work waits for whatever else there is: no time of the product's.
    match nobody.stall() {
        None => course.expect_at_most("served after", served, HANDOVER + LAB_SLACK)?,
        Some(stall) => eprintln!("how long it took is not judged: for the kernel's helper {stall}"),
    }
    let dumped = dump.join().map_err(|_| Failure::new("the watch of the dump panicked"))?;
    drop(pattern);
    let Some((len, written)) = dumped else { return Err(Failure::new("no whole dump")) };
    course.measured("bound after", bound - begin);
    course.measured("dump written after", written - begin);
    course.figure("dump", len as f64 / f64::from(1024 * 1024), "MiB");
    course.expect(len >= u64::from(DUMP_MIB) * 1024 * 1024, "the dump is whole")?;
    course.expect(bound < written, "the standby serves before the dump is written")
}

/// Length and end of the dump, once it is stored under its name.
fn wait_for_dump(begin: Instant) -> Option<(u64, Instant)> {
    while begin.elapsed() < DUMP_PATIENCE {
        // The directory comes with the first dump.
        let dumps = fs::read_dir(CorePattern::dumps()).into_iter().flatten().flatten();
        let whole = dumps.into_iter().find(|file| {
            let name = file.file_name().into_encoded_bytes();
            name.starts_with(b"core.") && !name.ends_with(b".partial")
        });
        if let Some(len) = whole.and_then(|dump| dump.metadata().ok()).map(|metadata| metadata.len()) {
            return Some((len, Instant::now()));
        }
        thread::sleep(Duration::from_millis(2));
    }
    None
}
