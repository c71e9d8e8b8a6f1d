//! The C interface, called as C might call it: in any order, with pointers, lengths and numbers right and wrong.
//!
//! What must hold: a call succeeds if and only if nothing is wrong with it, and else gives the code of something that is; a
//! call that fails has written nothing, neither to an output nor to the storage; what is beside an output is left alone; the
//! node does what the same node does in Rust.
//!
//! | file | concept |
//! |---|---|
//! | `place` | memory of the caller's, painted, and pointers into it |
//! | `node` | the node, and its double in Rust |
//! | `same` | effects and settings in both languages |
//! | `fxo`, `services`, `mailbox` | the other storage |
//! | `texts` | what needs no storage |

mod fxo;
mod mailbox;
mod node;
mod place;
mod same;
mod services;
mod texts;

use crate::script::Script;
use crate::settings;
use ucm_ha::capi::UCM_HA_ABI_VERSION;

/// All storage that a program may have.
pub struct Machine {
    node: node::Node,
    fxo: fxo::Fxo,
    services: services::Services,
    mailbox: mailbox::Mailbox,
    now_us: u64,
}

impl Machine {
    /// Storage of any content, then a node that runs.
    pub fn new(script: &mut Script<'_>) -> Self {
        let config = settings::config(script);
        let paint = script.byte();
        let now_us = 1_000_000;
        let mut node = node::Node::new(paint);
        node.init(config, now_us);
        Self {
            node,
            fxo: fxo::Fxo::new(paint),
            services: services::Services::new(paint),
            mailbox: mailbox::Mailbox::new(paint),
            now_us,
        }
    }

    /// The next call of the script.
    pub fn step(&mut self, script: &mut Script<'_>) {
        let [whom, wait] = script.array();
        self.now_us = match wait {
            0xff => u64::from_be_bytes(script.array()),
            _ => self.now_us.saturating_add(u64::from(wait).pow(2) * 100),
        };
        match whom % 16 {
            0 => texts::call(script),
            1..=2 => self.mailbox.call(script),
            3..=4 => self.services.call(self.now_us, script),
            5..=6 => self.fxo.call(self.now_us, script),
            _ => self.node.call(self.now_us, script),
        }
    }
}

/// A version of the interface, mostly the right one, and whether the library accepts it: the same major, the same minor or an
/// older one.
fn version(script: &mut Script<'_>) -> (u32, bool) {
    const MAJOR: u32 = UCM_HA_ABI_VERSION & 0xffff_0000;
    let version = match script.byte() {
        0 => u32::from_be_bytes(script.array()),
        1 => UCM_HA_ABI_VERSION + 1,
        2 => UCM_HA_ABI_VERSION + 0x1_0000,
        3 => MAJOR,
        _ => UCM_HA_ABI_VERSION,
    };
    (version, (MAJOR..=UCM_HA_ABI_VERSION).contains(&version))
}
