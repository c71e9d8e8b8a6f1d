//! `ucm-ha core-helper`: the program in `core_pattern`.
//!
//! The kernel starts it while the crashed process still exists, and gives it the dump on stdin. It tells the daemon first:
//! a takeover must not wait for the disk. Only then it reads the dump and stores it. Without a daemon it stores it all the same.
//!
//! | file | concept |
//! |---|---|
//! | `mod` | what the kernel says, and what is done about it |
//! | `limits` | no more than so many lines and dumps |
//! | `store` | the dumps |

mod limits;
mod store;

use crate::clock;
use crate::exit;
use crate::service::{self, signal_name};
use crate::settings::Paths;
use crate::text::escaped;
use clap::Args;
use limits::Line;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::{Bounds, Stored};
use ucm_ha_control::{Reply, Request};

/// Where the dumps are, in `state_dir`, unless said otherwise.
const DUMP_DIR: &str = "cores";
/// What a process is called that has no name.
const NAMELESS: &str = "?";
/// Where the kernel tells its release.
const OS_RELEASE: &str = "/proc/sys/kernel/osrelease";
/// Longest name of a process that the kernel tells, in bytes.
const MAX_COMM_LEN: usize = 15;
const BYTES_PER_MIB: u64 = 1024 * 1024;
/// Takeover and calls go first; the dump is written with what is left.
const NICENESS: i32 = 10;

/// Arguments of `ucm-ha core-helper`.
#[derive(Debug, Args)]
pub(crate) struct CoreHelperArgs {
    /// Where to store the dump; `cores` in `state_dir` unless given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the daemon's control socket is; `run_dir` unless given
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Longest dump, in MiB; what is beyond is cut off
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    max_mib: u32,
    /// Dumps that are kept, this one included; the oldest go
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    keep: u32,
    /// Space that is left free on the disk, in MiB
    #[arg(long, value_name = "N", default_value_t = 256)]
    min_free_mib: u32,
    /// `%P`: the number of the crashed process
    #[arg(value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pid: i32,
    /// `%s`: the signal
    #[arg(value_name = "SIGNAL", value_parser = clap::value_parser!(i32).range(1..))]
    signal: i32,
    /// `%e`: its name, which may be anything; options go before `%P`, or behind it on Linux 5.3 and later
    #[arg(value_name = "NAME", trailing_var_arg = true, allow_hyphen_values = true)]
    name: Vec<OsString>,
}

/// The arguments of this process with a `--` before what the kernel put in for `%e`. Whoever runs a program chooses its name,
/// and must not choose options of ours: what follows process number and signal is data. But where the kernel gives the name as
/// one argument (`name_is_whole`), options behind that stand in `core_pattern`, which is root's. A name that looks like an
/// option might be one that stands before the name; then nothing behind it counts.
fn with_name_apart(mut args: Vec<OsString>, name_is_whole: bool) -> Vec<OsString> {
    let Some(at) = name_place(&args) else { return args };
    let begins = |at: usize, with: &[u8]| args.get(at).is_some_and(|arg| arg.as_encoded_bytes().starts_with(with));
    if name_is_whole && !begins(at, b"-") && begins(at + 1, b"--") {
        let name = args.remove(at);
        args.extend(["--".into(), name]);
    } else {
        args.insert(at, "--".into());
    }
    args
}

/// As [`with_name_apart`], on this machine's kernel.
pub(crate) fn separated(args: Vec<OsString>) -> Vec<OsString> {
    // One that does not tell its release counts as an old one: then no option behind the name counts.
    let name_is_whole = fs::read(OS_RELEASE).is_ok_and(|release| is_5_3(&release));
    with_name_apart(args, name_is_whole)
}

/// Whether this kernel puts a name with blanks in for `%e` as one argument: Linux does so since 5.3.
fn is_5_3(release: &[u8]) -> bool {
    let mut numbers =
        release.split(|byte| !byte.is_ascii_digit()).map(|digits| str::from_utf8(digits).ok()?.parse().ok());
    let mut next = || numbers.next().flatten().unwrap_or(0_u32);
    (next(), next()) >= (5, 3)
}

