//! One emulated machine: its disk, its firmware, and the emulator that runs while it has power.

use super::board::{Board, WATCHDOG};
use super::disk;
use super::image::{self, Firmware};
use super::qmp::Qmp;
use super::qtest::Qtest;
use super::shell::Shell;
use crate::rig::Answer;
use lab::error::Context;
use lab::netns::Netns;
use lab::plan::{Node, Wire};
use lab::stimulus::FxoPort;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use ucm_ha::types::MacAddr;

const MEMORY_MIB: u32 = 128;
/// The fault pin of FXO port n is input line n + 3 of the GPIO controller: line 3 is the machine's power key.
const FXO_LINE_OFFSET: u8 = 3;
/// How long the emulator may take to open its sockets.
const EMULATOR_START: Duration = Duration::from_secs(20);

/// Which ports have carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    /// The LAN port.
    pub(crate) lan: bool,
    /// The heartbeat port.
    pub(crate) cable: bool,
}

/// The machine.
pub(crate) struct Machine {
    node: Node,
    board: Board,
    parts: PathBuf,
    folder: PathBuf,
    lan_mac: MacAddr,
    firmware: Firmware,
    /// Levels of the fault pins; they are active high.
    fxo_pins: [(FxoPort, bool); 2],
    running: Option<Running>,
}

/// What there is while it has power.
struct Running {
    emulator: Child,
    qmp: Qmp,
    qtest: Qtest,
    shell: Option<Shell>,
    gpio: String,
    links: Links,
}

