//! A service of the PBX on a node: a process with a pid file, and kicks.

use crate::error::Context;
use crate::paths::{self, SELF_EXE};
use crate::plan::Node;
use crate::sys;
use crate::worker::Worker;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};
use std::fs;
use std::hint::black_box;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The service with a process.
pub(crate) const PROCESS: &str = "asterisk";
/// The service that kicks.
pub(crate) const KICKING: &str = "sip";
/// No kick for this long is a deadlock.
pub(crate) const KICK_TIMEOUT: Duration = Duration::from_millis(500);
/// Time between two kicks.
const KICK_PERIOD: Duration = Duration::from_millis(100);
const BYTES_PER_MIB: usize = 1024 * 1024;

/// Becomes the process of a service that holds so much memory, and does nothing.
pub(crate) fn be(mib: u32) -> io::Result<()> {
    // Only where a scenario asks for dumps are there any: a limit does not hold for programs in core_pattern.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    sys::die_of_sent_segv()?;
    let memory = vec![0x5a_u8; mib as usize * BYTES_PER_MIB];
    println!("ready");
    loop {
        black_box(&memory);
        thread::park();
    }
}

/// The process. Dropping this kills it.
pub(crate) struct ServiceProcess(Child);

impl ServiceProcess {
    /// Starts it with so much memory, and writes its pid file.
    pub(crate) fn start(node: Node, mib: u32) -> io::Result<Self> {
        let mut command = Command::new(SELF_EXE);
        command.args(["--be-service", &mib.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut service = Self(command.spawn().context("cannot start a service")?);
        let mut ready = [0; 1];
        let stdout = service.0.stdout.as_mut().ok_or_else(|| io::Error::other("a service without stdout"))?;
        io::Read::read_exact(stdout, &mut ready).context("a service does not get ready")?;
        fs::write(paths::pid_file(node), format!("{}\n", service.0.id())).context("cannot write a pid file")?;
        Ok(service)
    }

    /// Crashes it. It exists until its dump is written.
    pub(crate) fn crash(&self) -> io::Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::SEGV).context("cannot crash a service")
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill();
        if let Err(error) = self.0.wait() {
            eprintln!("lab: a service cannot be waited for: {error}");
        }
    }
}

/// Kicks of a node's service, until this is dropped or stopped.
pub(crate) struct Kicks {
    last: Arc<Mutex<Instant>>,
    worker: Worker,
}

impl Kicks {
    /// Begins to kick. While the daemon does not run there is nobody to kick.
    pub(crate) fn start(node: Node) -> io::Result<Self> {
        let last = Arc::new(Mutex::new(Instant::now()));
        let newest = Arc::clone(&last);
        let worker = Worker::start("kicks", move |stop| {
            let socket = UnixDatagram::unbound()?;
            while !stop.is_set() {
                let now = Instant::now();
                if socket.send_to(format!("kick {KICKING}").as_bytes(), paths::kick_socket(node)).is_ok() {
                    *newest.lock().unwrap_or_else(PoisonError::into_inner) = now;
                }
                thread::sleep(KICK_PERIOD);
            }
            Ok(())
        })?;
        Ok(Self { last, worker })
    }

    /// Stops, and gives the time just before the last kick.
    pub(crate) fn stop(self) -> Instant {
        drop(self.worker);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
