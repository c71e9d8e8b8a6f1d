//! Programs of the family beside this one: `ucm-ha NAME …` runs `ucm-ha-NAME …` from the same folder, as git and cargo do.

use crate::exit::{self, fail};
use clap::{Arg, ArgMatches, Command, value_parser};
use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{self, ExitCode};

/// Each with what it does. The program `ucm-ha-NAME` is in the package of that name.
const ALL: [(&str, &str); 1] =
    [("lab", "Two nodes, cable, LAN, gateway and a phone on this one machine, in network namespaces")];
/// Tells the program which `ucm-ha` it was started by.
const SELF_VARIABLE: &str = "UCM_HA";
const ARGUMENTS: &str = "arguments";

/// The subcommands.
pub(crate) fn commands() -> impl Iterator<Item = Command> {
    ALL.into_iter().map(|(name, about)| {
        let arguments = Arg::new(ARGUMENTS).value_name("ARGUMENT").help("Passed on, `--help` too");
        let arguments = arguments.num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        Command::new(name).about(about).disable_help_flag(true).arg(arguments.value_parser(value_parser!(OsString)))
    })
}

/// What is to be run.
pub(crate) struct Chosen {
    name: &'static str,
    arguments: Vec<OsString>,
}

/// The program that the command line asks for, if it asks for one.
pub(crate) fn chosen(matches: &ArgMatches) -> Option<Chosen> {
    let (subcommand, matches) = matches.subcommand()?;
    let (name, _) = ALL.into_iter().find(|(name, _)| *name == subcommand)?;
    let arguments = matches.get_many::<OsString>(ARGUMENTS).into_iter().flatten().cloned().collect();
    Some(Chosen { name, arguments })
}

impl Chosen {
    /// Becomes the program; comes back only where that is not possible.
    pub(crate) fn run(self) -> ExitCode {
        let own = match env::current_exe() {
            Ok(own) => own,
            Err(error) => return fail(exit::REFUSED, format_args!("this program cannot be found: {error}")),
        };
        let program = own.with_file_name(format!("ucm-ha-{}", self.name));
        let error = process::Command::new(&program).args(self.arguments).env(SELF_VARIABLE, own).exec();
        let (name, shown) = (self.name, program.display());
        match error.kind() {
            ErrorKind::NotFound => fail(
                exit::NOT_INSTALLED,
                format_args!("`ucm-ha {name}` needs {shown}, which is not there; install the package ucm-ha-{name}"),
            ),
            _ => fail(exit::REFUSED, format_args!("{shown} cannot be run: {error}")),
        }
    }
}
