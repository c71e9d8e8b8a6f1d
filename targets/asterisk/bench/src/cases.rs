//! What can happen to Asterisk on a node of a pair.

use crate::asterisk::ha_configuration;
use crate::embedded;
use crate::stage::{KICK_TIMEOUT, Stage, Step, expect};
use lab::plan::Node;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// One of them.
pub(crate) type Case = fn(&mut Stage) -> Step;

/// All, in the order in which they are played.
pub(crate) const ALL: [(&str, Case); 16] = [
    ("a_crash_of_asterisk_hands_over_at_once", crash),
    ("a_stopped_asterisk_hands_over_when_its_kicks_are_missed", stopped),
    ("a_deadlock_of_the_dialplan_hands_over", |stage| deadlock(stage, "dialplan", "the lock of the dialplan")),
    ("a_deadlock_of_a_channel_hands_over", |stage| {
        deadlock(stage, "channel", "the lock of the channel with the unique ID")
    }),
    ("a_deadlock_of_the_stasis_threads_hands_over", |stage| deadlock(stage, "stasis", "the threads of stasis")),
    ("a_deadlock_of_the_sip_threads_hands_over", |stage| deadlock(stage, "sip", "the threads of PJSIP")),
    ("a_switch_asks_first_and_the_manager_tells_both_roles", commands),
    ("no_command_hangs_when_the_daemon_is_dead_or_frozen", no_daemon),
    ("the_module_is_unloaded_and_loaded_without_a_trace", unload),
    ("mistakes_in_the_configuration_are_named_and_change_nothing", configuration),
    ("calls_do_not_hold_the_kicks_up", calls),
    ("asterisk_ends_with_the_module_when_it_is_told_to", ending),
    ("a_phone_registers_again_at_the_node_that_took_over", registration),
    ("two_programs_that_embed_the_node_are_a_pair", embedded::pair),
    ("such_a_program_without_its_static_address_claims_nothing", embedded::own_address),
    ("such_a_program_and_the_daemon_are_a_pair", embedded::mixed),
];

/// What a handover may take beyond what it waits for, on a machine with other work.
const SLACK: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(15);
/// Calls at a time.
const CALLS: u32 = 30;

/// The peer of `old` has the cluster IP and its Asterisk answers a phone; how long after `since` each was.
fn taken_over(stage: &mut Stage, old: Node, since: Instant) -> Step<(Duration, Duration)> {
    let mut phone = stage.phone()?;
    let served = phone.wait_until_served_by(&format!("node {}", old.peer()), PATIENCE)?;
    let bound = stage.wait_until_bound(old.peer(), since)?;
    Ok((bound - since, served - since))
}

fn crash(stage: &mut Stage) -> Step {
    let old = stage.boot()?;
    let begin = Instant::now();
    stage.asterisk(old).signal(Signal::SEGV)?;
    let (bound, served) = taken_over(stage, old, begin)?;
    println!("  SIGSEGV: the standby has the cluster IP after {bound:.1?}, its Asterisk answers after {served:.1?}");
    expect(bound < SLACK, || format!("bound only after {bound:?}"))?;
    expect(stage.fault_of_asterisk(old), || "the daemon sees no fault of the crashed Asterisk".to_owned())?;
    // Started again it is well, and the role stays where it is.
    stage.asterisk_mut(old).kill()?;
    stage.start_asterisk(old)?;
    stage.wait_for("the fault is cleared", |stage| Ok((!stage.fault_of_asterisk(old)).then_some(())))?;
    expect(stage.ask(old, "ha show status")?.contains("Standby"), || "the role went back".to_owned())
}

fn stopped(stage: &mut Stage) -> Step {
    let old = stage.boot()?;
    let begin = Instant::now();
    stage.asterisk(old).signal(Signal::STOP)?;
    let (bound, served) = taken_over(stage, old, begin)?;
    println!("  SIGSTOP: the standby has the cluster IP after {bound:.1?}, its Asterisk answers after {served:.1?}");
    at_the_deadline(bound, Duration::ZERO)?;
    stage.asterisk(old).signal(Signal::CONT)?;
    stage.wait_for("the fault is cleared", |stage| Ok((!stage.fault_of_asterisk(old)).then_some(())))
}

