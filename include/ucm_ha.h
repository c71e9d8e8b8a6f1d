/*
 * High availability for a pair of IP-PBX appliances: the C interface of the library ucm-ha.
 *
 * Generated from src/capi by cbindgen; do not edit. Valid as C99, C11, C++11 and later.
 *
 * EXAMPLE
 *   A node that hears no peer becomes active after the heartbeat timeout. targets/staticlib/check compiles and runs this.
 *
 *     #include "ucm_ha.h"
 *     #include <stdio.h>
 *
 *     static ucm_ha_node node;
 *
 *     int main(void) {
 *         ucm_ha_config config;
 *         ucm_ha_config_defaults(&config);
 *         config.own_ip = (ucm_ha_ipv4){{192, 168, 129, 1}};
 *         config.peer_ip = (ucm_ha_ipv4){{192, 168, 129, 2}};
 *         config.cluster_ip = (ucm_ha_ipv4){{192, 168, 129, 64}};
 *         config.mac = (ucm_ha_mac){{2, 0, 0, 0, 0, 1}};
 *         config.cable_mac = (ucm_ha_mac){{2, 0, 0, 0, 1, 1}};
 *         int32_t result = ucm_ha_node_init(&node, UCM_HA_ABI_VERSION, &config, NULL, 7, 0);
 *         if (result != UCM_HA_OK) return puts(ucm_ha_result_text(result)), 1;
 *         static const uint8_t arp_of_a_phone[42] = {[12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2}; // the LAN is alive
 *         ucm_ha_node_link(&node, 0, UCM_HA_PORT_LAN, 1);
 *         ucm_ha_node_arp_frame(&node, 0, arp_of_a_phone, sizeof arp_of_a_phone);
 *         for (uint64_t now_us = 0; now_us < 10000000; ucm_ha_node_next_timeout(&node, &now_us)) { // sleeps, in firmware
 *             uint8_t frame[UCM_HA_FRAME_CAPACITY];
 *             ucm_ha_output o;
 *             ucm_ha_node_timeout(&node, now_us);
 *             while (ucm_ha_node_poll_output(&node, frame, sizeof frame, &o) == UCM_HA_OK && o.kind != UCM_HA_OUTPUT_NONE) {
 *                 if (o.kind == UCM_HA_OUTPUT_ROLE_CHANGED) puts(ucm_ha_role_name(o.role));
 *                 if (o.kind == UCM_HA_OUTPUT_BIND_ADDRESS) ucm_ha_node_address(&node, now_us, UCM_HA_ADDRESS_HELD);
 *                 if (o.kind == UCM_HA_OUTPUT_RELEASE_ADDRESS) ucm_ha_node_address(&node, now_us, UCM_HA_ADDRESS_RELEASED);
 *                 if (o.kind == UCM_HA_OUTPUT_PERSIST) ucm_ha_node_persisted(&node, now_us, 1);
 *             }
 *         }
 *     }
 *
 * INDEX
 *   Versions:
 *     UCM_HA_ABI_VERSION, UCM_HA_WIRE_VERSION, ucm_ha_abi_version, ucm_ha_wire_version, ucm_ha_library_version
 *   Result codes:
 *     UCM_HA_OK, UCM_HA_ERR_*, ucm_ha_result_text
 *   Named values:
 *     UCM_HA_ROLE_*, UCM_HA_STATUS_*, UCM_HA_REASON_*, UCM_HA_REFUSAL_*, UCM_HA_ALERT_*, UCM_HA_PORT_*,
 *     UCM_HA_ADDRESS_*, UCM_HA_COMMAND_*, UCM_HA_STATION_*, UCM_HA_METHOD_*, UCM_HA_MODEL_*, UCM_HA_FAULT_*
 *   Settings, and the record that survives a restart:
 *     UCM_HA_KEY_LEN, ucm_ha_ipv4, ucm_ha_mac, ucm_ha_config, ucm_ha_record, ucm_ha_config_defaults,
 *     ucm_ha_config_check
 *   The node: facts go in:
 *     UCM_HA_MAX_INPUT_LEN, UCM_HA_NODE_*, UCM_HA_NEVER_US, ucm_ha_node, ucm_ha_node_init, ucm_ha_node_wipe,
 *     ucm_ha_node_timeout, ucm_ha_node_cable_frame, ucm_ha_node_lan_datagram, ucm_ha_node_arp_frame, ucm_ha_node_link,
 *     ucm_ha_node_address, ucm_ha_node_own_address, ucm_ha_node_persisted, ucm_ha_node_fault,
 *     ucm_ha_node_fault_unknown, ucm_ha_node_sync_done, ucm_ha_node_command, ucm_ha_node_next_timeout
 *   The node: effects come out:
 *     UCM_HA_FRAME_CAPACITY, UCM_HA_OUTPUT_*, ucm_ha_output, ucm_ha_node_poll_output
 *   The node: a snapshot:
 *     ucm_ha_status, ucm_ha_node_status
 *   FXO ports:
 *     UCM_HA_SPI_*, UCM_HA_FXO_*, UCM_HA_EDGE_*, UCM_HA_MAX_FXO_PORTS, UCM_HA_FRAMING_*, UCM_HA_COMPANDING_*,
 *     UCM_HA_POLARITY_*, ucm_ha_fxo_config, ucm_ha_fxo, ucm_ha_spi_transfer, ucm_ha_line_read, ucm_ha_fxo_update,
 *     ucm_ha_fxo_port, ucm_ha_fxo_config_defaults, ucm_ha_fxo_init_si3050, ucm_ha_fxo_init_fault_lines,
 *     ucm_ha_fxo_poll, ucm_ha_fxo_next_poll, ucm_ha_fxo_faults, ucm_ha_fxo_unknown, ucm_ha_fxo_port_status
 *   Services:
 *     UCM_HA_MAX_SERVICES, UCM_HA_SERVICES_*, UCM_HA_SERVICE_*, ucm_ha_services, ucm_ha_service_settings,
 *     ucm_ha_service_change, ucm_ha_services_init, ucm_ha_services_register, ucm_ha_services_unregister,
 *     ucm_ha_services_event, ucm_ha_services_poll, ucm_ha_services_next_deadline, ucm_ha_services_faults,
 *     ucm_ha_services_causes, ucm_ha_services_excuse
 *   Mailbox for interrupts and threads:
 *     UCM_HA_MAILBOX_*, UCM_HA_MAIL_*, ucm_ha_mailbox, ucm_ha_mail, ucm_ha_mailbox_init, ucm_ha_mailbox_post_link,
 *     ucm_ha_mailbox_post_fault_line, ucm_ha_mailbox_post_kick, ucm_ha_mailbox_post_crash, ucm_ha_mailbox_post_wake,
 *     ucm_ha_mailbox_take
 *   Lines of a log:
 *     UCM_HA_LOG_*, ucm_ha_log_line, ucm_ha_log_output
 *   Names of values:
 *     ucm_ha_role_name, ucm_ha_reason_name, ucm_ha_refusal_name, ucm_ha_alert_name, ucm_ha_output_name,
 *     ucm_ha_fault_name, ucm_ha_fxo_state_name
 *
 * THE LOOP
 *   Tell the node a fact (ucm_ha_node_*), carry out what ucm_ha_node_poll_output says, in that order, until there is no
 *   more, then sleep until ucm_ha_node_next_timeout or the next fact. docs/porting.md goes through it step by step.
 *
 * OWNERSHIP
 *   All memory is the caller's: ucm_ha_node, ucm_ha_fxo and the like are plain storage, in .bss, on a stack or elsewhere.
 *   The library allocates nothing and keeps no pointer after a call has returned, except the callbacks and contexts that an
 *   init function takes. Storage need not be cleared before it is initialised, but must not still hold what it held before a
 *   reset. Afterwards it must not be moved or copied: a copy counts as not initialised. It needs no destruction. Pointers
 *   of one call must not overlap.
 *
 * THREADS AND INTERRUPTS
 *   The library has no state of its own: calls on different storage need no lock. Calls on the same storage must be made one
 *   at a time, by whatever locks the firmware has. A call from an interrupt or a callback that interrupts another call on
 *   the same storage is refused with UCM_HA_ERR_BUSY; between threads that check is a help and not a lock.
 *   The functions of ucm_ha_mailbox are made for interrupts and threads: all but its init may be called at any time.
 *   Functions without storage (texts, names, versions, config) may be called from anywhere at any time.
 *   No call waits, loops without bound, recurses, or calls anything but the callbacks that it was given.
 *
 * TIME
 *   now_us is monotonic time in microseconds since any origin that stays the same. It must include the time that the machine
 *   was suspended (CLOCK_BOOTTIME on Linux). A time before the last one counts as the last one.
 *
 * ERRORS
 *   Functions return UCM_HA_OK (0) or a negative UCM_HA_ERR_*. A call that fails has changed nothing and written nothing.
 *   NULL, misaligned pointers, lengths, unknown values and storage that was never initialised are found and refused.
 *   "Those of the storage" are UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NOT_INITIALISED and UCM_HA_ERR_BUSY.
 *   No input makes the library panic, and a panic does not unwind into C.
 *
 * VERSIONS
 *   Pass UCM_HA_ABI_VERSION to the init functions; they refuse a library whose interface differs. The version of
 *   the heartbeat frame (ucm_ha_wire_version) is another matter: it decides which peers understand each other.
 */
#ifndef UCM_HA_H
#define UCM_HA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions ---- */

/**
 * Version of this interface: major × 65536 + minor. A higher minor only adds; a new major may change sizes and meanings.
 */
#define UCM_HA_ABI_VERSION 65537

/**
 * Version of the heartbeat frame that this library writes and reads.
 */
#define UCM_HA_WIRE_VERSION 1

/**
 * The interface version of the linked library. Its major must equal that of UCM_HA_ABI_VERSION, which the init functions
 * check; its minor must not be lower.
 */
uint32_t ucm_ha_abi_version(void);

/**
 * The version of the heartbeat frame of the linked library.
 */
uint8_t ucm_ha_wire_version(void);

