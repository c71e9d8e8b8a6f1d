//! Plays scenarios and reports: a timeline while it goes on, a sum at the end, a JUnit file, and what a failure left.

use crate::capture::Capture;
use crate::course::{Course, Failure, Figure, OnRig, Stage, Step};
use crate::scenarios::Scenario;
use crate::summary::Summary;
use lab::error::Context;
use lab::pair::Pair;
use lab::plan::Node;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Lines of each console that a failure shows.
const CONSOLE_LINES: usize = 30;

/// What to play, and where the results go.
pub(crate) struct Order<'a> {
    /// The scenarios.
    pub(crate) scenarios: Vec<&'static Scenario>,
    /// How often.
    pub(crate) runs: u32,
    /// How often a scenario repeats what it does, where that is free to choose.
    pub(crate) rounds: Option<u32>,
    /// Name of the rig's kind.
    pub(crate) backend: String,
    /// Where the JUnit file and the captures go.
    pub(crate) folder: PathBuf,
    /// Keep the captures of what passed, too.
    pub(crate) keep: bool,
    /// Makes a new rig, all off.
    pub(crate) build: &'a dyn Fn() -> io::Result<Stage>,
}

enum Outcome {
    Passed(Vec<Figure>),
    Failed(Failure),
    /// The rig cannot do it.
    Skipped(String),
}

