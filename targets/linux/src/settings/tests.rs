use super::*;
use crate::net::interface::{Interface, InterfaceAddress};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use ucm_ha::types::{Cidr, MacAddr};

use ucm_ha::fault::Faults;
use ucm_ha::fxo::fault_line::Polarity;
use ucm_ha::fxo::si3050::Framing;

const OWN_MAC: MacAddr = MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x72]);
const CABLE_MAC: MacAddr = MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x73]);
const OWN_IP: Ipv4Addr = Ipv4Addr::new(192, 168, 129, 42);

/// A configuration with nothing wrong; tests change one line of it.
const GOOD: &str = r#"
[ha]
enable = true
station_type = "primary"
cluster_ip = "192.168.129.64/24"
peer_ip = "192.168.129.43"
peer_mac = "C0:74:AD:53:73:6C"
heartbeat_port = 9527
heartbeat_timeout = 7
hardware_fault_switch = ["FXO1"]
fast_failover = true
allow_unauthenticated = true

[network]
method = "switch"
lan_interface = "eth0"
heartbeat_interface = "eth1"
gateway = "192.168.129.1"

[device]
model = "UCM6304A"
firmware = "1.0.10.2"
"#;

fn interface(name: &str, index: u32, mac: MacAddr, addresses: &[(Ipv4Addr, bool)]) -> Interface {
    let addresses = addresses
        .iter()
        .map(|&(address, permanent)| InterfaceAddress { cidr: Cidr { address, prefix_len: 24 }, permanent })
        .collect();
    Interface { name: name.to_owned(), index, mac: Some(mac), carrier: true, addresses }
}

fn machine() -> Vec<Interface> {
    vec![interface("eth0", 2, OWN_MAC, &[(OWN_IP, true)]), interface("eth1", 3, CABLE_MAC, &[])]
}

/// What is said about a file on a machine, a line for each problem, and whether a daemon could run on it.
fn judge(text: &str, interfaces: &[Interface]) -> (Vec<String>, Option<Resolved>) {
    let mut problems = Vec::new();
    let resolved = parse(text, &mut problems).and_then(|sections| resolve(&sections, interfaces, &mut problems));
    (problems.iter().map(ToString::to_string).collect(), resolved)
}

/// [`GOOD`] with one line replaced.
fn with(line: &str, replacement: &str) -> String {
    assert!(GOOD.contains(line), "{line}");
    GOOD.replacen(line, replacement, 1)
}

/// The one line that is said about [`GOOD`] with one line replaced; a daemon must not run on it.
#[track_caller]
fn complaint(line: &str, replacement: &str) -> String {
    let (problems, resolved) = judge(&with(line, replacement), &machine());
    assert!(resolved.is_none(), "{replacement}: accepted");
    assert_eq!(problems.len(), 1, "{replacement}: {problems:#?}");
    problems.concat()
}

#[test]
fn a_good_configuration_has_no_problem_and_becomes_the_nodes() {
    let (problems, resolved) = judge(GOOD, &machine());
    assert_eq!(problems, Vec::<String>::new());
    let config = resolved.unwrap().config;
    assert_eq!((config.mac, config.cable_mac), (OWN_MAC, CABLE_MAC));
    assert_eq!(config.own_ip, Cidr { address: OWN_IP, prefix_len: 24 });
    assert_eq!(config.cluster_ip.to_string(), "192.168.129.64/24");
    assert_eq!(config.fault.switching, Faults::FXO1);
}

#[test]
fn the_delivered_configuration_asks_for_a_key_or_the_wish_for_none_and_for_nothing_else() {
    let delivered = include_str!("../../dist/config.toml");
    let (problems, _) = judge(delivered, &machine());
    assert!(matches!(&problems[..], [only] if only.starts_with("ha.key_file: is missing")), "{problems:?}");
    let (problems, resolved) = judge(&delivered.replace("# allow_", "allow_"), &machine());
    assert_eq!(problems, Vec::<String>::new());
    assert!(resolved.is_some());
}

/// Whoever removes a comment sign must find a setting behind it that is accepted.
#[test]
fn every_setting_that_the_delivered_configuration_shows_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    write_key(&key, &"0f".repeat(32), 0o600);
    let is_setting = |line: &str| {
        let name_len = line.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(0);
        line.starts_with('[') || (name_len > 0 && line[name_len..].starts_with(" = "))
    };
    let shown: Vec<&str> = include_str!("../../dist/config.toml")
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line))
        .collect();
    let shown = shown.join("\n").replace("/etc/ucm-ha/key", key.to_str().unwrap());
    let mut machine = machine();
    machine.push(interface("eth2", 4, MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x74]), &[]));
    let (problems, resolved) = judge(&shown.replace("driver = \"si3050\"", "driver = \"sim\""), &machine);
    assert_eq!(problems, Vec::<String>::new());
    assert!(resolved.unwrap().config.key.is_some(), "the comment signs were removed");
}

#[test]
fn the_prefix_of_the_cluster_ip_defaults_to_the_lans() {
    let (_, resolved) = judge(&with("192.168.129.64/24", "192.168.129.64"), &machine());
    assert_eq!(resolved.unwrap().config.cluster_ip.prefix_len, 24);
}

