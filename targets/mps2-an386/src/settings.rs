//! The settings of one node, from a line of words `key=value`. The keys are those of the daemon's configuration file.

use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;
use ucm_ha::Config;
use ucm_ha::config::ConfigError;
use ucm_ha::fault::Faults;
use ucm_ha::types::{Cidr, Firmware, Key, MacAddr, Model, StationType};

/// Bit of a MAC address that marks it as given locally, not by the card's maker.
const LOCALLY_ADMINISTERED: u8 = 1 << 1;

/// The settings of this node.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// What the core has to know.
    pub config: Config,
    /// `record`: the file for what survives a restart; empty when nothing does.
    pub record: &'a str,
}

/// Why a line of settings cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem<'a> {
    /// The word has no `=`.
    NotAPair(&'a str),
    /// There is no such setting.
    Unknown(&'a str),
    /// The value is not of the form that the setting has.
    Unreadable {
        /// Which setting.
        key: &'static str,
        /// Its value.
        value: &'a str,
        /// The form it should have.
        form: &'static str,
    },
    /// A setting that must be there is not.
    Missing(&'static str),
    /// A rule of the core is violated.
    Refused(ConfigError),
}

/// The setting that a rule of the core is about. But for one it is called as the core's field.
fn setting_of(error: ConfigError) -> &'static str {
    match error.field() {
        "heartbeat_timeout_s" => "heartbeat_timeout",
        field => field,
    }
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPair(word) => write!(f, "{word}: is not key=value"),
            Self::Unknown(key) => write!(f, "{key}: is not a setting"),
            // The value of the key is a secret.
            Self::Unreadable { key: "key", form, .. } => write!(f, "key: must be {form}"),
            Self::Unreadable { key, value, form } => write!(f, "{key} = {value}: must be {form}"),
            Self::Missing(key) => write!(f, "{key}: is missing; give it"),
            Self::Refused(error) => write!(f, "{}: {}", setting_of(*error), error.reason()),
        }
    }
}

/// The words of a line, before it is known whether all are there that must be.
struct Words<'a> {
    station_type: Option<StationType>,
    own_ip: Option<Cidr>,
    cluster_ip: Option<Cidr>,
    peer_ip: Option<Ipv4Addr>,
    config: Config,
    record: &'a str,
}

/// Reads a line of settings for the station `mac`.
///
/// # Errors
/// The first problem; nothing of the line may be used then.
pub fn parse(line: &str, mac: MacAddr) -> Result<Settings<'_>, Problem<'_>> {
    let mut words =
        Words { station_type: None, own_ip: None, cluster_ip: None, peer_ip: None, config: defaults(mac), record: "" };
    for word in line.split_ascii_whitespace() {
        let (key, value) = word.split_once('=').ok_or(Problem::NotAPair(word))?;
        words.take(key, value)?;
    }
    let mut config = words.config;
    config.station_type = words.station_type.ok_or(Problem::Missing("station_type"))?;
    config.own_ip = words.own_ip.ok_or(Problem::Missing("own_ip"))?;
    config.cluster_ip = words.cluster_ip.ok_or(Problem::Missing("cluster_ip"))?;
    config.peer_ip = words.peer_ip.ok_or(Problem::Missing("peer_ip"))?;
    config.validate().map_err(Problem::Refused)?;
    Ok(Settings { config, record: words.record })
}

/// The settings that need not be given; the others are replaced.
fn defaults(mac: MacAddr) -> Config {
    let [first, rest @ ..] = mac.0;
    let [b, c, d, e, f] = rest;
    let nowhere = Cidr { address: Ipv4Addr::UNSPECIFIED, prefix_len: 0 };
    // A serial line has no MAC address; the frames on it need one.
    let cable_mac = MacAddr([first ^ LOCALLY_ADMINISTERED, b, c, d, e, f]);
    let mut config = Config::new(StationType::Primary, mac, cable_mac, nowhere, nowhere, Ipv4Addr::UNSPECIFIED);
    config.model = Model::Ucm6304A;
    config.firmware = Firmware([1, 0, 10, 2]);
    config
}