/**
 * The release of the linked library, e.g. "0.1.0". The string is static.
 */
const char *ucm_ha_library_version(void);

/* ---- Result codes ---- */

/**
 * Done.
 */
#define UCM_HA_OK 0

/**
 * A pointer that must not be NULL is NULL.
 */
#define UCM_HA_ERR_NULL (-1)

/**
 * A pointer is not aligned for its type.
 */
#define UCM_HA_ERR_MISALIGNED (-2)

/**
 * The storage holds nothing that was initialised, or it was copied from where it was initialised.
 */
#define UCM_HA_ERR_NOT_INITIALISED (-3)

/**
 * A call on this storage is under way: from a callback, an interrupt or another thread.
 */
#define UCM_HA_ERR_BUSY (-4)

/**
 * The program was built for another interface version than this library's.
 */
#define UCM_HA_ERR_ABI_VERSION (-5)

/**
 * An argument or field is none of its named values, or a truth value is neither 0 nor 1.
 */
#define UCM_HA_ERR_UNKNOWN_VALUE (-6)

/**
 * A length is more than UCM_HA_MAX_INPUT_LEN.
 */
#define UCM_HA_ERR_TOO_LONG (-7)

/**
 * A buffer is smaller than it must be.
 */
#define UCM_HA_ERR_TOO_SHORT (-8)

/**
 * There is no such port.
 */
#define UCM_HA_ERR_NO_SUCH_PORT (-9)

/**
 * The number of ports is 0, or more than UCM_HA_MAX_FXO_PORTS counted from the first.
 */
#define UCM_HA_ERR_PORT_COUNT (-10)

/**
 * An interval is 0.
 */
#define UCM_HA_ERR_INTERVAL_ZERO (-11)

/**
 * There is no service of this number.
 */
#define UCM_HA_ERR_NO_SUCH_SERVICE (-12)

/**
 * UCM_HA_MAX_SERVICES services are registered already.
 */
#define UCM_HA_ERR_TABLE_FULL (-13)

/**
 * mac is not set (zero), or a group address.
 */
#define UCM_HA_ERR_CONFIG_MAC_NOT_UNICAST (-100)

/**
 * peer_mac equals mac.
 */
#define UCM_HA_ERR_CONFIG_PEER_MAC_IS_OWN (-101)

/**
 * heartbeat_port is 0.
 */
#define UCM_HA_ERR_CONFIG_PORT_ZERO (-102)

/**
 * heartbeat_timeout_s is outside 3 to 10.
 */
#define UCM_HA_ERR_CONFIG_TIMEOUT_OUT_OF_RANGE (-103)

/**
 * A prefix length is 0 or more than 32.
 */
#define UCM_HA_ERR_CONFIG_PREFIX_OUT_OF_RANGE (-104)

/**
 * own_ip is not an address that a host on its LAN can have.
 */
#define UCM_HA_ERR_CONFIG_OWN_IP_UNUSABLE (-105)

/**
 * cluster_ip equals own_ip.
 */
#define UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_OWN (-106)

/**
 * cluster_ip equals peer_ip.
 */
#define UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_PEER (-107)

/**
 * cluster_ip is outside the LAN, or its network or broadcast address.
 */
#define UCM_HA_ERR_CONFIG_CLUSTER_IP_OUTSIDE_LAN (-108)

/**
 * peer_ip equals own_ip.
 */
#define UCM_HA_ERR_CONFIG_PEER_IP_IS_OWN (-109)

/**
 * peer_ip is outside the LAN, or its network or broadcast address.
 */
#define UCM_HA_ERR_CONFIG_PEER_IP_OUTSIDE_LAN (-110)

/**
 * gateway equals own_ip, peer_ip or cluster_ip.
 */
#define UCM_HA_ERR_CONFIG_GATEWAY_IS_NODE (-111)

/**
 * gateway is outside the LAN, or its network or broadcast address.
 */
#define UCM_HA_ERR_CONFIG_GATEWAY_OUTSIDE_LAN (-112)

/**
 * firmware is older than 1.0.9.0.
 */
#define UCM_HA_ERR_CONFIG_FIRMWARE_TOO_OLD (-113)

/**
 * switching_faults names an FXO port that the model does not have.
 */
#define UCM_HA_ERR_CONFIG_NO_SUCH_FXO_PORT (-114)

/**
 * handover_window_s is 0.
 */
#define UCM_HA_ERR_CONFIG_WINDOW_ZERO (-115)

/**
 * handover_budget is more than 8.
 */
#define UCM_HA_ERR_CONFIG_BUDGET_TOO_HIGH (-116)

/**
 * cable_mac is not set (zero), or a group address.
 */
#define UCM_HA_ERR_CONFIG_CABLE_MAC_NOT_UNICAST (-117)

/**
 * own_ip is not set (0.0.0.0).
 */
#define UCM_HA_ERR_CONFIG_OWN_IP_UNSET (-118)

/**
 * cluster_ip is not set (0.0.0.0).
 */
#define UCM_HA_ERR_CONFIG_CLUSTER_IP_UNSET (-119)

/**
 * peer_ip is not set (0.0.0.0).
 */
#define UCM_HA_ERR_CONFIG_PEER_IP_UNSET (-120)

/**
 * What a result code means and what to do, in one line of English. For any other number: "unknown result code". The
 * string is static. May be called from any context.
 */
const char *ucm_ha_result_text(int32_t result);

/* ---- Named values ---- */

/**
 * High availability is off: holds and claims nothing.
 */
#define UCM_HA_ROLE_OFF 0

/**
 * Started; listens before it takes a side.
 */
#define UCM_HA_ROLE_INIT 1

/**
 * Ready to take over.
 */
#define UCM_HA_ROLE_STANDBY 2

/**
 * Its turn; the cluster IP is being bound.
 */
#define UCM_HA_ROLE_CLAIMING 3

/**
 * Owns the cluster IP.
 */
#define UCM_HA_ROLE_ACTIVE 4

/**
 * Has agreed to hand over: releases, or has released, the cluster IP.
 */
#define UCM_HA_ROLE_YIELDING 5

/**
 * High availability is off.
 */
#define UCM_HA_STATUS_OFF 0

/**
 * This node is up, the peer is not.
 */
#define UCM_HA_STATUS_SINGLE 1

/**
 * Both nodes are up.
 */
#define UCM_HA_STATUS_DUAL 2

/**
 * The node started, or was enabled.
 */
#define UCM_HA_REASON_STARTED 1

/**
 * The peer is active.
 */
#define UCM_HA_REASON_PEER_ACTIVE 2

/**
 * The peer was silent for the heartbeat timeout.
 */
#define UCM_HA_REASON_PEER_SILENT 3

/**
 * The peer's machine is gone: cable without carrier and no answer on the LAN.
 */
#define UCM_HA_REASON_PEER_GONE 4

/**
 * The peer cannot hear this node and is not active.
 */
#define UCM_HA_REASON_PEER_DEAF 5

/**
 * Nobody was active and the peer granted the claim.
 */
#define UCM_HA_REASON_GRANTED 6

/**
 * The peer is switched off for high availability.
 */
#define UCM_HA_REASON_PEER_OFF 7

/**
 * Handover because of a fault of the old active.
 */
#define UCM_HA_REASON_SELF_FAULT 8

/**
 * Handover by the operator's command.
 */
#define UCM_HA_REASON_FORCED_SWITCH 9

/**
 * Handover because the old active's program was asked to stop.
 */
#define UCM_HA_REASON_SHUTDOWN 10

/**
 * The peer could not take the role, so the old active took it back.
 */
#define UCM_HA_REASON_PEER_REFUSED 11

/**
 * The lease ran out and the node may not serve alone.
 */
#define UCM_HA_REASON_LEASE_EXPIRED 12

/**
 * Two actives met and this node is the one to step down.
 */
#define UCM_HA_REASON_PEER_PRECEDES 13

/**
 * The node woke from a freeze and could not know what happened meanwhile.
 */
#define UCM_HA_REASON_WOKE_FROM_FREEZE 14

/**
 * The cluster IP could not be bound.
 */
#define UCM_HA_REASON_ADDRESS_FAILED 15

/**
 * High availability was turned off on this node.
 */
#define UCM_HA_REASON_DISABLED 16

/**
 * High availability was turned off by the peer.
 */
#define UCM_HA_REASON_DISABLED_BY_PEER 17

/**
 * The old active, which this node had lost sight of, is heard again and has given way. This node is and stays active: it says
 * so anew to whoever follows the roles.
 */
#define UCM_HA_REASON_PEER_GAVE_WAY 18

/**
 * The operator put this node into maintenance though nobody could take the role.
 */
#define UCM_HA_REASON_MAINTENANCE 19

/**
 * Not refused.
 */
#define UCM_HA_REFUSAL_NONE 0

/**
 * This node is not active; the command belongs on the active.
 */
#define UCM_HA_REFUSAL_NOT_ACTIVE 1

/**
 * The peer is not heard.
 */
#define UCM_HA_REFUSAL_PEER_NOT_SEEN 2

/**
 * The peer is not standby.
 */
#define UCM_HA_REFUSAL_PEER_NOT_STANDBY 3

/**
 * The peer has a fault, no usable LAN, or is about to stop.
 */
#define UCM_HA_REFUSAL_PEER_UNHEALTHY 4

/**
 * The peer is in the middle of a full synchronisation.
 */
#define UCM_HA_REFUSAL_PEER_SYNCING 5

/**
 * A handover is already under way.
 */
#define UCM_HA_REFUSAL_IN_PROGRESS 6

/**
 * The peer did not answer.
 */
#define UCM_HA_REFUSAL_PEER_UNANSWERED 7

/**
 * The peer said no.
 */
#define UCM_HA_REFUSAL_PEER_REFUSED 8

/**
 * The peer has another cluster IP.
 */
#define UCM_HA_REFUSAL_CLUSTER_IP_DIFFERS 9

/**
 * The peer is in maintenance.
 */
#define UCM_HA_REFUSAL_PEER_IN_MAINTENANCE 10

