//! A storm of frames that are not the peer's, on one wire of both nodes: 10,000 a second on each.

use crate::forger::Forger;
use crate::frames::{Direction, FrameSocket};
use crate::plan::Port;
use crate::worker::{STOP_CHECK, Stop, Worker, wait_readable};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use ucm_ha_linux::shared;

/// Frames a second at each port.
pub(crate) const RATE: u32 = 10_000;
/// Real frames come by interrupts, which wait for no program: above the daemons' real-time priority.
const PRIORITY: i32 = 40;
/// Time between two bursts.
const BURST_PERIOD: Duration = Duration::from_millis(1);
/// Frames that are made beforehand, and sent in turn.
const STOCK: usize = 7 * 64;
const FRAME_LEN: usize = 2048;

/// What its threads share.
#[derive(Default)]
struct Shared {
    raging: AtomicBool,
    sent: AtomicU64,
}

/// The storm. At first it only gathers: it listens to what the nodes send each other.
pub(crate) struct Storm {
    shared: Arc<Shared>,
    ports: u32,
    begin: Option<Instant>,
    _workers: Vec<Worker>,
}

impl Storm {
    /// Gathers at these ports; each socket is on the switch's side.
    pub(crate) fn gather(ports: Vec<(Port, FrameSocket)>, keyed: bool) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let count = u32::try_from(ports.len()).map_err(io::Error::other)?;
        let workers = ports.into_iter().map(|(port, socket)| {
            let shared = Arc::clone(&shared);
            Worker::start("storm", move |stop| run(&socket, Forger::new(port, keyed), &shared, &stop))
        });
        let workers = workers.collect::<io::Result<_>>()?;
        Ok(Self { shared, ports: count, begin: None, _workers: workers })
    }

    /// Lets it rage.
    pub(crate) fn rage(&mut self) {
        self.begin = Some(Instant::now());
        self.shared.raging.store(true, Ordering::Relaxed);
    }

    /// Frames sent so far at each port, in a second.
    pub(crate) fn rate(&self) -> f64 {
        let Some(begin) = self.begin else { return 0.0 };
        let sent = self.shared.sent.load(Ordering::Relaxed);
        sent as f64 / begin.elapsed().as_secs_f64() / f64::from(self.ports.max(1))
    }
}

fn run(socket: &FrameSocket, mut forger: Forger, shared: &Shared, stop: &Stop) -> io::Result<()> {
    let mut buffer = vec![0; FRAME_LEN];
    // It begins with what it has heard; on a wire where nothing was heard it goes on listening.
    let begins = |forger: &Forger| shared.raging.load(Ordering::Relaxed) && forger.is_ready();
    while !stop.is_set() && !begins(&forger) {
        wait_readable([socket.as_fd()], STOP_CHECK)?;
        while let Some((len, direction)) = socket.receive(&mut buffer)? {
            if direction == Direction::Out {
                forger.record(&buffer[..len.min(FRAME_LEN)]);
            }
        }
    }
    let stock: Vec<Vec<u8>> = std::iter::from_fn(|| forger.next_frame()).take(STOCK).collect();
    blow(socket, &stock, shared, stop)
}

fn blow(socket: &FrameSocket, stock: &[Vec<u8>], shared: &Shared, stop: &Stop) -> io::Result<()> {
    if let Err(error) = shared::schedule_fifo(PRIORITY) {
        eprintln!("lab: a storm without real-time priority ({error}) may be thin on a busy machine");
    }
    let begin = Instant::now();
    for (frame, due) in stock.iter().cycle().zip(0_u32..) {
        while begin.elapsed().mul_f64(RATE.into()) < Duration::from_secs(due.into()) {
            thread::sleep(BURST_PERIOD);
        }
        if stop.is_set() {
            return Ok(());
        }
        socket.send(frame)?;
        shared.sent.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
