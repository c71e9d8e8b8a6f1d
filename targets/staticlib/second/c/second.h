/* The second library (src/lib.rs), and what it wants of the firmware. */
#ifndef SECOND_H
#define SECOND_H

#include <stddef.h>
#include <stdint.h>

uint8_t second_digit(size_t position);
uint32_t second_calls(void);
/* In the build with the standard library only. */
uint8_t second_catches_its_panic(void);

/* Provided by the firmware for the build without it. */
void second_on_panic(void);
uint32_t second_critical_enter(void);
void second_critical_exit(uint32_t state);

#endif