/**
 * The peer is not heard on any path.
 */
#define UCM_HA_ALERT_HEARTBEAT_LOST 1

/**
 * The peer is not heard over the cable, while it is heard over the LAN.
 */
#define UCM_HA_ALERT_CABLE_LOST 2

/**
 * The peer is not heard over the LAN, while it is heard over the cable.
 */
#define UCM_HA_ALERT_LAN_PATH_LOST 3

/**
 * Something on the cable speaks, but cannot be understood: wrong key, unknown version, or not the configured peer.
 */
#define UCM_HA_ALERT_PEER_INCOMPATIBLE 4

/**
 * Both nodes have the same station type.
 */
#define UCM_HA_ALERT_SAME_STATION_TYPE 5

/**
 * Settings that must match differ.
 */
#define UCM_HA_ALERT_SETTINGS_DIFFER 6

/**
 * The models differ; data synchronisation is suspended.
 */
#define UCM_HA_ALERT_MODEL_DIFFERS 7

/**
 * The firmware versions differ; data goes from the old to the new only.
 */
#define UCM_HA_ALERT_FIRMWARE_DIFFERS 8

/**
 * The MAC or LAN address of the station on the cable is not the configured peer's.
 */
#define UCM_HA_ALERT_PEER_MAC_MISMATCH 9

/**
 * A foreign station answers for the cluster IP.
 */
#define UCM_HA_ALERT_FOREIGN_HOLDER 10

/**
 * The silent peer's machine still answers for the cluster IP, so that this node cannot claim it.
 */
#define UCM_HA_ALERT_PEER_HOLDS_ADDRESS 11

/**
 * The gateway does not answer.
 */
#define UCM_HA_ALERT_GATEWAY_LOST 12

/**
 * A handover was wanted but the peer refused it, did not answer, or was no healthier.
 */
#define UCM_HA_ALERT_HANDOVER_FAILED 13

/**
 * No more handovers in this window for faults with which the node still serves; it keeps its role.
 */
#define UCM_HA_ALERT_BUDGET_USED 14

/**
 * The cluster IP could not be bound.
 */
#define UCM_HA_ALERT_ADDRESS_FAILED 15

/**
 * The term could not be stored; a restart may forget it.
 */
#define UCM_HA_ALERT_NOT_PERSISTED 16

/**
 * High availability was turned off by the peer; `Enable` on both nodes turns it on.
 */
#define UCM_HA_ALERT_DISABLED_BY_PEER 17

/**
 * The peer has another cluster IP in its settings, which is ip. Neither node hands the role to the other.
 */
#define UCM_HA_ALERT_CLUSTER_IP_DIFFERS 18

/**
 * A node of another pair is heard on the cable: mac, and ip, its own address. It has no influence.
 */
#define UCM_HA_ALERT_FOREIGN_PAIR 19

/**
 * Nobody serves: the peer is silent, and this node is in maintenance.
 */
#define UCM_HA_ALERT_MAINTENANCE 20

/**
 * The heartbeat port (the direct cable).
 */
#define UCM_HA_PORT_CABLE 1

/**
 * The LAN uplink, which carries the cluster IP.
 */
#define UCM_HA_PORT_LAN 2

/**
 * The WAN uplink (router method).
 */
#define UCM_HA_PORT_WAN 3

/**
 * UCM_HA_OUTPUT_BIND_ADDRESS is done: the address is bound.
 */
#define UCM_HA_ADDRESS_HELD 1

/**
 * UCM_HA_OUTPUT_RELEASE_ADDRESS is done: the address is not bound (also when it was not bound before).
 */
#define UCM_HA_ADDRESS_RELEASED 2

/**
 * UCM_HA_OUTPUT_BIND_ADDRESS failed; the address is not bound.
 */
#define UCM_HA_ADDRESS_FAILED 3

/**
 * The address went away without UCM_HA_OUTPUT_RELEASE_ADDRESS: its lifetime ran out, or somebody removed it.
 */
#define UCM_HA_ADDRESS_LOST 4

/**
 * Hand the active role to the peer. Answered by UCM_HA_OUTPUT_SWITCH_DONE.
 */
#define UCM_HA_COMMAND_FORCE_SWITCH 1

/**
 * Turn high availability off on this node (saved).
 */
#define UCM_HA_COMMAND_DISABLE 2

/**
 * Turn it on again, also after the peer turned it off for the pair.
 */
#define UCM_HA_COMMAND_ENABLE 3

/**
 * The program is about to end: hand over if the peer is ready, release the address, then UCM_HA_OUTPUT_STOPPED.
 */
#define UCM_HA_COMMAND_SHUTDOWN 4

/**
 * Keep this node out of the active role from now on (saved). An active hands over first, and it is refused where the peer could
 * not take the role, or is in maintenance itself. Answered by UCM_HA_OUTPUT_SWITCH_DONE.
 */
#define UCM_HA_COMMAND_ENTER_MAINTENANCE 5

/**
 * The same whether or not somebody else can serve: an active releases the cluster IP. Refused in the middle of a handover.
 */
#define UCM_HA_COMMAND_FORCE_MAINTENANCE 6

/**
 * Let this node take the role again (saved).
 */
#define UCM_HA_COMMAND_LEAVE_MAINTENANCE 7

/**
 * Wins ties.
 */
#define UCM_HA_STATION_PRIMARY 1

/**
 * Loses ties.
 */
#define UCM_HA_STATION_SECONDARY 2

/**
 * One LAN port to the uplink switch.
 */
#define UCM_HA_METHOD_SWITCH 1

/**
 * WAN and LAN ports.
 */
#define UCM_HA_METHOD_ROUTER 2

/**
 * UCM6301.
 */
#define UCM_HA_MODEL_UCM6301 1

/**
 * UCM6302.
 */
#define UCM_HA_MODEL_UCM6302 2

/**
 * UCM6304.
 */
#define UCM_HA_MODEL_UCM6304 3

/**
 * UCM6308.
 */
#define UCM_HA_MODEL_UCM6308 4

/**
 * UCM6300A.
 */
#define UCM_HA_MODEL_UCM6300A 5

/**
 * UCM6302A.
 */
#define UCM_HA_MODEL_UCM6302A 6

/**
 * UCM6304A.
 */
#define UCM_HA_MODEL_UCM6304A 7

/**
 * UCM6308A.
 */
#define UCM_HA_MODEL_UCM6308A 8

/**
 * FXO port 1: chip or line-side link dead.
 */
#define UCM_HA_FAULT_FXO1 (1u << 0)

/**
 * FXO port 2.
 */
#define UCM_HA_FAULT_FXO2 (1u << 1)

/**
 * FXO port 3.
 */
#define UCM_HA_FAULT_FXO3 (1u << 2)

/**
 * FXO port 4.
 */
#define UCM_HA_FAULT_FXO4 (1u << 3)

/**
 * FXO port 5.
 */
#define UCM_HA_FAULT_FXO5 (1u << 4)

/**
 * FXO port 6.
 */
#define UCM_HA_FAULT_FXO6 (1u << 5)

/**
 * FXO port 7.
 */
#define UCM_HA_FAULT_FXO7 (1u << 6)

/**
 * FXO port 8.
 */
#define UCM_HA_FAULT_FXO8 (1u << 7)

/**
 * The LAN uplink has no carrier.
 */
#define UCM_HA_FAULT_LAN (1u << 8)

/**
 * The WAN uplink has no carrier.
 */
#define UCM_HA_FAULT_WAN (1u << 9)

/**
 * The gateway does not answer this node while the peer sees it.
 */
#define UCM_HA_FAULT_GATEWAY (1u << 10)

/**
 * A core service crashed or is deadlocked.
 */
#define UCM_HA_FAULT_SERVICE (1u << 11)

/**
 * The cluster IP could not be bound when it was this node's turn.
 */
#define UCM_HA_FAULT_ADDRESS (1u << 12)

/* ---- Settings, and the record that survives a restart ---- */

/**
 * Length of the pre-shared key, in bytes.
 */
#define UCM_HA_KEY_LEN 32

/**
 * An IPv4 address, in the order in which it is written: 192.168.1.2 is {192, 168, 1, 2}.
 */
typedef struct ucm_ha_ipv4 {
    /**
     * The four numbers.
     */
    uint8_t octets[4];
} ucm_ha_ipv4;

/**
 * An Ethernet (MAC) address, in the order in which it is written and sent.
 */
typedef struct ucm_ha_mac {
    /**
     * The six bytes.
     */
    uint8_t octets[6];
} ucm_ha_mac;

/**
 * Everything a node has to know. Fill it with ucm_ha_config_defaults, then set what is yours. Truth values are 0 or 1.
 */
