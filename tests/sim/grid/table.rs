//! The tables of faults and outcomes, read from `docs/safety.md`.
//!
//! A cell says who serves while the faults last: `active` (the old one), `standby`, `nobody`, or several with `or`. Behind
//! `≤` stands the longest gap, in ms or as `T + 1 %`. `two` allows two actives, where S2's formula holds as well.

use super::cell::{Cell, Column, Outcome, Serves};
use super::kinds::variants;
use crate::sim::{A, MS, SEC, Us};
use std::collections::BTreeSet;

const SAFETY: &str = include_str!("../../../docs/safety.md");
/// The address add and the timers of the simulated adapter come on top of a promise about the node.
const ADAPTER_US: Us = 10 * MS;

/// What a cell of a table allows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    serves: Vec<Serves>,
    two_actives: bool,
    gap: Option<Gap>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    Ms(u64),
    Timeout,
}

/// A row: the faults it names on either side, and what each column allows.
struct Row {
    names: [Vec<String>; 2],
    allowed: [Allowed; 3],
}

/// Both tables.
pub(super) struct Tables {
    singles: Vec<Row>,
    pairs: Vec<Row>,
}

impl Allowed {
    fn parse(cell: &str) -> Self {
        let (who, gap) = cell.split_once('≤').unwrap_or((cell, ""));
        let (who, two) = who.trim().strip_suffix(", two").map_or((who.trim(), false), |who| (who, true));
        let serves = who.split(" or ").map(|word| match word.trim() {
            "active" => Serves::Active,
            "standby" => Serves::Standby,
            "nobody" => Serves::Nobody,
            other => panic!("docs/safety.md: '{other}' is not who may serve"),
        });
        let gap = match gap.trim() {
            "" => (who == "active").then_some(Gap::None),
            "T + 1 %" => Some(Gap::Timeout),
            ms => Some(Gap::Ms(ms.parse().unwrap_or_else(|_| panic!("docs/safety.md: '{ms}' is not a gap")))),
        };
        Self { serves: serves.collect(), two_actives: two, gap }
    }

    /// Two faults of which neither is changed by the other: who has nobody to serve hands over or is taken over from.
    fn together(first: &Self, second: &Self) -> Self {
        let says = |who| first.serves.contains(&who) || second.serves.contains(&who);
        let serves = match (says(Serves::Standby), says(Serves::Nobody)) {
            (true, _) => Serves::Standby,
            (false, true) => Serves::Nobody,
            (false, false) => Serves::Active,
        };
        Self { serves: vec![serves], two_actives: false, gap: None }
    }
}

fn rows(marker: &str, names: usize) -> Vec<Row> {
    let body = SAFETY.split(marker).nth(1).expect("the document has the table");
    let lines = body.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let list = |cell: &str| cell.split(" / ").map(|name| name.trim().to_owned()).collect();
            let name = |index: usize| if index < names { list(cells[index]) } else { Vec::new() };
            let allowed = core::array::from_fn(|column| Allowed::parse(cells[names + column]));
            Row { names: [name(0), name(1)], allowed }
        })
        .collect()
}

impl Tables {
    pub(super) fn read() -> Self {
        Self { singles: rows("<!-- single faults -->", 1), pairs: rows("<!-- double faults -->", 2) }
    }

    fn single(&self, name: &str, column: Column) -> &Allowed {
        let row = self.singles.iter().find(|row| row.names[0].iter().any(|other| other == name));
        &row.unwrap_or_else(|| panic!("docs/safety.md has no row '{name}'")).allowed[column as usize]
    }

    fn allowed(&self, names: &[&str], column: Column) -> Allowed {
        let &[first, second] = names else { return self.single(names[0], column).clone() };
        let has = |names: &[String], name: &str| names.iter().any(|other| other == name);
        let row = self.pairs.iter().find(|Row { names: [one, other], .. }| {
            (has(one, first) && has(other, second)) || (has(one, second) && has(other, first))
        });
        match row {
            Some(row) => row.allowed[column as usize].clone(),
            None => Allowed::together(self.single(first, column), self.single(second, column)),
        }
    }

    /// Compares what came of a cell with what the document says of its faults.
    pub(super) fn check(&self, cell: &Cell, names: &[&str], outcome: &Outcome) -> Result<(), String> {
        let allowed = self.allowed(names, cell.column);
        if outcome.two_actives && !allowed.two_actives {
            return Err(format!("two actives ({:?})", cell.column));
        }
        if let Some(serves) = outcome.serves.filter(|serves| !allowed.serves.contains(serves)) {
            return Err(format!("{serves:?} serves ({:?}), allowed is {:?}", cell.column, allowed.serves));
        }
        let limit = match allowed.gap {
            Some(Gap::None) => 0,
            Some(Gap::Ms(ms)) => ms * MS,
            Some(Gap::Timeout) => Us::from(cell.timeout_s) * SEC * 101 / 100 + ADAPTER_US,
            None => Us::MAX,
        };
        if names.len() == 1 && outcome.gap_us > limit {
            return Err(format!("a gap of {} us ({:?})", outcome.gap_us, cell.column));
        }
        Ok(())
    }
}

#[test]
fn the_tables_name_exactly_the_faults_of_the_grid() {
    let tables = Tables::read();
    let tried: BTreeSet<String> = variants(A).into_iter().map(|variant| variant.row.to_owned()).collect();
    let named: BTreeSet<String> = tables.singles.iter().flat_map(|row| row.names[0].clone()).collect();
    assert_eq!(tried, named);
    let paired: BTreeSet<String> = tables.pairs.iter().flat_map(|row| row.names.concat()).collect();
    assert!(paired.is_subset(&named), "{:?}", paired.difference(&named));
    println!("{} rows of single faults, {} of double faults", tables.singles.len(), tables.pairs.len());
}

#[test]
fn a_cell_of_a_table_is_read_as_it_is_written() {
    let read = Allowed::parse("standby or nobody, two ≤ 500");
    assert_eq!(read.serves, [Serves::Standby, Serves::Nobody]);
    assert!(read.two_actives && read.gap == Some(Gap::Ms(500)));
    assert_eq!(Allowed::parse("active").gap, Some(Gap::None));
    assert_eq!(Allowed::parse("standby ≤ T + 1 %").gap, Some(Gap::Timeout));
}
