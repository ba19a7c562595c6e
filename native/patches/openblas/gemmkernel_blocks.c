/* C += alpha * A * B by blocks that stay in registers: 4 x 4 doubles or 8 x 4 floats, which is
 * what sixteen vectors of 128 bits can hold. */
#include "common.h"

#include <wasm_simd128.h>

#ifdef DOUBLE
#define LANES 2
#define ROWS 4
#define SPLAT(from) wasm_v128_load64_splat(from)
#define ADD wasm_f64x2_add
#define MUL wasm_f64x2_mul
#define SAME wasm_f64x2_splat
#else
#define LANES 4
#define ROWS 8
#define SPLAT(from) wasm_v128_load32_splat(from)
#define ADD wasm_f32x4_add
#define MUL wasm_f32x4_mul
#define SAME wasm_f32x4_splat
#endif

#define COLUMNS 4

#define STEP(a, b)                                                                                 \
    do {                                                                                           \
        v128_t row0 = wasm_v128_load(a);                                                           \
        v128_t row1 = wasm_v128_load((a) + LANES);                                                 \
        v128_t column = SPLAT(b);                                                                  \
        sum00 = ADD(sum00, MUL(row0, column));                                                     \
        sum10 = ADD(sum10, MUL(row1, column));                                                     \
        column = SPLAT((b) + 1);                                                                   \
        sum01 = ADD(sum01, MUL(row0, column));                                                     \
        sum11 = ADD(sum11, MUL(row1, column));                                                     \
        column = SPLAT((b) + 2);                                                                   \
        sum02 = ADD(sum02, MUL(row0, column));                                                     \
        sum12 = ADD(sum12, MUL(row1, column));                                                     \
        column = SPLAT((b) + 3);                                                                   \
        sum03 = ADD(sum03, MUL(row0, column));                                                     \
        sum13 = ADD(sum13, MUL(row1, column));                                                     \
    } while (0)

#define STORE(to, sum0, sum1)                                                                      \
    do {                                                                                           \
        wasm_v128_store(to, ADD(wasm_v128_load(to), MUL(factor, sum0)));                           \
        wasm_v128_store((to) + LANES, ADD(wasm_v128_load((to) + LANES), MUL(factor, sum1)));       \
    } while (0)

static inline void whole_block(BLASLONG count, FLOAT alpha, const FLOAT *a, const FLOAT *b,
                               FLOAT *c, BLASLONG stride)
{
    v128_t sum00 = SAME(0), sum01 = sum00, sum02 = sum00, sum03 = sum00;
    v128_t sum10 = sum00, sum11 = sum00, sum12 = sum00, sum13 = sum00;
    v128_t factor = SAME(alpha);
    BLASLONG left = count;
    for (; left >= 4; left -= 4) {
        STEP(a, b);
        STEP(a + ROWS, b + COLUMNS);
        STEP(a + 2 * ROWS, b + 2 * COLUMNS);
        STEP(a + 3 * ROWS, b + 3 * COLUMNS);
        a += 4 * ROWS;
        b += 4 * COLUMNS;
    }
    for (; left > 0; left--) {
        STEP(a, b);
        a += ROWS;
        b += COLUMNS;
    }
    STORE(c, sum00, sum10);
    STORE(c + stride, sum01, sum11);
    STORE(c + 2 * stride, sum02, sum12);
    STORE(c + 3 * stride, sum03, sum13);
}

/* What is left at the edges: fewer rows or columns. */
static inline __attribute__((always_inline)) void part_block(int rows, int columns, BLASLONG count,
                                                             FLOAT alpha, const FLOAT *a,
                                                             const FLOAT *b, FLOAT *c,
                                                             BLASLONG stride)
{
    FLOAT sums[COLUMNS][ROWS] = {{0}};
    for (BLASLONG k = 0; k < count; k++) {
        for (int j = 0; j < columns; j++) {
            for (int i = 0; i < rows; i++) {
                sums[j][i] += a[i] * b[j];
            }
        }
        a += rows;
        b += columns;
    }
    for (int j = 0; j < columns; j++) {
        for (int i = 0; i < rows; i++) {
            c[j * stride + i] += alpha * sums[j][i];
        }
    }
}

static void any_block(int rows, int columns, BLASLONG count, FLOAT alpha, const FLOAT *a,
                      const FLOAT *b, FLOAT *c, BLASLONG stride)
{
#define CASE(m, n)                                                                                 \
    case 16 * (m) + (n):                                                                           \
        part_block(m, n, count, alpha, a, b, c, stride);                                           \
        return
    switch (16 * rows + columns) {
#if ROWS == 8
        CASE(8, 2);
        CASE(8, 1);
#endif
        CASE(4, 4);
        CASE(4, 2);
        CASE(4, 1);
        CASE(2, 4);
        CASE(2, 2);
        CASE(2, 1);
        CASE(1, 4);
        CASE(1, 2);
        CASE(1, 1);
    }
}

int CNAME(BLASLONG bm, BLASLONG bn, BLASLONG bk, FLOAT alpha, FLOAT *ba, FLOAT *bb, FLOAT *C,
          BLASLONG ldc)
{
    const FLOAT *b = bb;
    BLASLONG columns_left = bn;
    for (int columns = COLUMNS; columns > 0; columns /= 2) {
        for (; columns_left >= columns; columns_left -= columns) {
            const FLOAT *a = ba;
            FLOAT *c = C;
            BLASLONG rows_left = bm;
            for (int rows = ROWS; rows > 0; rows /= 2) {
                for (; rows_left >= rows; rows_left -= rows) {
                    if (rows == ROWS && columns == COLUMNS) {
                        whole_block(bk, alpha, a, b, c, ldc);
                    } else {
                        any_block(rows, columns, bk, alpha, a, b, c, ldc);
                    }
                    a += rows * bk;
                    c += rows;
                }
            }
            b += columns * bk;
            C += columns * ldc;
        }
    }
    return 0;
}
