/* The life of a pair, driven from C as firmware would: boot, heartbeat, handover, death, takeover, refused input. */
#include "pair.h"

#include <stdio.h>
#include <string.h>

static void boot_ends_with_one_active_and_a_standby_that_hears_it(void) {
    static pair p;
    pair_init(&p, true);
    pair_run(&p, 8000);
    int active = pair_active(&p);
    ucm_ha_status status = pair_status(&p.stations[1 - active]);
    CHECK(status.role == UCM_HA_ROLE_STANDBY && status.ha_status == UCM_HA_STATUS_DUAL);
    CHECK(status.peer_on_cable && status.peer_on_lan && status.frames_ok > 100);
    CHECK(status.frames_malformed == 0 && status.frames_unauthentic == 0);
    CHECK(memcmp(&status.peer_mac, &p.stations[active].config.mac, sizeof status.peer_mac) == 0);
    CHECK(!p.both_bound);
}

static void a_forced_switch_exchanges_the_roles_and_the_standby_refuses_one(void) {
    static pair p;
    pair_init(&p, true);
    pair_run(&p, 8000);
    int before = pair_active(&p);
    station *standby = &p.stations[1 - before];
    CHECK(ucm_ha_node_command(&standby->node, p.now_us, UCM_HA_COMMAND_FORCE_SWITCH) == UCM_HA_OK);
    pair_run(&p, 10);
    CHECK(standby->last_refusal == UCM_HA_REFUSAL_NOT_ACTIVE);
    CHECK(ucm_ha_node_command(&p.stations[before].node, p.now_us, UCM_HA_COMMAND_FORCE_SWITCH) == UCM_HA_OK);
    pair_run(&p, 100);
    CHECK(p.stations[before].last_refusal == UCM_HA_REFUSAL_NONE);
    CHECK(pair_active(&p) == 1 - before);
    CHECK(!p.both_bound);
}

static void a_dead_active_is_replaced_after_the_timeout(void) {
    static pair p;
    pair_init(&p, true);
    pair_run(&p, 8000);
    int dead = pair_active(&p);
    p.stations[dead].powered = false;
    p.stations[dead].bound = false;
    pair_run(&p, 6900);
    CHECK(pair_status(&p.stations[1 - dead]).role == UCM_HA_ROLE_STANDBY);
    pair_run(&p, 200);
    CHECK(pair_active(&p) == 1 - dead);
    CHECK(pair_status(&p.stations[1 - dead]).takeovers == 1);
}

static void a_fault_hands_over_and_a_shutdown_does_too(void) {
    static pair p;
    pair_init(&p, true);
    for (int index = 0; index < 2; index++) {
        station *s = &p.stations[index];
        s->config.switching_faults = UCM_HA_FAULT_SERVICE;
        CHECK(ucm_ha_node_init(&s->node, UCM_HA_ABI_VERSION, &s->config, NULL, 77U + s->number, 0) == UCM_HA_OK);
        for (uint8_t port = UCM_HA_PORT_CABLE; port <= UCM_HA_PORT_LAN; port++) {
            CHECK(ucm_ha_node_link(&s->node, 0, port, 1) == UCM_HA_OK);
        }
    }
    pair_run(&p, 8000);
    int before = pair_active(&p);
    CHECK(ucm_ha_node_fault(&p.stations[before].node, p.now_us, UCM_HA_FAULT_SERVICE, 1) == UCM_HA_OK);
    pair_run(&p, 100);
    CHECK(pair_active(&p) == 1 - before);
    CHECK(ucm_ha_node_fault(&p.stations[before].node, p.now_us, UCM_HA_FAULT_SERVICE, 0) == UCM_HA_OK);
    pair_run(&p, 3000);
    CHECK(ucm_ha_node_command(&p.stations[1 - before].node, p.now_us, UCM_HA_COMMAND_SHUTDOWN) == UCM_HA_OK);
    pair_run(&p, 1000);
    CHECK(p.stations[1 - before].stopped && !p.stations[1 - before].bound);
    CHECK(pair_active(&p) == before);
    CHECK(!p.both_bound);
}

