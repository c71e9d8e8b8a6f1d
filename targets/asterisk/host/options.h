/* What the command line says. */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "ucm_ha.h"

#include <stdbool.h>

struct options {
    ucm_ha_config config;
    const char *lan;
    const char *cable;
    const char *state;
};

/* Reads it. false, with one line on stderr that names the value and what to do. */
bool options_read(struct options *options, int argc, char **argv);

#endif
