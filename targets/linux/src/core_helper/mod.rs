//! `ucm-ha core-helper`: the program in `core_pattern`.
//!
//! The kernel starts it while the crashed process still exists, and gives it the dump on stdin. It tells the daemon first:
//! a takeover must not wait for the disk. Only then it reads the dump and stores it. Without a daemon it stores it all the same.

mod store;

use crate::exit;
use crate::service::signal_name;
use crate::settings::Paths;
use clap::Args;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use store::{Limits, Stored};
use ucm_ha_control::{Reply, Request};

/// Where the dumps are, in `state_dir`, unless said otherwise.
const DUMP_DIR: &str = "cores";
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
    /// `%e`: its name, which may have blanks
    #[arg(value_name = "NAME", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    name: Vec<String>,
}

/// Reports the crash, then stores the dump. `paths` are those of the configuration, or the usual ones.
pub(crate) fn run(args: &CoreHelperArgs, paths: Paths) -> ExitCode {
    let comm = comm(&args.name);
    report(args, &comm, &paths);
    if let Err(error) = rustix::process::nice(NICENESS) {
        say(format_args!("the priority cannot be lowered: {error}"));
    }
    let dir = args.dir.clone().unwrap_or_else(|| paths.state_dir.join(DUMP_DIR));
    let limits = Limits {
        max_len: u64::from(args.max_mib) * BYTES_PER_MIB,
        min_free: u64::from(args.min_free_mib) * BYTES_PER_MIB,
        keep: args.keep as usize,
    };
    match store::store(&dir, &comm, args.pid, &mut io::stdin().lock(), &limits) {
        Ok(Stored { path, len, truncated }) => {
            let cut = if truncated { ", cut off there" } else { "" };
            say(format_args!("dump of {comm} stored in {} ({len} bytes{cut})", path.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(format_args!("dump of {comm} cannot be stored in {}: {error}", dir.display()));
            ExitCode::from(exit::REFUSED)
        }
    }
}

fn report(args: &CoreHelperArgs, comm: &str, paths: &Paths) {
    let run_dir = args.run_dir.as_ref().unwrap_or(&paths.run_dir);
    let crash = Request::Crash { pid: args.pid, comm: comm.to_owned(), signal: args.signal };
    match ucm_ha_control::ask(run_dir, crash) {
        Ok(Reply::Done) => {}
        Ok(Reply::Refused { reason } | Reply::Error { reason }) => {
            say(format_args!("the daemon does not take the crash of {comm}: {reason}"));
        }
        Ok(Reply::Status { .. }) => say("the daemon answers a crash with its status"),
        Err(failure) => {
            let signal = signal_name(args.signal);
            say(format_args!("crash of {comm} (process {}, {signal}) not reported: {failure}", args.pid));
        }
    }
}

/// The name as the kernel has it. Older kernels break it up at blanks.
fn comm(words: &[String]) -> String {
    let mut name = String::new();
    for c in words.join(" ").chars() {
        if name.len() + c.len_utf8() > MAX_COMM_LEN {
            break;
        }
        name.push(c);
    }
    name
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

    #[test]
    fn a_name_with_blanks_is_put_together_again_and_no_longer_than_the_kernels() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(comm(&words("asterisk")), "asterisk");
        assert_eq!(comm(&words("a b c")), "a b c");
        assert_eq!(comm(&words("a-very-long-process-name")), "a-very-long-pro");
        assert_eq!(comm(&words("ääääääää")), "äääääää", "cut between characters");
    }
}