#[test]
fn both_spellings_of_a_mac_address_are_accepted_in_either_case() {
    let peer = MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6c]);
    for spelling in ["C0:74:AD:53:73:6C", "c0:74:ad:53:73:6c", "C074AD53736C", "c074ad53736c"] {
        let (problems, resolved) = judge(&with("C0:74:AD:53:73:6C", spelling), &machine());
        assert_eq!(problems, Vec::<String>::new(), "{spelling}");
        assert_eq!(resolved.unwrap().config.peer_mac, Some(peer), "{spelling}");
    }
}

/// The line that is replaced, its replacement, and everything that must be said.
const ONE_MISTAKE: &[(&str, &str, &str)] = &[
    ("port = 9527", "port = 0", "ha.heartbeat_port = 0: must be 1 to 65535"),
    ("port = 9527", "port = 65536", "ha.heartbeat_port = 65536: must be 1 to 65535"),
    ("timeout = 7", "timeout = 2", "ha.heartbeat_timeout = 2: must be 3 to 10 seconds"),
    ("timeout = 7", "timeout = 11", "ha.heartbeat_timeout = 11: must be 3 to 10 seconds"),
    ("timeout = 7", "timeout = \"7\"", "ha.heartbeat_timeout = \"7\": must be a whole number, not a string"),
    ("enable = true", "enable = 1", "ha.enable = 1: must be true or false, not an integer"),
    ("\"primary\"", "\"master\"", "ha.station_type = \"master\": must be \"primary\" or \"secondary\""),
    (
        "129.64/24",
        "129.42/24",
        "ha.cluster_ip = \"192.168.129.42/24\": is this node's own address; choose a free one of the LAN",
    ),
    ("129.64/24", "129.43", "ha.cluster_ip = \"192.168.129.43\": is the peer's address; choose a free one of the LAN"),
    (
        "129.64/24",
        "130.64/24",
        "ha.cluster_ip = \"192.168.130.64/24\": is not a host address of the LAN; choose a free one",
    ),
    (
        "129.64/24",
        "129.255/24",
        "ha.cluster_ip = \"192.168.129.255/24\": is not a host address of the LAN; choose a free one",
    ),
    (
        "129.64/24",
        "129.64/33",
        "ha.cluster_ip = \"192.168.129.64/33\": must have a prefix of 1 to 32 bits, as in \"192.168.129.64/24\"",
    ),
    (
        "192.168.129.64/24",
        "fd00::1/64",
        "ha.cluster_ip = \"fd00::1/64\": is an IPv6 address; the pair works with IPv4 only, as in \"192.168.129.43\"",
    ),
    (
        "\"192.168.129.43\"",
        "\"fe80::1\"",
        "ha.peer_ip = \"fe80::1\": is an IPv6 address; the pair works with IPv4 only, as in \"192.168.129.43\"",
    ),
    (
        "\"192.168.129.43\"",
        "\"192.168.129\"",
        "ha.peer_ip = \"192.168.129\": must be an IPv4 address, as in \"192.168.129.43\"",
    ),
    (
        "\"192.168.129.43\"",
        "\"192.168.129.42\"",
        "ha.peer_ip = \"192.168.129.42\": is this node's own address; give the other node's",
    ),
    (
        "73:6C",
        "73:72",
        "ha.peer_mac = \"C0:74:AD:53:73:72\": is this node's own MAC address; give the other node's, or leave it out",
    ),
    (
        "73:6C",
        "73",
        "ha.peer_mac = \"C0:74:AD:53:73\": must be a MAC address, as in \"C0:74:AD:53:73:6C\" or \"C074AD53736C\"",
    ),
    ("\"FXO1\"", "\"FXO5\"", "ha.hardware_fault_switch = [\"FXO5\"]: names an FXO port that this model does not have"),
    (
        "\"FXO1\"",
        "\"FXS1\"",
        "ha.hardware_fault_switch = [\"FXS1\"]: \"FXS1\" is not a port; write \"FXO1\" to \"FXO8\"",
    ),
    (
        "heartbeat_port = 9527",
        "heartbeat_prot = 9527",
        "ha.heartbeat_prot = 9527: is not a setting; did you mean ha.heartbeat_port?",
    ),
    ("[device]", "[devcie]\na = 1\n[device]", "devcie = { a = 1 }: is not a setting; did you mean device?"),
    ("station_type = \"primary\"", "", "ha.station_type: is missing; set it to \"primary\" or \"secondary\""),
    (
        "lan_interface = \"eth0\"",
        "",
        "network.lan_interface: is missing; set it to the interface of the LAN, as in \"eth0\"",
    ),
    (
        "interface = \"eth1\"",
        "interface = \"eth0\"",
        "network.heartbeat_interface = \"eth0\": is the LAN interface too; the heartbeat needs a port of its own",
    ),
    (
        "gateway = \"192.168.129.1\"",
        "gateway = \"192.168.129.64\"",
        "network.gateway = \"192.168.129.64\": is an address of the pair; give the router's address, or leave it out",
    ),
    (
        "gateway = \"192.168.129.1\"",
        "gateway = \"10.0.0.1\"",
        "network.gateway = \"10.0.0.1\": is not a host address of the LAN; give the router's",
    ),
    (
        "\"UCM6304A\"",
        "\"UCM6510\"",
        "device.model = \"UCM6510\": is not a model with high availability; must be one of UCM6301, UCM6302, UCM6304, \
         UCM6308, UCM6300A, UCM6302A, UCM6304A, UCM6308A",
    ),
    (
        "\"1.0.10.2\"",
        "\"1.0.8.9\"",
        "device.firmware = \"1.0.8.9\": has no high availability; must be 1.0.9.0 or higher",
    ),
    ("\"1.0.10.2\"", "\"1.0\"", "device.firmware = \"1.0\": must be four numbers of 0 to 255, as in \"1.0.10.2\""),
    ("[device]", "[fault]\nhandover_budget = 9\n[device]", "fault.handover_budget = 9: must be 0 to 8"),
    ("[device]", "[paths]\nrun_dir = \"run\"\n[device]", "paths.run_dir = \"run\": must be an absolute path"),
    (
        "[device]",
        "[[notify]]\ncommand = [\"/bin/true\"]\nurl = \"http://host/\"\n[device]",
        "notify[0].url = \"http://host/\": contradicts command; use one [[notify]] for each",
    ),
    (
        "[device]",
        "[[notify]]\nurl = \"http://a b/\"\ntemplate = \"${MAC}\"\n[device]",
        "notify[0].url = \"http://a b/\": is not the address of a web server; write it as \"http://192.168.129.5/events\"",
    ),
    (
        "[device]",
        "[[notify]]\nurl = \"http://host/\"\ntemplate = \"${FOO}\"\n[device]",
        "notify[0].template = \"${FOO}\": has the unknown variable ${FOO}; there are ${ACTION}, ${MAC}, ${CONTENT}",
    ),
    (
        "[device]",
        "[[notify]]\ncommand = [\"/bin/true\"]\n[[notify]]\ncommand = [\"/bin/true\"]\nuser = \"no-such-user\"\n[device]",
        "notify[1].user = \"no-such-user\": is not a user of this machine; `getent passwd` lists them",
    ),
    (
        "[device]",
        "[[service]]\nname = \"asterisk\"\nprobe_timeout_ms = 500\n[device]",
        "service[0].probe_timeout_ms = 500: has no use without probe; set probe or remove this",
    ),
    (
        "[device]",
        "[[service]]\nname = \"asterisk\"\nstart_timeout_ms = 500\n[device]",
        "service[0].start_timeout_ms = 500: has no use without pid_file, unit or kick_timeout_ms; set one or remove \
         this",
    ),
    (
        "[device]",
        "[[service]]\nname = \"asterisk\"\npid_file = \"/run/a.pid\"\nunit = \"asterisk.service\"\n[device]",
        "service[0].unit = \"asterisk.service\": contradicts pid_file; remove one of them",
    ),
    (
        "[device]",
        "[fxo]\ndriver = \"gpio\"\nlines = [\"/dev/gpiochip0:4\"]\n[device]",
        "fxo.lines = [\"/dev/gpiochip0:4\"]: names 1 lines; the UCM6304A has 4 FXO ports, give one line for each",
    ),
];

