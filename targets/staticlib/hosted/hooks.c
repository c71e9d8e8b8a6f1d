/* The hooks of the shared library for Linux. A program may define its own. */
#define _POSIX_C_SOURCE 200809L

#include "ucm_ha_hooks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) void ucm_ha_on_panic(const char *file, size_t file_len, uint32_t line) {
    fprintf(stderr, "libucm_ha: defect at %.*s:%lu\n", (int)file_len, file, (unsigned long)line);
    /* The kernel takes the cluster IP away when its lifetime ends, as for every program that dies. */
    abort();
}

/* Recursive, since sections may nest. */
static pthread_mutex_t lock;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_lock(void) {
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0 ||
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE) != 0 ||
        pthread_mutex_init(&lock, &attributes) != 0) {
        abort();
    }
}

__attribute__((weak)) uint32_t ucm_ha_critical_enter(void) {
    if (pthread_once(&made, make_lock) != 0 || pthread_mutex_lock(&lock) != 0) {
        abort();
    }
    return 0;
}

__attribute__((weak)) void ucm_ha_critical_exit(uint32_t state) {
    (void)state;
    if (pthread_mutex_unlock(&lock) != 0) {
        abort();
    }
}
