//! Draws a picture.

use super::keys::HELP;
use super::picture::{NodePicture, Picture};
use crate::gaps::Gap;
use crate::plan::{CLUSTER_IP, GATEWAY, Node, PHONE, Wire};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use std::time::Duration;
use ucm_ha_control::status::Peer;

const NODE_HEIGHT: u16 = 9;
const CABLE_WIDTH: u16 = 17;
const HELP_HEIGHT: u16 = HELP.len() as u16;
const LAN_HEIGHT: u16 = 3;
const PHONE_HEIGHT: u16 = 5;

/// Draws the whole picture.
pub(super) fn draw(frame: &mut Frame<'_>, picture: &Picture) {
    let rows = Layout::vertical([
        Constraint::Length(NODE_HEIGHT),
        Constraint::Length(LAN_HEIGHT),
        Constraint::Length(PHONE_HEIGHT),
        Constraint::Min(3),
        Constraint::Length(HELP_HEIGHT),
    ]);
    let [nodes, lan, phone, events, help] = rows.areas(frame.area());
    let columns = [Constraint::Fill(1), Constraint::Length(CABLE_WIDTH), Constraint::Fill(1)];
    let [left, middle, right] = Layout::horizontal(columns).areas(nodes);
    let [a, b] = &picture.nodes;
    draw_node(frame, left, a);
    draw_cable(frame, middle, a, b);
    draw_node(frame, right, b);
    draw_lan(frame, lan, picture);
    draw_phone(frame, phone, picture);
    draw_events(frame, events, &picture.events);
    frame.render_widget(Paragraph::new(HELP.map(Line::from).to_vec()).dim(), help);
}

fn draw_node(frame: &mut Frame<'_>, area: Rect, node: &NodePicture) {
    let status = node.status.as_ref();
    let (role, color) = match status.map(|status| status.role.as_str()) {
        _ if !node.powered => ("no power".to_owned(), Color::DarkGray),
        _ if node.frozen => ("frozen".to_owned(), Color::Cyan),
        _ if !node.running => ("daemon dead".to_owned(), Color::Red),
        None => ("no answer".to_owned(), Color::Red),
        Some("Active") => ("ACTIVE".to_owned(), Color::Green),
        Some(role) => (role.to_owned(), Color::Yellow),
    };
    let term = status.map_or_else(String::new, |status| format!("term {}, {}", status.term, status.ha_status));
    let raised = status.map_or_else(String::new, |status| {
        let raised = status.faults.iter().filter(|fault| fault.raised);
        raised.map(|fault| fault.name.as_str()).collect::<Vec<_>>().join(" ")
    });
    let heard = |heard: fn(&Peer) -> bool| match status.map(|status| heard(&status.peer)) {
        Some(true) => "heard".green(),
        Some(false) => "silent".red(),
        None => "-".into(),
    };
    let holds = if node.bound { Span::from(CLUSTER_IP.to_string()).green().bold() } else { "-".into() };
    let lines = vec![
        Line::from(Span::styled(role, Style::new().fg(color).bold())),
        Line::from(term),
        Line::from(format!("MAC         {}", node.node.mac(Wire::Lan))),
        Line::from(vec!["cluster IP  ".into(), holds]),
        Line::from(vec!["cable       ".into(), heard(|peer| peer.cable)]),
        Line::from(vec!["LAN         ".into(), heard(|peer| peer.lan)]),
        Line::from(vec!["faults      ".into(), raised.red()]),
    ];
    let title = format!(" {}  {} ", node.node, node.node.address().address);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

fn draw_cable(frame: &mut Frame<'_>, area: Rect, a: &NodePicture, b: &NodePicture) {
    let cut = a.cable_cut || b.cable_cut || !a.powered || !b.powered;
    let cable = if cut {
        "────── ╳ ──────".red()
    } else {
        "═══════════════".green()
    };
    let lines = vec![Line::default(), Line::default(), "heartbeat cable".into(), cable.into()];
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), area);
}

fn draw_lan(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let port = |node: &NodePicture| {
        let text = format!("{} ", node.node);
        if node.lan_cut || !node.powered { vec![text.into(), "✗".red()] } else { vec![text.into(), "✓".green()] }
    };
    let gateway = if picture.gateway_on { "✓".green() } else { "✗".red() };
    let [a, b] = &picture.nodes;
    let mut spans = port(a);
    spans.push("   ".into());
    spans.extend(port(b));
    spans.extend([format!("   gateway {} ", GATEWAY.address).into(), gateway]);
    frame.render_widget(Paragraph::new(Line::from(spans)).block(Block::bordered().title(" LAN ")), area);
}

