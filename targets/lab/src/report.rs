//! Plays a scenario, once or often, and reports what was measured.

use crate::aftermath;
use crate::daemon::{self, Settings};
use crate::lab_course::{Course, Failure, Figure};
use crate::moves::Scenario;
use crate::operations::{Lab, LabOptions};
use crate::pair::Ability;
use crate::plan::Node;
use crate::print;
use crate::timeline::Timeline;
use serde_json::{Map, Value, json};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Lines of each daemon's log that are shown when a run failed.
const LOG_LINES: usize = 40;
/// The heartbeat timeout where none was asked for: the shortest, because most scenarios wait for it.
pub(crate) const USUAL_TIMEOUT_S: u8 = 3;

/// How a scenario is to be played.
pub(crate) struct Order {
    /// Heartbeat timeout, where one was asked for.
    pub(crate) timeout_s: Option<u8>,
    /// How long to watch, where that was asked for.
    pub(crate) seconds: Option<u32>,
    /// Where random faults begin, where that was asked for.
    pub(crate) seed: Option<u64>,
    /// How often a scenario repeats itself, where that was asked for.
    pub(crate) rounds: Option<u32>,
    /// How often it is played.
    pub(crate) runs: u32,
    /// Report as JSON.
    pub(crate) json: bool,
}

/// One run.
struct Run {
    failure: Option<Failure>,
    figures: Vec<Figure>,
}

/// Plays a scenario. `false` when a run failed.
pub(crate) fn play(scenario: &Scenario, order: &Order, interrupted: &Arc<AtomicBool>) -> io::Result<bool> {
    let usual = if scenario.timeouts.is_empty() { &[USUAL_TIMEOUT_S] } else { scenario.timeouts };
    let asked = order.timeout_s.as_slice();
    let mut good = true;
    for &timeout_s in if asked.is_empty() { usual } else { asked } {
        let mut runs = Vec::new();
        for number in 1..=order.runs {
            let run = fair::fairly(
                scenario.name,
                || play_once(scenario, order, timeout_s, interrupted),
                |run| run.as_ref().ok()?.failure.as_ref()?.excusable(),
            )?;
            report_run(scenario, order, timeout_s, number, &run);
            good &= run.failure.is_none();
            runs.push(run);
            if interrupted.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        report_all(scenario, order, timeout_s, &runs);
    }
    Ok(good)
}

fn play_once(scenario: &Scenario, order: &Order, timeout_s: u8, interrupted: &Arc<AtomicBool>) -> io::Result<Run> {
    let settings = Settings { timeout_s, fast_failover: true, gateway: true };
    let needs = |ability| scenario.needs.contains(&ability);
    let options = LabOptions { settings, relays: needs(Ability::BadWires), keyed: needs(Ability::Key) };
    let lab = Lab::build(&options, Timeline::begin(!order.json))?;
    let timeout = Duration::from_secs(timeout_s.into());
    let mut course = Course::new(lab, timeout, Arc::clone(interrupted));
    (course.seconds, course.seed, course.rounds) = (order.seconds, order.seed, order.rounds);
    let outcome = scenario.play(&mut course).and_then(|()| aftermath::check(&mut course)).and_then(|()| {
        let both_bound = course.pair.sightings().both_bound();
        course.measured("both bound", both_bound.unwrap_or_default());
        if scenario.allows_two { Ok(()) } else { course.expect_never_two() }
    });
    if let Err(failure) = &outcome {
        course.pair.timeline.note(format_args!("FAILED: {}", failure.reason));
        if !interrupted.load(Ordering::Relaxed) {
            show_logs();
        }
    }
    Ok(Run { failure: outcome.err(), figures: course.end().1 })
}

fn show_logs() {
    for node in Node::ALL {
        eprintln!("--- log of {node}");
        for line in daemon::log_tail(node, LOG_LINES) {
            eprintln!("{line}");
        }
    }
}

fn report_run(scenario: &Scenario, order: &Order, timeout_s: u8, number: u32, run: &Run) {
    if order.json {
        let figures: Map<String, Value> = run.figures.iter().map(|figure| (key(figure), json!(figure.value))).collect();
        let line = json!({
            "scenario": scenario.name,
            "timeout_s": timeout_s,
            "run": number,
            "ok": run.failure.is_none(),
            "failure": run.failure.as_ref().map(|failure| &failure.reason),
            "figures": figures,
        });
        print::line(line);
    }
}

fn key(figure: &Figure) -> String {
    let unit = if figure.unit == "%" { "percent" } else { figure.unit };
    format!("{}_{}", figure.name.replace(' ', "_"), unit.to_lowercase())
}

fn report_all(scenario: &Scenario, order: &Order, timeout_s: u8, runs: &[Run]) {
    if order.json {
        return;
    }
    let failed = runs.iter().filter(|run| run.failure.is_some()).count();
    let mut parts = Vec::new();
    let Some(first) = runs.iter().max_by_key(|run| run.figures.len()) else { return };
    for Figure { name, unit, .. } in &first.figures {
        let all = runs.iter().flat_map(|run| &run.figures).filter(|figure| figure.name == *name);
        let mut values: Vec<f64> = all.map(|figure| figure.value).collect();
        values.sort_by(f64::total_cmp);
        parts.push(summary(name, unit, &values));
    }
    let runs = if runs.len() == 1 { "1 run".to_owned() } else { format!("{} runs", runs.len()) };
    let verdict = if failed == 0 { String::new() } else { format!("; {failed} FAILED") };
    print::line(format_args!("{} (T = {timeout_s} s): {} over {runs}{verdict}", scenario.name, parts.join("; ")));
}

fn summary(name: &str, unit: &str, sorted: &[f64]) -> String {
    match sorted {
        [] => format!("{name} not measured"),
        // Sorted, so all are the same.
        [value, .., last] if value == last => format!("{name} {value:.1} {unit}"),
        [value] => format!("{name} {value:.1} {unit}"),
        [min, .., max] => {
            let median = sorted[sorted.len() / 2];
            format!("{name} min {min:.1} {unit}, median {median:.1} {unit}, max {max:.1} {unit}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_runs_are_summed_up_by_minimum_median_and_maximum() {
        assert_eq!(summary("gap", "ms", &[0.8, 1.1, 3.04]), "gap min 0.8 ms, median 1.1 ms, max 3.0 ms");
        assert_eq!(summary("gap", "ms", &[1.0]), "gap 1.0 ms");
        assert_eq!(summary("both bound", "ms", &[0.0, 0.0]), "both bound 0.0 ms");
    }
}
