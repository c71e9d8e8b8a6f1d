/* Firmware for a Cortex-M4 (mps2-an386 of QEMU): starts, uses both libraries, and ends the emulator with the result. */
#include "both.h"
#include "second.h"
#include "ucm_ha_hooks.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define FPU_ON (0xFu << 20)
#define SEMIHOSTING_EXIT_EXTENDED 0x20u
#define STOPPED_APPLICATION_EXIT 0x20026u
#define DEFECT 200

static void end(int code) {
    uint32_t arguments[2] = {STOPPED_APPLICATION_EXIT, (uint32_t)code};
    register uint32_t operation __asm__("r0") = SEMIHOSTING_EXIT_EXTENDED;
    register uint32_t *block __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(block) : "memory");
    for (;;) {
    }
}

static uint32_t interrupts_off(void) {
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n cpsid i" : "=r"(before) : : "memory");
    return before;
}

static void interrupts_back(uint32_t before) {
    __asm__ volatile("msr primask, %0" : : "r"(before) : "memory");
}

uint32_t ucm_ha_critical_enter(void) { return interrupts_off(); }
void ucm_ha_critical_exit(uint32_t state) { interrupts_back(state); }
uint32_t second_critical_enter(void) { return interrupts_off(); }
void second_critical_exit(uint32_t state) { interrupts_back(state); }

void ucm_ha_on_panic(const char *file, size_t file_len, uint32_t line) {
    (void)file, (void)file_len, (void)line;
    end(DEFECT);
}

void second_on_panic(void) {
    end(DEFECT);
}

static void fault(void) {
    end(DEFECT + 1);
}

/* The memory of the emulated board is cleared, and neither library has data to be copied. */
void reset(void) {
    CPACR |= FPU_ON;
    end(both_work());
}

extern uint32_t stack_top[];

/* The first words of the memory: stack, reset, NMI, the faults. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[6])(void);
} vectors = {stack_top, {reset, fault, fault, fault, fault, fault}};
