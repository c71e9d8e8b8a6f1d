//! A station of the LAN that asks all the time who has the cluster IP.

use crate::CLUSTER_IP;
use crate::site::BRIDGE;
use smoltcp::phy::{Device, Medium, RawSocket, RxToken, TxToken};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use ucm_ha::types::MacAddr;
use ucm_ha::wire::arp::{self, Message};

/// How often it asks.
const PERIOD: Duration = Duration::from_millis(5);
const OWN_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xfe]);
const OWN_IP: Ipv4Addr = Ipv4Addr::new(192, 168, 129, 1);

/// Answers of one station without another one's between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The station.
    pub mac: String,
    /// Its first answer …
    pub first: Instant,
    /// … and the last one.
    pub last: Instant,
    /// How many there were.
    pub answers: u32,
}

/// The watcher. It ends with this value.
pub struct Watcher {
    runs: Arc<Mutex<Vec<Run>>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to ask on the LAN of this namespace, as a station that wants to talk to the holder.
    #[must_use]
    pub fn start() -> Self {
        Self::asking(Message::Request { sender: OWN_IP, target: CLUSTER_IP })
    }

    /// Starts to ask as a station that wants the address for itself (RFC 5227). It hears the answers to other watchers too.
    #[must_use]
    pub fn probing() -> Self {
        Self::asking(Message::Probe { target: CLUSTER_IP })
    }

    fn asking(message: Message) -> Self {
        let (runs, end) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (its_runs, its_end) = (Arc::clone(&runs), Arc::clone(&end));
        let thread = std::thread::spawn(move || watch(message, &its_runs, &its_end));
        Self { runs, end, thread: Some(thread) }
    }

    /// The runs so far, in order.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.runs.lock().unwrap().clone()
    }

    /// The stations that have answered, in order; one that came back stands there again.
    #[must_use]
    pub fn holders(&self) -> Vec<String> {
        self.runs().into_iter().map(|run| run.mac).collect()
    }

    /// How long nobody answered when the role changed for the last time.
    #[track_caller]
    #[must_use]
    pub fn gap(&self) -> Duration {
        let runs = self.runs();
        let [.., old, new] = &runs[..] else { panic!("no change of holder: {runs:?}") };
        new.first - old.last
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        let watched = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(watched, Some(Ok(()))), "the watcher failed");
    }
}

fn watch(message: Message, runs: &Mutex<Vec<Run>>, end: &AtomicBool) {
    let mut port = RawSocket::new(BRIDGE, Medium::Ethernet).unwrap();
    let mut question = [0; arp::FRAME_LEN];
    arp::emit(message, OWN_MAC, &mut question).unwrap();
    while !end.load(Ordering::Relaxed) {
        let leave = port.transmit(smoltcp::time::Instant::now()).expect("a packet socket always has leave to send");
        leave.consume(question.len(), |place| place.copy_from_slice(&question));
        std::thread::sleep(PERIOD);
        while let Some((received, _)) = port.receive(smoltcp::time::Instant::now()) {
            if let Some(heard) = received.consume(arp::parse)
                && heard.ip == CLUSTER_IP
            {
                note(&mut runs.lock().unwrap(), &heard.mac.to_string());
            }
        }
    }
}

fn note(runs: &mut Vec<Run>, mac: &str) {
    let now = Instant::now();
    match runs.last_mut().filter(|run| run.mac == mac) {
        Some(run) => (run.last, run.answers) = (now, run.answers + 1),
        None => runs.push(Run { mac: mac.to_owned(), first: now, last: now, answers: 1 }),
    }
}