impl<'a> Words<'a> {
    fn take(&mut self, key: &'a str, value: &'a str) -> Result<(), Problem<'a>> {
        let config = &mut self.config;
        let bad = |key, form| Problem::Unreadable { key, value, form };
        let address = |key| value.parse::<Ipv4Addr>().map_err(|_| bad(key, "an IPv4 address"));
        let subnet = |key| cidr(value).ok_or(bad(key, "an IPv4 address with its prefix length, as 192.168.129.42/24"));
        let truth = |key| value.parse::<bool>().map_err(|_| bad(key, "true or false"));
        match key {
            "station_type" => {
                let station_type = station_type(value).ok_or(bad("station_type", "primary or secondary"))?;
                self.station_type = Some(station_type);
            }
            "own_ip" => self.own_ip = Some(subnet("own_ip")?),
            "cluster_ip" => self.cluster_ip = Some(subnet("cluster_ip")?),
            "peer_ip" => self.peer_ip = Some(address("peer_ip")?),
            "peer_mac" => config.peer_mac = Some(mac(value).ok_or(bad("peer_mac", "six pairs of hex digits"))?),
            "gateway" => config.gateway = Some(address("gateway")?),
            "heartbeat_port" => config.heartbeat_port = number(value).ok_or(bad("heartbeat_port", "1 to 65535"))?,
            "heartbeat_timeout" => {
                config.heartbeat_timeout_s = number(value).ok_or(bad("heartbeat_timeout", "3 to 10 seconds"))?;
            }
            "fast_failover" => config.fast_failover = truth("fast_failover")?,
            "software_fault_switch" => {
                config.fault.switching.set(Faults::SERVICE, truth("software_fault_switch")?);
            }
            "hardware_fault_switch" => {
                let ports = ports(value).ok_or(bad("hardware_fault_switch", "FXO ports, as FXO1,FXO2"))?;
                config.fault.switching |= ports;
            }
            "key" => config.key = Some(Key(bytes(value).ok_or(bad("key", "64 hex digits"))?)),
            "model" => {
                let known = Model::ALL.into_iter().find(|model| model.name() == value);
                config.model = known.ok_or(bad("model", "a model, as UCM6304A"))?;
            }
            "firmware" => {
                config.firmware = firmware(value).ok_or(bad("firmware", "a version, as 1.0.10.2"))?;
            }
            "record" => self.record = value,
            _ => return Err(Problem::Unknown(key)),
        }
        Ok(())
    }
}

fn station_type(value: &str) -> Option<StationType> {
    match value {
        "primary" => Some(StationType::Primary),
        "secondary" => Some(StationType::Secondary),
        _ => None,
    }
}

fn number<N: FromStr>(value: &str) -> Option<N> {
    value.parse().ok()
}

fn cidr(value: &str) -> Option<Cidr> {
    let (address, prefix_len) = value.split_once('/')?;
    Some(Cidr { address: address.parse().ok()?, prefix_len: number(prefix_len)? })
}

/// `C0:74:AD:53:73:6C`, or the same without colons.
fn mac(value: &str) -> Option<MacAddr> {
    let mut digits = heapless::String::<12>::new();
    for part in value.split(':') {
        digits.push_str(part).ok()?;
    }
    bytes(&digits).map(MacAddr)
}

fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

fn ports(value: &str) -> Option<Faults> {
    let mut all = Faults::empty();
    for name in value.split(',').filter(|name| !name.is_empty()) {
        let port = Faults::from_name(name).filter(|port| Faults::FXO.contains(*port))?;
        all |= port;
    }
    Some(all)
}

fn firmware(value: &str) -> Option<Firmware> {
    let mut numbers = [0; 4];
    let mut parts = value.split('.');
    for slot in &mut numbers {
        *slot = number(parts.next()?)?;
    }
    parts.next().is_none().then_some(Firmware(numbers))
}

#[cfg(test)]
mod tests;