/// The same in `[fxo]`.
const ONE_FXO_MISTAKE: &[(&str, &str)] = &[
    ("spi = \"/dev/spidev0.0\"", "fxo.driver: is missing; set it to \"si3050\", \"gpio\", \"dahdi\" or \"sim\""),
    ("driver = \"spi\"", "fxo.driver = \"spi\": must be \"si3050\", \"gpio\", \"dahdi\" or \"sim\""),
    ("driver = \"si3050\"", "fxo.spi: is missing; set it to the SPI device, as in \"/dev/spidev0.0\""),
    ("driver = \"sim\"", "fxo.sim: is missing; set it to a directory with a file per port"),
    ("driver = \"dahdi\"\nframing = \"bit\"", "fxo.framing = \"bit\": must be \"byte\" or \"word\""),
    ("driver = \"dahdi\"\nline = []", "fxo.line = []: is not a setting; did you mean fxo.lines?"),
    (
        "driver = \"gpio\"\nlines = [\"/dev/gpiochip0\"]",
        "fxo.lines = [\"/dev/gpiochip0\"]: \"/dev/gpiochip0\" is not a GPIO line; write \"/dev/gpiochip0:4\", with \"!\" \
         in front for active low",
    ),
    (
        "driver = \"gpio\"\nlines = [\"/dev/a:4294967296\"]",
        "fxo.lines = [\"/dev/a:4294967296\"]: \"/dev/a:4294967296\" is not a GPIO line; write \"/dev/gpiochip0:4\", with \
         \"!\" in front for active low",
    ),
    (
        "driver = \"gpio\"\nlines = [\"/dev/a:1\", \"/dev/a:2\", \"/dev/b:1\", \"!/dev/a:1\"]",
        "fxo.lines = [\"/dev/a:1\", \"/dev/a:2\", \"/dev/b:1\", \"!/dev/a:1\"]: gives \"/dev/a:1\" to two ports; give each \
         port its own line",
    ),
];