struct Played {
    name: String,
    scenario: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Plays them all; whether nothing failed.
pub(crate) fn play(order: &Order<'_>, interrupted: &Arc<AtomicBool>) -> io::Result<bool> {
    fs::create_dir_all(&order.folder).context(format_args!("cannot make {}", order.folder.display()))?;
    let mut played = Vec::new();
    let mut stage = None;
    let total = order.scenarios.len() * order.runs as usize;
    let all = (1..=order.runs).flat_map(|run| order.scenarios.iter().map(move |scenario| (run, *scenario)));
    let mut last_run = 1;
    for (number, (run, scenario)) in (1..).zip(all) {
        // A pair hands over for faults of its own only so often, however often a scenario is played.
        if std::mem::replace(&mut last_run, run) != run {
            stage = None;
        }
        println!("=== {number}/{total} {}: {}", scenario.name, scenario.about);
        let name = if order.runs == 1 { scenario.name.to_owned() } else { format!("{}-{run}", scenario.name) };
        let begin = Instant::now();
        let outcome = fair::fairly(
            &name,
            // After a failure there is no stage: the next run gets a new one.
            || play_one(order, scenario, &name, &mut stage, interrupted),
            |outcome| match outcome {
                Outcome::Failed(failure) => failure.excusable(),
                Outcome::Passed(_) | Outcome::Skipped(_) => None,
            },
        );
        played.push(Played { name, scenario: scenario.name, outcome, took: begin.elapsed() });
        if let Some(last) = played.last() {
            say(last);
        }
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    write_junit(order, &played)?;
    if order.runs > 1 {
        print!("{}", summary(&played));
    }
    let failed = played.iter().filter(|one| matches!(one.outcome, Outcome::Failed(_))).count();
    let passed = played.iter().filter(|one| matches!(one.outcome, Outcome::Passed(_))).count();
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}

fn summary(played: &[Played]) -> Summary {
    let mut summary = Summary::default();
    for one in played {
        match &one.outcome {
            Outcome::Passed(figures) => summary.add(one.scenario, Some(figures)),
            Outcome::Failed(_) => summary.add(one.scenario, None),
            Outcome::Skipped(_) => {}
        }
    }
    summary
}

/// Plays one on the pair that the last one left settled, or on a new one.
fn play_one(
    order: &Order<'_>,
    scenario: &Scenario,
    name: &str,
    stage: &mut Option<Stage>,
    interrupted: &Arc<AtomicBool>,
) -> Outcome {
    let this = match stage.take().map_or_else(|| (order.build)(), Ok) {
        Ok(this) => this,
        Err(error) => return Outcome::Failed(error.into()),
    };
    if let Some(reason) = scenario.needs.iter().find_map(|need| this.has(*need).err()) {
        *stage = Some(this);
        return Outcome::Skipped(reason);
    }
    let capture = order.folder.join(format!("{name}.pcapng"));
    let (mut this, outcome) = record_and_play(scenario, order.rounds, this, &capture, interrupted);
    match outcome {
        Ok(figures) => {
            if !order.keep
                && let Err(error) = fs::remove_file(&capture)
            {
                return Outcome::Failed(error.into());
            }
            if !scenario.changes_pair {
                *stage = Some(this);
            }
            Outcome::Passed(figures)
        }
        Err(failure) => {
            show_consoles(&mut this);
            println!("capture: {}", capture.display());
            Outcome::Failed(failure)
        }
    }
}

/// Plays it on the stage, which comes back whatever became of it.
fn record_and_play(
    scenario: &Scenario,
    rounds: Option<u32>,
    mut stage: Stage,
    file: &Path,
    interrupted: &Arc<AtomicBool>,
) -> (Stage, Step<Vec<Figure>>) {
    let taps = stage.rig().taps();
    let capture = taps.and_then(|taps| Capture::start(taps, file));
    let _capture = match capture {
        Ok(capture) => capture,
        Err(error) => return (stage, Err(error.into())),
    };
    stage.begin();
    let timeout = stage.facts().timeout;
    let mut course = Course::new(stage, timeout, Arc::clone(interrupted));
    course.rounds = rounds;
    let outcome = Node::ALL
        .into_iter()
        .try_for_each(|node| course.power_on_if_off(node))
        .and_then(|()| scenario.play(&mut course))
        .and_then(|()| course.expect_never_two());
    if let Err(failure) = &outcome {
        course.pair.timeline().note(format_args!("FAILED: {}", failure.reason));
    }
    let (stage, figures) = course.end();
    (stage, outcome.map(|()| figures))
}

fn show_consoles(stage: &mut Stage) {
    for node in Node::ALL {
        println!("--- end of the console of {}", node.letter());
        match stage.rig().console(node) {
            Ok(console) => {
                let lines: Vec<&str> = console.lines().collect();
                lines[lines.len().saturating_sub(CONSOLE_LINES)..].iter().for_each(|line| println!("{line}"));
            }
            Err(error) => println!("cannot be read: {error}"),
        }
    }
}

fn say(played: &Played) {
    let Played { name, outcome, took, .. } = played;
    let seconds = took.as_secs_f64();
    match outcome {
        Outcome::Passed(figures) => {
            let figures: Vec<String> = figures.iter().map(describe).collect();
            println!("ok      {name} ({seconds:.1} s) {}", figures.join(", "));
        }
        Outcome::Failed(failure) => println!("FAILED  {name} ({seconds:.1} s): {}", failure.reason),
        Outcome::Skipped(reason) => println!("skipped {name}: {reason}"),
    }
}

fn describe(figure: &Figure) -> String {
    format!("{} {:.0} {}", figure.name, figure.value, figure.unit)
}

fn write_junit(order: &Order<'_>, played: &[Played]) -> io::Result<()> {
    let mut suite = TestSuite::new(&order.backend);
    for one in played {
        let status = match &one.outcome {
            Outcome::Passed(_) => TestCaseStatus::success(),
            Outcome::Failed(failure) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(failure.reason.as_str());
                status
            }
            Outcome::Skipped(reason) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(reason.as_str());
                status
            }
        };
        let mut case = TestCase::new(&one.name, status);
        case.set_classname(format!("rig.{}", order.backend)).set_time(one.took);
        if let Outcome::Passed(figures) = &one.outcome {
            for figure in figures {
                case.add_property((figure.name, describe(figure).as_str()));
            }
        }
        suite.add_test_case(case);
    }
    let file = order.folder.join("junit.xml");
    let mut report = Report::new("rig");
    report.add_test_suite(suite);
    let output = File::create(&file).context(format_args!("cannot write {}", file.display()))?;
    report.serialize(output).map_err(io::Error::other)?;
    println!("report: {}", file.display());
    Ok(())
}
