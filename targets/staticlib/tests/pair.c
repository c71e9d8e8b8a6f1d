#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More effects than any input has; a node that never comes to rest ends the test. */
#define MAX_EFFECTS 256

static const ucm_ha_ipv4 GATEWAY = {{192, 168, 129, 1}};
static const ucm_ha_ipv4 CLUSTER = {{192, 168, 129, 64}};
static const uint8_t GATEWAY_MAC[6] = {2, 0, 0, 0, 0, 0xfe};

void pair_check(bool condition, const char *text, const char *file, int line) {
    if (!condition) {
        fprintf(stderr, "%s:%d: not true: %s\n", file, line, text);
        exit(EXIT_FAILURE);
    }
}

static ucm_ha_ipv4 ip_of(uint8_t number) {
    ucm_ha_ipv4 ip = {{192, 168, 129, 0}};
    ip.octets[3] = (uint8_t)(10 + number);
    return ip;
}

ucm_ha_config pair_config(uint8_t number) {
    ucm_ha_config config;
    CHECK(ucm_ha_config_defaults(&config) == UCM_HA_OK);
    config.station_type = number == 1 ? UCM_HA_STATION_PRIMARY : UCM_HA_STATION_SECONDARY;
    config.own_ip = ip_of(number);
    config.peer_ip = ip_of((uint8_t)(3 - number));
    config.cluster_ip = CLUSTER;
    config.gateway = GATEWAY;
    config.has_gateway = 1;
    config.mac.octets[0] = config.cable_mac.octets[0] = 2;
    config.mac.octets[5] = number;
    config.cable_mac.octets[4] = 1;
    config.cable_mac.octets[5] = number;
    config.has_key = 1;
    memset(config.key, 0x42, sizeof config.key);
    return config;
}

static void boot(pair *p, int index) {
    station *s = &p->stations[index];
    /* What was in the storage before does not matter. */
    memset(&s->node, 0xa5, sizeof s->node);
    CHECK(ucm_ha_node_init(&s->node, UCM_HA_ABI_VERSION, &s->config, &s->record,
                           (uint32_t)(p->now_us + s->number), p->now_us) == UCM_HA_OK);
    s->powered = true;
    pair_settle(p, index);
    for (uint8_t port = UCM_HA_PORT_CABLE; port <= UCM_HA_PORT_LAN; port++) {
        CHECK(ucm_ha_node_link(&s->node, p->now_us, port, 1) == UCM_HA_OK);
        pair_settle(p, index);
    }
}

void pair_init(pair *p, bool with_key) {
    memset(p, 0, sizeof *p);
    for (int index = 0; index < 2; index++) {
        station *s = &p->stations[index];
        s->number = (uint8_t)(index + 1);
        s->config = pair_config(s->number);
        s->config.has_key = with_key;
        s->last_refusal = 0xff;
    }
    for (int index = 0; index < 2; index++) {
        boot(p, index);
    }
}

/* Answers an ARP request as the gateway or the other station would. */
static void answer_arp(pair *p, int index, const uint8_t *frame, uint32_t len) {
    station *asker = &p->stations[index], *other = &p->stations[1 - index];
    uint8_t reply[42];
    const uint8_t *mac = NULL;
    if (len != sizeof reply || frame[21] != 1) {
        return;
    }
    const uint8_t *target = frame + 38;
    ucm_ha_ipv4 other_ip = ip_of(other->number);
    if (memcmp(target, GATEWAY.octets, 4) == 0) {
        mac = GATEWAY_MAC;
    } else if (other->powered && (memcmp(target, other_ip.octets, 4) == 0 ||
                                  (other->bound && memcmp(target, CLUSTER.octets, 4) == 0))) {
        mac = other->config.mac.octets;
    }
    if (mac == NULL) {
        return;
    }
    memcpy(reply, frame, sizeof reply);
    memcpy(reply, frame + 22, 6);       /* to the asker */
    memcpy(reply + 6, mac, 6);
    reply[21] = 2;                      /* reply */
    memcpy(reply + 22, mac, 6);
    memcpy(reply + 28, target, 4);
    memcpy(reply + 32, frame + 22, 10); /* the asker's MAC and IP */
    CHECK(ucm_ha_node_arp_frame(&asker->node, p->now_us, reply, sizeof reply) == UCM_HA_OK);
}

__attribute__((noinline)) int32_t pair_cable_frame(station *s, uint64_t now_us, const uint8_t *frame, size_t len) {
    return ucm_ha_node_cable_frame(&s->node, now_us, frame, len);
}

