/* A native module for the tests: SIMD. */
#include "python_api.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

#define PAIR(name)                                                                                 \
    static v128_t do_##name(v128_t a, v128_t b)                                                    \
    {                                                                                              \
        return wasm_##name(a, b);                                                                  \
    }
#define ALONE(name)                                                                                \
    static v128_t do_##name(v128_t a, v128_t b)                                                    \
    {                                                                                              \
        (void)b;                                                                                   \
        return wasm_##name(a);                                                                     \
    }
#define SHIFT(name)                                                                                \
    static v128_t do_##name(v128_t a, v128_t b)                                                    \
    {                                                                                              \
        return wasm_##name(a, (uint32_t)wasm_i32x4_extract_lane(b, 0));                            \
    }
#define NUMBER(name)                                                                               \
    static v128_t do_##name(v128_t a, v128_t b)                                                    \
    {                                                                                              \
        (void)b;                                                                                   \
        return wasm_i32x4_splat((int32_t)wasm_##name(a));                                          \
    }

#define PAIRS(X)                                                                                   \
    X(i8x16_add)                                                                                   \
    X(i16x8_mul)                                                                                   \
    X(i32x4_mul)                                                                                   \
    X(i64x2_mul) X(i8x16_add_sat) X(u8x16_sub_sat) X(i16x8_sub_sat) X(u8x16_avgr)                  \
        X(i16x8_q15mulr_sat) X(i32x4_dot_i16x8) X(i8x16_min) X(u8x16_max) X(u32x4_min)             \
            X(i8x16_swizzle) X(i8x16_narrow_i16x8) X(u8x16_narrow_i16x8) X(u16x8_narrow_i32x4)     \
                X(i16x8_extmul_low_i8x16) X(u32x4_extmul_high_u16x8) X(i64x2_gt) X(u8x16_lt)       \
                    X(v128_andnot) X(f32x4_add) X(f32x4_min) X(f32x4_pmax) X(f64x2_div)            \
                        X(f64x2_lt)
#define ALONES(X)                                                                                  \
    X(i8x16_neg)                                                                                   \
    X(i16x8_abs)                                                                                   \
    X(i8x16_popcnt)                                                                                \
    X(v128_not) X(f32x4_nearest) X(f64x2_ceil) X(f64x2_sqrt) X(i32x4_trunc_sat_f32x4)              \
        X(u32x4_trunc_sat_f64x2_zero) X(f64x2_promote_low_f32x4) X(f32x4_demote_f64x2_zero)        \
            X(f64x2_convert_low_u32x4) X(i16x8_extadd_pairwise_i8x16) X(u32x4_extend_high_u16x8)
#define SHIFTS(X) X(i8x16_shl) X(i16x8_shr) X(u32x4_shr) X(i64x2_shr)
#define NUMBERS(X) X(i8x16_bitmask) X(i32x4_bitmask) X(v128_any_true) X(i16x8_all_true)

PAIRS(PAIR)
ALONES(ALONE)
SHIFTS(SHIFT)
NUMBERS(NUMBER)

static v128_t do_shuffle(v128_t a, v128_t b)
{
    return wasm_i8x16_shuffle(a, b, 0, 31, 2, 29, 4, 27, 6, 25, 8, 23, 10, 21, 12, 19, 14, 17);
}

static v128_t do_bitselect(v128_t a, v128_t b)
{
    return wasm_v128_bitselect(
        a, b, wasm_i8x16_const(0, -1, 15, 0, -1, 15, 0, -1, 15, 0, -1, 15, 0, -1, 15, 1));
}

/* Parts of memory, at addresses that are not aligned. */
static v128_t do_memory(v128_t a, v128_t b)
{
    char place[64];
    wasm_v128_store(place + 1, a);
    wasm_v128_store(place + 17, b);
    v128_t c = wasm_i16x8_load8x8(place + 2);
    c = wasm_v128_load32_lane(place + 19, c, 1);
    c = wasm_v128_xor(c, wasm_v128_load16_splat(place + 5));
    c = wasm_v128_xor(c, wasm_v128_load64_zero(place + 7));
    wasm_v128_store8_lane(place + 3, c, 4);
    return wasm_v128_load(place + 3);
}

typedef v128_t (*operation)(v128_t, v128_t);

static const struct {
    const char *name;
    operation act;
} operations[] = {
#define ROW(name) {#name, do_##name},
    PAIRS(ROW) ALONES(ROW) SHIFTS(ROW) NUMBERS(ROW){"shuffle", do_shuffle},
    {"bitselect", do_bitselect},
    {"memory", do_memory},
};

/* run(name, a, b) -> the bytes of the result. */
static PyObject *run(PyObject *self, PyObject *arguments)
{
    const char *name;
    const char *first;
    const char *second;
    Py_ssize_t sizes[2];
    (void)self;
    if (!PyArg_ParseTuple(arguments, "sy#y#:run", &name, &first, &sizes[0], &second, &sizes[1])) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].name, name) == 0) {
            v128_t result = operations[i].act(wasm_v128_load(first), wasm_v128_load(second));
            char bytes[16];
            wasm_v128_store(bytes, result);
            return Py_BuildValue("y#", bytes, (Py_ssize_t)sizeof bytes);
        }
    }
    return Py_BuildValue("s", name);
}

/* dot(count) -> the sum of squares, by vectors. */
static PyObject *dot(PyObject *self, PyObject *number)
{
    long count = PyLong_AsLong(number);
    double *values = malloc((size_t)count * sizeof *values);
    v128_t sum = wasm_f64x2_splat(0);
    (void)self;
    for (long i = 0; i < count; i++) {
        values[i] = (double)i;
    }
    for (long i = 0; i + 1 < count; i += 2) {
        v128_t pair = wasm_v128_load(values + i);
        sum = wasm_f64x2_add(sum, wasm_f64x2_mul(pair, pair));
    }
    free(values);
    return Py_BuildValue("d", wasm_f64x2_extract_lane(sum, 0) + wasm_f64x2_extract_lane(sum, 1));
}

/* out_of_bounds(): a vector of which the end is outside of all memory. */
static PyObject *out_of_bounds(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    wasm_v128_store((void *)(uintptr_t)0xfffffff8u, wasm_i32x4_splat(1));
    return self;
}

static PyMethodDef methods[] = {
    {"run", run, METH_VARARGS, NULL},
    {"dot", dot, METH_O, NULL},
    {"out_of_bounds", out_of_bounds, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "lanes",
    .m_size = -1,
    .m_methods = methods,
};

__attribute__((visibility("default"))) PyObject *PyInit_lanes(void);
PyObject *PyInit_lanes(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