/// The last kick was sent up to an interval before the end of kicking, which itself took so long.
fn at_the_deadline(bound: Duration, ending: Duration) -> Step {
    let earliest = KICK_TIMEOUT - Duration::from_millis(2 * u64::from(crate::asterisk::KICK_INTERVAL_MS));
    expect(bound >= earliest, || format!("handed over after {bound:?}, before the deadline"))?;
    expect(bound <= ending + KICK_TIMEOUT + SLACK, || format!("handed over only after {bound:?}"))
}

fn deadlock(stage: &mut Stage, place: &str, said: &str) -> Step {
    let old = stage.boot()?;
    let begin = Instant::now();
    let answer = stage.ask(old, &format!("deadlock {place}"))?;
    let making = begin.elapsed();
    expect(answer.contains("deadlocked"), || format!("no deadlock was made: {answer}"))?;
    let (bound, served) = taken_over(stage, old, begin)?;
    println!(
        "  deadlock of {place}: the standby has the cluster IP after {bound:.1?}, its Asterisk answers after {served:.1?}"
    );
    at_the_deadline(bound, making)?;
    // The command line shows what Asterisk waits for, and so does its log.
    let row = format!("Waiting             for {said}");
    let shown = stage.ask(old, "ha show status")?;
    expect(shown.contains(&row), || format!("not shown: {row}; shown: {shown}"))?;
    println!("  its log: {}", stage.wait_for_log(old, &format!("Asterisk waits for {said}"))?);
    // While it is stuck the module stays.
    let answer = stage.ask(old, "module unload res_ucm_ha.so")?;
    expect(answer.contains("Unable to unload"), || format!("unloaded while stuck: {answer}"))
}

fn commands(stage: &mut Stage) -> Step {
    let old = stage.boot()?;
    let new = old.peer();
    let managers = [stage.manager(old)?, stage.manager(new)?];
    let shown = stage.ask(old, "ha show status")?;
    for row in [
        "HA status           Dual\n",
        "Role                Active\n",
        "Force switch        possible\n",
        "through PJSIP",
    ] {
        expect(shown.contains(row), || format!("{row:?} is not shown: {shown}"))?;
    }
    shown.lines().for_each(|line| println!("  {line}"));
    let documented = stage.ask(old, "manager show event HARoleChange")?;
    expect(documented.contains("[Synopsis]") && documented.contains("high-availability role"), || documented)?;

    let refused = "Refused: this node is not active; run it on the active node\n";
    for words in ["ha switch", "ha switch confirm"] {
        let answer = stage.ask(new, words)?;
        expect(answer.contains(refused), || format!("{words} on the standby: {answer}"))?;
    }
    let answer = stage.ask(old, "ha switch")?;
    expect(answer.contains("To go on: ha switch confirm"), || format!("no question: {answer}"))?;
    sleep(Duration::from_millis(500));
    expect(stage.ask(old, "ha show status")?.contains("Active"), || "the question alone switched".to_owned())?;

    let begin = Instant::now();
    let answer = stage.ask(old, "ha switch confirm")?;
    expect(answer.contains("The peer is active now."), || format!("not switched: {answer}"))?;
    for (manager, role, was) in [(&managers[0], "Standby", "Active"), (&managers[1], "Active", "Standby")] {
        let after = stage.wait_for("the manager tells the role", |_| Ok(manager.told(role, begin)))?;
        let changes = manager.changes();
        let newest = changes.iter().rfind(|change| change.field("Role") == role);
        let newest = newest.ok_or_else(|| std::io::Error::other("no such event"))?;
        println!("  ha switch confirm: the manager tells {role} after {after:.1?}");
        expect(newest.field("ClusterIP") == "192.168.129.64/24", || format!("{newest:?}"))?;
        expect(newest.field("Privilege") == "system,all", || format!("{newest:?}"))?;
        expect(changes.iter().any(|change| change.field("PreviousRole") == was), || format!("{changes:?}"))?;
    }
    Ok(())
}

