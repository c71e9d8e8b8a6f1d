//! A phone: asks the cluster IP once per millisecond, as SIP OPTIONS would, and notes the gaps in the answers.
//!
//! It has the socket and the ARP cache of an ordinary host, so it finds a new owner of the address by the announcements
//! of that owner, or not at all.

use super::echo::{ANSWER_LEN, REQUEST_LEN};
use super::error::Context;
use super::gaps::{ANSWER_DEADLINE, Gap, GapMeter};
use super::netns::Netns;
use super::plan::{CLUSTER_IP, Node, SERVICE_PORT};
use super::worker::{STOP_CHECK, Stop, Worker, wait_readable};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two probes.
pub(crate) const PROBE_PERIOD: Duration = Duration::from_millis(1);

/// What the phone has seen at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct PhoneView {
    /// Who answered the newest probe, if it was answered.
    pub(crate) served_by: Option<Node>,
    /// For how long there has been no answer, while there is none.
    pub(crate) silent_for: Option<Duration>,
    /// The gaps, the oldest first.
    pub(crate) gaps: Vec<Gap>,
}

impl PhoneView {
    /// The longest gap.
    pub(crate) fn longest(&self) -> Option<Gap> {
        self.gaps.iter().copied().max_by_key(Gap::length)
    }
}

/// The phone. It probes until it is dropped.
pub(crate) struct Phone {
    meter: Arc<Mutex<GapMeter>>,
    _worker: Worker,
}

impl Phone {
    /// Starts probing from `netns`.
    pub(crate) fn start(netns: &Netns) -> io::Result<Self> {
        let socket = netns
            .run(|| {
                let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
                socket.connect((CLUSTER_IP.address, SERVICE_PORT))?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            })
            .context("cannot start the phone")?;
        let ticks = ticks().context("cannot start the phone's clock")?;
        let meter = Arc::new(Mutex::new(GapMeter::default()));
        let its_meter = Arc::clone(&meter);
        let worker = Worker::start("phone", move |stop| probe(&socket, &ticks, &its_meter, &stop))?;
        Ok(Self { meter, _worker: worker })
    }

    /// What it saw since `since`.
    pub(crate) fn view_since(&self, since: Instant) -> PhoneView {
        let meter = lock(&self.meter);
        let mut view = PhoneView { gaps: meter.gaps_since(since), ..PhoneView::default() };
        if let Some((sent, by)) = meter.last_answer() {
            let age = sent.elapsed();
            if age > ANSWER_DEADLINE + PROBE_PERIOD * 2 {
                view.silent_for = Some(age);
            } else {
                view.served_by = Some(by);
            }
        }
        view
    }
}

fn lock(meter: &Mutex<GapMeter>) -> MutexGuard<'_, GapMeter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A timer that ticks once per probe, on absolute time: a late wake-up does not shift the later ones.
fn ticks() -> io::Result<OwnedFd> {
    let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let period = Timespec::try_from(PROBE_PERIOD).map_err(io::Error::other)?;
    let timer = Itimerspec { it_interval: period, it_value: period };
    timerfd_settime(&fd, TimerfdTimerFlags::empty(), &timer)?;
    Ok(fd)
}

fn probe(socket: &UdpSocket, ticks: &OwnedFd, meter: &Mutex<GapMeter>, stop: &Stop) -> io::Result<()> {
    let mut expirations = [0; 8];
    while !stop.is_set() {
        wait_readable([ticks.as_fd(), socket.as_fd()], STOP_CHECK)?;
        take_answers(socket, meter);
        // Several ticks at once are one probe: a burst would tell nothing about the time that was missed.
        match rustix::io::read(ticks, &mut expirations) {
            Ok(_) => ask(socket, meter),
            Err(rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        lock(meter).settle(Instant::now());
    }
    Ok(())
}

fn ask(socket: &UdpSocket, meter: &Mutex<GapMeter>) {
    let number = lock(meter).sent(Instant::now());
    let request: [u8; REQUEST_LEN] = number.to_be_bytes();
    // A probe that cannot be sent (nobody answers ARP, no carrier) is one that is not answered.
    let _ = socket.send(&request);
}

fn take_answers(socket: &UdpSocket, meter: &Mutex<GapMeter>) {
    let mut answer = [0; ANSWER_LEN];
    loop {
        match socket.recv(&mut answer) {
            Ok(ANSWER_LEN) => {
                let [number @ .., node] = answer;
                if let Some(&by) = Node::ALL.get(usize::from(node)) {
                    lock(meter).answered(u64::from_be_bytes(number), by, Instant::now());
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // What an ICMP message reported about an earlier probe. That probe stays unanswered.
            Err(_) => {}
        }
    }
}
