/*
 * SIMD in native modules: WebAssembly's vectors by those of this machine, for which simde has the
 * operations. Memory is reached as by all generated code, through the GS segment register.
 *
 * Included behind guest_operations.h, by modules that use vectors.
 */
#ifndef ERYX_GUEST_VECTORS_H
#define ERYX_GUEST_VECTORS_H

#include "simde/wasm/simd128.h"

typedef simde_v128_t v128;

#define v128_const simde_wasm_i8x16_const

typedef long long guest_vector_bits __attribute__((vector_size(16)));

/* type: what lies in memory; make: the function of simde that takes it from an address. */
#define DEFINE_VECTOR_LOAD(name, type, make)                                                       \
    static inline v128 name(u64 addr)                                                              \
    {                                                                                              \
        typedef type __attribute__((aligned(1), may_alias)) unaligned;                             \
        type value = *(const unaligned __seg_gs *)(uintptr_t)addr;                                 \
        return make(&value);                                                                       \
    }

#define DEFINE_VECTOR_STORE(name, type)                                                            \
    static inline void name(u64 addr, v128 vector)                                                 \
    {                                                                                              \
        typedef type __attribute__((aligned(1), may_alias)) unaligned;                             \
        type value;                                                                                \
        simde_wasm_v128_store(&value, vector);                                                     \
        *(unaligned __seg_gs *)(uintptr_t)addr = value;                                            \
    }

/* One lane of a vector, from memory and to it. */
#define DEFINE_LANE(bits, lane)                                                                    \
    static inline v128 v128_load##bits##_lane##lane(u64 addr, v128 vector)                         \
    {                                                                                              \
        typedef u##bits __attribute__((aligned(1), may_alias)) unaligned;                          \
        u##bits value = *(const unaligned __seg_gs *)(uintptr_t)addr;                              \
        return simde_wasm_v128_load##bits##_lane(&value, vector, lane);                            \
    }                                                                                              \
    static inline void v128_store##bits##_lane##lane(u64 addr, v128 vector)                        \
    {                                                                                              \
        typedef u##bits __attribute__((aligned(1), may_alias)) unaligned;                          \
        u##bits value;                                                                             \
        simde_wasm_v128_store##bits##_lane(&value, vector, lane);                                  \
        *(unaligned __seg_gs *)(uintptr_t)addr = value;                                            \
    }

#define DEFINE_LANES_2(bits, first, second) DEFINE_LANE(bits, first) DEFINE_LANE(bits, second)

DEFINE_VECTOR_LOAD(v128_load_default32, guest_vector_bits, simde_wasm_v128_load)
DEFINE_VECTOR_STORE(v128_store_default32, guest_vector_bits)
DEFINE_VECTOR_LOAD(v128_load8_splat, u8, simde_wasm_v128_load8_splat)
DEFINE_VECTOR_LOAD(v128_load16_splat, u16, simde_wasm_v128_load16_splat)
DEFINE_VECTOR_LOAD(v128_load32_splat, u32, simde_wasm_v128_load32_splat)
DEFINE_VECTOR_LOAD(v128_load64_splat, u64, simde_wasm_v128_load64_splat)
DEFINE_VECTOR_LOAD(v128_load32_zero, u32, simde_wasm_v128_load32_zero)
DEFINE_VECTOR_LOAD(v128_load64_zero, u64, simde_wasm_v128_load64_zero)
DEFINE_VECTOR_LOAD(i16x8_load8x8_default32, u64, simde_wasm_i16x8_load8x8)
DEFINE_VECTOR_LOAD(u16x8_load8x8_default32, u64, simde_wasm_u16x8_load8x8)
DEFINE_VECTOR_LOAD(i32x4_load16x4_default32, u64, simde_wasm_i32x4_load16x4)
DEFINE_VECTOR_LOAD(u32x4_load16x4_default32, u64, simde_wasm_u32x4_load16x4)
DEFINE_VECTOR_LOAD(i64x2_load32x2_default32, u64, simde_wasm_i64x2_load32x2)
DEFINE_VECTOR_LOAD(u64x2_load32x2_default32, u64, simde_wasm_u64x2_load32x2)
DEFINE_LANES_2(8, 0, 1)
DEFINE_LANES_2(8, 2, 3)
DEFINE_LANES_2(8, 4, 5)
DEFINE_LANES_2(8, 6, 7)
DEFINE_LANES_2(8, 8, 9)
DEFINE_LANES_2(8, 10, 11)
DEFINE_LANES_2(8, 12, 13)
DEFINE_LANES_2(8, 14, 15)
DEFINE_LANES_2(16, 0, 1)
DEFINE_LANES_2(16, 2, 3)
DEFINE_LANES_2(16, 4, 5)
DEFINE_LANES_2(16, 6, 7)
DEFINE_LANES_2(32, 0, 1)
DEFINE_LANES_2(32, 2, 3)
DEFINE_LANES_2(64, 0, 1)

#endif