#[test]
fn each_mistake_about_fxo_ports_is_one_line_with_key_value_and_reason() {
    for (section, said) in ONE_FXO_MISTAKE {
        assert_eq!(complaint("[device]", &format!("[fxo]\n{section}\n[device]")), *said);
    }
    let too_long = complaint("[device]", "[fault]\nfxo_raise_ms = 600001\n[device]");
    assert_eq!(too_long, "fault.fxo_raise_ms = 600001: must be 0 to 600000 milliseconds");
}

#[test]
fn each_mistake_is_one_line_with_key_value_and_reason() {
    for (line, replacement, said) in ONE_MISTAKE {
        assert_eq!(complaint(line, replacement), *said);
    }
}

#[test]
fn text_that_is_not_toml_is_named_by_its_line() {
    let said = complaint("[network]", "[network");
    assert!(said.starts_with("line 14: is not TOML: "), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_value_without_quotes_is_said_with_how_to_write_it() {
    let hint = |replacement: &str| {
        let said = complaint("peer_ip = \"192.168.129.43\"", replacement);
        let (_, hint) = said.split_once("; write ").unwrap_or((&said, "no hint"));
        hint.to_owned()
    };
    assert_eq!(hint("peer_ip = 192.168.129.43"), "peer_ip = \"192.168.129.43\"");
    assert_eq!(hint("peer_ip = pbx-b # the other"), "peer_ip = \"pbx-b\"");
    assert_eq!(hint("fast_failover = yes"), "fast_failover = true");
    assert_eq!(hint("fast_failover = off"), "fast_failover = false");
    assert_eq!(hint("peer_ip = [\"192.168.129.43\""), "no hint");
    assert_eq!(hint("peer_ip \"192.168.129.43\""), "no hint");
    assert_eq!(hint("peer_ip = \"192.168.129.43"), "no hint");
}

/// Whoever reads the output line by line must not be shown a line of the file's making.
#[test]
fn a_mistake_with_line_ends_in_it_is_one_line() {
    let cases = [
        ("enable = true", "\"a\\nb\" = 1", "ha.\"a\\nb\" = 1: is not a setting; did you mean ha.enable?"),
        ("enable = true", "\"\" = 1", "ha.\"\" = 1: is not a setting; did you mean ha.enable?"),
        (
            "[device]",
            "[[notify]]\nurl = \"http://host/\"\ntemplate = \"${A\\u0085\\n}\"\n[device]",
            "notify[0].template = \"${A\\u{85}\\n}\": has the unknown variable ${A\\u{85}\\n}; there are ${ACTION}, ${MAC}, \
             ${CONTENT}",
        ),
        (
            "\"FXO1\"",
            "\"FXO1\\n\"",
            "ha.hardware_fault_switch = [\"FXO1\\n\"]: \"FXO1\\n\" is not a port; write \"FXO1\" to \"FXO8\"",
        ),
    ];
    for (line, replacement, said) in cases {
        assert_eq!(complaint(line, replacement), said);
    }
}

#[test]
fn a_mistake_of_any_length_is_a_line_that_can_be_read() {
    let long = "x".repeat(4000);
    let said = complaint("enable = true", &format!("{long} = true"));
    assert_eq!(said, format!("ha.{}… = true: is not a setting; did you mean ha.enable?", "x".repeat(80)));
}

#[test]
fn all_problems_are_said_at_once() {
    let text = with("heartbeat_port = 9527", "heartbeat_port = 0")
        .replace("heartbeat_timeout = 7", "heartbeat_timeout = 2\nfastfailover = false")
        .replace("[\"FXO1\"]", "[\"FXO8\"]")
        .replace("\"1.0.10.2\"", "\"1.0.8.0\"")
        .replace("\"switch\"", "\"hub\"")
        .replace("eth1", "eth9");
    let (problems, resolved) = judge(&text, &machine());
    assert!(resolved.is_none());
    let keys: Vec<&str> = problems.iter().map(|line| line.split([' ', ':']).next().unwrap_or_default()).collect();
    for key in ["ha.heartbeat_port", "ha.heartbeat_timeout", "ha.fastfailover", "device.firmware", "network.method"] {
        assert!(keys.contains(&key), "{key} is not in {problems:#?}");
    }
}

#[test]
fn problems_of_the_file_and_of_the_machine_are_said_together() {
    let text = with("129.64/24", "129.42/24").replace("\"FXO1\"", "\"FXO8\"").replace("eth1", "eth9");
    let (problems, _) = judge(&text, &machine());
    let keys: Vec<&str> = problems.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(keys, ["network.heartbeat_interface", "ha.cluster_ip", "ha.hardware_fault_switch"]);
}

fn write_key(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn with_key_file(path: &Path) -> String {
    with("allow_unauthenticated = true", &format!("key_file = {:?}", path.display().to_string()))
}

#[test]
fn a_key_file_that_cannot_be_used_is_named_with_its_fault() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let judged = || {
        let (problems, resolved) = judge(&with_key_file(&path), &machine());
        assert!(resolved.is_none());
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let prefix = format!("ha.key_file = {:?}: ", path.display().to_string());
        problems.concat().strip_prefix(&prefix).expect("key and value first").to_owned()
    };

    assert!(judged().starts_with("cannot be read: No such file or directory"), "{}", judged());

    let wanted = "must hold 32 bytes as 64 hexadecimal digits; create it with `openssl rand -hex 32`";
    for bad in [String::new(), "0f".repeat(31), "0f".repeat(33), "0g".repeat(32)] {
        write_key(&path, &bad, 0o600);
        assert_eq!(judged(), wanted, "{bad:?}");
    }

    write_key(&path, &"0f".repeat(32), 0o640);
    let chmod = format!("has mode 0640, others may read it; run `chmod 0600 {}`", path.display());
    assert_eq!(judged(), chmod);

    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(
        judged(),
        "cannot be read: it is a directory, not a regular file; create it with `openssl rand -hex 32`"
    );
}

#[test]
fn a_key_is_taken_with_or_without_a_newline_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    for text in ["0f".repeat(32), "0F".repeat(32) + "\n"] {
        write_key(&path, &text, 0o600);
        let (problems, resolved) = judge(&with_key_file(&path), &machine());
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(resolved.unwrap().config.key.unwrap().0, [0x0f; 32]);
    }
}

#[test]
fn a_permanent_cluster_ip_anywhere_on_the_machine_is_refused() {
    let mut machine = machine();
    let cluster_ip = Ipv4Addr::new(192, 168, 129, 64);
    machine[1] = interface("eth1", 3, CABLE_MAC, &[(cluster_ip, true)]);
    let (problems, resolved) = judge(GOOD, &machine);
    assert!(resolved.is_none());
    assert_eq!(
        problems,
        ["ha.cluster_ip = \"192.168.129.64/24\": is configured permanently on eth1; remove it there or choose another"]
    );
}

#[test]
fn a_cluster_ip_left_over_from_an_earlier_run_is_no_problem() {
    let mut machine = machine();
    let cluster_ip = Ipv4Addr::new(192, 168, 129, 64);
    machine[0] = interface("eth0", 2, OWN_MAC, &[(cluster_ip, false), (OWN_IP, true)]);
    let (problems, resolved) = judge(GOOD, &machine);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(resolved.unwrap().config.own_ip.address, OWN_IP);
}

#[test]
fn an_interface_without_a_mac_address_is_refused_once() {
    let mut machine = machine();
    machine[0].mac = None;
    let (problems, resolved) = judge(GOOD, &machine);
    assert!(resolved.is_none());
    assert_eq!(problems, ["network.lan_interface = \"eth0\": is not an Ethernet interface; choose another"]);
}

#[test]
fn a_missing_lan_interface_is_said_and_may_be_waited_for() {
    let (said, resolved, passing) = judge_passing(&machine()[1..]);
    let wanted = "network.lan_interface = \"eth0\": does not exist on this machine; `ip link` lists the interfaces";
    assert_eq!(said, [wanted]);
    assert!(resolved.is_none() && passing);
}

#[test]
fn a_lan_interface_without_an_address_yet_may_be_waited_for() {
    let mut machine = machine();
    machine[0].addresses.clear();
    let (said, resolved, passing) = judge_passing(&machine);
    assert_eq!(said, ["network.lan_interface = \"eth0\": has no permanent IPv4 address; give it a static one"]);
    assert!(resolved.is_none() && passing);
}

#[test]
fn a_dynamic_address_is_named_as_what_it_is_and_may_be_waited_for() {
    let mut machine = machine();
    let (cluster_ip, leased) = (Ipv4Addr::new(192, 168, 129, 64), Ipv4Addr::new(192, 168, 129, 77));
    machine[0] = interface("eth0", 2, OWN_MAC, &[(cluster_ip, false), (leased, false)]);
    let (said, resolved, passing) = judge_passing(&machine);
    let dynamic = "network.lan_interface = \"eth0\": has only 192.168.129.77, a dynamic address (it has a lifetime, as from \
                   DHCP); give it a static one";
    assert_eq!(said, [dynamic]);
    assert!(resolved.is_none() && passing);
    // The cluster IP, left over from an earlier run, is none of its own.
    machine[0].addresses.truncate(1);
    assert_eq!(
        judge_passing(&machine).0,
        ["network.lan_interface = \"eth0\": has no permanent IPv4 address; give it a static one"]
    );
}

#[test]
fn of_several_static_addresses_the_configured_one_is_the_nodes_own() {
    let (second, elsewhere) = (Ipv4Addr::new(192, 168, 129, 44), Ipv4Addr::new(10, 0, 0, 1));
    let mut machine = machine();
    machine[0] = interface("eth0", 2, OWN_MAC, &[(elsewhere, true), (OWN_IP, true), (second, true)]);
    let judged = |text: &str| judge(text, &machine);
    let (problems, resolved) = judged(GOOD);
    assert_eq!(problems, Vec::<String>::new());
    let resolved = resolved.unwrap();
    assert_eq!(resolved.config.own_ip.address, OWN_IP);
    let note =
        "network.own_ip: is not set; 192.168.129.42 is taken for this node's own, and 192.168.129.44 could be it too";
    assert!(resolved.notes.iter().any(|said| said == note), "{:?}", resolved.notes);

    let own = |address: &str| with("method = \"switch\"", &format!("method = \"switch\"\nown_ip = \"{address}\""));
    let chosen = judged(&own("192.168.129.44")).1.unwrap();
    assert_eq!(chosen.config.own_ip, Cidr { address: second, prefix_len: 24 });
    assert!(!chosen.notes.iter().any(|said| said.contains("own_ip")), "{:?}", chosen.notes);

    let missing =
        "network.own_ip = \"192.168.129.45\": is not an address of the LAN interface; give it this static address";
    assert_eq!(judged(&own("192.168.129.45")).0, [missing]);
    let peers =
        "network.own_ip = \"192.168.129.43\": is the cluster IP or the peer's address; give this node's static address";
    assert!(judged(&own("192.168.129.43")).0.contains(&peers.to_owned()));
    let outside = judged(&own("10.0.0.1")).0;
    assert!(outside.iter().any(|said| said.starts_with("ha.peer_ip = \"192.168.129.43\": ")), "{outside:?}");
}

#[test]
fn a_configured_own_address_that_is_dynamic_is_said_so() {
    let mut machine = machine();
    machine[0] = interface("eth0", 2, OWN_MAC, &[(OWN_IP, false)]);
    let (said, resolved) =
        judge(&with("method = \"switch\"", "method = \"switch\"\nown_ip = \"192.168.129.42\""), &machine);
    let dynamic = "network.own_ip = \"192.168.129.42\": is a dynamic address of the LAN interface (it has a lifetime, as from \
                   DHCP); make it a static one";
    assert_eq!(said, [dynamic]);
    assert!(resolved.is_none());
}

#[test]
fn a_lan_interface_in_another_subnet_than_the_peer_is_refused() {
    let mut machine = machine();
    machine[0] = interface("eth0", 2, OWN_MAC, &[(Ipv4Addr::new(10, 0, 0, 1), true)]);
    let (said, resolved, passing) = judge_passing(&machine);
    assert_eq!(
        said,
        ["network.lan_interface = \"eth0\": has no permanent IPv4 address in the subnet of the peer 192.168.129.43; \
          give it a static one"]
    );
    assert!(resolved.is_none() && !passing);
}

#[test]
fn a_node_can_run_without_its_heartbeat_port_and_its_frames_are_never_the_lans() {
    let (said, resolved, passing) = judge_passing(&machine()[..1]);
    let wanted =
        "network.heartbeat_interface = \"eth1\": does not exist on this machine; `ip link` lists the interfaces";
    assert_eq!(said, [wanted]);
    assert!(passing);
    let config = resolved.unwrap().config;
    assert!(config.cable_mac.is_unicast());
    assert_ne!(config.cable_mac, config.mac);
}

/// What is said about [`GOOD`], and whether a daemon could wait for all of it to end.
fn judge_passing(interfaces: &[Interface]) -> (Vec<String>, Option<Resolved>, bool) {
    let mut problems = Vec::new();
    let resolved = parse(GOOD, &mut problems).and_then(|sections| resolve(&sections, interfaces, &mut problems));
    let passing = problems.iter().all(|problem| problem.passing);
    (problems.iter().map(ToString::to_string).collect(), resolved, passing)
}

/// The notes on [`GOOD`] with one line replaced.
fn notes(line: &str, replacement: &str) -> Vec<String> {
    judge(&with(line, replacement), &machine()).1.unwrap().notes
}

#[test]
fn a_pair_without_a_key_must_say_that_it_wants_none() {
    let reason = "ha.key_file: is missing, and without a key forged heartbeats count; create one with `openssl rand -hex 32` in a \
                  file of mode 0600, the same on both nodes, or write allow_unauthenticated = true";
    for line in ["", "allow_unauthenticated = false"] {
        let (problems, resolved) = judge(&with("allow_unauthenticated = true", line), &machine());
        assert_eq!(problems, [reason]);
        assert!(resolved.is_none());
    }
    assert!(judge(GOOD, &machine()).1.is_some());
}

#[test]
fn settings_that_have_no_effect_are_noted_and_accepted() {
    let no_key = "ha.allow_unauthenticated = true: forged heartbeats count; set key_file on both nodes";
    let no_fxo = "ha.hardware_fault_switch: has no effect without [fxo]; nothing watches the FXO ports";
    assert_eq!(notes("enable = true", "enable = true"), [no_key, no_fxo]);
    assert_eq!(notes("hardware_fault_switch = [\"FXO1\"]", ""), [no_key]);
    assert_eq!(notes("[device]", "[fxo]\ndriver = \"dahdi\"\n[device]"), [no_key]);
    let idle_fast = "ha.fast_failover = true: is inactive without network.gateway; set the gateway, or \
                     fast_failover = false";
    assert_eq!(notes("gateway = \"192.168.129.1\"", ""), [idle_fast, no_key, no_fxo]);
    let unwatched = "network.wan_interface: is not set; with method = \"router\" the WAN port is not watched";
    assert_eq!(notes("\"switch\"", "\"router\""), [no_key, unwatched, no_fxo]);
    let unused = "network.wan_interface: is not used with method = \"switch\"";
    assert_eq!(notes("method = \"switch\"", "method = \"switch\"\nwan_interface = \"eth2\""), [no_key, unused, no_fxo]);
    let no_ports = GOOD.replace("[\"FXO1\"]", "[]").replace("UCM6304A", "UCM6300A") + "[fxo]\ndriver = \"dahdi\"\n";
    let noted = judge(&no_ports, &machine()).1.unwrap().notes;
    assert_eq!(noted, [no_key, "fxo: is not used; the UCM6300A has no FXO ports"]);
}

#[test]
fn what_is_not_watched_or_not_set_is_noted() {
    let said = |line: &str, replacement: &str, note: &str| {
        let notes = notes(line, replacement);
        assert!(notes.iter().any(|said| said == note), "{note:?} is not in {notes:#?}");
    };
    said(
        "enable = true",
        "",
        "ha.enable: is not set; high availability is off. Write enable = true, or enable = false",
    );
    said(
        "129.64/24",
        "129.64/16",
        "ha.cluster_ip = \"192.168.129.64/16\": its prefix is not the LAN's; write \"192.168.129.64/24\", or leave it out",
    );
    said(
        "enable = true",
        "enable = true\nsoftware_fault_switch = true",
        "ha.software_fault_switch = true: has no effect without [[service]] but for `ucm-ha fault raise`; nothing watches the \
         services",
    );
    said(
        "[device]",
        "[[service]]\nname = \"asterisk\"\n[device]",
        "service asterisk: is not watched; set pid_file, unit, kick_timeout_ms or probe",
    );
    let watched = "[[service]]\nname = \"asterisk\"\nkick_timeout_ms = 3000\n[device]";
    assert!(!notes("[device]", watched).iter().any(|said| said.contains("asterisk")));
}

#[test]
fn settings_that_must_match_read_alike_however_they_are_written() {
    let shared_by = |text: &str| shared(&judge(text, &machine()).1.unwrap().config);
    let expected = [
        "device.model = \"UCM6304A\"",
        "ha.cluster_ip = \"192.168.129.64/24\"",
        "ha.fast_failover = true",
        "ha.hardware_fault_switch = [\"FXO1\"]",
        "ha.heartbeat_port = 9527",
        "ha.heartbeat_timeout = 7",
        "ha.software_fault_switch = false",
        "network.gateway = \"192.168.129.1\"",
        "network.method = \"switch\"",
    ];
    assert_eq!(shared_by(GOOD), expected);
    let defaults =
        with("129.64/24", "129.64").replace("heartbeat_timeout = 7\n", "").replace("fast_failover = true", "");
    assert_eq!(shared_by(&defaults), expected, "defaults are written out");
    let own = with("\"primary\"", "\"secondary\"").replace("C0:74:AD:53:73:6C", "C0:74:AD:53:73:6D");
    assert_eq!(shared_by(&own), expected, "what may differ is not among them");
    // Whatever changes the digest that the nodes compare changes a line.
    let digest = |text: &str| judge(text, &machine()).1.unwrap().config.digest();
    for (line, replacement) in [
        ("129.64/24", "129.65/24"),
        ("129.64/24", "129.64/25"),
        ("port = 9527", "port = 9528"),
        ("timeout = 7", "timeout = 5"),
        ("fast_failover = true", "fast_failover = false"),
        ("[\"FXO1\"]", "[]"),
        ("enable = true", "enable = true\nsoftware_fault_switch = true"),
        ("gateway = \"192.168.129.1\"", ""),
        ("method = \"switch\"", "method = \"router\""),
    ] {
        let changed = with(line, replacement);
        assert_ne!(digest(&changed), digest(GOOD), "{replacement}");
        let lines = shared_by(&changed);
        assert_eq!(lines.iter().zip(expected).filter(|(line, expected)| line != expected).count(), 1, "{replacement}");
    }
}

/// What leads to the FXO ports by this section.
fn fxo_of(section: &str) -> Option<Fxo> {
    let mut problems = Vec::new();
    let sections = parse(&format!("{GOOD}[fxo]\n{section}"), &mut problems);
    assert_eq!(problems, []);
    sections.unwrap().fxo
}

#[test]
fn each_way_to_the_fxo_ports_is_taken_with_its_settings() {
    let spi = || PathBuf::from("/dev/spidev0.0");
    let si3050 = "driver = \"si3050\"\nspi = \"/dev/spidev0.0\"\n";
    assert_eq!(fxo_of(si3050), Some(Fxo::Si3050 { spi: spi(), framing: Framing::Byte }));
    let word = format!("{si3050}framing = \"word\"\n");
    assert_eq!(fxo_of(&word), Some(Fxo::Si3050 { spi: spi(), framing: Framing::Word }));
    assert_eq!(fxo_of("driver = \"dahdi\"\nspi = \"/dev/unused\"\n"), Some(Fxo::Dahdi));
    assert_eq!(fxo_of("driver = \"sim\"\nsim = \"/run/fxo\"\n"), Some(Fxo::Sim { dir: "/run/fxo".into() }));
    let lines = "lines = [\"/dev/gpiochip0:4\", \"!/dev/gpiochip0:5\", \"/dev/gpiochip1:4\", \"/dev/gpiochip0:17\"]";
    let Some(Fxo::Gpio { lines }) = fxo_of(&format!("driver = \"gpio\"\n{lines}\n")) else { panic!("no lines") };
    assert_eq!(lines[1], GpioLine { chip: "/dev/gpiochip0".into(), offset: 5, polarity: Polarity::ActiveLow });
    assert_eq!((lines[3].offset, lines[3].polarity), (17, Polarity::ActiveHigh));
}

#[test]
fn the_debounce_of_fxo_ports_is_300_and_2000_ms_unless_it_is_set() {
    let fault = |text: &str| parse(text, &mut Vec::new()).map(|s| (s.fault.fxo_raise_ms, s.fault.fxo_clear_ms));
    assert_eq!(fault(GOOD), Some((300, 2000)));
    assert_eq!(fault(&format!("{GOOD}[fault]\nfxo_raise_ms = 90\nfxo_clear_ms = 0\n")), Some((90, 0)));
}

#[test]
fn the_daemon_is_more_urgent_than_asterisk_unless_it_is_set() {
    const ASTERISK: u8 = 10;
    let priority = |text: &str| parse(&(GOOD.to_owned() + text), &mut Vec::new()).unwrap().daemon.realtime_priority;
    assert_eq!(priority(""), 30);
    assert!(priority("") > ASTERISK);
    assert_eq!(priority("[daemon]\nrealtime_priority = 99\n"), 99);
    for wrong in ["0", "100"] {
        let said = complaint("[device]", &format!("[daemon]\nrealtime_priority = {wrong}\n[device]"));
        assert_eq!(said, format!("daemon.realtime_priority = {wrong}: must be 1 to 99"));
    }
}

#[test]
fn changed_settings_are_named_by_their_keys() {
    let mut problems = Vec::new();
    let mut changed = |text: &str| {
        let (old, new) = (parse(GOOD, &mut problems).unwrap(), parse(text, &mut problems).unwrap());
        changed_keys(&old, &new)
    };
    assert_eq!(changed(GOOD), Vec::<String>::new());
    assert_eq!(changed(&with("timeout = 7", "timeout = 5")), ["ha.heartbeat_timeout"]);
    assert_eq!(changed(&with("peer_mac = \"C0:74:AD:53:73:6C\"", "")), ["ha.peer_mac"]);
    assert_eq!(changed(&(GOOD.to_owned() + "[fault]\nlink_raise_ms = 60\n")), ["fault.link_raise_ms"]);
}

#[test]
fn services_are_read_with_the_defaults_of_their_probes() {
    let text = GOOD.to_owned()
        + "[[service]]\nname = \"asterisk\"\npid_file = \"/run/asterisk.pid\"\nkick_timeout_ms = 3000\n\
           start_timeout_ms = 60000\nprobe = [\"asterisk\", \"-rx\", \"core ping\"]\n[[service]]\nname = \"voicemail\"\n";
    let mut problems = Vec::new();
    let services = parse(&text, &mut problems).unwrap().services;
    let command = ["asterisk", "-rx", "core ping"].map(str::to_owned).to_vec();
    let asterisk = Service {
        name: "asterisk".to_owned(),
        pid_source: Some(PidSource::PidFile("/run/asterisk.pid".into())),
        kick_timeout_ms: Some(3000),
        start_timeout_ms: Some(60_000),
        probe: Some(Probe { command, interval_ms: 1000, timeout_ms: 1000 }),
    };
    let voicemail = Service {
        name: "voicemail".to_owned(),
        pid_source: None,
        kick_timeout_ms: None,
        start_timeout_ms: None,
        probe: None,
    };
    assert_eq!(services, [asterisk, voicemail]);
    assert_eq!(problems, []);
}

/// The source of the process of a service with this `unit`, and the problems.
fn unit(name: &str) -> (Option<PidSource>, Vec<String>) {
    let mut problems = Vec::new();
    let text = GOOD.to_owned() + "[[service]]\nname = \"asterisk\"\nunit = '" + name + "'\nstart_timeout_ms = 60000\n";
    let services = parse(&text, &mut problems).unwrap().services;
    (services[0].pid_source.clone(), problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_unit_is_looked_for_in_the_system_slice_or_where_its_slices_say() {
    let cases = [
        ("asterisk.service", "system.slice/asterisk.service"),
        ("pbx.slice/asterisk.service", "pbx.slice/asterisk.service"),
        (r"system.slice/system-pbx.slice/pbx@a\x2d1.service", r"system.slice/system-pbx.slice/pbx@a\x2d1.service"),
    ];
    for (name, cgroup) in cases {
        assert_eq!(unit(name), (Some(PidSource::Unit(cgroup.into())), vec![]));
    }
    assert!(unit(&("a".repeat(247) + ".service")).0.is_some(), "the longest name");
}

#[test]
fn what_is_no_unit_of_a_service_is_refused() {
    let too_long = "a".repeat(248) + ".service";
    let mistakes = [
        "",
        "asterisk",
        ".service",
        "asterisk.socket",
        "a b.service",
        "/asterisk.service",
        "../asterisk.service",
        "pbx/asterisk.service",
        "pbx.slice/",
        "pbx.slice//asterisk.service",
        too_long.as_str(),
    ];
    for name in mistakes {
        let (source, problems) = unit(name);
        assert_eq!((source, problems.len()), (None, 1), "{name:?}: {problems:?}");
        let reason = "is not the name of a service unit; write it as \"asterisk.service\", outside system.slice with all its \
                      slices as \"pbx.slice/asterisk.service\"";
        assert!(problems[0].starts_with("service[0].unit = ") && problems[0].ends_with(reason), "{problems:?}");
    }
}
