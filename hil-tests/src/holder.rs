//! Who holds the cluster IP, as the LAN sees it: who answers when ARP asks for it.

use crate::names::Names;
use lab::frames::{Direction, FrameSocket};
use lab::plan::Node;
use lab::worker::{Stop, Worker, wait_readable};
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr};
use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ucm_ha::types::{Cidr, MacAddr};

/// Time between two questions.
const ASK_PERIOD: Duration = Duration::from_millis(50);
/// Within this time a role does not go to the other node and back: answers that do are from two holders.
const BACK_AND_FORTH: Duration = Duration::from_secs(1);
/// An answer older than this says nothing about now.
const FRESH: Duration = Duration::from_millis(250);
/// Answers that are remembered.
const MAX_ANSWERS: usize = 64;
const FRAME_LEN: usize = 2048;

/// One answer.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// When the newest question before it was asked.
    asked: Instant,
    /// When it came.
    at: Instant,
    by: Node,
}

/// What the answers say.
#[derive(Default)]
struct Sightings {
    answers: VecDeque<Answer>,
    two_holders: Option<Instant>,
}

impl Sightings {
    fn note(&mut self, answer: Answer) {
        if self.proves_two(answer) {
            self.two_holders.get_or_insert(answer.at);
        }
        if self.answers.len() == MAX_ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
    }

    /// One node had the address before and after the other one did: a question that was asked after the other's answer
    /// was answered by the first one again.
    fn proves_two(&self, newest: Answer) -> bool {
        let recent = |answer: &&Answer| newest.at - answer.at < BACK_AND_FORTH;
        let mut others = self.answers.iter().filter(|answer| answer.by != newest.by && answer.at < newest.asked);
        let Some(other) = others.next_back() else { return false };
        self.answers.iter().filter(recent).any(|answer| answer.by == newest.by && answer.at < other.asked)
    }
}

/// Asks until it is dropped.
pub(crate) struct Holder {
    sightings: Arc<Mutex<Sightings>>,
    _worker: Worker,
}

/// Who asks, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The asking interface's MAC address.
    pub(crate) mac: MacAddr,
    /// Its own address.
    pub(crate) address: Cidr,
    /// The cluster IP.
    pub(crate) cluster_ip: Ipv4Addr,
}

impl Holder {
    /// Starts asking.
    pub(crate) fn watch(socket: FrameSocket, question: Question, names: Names) -> io::Result<Self> {
        let sightings = Arc::new(Mutex::new(Sightings::default()));
        let its_sightings = Arc::clone(&sightings);
        let worker = Worker::start("holder", move |stop| ask(&socket, &question, &names, &its_sightings, &stop))?;
        Ok(Self { sightings, _worker: worker })
    }

    /// Who answers now.
    pub(crate) fn now(&self) -> Option<Node> {
        lock(&self.sightings).answers.back().filter(|answer| answer.at.elapsed() < FRESH).map(|answer| answer.by)
    }

    /// When two nodes were first seen to hold the address at one time.
    pub(crate) fn two_at(&self) -> Option<Instant> {
        lock(&self.sightings).two_holders
    }

    /// Forgets what was seen.
    pub(crate) fn forget(&self) {
        *lock(&self.sightings) = Sightings::default();
    }
}

fn lock(sightings: &Mutex<Sightings>) -> MutexGuard<'_, Sightings> {
    sightings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask(
    socket: &FrameSocket,
    question: &Question,
    names: &Names,
    sightings: &Mutex<Sightings>,
    stop: &Stop,
) -> io::Result<()> {
    let request = request(question);
    let mut buffer = [0; FRAME_LEN];
    let mut asked = Instant::now();
    socket.send(&request)?;
    while !stop.is_set() {
        wait_readable([socket.as_fd()], ASK_PERIOD.saturating_sub(asked.elapsed()))?;
        while let Some((len, direction)) = socket.receive(&mut buffer)? {
            let answer = buffer.get(..len).filter(|_| direction == Direction::In);
            if let Some(by) = answer.and_then(|frame| answered_by(frame, question, names)) {
                lock(sightings).note(Answer { asked, at: Instant::now(), by });
            }
        }
        if asked.elapsed() >= ASK_PERIOD {
            asked = Instant::now();
            socket.send(&request)?;
        }
    }
    Ok(())
}

fn request(question: &Question) -> Vec<u8> {
    let mac = EthernetAddress(question.mac.0);
    let ethernet =
        EthernetRepr { src_addr: mac, dst_addr: EthernetAddress::BROADCAST, ethertype: EthernetProtocol::Arp };
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: mac,
        source_protocol_addr: question.address.address,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: question.cluster_ip,
    };
    let mut buffer = vec![0; ethernet.buffer_len() + arp.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut buffer);
    ethernet.emit(&mut frame);
    arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    buffer
}

fn answered_by(frame: &[u8], question: &Question, names: &Names) -> Option<Node> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Arp {
        return None;
    }
    let packet = ArpPacket::new_checked(frame.payload()).ok()?;
    let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, source_protocol_addr, target_protocol_addr, .. } =
        ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    let answers = operation == ArpOperation::Reply
        && source_protocol_addr == question.cluster_ip
        && target_protocol_addr == question.address.address;
    names.node(source_hardware_addr).filter(|_| answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Answers at these times in ms, each to a question asked 5 ms before; whether two holders were seen.
    fn two_seen(answers: &[(u32, Node)]) -> bool {
        let begin = Instant::now();
        let mut sightings = Sightings::default();
        for &(ms, by) in answers {
            let at = begin + MS * ms;
            sightings.note(Answer { asked: at - MS * 5, at, by });
        }
        sightings.two_holders.is_some()
    }

    #[test]
    fn an_address_that_moves_has_one_holder() {
        assert!(!two_seen(&[(50, Node::A), (100, Node::A), (150, Node::B), (200, Node::B)]));
        assert!(!two_seen(&[(50, Node::A), (52, Node::B), (100, Node::B)]), "it moved between two answers");
        assert!(!two_seen(&[(50, Node::A), (100, Node::B), (2100, Node::A)]), "it moved back later");
    }

    #[test]
    fn two_nodes_that_answer_in_turn_both_hold_it() {
        assert!(two_seen(&[(50, Node::A), (100, Node::B), (150, Node::A)]));
        assert!(two_seen(&[(50, Node::A), (51, Node::B), (100, Node::A), (101, Node::B), (150, Node::A)]));
    }
}
