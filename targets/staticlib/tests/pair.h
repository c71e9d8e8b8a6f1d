/* Two nodes, a cable, a LAN with a gateway, in virtual time. */
#ifndef PAIR_H
#define PAIR_H

#include "ucm_ha.h"

#include <stdbool.h>

typedef struct station {
    ucm_ha_node node;
    ucm_ha_config config;
    uint8_t number; /* 1 or 2 */
    bool powered;
    bool bound; /* the cluster IP */
    bool stopped;
    ucm_ha_record record; /* as stored */
    uint8_t last_refusal; /* of the last forced switch; 0xff before */
} station;

typedef struct pair {
    station stations[2];
    uint64_t now_us;
    bool both_bound; /* ever, at the same time */
    unsigned long cable_frames; /* handled */
} pair;

/* Ends the program with a message unless condition holds. */
#define CHECK(condition) pair_check((condition), #condition, __FILE__, __LINE__)
void pair_check(bool condition, const char *text, const char *file, int line);

void pair_init(pair *p, bool with_key);
ucm_ha_config pair_config(uint8_t number);
/* Lets span_ms pass. */
void pair_run(pair *p, uint32_t span_ms);
/* Index of the one active that has the cluster IP; ends the program if there is not exactly one. */
int pair_active(pair *p);
ucm_ha_status pair_status(station *s);
/* Gives a frame to a node; a function of its own for callgrind. */
int32_t pair_cable_frame(station *s, uint64_t now_us, const uint8_t *frame, size_t len);
/* Carries out what the station wants now. */
void pair_settle(pair *p, int index);

#endif
