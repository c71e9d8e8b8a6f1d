//! The forms of the guide. Times are local, by the time zone of this machine as it is when they are shown.

use super::record::{Record, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::time::SystemTime;
use ucm_ha::types::MacAddr;

/// Name of every system alert event.
const ALERT_NAME: &str = "HA failure warning";
/// Name of a role change.
const ROLE_NAME: &str = "HA failover";
/// Type of a role change.
const ROLE_TYPE: &str = "Role change";
/// As the guide has times.
const PLAIN: &str = "%Y-%m-%d %H:%M:%S";
/// The same with ms.
const PLAIN_MS: &str = "%Y-%m-%d %H:%M:%S%.3f";
/// With ms and offset.
const RFC_3339: &str = "%Y-%m-%dT%H:%M:%S%.3f%:z";
/// Stands where a station's MAC is not known.
const UNKNOWN_MAC: &str = "unknown";

/// A MAC address as the guide's events have it: lower-case hex without colons.
pub(crate) fn mac(mac: MacAddr) -> String {
    mac.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The address that [`mac`] has written.
pub(super) fn parse_mac(hex: &str) -> Option<MacAddr> {
    let number = u64::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 12)?;
    let [_, _, bytes @ ..] = number.to_be_bytes();
    Some(MacAddr(bytes))
}

/// The words of an event, and what it says beside them.
pub(super) fn text(words: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| words.to_owned(), |detail| format!("{words}: {detail}"))
}

/// The two that [`text`] has put together.
pub(super) fn parts_of(text: &str) -> (&str, Option<&str>) {
    text.split_once(": ").map_or((text, None), |(words, detail)| (words, Some(detail)))
}

fn local(record: &Record, form: &str) -> String {
    shown(Timestamp::from_millisecond(record.unix_ms).unwrap_or(Timestamp::UNIX_EPOCH), form)
}

fn shown(time: Timestamp, form: &str) -> String {
    time.to_zoned_datetime(TimeZone::system()).strftime(form).to_string()
}

/// As in the guide's list of events.
fn plain_time(record: &Record) -> String {
    local(record, PLAIN)
}

/// A moment as in the guide's list of events.
pub(crate) fn shown_time(time: SystemTime) -> String {
    shown(Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH), PLAIN)
}

/// The same with ms.
pub(crate) fn shown_time_ms(time: SystemTime) -> String {
    shown(Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH), PLAIN_MS)
}

/// A system alert event. A role change takes the same form for those who are told of both.
#[derive(Debug, Serialize)]
pub(crate) struct Event<'a> {
    id: u64,
    /// RFC 3339 with ms and offset.
    time: String,
    monotonic_ms: u64,
    name: &'static str,
    r#type: &'static str,
    mac: Option<&'a str>,
    cause: &'a str,
    content: String,
}

impl<'a> Event<'a> {
    /// The event of a record that is one.
    pub(crate) fn of(record: &'a Record) -> Option<Self> {
        let What::Alert { cause, text, raised, mac } = &record.what else { return None };
        let (r#type, text) =
            if *raised { ("Generate Alert", &**text) } else { ("Restore to normal", "has recovered from failure") };
        let shown_mac = mac.as_deref().unwrap_or(UNKNOWN_MAC);
        Some(Self {
            id: record.id,
            time: local(record, RFC_3339),
            monotonic_ms: record.monotonic_ms,
            name: ALERT_NAME,
            r#type,
            mac: mac.as_deref(),
            cause,
            content: format!("MAC : {shown_mac} -- {cause} {} {text}", plain_time(record)),
        })
    }

    /// A role change in the same form.
    fn of_role(record: &'a Record) -> Option<Self> {
        let What::Role { reason, mac, .. } = &record.what else { return None };
        Some(Self {
            id: record.id,
            time: local(record, RFC_3339),
            monotonic_ms: record.monotonic_ms,
            name: ROLE_NAME,
            r#type: ROLE_TYPE,
            mac: Some(mac),
            cause: reason,
            content: log_text(&record.what)?,
        })
    }

    /// `TIME<TAB>EVENT NAME<TAB>TYPE<TAB>CONTENT`, where `record` is the event's.
    pub(crate) fn line(&self, record: &Record) -> String {
        format!("{}\t{}\t{}\t{}", plain_time(record), self.name, self.r#type, self.content)
    }
}

/// An event as those get it who are told of it.
#[derive(Debug)]
pub(crate) struct Notice {
    kind: &'static str,
    name: String,
    action: &'static str,
    mac: String,
    content: String,
    json: String,
}

/// What a program reads.
#[derive(Serialize)]
struct Told<'a> {
    kind: &'static str,
    #[serde(flatten)]
    event: &'a Event<'a>,
    #[serde(flatten)]
    role: Option<RoleChange<'a>>,
}

#[derive(Serialize)]
struct RoleChange<'a> {
    from: &'a str,
    to: &'a str,
    term: u32,
}

