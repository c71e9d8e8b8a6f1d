//! Values of single settings: what is accepted, and what is said when it is not.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use toml::Value;
use ucm_ha::types::{Firmware, MacAddr, Model, NetworkMethod, StationType};

/// Longest name of a network interface on Linux, in bytes.
const MAX_INTERFACE_NAME: usize = 15;
/// Longest name of a service, in bytes.
const MAX_SERVICE_NAME: usize = 32;
/// Longest name of a systemd unit, in bytes.
const MAX_UNIT_NAME: usize = 255;
/// The slice of a unit that says nothing else.
const SYSTEM_SLICE: &str = "system.slice";

fn of_type<T>(wanted: &str, value: &Value, found: Option<T>) -> Result<T, String> {
    found.ok_or_else(|| format!("must be {wanted}, not {}", article(value.type_str())))
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    of_type("true or false", value, value.as_bool())
}

pub(super) fn text(value: &Value) -> Result<&str, String> {
    of_type("a string in quotes", value, value.as_str())
}

/// A whole number in `range`; the message says what the number is, e.g. `seconds`.
pub(super) fn number<T: TryFrom<i64>>(
    range: RangeInclusive<i64>,
    unit: &'static str,
) -> impl FnOnce(&Value) -> Result<T, String> {
    move |value| {
        let number = of_type("a whole number", value, value.as_integer())?;
        let in_range = range.contains(&number).then_some(number).and_then(|number| T::try_from(number).ok());
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        in_range.ok_or_else(|| format!("must be {} to {}{unit}", range.start(), range.end()))
    }
}

/// Strings, each taken by `parse`.
pub(super) fn list<T>(parse: impl Fn(&str) -> Result<T, String>) -> impl FnOnce(&Value) -> Result<Vec<T>, String> {
    move |value| {
        let entries = of_type("a list of strings", value, value.as_array())?;
        entries.iter().map(|entry| parse(text(entry)?)).collect()
    }
}

/// A program and its arguments.
pub(super) fn command(value: &Value) -> Result<Vec<String>, String> {
    let words = list(|word| Ok(word.to_owned()))(value)?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err("names no program; give it as [\"program\", \"argument\", …]".to_owned()),
    }
}

pub(super) fn station_type(value: &Value) -> Result<StationType, String> {
    match text(value)? {
        "primary" => Ok(StationType::Primary),
        "secondary" => Ok(StationType::Secondary),
        _ => Err("must be \"primary\" or \"secondary\"".to_owned()),
    }
}

pub(super) fn network_method(value: &Value) -> Result<NetworkMethod, String> {
    match text(value)? {
        "switch" => Ok(NetworkMethod::Switch),
        "router" => Ok(NetworkMethod::Router),
        _ => Err("must be \"switch\" or \"router\"".to_owned()),
    }
}

pub(super) fn model(value: &Value) -> Result<Model, String> {
    let name = text(value)?;
    Model::ALL.into_iter().find(|model| model.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Model::ALL.iter().map(|model| model.name()).collect();
        format!("is not a model with high availability; must be one of {}", names.join(", "))
    })
}

pub(super) fn firmware(value: &Value) -> Result<Firmware, String> {
    let parts: Option<Vec<u8>> = text(value)?.split('.').map(plain_number).collect();
    match parts.as_deref() {
        Some(&[a, b, c, d]) if Firmware([a, b, c, d]) >= Firmware::OLDEST => Ok(Firmware([a, b, c, d])),
        Some(&[_, _, _, _]) => Err(format!("has no high availability; must be {} or higher", Firmware::OLDEST)),
        _ => Err("must be four numbers of 0 to 255, as in \"1.0.10.2\"".to_owned()),
    }
}

/// A decimal number without sign or blanks (which `parse` would take).
fn plain_number(digits: &str) -> Option<u8> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

pub(super) fn ipv4(value: &Value) -> Result<Ipv4Addr, String> {
    host_address(text(value)?)
}

fn host_address(text: &str) -> Result<Ipv4Addr, String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err("is an IPv6 address; the pair works with IPv4 only, as in \"192.168.129.43\"".to_owned());
    }
    let address: Ipv4Addr = text.parse().map_err(|_| "must be an IPv4 address, as in \"192.168.129.43\"".to_owned())?;
    if address.is_unspecified() || address.is_multicast() || address.is_loopback() || address.is_broadcast() {
        return Err("is not the address of a host; give an address of the LAN".to_owned());
    }
    Ok(address)
}