typedef struct ucm_ha_config {
    /**
     * Faults that cause a handover besides LAN, WAN and gateway: UCM_HA_FAULT_FXO1 to UCM_HA_FAULT_FXO8 for the hardware
     * fault switch, UCM_HA_FAULT_SERVICE for the software fault switch. Default: none.
     */
    uint32_t switching_faults;
    /**
     * How long the LAN or WAN carrier must be gone to raise its fault, in ms. Default: 50.
     */
    uint32_t link_raise_ms;
    /**
     * How long it must be back to clear it, in ms. Default: 1000.
     */
    uint32_t link_clear_ms;
    /**
     * Length of the window in which handovers for own faults are counted, in seconds, at least 1. Default: 3600.
     */
    uint32_t handover_window_s;
    /**
     * UDP port of the heartbeat, 1 to 65535. Default: 9527.
     */
    uint16_t heartbeat_port;
    /**
     * UCM_HA_MODEL_*. Default: UCM6302.
     */
    uint16_t model;
    /**
     * High availability on? A node that is off holds nothing and tells its peer so. Default: 1.
     */
    uint8_t enabled;
    /**
     * UCM_HA_STATION_*, a different one on each node. Default: primary.
     */
    uint8_t station_type;
    /**
     * UCM_HA_METHOD_*. Default: switch.
     */
    uint8_t network_method;
    /**
     * Heartbeat timeout T in seconds, 3 to 10. Default: 7.
     */
    uint8_t heartbeat_timeout_s;
    /**
     * Take over within 500 ms when the active's machine is gone; has no effect without a gateway. Default: 1.
     */
    uint8_t fast_failover;
    /**
     * Handovers for own faults in one window, 0 to 8, after which they are only made where the node serves nobody, and without
     * a reboot. Default: 2.
     */
    uint8_t handover_budget;
    /**
     * Prefix length of the LAN in bits, 1 to 32. Default: 24.
     */
    uint8_t own_prefix_len;
    /**
     * Prefix length of the cluster IP in bits, 1 to 32. Default: 24.
     */
    uint8_t cluster_prefix_len;
    /**
     * Own static address on the LAN. No default.
     */
    struct ucm_ha_ipv4 own_ip;
    /**
     * The cluster IP that the active owns. No default.
     */
    struct ucm_ha_ipv4 cluster_ip;
    /**
     * The peer's static LAN address. No default.
     */
    struct ucm_ha_ipv4 peer_ip;
    /**
     * The LAN's gateway, if has_gateway is 1.
     */
    struct ucm_ha_ipv4 gateway;
    /**
     * Firmware version, e.g. {1, 0, 27, 5}. Default: 1.0.9.0, the oldest with high availability.
     */
    uint8_t firmware[4];
    /**
     * Whether gateway is set. Default: 0.
     */
    uint8_t has_gateway;
    /**
     * Whether peer_mac is set. Default: 0.
     */
    uint8_t has_peer_mac;
    /**
     * Whether key is set; without one, frames are not authenticated. Default: 0.
     */
    uint8_t has_key;
    /**
     * 0.
     */
    uint8_t reserved;
    /**
     * MAC address of the LAN interface: this node's identity. No default.
     */
    struct ucm_ha_mac mac;
    /**
     * MAC address of the heartbeat port. No default.
     */
    struct ucm_ha_mac cable_mac;
    /**
     * The peer's LAN MAC address, if has_peer_mac is 1.
     */
    struct ucm_ha_mac peer_mac;
    /**
     * Pre-shared key of the pair, if has_key is 1.
     */
    uint8_t key[UCM_HA_KEY_LEN];
    /**
     * 0.
     */
    uint8_t reserved_end[2];
} ucm_ha_config;

/**
 * What must survive a restart: store it when UCM_HA_OUTPUT_PERSIST asks, and give it back to ucm_ha_node_init.
 */
typedef struct ucm_ha_record {
    /**
     * The newest term this node knows.
     */
    uint32_t term;
    /**
     * No term above this one was ever used by this node.
     */
    uint32_t term_ceiling;
    /**
     * 1 if this node was the active of term.
     */
    uint8_t last_active;
    /**
     * 1 if the peer, then active, turned high availability off for the pair.
     */
    uint8_t disabled_by_peer;
    /**
     * Handovers for own faults in the window when the record was stored.
     */
    uint8_t handovers;
    /**
     * 1 if the operator keeps this node out of the active role.
     */
    uint8_t maintenance;
} ucm_ha_record;

/**
 * Fills config with the defaults named at its fields, and the rest with zeros.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; nothing is written.
 */
int32_t ucm_ha_config_defaults(struct ucm_ha_config *config);

/**
 * Whether a node could run with config; makes none.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; UCM_HA_ERR_UNKNOWN_VALUE for a field that is none of its named values;
 * else the first violated rule, UCM_HA_ERR_CONFIG_*, whose text (ucm_ha_result_text) names the field and the remedy.
 */
int32_t ucm_ha_config_check(const struct ucm_ha_config *config);

/* ---- The node: facts go in ---- */

/**
 * Most bytes that one call takes in; more is refused with UCM_HA_ERR_TOO_LONG.
 */
#define UCM_HA_MAX_INPUT_LEN 65535

/**
 * sizeof(ucm_ha_node), in bytes.
 */
#define UCM_HA_NODE_SIZE 2048

/**
 * The same in 64-bit words.
 */
#define UCM_HA_NODE_WORDS 256

/**
 * A deadline that never comes.
 */
#define UCM_HA_NEVER_US 18446744073709551615ull

/**
 * Storage for one node, owned by the caller. Its content is the library's.
 */
typedef struct ucm_ha_node {
    /**
     * Not to be touched.
     */
    uint64_t opaque[UCM_HA_NODE_WORDS];
} ucm_ha_node;

/**
 * Makes a node in its first role, UCM_HA_ROLE_INIT or UCM_HA_ROLE_OFF, and puts it into the storage. Then call
 * ucm_ha_node_poll_output until there is no more: a cluster IP that is left over must be released.
 *
 * abi_version is UCM_HA_ABI_VERSION. record is what the last UCM_HA_OUTPUT_PERSIST stored, or NULL if there is none.
 * boot_id must be random and non-zero at every start; zero counts as one. now_us is the monotonic time in microseconds.
 * Storage in use may be initialised again: the old node is forgotten, as by a restart of the program.
 *
 * Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_BUSY, and those of
 * ucm_ha_config_check; the storage is left as it was.
 */
int32_t ucm_ha_node_init(struct ucm_ha_node *node,
                         uint32_t abi_version,
                         const struct ucm_ha_config *config,
                         const struct ucm_ha_record *record,
                         uint32_t boot_id,
                         uint64_t now_us);

/**
 * Wipes the storage, including the key. It then counts as never initialised.
 *
 * An active node is forgotten with its address still bound: first send UCM_HA_COMMAND_SHUTDOWN and wait for
 * UCM_HA_OUTPUT_STOPPED.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NOT_INITIALISED, UCM_HA_ERR_BUSY; nothing is changed.
 */
int32_t ucm_ha_node_wipe(struct ucm_ha_node *node);

/**
 * The deadline of ucm_ha_node_next_timeout has come. Harmless at any other time.
 *
 * Errors: those of the storage; nothing is changed.
 */
int32_t ucm_ha_node_timeout(struct ucm_ha_node *node, uint64_t now_us);

/**
 * An Ethernet frame was received on the heartbeat port. frame is len bytes from the destination address on, without the
 * frame check sequence. Anything may be in it: what is not a heartbeat of the peer is counted and dropped.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL for a frame of one byte or more at NULL; UCM_HA_ERR_TOO_LONG. Nothing is
 * changed.
 */
int32_t ucm_ha_node_cable_frame(struct ucm_ha_node *node,
                                uint64_t now_us,
                                const uint8_t *frame,
                                size_t len);

/**
 * A datagram was received on the LAN interface at the heartbeat port. payload is the len bytes of its UDP payload. Anything
 * may be in it, as for ucm_ha_node_cable_frame.
 *
 * Errors: as for ucm_ha_node_cable_frame.
 */
int32_t ucm_ha_node_lan_datagram(struct ucm_ha_node *node,
                                 uint64_t now_us,
                                 struct ucm_ha_ipv4 source,
                                 const uint8_t *payload,
                                 size_t len);

/**
 * An Ethernet frame with an ARP packet was received on the LAN interface: frame is len bytes from the destination address
 * on. Needed are those of the gateway, the peer and whoever says it has the cluster IP, and probes for the cluster IP (RFC 5227,
 * sender 0.0.0.0); without a gateway all. Other frames may be given too; they are ignored.
 *
 * Errors: as for ucm_ha_node_cable_frame.
 */
int32_t ucm_ha_node_arp_frame(struct ucm_ha_node *node,
                              uint64_t now_us,
                              const uint8_t *frame,
                              size_t len);

/**
 * Whether a port (UCM_HA_PORT_*) has carrier: tell it at start and whenever it may have changed. Repeating the same state is
 * harmless. up is 0 or 1.
 *
 * Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
 */
int32_t ucm_ha_node_link(struct ucm_ha_node *node,
                         uint64_t now_us,
                         uint8_t port,
                         uint8_t up);

/**
 * What became of the cluster IP on the LAN interface (UCM_HA_ADDRESS_*).
 *
 * Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
 */
int32_t ucm_ha_node_address(struct ucm_ha_node *node, uint64_t now_us, uint8_t event);

/**
 * Whether the LAN interface has the own static address (present is 1) or has lost it (0): tell it whenever that may have
 * changed. Until then it counts as there. A node without it claims nothing unless the peer agrees, because the peer's
 * datagrams cannot arrive; an active keeps its role.
 *
 * Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
 */
int32_t ucm_ha_node_own_address(struct ucm_ha_node *node,
                                uint64_t now_us,
                                uint8_t present);

/**
 * Whether the record of the newest UCM_HA_OUTPUT_PERSIST was stored and will be read back after a restart (saved is 1) or
 * could not be stored (0).
 *
 * Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
 */
int32_t ucm_ha_node_persisted(struct ucm_ha_node *node,
                              uint64_t now_us,
                              uint8_t saved);

/**
 * Debounced faults (UCM_HA_FAULT_*, several may be combined) were raised (raised is 1) or cleared (0). LAN, WAN and gateway
 * faults are the node's own to find and are ignored here.
 *
 * Errors: those of the storage; UCM_HA_ERR_UNKNOWN_VALUE, also for a bit that is no fault. Nothing is changed.
 */
int32_t ucm_ha_node_fault(struct ucm_ha_node *node,
                          uint64_t now_us,
                          uint32_t faults,
                          uint8_t raised);

/**
 * Faults (UCM_HA_FAULT_*, several may be combined) that are not known yet (unknown is 1), as after a start, or are known from
 * now on (0). While one is unknown, the node does not count as healthier than a peer that has it. See ucm_ha_fxo_unknown.
 *
 * Errors: as for ucm_ha_node_fault.
 */
int32_t ucm_ha_node_fault_unknown(struct ucm_ha_node *node,
                                  uint64_t now_us,
                                  uint32_t faults,
                                  uint8_t unknown);

/**
 * Outcome of the full synchronisation that UCM_HA_OUTPUT_START_FULL_SYNC asked for: the generation of the data that this
 * node now holds, and whether it is complete (0 or 1). Firmware without data to copy reports complete at once.
 *
 * Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
 */
