//! The Linux daemon on the bench.

use crate::linux::Linux;
use crate::site::LinuxNode;
use crate::{CLUSTER_IP, TIMEOUT, wait_until};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Where `targets/mps2-an386/test` says that the command is.
fn program() -> PathBuf {
    std::env::var_os("UCM_HA").map(PathBuf::from).expect("UCM_HA names the command; run targets/mps2-an386/test")
}

/// A running daemon: the secondary, 192.168.129.43. Killed when dropped.
pub struct Daemon<'a> {
    node: &'a LinuxNode,
    child: Child,
    dir: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl<'a> Daemon<'a> {
    /// Starts it on the node, its files in `dir`. It has the settings of the boards.
    #[must_use]
    pub fn start(node: &'a LinuxNode, dir: &Path) -> Self {
        let (config, log) = (dir.join("config.toml"), dir.join("daemon.log"));
        fs::write(&config, configuration(dir)).unwrap();
        let child = spawn(node, dir, &config, &log);
        Self { node, child, dir: dir.to_owned(), config, log }
    }

    /// What a command line of the program does.
    #[must_use]
    pub fn ask(&self, words: &str) -> Output {
        let mut command = Command::new(program());
        command.args(words.split(' ')).arg("--config").arg(&self.config);
        self.node.run(move || command.output().unwrap())
    }
}

impl Linux for Daemon<'_> {
    fn status(&mut self) -> Value {
        let answer = self.ask("status --json");
        assert!(answer.status.success(), "{answer:?}");
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    fn switch(&mut self) -> Option<i32> {
        self.ask("switch").status.code()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start(&mut self) {
        self.child = spawn(self.node, &self.dir, &self.config, &self.log);
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        self.child.wait().unwrap();
        if std::thread::panicking() {
            println!("daemon:\n{}", fs::read_to_string(&self.log).unwrap());
        }
    }
}

/// Runs the daemon on the node, and waits until it is ready.
fn spawn(node: &LinuxNode, dir: &Path, config: &Path, log: &Path) -> Child {
    let ready = dir.join("daemon.out");
    let (out, err) = (File::create(&ready).unwrap(), File::create(log).unwrap());
    let mut command = Command::new(program());
    command.args(["run", "--config"]).arg(config).stdin(Stdio::null()).stdout(out).stderr(err);
    let child = node.run(move || command.spawn().unwrap());
    wait_until("the daemon is ready", || fs::read_to_string(&ready).unwrap() == "ready\n");
    child
}

fn configuration(dir: &Path) -> String {
    format!(
        "[ha]\nenable = true\nstation_type = \"secondary\"\ncluster_ip = \"{CLUSTER_IP}/24\"\n\
         peer_ip = \"192.168.129.42\"\nheartbeat_timeout = {}\nfast_failover = false\n\
         hardware_fault_switch = [\"FXO1\", \"FXO2\"]\nallow_unauthenticated = true\n\n\
         [network]\nmethod = \"switch\"\nlan_interface = \"eth0\"\nheartbeat_interface = \"eth1\"\n\
         gateway = \"192.168.129.1\"\n\n[device]\nmodel = \"UCM6304A\"\nfirmware = \"1.0.10.2\"\n\n\
         [paths]\nstate_dir = {:?}\nrun_dir = {:?}\n",
        TIMEOUT.as_secs(),
        dir.join("state").display().to_string(),
        dir.join("run").display().to_string(),
    )
}