fn draw_phone(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let served = match (picture.served_by, picture.silent_for) {
        (Some(node), _) => Line::from(vec!["served by ".into(), served_by(node).green().bold()]),
        (None, Some(silent)) => Line::from(format!("no answer for {}", milliseconds(silent)).red().bold()),
        (None, None) => Line::from("not served yet"),
    };
    let gap = |gap: Option<Gap>| gap.map_or_else(|| "-".to_owned(), |gap| milliseconds(gap.length()));
    let both_bound = format!("both nodes had the cluster IP for {}", milliseconds(picture.both_bound));
    let lines = vec![
        served,
        Line::from(format!("last gap {}   longest gap {}", gap(picture.last_gap), gap(picture.longest_gap))),
        if picture.both_bound.is_zero() { both_bound.into() } else { both_bound.red().into() },
    ];
    let title = format!(" phone {}, a request per millisecond ", PHONE.address);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

fn served_by(node: Node) -> String {
    format!("{node} ({})", node.mac(Wire::Lan))
}

fn milliseconds(length: Duration) -> String {
    format!("{:.1} ms", length.as_secs_f64() * 1000.0)
}

fn draw_events(frame: &mut Frame<'_>, area: Rect, events: &[(u128, String)]) {
    let block = Block::bordered().title(" events ");
    let room = usize::from(block.inner(area).height);
    let newest = events.get(events.len().saturating_sub(room)..).unwrap_or(events);
    let lines: Vec<Line<'_>> = newest.iter().map(|(ms, text)| Line::from(format!("{ms:>8} ms  {text}"))).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Instant;
    use ucm_ha_control::Report;
    use ucm_ha_control::status::Fault;

    fn status(role: &str, term: u32, cable: bool, lan: bool) -> Report {
        let peer = Peer { seen: cable || lan, cable, lan, ..Peer::default() };
        Report { role: role.to_owned(), ha_status: "Dual".to_owned(), term, peer, ..Report::default() }
    }

    fn node(node: Node, status: Option<Report>) -> NodePicture {
        let (bound, cut) = (false, false);
        NodePicture { node, powered: true, running: true, frozen: false, bound, lan_cut: cut, cable_cut: cut, status }
    }

    fn gap(ms: u64) -> Gap {
        let begin = Instant::now();
        Gap { begin, end: begin + Duration::from_millis(ms), before: Node::A, after: Node::B, lost: ms - 1 }
    }

    fn drawn(picture: &Picture) -> String {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a terminal in memory");
        terminal.draw(|frame| draw(frame, picture)).expect("drawing in memory");
        terminal.backend().to_string()
    }

    #[test]
    fn a_healthy_pair() {
        let mut a = node(Node::A, Some(status("Active", 3, true, true)));
        a.bound = true;
        let b = node(Node::B, Some(status("Standby", 3, true, true)));
        let picture = Picture {
            nodes: [a, b],
            gateway_on: true,
            served_by: Some(Node::A),
            silent_for: None,
            last_gap: Some(gap(2)),
            longest_gap: Some(gap(383)),
            both_bound: Duration::ZERO,
            events: vec![(12, "daemon of A started".to_owned()), (581, "A is Active, term 3".to_owned())],
        };
        assert_eq!(drawn(&picture), include_str!("snapshots/healthy.txt"));
    }

    #[test]
    fn a_pair_in_trouble() {
        let mut a = node(Node::A, None);
        (a.running, a.lan_cut) = (false, true);
        let mut faulty = status("Standby", 4, false, false);
        faulty.faults = vec![Fault { name: "GATEWAY".to_owned(), raised: true, ..Fault::default() }, Fault::default()];
        let mut b = node(Node::B, Some(faulty));
        b.cable_cut = true;
        let picture = Picture {
            nodes: [a, b],
            gateway_on: false,
            served_by: None,
            silent_for: Some(Duration::from_millis(1234)),
            last_gap: None,
            longest_gap: None,
            both_bound: Duration::from_millis(7),
            events: (0..40).map(|number| (number * 10, format!("event {number}"))).collect(),
        };
        assert_eq!(drawn(&picture), include_str!("snapshots/trouble.txt"));
    }
}