fn no_daemon(stage: &mut Stage) -> Step {
    let node = stage.boot()?.peer();
    let manager = stage.manager(node)?;
    let begin = Instant::now();
    stage.daemon(node).set_frozen(true)?;
    for words in ["ha show status", "ha switch confirm"] {
        let (answer, took) = timed(stage, node, words)?;
        println!("  daemon frozen: {words} answers after {took:.1?}");
        expect(answer.contains("did not answer within"), || format!("{words}: {answer}"))?;
        expect(took < Duration::from_secs(8), || format!("{words} took {took:?}"))?;
    }
    stage.wait_for("the manager tells Unknown", |_| Ok(manager.told("Unknown", begin)))?;
    let told = |role: &str| manager.changes().last().is_some_and(|change| change.field("Role") == role);
    stage.daemon(node).set_frozen(false)?;
    stage.daemon(node).kill()?;
    for words in ["ha show status", "ha switch", "ha switch confirm"] {
        let (answer, took) = timed(stage, node, words)?;
        expect(answer.contains("no daemon answers at"), || format!("{words}: {answer}"))?;
        expect(took < SLACK, || format!("{words} took {took:?}"))?;
    }
    stage.wait_for("the manager tells Unknown", |_| Ok(told("Unknown").then_some(())))?;
    // The daemon is back: so are role and kicks.
    stage.start_daemon(node)?;
    stage.wait_for("the manager tells Standby", |_| Ok(told("Standby").then_some(())))?;
    for words in ["no HA daemon takes kicks at", "the HA daemon takes kicks at"] {
        stage.wait_for_log(node, words)?;
    }
    Ok(())
}

fn timed(stage: &Stage, node: Node, words: &str) -> Step<(String, Duration)> {
    let begin = Instant::now();
    let answer = stage.ask(node, words)?;
    Ok((answer, begin.elapsed()))
}

fn unload(stage: &mut Stage) -> Step {
    let active = stage.boot()?;
    let begin = Instant::now();
    let load = "module load res_ucm_ha.so";
    let mut counts = Vec::new();
    for _ in 0..5 {
        let answer = stage.ask(active, "module unload res_ucm_ha.so")?;
        expect(answer.contains("Unloaded res_ucm_ha.so"), || format!("not unloaded: {answer}"))?;
        counts.push(stage.asterisk(active).threads_and_files()?);
        let answer = stage.ask(active, "ha show status")?;
        expect(answer.contains("No such command 'ha show status'"), || format!("the command is left: {answer}"))?;
        let answer = stage.ask(active, load)?;
        expect(answer.contains("Loaded res_ucm_ha.so"), || format!("not loaded: {answer}"))?;
        stage.wait_for("kicks again", |stage| Ok(stage.kicks(active)?.filter(|kicks| *kicks > 1)))?;
    }
    // Threads of Asterisk's pools come and go, and a connection may still end: none may be left by each round.
    let (first, last) = (counts[0], counts[counts.len() - 1]);
    expect(last.0 < first.0 + 4 && last.1 < first.1 + 4, || {
        format!("threads and files after each unload: {counts:?}")
    })?;

    expect(!stage.fault_of_asterisk(active), || "unloading and loading was taken for a deadlock".to_owned())?;
    println!("  unloaded and loaded 5 times in {:.1?}: no fault", begin.elapsed());
    expect(stage.ask(active, "ha show status")?.contains("Active"), || "the role changed".to_owned())
}