impl Notice {
    /// The notice of a record; `None` for what nobody is told of.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let (kind, name, role, event) = match &record.what {
            What::Alert { cause, .. } => ("alert", cause, None, Event::of(record)?),
            What::Role { from, to, term, .. } => {
                ("role", to, Some(RoleChange { from, to, term: *term }), Event::of_role(record)?)
            }
            What::Backup { .. } | What::Cleared => return None,
        };
        let json = serde_json::to_string(&Told { kind, event: &event, role }).ok()? + "\n";
        let mac = event.mac.unwrap_or(UNKNOWN_MAC).to_owned();
        Some(Self { kind, name: name.clone(), action: event.r#type, mac, content: event.content, json })
    }

    /// `alert` or `role`.
    pub(crate) fn kind(&self) -> &str {
        self.kind
    }

    /// The cause of an alert, or the new role.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The type of the event.
    pub(crate) fn action(&self) -> &str {
        self.action
    }

    /// The station's MAC in lower-case hex.
    pub(crate) fn mac(&self) -> &str {
        &self.mac
    }

    /// What happened.
    pub(crate) fn content(&self) -> &str {
        &self.content
    }

    /// Everything, on one line.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }
}

/// A line of the failover log or the backup log. `None` for what has no place there.
pub(crate) fn log_line(record: &Record) -> Option<String> {
    Some(format!("[{}] {}", local(record, "%Y-%m-%d %I:%M:%S %p"), log_text(&record.what)?))
}

