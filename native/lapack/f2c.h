/* What the C that f2c makes of LAPACK includes: types of Fortran as those of C, and macros. */
#pragma once

typedef int integer;
typedef int logical;
typedef int ftnlen;
typedef float real;
typedef double doublereal;
typedef struct {
    real r, i;
} singlecomplex;
typedef struct {
    doublereal r, i;
} doublecomplex;
typedef char *address;
typedef logical (*L_fp)();

#define VOID void
#define TRUE_ 1
#define FALSE_ 0
#define abs(x) ((x) >= 0 ? (x) : -(x))
#define dabs(x) (doublereal) abs(x)
#define min(a, b) ((a) <= (b) ? (a) : (b))
#define max(a, b) ((a) >= (b) ? (a) : (b))
#define dmin(a, b) (doublereal) min(a, b)
#define dmax(a, b) (doublereal) max(a, b)