fn configuration(stage: &mut Stage) -> Step {
    let node = stage.boot()?.peer();
    let good = ha_configuration(node, 100);
    let mistakes = [
        ("kick_interval_ms = 5", "kick_interval_ms = 5: must be a number from 100 to 10000"),
        ("kick_interval_ms = 1s", "kick_interval_ms = 1s: must be a number from 100 to 10000"),
        ("kick_socket = kick.sock", "kick_socket = kick.sock: must be an absolute path of at most 107 bytes"),
        ("service = a b", "service = a b: must be 1 to 32 letters"),
        ("kick_intervall = 5", "kick_intervall = 5: is not a setting; there are"),
        ("[kicks]\nservice = b", "[kicks] is not a section; all settings are in [general]"),
    ];
    let lines = mistakes.map(|(line, _)| line).join("\n");
    // Mistakes are all named, and change nothing.
    stage.asterisk(node).write("ucm_ha.conf", &format!("{good}{lines}\n"))?;
    stage.ask(node, "module reload res_ucm_ha.so")?;
    for (_, said) in mistakes {
        stage.wait_for_log(node, said)?;
    }
    expect(stage.ask(node, "ha show status")?.contains("every 200 ms"), || "a mistake was taken".to_owned())?;
    // A name that the daemon does not know is shown.
    stage.asterisk(node).write("ucm_ha.conf", &good.replace("service = asterisk", "service = nobody"))?;
    stage.ask(node, "module reload res_ucm_ha.so")?;
    let shown = stage.ask(node, "ha show status")?;
    let expected = "the daemon has no [[service]] nobody: nobody misses these kicks";
    expect(shown.contains(expected) && shown.contains("every 100 ms"), || format!("not shown: {expected}: {shown}"))?;
    stage.asterisk(node).write("ucm_ha.conf", &good)?;
    stage.ask(node, "module reload res_ucm_ha.so")?;
    let shown = stage.ask(node, "ha show status")?;
    expect(!shown.contains("[[service]]"), || format!("still shown: {shown}"))
}

fn calls(stage: &mut Stage) -> Step {
    let active = stage.boot()?;
    // Each is two channels, the halves of a local call; both answer and echo.
    for _ in 0..CALLS {
        stage.ask(active, "channel originate Local/200@phones extension 200@phones")?;
    }
    stage.wait_for("the calls are up", |stage| {
        let count = stage.ask(active, "core show channels count")?;
        Ok(count.contains(&format!("{} active channels", 2 * CALLS)).then_some(()))
    })?;
    let before = stage.kicks(active)?.unwrap_or_default();
    stage.wait_for("kicks go on", |stage| Ok(stage.kicks(active)?.filter(|kicks| *kicks >= before + 10)))?;
    let shown = stage.ask(active, "ha show status")?;
    let rounds = shown.lines().find(|line| line.starts_with("Rounds")).unwrap_or_default();
    println!("  {CALLS} calls: {rounds}");
    stage.ask(active, "channel request hangup all")?;
    stage.wait_for("the calls are gone", |stage| {
        Ok(stage.ask(active, "core show channels count")?.contains("0 active channels").then_some(()))
    })?;
    expect(!stage.fault_of_asterisk(active), || "calls were taken for a deadlock".to_owned())
}

fn ending(stage: &mut Stage) -> Step {
    let node = stage.boot()?.peer();
    let begin = Instant::now();
    stage.ask(node, "core stop now")?;
    let code = stage.wait_for("Asterisk ends", |stage| stage.asterisk_mut(node).ended())?;
    println!("  core stop now: Asterisk ends after {:.1?}", begin.elapsed());
    expect(code == 0, || format!("Asterisk ended with {code}"))
}

fn registration(stage: &mut Stage) -> Step {
    let old = stage.boot()?;
    let new = old.peer();
    let mut phone = stage.phone()?;
    let server = phone.register(PATIENCE)?;
    expect(server == format!("node {old}"), || format!("{server} took the registration, {old} is active"))?;
    let begin = Instant::now();
    stage.asterisk(old).signal(Signal::SEGV)?;
    // A request that comes sooner may still be answered by the one that dies.
    stage.wait_until_bound(new, begin)?;
    let server = phone.register(PATIENCE)?;
    println!("  SIGSEGV: the phone is registered again, at {server}, after {:.1?}", begin.elapsed());
    expect(server == format!("node {new}"), || format!("{server} took the registration, {new} is active"))?;
    let contacts = stage.ask(new, "pjsip show contacts")?;
    expect(contacts.contains("100/sip:100@192.168.129.100:5060"), || format!("not among the contacts: {contacts}"))
}
