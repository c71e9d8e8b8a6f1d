use super::*;
use crate::sys;
use fair::in_real_time;
use std::process::Command;
use std::time::{Duration, Instant};

const ADDRESS: Cidr = Cidr { address: Ipv4Addr::new(192, 0, 2, 64), prefix_len: 24 };
/// The kernel may drop an address up to a second late, and later while other tests take down namespaces.
const LATE: Duration = Duration::from_secs(5);

fn ip(words: &str) {
    let done = Command::new("ip").args(words.split(' ')).output().expect("iproute2 is installed");
    assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A namespace with the interface `port`, and its index. `None`, and said, where that is not permitted.
fn namespace() -> Option<(Netlink, u32)> {
    if let Err(error) = sys::enter_new_network_namespace() {
        println!("skipped: no network namespace: {error}");
        return None;
    }
    ip("link add port type veth peer name other");
    ip("link set port up");
    let mut netlink = Netlink::open().unwrap();
    let index = netlink.link("port").unwrap().unwrap().index;
    Some((netlink, index))
}

/// How long the address stays from now on.
fn gone_after(netlink: &mut Netlink, index: u32) -> Duration {
    let start = Instant::now();
    while netlink.has_address(index, ADDRESS.address).unwrap() {
        assert!(start.elapsed() < Duration::from_secs(10), "the address stays");
        std::thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

#[test]
fn the_kernel_drops_an_address_that_nobody_renews_and_says_so() {
    in_real_time(|| {
        let Some((mut netlink, index)) = namespace() else { return };
        let mut monitor = Monitor::open().unwrap();
        netlink.set_address(index, ADDRESS, 1).unwrap();
        let held = netlink.addresses(index).unwrap();
        assert_eq!(held, [InterfaceAddress { cidr: ADDRESS, permanent: false }]);
        assert!(!monitor.hints().unwrap().removed, "an address that is added is no loss");

        let lasted = gone_after(&mut netlink, index);
        assert!(lasted > Duration::from_millis(900) && lasted < Duration::from_secs(1) + LATE, "{lasted:?}");
        assert!(monitor.hints().unwrap().removed);
    });
}

#[test]
fn an_address_that_is_renewed_stays_and_is_one() {
    in_real_time(|| {
        let Some((mut netlink, index)) = namespace() else { return };
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(2500) {
            netlink.set_address(index, ADDRESS, 1).unwrap();
            assert_eq!(netlink.addresses(index).unwrap().len(), 1);
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(gone_after(&mut netlink, index) < Duration::from_secs(1) + LATE);
    });
}

#[test]
fn an_address_is_removed_with_every_prefix_it_has_and_removing_it_again_is_harmless() {
    let Some((mut netlink, index)) = namespace() else { return };
    ip("addr add 192.0.2.64/25 dev port");
    netlink.set_address(index, ADDRESS, 60).unwrap();
    assert_eq!(netlink.addresses(index).unwrap().len(), 2);
    netlink.remove_address(Some(index), ADDRESS).unwrap();
    assert_eq!(netlink.addresses(index).unwrap(), []);
    netlink.remove_address(Some(index), ADDRESS).unwrap();
    ip("link del port");
    netlink.remove_address(Some(index), ADDRESS).unwrap();
}

/// What somebody else has configured on an interface must survive the cluster IP, which may be older there.
#[test]
fn an_address_of_the_same_subnet_stays_when_an_older_one_goes() {
    let Some((mut netlink, index)) = namespace() else { return };
    netlink.keep_other_addresses(index).unwrap();
    netlink.set_address(index, ADDRESS, 1).unwrap();
    ip("addr add 192.0.2.42/24 dev port");
    let other = Ipv4Addr::new(192, 0, 2, 42);
    gone_after(&mut netlink, index);
    assert!(netlink.has_address(index, other).unwrap(), "the older one ended by itself");

    netlink.set_address(index, ADDRESS, 60).unwrap();
    ip("addr del 192.0.2.42/24 dev port");
    ip("addr add 192.0.2.42/24 dev port");
    netlink.remove_address(Some(index), ADDRESS).unwrap();
    assert!(netlink.has_address(index, other).unwrap(), "the older one was removed");
}

#[test]
fn an_address_is_removed_from_whatever_interface_has_it() {
    let Some((mut netlink, index)) = namespace() else { return };
    ip("addr add 192.0.2.64/24 dev other");
    netlink.set_address(index, ADDRESS, 60).unwrap();
    ip("link set port name renamed");
    assert_eq!(netlink.link("port").unwrap(), None);
    assert_eq!(netlink.link_at(index).unwrap().unwrap().name, "renamed");
    netlink.remove_address(None, ADDRESS).unwrap();
    assert!(netlink.interfaces().unwrap().iter().all(|interface| interface.addresses.is_empty()));
}

#[test]
fn other_addresses_are_left_alone_on_all_interfaces() {
    let Some((mut netlink, index)) = namespace() else { return };
    ip("addr add 192.0.2.1/24 dev other");
    ip("addr add 192.0.2.2/24 dev port");
    netlink.set_address(index, ADDRESS, 60).unwrap();
    netlink.remove_address(Some(index), ADDRESS).unwrap();
    let left: Vec<_> =
        netlink.interfaces().unwrap().iter().flat_map(|i| i.addresses.clone()).map(|a| a.cidr.to_string()).collect();
    assert_eq!(left, ["192.0.2.1/24", "192.0.2.2/24"]);
}

#[test]
fn an_interface_that_is_gone_is_no_address_and_no_error() {
    let Some((mut netlink, index)) = namespace() else { return };
    ip("link del port");
    assert_eq!(netlink.link("port").unwrap(), None);
    assert_eq!(netlink.addresses(index).unwrap(), []);
    assert!(!netlink.has_address(index, ADDRESS.address).unwrap());
    let refused = netlink.set_address(index, ADDRESS, 60).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::ENODEV));
}

#[test]
fn carrier_comes_and_goes_with_the_other_end_and_is_announced() {
    let Some((mut netlink, _)) = namespace() else { return };
    let mut carrier = || netlink.link("port").unwrap().unwrap().carrier;
    assert!(!carrier(), "the other end is down");
    let mut monitor = Monitor::open().unwrap();
    ip("link set other up");
    let end = Instant::now() + Duration::from_secs(5);
    while !carrier() {
        assert!(Instant::now() < end, "no carrier");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(monitor.hints().unwrap().links);
    ip("link set other down");
    assert!(!carrier());
}

#[test]
fn events_that_the_kernel_had_to_drop_mean_that_everything_is_read_again() {
    let Some((mut netlink, index)) = namespace() else { return };
    let mut monitor = Monitor::open().unwrap();
    monitor.socket.set_rx_buf_sz(1_u32).unwrap();
    for _ in 0..200 {
        netlink.set_address(index, ADDRESS, 60).unwrap();
    }
    let hints = monitor.hints().unwrap();
    assert!(hints.links && hints.removed && hints.added, "{hints:?}");
}
