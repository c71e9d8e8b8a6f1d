//! What happens to real machines, told as tables. Each begins with a pair that is complete; times are in milliseconds.

use crate::moves::Move::{
    self, Announces, Binds, Do, HasFault, HasOwnAddress, Keep, Pairs, Pass, Refused, Restart, Says, SaysOnce, Serves,
    Settles, SettlesAnyhow, Stays, StormEnds, Switch, Takes,
};
use crate::moves::{BAD_WIRES, KEYED, KEYED_ON_BAD_WIRES, Scenario, told};
use crate::neighbour::Keyed;
use crate::network::Cut;
use crate::plan::HEARTBEAT_PORT;
use crate::plan::Wire::{Cable, Lan};
use crate::recorder::Tape;
use crate::relay::Impairment;
use crate::stimulus::Stimulus::{
    ClusterIpRemoved, Cut as CutPort, CutAll, DiskFull, DiskGood, DiskStalls, EventsLost, Freeze, Impair, ImpairAll,
    InterfaceBack, InterfaceDeleted, InterfaceNamedBack, InterfaceRenamed, Kill, Mend, MendAll, Neighbour,
    OwnAddressBack, OwnAddressRemoved, PowerOff, PowerOffSilently, RecorderListens, RecorderPlays, Reload, Separate,
    Start, StormGathers, StormRages, Stranger, SwitchOff, SwitchOn, Thaw,
};
use crate::stimulus::Who::{Active, Standby};
use crate::stranger::Claim;
use std::time::Duration;

const GOOD: Impairment = Impairment::GOOD;
const LOSS: Impairment = Impairment { loss_pct: 30, ..GOOD };
const DOUBLED: Impairment = Impairment { duplicate_pct: 100, ..GOOD };
const JITTER: Impairment = Impairment { jitter: Duration::from_millis(100), ..GOOD };
/// To and fro it is longer than an echo may take: an active may let go once where the gateway answers as late.
const HEAVY_JITTER: Impairment = Impairment { jitter: Duration::from_millis(200), ..GOOD };
/// Frames are sent 50 ms apart, so most are overtaken, and some come twice.
const REORDERED: Impairment =
    Impairment { delay: Duration::from_millis(20), jitter: Duration::from_millis(150), duplicate_pct: 20, ..GOOD };

/// ARP passes, heartbeats do not.
const WITHHELD: Impairment = Impairment { filtered_udp_port: Some(HEARTBEAT_PORT), ..GOOD };

/// A second more than T, after which a silent death would have been noticed.
const T_AND_MORE: u64 = 4_000;
/// A takeover after T, on a busy machine.
const TAKEOVER: u64 = 6_000;
const HANDOVER: u64 = 1_000;
/// T and 2 s: a pair that lost a node is back.
const BACK: u64 = 5_000;
/// One and a half T: what a host on the LAN can make of a takeover.
const DELAYED_TAKEOVER: u64 = 4_500;
/// How much of what a node has said last is played.
const TAPE: u64 = 6_000;
/// The daemon reads its interfaces again every 2 s; what needs an event must be much faster.
const BY_EVENT: u64 = 1_000;

const FOREIGN_HOLDER: &str = "alert: a foreign station answers for the cluster IP";
const INCOMPATIBLE: &str = "alert: what is heard on the cable cannot be understood";
const FOREIGN_PAIR: &str = "alert: a node of another pair is heard on the heartbeat port";
const TAKEN_AWAY: &str = "cluster IP 192.168.129.64/24 was taken away";

const DISK_FULL: &[Move] = &[
    Do(DiskFull(Active)),
    Do(DiskFull(Standby)),
    Do(Kill(Active)),
    Takes(Standby, TAKEOVER),
    Says(Standby, "alert: the term could not be stored; a restart may forget it"),
    Do(Start(Active)),
    Settles(Standby),
    Switch(Standby),
    Takes(Active, HANDOVER),
    Do(DiskGood(Active)),
    Do(DiskGood(Standby)),
    Says(Standby, "restored to normal: the term could not be stored"),
    Settles(Active),
];

