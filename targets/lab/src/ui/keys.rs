//! The keys. A small letter is for A, its capital for B.

use crate::network::Cut;
use crate::operations::{KEY_FXO_PORT, Lab};
use crate::plan::{Node, Port};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The keys as the picture shows them.
pub(super) const HELP: [&str; 3] = [
    "k/K kill A/B   f/F freeze A/B   p/P power A/B   l/L LAN port A/B",
    "x/X FXO1 A/B   c cable   g gateway   (each again: undo)   s force switch",
    "d restart dead daemons   r restore everything   q quit",
];

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Kill a daemon.
    Kill(Node),
    /// Freeze a daemon, or thaw it.
    Freeze(Node),
    /// Take the power from a node, or give it back.
    Power(Node),
    /// Cut a LAN port, or restore it.
    LanPort(Node),
    /// Kill an FXO port, or repair it.
    Fxo(Node),
    /// Pull the cable, or restore it.
    Cable,
    /// Stop the gateway, or start it.
    Gateway,
    /// Force switch.
    Switch,
    /// Restart the daemons that do not run.
    Restart,
    /// Restore everything.
    Restore,
    /// Leave.
    Quit,
}

/// The action of a key.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.kind != KeyEventKind::Press {
        return None;
    }
    let KeyCode::Char(letter) = key.code else { return None };
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (letter == 'c').then_some(Action::Quit);
    }
    let node = if letter.is_ascii_uppercase() { Node::B } else { Node::A };
    match letter {
        'k' | 'K' => Some(Action::Kill(node)),
        'f' | 'F' => Some(Action::Freeze(node)),
        'p' | 'P' => Some(Action::Power(node)),
        'l' | 'L' => Some(Action::LanPort(node)),
        'x' | 'X' => Some(Action::Fxo(node)),
        'c' => Some(Action::Cable),
        'g' => Some(Action::Gateway),
        's' => Some(Action::Switch),
        'd' => Some(Action::Restart),
        'r' => Some(Action::Restore),
        'q' => Some(Action::Quit),
        _ => None,
    }
}

/// Does it.
pub(super) fn perform(action: Action, lab: &mut Lab) -> Result<(), String> {
    let done = match action {
        Action::Kill(node) => lab.kill(node),
        Action::Freeze(node) if lab.is_frozen(node) => lab.thaw(node),
        Action::Freeze(node) => lab.freeze(node),
        Action::Power(node) if lab.is_powered(node) => lab.power_off(node),
        Action::Power(node) => lab.power_on(node),
        Action::LanPort(node) if lab.is_cut(Port::lan(node)) => lab.mend(Port::lan(node)),
        Action::LanPort(node) => lab.cut(Port::lan(node), Cut::Carrier),
        Action::Fxo(node) if lab.fxo_is_dead(node, KEY_FXO_PORT) => lab.set_fxo(node, KEY_FXO_PORT, "ok"),
        Action::Fxo(node) => lab.set_fxo(node, KEY_FXO_PORT, "dead"),
        Action::Cable if lab.is_cut(Port::cable(Node::A)) => lab.restore_cable(),
        Action::Cable => lab.pull_cable(),
        Action::Gateway => lab.set_gateway(!lab.gateway_is_on()),
        Action::Switch => return switch(lab),
        Action::Restart => restart(lab),
        Action::Restore => lab.restore(),
        Action::Quit => Ok(()),
    };
    done.map_err(|error| error.to_string())
}

/// The command goes to the active; where there is none, A says why it is refused.
fn switch(lab: &mut Lab) -> Result<(), String> {
    let is_active = |node: &Node| lab.status(*node).is_some_and(|status| status.role == "Active");
    let active = Node::ALL.into_iter().find(is_active).unwrap_or(Node::A);
    lab.force_switch(active)
}

fn restart(lab: &mut Lab) -> std::io::Result<()> {
    for node in Node::ALL {
        if lab.is_powered(node) && !lab.is_running(node) {
            lab.start(node)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(letter: char) -> Option<Action> {
        action(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE))
    }

    #[test]
    fn a_small_letter_is_for_a_and_its_capital_for_b() {
        assert_eq!(press('k'), Some(Action::Kill(Node::A)));
        assert_eq!(press('K'), Some(Action::Kill(Node::B)));
        assert_eq!(press('X'), Some(Action::Fxo(Node::B)));
        assert_eq!(press('C'), None, "there is one cable");
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(ctrl_c), Some(Action::Quit));
    }
}
