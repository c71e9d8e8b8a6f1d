//! More events than a daemon's subscription has room for: the kernel drops some, and says so once.

use crate::error::Context;
use crate::site::Site;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use ucm_ha::types::Cidr;

/// An address that nobody minds.
const HARMLESS: Cidr = Cidr { address: Ipv4Addr::new(127, 0, 0, 2), prefix_len: 32 };
/// Addresses added and removed between two looks whether events were dropped.
const ROUND: u32 = 100;
/// Rounds at most.
const MAX_ROUNDS: u32 = 100;

/// Makes events in the namespace of a node whose daemon is frozen, until the kernel had to drop some. Gives how many.
pub(crate) fn overrun(site: &mut Site) -> io::Result<u64> {
    let before = dropped(site)?;
    for _ in 0..MAX_ROUNDS {
        for _ in 0..ROUND {
            site.links.add_address("lo", HARMLESS)?;
            site.links.remove_address("lo", HARMLESS)?;
        }
        let lost = dropped(site)?.saturating_sub(before);
        if lost > 0 {
            return Ok(lost);
        }
    }
    Err(io::Error::other("the daemon's subscription never overran; does it run?"))
}

/// Events that the subscribed sockets of the namespace have lost so far.
fn dropped(site: &Site) -> io::Result<u64> {
    const GROUPS: usize = 3;
    const DROPS: usize = 8;
    let table =
        site.netns.run(|| fs::read_to_string("/proc/thread-self/net/netlink").context("no table of sockets"))?;
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let subscribed = rows.filter(|row| row.get(GROUPS).is_some_and(|groups| *groups != "00000000"));
    Ok(subscribed.filter_map(|row| row.get(DROPS)?.parse::<u64>().ok()).sum())
}