static void deliver(pair *p, int from, const ucm_ha_output *output, const uint8_t *frame) {
    station *to = &p->stations[1 - from];
    if (!to->powered) {
        return;
    }
    int32_t result;
    if (output->kind == UCM_HA_OUTPUT_SEND_CABLE) {
        result = pair_cable_frame(to, p->now_us, frame, output->frame_len);
        p->cable_frames++;
    } else if (output->kind == UCM_HA_OUTPUT_SEND_LAN) {
        result = ucm_ha_node_lan_datagram(&to->node, p->now_us, ip_of(p->stations[from].number), frame,
                                          output->frame_len);
    } else {
        result = ucm_ha_node_arp_frame(&to->node, p->now_us, frame, output->frame_len);
    }
    CHECK(result == UCM_HA_OK);
}

static void carry_out(pair *p, int index, const ucm_ha_output *output, const uint8_t *frame) {
    station *s = &p->stations[index];
    switch (output->kind) {
    case UCM_HA_OUTPUT_RELEASE_ADDRESS:
        s->bound = false;
        CHECK(ucm_ha_node_address(&s->node, p->now_us, UCM_HA_ADDRESS_RELEASED) == UCM_HA_OK);
        break;
    case UCM_HA_OUTPUT_BIND_ADDRESS:
        CHECK(output->valid_s > 0 && p->now_us < output->before_us);
        s->bound = true;
        p->both_bound = p->both_bound || (p->stations[0].bound && p->stations[1].bound);
        CHECK(ucm_ha_node_address(&s->node, p->now_us, UCM_HA_ADDRESS_HELD) == UCM_HA_OK);
        break;
    case UCM_HA_OUTPUT_SEND_CABLE:
    case UCM_HA_OUTPUT_SEND_LAN:
        deliver(p, index, output, frame);
        break;
    case UCM_HA_OUTPUT_SEND_ARP:
        deliver(p, index, output, frame);
        answer_arp(p, index, frame, output->frame_len);
        break;
    case UCM_HA_OUTPUT_PERSIST:
        s->record = output->record;
        CHECK(ucm_ha_node_persisted(&s->node, p->now_us, 1) == UCM_HA_OK);
        break;
    case UCM_HA_OUTPUT_START_FULL_SYNC:
        CHECK(ucm_ha_node_sync_done(&s->node, p->now_us, 1, 1) == UCM_HA_OK);
        break;
    case UCM_HA_OUTPUT_SWITCH_DONE:
        s->last_refusal = output->refusal;
        break;
    case UCM_HA_OUTPUT_STOPPED:
        s->stopped = true;
        break;
    default:
        break;
    }
}

static void log_line(void *context, uint8_t level, const char *line) {
    const station *s = context;
    printf("  node %u %s %s\n", (unsigned)s->number, level == UCM_HA_LOG_WARNING ? "!" : ":", line);
}

void pair_settle(pair *p, int index) {
    station *s = &p->stations[index];
    for (int effects = 0; effects < MAX_EFFECTS; effects++) {
        uint8_t frame[UCM_HA_FRAME_CAPACITY];
        ucm_ha_output output;
        CHECK(ucm_ha_node_poll_output(&s->node, frame, sizeof frame, &output) == UCM_HA_OK);
        if (output.kind == UCM_HA_OUTPUT_NONE) {
            return;
        }
        CHECK(ucm_ha_log_output(&output, log_line, s) == UCM_HA_OK);
        carry_out(p, index, &output, frame);
    }
    pair_check(false, "the node came to rest", __FILE__, __LINE__);
}

void pair_run(pair *p, uint32_t span_ms) {
    uint64_t end_us = p->now_us + (uint64_t)span_ms * 1000;
    for (;;) {
        uint64_t wake_us = end_us;
        for (int index = 0; index < 2; index++) {
            station *s = &p->stations[index];
            uint64_t deadline_us;
            if (!s->powered) {
                continue;
            }
            pair_settle(p, index);
            CHECK(ucm_ha_node_next_timeout(&s->node, &deadline_us) == UCM_HA_OK);
            wake_us = deadline_us < wake_us ? deadline_us : wake_us;
        }
        if (wake_us >= end_us) {
            break;
        }
        p->now_us = wake_us > p->now_us ? wake_us : p->now_us + 1;
        for (int index = 0; index < 2; index++) {
            if (p->stations[index].powered) {
                CHECK(ucm_ha_node_timeout(&p->stations[index].node, p->now_us) == UCM_HA_OK);
                pair_settle(p, index);
            }
        }
    }
    p->now_us = end_us;
}

ucm_ha_status pair_status(station *s) {
    ucm_ha_status status;
    CHECK(ucm_ha_node_status(&s->node, &status) == UCM_HA_OK);
    return status;
}

int pair_active(pair *p) {
    int found = -1;
    for (int index = 0; index < 2; index++) {
        station *s = &p->stations[index];
        if (s->powered && pair_status(s).role == UCM_HA_ROLE_ACTIVE) {
            CHECK(s->bound);
            CHECK(found < 0);
            found = index;
        }
    }
    CHECK(found >= 0);
    return found;
}
