//! A host without the key, between the switch and the LAN ports of the nodes: it records heartbeats, and plays them later.
//!
//! At a port it hears what the node sends, whether or not the network lets that through to the other one.

use crate::datagram::{frame_to, heartbeat_in};
use crate::frames::{Direction, FrameSocket};
use crate::pace;
use crate::plan::{Node, Port};
use crate::worker::{STOP_CHECK, Stop, Worker, run_before_daemons};
use fastrand::Rng;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A node that has sent nothing for this long is taken for dead: its last heartbeats are worth most then.
const SILENT: Duration = Duration::from_millis(300);

/// Where a heartbeat has its boot id: docs/protocol.md.
const BOOT_ID: Range<usize> = 20..24;

/// What is played to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tape {
    /// All that its peer has sent so far, in any order and again and again: each boot has its turn.
    Everything,
    /// The last heartbeat of each boot of its peer that has ended, again and again.
    OldBoots,
    /// Once its peer is silent, what that sent in its last so many milliseconds, in order and once.
    LastWords(u64),
}

/// A heartbeat, and when it was heard.
struct Heard {
    at: Instant,
    heartbeat: Vec<u8>,
}

impl Heard {
    /// What a key proves can be read without one.
    fn boot_id(&self) -> Option<&[u8]> {
        self.heartbeat.get(BOOT_ID)
    }
}

type Memory = Arc<Mutex<Vec<Heard>>>;

/// The host. It listens until it is dropped.
pub(crate) struct Recorder {
    /// What each node has sent.
    heard: [Memory; 2],
    _listening: Vec<Worker>,
    playing: Vec<Worker>,
}

impl Recorder {
    /// Listens at the LAN ports of both nodes.
    pub(crate) fn listen(ports: [FrameSocket; 2]) -> io::Result<Self> {
        let heard = [Memory::default(), Memory::default()];
        let listening = ports.into_iter().zip(&heard).map(|(socket, heard)| {
            let heard = Arc::clone(heard);
            Worker::start("recorder", move |stop| listen(&socket, &heard, &stop))
        });
        let listening = listening.collect::<io::Result<_>>()?;
        Ok(Self { heard, _listening: listening, playing: Vec::new() })
    }

    /// Plays so many frames a second to each node, in the place of what it played before.
    pub(crate) fn play(&mut self, ports: [FrameSocket; 2], tape: Tape, rate: u32) -> io::Result<()> {
        self.playing.clear();
        for (to, socket) in Node::ALL.into_iter().zip(ports) {
            let heard = Arc::clone(&self.heard[to.peer().index()]);
            let worker = Worker::start("replay", move |stop| play(&socket, to, &heard, tape, rate, &stop));
            self.playing.push(worker?);
        }
        Ok(())
    }
}

fn listen(socket: &FrameSocket, heard: &Mutex<Vec<Heard>>, stop: &Stop) -> io::Result<()> {
    while !stop.is_set() {
        socket.hear(|frame, direction| {
            if direction == Direction::In
                && let Some(heartbeat) = heartbeat_in(frame)
            {
                lock(heard).push(Heard { at: Instant::now(), heartbeat: heartbeat.to_vec() });
            }
        })?;
    }
    Ok(())
}

fn play(
    socket: &FrameSocket,
    to: Node,
    heard: &Mutex<Vec<Heard>>,
    tape: Tape,
    rate: u32,
    stop: &Stop,
) -> io::Result<()> {
    let frames = loop {
        let cut = cut(&lock(heard), to, tape);
        match cut {
            Some(frames) => break frames,
            None if stop.is_set() => return Ok(()),
            None => thread::sleep(STOP_CHECK),
        }
    };
    run_before_daemons("a replay may be slow");
    let send = |frame: &Vec<u8>| socket.send(frame);
    match tape {
        Tape::Everything | Tape::OldBoots => pace::send(frames.iter().cycle(), rate, stop, send),
        Tape::LastWords(_) => pace::send(frames.iter(), rate, stop, send),
    }
}

fn lock(heard: &Mutex<Vec<Heard>>) -> MutexGuard<'_, Vec<Heard>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The frames of a tape; `None` where its time has not come.
fn cut(heard: &[Heard], to: Node, tape: Tape) -> Option<Vec<Vec<u8>>> {
    let last = heard.last()?.at;
    let chosen: Vec<&Heard> = match tape {
        Tape::Everything => heard.iter().collect(),
        Tape::OldBoots => last_of_old_boots(heard),
        Tape::LastWords(_) if last.elapsed() < SILENT => return None,
        Tape::LastWords(ms) => {
            let first = heard.partition_point(|heard| heard.at + Duration::from_millis(ms) < last);
            heard.iter().skip(first).collect()
        }
    };
    let mut frames: Vec<_> = chosen.iter().filter_map(|heard| frame_to(Port::lan(to), &heard.heartbeat)).collect();
    if tape == Tape::Everything {
        Rng::with_seed(0).shuffle(&mut frames);
    }
    (!frames.is_empty()).then_some(frames)
}

/// The one that runs is that of the last heartbeat.
fn last_of_old_boots(heard: &[Heard]) -> Vec<&Heard> {
    let last_of_each = heard.windows(2).filter(|pair| pair[0].boot_id() != pair[1].boot_id());
    last_of_each.map(|pair| &pair[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Heartbeats 100 ms apart, the last one so long ago; each has its number.
    fn heard(count: u8, ended: Duration) -> Vec<Heard> {
        let end = Instant::now() - ended;
        let heard = |number: u8| Heard { at: end - MS * 100 * u32::from(count - 1 - number), heartbeat: vec![number] };
        (0..count).map(heard).collect()
    }

    fn numbers(frames: &[Vec<u8>]) -> Vec<u8> {
        frames.iter().map(|frame| heartbeat_in(frame).unwrap()[0]).collect()
    }

    #[test]
    fn last_words_are_played_in_order_once_their_speaker_is_silent() {
        assert_eq!(cut(&heard(20, MS * 50), Node::A, Tape::LastWords(500)), None);
        let frames = cut(&heard(20, MS * 400), Node::A, Tape::LastWords(500)).unwrap();
        assert_eq!(numbers(&frames), [14, 15, 16, 17, 18, 19]);
    }

    #[test]
    fn of_each_old_boot_the_last_word_is_played_and_nothing_of_the_one_that_runs() {
        let of_boot = |number: u8, boot: u8| {
            let mut heartbeat = vec![boot; 24];
            heartbeat[0] = number;
            Heard { at: Instant::now(), heartbeat }
        };
        let running = [of_boot(0, 7), of_boot(1, 7)];
        assert_eq!(cut(&running, Node::A, Tape::OldBoots), None);
        let heard = [of_boot(0, 5), of_boot(1, 5), of_boot(2, 6), of_boot(3, 7), of_boot(4, 7)];
        assert_eq!(numbers(&cut(&heard, Node::A, Tape::OldBoots).unwrap()), [1, 2]);
    }

    #[test]
    fn of_everything_nothing_is_left_out() {
        assert_eq!(cut(&[], Node::B, Tape::Everything), None);
        let mut all = numbers(&cut(&heard(200, MS), Node::B, Tape::Everything).unwrap());
        assert_ne!(all, (0..200).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
    }
}
