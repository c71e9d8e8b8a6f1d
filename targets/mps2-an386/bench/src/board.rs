//! One emulated board.
//!
//! [`command`] is the one place that knows how to start it.

use crate::{CLUSTER_IP, PATIENCE, TIMEOUT, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Where `targets/mps2-an386/test` says that the image is.
#[must_use]
pub fn image() -> Option<PathBuf> {
    std::env::var_os("UCM_HA_MPS2_IMAGE").map(PathBuf::from)
}

/// MAC address of board 1 or 2.
#[must_use]
pub fn mac(number: u8) -> String {
    format!("52:54:00:00:00:{number:02X}")
}

/// The settings of board 1 (192.168.129.42, primary) or 2 (192.168.129.43, secondary) on the bench, without `record`.
#[must_use]
pub fn settings(number: u8) -> String {
    let station_type = if number == 1 { "primary" } else { "secondary" };
    format!(
        "station_type={station_type} own_ip=192.168.129.{}/24 peer_ip=192.168.129.{} cluster_ip={CLUSTER_IP}/24 \
         gateway=192.168.129.1 heartbeat_timeout={} fast_failover=false hardware_fault_switch=FXO1,FXO2",
        41 + number,
        44 - number,
        TIMEOUT.as_secs()
    )
}

/// The emulator's command line: the image with these settings; the LAN on the tap interface `tap`; and four sockets in
/// `dir` that it connects to: console, cable, QMP (its monitor) and qtest (its pins).
///
/// The MAX7310 is the port expander with the FXO fault lines; it lands on the second shield's bus, the first that the
/// emulator finds.
#[must_use]
pub fn command(image: &Path, mac: &str, settings: &str, tap: &str, dir: &Path) -> Command {
    let words = settings.split(' ').map(|word| format!(",arg={}", word.replace(',', ",,")));
    let semihosting = format!("enable=on,target=native,arg=firmware{}", words.collect::<String>());
    let socket = |name: &str| format!("socket,id={name},path={}", dir.join(name).display());
    let mut command = Command::new("qemu-system-arm");
    command.args(["-machine", "mps2-an386", "-nodefaults", "-display", "none", "-kernel"]).arg(image);
    command.args(["-semihosting-config", &semihosting]);
    command.args(["-netdev", &format!("tap,id=lan,ifname={tap},script=no,downscript=no")]);
    command.args(["-net", &format!("nic,netdev=lan,model=lan9118,macaddr={mac}")]);
    command.args(["-chardev", &socket("console"), "-serial", "chardev:console"]);
    command.args(["-chardev", &socket("cable"), "-serial", "chardev:cable"]);
    command.args(["-chardev", &socket("qmp"), "-mon", "chardev=qmp,mode=control"]);
    command.args(["-device", "max7310,id=fxo,bus=i2c,address=0x20"]);
    command.args(["-qtest", &format!("unix:{}", dir.join("qtest").display()), "-qtest-log", "none"]);
    command
}

/// A running board; switched off when dropped.
pub struct Board {
    child: Child,
    said: PathBuf,
    console: UnixStream,
    log: Arc<Mutex<String>>,
    cable: Option<UnixStream>,
    qmp: BufReader<UnixStream>,
    qtest: BufReader<UnixStream>,
}

impl Board {
    /// Switches board `number` on, with these settings and its own files in `dir`. Its record stays there.
    #[must_use]
    pub fn start(number: u8, settings: &str, dir: &Path) -> Self {
        let image = image().expect("the site was made");
        let dir = dir.join(format!("board{number}"));
        std::fs::create_dir_all(&dir).unwrap();
        let listeners = ["console", "cable", "qmp", "qtest"].map(|name| {
            let path = dir.join(name);
            if path.exists() {
                std::fs::remove_file(&path).unwrap();
            }
            UnixListener::bind(path).unwrap()
        });
        let said = dir.join("said");
        let output = File::create(&said).unwrap();
        let settings = format!("{settings} record={}", dir.join("record").display());
        let mut command = command(&image, &mac(number), &settings, &format!("board{number}"), &dir);
        command.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        let mut child = command.spawn().expect("qemu-system-arm is installed");
        let [console, cable, qmp, qtest] = listeners.map(|listener| accept(&listener, &mut child, &said));
        let log = Arc::new(Mutex::new(String::new()));
        keep_reading(console.try_clone().unwrap(), Arc::clone(&log));
        let (qmp, qtest) = (BufReader::new(qmp), BufReader::new(qtest));
        let mut board = Self { child, said, console, log, cable: Some(cable), qmp, qtest };
        board.qmp("qmp_capabilities", &json!({}));
        board
    }

    /// The serial line of the cable. It can be taken once.
    pub fn take_cable(&mut self) -> UnixStream {
        self.cable.take().expect("the cable was not taken yet")
    }

    /// What the console has shown.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the console shows `text` for the `count`th time.
    #[track_caller]
    pub fn wait_for(&self, text: &str, count: usize) {
        let begun = Instant::now();
        while self.log().matches(text).count() < count {
            assert!(begun.elapsed() < PATIENCE, "{text:?} {count} times: not in\n{}{}", self.log(), self.said());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Types a command on the console.
    pub fn type_line(&mut self, line: &str) {
        self.console.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The status, as the console gives it.
    #[track_caller]
    pub fn status(&mut self) -> Value {
        let known = self.log().len();
        self.type_line("status");
        let mut answer = None;
        wait_until("the status is shown", || {
            let log = self.log();
            let lines = log[known..].split_inclusive('\n').filter(|line| line.ends_with('\n'));
            answer = lines.map(str::trim).find(|line| line.starts_with('{')).map(str::to_owned);
            answer.is_some()
        });
        let answer = answer.unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The role.
    #[track_caller]
    pub fn role(&mut self) -> String {
        self.status()["role"].as_str().unwrap().to_owned()
    }

    /// Drives the fault line of an FXO port, counted from 1.
    pub fn set_fault_line(&mut self, port: u8, high: bool) {
        let command = format!("set_irq_in /machine/peripheral/fxo unnamed-gpio-in {} {}\n", port - 1, u8::from(high));
        self.qtest.get_mut().write_all(command.as_bytes()).unwrap();
        let mut answer = String::new();
        self.qtest.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "OK", "{command}");
    }

    /// Plugs the Ethernet cable in or out.
    pub fn set_lan_carrier(&mut self, up: bool) {
        self.qmp("set_link", &json!({ "name": "lan", "up": up }));
    }

    /// Halts or resumes everything, as a stop of the whole machine would. The clock goes on.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Takes the power away.
    pub fn switch_off(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn qmp(&mut self, command: &str, arguments: &Value) {
        let request = json!({ "execute": command, "arguments": arguments });
        self.qmp.get_mut().write_all(format!("{request}\n").as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            assert!(self.qmp.read_line(&mut line).unwrap() > 0, "{command}: the emulator has ended");
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert!(answer.get("error").is_none(), "{command}: {answer}");
            if answer.get("return").is_some() {
                return;
            }
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        self.child.wait().unwrap();
        if std::thread::panicking() {
            println!("console:\n{}{}", self.log(), self.said());
        }
    }
}

fn accept(listener: &UnixListener, child: &mut Child, said: &Path) -> UnixStream {
    listener.set_nonblocking(true).unwrap();
    let mut stream = None;
    wait_until("the emulator connects", || {
        stream = listener.accept().ok();
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "the emulator has ended: {}", std::fs::read_to_string(said).unwrap());
        stream.is_some()
    });
    let (stream, _) = stream.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Reads until the board is gone: a console that nobody reads would hold up the emulated line.
fn keep_reading(mut console: UnixStream, log: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = console.read(&mut buffer) {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    });
}
