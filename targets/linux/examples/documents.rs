//! Writes the manual pages and shell completions of `ucm-ha` below a folder that stands for /usr/share:
//! `cargo run --package ucm-ha-linux --example documents -- FOLDER`.

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use std::fs;
use std::io::{Error, Result};
use std::path::Path;

/// Where each shell looks for completions of system programs, and by which name.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "ucm-ha"),
    (Shell::Zsh, "zsh/vendor-completions", "_ucm-ha"),
    (Shell::Fish, "fish/vendor_completions.d", "ucm-ha.fish"),
];

/// What every command's page ends with.
const END_OF_PAGE: &str = include_str!("../dist/command.roff");

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).ok_or_else(|| Error::other("usage: documents FOLDER"))?;
    let folder = Path::new(&folder);
    let pages = folder.join("man/man1");
    fs::create_dir_all(&pages)?;
    let mut command = ucm_ha_linux::command().disable_help_subcommand(true);
    command.build();
    write_page(&command, &pages)?;
    for (shell, place, name) in COMPLETIONS {
        let place = folder.join(place);
        fs::create_dir_all(&place)?;
        let mut script = fs::File::create(place.join(name))?;
        clap_complete::generate(shell, &mut ucm_ha_linux::command(), "ucm-ha", &mut script);
    }
    Ok(())
}

/// The page of a command, and those of its subcommands.
fn write_page(command: &Command, folder: &Path) -> Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        write_page(subcommand, folder)?;
    }
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(END_OF_PAGE.as_bytes());
    fs::write(folder.join(man.get_filename()), page)
}
