/* What the C that f2c makes of LAPACK calls: functions that are part of Fortran itself, and those
 * that give what a number of this machine is. */
#include "f2c.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

#undef abs

/* ---- Numbers -------------------------------------------------------------------------------- */

double r_sign(real *a, real *b)
{
    return copysign(*a, *b);
}

double d_sign(doublereal *a, doublereal *b)
{
    return copysign(*a, *b);
}

double r_lg10(real *x)
{
    return log10(*x);
}

double d_lg10(doublereal *x)
{
    return log10(*x);
}

integer i_nint(real *x)
{
    return (integer)round(*x);
}

integer i_dnnt(doublereal *x)
{
    return (integer)round(*x);
}

double pow_dd(doublereal *base, doublereal *exponent)
{
    return pow(*base, *exponent);
}

double pow_di(doublereal *base, integer *exponent)
{
    return pow(*base, *exponent);
}

double pow_ri(real *base, integer *exponent)
{
    return pow(*base, *exponent);
}

integer pow_ii(integer *base, integer *exponent)
{
    if (*exponent < 0) {
        return *base == 1 ? 1 : *base == -1 ? (*exponent % 2 == 0 ? 1 : -1) : 0;
    }
    unsigned result = 1;
    for (integer i = 0; i < *exponent; i++) {
        result *= (unsigned)*base;
    }
    return (integer)result;
}

integer lceils_(real *x)
{
    return (integer)ceilf(*x);
}

integer maxlcs_(integer *count, real *x)
{
    integer found = *count > 0;
    for (integer i = 1; i < *count; i++) {
        if (x[i] > x[found - 1]) {
            found = i + 1;
        }
    }
    return found;
}

integer maxlcd_(integer *count, doublereal *x)
{
    integer found = *count > 0;
    for (integer i = 1; i < *count; i++) {
        if (x[i] > x[found - 1]) {
            found = i + 1;
        }
    }
    return found;
}

logical sisnan_(real *x)
{
    return isnan(*x);
}

logical disnan_(doublereal *x)
{
    return isnan(*x);
}

/* The size of an array as a number that is not less. */
real sroundup_lwork_(integer *size)
{
    real found = (real)*size;
    return found < (double)*size ? found * (1 + FLT_EPSILON) : found;
}

doublereal droundup_lwork_(integer *size)
{
    return *size;
}

/* ---- Complex numbers ------------------------------------------------------------------------ */

static double complex wide(const singlecomplex *z)
{
    return CMPLX(z->r, z->i);
}

static double complex of(const doublecomplex *z)
{
    return CMPLX(z->r, z->i);
}

static void give(singlecomplex *result, double complex value)
{
    *result = (singlecomplex){(real)creal(value), (real)cimag(value)};
}

static void give_wide(doublecomplex *result, double complex value)
{
    *result = (doublecomplex){creal(value), cimag(value)};
}

double r_imag(singlecomplex *z)
{
    return z->i;
}

double d_imag(doublecomplex *z)
{
    return z->i;
}

void r_cnjg(singlecomplex *result, singlecomplex *z)
{
    *result = (singlecomplex){z->r, -z->i};
}

void d_cnjg(doublecomplex *result, doublecomplex *z)
{
    *result = (doublecomplex){z->r, -z->i};
}

double c_abs(singlecomplex *z)
{
    return hypot(z->r, z->i);
}

double z_abs(doublecomplex *z)
{
    return hypot(z->r, z->i);
}

void c_div(singlecomplex *result, singlecomplex *a, singlecomplex *b)
{
    give(result, wide(a) / wide(b));
}

void z_div(doublecomplex *result, doublecomplex *a, doublecomplex *b)
{
    give_wide(result, of(a) / of(b));
}

void c_sqrt(singlecomplex *result, singlecomplex *z)
{
    give(result, csqrt(wide(z)));
}

void z_sqrt(doublecomplex *result, doublecomplex *z)
{
    give_wide(result, csqrt(of(z)));
}