static void what_nobody_may_send_is_counted_and_changes_no_role(void) {
    static pair p;
    pair_init(&p, true);
    pair_run(&p, 8000);
    int active = pair_active(&p);
    station *s = &p.stations[active];
    uint8_t junk[1500];
    memset(junk, 0xff, sizeof junk);
    for (size_t len = 0; len <= sizeof junk; len += 7) {
        CHECK(ucm_ha_node_cable_frame(&s->node, p.now_us, junk, len) == UCM_HA_OK);
        CHECK(ucm_ha_node_arp_frame(&s->node, p.now_us, junk, len) == UCM_HA_OK);
        CHECK(ucm_ha_node_lan_datagram(&s->node, p.now_us, s->config.peer_ip, junk, len) == UCM_HA_OK);
    }
    CHECK(pair_status(s).frames_malformed > 0);
    CHECK(pair_active(&p) == active);
}

static void calls_that_cannot_be_right_are_refused_and_change_nothing(void) {
    static pair p;
    pair_init(&p, true);
    pair_run(&p, 8000);
    station *s = &p.stations[0];
    ucm_ha_status before = pair_status(s), after;
    static ucm_ha_node never;
    uint64_t deadline_us = 1234;
    CHECK(ucm_ha_node_timeout(NULL, 0) == UCM_HA_ERR_NULL);
    CHECK(ucm_ha_node_timeout(&never, 0) == UCM_HA_ERR_NOT_INITIALISED);
    CHECK(ucm_ha_node_next_timeout(&never, &deadline_us) == UCM_HA_ERR_NOT_INITIALISED && deadline_us == 1234);
    CHECK(ucm_ha_node_timeout((ucm_ha_node *)((char *)&s->node + 1), 0) == UCM_HA_ERR_MISALIGNED);
    CHECK(ucm_ha_node_cable_frame(&s->node, p.now_us, NULL, 60) == UCM_HA_ERR_NULL);
    CHECK(ucm_ha_node_cable_frame(&s->node, p.now_us, (const uint8_t *)"", UCM_HA_MAX_INPUT_LEN + 1) ==
          UCM_HA_ERR_TOO_LONG);
    CHECK(ucm_ha_node_link(&s->node, p.now_us, 200, 1) == UCM_HA_ERR_UNKNOWN_VALUE);
    CHECK(ucm_ha_node_command(&s->node, p.now_us, 0) == UCM_HA_ERR_UNKNOWN_VALUE);
    CHECK(ucm_ha_node_fault(&s->node, p.now_us, 0x80000000U, 1) == UCM_HA_ERR_UNKNOWN_VALUE);
    never = s->node;
    CHECK(ucm_ha_node_timeout(&never, p.now_us) == UCM_HA_ERR_NOT_INITIALISED);
    CHECK(ucm_ha_node_status(&s->node, &after) == UCM_HA_OK);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
}

static void a_config_that_cannot_work_is_named(void) {
    ucm_ha_config config = pair_config(1);
    CHECK(ucm_ha_config_check(&config) == UCM_HA_OK);
    config.cluster_ip = config.own_ip;
    int32_t result = ucm_ha_config_check(&config);
    CHECK(result == UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_OWN);
    CHECK(strcmp(ucm_ha_result_text(result),
                 "cluster_ip is this node's own address; choose a free one of the LAN") == 0);
    config = pair_config(1);
    config.model = 99;
    CHECK(ucm_ha_config_check(&config) == UCM_HA_ERR_UNKNOWN_VALUE);
}

