/*
 * What the C code that wasm2c generates expects of its runtime. It takes the place of wabt's own
 * header of this name; guest_runtime.c has the functions.
 *
 * Memory is reached through the GS segment register ("Segue"), set when a guest is switched to.
 * Accesses out of bounds meet unmapped pages (memory.h) and become traps (trap.h).
 */
#ifndef ERYX_WASM_RT_H
#define ERYX_WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "eryx supports Linux on x86-64 only so far"
#endif

#define WABT_BIG_ENDIAN 0
#define WASM_RT_USE_MMAP 1
#define WASM_RT_MEMCHECK_GUARD_PAGES 1
#define WASM_RT_MEMCHECK_BOUNDS_CHECK 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_USE_SEGUE 1
#define WASM_RT_SANITY_CHECKS 0
#define WASM_RT_USE_LOCAL_MEMORY_BASE_SIZE 0
#define WASM_RT_NONCONFORMING_ALLOW_OOB_READ_ELIMINATION 0

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy __builtin_memcpy
#define wasm_rt_unreachable __builtin_unreachable

typedef enum wasm_rt_trap_t {
    WASM_RT_TRAP_NONE,
    WASM_RT_TRAP_OOB,
    WASM_RT_TRAP_INT_OVERFLOW,
    WASM_RT_TRAP_DIV_BY_ZERO,
    WASM_RT_TRAP_INVALID_CONVERSION,
    WASM_RT_TRAP_UNREACHABLE,
    WASM_RT_TRAP_CALL_INDIRECT,
    WASM_RT_TRAP_UNCAUGHT_EXCEPTION,
    WASM_RT_TRAP_UNALIGNED,
    WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

typedef enum wasm_rt_type_t {
    WASM_RT_I32,
    WASM_RT_I64,
    WASM_RT_F32,
    WASM_RT_F64,
    WASM_RT_V128,
    WASM_RT_FUNCREF,
    WASM_RT_EXTERNREF,
} wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);
typedef const char *wasm_rt_func_type_t; /* 32 bytes: the SHA-256 of the signature */
typedef void *wasm_rt_externref_t;

/* One table entry. All functions of the table belong to one module, so it holds no instance: the
 * caller passes its own (see toolchain/instrument.py). */
typedef struct wasm_rt_funcref_t {
    wasm_rt_func_type_t func_type;
    wasm_rt_function_ptr_t func;
} wasm_rt_funcref_t;

typedef struct wasm_rt_funcref_table_t {
    const wasm_rt_funcref_t *data;
    uint32_t max_size;
    uint32_t size;
} wasm_rt_funcref_table_t;

typedef struct wasm_rt_memory_t {
    uint8_t *data;
    uint64_t size; /* bytes, always pages * 65,536 */
    uint64_t pages;
    uint64_t max_pages; /* memory.grow beyond it answers -1 */
} wasm_rt_memory_t;

/* Ends the guest that runs on this thread. */
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t trap);

/* memory.grow: the earlier size in pages, or UINT32_MAX if it is refused. */
uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t delta_pages);

#endif
