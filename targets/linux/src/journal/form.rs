//! The forms of the guide. Times are local, by the time zone of this machine as it is when they are shown.

use super::record::{Record, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use ucm_ha::config::MacAddr;

/// Name of every system alert event.
const ALERT_NAME: &str = "HA failure warning";
/// Stands where a station's MAC is not known.
const UNKNOWN_MAC: &str = "unknown";

/// A MAC address as the guide's events have it: lower-case hex without colons.
pub(super) fn mac(mac: MacAddr) -> String {
    mac.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn local(record: &Record, form: &str) -> String {
    let time = Timestamp::from_millisecond(record.unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned_datetime(TimeZone::system()).strftime(form).to_string()
}

/// As in the guide's list of events.
fn plain_time(record: &Record) -> String {
    local(record, "%Y-%m-%d %H:%M:%S")
}

/// A system alert event, or a role change as a notification has it.
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
    pub(super) fn of(record: &'a Record) -> Option<Self> {
        let What::Alert { cause, text, raised, mac } = &record.what else { return None };
        let (r#type, text) =
            if *raised { ("Generate Alert", &**text) } else { ("Restore to normal", "has recovered from failure") };
        let shown_mac = mac.as_deref().unwrap_or(UNKNOWN_MAC);
        Some(Self {
            id: record.id,
            time: local(record, "%Y-%m-%dT%H:%M:%S%.3f%:z"),
            monotonic_ms: record.monotonic_ms,
            name: ALERT_NAME,
            r#type,
            mac: mac.as_deref(),
            cause,
            content: format!("MAC : {shown_mac} -- {cause} {} {text}", plain_time(record)),
        })
    }

    /// `TIME<TAB>EVENT NAME<TAB>TYPE<TAB>CONTENT`, where `record` is the event's.
    pub(super) fn line(&self, record: &Record) -> String {
        format!("{}\t{}\t{}\t{}", plain_time(record), self.name, self.r#type, self.content)
    }
}

/// A line of the failover log or the backup log. `None` for what has no place there.
pub(super) fn log_line(record: &Record) -> Option<String> {
    let text = match &record.what {
        What::Role { from, to, reason, .. } => format!("HA failover: {from} -> {to} ({reason})"),
        What::Backup { success: true } => "HA backup success!!".to_owned(),
        What::Backup { success: false } => "HA backup failed!!".to_owned(),
        What::Alert { .. } | What::Cleared => return None,
    };
    Some(format!("[{}] {text}", local(record, "%Y-%m-%d %I:%M:%S %p")))
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
