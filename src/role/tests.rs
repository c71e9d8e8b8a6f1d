//! The decision against the table of `docs/safety.md`, over its whole input space.

use super::*;
use std::string::{String, ToString};
use std::vec::Vec;

const SAFETY: &str = include_str!("../../docs/safety.md");
const ROLES: [Role; 6] = [Role::Off, Role::Init, Role::Standby, Role::Claiming, Role::Active, Role::Yielding];
const SIGHTS: [Sight; 3] = [Sight::Silent, Sight::Deaf, Sight::Mutual];
const CONSENTS: [Consent; 5] = [Consent::None, Consent::Released, Consent::Granted, Consent::Refused, Consent::Off];
const FLAGS: u32 = 14;

/// One row of the table: the first whose roles and conditions all hold decides.
struct Row {
    roles: Vec<String>,
    conditions: Vec<String>,
    decision: String,
}

fn table() -> Vec<Row> {
    let list = |cell: &str| -> Vec<String> {
        cell.split(',').map(|item| item.trim().trim_matches('`').to_string()).filter(|item| !item.is_empty()).collect()
    };
    let body = SAFETY.split("<!-- decision table -->").nth(1).expect("the document has the table");
    let rows = body.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let decision = cells[2].trim().trim_matches('`').to_string();
        Row { roles: list(cells[0]), conditions: list(cells[1]), decision }
    })
    .collect()
}

/// The document's conditions, written from its words and not from the code.
fn holds(condition: &str, view: &View) -> bool {
    let (negated, name) = match condition.strip_prefix("not ") {
        Some(name) => (true, name),
        None => (false, condition),
    };
    let heard = view.peer != Sight::Silent;
    let promise = view.lease && !view.isolated;
    let threat = view.peer == Sight::Deaf && view.peer_lan_usable;
    let alone = view.lan_carrier && view.gateway && !view.isolated && !threat;
    let value = match name {
        "off" => view.off,
        "peer active" => heard && view.peer_role == Role::Active,
        "peer claiming" => heard && view.peer_role == Role::Claiming,
        "peer undecided" => {
            view.peer == Sight::Mutual && (view.peer_role == Role::Init || view.peer_role == Role::Standby)
        }
        "peer deaf" => view.peer == Sight::Deaf,
        "precedes" => view.precedes,
        "outranks" => view.outranks,
        "promise" => promise,
        "may serve" => promise || alone,
        "evidence" => view.clear && view.lan_ready && alone,
        "clear" => view.clear,
        "LAN carrier" => view.lan_carrier,
        "ready" => view.ready,
        "released" => view.consent == Consent::Released,
        "granted" => view.consent == Consent::Granted,
        "refused" => view.consent == Consent::Refused,
        "peer off" => view.consent == Consent::Off,
        "peer gone" => view.gone,
        "silence over" => view.silence_over,
        "one-way over" => view.one_way_over,
        other => panic!("the table uses an unknown condition: {other}"),
    };
    value != negated
}

fn expected<'a>(table: &'a [Row], view: &View) -> &'a str {
    let role = std::format!("{:?}", view.role);
    let row = table
        .iter()
        .find(|row| row.roles.contains(&role) && row.conditions.iter().all(|condition| holds(condition, view)));
    &row.unwrap_or_else(|| panic!("no row for {view:?}")).decision
}

fn all_views() -> impl Iterator<Item = View> {
    let enums = ROLES.into_iter().flat_map(|role| {
        SIGHTS.into_iter().flat_map(move |peer| {
            ROLES.into_iter().flat_map(move |peer_role| CONSENTS.into_iter().map(move |c| (role, peer, peer_role, c)))
        })
    });
    enums.flat_map(|(role, peer, peer_role, consent)| {
        (0..1_u32 << FLAGS).map(move |flags| {
            let flag = |bit: u32| flags & (1 << bit) != 0;
            View {
                role,
                peer,
                peer_role,
                consent,
                off: flag(0),
                lease: flag(1),
                peer_lan_usable: flag(2),
                lan_carrier: flag(3),
                gateway: flag(4),
                isolated: flag(5),
                precedes: flag(6),
                outranks: flag(7),
                ready: flag(8),
                lan_ready: flag(9),
                clear: flag(10),
                silence_over: flag(11),
                one_way_over: flag(12),
                gone: flag(13),
            }
        })
    })
}

#[test]
fn every_possible_view_is_decided_as_the_safety_document_says() {
    let table = table();
    let mut checked = 0_u32;
    let mut used = std::collections::BTreeSet::new();
    // Rendering the decision for every view would take most of the time.
    let mut names = std::collections::BTreeMap::<String, Decision>::new();
    for view in all_views() {
        let decision = decide(&view);
        let wanted = expected(&table, &view);
        let known = names.entry(wanted.to_string()).or_insert(decision);
        if *known != decision || !used.contains(wanted) {
            assert_eq!(std::format!("{decision:?}"), wanted, "{view:?}");
            used.insert(wanted.to_string());
        }
        checked += 1;
    }
    assert_eq!(checked, 6 * 3 * 6 * 5 * (1 << FLAGS));
    std::println!("{checked} views checked against {} rows", table.len());
}

#[test]
fn a_claim_is_never_taken_back_by_the_next_decision_on_the_same_facts() {
    for view in all_views() {
        if matches!(decide(&view), Decision::Claim(_)) {
            let claiming = View { role: Role::Claiming, ..view };
            assert_eq!(decide(&claiming), Decision::Remain, "{view:?}");
            let active = View { role: Role::Active, ..view };
            assert_eq!(decide(&active), Decision::Remain, "{view:?}");
        }
    }
}
