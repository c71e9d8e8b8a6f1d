//! The helper's end: who asks, whether it may be done, doing it.

use super::protocol::{
    Answer, KINDS, MAX_ANSWER_LEN, MAX_EVENT_LEN, MAX_NAME_LEN, MAX_REQUEST_LEN, REQUEST_TIMEOUT, Request, Told,
};
use crate::exit::{self, fail};
use crate::program::{Occasion, Program};
use crate::settings::{self, Notify, NotifyTarget, Sections};
use crate::text::repeated;
use crate::user::User;
use crate::{logging, realtime, sys};
use log::LevelFilter;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Room that an answer has beside its reason, in bytes.
const ANSWER_FRAME_LEN: usize = 64;

/// Who asks, by the kernel.
struct Peer {
    pid: i32,
    uid: u32,
}

/// What may be done.
enum Task {
    /// Tell a program.
    Tell(Box<Program>, Told),
    /// Give the asking process this priority.
    Prioritize(u8),
}

/// Answers the connection on stdin and stdout, and ends.
pub(crate) fn serve(config_file: &Path) -> ExitCode {
    let peer = match peer() {
        Ok(peer) => peer,
        Err(error) => {
            let why = format_args!("stdin is no connection ({error}); ucm-ha-helper.socket runs this for the daemon");
            return fail(exit::UNUSABLE, why);
        }
    };
    if let Err(error) = logging::start(LevelFilter::Info) {
        return fail(exit::REFUSED, format_args!("no log: {error}"));
    }
    let configured = || configured(config_file);
    let done =
        read_request().and_then(|line| decide(&line, &peer, is_this_program, configured)).and_then(|task| match task {
            Task::Tell(program, told) => {
                program.tell(&Occasion { kind: &told.kind, name: &told.name, json: &told.event }, None)
            }
            Task::Prioritize(priority) => realtime::give_priority(peer.pid, priority)
                .map_err(|error| format!("{error}; grant CAP_SYS_NICE to ucm-ha-helper@.service")),
        });
    let answered = answer(done);
    log::logger().flush();
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(exit::REFUSED, format_args!("the daemon did not take the answer: {error}")),
    }
}

fn peer() -> io::Result<Peer> {
    let stdin = io::stdin();
    let peer = sys::peer(stdin.as_fd())?;
    set_socket_timeout(&stdin, Timeout::Recv, Some(REQUEST_TIMEOUT))?;
    Ok(Peer { pid: peer.pid, uid: peer.uid })
}

/// The request's line, without its end.
fn read_request() -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    let mut stdin = io::stdin().lock();
    let mut chunk = [0; 4096];
    loop {
        match stdin.read(&mut chunk) {
            Ok(0) => return Err("the request's line has no end".to_owned()),
            Ok(len) => line.extend_from_slice(chunk.get(..len).unwrap_or(&chunk)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err("no request in time".to_owned()),
            Err(error) => return Err(format!("the request cannot be read: {error}")),
        }
        match line.iter().position(|byte| *byte == b'\n') {
            Some(end) if end < MAX_REQUEST_LEN => {
                line.truncate(end);
                return Ok(line);
            }
            _ if line.len() >= MAX_REQUEST_LEN => return Err("the request's line is too long".to_owned()),
            _ => {}
        }
    }
}

fn answer(done: Result<(), String>) -> io::Result<()> {
    let answer = match done {
        Ok(()) => Answer::Done,
        Err(mut reason) => {
            // A control character takes six bytes at most.
            while reason.len() > (MAX_ANSWER_LEN - ANSWER_FRAME_LEN) / 6 {
                reason.pop();
            }
            Answer::Failed { reason }
        }
    };
    let line = serde_json::to_string(&answer)? + "\n";
    io::stdout().write_all(line.as_bytes())
}

/// What may be done of what is asked for: only root asks, only what is configured is run, and only the daemon's own program
/// gets its priority.
fn decide(
    line: &[u8],
    peer: &Peer,
    is_this_program: impl FnOnce(i32) -> io::Result<bool>,
    configured: impl FnOnce() -> Result<Sections, String>,
) -> Result<Task, String> {
    if peer.uid != 0 {
        return Err(format!("user {} may not ask; only root may", peer.uid));
    }
    match serde_json::from_slice(line)
        .map_err(|error| format!("this is no request: {}", repeated(&error.to_string())))?
    {
        Request::Notify(told) => {
            check(&told)?;
            Ok(Task::Tell(Box::new(program(&told, &configured()?.notify)?), told))
        }
        Request::Priority => match is_this_program(peer.pid) {
            Ok(true) => Ok(Task::Prioritize(configured()?.daemon.realtime_priority)),
            Ok(false) => Err(format!("process {} is not of this program; only the daemon gets priority", peer.pid)),
            Err(error) => Err(format!("it is not known what process {} is of: {error}", peer.pid)),
        },
    }
}

