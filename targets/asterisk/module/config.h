/* What ucm_ha.conf says. */
#ifndef UCM_HA_ASTERISK_CONFIG_H
#define UCM_HA_ASTERISK_CONFIG_H

#include "asterisk.h"

#define HA_CONFIG_FILE "ucm_ha.conf"
/* Longest path of a socket (sun_path of unix(7)), and longest name of a service, in bytes without the end. */
#define HA_MAX_PATH_LEN 107
#define HA_MAX_SERVICE_LEN 32

/* Settings; an ao2 object that never changes once it is the current one. */
struct ha_config {
    char control_socket[HA_MAX_PATH_LEN + 1];
    char kick_socket[HA_MAX_PATH_LEN + 1];
    char service[HA_MAX_SERVICE_LEN + 1];
    int kick_interval_ms;
};

/* Reads the file and makes it the current settings. On an error every mistake is in the log, and nothing changes: -1. */
int ha_config_load(void);

/* The current settings, with a reference for the caller. Not null between a first load and the end. */
struct ha_config *ha_config_get(void);

/* Forgets them. */
void ha_config_forget(void);

#endif
