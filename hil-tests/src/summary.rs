//! What many plays of the same scenarios came to.

use crate::course::Figure;
use std::collections::BTreeMap;
use std::fmt;

/// The plays of each scenario, in the order in which the scenarios were first played.
#[derive(Default)]
pub(crate) struct Summary {
    scenarios: Vec<Line>,
}

struct Line {
    name: &'static str,
    played: usize,
    passed: usize,
    figures: BTreeMap<(&'static str, &'static str), Vec<f64>>,
}

impl Summary {
    /// Adds a play; `figures` are those of one that passed.
    pub(crate) fn add(&mut self, name: &'static str, figures: Option<&[Figure]>) {
        let known = self.scenarios.iter().position(|line| line.name == name);
        let place = known.unwrap_or_else(|| {
            self.scenarios.push(Line { name, played: 0, passed: 0, figures: BTreeMap::new() });
            self.scenarios.len() - 1
        });
        let Some(line) = self.scenarios.get_mut(place) else { return };
        line.played += 1;
        line.passed += usize::from(figures.is_some());
        for figure in figures.into_iter().flatten() {
            line.figures.entry((figure.name, figure.unit)).or_default().push(figure.value);
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { name, played, passed, figures } in &self.scenarios {
            write!(f, "{name:<20}{passed} of {played}")?;
            for ((figure, unit), values) in figures {
                let mut values = values.clone();
                values.sort_by(f64::total_cmp);
                if let (Some(least), Some(median), Some(most)) =
                    (values.first(), values.get(values.len() / 2), values.last())
                {
                    write!(f, ", {figure} {least:.0} / {median:.0} / {most:.0} {unit}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_least_median_and_most() {
        let mut summary = Summary::default();
        for value in [640.0, 700.0, 610.0] {
            summary.add("power-cut-active", Some(&[Figure { name: "gap", value, unit: "ms" }]));
        }
        summary.add("power-cut-active", None);
        summary.add("cable-pull", None);
        let expected = "power-cut-active    3 of 4, gap 610 / 640 / 700 ms\ncable-pull          0 of 1\n";
        assert_eq!(summary.to_string(), expected);
    }
}