impl Machine {
    /// A new unit, off.
    pub(crate) fn assemble(node: Node, board: Board, parts: &Path, folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder).context(format_args!("cannot make {}", folder.display()))?;
        let machine = Self {
            node,
            board,
            parts: parts.to_owned(),
            folder: folder.to_owned(),
            lan_mac: node.mac(Wire::Lan),
            firmware: Firmware::Current,
            fxo_pins: [(FxoPort::Switching, false), (FxoPort::Alerting, false)],
            running: None,
        };
        disk::make(&machine.file("disk"))?;
        machine.write_image()?;
        Ok(machine)
    }

    /// Whether it has power.
    pub(super) fn is_on(&self) -> bool {
        self.running.is_some()
    }

    /// Gives it power; its ports are in `netns`.
    pub(crate) fn power_on(&mut self, netns: &Netns, links: Links) -> io::Result<()> {
        if self.is_on() {
            return Ok(());
        }
        for socket in ["qmp", "qtest", "shell"] {
            match fs::remove_file(self.file(socket)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        let mut command = self.emulator()?;
        let emulator = netns.run(|| command.spawn()).context("cannot run the emulator (package qemu-system-arm)")?;
        let mut starting = Starting(Some(emulator));
        let mut qmp = self.patiently(|| Qmp::connect(&self.file("qmp")))?;
        let qtest = Qtest::connect(&self.file("qtest"))?;
        let gpio = qmp.gpio_path()?;
        let Some(emulator) = starting.0.take() else { return Ok(()) };
        let running = Running { emulator, qmp, qtest, shell: None, gpio, links: Links { lan: true, cable: true } };
        self.running = Some(running);
        // Before the first instruction, so that the kernel never sees another state.
        self.set_links(links)?;
        self.drive_fxo_pins()?;
        self.running().and_then(|running| running.qmp.cont())
    }

    /// Cuts its power.
    pub(crate) fn power_off(&mut self) -> io::Result<()> {
        match self.running.take() {
            Some(mut running) => {
                running.emulator.kill().context("cannot kill the emulator")?;
                running.emulator.wait().map(drop)
            }
            None => Ok(()),
        }
    }

    /// Gives its ports carrier, or takes it.
    pub(super) fn set_links(&mut self, links: Links) -> io::Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        if running.links.lan != links.lan {
            running.qmp.set_link("lan", links.lan)?;
        }
        if running.links.cable != links.cable {
            running.qmp.set_link("cable", links.cable)?;
        }
        running.links = links;
        Ok(())
    }

    /// Sets the fault pin of an FXO port.
    pub(super) fn set_fxo_fault(&mut self, port: FxoPort, fault: bool) -> io::Result<()> {
        self.fxo_pins.iter_mut().filter(|(one, _)| *one == port).for_each(|(_, level)| *level = fault);
        self.drive_fxo_pins()
    }

    fn drive_fxo_pins(&mut self) -> io::Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        for (port, level) in self.fxo_pins {
            running.qtest.set_line(&running.gpio, FXO_LINE_OFFSET + port.number(), level)?;
        }
        Ok(())
    }

    /// Makes its daemon read the configuration again.
    pub(super) fn reload(&mut self) -> io::Result<()> {
        let answer = self.run("kill -HUP $(cat /run/ucm-ha.pid)")?;
        if answer.code == 0 { Ok(()) } else { Err(io::Error::other(answer.text)) }
    }

    /// Gives it the next firmware, while it is off.
    pub(super) fn upgrade(&mut self) -> io::Result<()> {
        self.require_off()?;
        self.firmware = Firmware::Next;
        self.write_image()
    }

    /// Puts a new unit in its place, while it is off.
    pub(super) fn replace(&mut self, lan_mac: MacAddr) -> io::Result<()> {
        self.require_off()?;
        self.lan_mac = lan_mac;
        disk::make(&self.file("disk"))
    }

    /// Runs a command in its shell.
    pub(crate) fn run(&mut self, command: &str) -> io::Result<Answer> {
        let socket = self.file("shell");
        if self.running()?.qmp.was_reset()? {
            // The emulated controller forgets its inputs when it is reset. The chips at its pins would not.
            self.drive_fxo_pins()?;
        }
        let running = self.running()?;
        let mut shell = match running.shell.take() {
            Some(shell) => shell,
            None => Shell::connect(&socket)?,
        };
        // A connection that failed is not used again: what is left in it belongs to another command.
        let answer = shell.run(command)?;
        running.shell = Some(shell);
        Ok(answer)
    }

    /// What it has written on its console.
    pub(crate) fn console(&self) -> io::Result<String> {
        read_if_there(&self.file("console"))
    }

    fn running(&mut self) -> io::Result<&mut Running> {
        let node = self.node;
        self.running.as_mut().ok_or_else(|| io::Error::other(format!("{node} has no power")))
    }

    fn require_off(&self) -> io::Result<()> {
        if self.is_on() { Err(io::Error::other(format!("{} must be off for that", self.node))) } else { Ok(()) }
    }

    fn write_image(&self) -> io::Result<()> {
        image::write(self.node, self.firmware, &self.parts, &self.file("image"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Tries until the emulator has opened its sockets.
    fn patiently<T>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let deadline = Instant::now() + EMULATOR_START;
        loop {
            match attempt() {
                Err(error) if Instant::now() > deadline => {
                    let said = read_if_there(&self.file("emulator"))?;
                    return Err(error).context(format_args!("the emulator does not start: {}", said.trim()));
                }
                Err(_) => thread::sleep(Duration::from_millis(20)),
                Ok(value) => return Ok(value),
            }
        }
    }

    fn emulator(&self) -> io::Result<Command> {
        let said = File::create(self.file("emulator")).context("cannot write the emulator's log")?;
        let (program, machine, processor) = match self.board {
            Board::Aarch64 => ("qemu-system-aarch64", "virt,gic-version=2", "cortex-a53"),
            Board::Armv7 => ("qemu-system-arm", "virt,gic-version=2,highmem=off", "cortex-a15"),
        };
        let file = |name: &str| self.file(name).display().to_string();
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        command.args(["-M", machine, "-cpu", processor, "-accel", "tcg", "-m", &MEMORY_MIB.to_string()]);
        // Paused at first, until the ports have their carriers.
        command.args(["-nodefaults", "-display", "none", "-S"]);
        command.arg("-kernel").arg(self.parts.join("debian/kernel")).args(["-initrd", &file("image")]);
        command.args(["-append", &self.kernel_arguments()]);
        command.args(["-chardev", &format!("file,id=console,path={},append=on", file("console"))]);
        command.args(["-serial", "chardev:console"]);
        command.args(["-qmp", &format!("unix:{},server=on,wait=off", file("qmp"))]);
        command.args(["-qtest", &format!("unix:{},server=on,wait=off", file("qtest")), "-qtest-log", "none"]);
        self.add_ports(&mut command);
        command.args(["-drive", &format!("if=none,id=disk,format=raw,file={}", file("disk"))]);
        command.args(["-device", "virtio-blk-device,drive=disk"]);
        command.args(["-chardev", &format!("socket,id=shell,path={},server=on,wait=off", file("shell"))]);
        command.args(["-device", "virtio-serial-device", "-device", "virtconsole,chardev=shell"]);
        command.args(["-device", "i6300esb", "-action", "watchdog=reset"]);
        Ok(command)
    }

    fn add_ports(&self, command: &mut Command) {
        let ports = [("lan", self.lan_mac), ("cable", self.node.mac(Wire::Cable))];
        for (name, mac) in ports {
            let interface = format!("{name}-{}", self.node.letter());
            command.args(["-netdev", &format!("tap,id=net-{name},ifname={interface},script=no,downscript=no")]);
            command.args(["-device", &format!("virtio-net-device,id={name},netdev=net-{name},mac={mac}")]);
        }
    }

    fn kernel_arguments(&self) -> String {
        let lower = |mac: MacAddr| mac.to_string().to_lowercase();
        format!(
            "console=ttyAMA0 panic=1 loglevel=4 node={} address={} lan_mac={} cable_mac={} watchdog_s={}",
            self.node.letter(),
            self.node.address(),
            lower(self.lan_mac),
            lower(self.node.mac(Wire::Cable)),
            WATCHDOG.as_secs()
        )
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Err(error) = self.power_off() {
            eprintln!("rig: {error}");
        }
    }
}

/// An emulator that is killed unless it came up.
struct Starting(Option<Child>);

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(mut emulator) = self.0.take() {
            // It may have ended by itself; that is why it is given up.
            let _ = emulator.kill();
            let _ = emulator.wait();
        }
    }
}

/// Reads a file that the emulator writes; one that is not there yet is empty.
fn read_if_there(file: &Path) -> io::Result<String> {
    match fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).context(format_args!("cannot read {}", file.display())),
    }
}