fn name_place(args: &[OsString]) -> Option<usize> {
    let subcommand = next_word(args, 1)?;
    if args.get(subcommand)? != "core-helper" {
        return None;
    }
    let pid = next_word(args, subcommand + 1)?;
    let signal = next_word(args, pid + 1)?;
    Some(signal + 1)
}

/// The place of the next argument, from `at` on, that is neither an option nor the value of one. `None` where there is none, or
/// somebody has put the `--` already.
fn next_word(args: &[OsString], mut at: usize) -> Option<usize> {
    loop {
        at += match args.get(at)?.as_encoded_bytes() {
            b"--" => return None,
            b"--help" | b"--version" => 1,
            option if option.starts_with(b"--") && !option.contains(&b'=') => 2,
            option if option.starts_with(b"-") => 1,
            _ => return Some(at),
        };
    }
}

/// Reports the crash, then stores the dump. `paths` are those of the configuration, or the usual ones.
pub(crate) fn run(args: &CoreHelperArgs, paths: Paths) -> ExitCode {
    // The process is there at least until somebody reads its dump.
    let user = service::users(args.pid).map(|[real, _]| real);
    let comm = comm(&args.name);
    let reported = report(args, &comm, &paths);
    let dir = args.dir.clone().unwrap_or_else(|| paths.state_dir.join(DUMP_DIR));
    let log = Log { dir: &dir, user };
    if let Err(error) = store::make_dir(&dir) {
        log.say(format_args!("{} cannot be created: {error}", dir.display()));
    }
    if let Err(reason) = reported {
        log.say(reason);
    }
    if let Err(error) = rustix::process::nice(NICENESS) {
        log.say(format_args!("the priority cannot be lowered: {error}"));
    }
    match limits::take_dump(&dir, user, clock::now()) {
        Ok(true) => keep(args, &comm, &log),
        Ok(false) => {
            let who = user.map_or("its user".to_owned(), |user| format!("user {user}"));
            log.say(format_args!(
                "dump of {comm} not stored: there were {} of {who} within a minute",
                limits::MAX_DUMPS
            ));
            ExitCode::from(exit::REFUSED)
        }
        Err(error) => {
            log.say(format_args!("dump of {comm} cannot be stored in {}: {error}", dir.display()));
            ExitCode::from(exit::REFUSED)
        }
    }
}

/// Stores the dump.
fn keep(args: &CoreHelperArgs, comm: &str, log: &Log<'_>) -> ExitCode {
    let bounds = Bounds {
        max_len: u64::from(args.max_mib) * BYTES_PER_MIB,
        min_free: u64::from(args.min_free_mib) * BYTES_PER_MIB,
        keep: args.keep as usize,
    };
    match store::store(log.dir, comm, args.pid, log.user, &mut io::stdin().lock(), &bounds) {
        Ok(Stored { path, len, truncated }) => {
            let cut = if truncated { ", cut off there" } else { "" };
            log.say(format_args!("dump of {comm} stored in {} ({len} bytes{cut})", path.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            log.say(format_args!("dump of {comm} cannot be stored in {}: {error}", log.dir.display()));
            ExitCode::from(exit::REFUSED)
        }
    }
}

/// Tells the daemon; an error says why it does not know now.
fn report(args: &CoreHelperArgs, comm: &str, paths: &Paths) -> Result<(), String> {
    let run_dir = args.run_dir.as_ref().unwrap_or(&paths.run_dir);
    let crash = Request::Crash { pid: args.pid, comm: comm.to_owned(), signal: args.signal };
    match ucm_ha_control::ask(run_dir, crash) {
        Ok(Reply::Done) => Ok(()),
        Ok(Reply::Refused { reason } | Reply::Error { reason }) => {
            Err(format!("the daemon does not take the crash of {comm}: {reason}"))
        }
        Ok(Reply::Status { .. } | Reply::Part { .. }) => {
            Err("the daemon answers something else than a crash".to_owned())
        }
        Err(failure) => {
            let signal = signal_name(args.signal);
            Err(format!("crash of {comm} (process {}, {signal}) not reported: {failure}", args.pid))
        }
    }
}

/// The name as the kernel has it, as text of one line. Older kernels break it up at blanks, and leave out an empty one.
fn comm(words: &[OsString]) -> String {
    let bytes = words.join(OsStr::new(" ")).into_encoded_bytes();
    let name = String::from_utf8_lossy(bytes.get(..MAX_COMM_LEN).unwrap_or(&bytes));
    if name.is_empty() { NAMELESS.to_owned() } else { escaped(&name) }
}

/// Where lines go, no more than so many for one user.
struct Log<'a> {
    dir: &'a Path,
    user: limits::User,
}

impl Log<'_> {
    fn say(&self, line: impl fmt::Display) {
        match limits::take_line(self.dir, self.user, clock::now()) {
            Ok(Some(Line::OneOfMany)) => say(line),
            Ok(Some(Line::Last)) => {
                say(format_args!("{line} (there were many of this user: for a minute no more lines)"))
            }
            Ok(None) => {}
            // Where no file can be written lines are all there is.
            Err(error) => say(format_args!("{line} (lines cannot be counted in {}: {error})", self.dir.display())),
        }
    }
}

