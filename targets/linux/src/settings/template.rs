//! The text that a server gets: JSON of the operator's making, with variables.

use crate::text::repeated;

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    Action,
    Mac,
    Content,
}

impl Variable {
    const ALL: [(&'static str, Self); 3] = [("ACTION", Self::Action), ("MAC", Self::Mac), ("CONTENT", Self::Content)];
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

/// A text with `${ACTION}`, `${MAC}` and `${CONTENT}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

/// What the variables stand for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    /// `Generate Alert`, `Restore to normal` or `Role change`.
    pub(crate) action: &'a str,
    /// MAC of the station, in lower-case hex.
    pub(crate) mac: &'a str,
    /// What happened.
    pub(crate) content: &'a str,
}

impl Template {
    /// Takes a text apart; an error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                return Err("has a \"${\" without its \"}\"".to_owned());
            };
            let Some((_, variable)) = Variable::ALL.into_iter().find(|(known, _)| *known == name) else {
                let known = Variable::ALL.map(|(known, _)| format!("${{{known}}}")).join(", ");
                return Err(format!("has the unknown variable ${{{}}}; there are {known}", repeated(name)));
            };
            parts.extend([Part::Text(before.to_owned()), Part::Variable(variable)]);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The text, with values that stand inside JSON strings.
    pub(crate) fn fill(&self, values: Values<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(Variable::Action) => escaped(values.action),
            Part::Variable(Variable::Mac) => escaped(values.mac),
            Part::Variable(Variable::Content) => escaped(values.content),
        };
        self.0.iter().map(part).collect()
    }
}

/// As it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'static> =
        Values { action: "Generate Alert", mac: "c074ad537372", content: "a \"quoted\" ${MAC} \\ \n tab\t" };

    #[test]
    fn every_variable_is_filled_in_as_part_of_a_json_string() {
        let text = r#"{"action":"${ACTION}","mac":"${MAC}","content":"${CONTENT}","price":"$5 {}"}"#;
        let filled = Template::parse(text).unwrap().fill(VALUES);
        let json: serde_json::Value = serde_json::from_str(&filled).unwrap();
        assert_eq!(json["action"], VALUES.action);
        assert_eq!(json["mac"], VALUES.mac);
        assert_eq!(json["content"], VALUES.content, "what a value contains is no variable");
        assert_eq!(json["price"], "$5 {}");
    }

    #[test]
    fn a_text_without_variables_stays_as_it_is() {
        for text in ["", "hello", "}", "$", "{$}"] {
            assert_eq!(Template::parse(text).unwrap().fill(VALUES), text);
        }
    }

    #[test]
    fn an_unknown_variable_is_named() {
        assert_eq!(
            Template::parse("${MAC} ${WARNING}").unwrap_err(),
            "has the unknown variable ${WARNING}; there are ${ACTION}, ${MAC}, ${CONTENT}"
        );
        assert_eq!(Template::parse("${MAC").unwrap_err(), "has a \"${\" without its \"}\"");
    }
}
