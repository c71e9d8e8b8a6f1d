/* The hooks of the shared library for Linux. A program may define its own. */
#include "ucm_ha_hooks.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) void ucm_ha_on_panic(const char *file, size_t file_len, uint32_t line) {
    fprintf(stderr, "libucm_ha: defect at %.*s:%lu\n", (int)file_len, file, (unsigned long)line);
    /* The kernel takes the cluster IP away when its lifetime ends, as for every program that dies. */
    abort();
}
