//! A node of another pair on the heartbeat segment: a third daemon as it is shipped, whose own peer is not there.

use crate::error::Context;
use crate::links::End;
use crate::paths::{DAEMON, ROOT, daemon_program};
use crate::plan::{CABLE, GATEWAY, LAN};
use crate::site::{CABLE_BRIDGE, Site, attach};
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use ucm_ha::types::Cidr;

/// Its ports on the switch.
const LAN_PORT: &str = "neighbour-lan";
const CABLE_PORT: &str = "neighbour-cable";
/// Its static address. That of its peer follows, and its cluster IP.
pub(crate) const ADDRESS: Cidr = Cidr { address: Ipv4Addr::new(192, 168, 129, 52), prefix_len: 24 };
/// A key that the pair does not have.
const KEY: &str = "7777777777777777777777777777777777777777777777777777777777777777";

/// Whether another pair has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// One of its own.
    Yes,
    /// None, as shipped.
    No,
}

/// The node. Dropping this kills its daemon.
pub(crate) struct Neighbour {
    daemon: Child,
    _site: Site,
}

fn directory() -> PathBuf {
    PathBuf::from(ROOT).join("neighbour")
}

impl Neighbour {
    /// Plugs its cable into the switch that carries the pair's, its LAN port into the pair's LAN, and starts it.
    pub(crate) fn arrive(switch: &mut Site, keyed: Keyed) -> io::Result<Self> {
        let mut site = Site::create()?;
        attach(switch, &mut site, LAN_PORT, ADDRESS)?;
        let near = End { name: CABLE_PORT, netns: &switch.netns, mac: None };
        switch.links.add_veth(&near, &End { name: CABLE, netns: &site.netns, mac: None })?;
        switch.links.plug(CABLE_PORT, Some(CABLE_BRIDGE))?;
        switch.links.set_up(CABLE_PORT, true)?;
        site.links.set_up(CABLE, true)?;
        let daemon = start(&site, keyed)?;
        Ok(Self { daemon, _site: site })
    }

    /// Leaves.
    pub(crate) fn leave(mut self, switch: &mut Site) -> io::Result<()> {
        self.kill()?;
        // The kernel removes what is in a namespace some time after its end: only afterwards may it end.
        [LAN_PORT, CABLE_PORT].into_iter().try_for_each(|port| switch.links.delete(port))
    }

    fn kill(&mut self) -> io::Result<()> {
        self.daemon.kill().context("cannot kill the neighbour's daemon")?;
        self.daemon.wait().map(drop)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("lab: {error}");
        }
    }
}

fn start(site: &Site, keyed: Keyed) -> io::Result<Child> {
    let directory = directory();
    fs::create_dir_all(&directory).context("cannot make the neighbour's directory")?;
    let key_file = directory.join("key");
    fs::write(&key_file, KEY).context("cannot write the neighbour's key")?;
    fs::set_permissions(&key_file, Permissions::from_mode(0o600))?;
    let key = match keyed {
        Keyed::Yes => format!("key_file = \"{}\"", key_file.display()),
        Keyed::No => "allow_unauthenticated = true".to_owned(),
    };
    let config = format!(
        "[ha]\n\
         enable = true\n\
         station_type = \"primary\"\n\
         cluster_ip = \"192.168.129.54/24\"\n\
         peer_ip = \"192.168.129.53\"\n\
         heartbeat_timeout = 3\n\
         {key}\n\
         [network]\n\
         method = \"switch\"\n\
         lan_interface = \"{LAN}\"\n\
         heartbeat_interface = \"{CABLE}\"\n\
         gateway = \"{}\"\n\
         [device]\n\
         model = \"UCM6304A\"\n\
         firmware = \"1.0.10.2\"\n\
         [paths]\n\
         state_dir = \"{state}/state\"\n\
         run_dir = \"{state}/run\"\n",
        GATEWAY.address,
        state = directory.display(),
    );
    let file = directory.join("config.toml");
    fs::write(&file, config).context("cannot write the neighbour's configuration")?;
    let log = OpenOptions::new().create(true).append(true).open(directory.join("log"))?;
    let mut command = Command::new(daemon_program());
    command.arg0(DAEMON).args(["run", "--config"]).arg(file);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0).env_remove("NOTIFY_SOCKET");
    site.netns.run(|| command.spawn()).context("cannot start the neighbour's daemon")
}