int32_t ucm_ha_node_sync_done(struct ucm_ha_node *node,
                              uint64_t now_us,
                              uint32_t generation,
                              uint8_t complete);

/**
 * A command of the operator (UCM_HA_COMMAND_*). Success means that the node took it; what came of a force switch is told by
 * UCM_HA_OUTPUT_SWITCH_DONE.
 *
 * Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
 */
int32_t ucm_ha_node_command(struct ucm_ha_node *node,
                            uint64_t now_us,
                            uint8_t command);

/**
 * When to call ucm_ha_node_timeout, unless another input comes first: monotonic time in microseconds, or UCM_HA_NEVER_US.
 * Ask again after every input.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for deadline_us. Nothing is written.
 */
int32_t ucm_ha_node_next_timeout(struct ucm_ha_node *node,
                                 uint64_t *deadline_us);

/* ---- The node: effects come out ---- */

/**
 * Smallest buffer for the frames that a node writes, in bytes.
 */
#define UCM_HA_FRAME_CAPACITY 150

/**
 * There is none left.
 */
#define UCM_HA_OUTPUT_NONE 0

/**
 * Remove the cluster IP from the LAN interface if it is there, then report UCM_HA_ADDRESS_RELEASED.
 */
#define UCM_HA_OUTPUT_RELEASE_ADDRESS 1

/**
 * Add the cluster IP to the LAN interface, to vanish by itself after valid_s seconds unless renewed; then report
 * UCM_HA_ADDRESS_HELD or UCM_HA_ADDRESS_FAILED. From before_us on do nothing and report UCM_HA_ADDRESS_FAILED: the program
 * was held up between the decision and its execution, and the peer may have taken over.
 */
#define UCM_HA_OUTPUT_BIND_ADDRESS 2

/**
 * Extend the lifetime of the bound cluster IP to valid_s seconds; from before_us on do nothing. Only a failure is reported,
 * as UCM_HA_ADDRESS_LOST.
 */
#define UCM_HA_OUTPUT_RENEW_ADDRESS 3

/**
 * Send the first frame_len bytes of the frame buffer, a whole Ethernet frame, on the heartbeat port.
 */
#define UCM_HA_OUTPUT_SEND_CABLE 4

/**
 * Send the first frame_len bytes of the frame buffer as one UDP datagram to the peer's LAN address and heartbeat port, on
 * the LAN interface, from the own static address.
 */
#define UCM_HA_OUTPUT_SEND_LAN 5

/**
 * Send the first frame_len bytes of the frame buffer, a whole Ethernet frame with an ARP packet, on the LAN interface.
 */
#define UCM_HA_OUTPUT_SEND_ARP 6

/**
 * Store record durably, then report it with ucm_ha_node_persisted. That may take its time; only the newest record matters.
 */
#define UCM_HA_OUTPUT_PERSIST 7

/**
 * The role changed: role_before, role, term, reason. Equal roles mean that whoever follows the role should be told again.
 */
#define UCM_HA_OUTPUT_ROLE_CHANGED 8

/**
 * An alert was raised or cleared: alert, raised, mac if has_mac is 1, and ip where the alert has one.
 */
#define UCM_HA_OUTPUT_ALERT 9

/**
 * A fault of this node was raised or cleared after debouncing: faults, raised.
 */
#define UCM_HA_OUTPUT_FAULT_CHANGED 10

/**
 * Ask the peer for all data, then report the outcome with ucm_ha_node_sync_done.
 */
#define UCM_HA_OUTPUT_START_FULL_SYNC 11

/**
 * Reboot this machine (after a handover for a fault of its own).
 */
#define UCM_HA_OUTPUT_REBOOT 12

/**
 * Outcome of UCM_HA_COMMAND_FORCE_SWITCH: refusal, UCM_HA_REFUSAL_NONE when it was carried out.
 */
#define UCM_HA_OUTPUT_SWITCH_DONE 13

/**
 * UCM_HA_COMMAND_SHUTDOWN is done; the program may end.
 */
#define UCM_HA_OUTPUT_STOPPED 14

/**
 * An effect to carry out. kind says which, and which fields count; the others are 0.
 */
typedef struct ucm_ha_output {
    /**
     * Monotonic time in microseconds.
     */
    uint64_t before_us;
    /**
     * Lifetime in seconds.
     */
    uint32_t valid_s;
    /**
     * Length in bytes.
     */
    uint32_t frame_len;
    /**
     * Term after the change.
     */
    uint32_t term;
    /**
     * UCM_HA_FAULT_*.
     */
    uint32_t faults;
    /**
     * What to store.
     */
    struct ucm_ha_record record;
    /**
     * UCM_HA_OUTPUT_*.
     */
    uint8_t kind;
    /**
     * UCM_HA_ROLE_*.
     */
    uint8_t role_before;
    /**
     * UCM_HA_ROLE_*.
     */
    uint8_t role;
    /**
     * UCM_HA_REASON_*.
     */
    uint8_t reason;
    /**
     * UCM_HA_ALERT_*.
     */
    uint8_t alert;
    /**
     * 1 raised, 0 cleared.
     */
    uint8_t raised;
    /**
     * UCM_HA_REFUSAL_*.
     */
    uint8_t refusal;
    /**
     * Whether the station that an alert is about is known.
     */
    uint8_t has_mac;
    /**
     * That station.
     */
    struct ucm_ha_mac mac;
    /**
     * The address that an alert is about, 0.0.0.0 for none.
     */
    uint8_t ip[4];
    /**
     * 0.
     */
    uint8_t reserved[2];
} ucm_ha_output;

/**
 * The next effect to carry out; its kind is UCM_HA_OUTPUT_NONE when there is none left. Call it until then after every
 * input, and carry the effects out in this order.
 *
 * frame is a buffer of frame_capacity bytes, at least UCM_HA_FRAME_CAPACITY. Its first frame_len bytes are written for the
 * kinds that send something, and nothing else.
 *
 * Errors: those of the storage; UCM_HA_ERR_TOO_SHORT; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for frame and output. Nothing is
 * written, and no effect is lost.
 */
int32_t ucm_ha_node_poll_output(struct ucm_ha_node *node,
                                uint8_t *frame,
                                size_t frame_capacity,
                                struct ucm_ha_output *output);

/* ---- The node: a snapshot ---- */

/**
 * A snapshot of a node. Truth values are 0 or 1.
 */
typedef struct ucm_ha_status {
    /**
     * When the peer was last heard: monotonic time in microseconds. 0 unless peer_known.
     */
    uint64_t peer_last_heard_us;
    /**
     * Own term.
     */
    uint32_t term;
    /**
     * Raised faults, UCM_HA_FAULT_*.
     */
    uint32_t faults;
    /**
     * Faults that cause a handover, UCM_HA_FAULT_*.
     */
    uint32_t switching_faults;
    /**
     * The peer's faults when last heard.
     */
    uint32_t peer_faults;
    /**
     * Authentic frames of the peer since the start. Counters stop at their maximum.
     */
    uint32_t frames_ok;
    /**
     * Frames with a wrong magic, version, length, checksum or field.
     */
    uint32_t frames_malformed;
    /**
     * Frames with a wrong or missing authentication code, or not from the configured peer.
     */
    uint32_t frames_unauthentic;
    /**
     * Authentic frames that are not newer than the newest, were held back, or are of a boot that is over.
     */
    uint32_t frames_replayed;
    /**
     * Frames of nodes of another pair.
     */
    uint32_t frames_foreign;
    /**
     * Times this node became active without a handover.
     */
    uint32_t takeovers;
    /**
     * Times this node became active by a handover.
     */
    uint32_t handovers;
    /**
     * UCM_HA_STATUS_*.
     */
    uint8_t ha_status;
    /**
     * UCM_HA_ROLE_*.
     */
    uint8_t role;
    /**
     * Whether the cluster IP is bound here.
     */
    uint8_t bound;
    /**
     * Whether a full synchronisation is under way.
     */
    uint8_t syncing;
    /**
     * Whether the LAN has carrier and, where a gateway is configured, it answers.
     */
    uint8_t lan_usable;
    /**
     * Whether a gateway is configured.
     */
    uint8_t gateway_configured;
    /**
     * Whether it answered within the last second.
     */
    uint8_t gateway_seen;
    /**
     * Why a force switch would be refused now, UCM_HA_REFUSAL_*; UCM_HA_REFUSAL_NONE if it would be accepted.
     */
    uint8_t force_switch_refusal;
    /**
     * Whether the peer was ever heard. Unless it was, the fields about it are 0.
     */
    uint8_t peer_known;
    /**
     * Whether the peer is heard now.
     */
    uint8_t peer_seen;
    /**
     * The peer's role when last heard, UCM_HA_ROLE_*.
     */
    uint8_t peer_role;
    /**
     * Whether the peer is heard over the cable now.
     */
    uint8_t peer_on_cable;
    /**
     * Whether the peer is heard over the LAN now.
     */
    uint8_t peer_on_lan;
    /**
     * Whether the operator keeps this node out of the active role.
     */
    uint8_t maintenance;
    /**
     * Whether the peer was in maintenance when last heard.
     */
    uint8_t peer_maintenance;
    /**
     * 0.
     */
    uint8_t reserved[3];
    /**
     * The peer's LAN MAC address.
     */
    struct ucm_ha_mac peer_mac;
    /**
     * The peer's firmware version.
     */
    uint8_t peer_firmware[4];
} ucm_ha_status;

/**
 * Writes a snapshot of the node as of its last input.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for status. Nothing is written.
 */
int32_t ucm_ha_node_status(struct ucm_ha_node *node, struct ucm_ha_status *status);

/* ---- FXO ports ---- */

/**
 * The transfer is done.
 */
#define UCM_HA_SPI_OK 0

/**
 * The receive buffer was overrun.
 */
#define UCM_HA_SPI_OVERRUN 1

/**
 * Several masters use the bus.
 */
#define UCM_HA_SPI_MODE_FAULT 2

/**
 * A frame did not have the configured format.
 */
#define UCM_HA_SPI_FRAME_FORMAT 3