/// An address, with a prefix length or without.
pub(super) fn ipv4_with_prefix(value: &Value) -> Result<(Ipv4Addr, Option<u8>), String> {
    match text(value)?.split_once('/') {
        None => Ok((ipv4(value)?, None)),
        Some((address, prefix)) => {
            // First what it is: the prefix of another kind of address is no mistake of its own.
            let address = host_address(address)?;
            match plain_number(prefix) {
                Some(prefix @ 1..=32) => Ok((address, Some(prefix))),
                _ => Err("must have a prefix of 1 to 32 bits, as in \"192.168.129.64/24\"".to_owned()),
            }
        }
    }
}

/// `C0:74:AD:53:73:6C` or `C074AD53736C`, in either case.
pub(super) fn mac(value: &Value) -> Result<MacAddr, String> {
    let text = text(value)?;
    let digits: String = match text.len() {
        12 => text.to_owned(),
        17 if text.bytes().skip(2).step_by(3).all(|byte| byte == b':') => text.replace(':', ""),
        _ => String::new(),
    };
    let parsed = (digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .then(|| u64::from_str_radix(&digits, 16).ok())
        .flatten();
    let Some(bits) = parsed else {
        return Err("must be a MAC address, as in \"C0:74:AD:53:73:6C\" or \"C074AD53736C\"".to_owned());
    };
    let [_, _, bytes @ ..] = bits.to_be_bytes();
    match MacAddr(bytes) {
        mac if mac.is_unicast() => Ok(mac),
        _ => Err("is not the MAC address of one station; give the one on the other node's label".to_owned()),
    }
}

pub(super) fn interface(value: &Value) -> Result<String, String> {
    let name = text(value)?;
    let taken = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
    if name.is_empty() || name.len() > MAX_INTERFACE_NAME || !name.bytes().all(taken) || name == "." || name == ".." {
        return Err("is not the name of a network interface; `ip link` lists them".to_owned());
    }
    Ok(name.to_owned())
}

pub(super) fn absolute_path(value: &Value) -> Result<PathBuf, String> {
    let path = PathBuf::from(text(value)?);
    if path.is_absolute() { Ok(path) } else { Err("must be an absolute path".to_owned()) }
}

/// The address of a web server without TLS.
pub(super) fn http_url(value: &Value) -> Result<String, String> {
    let url = text(value)?;
    match url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty()) {
        true if url.parse::<ureq::http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty())) => {
            Ok(url.to_owned())
        }
        true => Err("is not the address of a web server; write it as \"http://192.168.129.5/events\"".to_owned()),
        false => Err("must begin with \"http://\" and a host name".to_owned()),
    }
}

pub(super) fn service_name(value: &Value) -> Result<String, String> {
    let name = text(value)?;
    check_service_name(name).map(|()| name.to_owned())
}

/// Whether this can be the name of a service; an error says what can.
pub(crate) fn check_service_name(name: &str) -> Result<(), String> {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > MAX_SERVICE_NAME || !name.bytes().all(taken) {
        return Err(format!("must be 1 to {MAX_SERVICE_NAME} letters, digits, `.`, `_` or `-`"));
    }
    Ok(())
}

/// The cgroup of a systemd service, below the root of all: of a name alone in the system slice, else in the slices before it.
pub(super) fn unit_cgroup(value: &Value) -> Result<PathBuf, String> {
    let text = text(value)?;
    let (slices, unit) = text.rsplit_once('/').unwrap_or((SYSTEM_SLICE, text));
    if is_unit_name(unit, ".service") && slices.split('/').all(|slice| is_unit_name(slice, ".slice")) {
        return Ok(Path::new(slices).join(unit));
    }
    Err("is not the name of a service unit; write it as \"asterisk.service\", outside system.slice with all its slices as \
         \"pbx.slice/asterisk.service\""
        .to_owned())
}

fn is_unit_name(name: &str, kind: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let stem = name.strip_suffix(kind).filter(|stem| !stem.is_empty() && name.len() <= MAX_UNIT_NAME);
    stem.is_some_and(|stem| stem.bytes().all(taken))
}
