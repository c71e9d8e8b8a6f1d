/* What the static library asks of its firmware; see ucm_ha_hooks.h. */
#include "ucm_ha_hooks.h"

#include <stdio.h>
#include <stdlib.h>

void ucm_ha_on_panic(const char *file, size_t file_len, uint32_t line)
{
    fprintf(stderr, "ucm-ha-host: defect of the library at %.*s:%lu\n", (int)file_len, file, (unsigned long)line);
    abort(); /* the kernel takes the cluster IP away when its lifetime ends */
}

/* One thread, and no interrupt posts to a mailbox. */
uint32_t ucm_ha_critical_enter(void)
{
    return 0;
}

void ucm_ha_critical_exit(uint32_t state)
{
    (void)state;
}