/**
 * The chip select could not be set.
 */
#define UCM_HA_SPI_CHIP_SELECT_FAULT 4

/**
 * Something else is wrong; any other number means this too.
 */
#define UCM_HA_SPI_OTHER 5

/**
 * Not looked at yet.
 */
#define UCM_HA_FXO_UNKNOWN 0

/**
 * Chip, link and line are as they should be.
 */
#define UCM_HA_FXO_HEALTHY 1

/**
 * Not a fault: the chip is being set up for the first time.
 */
#define UCM_HA_FXO_STARTING 2

/**
 * Not a fault: something is not as it should be, and is being watched or remedied before it is judged.
 */
#define UCM_HA_FXO_SETTLING 3

/**
 * Not a fault: the line rings.
 */
#define UCM_HA_FXO_RINGING 4

/**
 * Not a fault: too much signal, current or voltage on the line.
 */
#define UCM_HA_FXO_OVERLOAD 5

/**
 * Not a fault: the line fed no current during a call; the port was put on-hook.
 */
#define UCM_HA_FXO_LINE_POWER_LOST 6

/**
 * Not a fault: no voltage on the line, cord unplugged or no battery from the exchange.
 */
#define UCM_HA_FXO_UNPLUGGED 7

/**
 * Not a fault: the voltage is that of a line on which another phone is off-hook.
 */
#define UCM_HA_FXO_PARALLEL_PHONE 8

/**
 * Fault: the SPI bus reports an error. The detail is UCM_HA_SPI_*.
 */
#define UCM_HA_FXO_FAULT_BUS 16

/**
 * Fault: nothing answers on the bus.
 */
#define UCM_HA_FXO_FAULT_NO_ANSWER 17

/**
 * Fault: a register does not read as it was written. The detail is its address.
 */
#define UCM_HA_FXO_FAULT_MISCONFIGURED 18

/**
 * Fault: the chip reset itself, and did so again after it was set up anew.
 */
#define UCM_HA_FXO_FAULT_RESET_ITSELF 19

/**
 * Fault: the isolation link to the line side is down, and powering the line side down and up did not cure it.
 */
#define UCM_HA_FXO_FAULT_ISOLATION_LINK 20

/**
 * Fault: the fault line of the port is asserted.
 */
#define UCM_HA_FXO_FAULT_LINE 21

/**
 * Fault: the fault line of the port cannot be read.
 */
#define UCM_HA_FXO_FAULT_LINE_UNREADABLE 22

/**
 * Fault: what leads to the port is not there.
 */
#define UCM_HA_FXO_FAULT_MISSING 23

/**
 * Notice: too much signal, current or voltage on the line, now or within the last seconds.
 */
#define UCM_HA_FXO_NOTICE_OVERLOAD (1u << 0)

/**
 * Notice: the chip reset itself and was set up anew within the last minute.
 */
#define UCM_HA_FXO_NOTICE_CHIP_RESET (1u << 1)

/**
 * Notice: the isolation link was lost and its line side restarted within the last minute.
 */
#define UCM_HA_FXO_NOTICE_LINK_RESTARTED (1u << 2)

/**
 * The debounced fault did not change.
 */
#define UCM_HA_EDGE_NONE 0

/**
 * The debounced fault was raised.
 */
#define UCM_HA_EDGE_RAISED 1

/**
 * The debounced fault was cleared.
 */
#define UCM_HA_EDGE_CLEARED 2

/**
 * Most FXO ports a model has.
 */
#define UCM_HA_MAX_FXO_PORTS 8

/**
 * sizeof(ucm_ha_fxo), in bytes.
 */
#define UCM_HA_FXO_SIZE 2560

/**
 * The same in 64-bit words.
 */
#define UCM_HA_FXO_WORDS 320

/**
 * One chip select pulse per byte: three transfers of one byte per register access.
 */
#define UCM_HA_FRAMING_BYTE 1

/**
 * One chip select pulse per register access: one transfer of three bytes.
 */
#define UCM_HA_FRAMING_WORD 2

/**
 * A-law.
 */
#define UCM_HA_COMPANDING_A_LAW 1

/**
 * µ-law.
 */
#define UCM_HA_COMPANDING_MU_LAW 2

/**
 * A high fault line means a fault.
 */
#define UCM_HA_POLARITY_ACTIVE_HIGH 1

/**
 * A low fault line means a fault.
 */
#define UCM_HA_POLARITY_ACTIVE_LOW 2

/**
 * How often ports are visited and when a fault counts. Fill it with ucm_ha_fxo_config_defaults first.
 */
typedef struct ucm_ha_fxo_config {
    /**
     * Time between two visits to a port whose state may be about to change, in ms, at least 1 and no longer
     * than quiet_interval_ms. Default: 100.
     */
    uint32_t interval_ms;
    /**
     * Time between two visits to a port at rest, in ms, at least 1. Default: 100.
     */
    uint32_t quiet_interval_ms;
    /**
     * How long a port must have been bad to raise its fault, in ms. Default: 300.
     */
    uint32_t raise_ms;
    /**
     * How long it must have been good to clear it, in ms. Default: 2000.
     */
    uint32_t clear_ms;
    /**
     * Bad samples in a row that are needed to raise; 0 counts as 1. Default: 3.
     */
    uint8_t raise_samples;
    /**
     * Good samples in a row that are needed to clear; 0 counts as 1. Default: 3.
     */
    uint8_t clear_samples;
    /**
     * Number of ports, 1 to 8 - first_port. Default: 1.
     */
    uint8_t ports;
    /**
     * The first of them, counted from 0: 0 is the port whose fault is UCM_HA_FAULT_FXO1. Default: 0.
     */
    uint8_t first_port;
    /**
     * SPI only: UCM_HA_FRAMING_*, a property of the board. Default: byte.
     */
    uint8_t framing;
    /**
     * SPI only: UCM_HA_COMPANDING_*. Default: A-law.
     */
    uint8_t companding;
    /**
     * SPI only: R16, international control 1. The defaults of the four are those of TBR 21.
     */
    uint8_t international_1;
    /**
     * SPI only: R26, DC termination.
     */
    uint8_t dc_termination;
    /**
     * SPI only: R30, AC termination.
     */
    uint8_t ac_termination;
    /**
     * SPI only: R31, DAA control 3. Bit 0 must be 0, or an unplugged cord does not show.
     */
    uint8_t control_3;
    /**
     * Fault lines only: UCM_HA_POLARITY_* of all lines. Default: active low.
     */
    uint8_t polarity;
    /**
     * 0.
     */
    uint8_t reserved;
} ucm_ha_fxo_config;

/**
 * Storage for a poller of FXO ports, owned by the caller. Its content is the library's. One per SPI chip select, or one for
 * the fault lines of a board; several may be used side by side.
 */
typedef struct ucm_ha_fxo {
    /**
     * Not to be touched.
     */
    uint64_t opaque[UCM_HA_FXO_WORDS];
} ucm_ha_fxo;

/**
 * Sets chip select, sends the len (1 to 4) bytes at data while it replaces each with the byte received meanwhile, and
 * clears chip select. Returns UCM_HA_SPI_OK, or another UCM_HA_SPI_* value for what went wrong. It must not call into the
 * library with the storage it is polled from.
 */
typedef int32_t (*ucm_ha_spi_transfer)(void *context, uint8_t *data, size_t len);

/**
 * Reads the fault line of a port, counted from 0 over the whole machine. Returns 0 for low, 1 for high, anything else if it
 * cannot be read. It must not call into the library with the storage it is polled from.
 */
typedef int32_t (*ucm_ha_line_read)(void *context, uint8_t line);

/**
 * What a visit to a port showed.
 */
typedef struct ucm_ha_fxo_update {
    /**
     * The fault bit of the port.
     */
    uint32_t faults;
    /**
     * Whether anything is different since the last visit. If 0, the other fields are 0 too.
     */
    uint8_t changed;
    /**
     * The port, counted from 0 over the whole machine.
     */
    uint8_t port;
    /**
     * What was seen, before debouncing: UCM_HA_FXO_HEALTHY, another state, or UCM_HA_FXO_FAULT_*.
     */
    uint8_t seen;
    /**
     * Detail of what was seen, for the faults that have one.
     */
    uint8_t detail;
    /**
     * UCM_HA_EDGE_*: what the node is to be told.
     */
    uint8_t fault_edge;
    /**
     * UCM_HA_FXO_NOTICE_* now.
     */
    uint8_t notices;
    /**
     * Notices that are new.
     */
    uint8_t notices_raised;
    /**
     * Notices that are gone.
     */
    uint8_t notices_cleared;
} ucm_ha_fxo_update;

/**
 * What is known of a port.
 */
typedef struct ucm_ha_fxo_port {
    /**
     * Bad samples, also those that raised nothing. Counters stop at their maximum.
     */
    uint32_t bad_samples;
    /**
     * Times the fault was raised.
     */
    uint32_t times_raised;
    /**
     * Times the fault was cleared.
     */
    uint32_t times_cleared;
    /**
     * What was seen last, before debouncing: UCM_HA_FXO_*.
     */
    uint8_t seen;
    /**
     * Detail of it.
     */
    uint8_t detail;
    /**
     * UCM_HA_FXO_NOTICE_* at the last visit.
     */
    uint8_t notices;
    /**
     * 1 while the debounced fault is raised.
     */
    uint8_t raised;
    /**
     * What was wrong when the fault was raised, UCM_HA_FXO_FAULT_*; 0 while none is.
     */
    uint8_t fault;
    /**
     * Detail of it.
     */
    uint8_t fault_detail;
    /**
     * 0.
     */
    uint8_t reserved[2];
} ucm_ha_fxo_port;

/**
 * Fills config with the defaults named at its fields.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; nothing is written.
 */
int32_t ucm_ha_fxo_config_defaults(struct ucm_ha_fxo_config *config);

