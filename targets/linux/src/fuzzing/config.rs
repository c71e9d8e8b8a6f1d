//! The text of the configuration.

use super::written::{self, Written};
use crate::net::interface::{Interface, InterfaceAddress};
use crate::settings::{self, Problem, Sections};
use std::net::Ipv4Addr;
use ucm_ha::types::{Cidr, MacAddr};

/// Longest line about a problem, in characters. What the file says is repeated in parts only.
const MAX_LINE_LEN: usize = 500;

/// The configuration file. What is refused is refused with reasons, each on one line with its key; an unknown key is one of
/// them; what is accepted is what the file says, within the contract's bounds, and the same the next time.
pub fn config(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut problems = Vec::new();
    let sections = settings::parse(text, &mut problems);
    problems.iter().for_each(check);
    let written = Written::of(text);
    assert_eq!(sections.is_some(), written.is_some(), "{problems:?}");
    let (Some(sections), Some(written)) = (sections, written) else {
        return assert!(!problems.is_empty(), "nothing read and nothing said");
    };
    let strangers = problems.iter().filter(|problem| problem.reason.starts_with(written::UNKNOWN)).count();
    assert_eq!(strangers, written.unknown_keys(), "{problems:?}");
    assert!(settings::changed_keys(&sections, &sections).is_empty(), "a file differs from itself");
    // A key file is one of this machine, which is not to be read here.
    if sections.ha.as_ref().is_none_or(|ha| ha.key_file.is_none()) {
        judge(text, &sections, &written, problems);
    }
}

fn judge(text: &str, sections: &Sections, written: &Written, mut problems: Vec<Problem>) {
    let interfaces =
        [interface("eth0", 2, Some([192, 168, 129, 42])), interface("eth1", 3, None), interface("eth2", 4, None)];
    let resolved = settings::resolve(sections, &interfaces, &mut problems);
    problems.iter().for_each(check);
    let Some(resolved) = resolved else {
        return assert!(!problems.is_empty(), "refused without a reason");
    };
    assert_eq!(resolved.config.validate(), Ok(()));
    assert!(problems.iter().all(|problem| problem.passing), "accepted in spite of {problems:?}");
    resolved.notes.iter().for_each(|note| assert_one_line(note));
    written.compare(&resolved.config);
    let again = settings::parse(text, &mut Vec::new());
    let again = again.and_then(|sections| settings::resolve(&sections, &interfaces, &mut Vec::new()));
    assert_eq!(again.map(|again| again.config.digest()), Some(resolved.config.digest()));
}

fn check(problem: &Problem) {
    let line = problem.to_string();
    assert_one_line(&line);
    assert!(!problem.key.is_empty() && !problem.reason.is_empty(), "{line:?} lacks something");
    assert!(line.chars().count() <= MAX_LINE_LEN, "{line:?} is too long");
}

fn assert_one_line(line: &str) {
    assert!(!line.contains(char::is_control), "not one line that can be shown: {line:?}");
}

fn interface(name: &str, index: u8, address: Option<[u8; 4]>) -> Interface {
    let permanent = |address| InterfaceAddress {
        cidr: Cidr { address: Ipv4Addr::from_octets(address), prefix_len: 24 },
        permanent: true,
    };
    Interface {
        name: name.to_owned(),
        index: index.into(),
        mac: Some(MacAddr([2, 0, 0, 0, 0, index])),
        carrier: true,
        addresses: address.into_iter().map(permanent).collect(),
    }
}
