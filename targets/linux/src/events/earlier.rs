//! The alerts that stood when an earlier run of the daemon ended, by its log.

use super::form;
use super::record::{Record, What};
use std::time::SystemTime;
use ucm_ha::types::MacAddr;

/// An alert that was raised and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Earlier {
    pub(super) cause: String,
    pub(super) text: String,
    /// What the event said beside the words.
    pub(super) detail: Option<String>,
    pub(super) mac: Option<MacAddr>,
    pub(super) since: SystemTime,
}

/// Those of a log whose records come by rising number.
pub(super) fn standing(records: &[Record]) -> Vec<Earlier> {
    let mut standing: Vec<Earlier> = Vec::new();
    for record in records {
        match &record.what {
            What::Alert { cause, text, raised, mac } => {
                let (text, detail) = form::parts_of(text);
                let is_same = |held: &Earlier| held.cause == *cause && held.text == text;
                match raised {
                    false => standing.retain(|held| !is_same(held)),
                    // Of one that each start raised again the first counts.
                    true if standing.iter().any(is_same) => {}
                    true => standing.push(Earlier {
                        cause: cause.clone(),
                        text: text.to_owned(),
                        detail: detail.map(str::to_owned),
                        mac: mac.as_deref().and_then(form::parse_mac),
                        since: record.time(),
                    }),
                }
            }
            // Whoever cleans the log knows what stood there.
            What::Cleared => standing.clear(),
            What::Role { .. } | What::Backup { .. } => {}
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::alert;
    use super::*;

    fn record(id: u64, cause: &str, text: &str, raised: bool) -> Record {
        let mac = Some("c074ad53736c".to_owned());
        Record { what: What::Alert { cause: cause.to_owned(), text: text.to_owned(), raised, mac }, ..alert(id) }
    }

    #[test]
    fn what_was_raised_and_not_ended_stands_since_it_was_raised_first() {
        let mut records = vec![
            record(1, "HEARTBEAT", "loose connection", true),
            record(
                2,
                "CLUSTER IP",
                "differs from the peer's: cluster_ip is 10.0.0.1 here and 10.0.0.2 at the peer",
                true,
            ),
            record(3, "HEARTBEAT", "loose connection", false),
            record(4, "SETTINGS", "differ from the peer's", true),
            record(5, "SETTINGS", "differ from the peer's", true),
            record(6, "CLUSTER IP", "cannot be bound", false),
        ];
        let stood = standing(&records);
        let told: Vec<_> = stood.iter().map(|held| (&*held.cause, &*held.text, held.since)).collect();
        assert_eq!(
            told,
            [
                ("CLUSTER IP", "differs from the peer's", records[1].time()),
                ("SETTINGS", "differ from the peer's", records[3].time())
            ]
        );
        assert_eq!(stood[0].detail.as_deref(), Some("cluster_ip is 10.0.0.1 here and 10.0.0.2 at the peer"));
        assert_eq!(stood[1].mac, Some(MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6c])));
        records.push(record(7, "CLUSTER IP", "differs from the peer's", false));
        assert_eq!(standing(&records).len(), 1);
        records.push(Record { what: What::Cleared, ..alert(8) });
        assert_eq!(standing(&records), []);
    }
}
