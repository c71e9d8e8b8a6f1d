//! Asterisk on a node: from Debian's files in a folder, with a configuration and directories of its own.

use lab::error::Context;
use lab::netns::Netns;
use lab::paths::directory;
use lab::plan::{CLUSTER_IP, Node, PHONE};
use lab::priority;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The modules that run: a PBX with PJSIP, the module of this project, and the one that makes deadlocks.
const MODULES: [&str; 21] = [
    "app_dial",
    "app_echo",
    "chan_pjsip",
    "codec_ulaw",
    "pbx_config",
    "res_clioriginate",
    "res_ha_deadlock",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_authenticator_digest",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_pubsub",
    "res_pjsip_registrar",
    "res_pjsip_sdp_rtp",
    "res_pjsip_session",
    "res_rtp_asterisk",
    "res_sorcery_astdb",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_timing_timerfd",
    "res_ucm_ha",
];
/// Time between two kicks.
pub(crate) const KICK_INTERVAL_MS: u32 = 200;
/// Who the manager client is.
pub(crate) const MANAGER: (&str, &str) = ("bench", "only-for-tests");
/// Who the phone is.
pub(crate) const PHONE_USER: (&str, &str) = ("100", "only-for-tests");

/// Asterisk of one node. Dropping this kills it.
pub(crate) struct Asterisk {
    node: Node,
    root: PathBuf,
    process: Option<Child>,
}

impl Asterisk {
    /// Configures it, with the files of Debian in `root`. The daemon's directory is there already.
    pub(crate) fn configure(node: Node, root: &Path) -> io::Result<Self> {
        for part in ["etc", "lib", "log", "spool", "run", "modules"] {
            fs::create_dir_all(home(node).join(part)).context("cannot make a directory for Asterisk")?;
        }
        let modules = modules_folder(root)?;
        for module in MODULES {
            let file = format!("{module}.so");
            if !root.join(modules.strip_prefix("/").map_err(io::Error::other)?).join(&file).exists() {
                return Err(io::Error::other(format!("{file} is not among the modules; run targets/asterisk/check")));
            }
            symlink(modules.join(&file), home(node).join("modules").join(file)).context("cannot link a module")?;
        }
        let asterisk = Self { node, root: root.to_owned(), process: None };
        for (file, text) in configuration(node) {
            asterisk.write(file, &text)?;
        }
        Ok(asterisk)
    }

    /// Writes a configuration file.
    pub(crate) fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(home(self.node).join("etc").join(file), text).context(format_args!("cannot write {file}"))
    }

    /// Starts it in `netns`, and waits until it is up.
    pub(crate) fn start(&mut self, netns: &Netns) -> io::Result<()> {
        self.kill()?;
        let log = File::create(home(self.node).join("log/console")).context("cannot open its log")?;
        let mut command = self.command(&["-f"]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(netns.run(|| command.spawn()).context("cannot start Asterisk")?);
        Ok(())
    }

    /// What the command line of the running Asterisk says to a command.
    pub(crate) fn ask(&self, words: &str) -> io::Result<String> {
        let done = self.command(&["-rx", words]).stdin(Stdio::null()).output().context("cannot run Asterisk")?;
        Ok(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(self.running()?), signal).context("cannot signal Asterisk")
    }

    /// Gives it the priority of the bench, which it lets go of when it starts.
    pub(crate) fn give_priority(&self) -> io::Result<()> {
        priority::give(self.running()?.id())
    }

    /// How many threads it has, and how many files are open.
    pub(crate) fn threads_and_files(&self) -> io::Result<(usize, usize)> {
        let process = self.running()?.id();
        let count = |what: &str| Ok::<_, io::Error>(fs::read_dir(format!("/proc/{process}/{what}"))?.count());
        Ok((count("task")?, count("fd")?))
    }

    /// What it said since it was started.
    pub(crate) fn log(&self) -> String {
        fs::read(home(self.node).join("log/console"))
            .map_or_else(|error| format!("(no log: {error})"), |log| String::from_utf8_lossy(&log).into_owned())
    }

    /// The exit code once it has ended; -1 after a signal.
    pub(crate) fn ended(&mut self) -> io::Result<Option<i32>> {
        let process = self.process.as_mut().ok_or_else(|| io::Error::other("Asterisk does not run"))?;
        Ok(process.try_wait()?.map(|status| status.code().unwrap_or(-1)))
    }

    /// Kills it and waits for its end.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(mut process) => {
                process.kill().context("cannot kill Asterisk")?;
                process.wait().map(drop)
            }
            None => Ok(()),
        }
    }

    fn running(&self) -> io::Result<&Child> {
        self.process.as_ref().ok_or_else(|| io::Error::other("Asterisk does not run"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(["/usr/sbin/asterisk", "-C"]).arg(home(self.node).join("etc/asterisk.conf"));
        command.args(arguments).env("TERM", "dumb");
        command
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("asterisk-bench: {error}");
        }
    }
}

