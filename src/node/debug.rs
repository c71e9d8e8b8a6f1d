//! What a node knows, for people and for tools that compare nodes. The key is left out, and so is what says nothing of the
//! future: settings, which never change, and counters.

use super::Node;
use core::fmt::{Debug, Formatter, Result};

impl Debug for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // Named one by one, so that a new field must be thought about.
        let Self {
            config: _,
            auth: _,
            boot_id,
            digest: _,
            started,
            now: _,
            deadline,
            role,
            term,
            last_active,
            enable,
            maintenance,
            stop,
            peer,
            quiet,
            claim,
            elsewhere,
            rival,
            signal,
            offer,
            answer,
            address,
            probe,
            health,
            store,
            send,
            alert,
            sync,
            output,
            counters: _,
        } = self;
        f.debug_struct("Node")
            .field("boot_id", boot_id)
            .field("started", started)
            .field("deadline", deadline)
            .field("role", role)
            .field("term", term)
            .field("last_active", last_active)
            .field("enable", enable)
            .field("maintenance", maintenance)
            .field("stop", stop)
            .field("peer", peer)
            .field("quiet", quiet)
            .field("claim", claim)
            .field("elsewhere", elsewhere)
            .field("rival", rival)
            .field("signal", signal)
            .field("offer", offer)
            .field("answer", answer)
            .field("address", address)
            .field("probe", probe)
            .field("health", health)
            .field("store", store)
            .field("send", send)
            .field("alert", alert)
            .field("sync", sync)
            .field("output", output)
            .finish()
    }
}
