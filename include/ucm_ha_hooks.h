/*
 * What the firmware provides for the static library. The functions are declared here and defined by the firmware; the
 * shared library for Linux brings its own (targets/staticlib/hosted/hooks.c).
 */
#ifndef UCM_HA_HOOKS_H
#define UCM_HA_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The library has found a defect of its own or of the memory, at line of file (file_len bytes without NUL). Must not
 * return: stop the machine from answering for the cluster IP, then reset it. No call into the library is allowed any more.
 * No input leads here; an image that cannot get here does not even link this function.
 */
void ucm_ha_on_panic(const char *file, size_t file_len, uint32_t line);

/*
 * Begins a critical section: until its end no other context, interrupt, thread or core, may begin one. Sections may nest.
 * Returns whatever ucm_ha_critical_exit needs, e.g. whether interrupts were enabled before. Only the functions of
 * ucm_ha_mailbox use it, for some dozens of instructions.
 */
uint32_t ucm_ha_critical_enter(void);
/* Ends the critical section whose beginning returned state. */
void ucm_ha_critical_exit(uint32_t state);

#ifdef __cplusplus
}
#endif

#endif /* UCM_HA_HOOKS_H */