fn check(told: &Told) -> Result<(), String> {
    let event = told.event.strip_suffix('\n').unwrap_or(&told.event);
    if !KINDS.contains(&&*told.kind) {
        return Err(format!("{} is no kind of event", repeated(&told.kind)));
    }
    if told.name.len() > MAX_NAME_LEN || told.event.len() > MAX_EVENT_LEN {
        return Err("the event is too long".to_owned());
    }
    if event.contains('\n') {
        return Err("the event has more than one line".to_owned());
    }
    Ok(())
}

/// The program that a `[[notify]]` names in the same words.
fn program(told: &Told, configured: &[Notify]) -> Result<Program, String> {
    let timeout_ms = configured.iter().find_map(|notify| match &notify.target {
        NotifyTarget::Command { words, user } if (words, user) == (&told.words, &told.user) => Some(notify.timeout_ms),
        _ => None,
    });
    let Some(timeout_ms) = timeout_ms else {
        return Err("no [[notify]] has this command and user now; restart the daemon after a change of them".to_owned());
    };
    let user = told.user.as_deref().map(|name| User::find(name).map_err(|reason| format!("{name} {reason}")));
    let timeout = Duration::from_millis(timeout_ms.into());
    Ok(Program { words: told.words.clone(), user: user.transpose()?, timeout })
}

/// What may be run, and how urgent the daemon is. Problems elsewhere in the file are the daemon's.
fn configured(file: &Path) -> Result<Sections, String> {
    let mut problems = Vec::new();
    settings::read(file, &mut problems).ok_or_else(|| settings::one_line(&problems))
}

