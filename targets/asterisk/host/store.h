/* The record that survives a restart and a power cut. */
#ifndef HOST_STORE_H
#define HOST_STORE_H

#include "ucm_ha.h"

#include <stdbool.h>

enum store_result { STORE_READ, STORE_NONE, STORE_DAMAGED };

/* Reads the record of the last run. Where there is none, or a damaged one, record is all 0. */
enum store_result store_read(const char *path, ucm_ha_record *record);

/* Writes it: aside, synced, renamed over the old one. false, with errno; the old one is then still there. */
bool store_write(const char *path, const ucm_ha_record *record);

#endif