static void the_header_is_that_of_the_library(void) {
    CHECK(ucm_ha_abi_version() == UCM_HA_ABI_VERSION);
    CHECK(ucm_ha_wire_version() == UCM_HA_WIRE_VERSION);
    CHECK(strcmp(ucm_ha_alert_name(UCM_HA_ALERT_HEARTBEAT_LOST), "heartbeat_lost") == 0);
    CHECK(strcmp(ucm_ha_role_name(200), "unknown") == 0);
    CHECK(strcmp(ucm_ha_output_name(UCM_HA_OUTPUT_BIND_ADDRESS), "bind_address") == 0);
    CHECK(strcmp(ucm_ha_fxo_state_name(UCM_HA_FXO_FAULT_NO_ANSWER), "fault_no_answer") == 0);
}

/* As firmware writes it; the compiler is asked to warn of every conversion that changes a sign. */
static void constants_can_be_combined_without_a_cast(void) {
    uint32_t faults = UCM_HA_FAULT_LAN | UCM_HA_FAULT_FXO1;
    faults &= ~UCM_HA_FAULT_LAN;
    CHECK(strcmp(ucm_ha_fault_name(faults), "fxo1") == 0);
    int32_t distance = UCM_HA_OK-UCM_HA_ERR_NULL;
    CHECK(distance == 1);
}

static void an_address_that_is_not_set_is_named(void) {
    ucm_ha_config config;
    CHECK(ucm_ha_config_defaults(&config) == UCM_HA_OK);
    CHECK(ucm_ha_config_check(&config) == UCM_HA_ERR_CONFIG_MAC_NOT_UNICAST);
    config.mac.octets[0] = 2;
    CHECK(ucm_ha_config_check(&config) == UCM_HA_ERR_CONFIG_CABLE_MAC_NOT_UNICAST);
    config.cable_mac.octets[0] = 2;
    CHECK(ucm_ha_config_check(&config) == UCM_HA_ERR_CONFIG_OWN_IP_UNSET);
    config.own_ip = pair_config(1).own_ip;
    CHECK(ucm_ha_config_check(&config) == UCM_HA_ERR_CONFIG_CLUSTER_IP_UNSET);
    config.cluster_ip = pair_config(1).cluster_ip;
    int32_t result = ucm_ha_config_check(&config);
    CHECK(result == UCM_HA_ERR_CONFIG_PEER_IP_UNSET);
    CHECK(strcmp(ucm_ha_result_text(result), "peer_ip is not set") == 0);
    config.peer_ip = pair_config(1).peer_ip;
    CHECK(ucm_ha_config_check(&config) == UCM_HA_OK);
}

/* A line-side chip that is not there: every byte reads as 0xff. */
static int32_t nothing_answers(void *context, uint8_t *data, size_t len) {
    (*(unsigned *)context)++;
    memset(data, 0xff, len);
    return UCM_HA_SPI_OK;
}

static void a_dead_chip_is_a_fault_of_its_port(void) {
    static ucm_ha_fxo fxo;
    ucm_ha_fxo_config config;
    unsigned transfers = 0;
    uint32_t faults = 0;
    CHECK(ucm_ha_fxo_config_defaults(&config) == UCM_HA_OK);
    config.ports = 2;
    CHECK(ucm_ha_fxo_init_si3050(&fxo, UCM_HA_ABI_VERSION, &config, NULL, NULL) == UCM_HA_ERR_NULL);
    CHECK(ucm_ha_fxo_init_si3050(&fxo, UCM_HA_ABI_VERSION, &config, nothing_answers, &transfers) == UCM_HA_OK);
    for (uint64_t now_us = 0; now_us < 2000000; now_us += 10000) {
        ucm_ha_fxo_update update;
        CHECK(ucm_ha_fxo_poll(&fxo, now_us, &update) == UCM_HA_OK);
        CHECK(!update.changed || update.port < 2);
    }
    CHECK(ucm_ha_fxo_faults(&fxo, &faults) == UCM_HA_OK);
    CHECK(faults == (UCM_HA_FAULT_FXO1 | UCM_HA_FAULT_FXO2));
    CHECK(transfers > 0);
}