/// Two changes of the role while nothing can be written, then a node that starts while nothing can be written.
const DISK_HANGS: &[Move] = &[
    Do(DiskStalls(Active)),
    Do(DiskStalls(Standby)),
    Keep(1_000),
    Switch(Active),
    Takes(Standby, HANDOVER),
    Settles(Standby),
    Do(Kill(Standby)),
    Takes(Active, TAKEOVER),
    Do(Start(Standby)),
    Settles(Active),
    Do(Kill(Active)),
    Takes(Standby, TAKEOVER),
    Do(DiskGood(Active)),
    Do(DiskGood(Standby)),
    Do(Start(Active)),
    Settles(Standby),
];

/// The event of a carrier, and then that of an address, is among those that were lost.
const EVENTS_LOST: &[Move] = &[
    Do(EventsLost(Standby)),
    Do(CutPort(Standby, Lan, Cut::Carrier)),
    Do(Thaw(Standby)),
    HasFault(Standby, "LAN", BY_EVENT),
    Keep(500),
    Do(Mend(Standby, Lan)),
    Settles(Active),
    Do(EventsLost(Active)),
    Do(ClusterIpRemoved(Active)),
    Do(Thaw(Active)),
    Says(Active, TAKEN_AWAY),
    Binds(Active, BY_EVENT),
    Keep(500),
    Settles(Active),
];

const CLUSTER_IP_REMOVED: &[Move] =
    &[Do(ClusterIpRemoved(Active)), Says(Active, TAKEN_AWAY), Binds(Active, BY_EVENT), Keep(1_000), Settles(Active)];

/// An address of the same subnet goes with the one that was there before it. Afterwards the role moves there and back, and
/// neither may cost a node its static address.
const OWN_ADDRESS_REMOVED: &[Move] = &[
    Do(OwnAddressRemoved(Active)),
    Keep(1_000),
    Do(OwnAddressBack(Active)),
    Settles(Active),
    HasOwnAddress(Active),
    HasOwnAddress(Standby),
    Do(Kill(Active)),
    Takes(Standby, TAKEOVER),
    HasOwnAddress(Active),
    HasOwnAddress(Standby),
    Do(Start(Active)),
    Settles(Standby),
    Switch(Standby),
    Takes(Active, HANDOVER),
    HasOwnAddress(Active),
    HasOwnAddress(Standby),
    Settles(Active),
];

/// No heartbeats on either path, while the standby's kernel has no address at all: ARP alone holds it back.
const OWN_ADDRESS_AND_CABLE: &[Move] = &[
    Do(OwnAddressRemoved(Standby)),
    Pass(160),
    Do(CutPort(Active, Cable, Cut::Carrier)),
    Keep(9_000),
    Do(OwnAddressBack(Standby)),
    Do(Mend(Active, Cable)),
    Settles(Active),
];

const LAN_DELETED: &[Move] = &[
    Do(InterfaceDeleted(Active, Lan)),
    Takes(Standby, TAKEOVER),
    Do(InterfaceBack(Active, Lan)),
    Settles(Standby),
    Do(InterfaceDeleted(Active, Lan)),
    Pass(500),
    Do(InterfaceBack(Active, Lan)),
    Settles(Standby),
    Switch(Standby),
    Takes(Active, HANDOVER),
];

/// What the kernel is asked to do goes by the interface, not by a name that it may have no more: the address stays while the
/// node serves, and it is gone when the node says so.
const LAN_RENAMED: &[Move] = &[
    Do(InterfaceRenamed(Active, Lan)),
    Keep(T_AND_MORE),
    Settles(Active),
    Says(Active, "interface eth0 is called lan0 now"),
    Do(InterfaceRenamed(Standby, Lan)),
    Do(InterfaceRenamed(Standby, Cable)),
    Keep(1_000),
    Settles(Active),
    Switch(Active),
    Takes(Standby, HANDOVER),
    Settles(Standby),
    Do(CutPort(Standby, Lan, Cut::Carrier)),
    Takes(Active, HANDOVER),
    Do(Mend(Standby, Lan)),
    Do(InterfaceNamedBack(Active, Lan)),
    Do(InterfaceNamedBack(Standby, Lan)),
    Do(InterfaceNamedBack(Standby, Cable)),
    Settles(Active),
];

