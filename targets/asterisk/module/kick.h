/*
 * Kicks: signs of life for the daemon that only an Asterisk without a deadlock can give.
 *
 * At every interval a round is started, one at a time. It goes through Asterisk's own threads and locks:
 *
 *   SIP pool      a task for the threads that handle every SIP request (where res_pjsip runs)
 *   stasis pool   a message on the bus; its shared threads handle device states, call records and manager events
 *   dialplan      the lock of the contexts, which every step of a call takes
 *   channels      the list of channels, then the lock of each
 *
 * The kick is sent by the thread that comes through the last station, never by the one that starts the round. A station
 * that does not let it pass stops the kicks, and the daemon notices that.
 */
#ifndef UCM_HA_ASTERISK_KICK_H
#define UCM_HA_ASTERISK_KICK_H

#include "asterisk.h"

#include <stdint.h>

/* What came of the rounds so far. */
struct ha_kicks {
    unsigned int sent;     /* kicks that the daemon's socket took */
    unsigned int lost;     /* kicks that it did not take: no daemon, or it stands still */
    int last_round_ms;     /* how long the last round took; -1 before the first */
    int longest_round_ms;  /* the longest since the module was loaded */
    int waiting_ms;        /* how long the round under way has taken; -1 where there is none */
    char station[128];     /* where it waits */
    int has_sip;           /* whether the SIP pool is a station */
};

/* Starts the rounds; -1, with the reason in the log, if that fails. */
int ha_kick_start(void);

/* Looks again whether res_pjsip runs. */
void ha_kick_find_sip(void);

/* Ends the rounds. -1, and they go on, while one is stuck: its thread is still to return into this module. */
int ha_kick_stop(void);

void ha_kick_state(struct ha_kicks *state);

#endif