/// Started by the kernel, the program has no terminal and no log: what it says goes to the kernel's, too.
fn say(line: impl fmt::Display) {
    eprintln!("ucm-ha: {line}");
    let written = OpenOptions::new().write(true).open("/dev/kmsg").and_then(|mut log| {
        // One write is one record.
        log.write_all(format!("ucm-ha core-helper: {line}\n").as_bytes())
    });
    if let Err(error) = written {
        eprintln!("ucm-ha: /dev/kmsg cannot be written: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::{FromArgMatches, Parser};
    use std::os::unix::ffi::OsStringExt;

    #[derive(Debug, Parser)]
    struct Whole {
        #[arg(long, global = true)]
        config: Option<PathBuf>,
        #[command(subcommand)]
        command: Only,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Only {
        CoreHelper(CoreHelperArgs),
        Kick { name: String },
    }

    fn parse(args: Vec<OsString>, old: bool) -> Result<Whole, clap::Error> {
        let command = <Whole as clap::CommandFactory>::command();
        let args = with_name_apart(args, !old);
        command.try_get_matches_from(args).and_then(|matches| Whole::from_arg_matches(&matches))
    }

    /// What the kernel makes of `|/usr/sbin/ucm-ha PATTERN %e`: before 5.3 it splits the line once the name is in it.
    fn expanded(pattern: &str, name: &[u8], old: bool) -> Vec<OsString> {
        let mut args: Vec<Vec<u8>> = "ucm-ha".split(' ').chain(pattern.split(' ')).map(|word| word.into()).collect();
        if old {
            let words = name.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            args.extend(words.map(<[u8]>::to_vec));
        } else {
            args.push(name.to_vec());
        }
        args.into_iter().map(OsString::from_vec).collect()
    }

    #[test]
    fn a_name_is_never_an_option_whatever_it_is_and_whatever_the_kernel() {
        let pattern = "--config /etc/ha.toml core-helper --keep=5 --dir /var/dumps 42 11";
        let names: [(&[u8], &str); 12] = [
            (b"asterisk", "asterisk"),
            (b"--dir=/path x", "--dir=/path x"),
            (b"--dir /path x", "--dir /path x"),
            (b"--keep=1 x", "--keep=1 x"),
            (b"--config /x", "--config /x"),
            (b"--help", "--help"),
            (b"-V", "-V"),
            (b"--", "--"),
            (b"-- --keep=1", "-- --keep=1"),
            (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b"),
            (b"a\nb\x1b[2J", "a\\nb\\u{1b}[2J"),
            (b"", "?"),
        ];
        for (name, shown) in names {
            for old in [false, true] {
                let whole = parse(expanded(pattern, name, old), old).unwrap();
                let Only::CoreHelper(args) = whole.command else { panic!("{name:?}") };
                assert_eq!(comm(&args.name), shown, "old: {old}");
                assert_eq!((args.pid, args.signal, args.keep), (42, 11, 5), "{shown}");
                assert_eq!(args.dir, Some("/var/dumps".into()), "{shown}");
                assert_eq!(whole.config, Some("/etc/ha.toml".into()), "{shown}");
            }
        }
    }

    #[test]
    fn options_may_stand_anywhere_before_the_name() {
        for pattern in [
            "--config=/x core-helper 42 11",
            "core-helper --config /x 42 11",
            "core-helper 42 --config /x 11",
            "core-helper 42 --config=/x 11",
        ] {
            let whole = parse(expanded(pattern, b"--config /y", false), false).unwrap();
            assert_eq!(whole.config, Some("/x".into()), "{pattern}");
        }
        // Between signal and name it cannot be told from a name.
        let whole = parse(expanded("core-helper 42 11 --config /x", b"asterisk", true), true).unwrap();
        assert_eq!(whole.config, None);
        let whole = parse(expanded("core-helper --config /x -- 42 11", b"--keep=1", false), false).unwrap();
        let Only::CoreHelper(args) = whole.command else { panic!() };
        assert_eq!((args.keep, comm(&args.name)), (3, "--keep=1".to_owned()));
    }

    #[test]
    fn options_behind_the_name_count_where_no_name_can_look_like_them() {
        for name in [&b"asterisk"[..], b"a b", b"a --config=/evil", b""] {
            for options in [&["--config", "/x", "--keep=5"][..], &["--keep", "5", "--config=/x"]] {
                let mut args = expanded("core-helper 42 11", name, false);
                args.extend(options.iter().map(Into::into));
                let whole = parse(args, false).unwrap();
                assert_eq!(whole.config, Some("/x".into()), "{name:?}");
                let Only::CoreHelper(args) = whole.command else { panic!("{name:?}") };
                assert_eq!((comm(&args.name), args.keep), (comm(&[OsString::from_vec(name.to_vec())]), 5));
            }
        }
        // Not where the name looks like an option: it may be one that somebody has put before the name.
        for name in ["--keep=1", "--config", "--", "-x"] {
            let whole = parse(expanded("core-helper 42 11 --config=/x", name.as_bytes(), false), false).unwrap();
            let Only::CoreHelper(args) = whole.command else { panic!("{name:?}") };
            assert_eq!((whole.config, args.keep), (None, 3), "{name}");
            let whole = parse(expanded(&format!("core-helper 42 11 {name}"), b"--config=/x", false), false).unwrap();
            assert_eq!(whole.config, None, "{name}");
        }
        // An older kernel makes the same of a name.
        let whole = parse(expanded("core-helper 42 11", b"a --config /evil", true), true).unwrap();
        assert_eq!(whole.config, None);
        for (release, since) in
            [("5.3.0", true), ("6.1.0-13-amd64", true), ("5.2.21", false), ("4.19", false), ("", false)]
        {
            assert_eq!(is_5_3(release.as_bytes()), since, "{release}");
        }
    }

    #[test]
    fn the_arguments_of_other_commands_are_left_alone() {
        for line in [
            "ucm-ha kick core-helper",
            "ucm-ha",
            "ucm-ha core-helper",
            "ucm-ha core-helper --help",
            "ucm-ha core-helper 42",
        ] {
            let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert_eq!(with_name_apart(args.clone(), true), args, "{line}");
        }
    }

    #[test]
    fn a_name_is_no_longer_than_the_kernels() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<OsString>>();
        assert_eq!(comm(&words("a b c")), "a b c");
        assert_eq!(comm(&words("a-very-long-process-name")), "a-very-long-pro");
        assert_eq!(comm(&words("ääääääää")), "äääääää\u{fffd}", "the kernel cuts at bytes, too");
    }
}