/// Whether a process is one of this program, the file that is installed now.
fn is_this_program(pid: i32) -> io::Result<bool> {
    let file = |process: &str| fs::metadata(format!("/proc/{process}/exe")).map(|file| (file.dev(), file.ino()));
    Ok(file(&pid.to_string())? == file("self")?)
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Request;
    use super::*;
    use crate::settings::MAX_ENTRIES;
    use std::process::{Command, Stdio};

    const ROOT: Peer = Peer { pid: 42, uid: 0 };

    fn settings(text: &str) -> Sections {
        let mut problems = Vec::new();
        settings::parse(text, &mut problems).unwrap()
    }

    fn configured() -> Result<Sections, String> {
        Ok(settings(
            "[[notify]]\ncommand = [\"/bin/told\", \"x\"]\nuser = \"root\"\ntimeout_ms = 300\n\
             [[notify]]\nurl = \"http://127.0.0.1/\"\ntemplate = \"x\"\n[[notify]]\ncommand = [\"/bin/other\"]\n",
        ))
    }

    fn told(words: &[&str], user: Option<&str>) -> Told {
        Told {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            user: user.map(str::to_owned),
            kind: "role".to_owned(),
            name: "Active".to_owned(),
            event: "{\"id\":1}\n".to_owned(),
        }
    }

    fn decide_about(told: Told, peer: &Peer) -> Result<Task, String> {
        let line = serde_json::to_vec(&Request::Notify(told)).unwrap();
        decide(&line, peer, |_| panic!("it does not matter who asks"), configured)
    }

    #[track_caller]
    fn refused(decided: Result<Task, String>, reason: &str) {
        assert_eq!(decided.err().as_deref(), Some(reason));
    }

    #[test]
    fn a_configured_program_is_run_as_its_user_and_with_its_timeout() {
        let Ok(Task::Tell(program, told)) = decide_about(told(&["/bin/told", "x"], Some("root")), &ROOT) else {
            panic!()
        };
        assert_eq!(
            (program.name(), program.words.len(), program.timeout),
            ("/bin/told", 2, Duration::from_millis(300))
        );
        assert_eq!(program.user.unwrap().uid.as_raw(), 0);
        assert_eq!((&*told.kind, &*told.name, &*told.event), ("role", "Active", "{\"id\":1}\n"));
        let other = decide_about(self::told(&["/bin/other"], None), &ROOT);
        assert!(matches!(other, Ok(Task::Tell(program, _)) if program.user.is_none()));
    }

    #[test]
    fn a_program_that_no_notify_names_so_is_refused() {
        let reason = "no [[notify]] has this command and user now; restart the daemon after a change of them";
        refused(decide_about(told(&["/bin/sh", "-c", "id"], None), &ROOT), reason);
        refused(decide_about(told(&["/bin/told"], Some("root")), &ROOT), reason);
        refused(decide_about(told(&["/bin/told", "x", "y"], Some("root")), &ROOT), reason);
        refused(decide_about(told(&["/bin/told", "x"], None), &ROOT), reason);
        refused(decide_about(told(&["/bin/told", "x"], Some("daemon")), &ROOT), reason);
        refused(decide_about(told(&["/bin/other"], Some("root")), &ROOT), reason);
        refused(decide_about(told(&["http://127.0.0.1/"], None), &ROOT), reason);
        refused(decide_about(told(&[], None), &ROOT), reason);
    }

    #[test]
    fn a_configuration_that_cannot_be_read_lets_nothing_run() {
        let line = serde_json::to_vec(&Request::Notify(told(&["/bin/other"], None))).unwrap();
        let gone = || super::configured(Path::new("/nonexistent/config.toml"));
        let reason = decide(&line, &ROOT, |_| Ok(true), gone).err().unwrap();
        assert!(reason.starts_with("/nonexistent/config.toml: cannot be read: No such file or directory"), "{reason}");
    }

    #[test]
    fn nobody_but_root_may_ask() {
        let nobody = Peer { pid: 42, uid: 65534 };
        refused(decide_about(told(&["/bin/other"], None), &nobody), "user 65534 may not ask; only root may");
        let priority = decide(b"{\"request\":\"priority\"}", &nobody, |_| Ok(true), configured);
        refused(priority, "user 65534 may not ask; only root may");
    }

    #[test]
    fn an_event_that_is_none_is_refused() {
        let other = || told(&["/bin/other"], None);
        refused(decide_about(Told { kind: "--help".to_owned(), ..other() }, &ROOT), "--help is no kind of event");
        refused(
            decide_about(Told { event: "a\nb\n".to_owned(), ..other() }, &ROOT),
            "the event has more than one line",
        );
        let long = |len| "x".repeat(len);
        refused(decide_about(Told { event: long(MAX_EVENT_LEN + 1), ..other() }, &ROOT), "the event is too long");
        refused(decide_about(Told { name: long(MAX_NAME_LEN + 1), ..other() }, &ROOT), "the event is too long");
        assert!(decide_about(Told { event: long(MAX_EVENT_LEN), name: long(MAX_NAME_LEN), ..other() }, &ROOT).is_ok());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for line in ["", "{}", "{\"request\":\"reboot\"}", "[]", "{\"request\":\"notify\",\"words\":[\"/bin/other\"]}"]
        {
            let reason = decide(line.as_bytes(), &ROOT, |_| Ok(true), configured).err().unwrap();
            assert!(reason.starts_with("this is no request: "), "{line}: {reason}");
        }
        let mut odd = serde_json::to_value(Request::Notify(told(&["/bin/other"], None))).unwrap();
        odd["timeout_ms"] = 1.into();
        let reason = decide(odd.to_string().as_bytes(), &ROOT, |_| Ok(true), configured).err().unwrap();
        assert!(reason.contains("unknown field `timeout_ms`"), "{reason}");
    }

    #[test]
    fn only_a_process_of_this_program_gets_priority() {
        let ask_with = |is_this_program: io::Result<bool>, text: &'static str| {
            let which = |pid| {
                assert_eq!(pid, 42);
                is_this_program
            };
            decide(b"{\"request\":\"priority\"}", &ROOT, which, || Ok(settings(text)))
        };
        let ask = |is_this_program| ask_with(is_this_program, "");
        assert!(matches!(ask(Ok(true)), Ok(Task::Prioritize(realtime::DEFAULT_PRIORITY))));
        let configured = ask_with(Ok(true), "[daemon]\nrealtime_priority = 7\n");
        assert!(matches!(configured, Ok(Task::Prioritize(7))), "the configuration says which");
        refused(ask(Ok(false)), "process 42 is not of this program; only the daemon gets priority");
        let unknown = ask(Err(ErrorKind::PermissionDenied.into()));
        refused(unknown, "it is not known what process 42 is of: permission denied");
    }

    #[test]
    fn a_process_is_of_the_program_whose_file_it_runs() {
        assert!(is_this_program(std::process::id().try_into().unwrap()).unwrap());
        let mut other = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It answers, so it is no copy of this process any more; in an emulator `spawn` does not wait for that.
        other.stdin.as_mut().unwrap().write_all(b"?").unwrap();
        other.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let same = is_this_program(other.id().try_into().unwrap());
        drop(other.stdin.take());
        other.wait().unwrap();
        assert!(!same.unwrap());
        assert!(is_this_program(0).is_err(), "from another namespace");
    }

    fn number(unit: &str, key: &str) -> usize {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        line.strip_prefix('=').unwrap().parse().unwrap()
    }

    #[test]
    fn the_unit_files_leave_room_for_every_notify_and_time_for_the_slowest_program() {
        let socket = include_str!("../../dist/ucm-ha-helper.socket");
        assert_eq!(number(socket, "MaxConnections"), 2 * (MAX_ENTRIES + 1));
        let service = include_str!("../../dist/ucm-ha-helper@.service");
        let slowest = settings("[[notify]]\ncommand = [\"x\"]\ntimeout_ms = 600000\n").notify[0].timeout_ms;
        let longest = crate::program::longest(Duration::from_millis(slowest.into()));
        let most = Duration::from_secs(number(service, "RuntimeMaxSec") as u64);
        assert!(most > longest + REQUEST_TIMEOUT && most < longest * 2, "{most:?}");
        let past = settings("[[notify]]\ncommand = [\"x\"]\ntimeout_ms = 600001\n");
        assert!(past.notify.iter().all(|notify| notify.timeout_ms < 600_001), "there are none slower");
    }
}
