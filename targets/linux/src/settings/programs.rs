//! The programs that the configuration names: those that are not on this machine. They may be there later, as a file system
//! that is not mounted yet, so that this is no problem.

use super::tables::{NotifyTarget, Sections};
use crate::text::repeated;
use rustix::fs::{Access, access};
use std::env;
use std::ffi::OsStr;
use std::path::Path;

/// Where programs are looked for that are named without a folder, when nothing else is said: as systemd has it.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A note for each program that cannot be run.
pub(crate) fn missing(sections: &Sections) -> Vec<String> {
    let path = env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into());
    missing_in(sections, &path)
}

fn missing_in(sections: &Sections, path: &OsStr) -> Vec<String> {
    let mut named: Vec<(String, &str)> = Vec::new();
    for notify in &sections.notify {
        if let NotifyTarget::Command { words, .. } = &notify.target {
            named.extend(words.first().map(|program| (format!("{}.command", notify.key), &**program)));
        }
    }
    for service in &sections.services {
        let program = service.probe.as_ref().and_then(|probe| probe.command.first());
        named.extend(program.map(|program| (format!("service {}: probe", service.name), &**program)));
    }
    // The shell's own words are no programs; a path is one.
    let first_word = sections.fault.reboot_command.split_whitespace().next();
    let is_plain = |word: &&str| {
        word.starts_with('/') && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
    };
    named.extend(first_word.filter(is_plain).map(|program| ("fault.reboot_command".to_owned(), program)));
    let missing = named.into_iter().filter(|(_, program)| !can_be_run(program, path));
    missing.map(|(key, program)| format!("{key}: {} is no program of this machine", repeated(program))).collect()
}

fn can_be_run(program: &str, path: &OsStr) -> bool {
    let is_program = |file: &Path| file.is_file() && access(file, Access::EXEC_OK).is_ok();
    match program.contains('/') {
        true => is_program(Path::new(program)),
        false => env::split_paths(path).any(|folder| is_program(&folder.join(program))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn programs_that_are_not_there_are_named_with_their_setting() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("there", 0o755), ("text", 0o644)] {
            fs::write(folder.path().join(name), "").unwrap();
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        let text = "[fault]\nreboot_command = \"FOLDER/reboot now\"\n\
                    [[service]]\nname = \"a\"\nprobe = [\"there\", \"x\"]\n\
                    [[service]]\nname = \"b\"\nprobe = [\"gone\"]\n\
                    [[notify]]\ncommand = [\"FOLDER/there\"]\n[[notify]]\ncommand = [\"FOLDER/text\"]\n\
                    [[notify]]\nurl = \"http://host/\"\ntemplate = \"x\"\n";
        let shown = folder.path().display().to_string();
        let sections = parse(&text.replace("FOLDER", &shown), &mut Vec::new()).unwrap();
        let said: Vec<String> = missing_in(&sections, folder.path().as_os_str());
        assert_eq!(
            said,
            [
                format!("notify[1].command: {shown}/text is no program of this machine"),
                "service b: probe: gone is no program of this machine".to_owned(),
                format!("fault.reboot_command: {shown}/reboot is no program of this machine"),
            ]
        );
        for words in ["reboot", "sync; /sbin/reboot", "$REBOOT", ""] {
            let sections = parse(&format!("[fault]\nreboot_command = \"{words}\"\n"), &mut Vec::new()).unwrap();
            assert_eq!(missing_in(&sections, OsStr::new("")), Vec::<String>::new(), "{words}");
        }
    }
}