/// Its pid file.
pub(crate) fn pid_file(node: Node) -> PathBuf {
    home(node).join("run/asterisk.pid")
}

fn home(node: Node) -> PathBuf {
    directory(node).join("asterisk")
}

/// Where Debian has Asterisk's modules, as Asterisk sees it.
fn modules_folder(root: &Path) -> io::Result<PathBuf> {
    for entry in fs::read_dir(root.join("usr/lib")).context("cannot look for Asterisk's modules")? {
        let folder = Path::new("/usr/lib").join(entry?.file_name()).join("asterisk/modules");
        if root.join(folder.strip_prefix("/").map_err(io::Error::other)?).is_dir() {
            return Ok(folder);
        }
    }
    Err(io::Error::other(format!("no Asterisk in {}; run targets/asterisk/check", root.display())))
}

fn configuration(node: Node) -> Vec<(&'static str, String)> {
    let (manager, manager_secret) = MANAGER;
    let (user, secret) = PHONE_USER;
    vec![
        ("asterisk.conf", directories(node)),
        ("modules.conf", "[modules]\nautoload = yes\n".to_owned()),
        ("logger.conf", "[logfiles]\nconsole => notice,warning,error,verbose\n".to_owned()),
        ("extensions.conf", "[phones]\nexten => 200,1,Answer()\n same => n,Echo()\n".to_owned()),
        (
            "manager.conf",
            format!(
                "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = 5038\n\
                 [{manager}]\nsecret = {manager_secret}\nread = system\nwrite = system\n"
            ),
        ),
        (
            "pjsip.conf",
            format!(
                "[global]\ntype = global\nuser_agent = node {node}\n\
                 [udp]\ntype = transport\nprotocol = udp\nbind = {}:5060\n\
                 [{user}]\ntype = endpoint\ncontext = phones\nallow = !all,ulaw\nauth = {user}\naors = {user}\n\
                 [{user}]\ntype = auth\nauth_type = userpass\nusername = {user}\npassword = {secret}\n\
                 [{user}]\ntype = aor\nmax_contacts = 1\nremove_existing = yes\n\
                 [phone]\ntype = identify\nendpoint = {user}\nmatch = {}\n",
                CLUSTER_IP.address, PHONE.address
            ),
        ),
        ("ucm_ha.conf", ha_configuration(node, KICK_INTERVAL_MS)),
    ]
}

fn directories(node: Node) -> String {
    let home = home(node);
    let mut text = "[directories]\n".to_owned();
    let places = [
        ("astetcdir", "etc"),
        ("astmoddir", "modules"),
        ("astvarlibdir", "lib"),
        ("astdbdir", "lib"),
        ("astkeydir", "lib"),
        ("astagidir", "lib"),
        ("astspooldir", "spool"),
        ("astrundir", "run"),
        ("astlogdir", "log"),
    ];
    for (setting, part) in places {
        // Writing to a string does not fail.
        let _written = writeln!(text, "{setting} => {}", home.join(part).display());
    }
    text + "astdatadir => /usr/share/asterisk\n[options]\nverbose = 3\nnocolor = yes\n"
}

/// The module's own configuration.
pub(crate) fn ha_configuration(node: Node, kick_interval_ms: u32) -> String {
    let run = directory(node).join("run");
    format!(
        "[general]\ncontrol_socket = {0}/control.sock\nkick_socket = {0}/kick.sock\nservice = asterisk\n\
         kick_interval_ms = {kick_interval_ms}\n",
        run.display()
    )
}
