#include "both.h"
#include "second.h"
#include "ucm_ha.h"

static ucm_ha_node node;
static ucm_ha_mailbox mailbox;

static int node_works(void) {
    static uint8_t frame[UCM_HA_FRAME_CAPACITY];
    static ucm_ha_config config;
    static ucm_ha_record record;
    static ucm_ha_output output;
    if (ucm_ha_abi_version() != UCM_HA_ABI_VERSION) return 1;
    if (ucm_ha_config_defaults(&config) != UCM_HA_OK) return 2;
    config.own_ip.octets[0] = config.peer_ip.octets[0] = config.cluster_ip.octets[0] = 10;
    config.own_ip.octets[3] = 1;
    config.peer_ip.octets[3] = 2;
    config.cluster_ip.octets[3] = 3;
    config.fast_failover = 0;
    config.station_type = UCM_HA_STATION_PRIMARY;
    config.mac.octets[0] = config.cable_mac.octets[0] = 2;
    config.cable_mac.octets[5] = 1;
    if (ucm_ha_node_init(&node, UCM_HA_ABI_VERSION, &config, &record, 1, 0) != UCM_HA_OK) return 3;
    if (ucm_ha_node_poll_output(&node, frame, sizeof frame, &output) != UCM_HA_OK) return 4;
    /* A node that starts does not have the cluster IP. */
    return output.kind == UCM_HA_OUTPUT_RELEASE_ADDRESS ? 0 : 5;
}

int both_work(void) {
    static ucm_ha_mail mail;
    int failed = node_works();
    if (failed) return failed;
    if (second_digit(7) != '7') return 6;
    /* Both libraries enter a critical section. */
    if (ucm_ha_mailbox_init(&mailbox, UCM_HA_ABI_VERSION) != UCM_HA_OK) return 7;
    if (ucm_ha_mailbox_post_kick(&mailbox, 3) != UCM_HA_OK) return 8;
    if (second_calls() != 1) return 9;
    if (ucm_ha_mailbox_take(&mailbox, &mail) != UCM_HA_OK) return 10;
    return mail.kind == UCM_HA_MAIL_KICK && mail.number == 3 ? 0 : 11;
}