/**
 * Puts a poller of Silicon Labs Si3050-class chips, alone or daisy-chained on one SPI chip select, into the storage. The
 * bus is that of transfer, in mode 3, most significant bit first. Before it returns it makes at most three register
 * accesses per chip to find the start of an access, in case an earlier program was ended within one.
 *
 * abi_version is UCM_HA_ABI_VERSION. context is handed to transfer. Both must stay valid while the storage is used.
 *
 * Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL (also for transfer), UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_UNKNOWN_VALUE,
 * UCM_HA_ERR_PORT_COUNT, UCM_HA_ERR_INTERVAL_ZERO, UCM_HA_ERR_BUSY; the storage is left as it was. A bus or chip that does
 * not answer is no error here: polling reports it as a fault.
 */
int32_t ucm_ha_fxo_init_si3050(struct ucm_ha_fxo *fxo,
                               uint32_t abi_version,
                               const struct ucm_ha_fxo_config *config,
                               ucm_ha_spi_transfer transfer,
                               void *context);

/**
 * Puts a poller of FXO ports with one digital fault line each into the storage. The lines are read with read.
 *
 * abi_version is UCM_HA_ABI_VERSION. context is handed to read. Both must stay valid while the storage is used.
 *
 * Errors: as for ucm_ha_fxo_init_si3050.
 */
int32_t ucm_ha_fxo_init_fault_lines(struct ucm_ha_fxo *fxo,
                                    uint32_t abi_version,
                                    const struct ucm_ha_fxo_config *config,
                                    ucm_ha_line_read read,
                                    void *context);

/**
 * Visits the next port if it is time, and says what it showed. At most one port is visited per call, with at most 36 calls
 * of transfer, or one of read. Where update->fault_edge is not UCM_HA_EDGE_NONE, tell the node with ucm_ha_node_fault:
 * update->faults, raised if the edge is UCM_HA_EDGE_RAISED.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for update. Nothing is written, no port is visited.
 */
int32_t ucm_ha_fxo_poll(struct ucm_ha_fxo *fxo,
                        uint64_t now_us,
                        struct ucm_ha_fxo_update *update);

/**
 * When to call ucm_ha_fxo_poll next: monotonic time in microseconds.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for due_us. Nothing is written.
 */
int32_t ucm_ha_fxo_next_poll(struct ucm_ha_fxo *fxo, uint64_t *due_us);

/**
 * The debounced faults of all ports of this poller, UCM_HA_FAULT_FXO1 to UCM_HA_FAULT_FXO8.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for faults. Nothing is written.
 */
int32_t ucm_ha_fxo_faults(struct ucm_ha_fxo *fxo, uint32_t *faults);

/**
 * The faults of the ports that have been found neither well nor faulty since the start: tell the node with
 * ucm_ha_node_fault_unknown, 1 at the start and 0 as they go. They only become fewer, and only by a visit that changed something.
 *
 * Errors: as for ucm_ha_fxo_faults.
 */
int32_t ucm_ha_fxo_unknown(struct ucm_ha_fxo *fxo,
                           uint32_t *faults);

/**
 * Writes what is known of a port of this poller. Ports are counted from 0 over the whole machine, as in first_port.
 *
 * Errors: those of the storage; UCM_HA_ERR_NO_SUCH_PORT; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for status. Nothing is
 * written.
 */
int32_t ucm_ha_fxo_port_status(struct ucm_ha_fxo *fxo, uint8_t port, struct ucm_ha_fxo_port *status);

/* ---- Services ---- */

/**
 * Most services in a table.
 */
#define UCM_HA_MAX_SERVICES 16

/**
 * sizeof(ucm_ha_services), in bytes.
 */
#define UCM_HA_SERVICES_SIZE 1792

/**
 * The same in 64-bit words.
 */
#define UCM_HA_SERVICES_WORDS 224

/**
 * Its process runs.
 */
#define UCM_HA_SERVICE_STARTED 1

/**
 * It gave a sign of life.
 */
#define UCM_HA_SERVICE_KICK 2

/**
 * It crashed.
 */
#define UCM_HA_SERVICE_CRASHED 3

/**
 * Its process ended by itself.
 */
#define UCM_HA_SERVICE_EXITED 4

/**
 * A probe of it succeeded.
 */
#define UCM_HA_SERVICE_PROBE_PASSED 5

/**
 * A probe of it failed or took too long.
 */
#define UCM_HA_SERVICE_PROBE_FAILED 6

/**
 * It, or somebody on its behalf, reports a critical fault.
 */
#define UCM_HA_SERVICE_REPORTED 7

/**
 * What was reported, of an unwatched service also its crash or end, is over.
 */
#define UCM_HA_SERVICE_WITHDRAWN 8

/**
 * Cause: it crashed.
 */
#define UCM_HA_SERVICE_FAULT_CRASH (1u << 0)

/**
 * Cause: its process ended by itself.
 */
#define UCM_HA_SERVICE_FAULT_EXIT (1u << 1)

/**
 * Cause: its process was not there in time.
 */
#define UCM_HA_SERVICE_FAULT_NOT_RUNNING (1u << 2)

/**
 * Cause: it missed its kick deadline.
 */
#define UCM_HA_SERVICE_FAULT_DEADLOCK (1u << 3)

/**
 * Cause: its probes fail.
 */
#define UCM_HA_SERVICE_FAULT_PROBE (1u << 4)

/**
 * Cause: it was reported to be at fault.
 */
#define UCM_HA_SERVICE_FAULT_REPORTED (1u << 5)

/**
 * Storage for a table of services, owned by the caller. Its content is the library's.
 */
typedef struct ucm_ha_services {
    /**
     * Not to be touched.
     */
    uint64_t opaque[UCM_HA_SERVICES_WORDS];
} ucm_ha_services;

/**
 * How a service is watched.
 */
typedef struct ucm_ha_service_settings {
    /**
     * No kick for this long is a deadlock, in ms. 0: its kicks are not awaited.
     */
    uint32_t kick_timeout_ms;
    /**
     * How long after its registration, or its start, the first sign of life may take, in ms. 0: a watched process is waited
     * for without limit, the first kick for kick_timeout_ms.
     */
    uint32_t start_timeout_ms;
    /**
     * 1 if somebody watches its process and reports UCM_HA_SERVICE_STARTED and the end: only a start makes up for the end
     * of such a service. 0 if any sign of life does.
     */
    uint8_t watched;
    /**
     * 0.
     */
    uint8_t reserved[3];
} ucm_ha_service_settings;

/**
 * The fault of one service was raised or cleared.
 */
typedef struct ucm_ha_service_change {
    /**
     * UCM_HA_EDGE_*. If it is UCM_HA_EDGE_NONE, nothing changed and the other fields are 0.
     */
    uint8_t edge;
    /**
     * Which service.
     */
    uint8_t service;
    /**
     * What raised the fault: one of UCM_HA_SERVICE_FAULT_*.
     */
    uint8_t cause;
    /**
     * 0.
     */
    uint8_t reserved;
} ucm_ha_service_change;

/**
 * Puts an empty table into the storage. A service must have been well for clear_ms before its fault is cleared.
 * abi_version is UCM_HA_ABI_VERSION. Storage in use may be initialised again; its services are forgotten.
 *
 * The node has one fault for all services together: after every change tell it UCM_HA_FAULT_SERVICE with ucm_ha_node_fault,
 * raised as long as ucm_ha_services_faults is not 0.
 *
 * Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_BUSY; the storage is left as it was.
 */
int32_t ucm_ha_services_init(struct ucm_ha_services *services,
                             uint32_t abi_version,
                             uint32_t clear_ms,
                             uint64_t now_us);

/**
 * Takes a service into the table and writes its number to service; its deadlines count from now.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for settings and service; UCM_HA_ERR_UNKNOWN_VALUE;
 * UCM_HA_ERR_TABLE_FULL. Nothing is written or changed.
 */
int32_t ucm_ha_services_register(struct ucm_ha_services *services,
                                 uint64_t now_us,
                                 const struct ucm_ha_service_settings *settings,
                                 uint8_t *service);

/**
 * Forgets a service. Its fault, if it stands, is cleared, which change says.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL for change; UCM_HA_ERR_NO_SUCH_SERVICE. Nothing is written or changed.
 */
int32_t ucm_ha_services_unregister(struct ucm_ha_services *services,
                                   uint8_t service,
                                   struct ucm_ha_service_change *change);

/**
 * A fact about a service, UCM_HA_SERVICE_STARTED and so on. Writes what it changed.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL for change; UCM_HA_ERR_UNKNOWN_VALUE; UCM_HA_ERR_NO_SUCH_SERVICE. Nothing is
 * written or changed.
 */
int32_t ucm_ha_services_event(struct ucm_ha_services *services,
                              uint64_t now_us,
                              uint8_t service,
                              uint8_t event,
                              struct ucm_ha_service_change *change);

/**
 * Lets deadlines pass. Call it at ucm_ha_services_next_deadline, after the events that wait, until change says
 * UCM_HA_EDGE_NONE.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL for change. Nothing is written or changed.
 */
int32_t ucm_ha_services_poll(struct ucm_ha_services *services, uint64_t now_us, struct ucm_ha_service_change *change);

/**
 * When to call ucm_ha_services_poll: monotonic time in microseconds, or UCM_HA_NEVER_US.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for deadline_us. Nothing is written.
 */
int32_t ucm_ha_services_next_deadline(struct ucm_ha_services *services, uint64_t *deadline_us);

/**
 * UCM_HA_FAULT_SERVICE while the fault of any service stands, else 0.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for faults. Nothing is written.
 */
int32_t ucm_ha_services_faults(struct ucm_ha_services *services, uint32_t *faults);

/**
 * Everything that is wrong with a service now: UCM_HA_SERVICE_FAULT_*, combined.
 *
 * Errors: those of the storage; UCM_HA_ERR_NULL for causes; UCM_HA_ERR_NO_SUCH_SERVICE. Nothing is written.
 */
int32_t ucm_ha_services_causes(struct ucm_ha_services *services, uint8_t service, uint8_t *causes);

/**
 * Holds the time until now against no service: signs of life were lost on the way, as after UCM_HA_MAIL_LOST.
 *
 * Errors: those of the storage; nothing is changed.
 */