fn log_text(what: &What) -> Option<String> {
    match what {
        What::Role { from, to, reason, .. } => Some(format!("HA failover: {from} -> {to} ({reason})")),
        What::Backup { success: true } => Some("HA backup success!!".to_owned()),
        What::Backup { success: false } => Some("HA backup failed!!".to_owned()),
        What::Alert { .. } | What::Cleared => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::alert;
    use super::*;

    /// The time part, which depends on the machine's time zone, has these digits in any.
    fn is_form(text: &str, form: &str) -> bool {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(is, must)| match must {
                b'0' => is.is_ascii_digit(),
                _ => is == must,
            })
    }

    #[test]
    fn what_is_put_together_is_taken_apart() {
        assert_eq!(parts_of(&text("words", Some("detail: more"))), ("words", Some("detail: more")));
        assert_eq!(parts_of(&text("words", None)), ("words", None));
        let address = MacAddr([0, 0x74, 0xad, 0x53, 0x73, 0x72]);
        assert_eq!(parse_mac(&mac(address)), Some(address));
        assert_eq!(["", "c074ad53737", "c0:74:ad:53:73", "c074ad53737x"].map(parse_mac), [None; 4]);
    }

    #[test]
    fn an_alert_has_the_form_of_the_guide() {
        let record = alert(1);
        let line = Event::of(&record).unwrap().line(&record);
        let (time, rest) = line.split_once('\t').unwrap();
        assert!(is_form(time, "0000-00-00 00:00:00"), "{line}");
        assert_eq!(
            rest,
            format!("HA failure warning\tGenerate Alert\tMAC : c074ad537372 -- HEARTBEAT {time} loose connection")
        );
    }

    #[test]
    fn its_end_has_the_form_of_the_guide() {
        let mut record = alert(1);
        let What::Alert { raised, .. } = &mut record.what else { unreachable!() };
        *raised = false;
        let line = Event::of(&record).unwrap().line(&record);
        let time = &line[..19];
        assert_eq!(
            line[19..],
            format!(
                "\tHA failure warning\tRestore to normal\tMAC : c074ad537372 -- HEARTBEAT {time} has recovered from failure"
            )
        );
    }

    #[test]
    fn a_station_nobody_ever_heard_is_unknown() {
        let mut record = alert(1);
        let What::Alert { mac, .. } = &mut record.what else { unreachable!() };
        *mac = None;
        let event = Event::of(&record).unwrap();
        assert!(event.content.starts_with("MAC : unknown -- HEARTBEAT "), "{event:?}");
        assert_eq!(event.mac, None);
    }

    #[test]
    fn the_json_event_has_the_fields_of_the_contract_in_their_order() {
        let record = alert(5);
        let event = Event::of(&record).unwrap();
        assert!(is_form(&event.time[..23], "0000-00-00T00:00:00.000"), "{event:?}");
        let json = serde_json::to_string(&event).unwrap();
        let fields: Vec<&str> = json.split('"').skip(1).step_by(2).collect();
        let names = ["id", "time", "monotonic_ms", "name", "type", "mac", "cause", "content"];
        let found: Vec<&&str> = fields.iter().filter(|field| names.contains(field)).collect();
        assert_eq!(found, names.iter().collect::<Vec<_>>(), "{json}");
    }

    #[test]
    fn who_is_told_of_a_role_change_gets_both_roles() {
        let what = What::Role {
            from: "Standby".to_owned(),
            to: "Active".to_owned(),
            reason: "forced switch".to_owned(),
            term: 7,
            mac: "c074ad537372".to_owned(),
        };
        let notice = Notice::of(&Record { what, ..alert(4) }).unwrap();
        assert_eq!((notice.kind(), notice.name(), notice.action()), ("role", "Active", "Role change"));
        let json: serde_json::Value = serde_json::from_str(notice.json()).unwrap();
        assert_eq!(json["content"], "HA failover: Standby -> Active (forced switch)");
        assert_eq!((&json["from"], &json["to"], &json["term"]), (&"Standby".into(), &"Active".into(), &7.into()));
        assert_eq!((&json["id"], &json["mac"], &json["kind"]), (&4.into(), &"c074ad537372".into(), &"role".into()));
    }

    #[test]
    fn who_is_told_of_an_alert_gets_the_event() {
        let record = alert(4);
        let notice = Notice::of(&record).unwrap();
        assert_eq!((notice.kind(), notice.name(), notice.mac()), ("alert", "HEARTBEAT", "c074ad537372"));
        let event = serde_json::to_value(Event::of(&record).unwrap()).unwrap();
        let mut told: serde_json::Value = serde_json::from_str(notice.json()).unwrap();
        assert_eq!(told.as_object_mut().unwrap().remove("kind"), Some("alert".into()));
        assert_eq!(told, event, "nothing more and nothing less");
        assert!(notice.json().ends_with("}\n"));
    }

    #[test]
    fn the_logs_have_the_form_of_the_guide() {
        let what = |what| log_line(&Record { what, ..alert(1) });
        let role = What::Role {
            from: "Standby".to_owned(),
            to: "Active".to_owned(),
            reason: "peer silent for 7 s".to_owned(),
            term: 2,
            mac: "c074ad537372".to_owned(),
        };
        let line = what(role).unwrap();
        let (time, text) = line.split_at(25);
        let noon = time.replace("PM", "AM");
        assert!(is_form(&noon, "[0000-00-00 00:00:00 AM] "), "{line}");
        assert_eq!(text, "HA failover: Standby -> Active (peer silent for 7 s)");
        assert!(what(What::Backup { success: true }).unwrap().ends_with("M] HA backup success!!"));
        assert!(what(What::Backup { success: false }).unwrap().ends_with("M] HA backup failed!!"));
        assert_eq!(what(What::Cleared), None);
    }
}
