/* Whose hooks a library calls: ends with 0 if it is those here. */
#include "ucm_ha.h"
#include "ucm_ha_hooks.h"

#include <stdlib.h>

static unsigned entered, left;

void ucm_ha_on_panic(const char *file, size_t file_len, uint32_t line) {
    (void)file, (void)file_len, (void)line;
    abort();
}

uint32_t ucm_ha_critical_enter(void) {
    return ++entered;
}

void ucm_ha_critical_exit(uint32_t state) {
    left = state;
}

int main(void) {
    static ucm_ha_mailbox mailbox;
    if (ucm_ha_mailbox_init(&mailbox, UCM_HA_ABI_VERSION) != UCM_HA_OK) return 2;
    if (ucm_ha_mailbox_post_wake(&mailbox) != UCM_HA_OK) return 3;
    return entered > 0 && left == entered ? 0 : 1;
}
