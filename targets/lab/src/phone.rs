//! A phone: asks the cluster IP once per millisecond, as SIP OPTIONS would, and notes the gaps in the answers.
//!
//! It has the socket and the ARP cache of an ordinary host, so it finds a new owner of the address by the announcements
//! of that owner, or not at all.

use crate::echo::{ANSWER_LEN, REQUEST_LEN};
use crate::error::Context;
use crate::gaps::{ANSWER_DEADLINE, Gap, GapMeter};
use crate::netns::Netns;
use crate::plan::{CLUSTER_IP, Node, SERVICE_PORT};
use crate::worker::{STOP_CHECK, Stop, Worker, wait_readable};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two probes.
pub const PROBE_PERIOD: Duration = Duration::from_millis(1);

/// What the phone has seen at a moment.
#[derive(Clone, Debug, Default)]
pub struct PhoneView {
    /// Who answered the newest probe, if it was answered.
    pub served_by: Option<Node>,
    /// For how long there has been no answer, while there is none.
    pub silent_for: Option<Duration>,
    /// The gaps, the oldest first.
    pub gaps: Vec<Gap>,
}

impl PhoneView {
    /// The longest gap.
    pub fn longest(&self) -> Option<Gap> {
        self.gaps.iter().copied().max_by_key(Gap::length)
    }
}

/// What a phone asks through.
pub trait Line: AsFd + Send {
    /// Asks. A probe that cannot be sent (nobody answers ARP, no carrier) is one that is not answered.
    fn ask(&self, number: u64);

    /// The next answer that waits: the number of its probe, and who gave it.
    fn answer(&self) -> Option<(u64, Node)>;
}

/// The phone. It probes until it is dropped.
pub struct Phone {
    meter: Arc<Mutex<GapMeter>>,
    period: Duration,
    _worker: Worker,
}

impl Phone {
    /// Starts probing from `netns`.
    pub fn start(netns: &Netns) -> io::Result<Self> {
        Self::call(ServiceLine::open(netns).context("cannot start the phone")?, PROBE_PERIOD)
    }

    /// Starts probing through `line`, once per `period`.
    pub fn call(line: impl Line + 'static, period: Duration) -> io::Result<Self> {
        let ticks = ticks(period).context("cannot start the phone's clock")?;
        let meter = Arc::new(Mutex::new(GapMeter::default()));
        let its_meter = Arc::clone(&meter);
        let worker = Worker::start("phone", move |stop| probe(&line, &ticks, &its_meter, &stop))?;
        Ok(Self { meter, period, _worker: worker })
    }

    /// What it saw since `since`.
    pub fn view_since(&self, since: Instant) -> PhoneView {
        let meter = lock(&self.meter);
        let mut view = PhoneView { gaps: meter.gaps_since(since), ..PhoneView::default() };
        if let Some((sent, by)) = meter.last_answer() {
            let age = sent.elapsed();
            if age > ANSWER_DEADLINE + self.period * 2 {
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

/// The line to the PBX service of the lab's nodes.
struct ServiceLine {
    socket: UdpSocket,
}

impl ServiceLine {
    fn open(netns: &Netns) -> io::Result<Self> {
        netns.run(|| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            socket.connect((CLUSTER_IP.address, SERVICE_PORT))?;
            socket.set_nonblocking(true)?;
            Ok(Self { socket })
        })
    }
}

impl AsFd for ServiceLine {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Line for ServiceLine {
    fn ask(&self, number: u64) {
        let request: [u8; REQUEST_LEN] = number.to_be_bytes();
        let _ = self.socket.send(&request);
    }

    fn answer(&self) -> Option<(u64, Node)> {
        let mut answer = [0; ANSWER_LEN];
        loop {
            match self.socket.recv(&mut answer) {
                Ok(ANSWER_LEN) => {
                    let [number @ .., node] = answer;
                    if let Some(&by) = Node::ALL.get(usize::from(node)) {
                        return Some((u64::from_be_bytes(number), by));
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // What an ICMP message reported about an earlier probe. That probe stays unanswered.
                Err(_) => {}
            }
        }
    }
}

/// A timer that ticks once per probe, on absolute time: a late wake-up does not shift the later ones.
fn ticks(period: Duration) -> io::Result<OwnedFd> {
    let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let period = Timespec::try_from(period).map_err(io::Error::other)?;
    let timer = Itimerspec { it_interval: period, it_value: period };
    timerfd_settime(&fd, TimerfdTimerFlags::empty(), &timer)?;
    Ok(fd)
}

fn probe(line: &impl Line, ticks: &OwnedFd, meter: &Mutex<GapMeter>, stop: &Stop) -> io::Result<()> {
    let mut expirations = [0; 8];
    while !stop.is_set() {
        wait_readable([ticks.as_fd(), line.as_fd()], STOP_CHECK)?;
        while let Some((number, by)) = line.answer() {
            lock(meter).answered(number, by, Instant::now());
        }
        // Several ticks at once are one probe: a burst would tell nothing about the time that was missed.
        match rustix::io::read(ticks, &mut expirations) {
            Ok(_) => {
                let number = lock(meter).sent(Instant::now());
                line.ask(number);
            }
            Err(rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        lock(meter).settle(Instant::now());
    }
    Ok(())
}
