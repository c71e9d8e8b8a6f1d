#include "both.h"
#include "second.h"

#include <stdio.h>
#include <stdlib.h>

void second_on_panic(void) {
    abort();
}

/* One thread. */
uint32_t second_critical_enter(void) {
    return 0;
}

void second_critical_exit(uint32_t state) {
    (void)state;
}

int main(void) {
    int failed = both_work();
#ifdef SECOND_HAS_STD
    if (!failed && !second_catches_its_panic()) failed = 100;
#endif
    if (failed) printf("step %d failed\n", failed);
    return failed != 0;
}