int32_t ucm_ha_services_excuse(struct ucm_ha_services *services, uint64_t now_us);

/* ---- Mailbox for interrupts and threads ---- */

/**
 * Posts that a mailbox has room for.
 */
#define UCM_HA_MAILBOX_POSTS 16

/**
 * sizeof(ucm_ha_mailbox), in bytes.
 */
#define UCM_HA_MAILBOX_SIZE 128

/**
 * The same in 64-bit words.
 */
#define UCM_HA_MAILBOX_WORDS 16

/**
 * There is none left.
 */
#define UCM_HA_MAIL_NONE 0

/**
 * The carrier of a port changed: tell the node with ucm_ha_node_link. number is UCM_HA_PORT_*, value whether it is up.
 */
#define UCM_HA_MAIL_LINK 1

/**
 * The fault line of an FXO port changed. number is the port counted from 0, value whether the line says "fault".
 */
#define UCM_HA_MAIL_FAULT_LINE 2

/**
 * A service gave a sign of life: UCM_HA_SERVICE_KICK. number is the service.
 */
#define UCM_HA_MAIL_KICK 3

/**
 * A service crashed: UCM_HA_SERVICE_CRASHED. number is the service.
 */
#define UCM_HA_MAIL_CRASH 4

/**
 * Look at deadlines and inputs now.
 */
#define UCM_HA_MAIL_WAKE 5

/**
 * lost posts found no room after what came out before. Read the carrier of every port and every fault line again, and call
 * ucm_ha_services_excuse. A crash is among the lost only if the mailbox was full of crashes.
 */
#define UCM_HA_MAIL_LOST 6

/**
 * Storage for a mailbox, owned by the caller. Its content is the library's.
 */
typedef struct ucm_ha_mailbox {
    /**
     * Not to be touched.
     */
    uint64_t opaque[UCM_HA_MAILBOX_WORDS];
} ucm_ha_mailbox;

/**
 * What comes out of the mailbox.
 */
typedef struct ucm_ha_mail {
    /**
     * How many posts were lost.
     */
    uint32_t lost;
    /**
     * UCM_HA_MAIL_*; the fields that it does not name are 0.
     */
    uint8_t kind;
    /**
     * Port or service.
     */
    uint8_t number;
    /**
     * 0 or 1.
     */
    uint8_t value;
    /**
     * 0.
     */
    uint8_t reserved;
} ucm_ha_mail;

/**
 * Puts an empty mailbox into the storage. Call it before anything that posts can run. abi_version is UCM_HA_ABI_VERSION.
 *
 * The other functions of the mailbox may then be called from any context at any time, even while another one runs on the
 * same mailbox: each is one short critical section (ucm_ha_critical_enter in ucm_ha_hooks.h).
 *
 * Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; the storage is left as it was.
 */
int32_t ucm_ha_mailbox_init(struct ucm_ha_mailbox *mailbox,
                            uint32_t abi_version);

/**
 * Posts that the carrier of a port (UCM_HA_PORT_*) changed. up is 0 or 1. A post that finds no room is counted, and
 * UCM_HA_MAIL_LOST tells of it.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NOT_INITIALISED, UCM_HA_ERR_UNKNOWN_VALUE; nothing is posted.
 */
int32_t ucm_ha_mailbox_post_link(struct ucm_ha_mailbox *mailbox,
                                 uint8_t port,
                                 uint8_t up);

/**
 * Posts that the fault line of an FXO port, counted from 0, changed. asserted is 0 or 1. It is not debounced.
 *
 * Errors: as for ucm_ha_mailbox_post_link.
 */
int32_t ucm_ha_mailbox_post_fault_line(struct ucm_ha_mailbox *mailbox, uint8_t port, uint8_t asserted);

/**
 * Posts that a service gave a sign of life.
 *
 * Errors: as for ucm_ha_mailbox_post_link.
 */
int32_t ucm_ha_mailbox_post_kick(struct ucm_ha_mailbox *mailbox, uint8_t service);

/**
 * Posts that a service crashed.
 *
 * Errors: as for ucm_ha_mailbox_post_link.
 */
int32_t ucm_ha_mailbox_post_crash(struct ucm_ha_mailbox *mailbox, uint8_t service);

/**
 * Posts nothing but a reason to look at deadlines and inputs.
 *
 * Errors: as for ucm_ha_mailbox_post_link.
 */
int32_t ucm_ha_mailbox_post_wake(struct ucm_ha_mailbox *mailbox);

/**
 * Takes the oldest post out. Call it in the loop of the node until mail->kind is UCM_HA_MAIL_NONE.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED (also for mail), UCM_HA_ERR_NOT_INITIALISED; nothing is taken or written.
 */
int32_t ucm_ha_mailbox_take(struct ucm_ha_mailbox *mailbox,
                            struct ucm_ha_mail *mail);

/* ---- Lines of a log ---- */

/**
 * Size of the longest line, in bytes, its NUL included.
 */
#define UCM_HA_LOG_CAPACITY 80

/**
 * Something happened that is meant to happen.
 */
#define UCM_HA_LOG_INFO 1

/**
 * Something wants the operator's attention.
 */
#define UCM_HA_LOG_WARNING 2

/**
 * Takes a line of a log: level is UCM_HA_LOG_*; line is English, ends with NUL without a line end, and is gone when the
 * callback returns.
 */
typedef void (*ucm_ha_log_line)(void *context, uint8_t level, const char *line);

/**
 * Calls log with one line about output if it is of a kind that an operator wants to read about (role, alert, fault, switch,
 * reboot, stop), and not at all if it is of another kind. context is handed to log.
 *
 * Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; nothing is called.
 */
int32_t ucm_ha_log_output(const struct ucm_ha_output *output,
                          ucm_ha_log_line log,
                          void *context);

/* ---- Names of values ---- */

/**
 * The name of a UCM_HA_ROLE_* value, e.g. "standby"; "unknown" for any other number. The string is static. May be
 * called from any context.
 */
const char *ucm_ha_role_name(uint8_t role);

/**
 * The name of a UCM_HA_REASON_* value, e.g. "peer_silent"; "unknown" for any other number. The string is static. May be
 * called from any context.
 */
const char *ucm_ha_reason_name(uint8_t reason);

/**
 * The name of a UCM_HA_REFUSAL_* value, e.g. "not_active"; "unknown" for any other number. The string is static. May be
 * called from any context.
 */
const char *ucm_ha_refusal_name(uint8_t refusal);

/**
 * The name of a UCM_HA_ALERT_* value, e.g. "heartbeat_lost"; "unknown" for any other number. The string is static. May be
 * called from any context.
 */
const char *ucm_ha_alert_name(uint8_t alert);

/**
 * The name of a UCM_HA_OUTPUT_* value, e.g. "bind_address"; "unknown" for any other number. The string is static. May be
 * called from any context.
 */
const char *ucm_ha_output_name(uint8_t kind);

/**
 * The name of one UCM_HA_FAULT_* bit, e.g. "service"; "unknown" for no bit, several, or any other. The string is static.
 * May be called from any context.
 */
const char *ucm_ha_fault_name(uint32_t fault);

/**
 * The name of what an FXO port showed, UCM_HA_FXO_* but for the notices, e.g. "ringing" or "fault_no_answer"; "unknown" for
 * any other number. The string is static. May be called from any context.
 */
const char *ucm_ha_fxo_state_name(uint8_t seen);

#ifdef __cplusplus
} /* extern "C" */
#endif

#if defined(__cplusplus)
#define UCM_HA_STATIC_ASSERT(condition, name) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define UCM_HA_STATIC_ASSERT(condition, name) _Static_assert(condition, #name)
#else
#define UCM_HA_STATIC_ASSERT(condition, name) typedef char name[(condition) ? 1 : -1]
#endif

/* The same sizes and alignment are asserted on the Rust side. A failure here is a compiler with another idea of integers. */
struct ucm_ha_alignment { char first; uint64_t word; };
struct ucm_ha_node_alignment { char first; ucm_ha_node storage; };
struct ucm_ha_fxo_alignment { char first; ucm_ha_fxo storage; };
struct ucm_ha_services_alignment { char first; ucm_ha_services storage; };
struct ucm_ha_mailbox_alignment { char first; ucm_ha_mailbox storage; };
UCM_HA_STATIC_ASSERT(offsetof(struct ucm_ha_services_alignment, storage) == offsetof(struct ucm_ha_alignment, word),
                     ucm_ha_services_is_aligned);
UCM_HA_STATIC_ASSERT(offsetof(struct ucm_ha_mailbox_alignment, storage) == offsetof(struct ucm_ha_alignment, word),
                     ucm_ha_mailbox_is_aligned);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_services) == UCM_HA_SERVICES_SIZE, ucm_ha_services_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_mailbox) == UCM_HA_MAILBOX_SIZE, ucm_ha_mailbox_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_service_settings) == 12, ucm_ha_service_settings_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_service_change) == 4, ucm_ha_service_change_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_mail) == 8, ucm_ha_mail_has_its_size);
UCM_HA_STATIC_ASSERT(offsetof(struct ucm_ha_node_alignment, storage) == offsetof(struct ucm_ha_alignment, word),
                     ucm_ha_node_is_aligned);
UCM_HA_STATIC_ASSERT(offsetof(struct ucm_ha_fxo_alignment, storage) == offsetof(struct ucm_ha_alignment, word),
                     ucm_ha_fxo_is_aligned);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_node) == UCM_HA_NODE_SIZE, ucm_ha_node_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_fxo) == UCM_HA_FXO_SIZE, ucm_ha_fxo_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_config) == 104, ucm_ha_config_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_record) == 12, ucm_ha_record_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_output) == 56, ucm_ha_output_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_status) == 80, ucm_ha_status_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_fxo_config) == 28, ucm_ha_fxo_config_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_fxo_update) == 12, ucm_ha_fxo_update_has_its_size);
UCM_HA_STATIC_ASSERT(sizeof(ucm_ha_fxo_port) == 20, ucm_ha_fxo_port_has_its_size);

#endif /* UCM_HA_H */
