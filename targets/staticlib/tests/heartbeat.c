/* A minute of heartbeats for callgrind to count: heartbeat key|nokey. Prints how many were handled. */
#include "pair.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    static pair p;
    CHECK(argc == 2);
    bool with_key = strcmp(argv[1], "key") == 0;
    CHECK(with_key || strcmp(argv[1], "nokey") == 0);
    pair_init(&p, with_key);
    pair_run(&p, 60000);
    pair_active(&p);
    printf("handled %lu\n", p.cable_frames);
    return 0;
}
