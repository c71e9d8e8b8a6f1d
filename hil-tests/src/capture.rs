//! Records every frame at the rig's taps into a file that Wireshark opens.

use crate::rig::Tap;
use lab::error::Context;
use lab::worker::{STOP_CHECK, Worker, wait_readable};
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Frames that one file holds at most.
const MAX_FRAMES: u32 = 500_000;
/// Longest part of a frame that is kept.
const SNAP_LEN: usize = 2048;
/// Time stamps are in units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

struct Recording {
    writer: PcapNgWriter<BufWriter<File>>,
    frames: u32,
}

impl Recording {
    fn add(&mut self, interface_id: u32, frame: &[u8]) -> io::Result<()> {
        if self.frames == MAX_FRAMES {
            return Ok(());
        }
        self.frames += 1;
        let timestamp = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let original_len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let block =
            EnhancedPacketBlock { interface_id, timestamp, original_len, data: Cow::Borrowed(frame), options: vec![] };
        self.writer.write_pcapng_block(block).map(drop).map_err(io::Error::other)
    }
}

/// A recording under way. The file is complete once this is dropped.
pub(crate) struct Capture {
    _workers: Vec<Worker>,
}

impl Capture {
    /// Starts recording into `file`.
    pub(crate) fn start(taps: Vec<Tap>, file: &Path) -> io::Result<Self> {
        let output = File::create(file).context(format_args!("cannot write {}", file.display()))?;
        let mut writer = PcapNgWriter::new(BufWriter::new(output)).map_err(io::Error::other)?;
        for tap in &taps {
            let options = vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed(&tap.name)),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ];
            let block = InterfaceDescriptionBlock { linktype: DataLink::ETHERNET, snaplen: SNAP_LEN as u32, options };
            writer.write_pcapng_block(block).map_err(io::Error::other)?;
        }
        let recording = Arc::new(Mutex::new(Recording { writer, frames: 0 }));
        let workers = (0..).zip(taps).map(|(interface_id, tap)| record(interface_id, tap, Arc::clone(&recording)));
        Ok(Self { _workers: workers.collect::<io::Result<_>>()? })
    }
}

fn record(interface_id: u32, tap: Tap, recording: Arc<Mutex<Recording>>) -> io::Result<Worker> {
    Worker::start("capture", move |stop| {
        let mut buffer = [0; SNAP_LEN];
        while !stop.is_set() {
            wait_readable([tap.socket.as_fd()], STOP_CHECK)?;
            while let Some((len, _)) = tap.socket.receive(&mut buffer)? {
                let frame = buffer.get(..len).unwrap_or(&buffer);
                recording.lock().unwrap_or_else(PoisonError::into_inner).add(interface_id, frame)?;
            }
        }
        Ok(())
    })
}