const CABLE_DELETED: &[Move] = &[
    Do(InterfaceDeleted(Active, Cable)),
    Keep(T_AND_MORE),
    Do(InterfaceBack(Active, Cable)),
    Settles(Active),
    Do(InterfaceDeleted(Standby, Cable)),
    Keep(1_000),
    Do(InterfaceBack(Standby, Cable)),
    Settles(Active),
];

const FOREIGN_HOST: &[Move] = &[
    Do(Stranger(Some(Claim::ClusterIp))),
    Says(Active, FOREIGN_HOLDER),
    Keep(2_000),
    Do(Stranger(None)),
    // It defends once a second, and phones that believed the stranger know nothing better until then.
    Serves(Active, 1_500),
    Keep(500),
    Settles(Active),
];

/// It is not the peer's, so the standby takes what is its own as ever. Phones that believed the stranger are won back within a second.
const FOREIGN_HOST_AT_TAKEOVER: &[Move] = &[
    Do(Stranger(Some(Claim::ClusterIp))),
    Do(Kill(Active)),
    Takes(Standby, TAKEOVER + 1_500),
    Do(Stranger(None)),
    Do(Start(Active)),
    Settles(Standby),
];

/// Two pairs' cables in one switch. The other pair's node serves its own address by the time of the stall, and what it says
/// must keep nobody from taking over from a dead active.
const fn foreign_pair(keyed: Keyed) -> [Move; 15] {
    [
        Do(Neighbour(Some(keyed))),
        Says(Active, FOREIGN_PAIR),
        Says(Standby, FOREIGN_PAIR),
        Keep(T_AND_MORE + 2_000),
        Do(Freeze(Active)),
        Pass(1_600),
        Do(Thaw(Active)),
        // The kernel may have dropped it meanwhile, as it should.
        Binds(Active, BY_EVENT),
        Keep(T_AND_MORE),
        Do(Kill(Active)),
        Takes(Standby, TAKEOVER),
        Do(Start(Active)),
        Settles(Standby),
        SaysOnce(Standby, FOREIGN_PAIR),
        Do(Neighbour(None)),
    ]
}

const SWITCH_REBOOTS: &[Move] = &[Do(SwitchOff), Pass(5_000), Do(SwitchOn), SettlesAnyhow];

const PORTS_BOUNCED: &[Move] = &[
    Do(CutAll(Cut::Carrier)),
    Pass(200),
    Do(MendAll),
    SettlesAnyhow,
    Do(CutAll(Cut::Carrier)),
    Pass(1_500),
    Do(MendAll),
    SettlesAnyhow,
    Do(CutAll(Cut::Silent)),
    Pass(700),
    Do(MendAll),
    SettlesAnyhow,
];

/// What the standby sent before it was started anew is among the frames; a switch in the middle of it works as ever.
const fn storm(wire: crate::plan::Wire) -> [Move; 10] {
    [
        Do(StormGathers(wire)),
        Pass(700),
        Do(Kill(Standby)),
        Do(Start(Standby)),
        Settles(Active),
        Do(StormRages),
        Keep(2_500),
        Switch(Active),
        Takes(Standby, HANDOVER),
        StormEnds,
    ]
}

/// Where good and bad frames come in turn, the alert does not come and go with each.
const STORM_ON_CABLE: &[Move] = {
    let [gathers, time, kill, start, settles, rages, keep, switch, takes, ends] = storm(Cable);
    &[gathers, time, kill, start, settles, rages, keep, switch, takes, ends, SaysOnce(Active, INCOMPATIBLE)]
};

const fn strangers(wire: crate::plan::Wire) -> [Move; 5] {
    [Do(StormGathers(wire)), Pass(700), Do(StormRages), Keep(2_500), StormEnds]
}