static void a_service_that_stops_kicking_is_a_fault(void) {
    static ucm_ha_services services;
    ucm_ha_service_settings settings = {.kick_timeout_ms = 1000};
    ucm_ha_service_change change = {0};
    uint8_t service = 99;
    uint32_t faults = 0;
    CHECK(ucm_ha_services_init(&services, UCM_HA_ABI_VERSION, 2000, 0) == UCM_HA_OK);
    CHECK(ucm_ha_services_event(&services, 0, 0, UCM_HA_SERVICE_KICK, &change) == UCM_HA_ERR_NO_SUCH_SERVICE);
    CHECK(ucm_ha_services_register(&services, 0, &settings, &service) == UCM_HA_OK && service == 0);
    for (uint64_t now_us = 0; now_us < 3000000 && change.edge == UCM_HA_EDGE_NONE; now_us += 100000) {
        if (now_us < 1000000) {
            CHECK(ucm_ha_services_event(&services, now_us, service, UCM_HA_SERVICE_KICK, &change) == UCM_HA_OK);
        }
        CHECK(ucm_ha_services_poll(&services, now_us, &change) == UCM_HA_OK);
    }
    CHECK(change.edge == UCM_HA_EDGE_RAISED && change.cause == UCM_HA_SERVICE_FAULT_DEADLOCK);
    CHECK(ucm_ha_services_faults(&services, &faults) == UCM_HA_OK && faults == UCM_HA_FAULT_SERVICE);
}

static void a_mailbox_keeps_order_and_tells_what_it_lost(void) {
    static ucm_ha_mailbox mailbox;
    ucm_ha_mail mail;
    CHECK(ucm_ha_mailbox_post_wake(&mailbox) == UCM_HA_ERR_NOT_INITIALISED);
    CHECK(ucm_ha_mailbox_init(&mailbox, UCM_HA_ABI_VERSION) == UCM_HA_OK);
    CHECK(ucm_ha_mailbox_post_link(&mailbox, 77, 1) == UCM_HA_ERR_UNKNOWN_VALUE);
    for (uint8_t post = 0; post < UCM_HA_MAILBOX_POSTS + 3; post++) {
        CHECK(ucm_ha_mailbox_post_kick(&mailbox, post) == UCM_HA_OK);
    }
    for (uint8_t post = 0; post < UCM_HA_MAILBOX_POSTS; post++) {
        CHECK(ucm_ha_mailbox_take(&mailbox, &mail) == UCM_HA_OK);
        CHECK(mail.kind == UCM_HA_MAIL_KICK && mail.number == post);
    }
    CHECK(ucm_ha_mailbox_take(&mailbox, &mail) == UCM_HA_OK && mail.kind == UCM_HA_MAIL_LOST && mail.lost == 3);
    CHECK(ucm_ha_mailbox_take(&mailbox, &mail) == UCM_HA_OK && mail.kind == UCM_HA_MAIL_NONE);
}

#define RUN(test) (printf("%s\n", #test), test(), passed++)

int main(void) {
    int passed = 0;
    RUN(the_header_is_that_of_the_library);
    RUN(constants_can_be_combined_without_a_cast);
    RUN(an_address_that_is_not_set_is_named);
    RUN(boot_ends_with_one_active_and_a_standby_that_hears_it);
    RUN(a_forced_switch_exchanges_the_roles_and_the_standby_refuses_one);
    RUN(a_dead_active_is_replaced_after_the_timeout);
    RUN(a_fault_hands_over_and_a_shutdown_does_too);
    RUN(what_nobody_may_send_is_counted_and_changes_no_role);
    RUN(calls_that_cannot_be_right_are_refused_and_change_nothing);
    RUN(a_config_that_cannot_work_is_named);
    RUN(a_dead_chip_is_a_fault_of_its_port);
    RUN(a_service_that_stops_kicking_is_a_fault);
    RUN(a_mailbox_keeps_order_and_tells_what_it_lost);
    printf("%d passed, 0 failed\n", passed);
    return 0;
}
