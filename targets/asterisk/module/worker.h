/* A thread that does the same thing at an interval, by the monotonic clock: a step of the wall clock changes nothing. */
#ifndef UCM_HA_ASTERISK_WORKER_H
#define UCM_HA_ASTERISK_WORKER_H

#include "asterisk.h"

#include <stdint.h>

struct ha_worker {
    pthread_t thread;
    int stop_fd;              /* becomes readable when it is to end */
    void (*work)(void);
    int (*interval_ms)(void); /* until the next time */
};

/* Starts it; -1, with the reason in the log, if that fails. */
int ha_worker_start(struct ha_worker *worker, void (*work)(void), int (*interval_ms)(void));

/* Ends it. Returns when the work under way is done. */
void ha_worker_stop(struct ha_worker *worker);

/* Monotonic time in ms. */
int64_t ha_now_ms(void);

#endif