/// Two old boots of each node, on a LAN on which the nodes do not hear each other. Heartbeats of the boot that runs are no sign that the
/// peer is gone, so they may turn the fast takeover into one after T.
const fn old_boots(tape: Tape, rate: u32, refused: u64) -> [Move; 15] {
    [
        Do(RecorderListens),
        Restart,
        Restart,
        Do(Separate),
        Do(RecorderPlays(tape, rate)),
        Keep(1_000),
        Do(Kill(Standby)),
        Do(Start(Standby)),
        Pairs(Active, BACK),
        Keep(T_AND_MORE),
        Refused(Active, refused),
        Refused(Standby, refused),
        Do(PowerOff(Active)),
        Takes(Standby, DELAYED_TAKEOVER),
        Stays(Standby, 2_000),
    ]
}

/// It asks the gateway whether it may serve alone, and what is played looks as if its standby were there and did not hear it.
const WITHHELD_FROM_ACTIVE: &[Move] = &[
    Do(RecorderListens),
    Do(Impair(Active, Lan, WITHHELD)),
    Do(RecorderPlays(Tape::LastWords(TAPE), 3)),
    Keep(TAPE),
    Do(PowerOff(Standby)),
    Stays(Active, T_AND_MORE + 2_000),
    Refused(Active, 10),
];

/// What is played looks as if the active still lived.
const WITHHELD_FROM_STANDBY: &[Move] = &[
    Do(RecorderListens),
    Do(Impair(Active, Lan, WITHHELD)),
    Do(RecorderPlays(Tape::LastWords(TAPE), 3)),
    Keep(TAPE),
    Do(PowerOff(Active)),
    Takes(Standby, DELAYED_TAKEOVER),
    Stays(Standby, T_AND_MORE),
    Refused(Standby, 10),
];

/// The heartbeats on the LAN go to the liar as well, where the nodes believe it.
const LIAR: &[Move] = &[
    Do(RecorderListens),
    Restart,
    Restart,
    Do(Stranger(Some(Claim::NodeAddresses))),
    Do(RecorderPlays(Tape::OldBoots, 10_000)),
    Keep(T_AND_MORE + 4_000),
    Do(Kill(Standby)),
    Do(Start(Standby)),
    Pairs(Active, BACK),
    Keep(T_AND_MORE),
];

const LIAR_AND_THIEF: &[Move] = &[
    Do(Stranger(Some(Claim::NodeAddresses))),
    Keep(1_000),
    Do(Stranger(Some(Claim::Everything))),
    Says(Active, FOREIGN_HOLDER),
    Announces(Active, 1_500),
    Keep(T_AND_MORE),
    Do(Stranger(None)),
    // As after any theft.
    Serves(Active, 1_500),
    Keep(500),
];