void c_exp(singlecomplex *result, singlecomplex *z)
{
    give(result, cexp(wide(z)));
}

void z_exp(doublecomplex *result, doublecomplex *z)
{
    give_wide(result, cexp(of(z)));
}

void pow_ci(singlecomplex *result, singlecomplex *base, integer *exponent)
{
    give(result, cpow(wide(base), *exponent));
}

void pow_zi(doublecomplex *result, doublecomplex *base, integer *exponent)
{
    give_wide(result, cpow(of(base), *exponent));
}

/* ---- Texts, which are filled up with spaces ------------------------------------------------- */

integer s_cmp(char *a, char *b, ftnlen a_length, ftnlen b_length)
{
    ftnlen length = a_length > b_length ? a_length : b_length;
    for (ftnlen i = 0; i < length; i++) {
        unsigned char left = i < a_length ? (unsigned char)a[i] : ' ';
        unsigned char right = i < b_length ? (unsigned char)b[i] : ' ';
        if (left != right) {
            return left - right;
        }
    }
    return 0;
}

int s_copy(char *target, char *source, ftnlen length, ftnlen source_length)
{
    ftnlen copied = length < source_length ? length : source_length;
    memmove(target, source, (size_t)copied);
    memset(target + copied, ' ', (size_t)(length - copied));
    return 0;
}

int s_cat(char *target, char **parts, ftnlen *lengths, ftnlen *count, ftnlen length)
{
    for (ftnlen i = 0; i < *count && length > 0; i++) {
        ftnlen copied = lengths[i] < length ? lengths[i] : length;
        memmove(target, parts[i], (size_t)copied);
        target += copied;
        length -= copied;
    }
    memset(target, ' ', (size_t)length);
    return 0;
}

integer i_len(char *text, ftnlen length)
{
    (void)text;
    return length;
}

/* ---- Errors --------------------------------------------------------------------------------- */

void xerbla_(char *name, integer *info, ftnlen length);

void xerbla_array_(char *name, integer *length, integer *info)
{
    xerbla_(name, info, *length);
}

/* ---- Texts of one letter -------------------------------------------------------------------- */

/* The letter that says of a matrix what the number says. */
char chla_transtype_(integer *number)
{
    switch (*number) {
    case 111:
        return 'N';
    case 112:
        return 'T';
    case 113:
        return 'C';
    default:
        return 'X';
    }
}

/* ---- What a number is ----------------------------------------------------------------------- */

/* Arithmetic rounds, so epsilon is half of the distance to the next number. */
doublereal dlamch_(char *what)
{
    switch (*what | 0x20) {
    case 'e':
        return DBL_EPSILON / 2;
    case 's':
        return DBL_MIN;
    case 'b':
        return FLT_RADIX;
    case 'p':
        return DBL_EPSILON;
    case 'n':
        return DBL_MANT_DIG;
    case 'r':
        return 1;
    case 'm':
        return DBL_MIN_EXP;
    case 'u':
        return DBL_MIN;
    case 'l':
        return DBL_MAX_EXP;
    case 'o':
        return DBL_MAX;
    default:
        return 0;
    }
}

real slamch_(char *what)
{
    switch (*what | 0x20) {
    case 'e':
        return FLT_EPSILON / 2;
    case 's':
        return FLT_MIN;
    case 'b':
        return FLT_RADIX;
    case 'p':
        return FLT_EPSILON;
    case 'n':
        return FLT_MANT_DIG;
    case 'r':
        return 1;
    case 'm':
        return FLT_MIN_EXP;
    case 'u':
        return FLT_MIN;
    case 'l':
        return FLT_MAX_EXP;
    case 'o':
        return FLT_MAX;
    default:
        return 0;
    }
}

doublereal dlamc3_(doublereal *a, doublereal *b)
{
    volatile doublereal sum = *a + *b;
    return sum;
}

real slamc3_(real *a, real *b)
{
    volatile real sum = *a + *b;
    return sum;
}
