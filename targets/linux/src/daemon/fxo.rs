//! What the FXO ports show, told to the node and to the operator.

use super::part::Part;
use super::running::Daemon;
use super::token;
use crate::clock;
use crate::fxo::{News, Watch};
use ucm_ha::{Input, Instant};
use ucm_ha_control::status::FxoPort;

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.fxo.as_ref().map_or(Instant::NEVER, Watch::deadline),
    wake: |daemon, token| {
        if token == token::WAKER {
            daemon.take_fxo_news();
        }
    },
    tend: |daemon, now| {
        if daemon.fxo.as_ref().is_some_and(|fxo| fxo.deadline() <= now) {
            daemon.take_fxo_news();
        }
    },
};

impl Daemon {
    /// Takes what the thread that looks at the ports has found.
    fn take_fxo_news(&mut self) {
        let news = self.fxo.as_mut().map_or_else(Vec::new, |fxo| fxo.news(clock::now()));
        for news in news {
            match news {
                News::Fault { faults, raised } => {
                    for (name, _) in faults.iter_names() {
                        match &raised {
                            Some(cause) => log::warn!("{name}: {cause}"),
                            None => log::info!("{name}: works again"),
                        }
                    }
                    self.feed(Input::Fault { faults, raised: raised.is_some() });
                }
                News::Known(faults) => self.feed(Input::FaultUnknown { faults, unknown: false }),
                News::Notice { faults, notice, raised } => {
                    faults.iter_names().for_each(|(name, _)| self.tell_condition(name, notice, raised));
                }
            }
        }
    }

    /// Tells a new node what is known of the ports.
    pub(super) fn tell_fxo_state(&mut self) {
        let Some(fxo) = &self.fxo else { return };
        let (raised, unknown) = (fxo.standing(), fxo.unknown());
        self.feed(Input::Fault { faults: raised, raised: true });
        self.feed(Input::FaultUnknown { faults: unknown, unknown: true });
    }

    /// The ports as the status shows them; none where they are not watched.
    pub(super) fn fxo_ports(&self) -> Vec<FxoPort> {
        self.fxo.as_ref().map_or_else(Vec::new, Watch::ports)
    }
}