/// All of them.
pub(super) static ALL: &[Scenario] = &[
    told(
        "loss",
        "30 % loss on both wires: no role change",
        &[Do(Impair(Active, Lan, LOSS)), Do(Impair(Active, Cable, LOSS)), Keep(5_000)],
    )
    .needing(BAD_WIRES),
    told("duplicates", "every frame comes twice: no role change", &[Do(ImpairAll(DOUBLED)), Keep(3_500)])
        .needing(BAD_WIRES),
    told(
        "jitter",
        "100 ms of jitter on both wires: no role change",
        &[Do(Impair(Active, Lan, JITTER)), Do(Impair(Active, Cable, JITTER)), Keep(5_000)],
    )
    .needing(BAD_WIRES),
    told(
        "jitter-heavy",
        "200 ms of jitter on both wires: never two, and the pair is complete again",
        &[
            Do(Impair(Active, Lan, HEAVY_JITTER)),
            Do(Impair(Active, Cable, HEAVY_JITTER)),
            Pass(5_000),
            Do(MendAll),
            SettlesAnyhow,
        ],
    )
    .needing(BAD_WIRES),
    told(
        "reordered",
        "frames overtake each other: no role change",
        &[Do(Impair(Active, Lan, REORDERED)), Do(Impair(Active, Cable, REORDERED)), Keep(5_000)],
    )
    .needing(BAD_WIRES),
    told("disk-full", "no room on either disk: takeover and switch work, an alert", DISK_FULL),
    told("disk-hangs", "both disks hang: takeover, switch and start work", DISK_HANGS),
    told("events-lost", "the kernel drops events of the interfaces: noticed at once", EVENTS_LOST),
    told("address-removed", "somebody removes the cluster IP: bound again, no change", CLUSTER_IP_REMOVED),
    told("own-address-removed", "somebody removes a static address for a moment", OWN_ADDRESS_REMOVED),
    told(
        "own-address-and-cable",
        "a standby without static address and cable: it claims nothing",
        OWN_ADDRESS_AND_CABLE,
    ),
    told("lan-deleted", "the active's LAN interface is deleted, and made again", LAN_DELETED),
    told("lan-renamed", "interfaces of both nodes are renamed, and switch: no change but those asked for", LAN_RENAMED),
    told("cable-deleted", "the heartbeat port is deleted, and made again: no change", CABLE_DELETED),
    told("foreign-host", "a foreign host takes the cluster IP: alert, no change", FOREIGN_HOST),
    told(
        "foreign-takeover",
        "the active dies while a foreign host has the cluster IP: the standby takes it back",
        FOREIGN_HOST_AT_TAKEOVER,
    ),
    told(
        "foreign-pair",
        "a node of another pair on the heartbeat segment: stall and death as without it",
        &foreign_pair(Keyed::No),
    ),
    told("foreign-pair-keys", "the same, both pairs with keys of their own", &foreign_pair(Keyed::Yes)).needing(KEYED),
    told(
        "power-loss-silent",
        "the active loses its power, the cable's carrier stays: takeover after T",
        &[Do(PowerOffSilently(Active)), Takes(Standby, TAKEOVER)],
    ),
    told("switch-reboot", "the LAN's switch reboots: one active afterwards", SWITCH_REBOOTS),
    told(
        "reload",
        "both daemons read their configuration again: no change",
        &[Do(Reload(Active)), Do(Reload(Standby)), Keep(1_000), Settles(Active)],
    ),
    told("ports-bounced", "all ports of both nodes go and come together", PORTS_BOUNCED),
    told("storm-lan", "10,000 forged and replayed frames a second on the LAN, with a key", &storm(Lan)).needing(KEYED),
    told("storm-cable", "the same on the cable: one alert", STORM_ON_CABLE).needing(KEYED),
    told(
        "old-boots",
        "10,000 heartbeats of old boots a second on a LAN that is cut between the nodes: pair and takeover as ever",
        &old_boots(Tape::OldBoots, 10_000, 3_000),
    )
    .needing(KEYED),
    told("old-boots-slow", "the same, one a second", &old_boots(Tape::OldBoots, 1, 3)).needing(KEYED),
    told(
        "all-boots",
        "the same with whatever was heard, of the boots that run too: takeover after T",
        &old_boots(Tape::Everything, 3_000, 3_000),
    )
    .needing(KEYED),
    told(
        "withheld-active",
        "heartbeats withheld on the LAN, and played once the standby is dead: the active serves on",
        WITHHELD_FROM_ACTIVE,
    )
    .needing(KEYED_ON_BAD_WIRES),
    told("withheld-standby", "the same once the active is dead: takeover within 1.5 T", WITHHELD_FROM_STANDBY)
        .needing(KEYED_ON_BAD_WIRES),
    told("arp-peer", "a host says by ARP that it is the peer, and plays old boots: no change", LIAR).needing(KEYED),
    told("arp-theft", "the same host takes the cluster IP: alert, defended, no change", LIAR_AND_THIEF).needing(KEYED),
    told("strangers-lan", "10,000 foreign and replayed frames a second on the LAN, no key", &strangers(Lan)),
    told("strangers-cable", "the same on the cable", &strangers(Cable)),
];
