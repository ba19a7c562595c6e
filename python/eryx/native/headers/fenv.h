/*
 * The floating-point environment for native modules. WebAssembly has none, but translated code runs
 * on a processor that notes what happened: eryx_float_flags() is made by the translator. Rounding
 * is to nearest, and nothing traps.
 */
#ifndef ERYX_FENV_H
#define ERYX_FENV_H

#ifdef __cplusplus
extern "C" {
#endif

#define FE_INVALID 1
#define FE_DIVBYZERO 4
#define FE_OVERFLOW 8
#define FE_UNDERFLOW 16
#define FE_INEXACT 32
#define FE_ALL_EXCEPT (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INEXACT)

#define FE_TONEAREST 0

typedef unsigned long fexcept_t;
typedef unsigned long fenv_t;

#define FE_DFL_ENV ((const fenv_t *)-1)

/* Takes away the first ones, adds the second ones; what there was before. */
int eryx_float_flags(int cleared, int raised);

static inline int feclearexcept(int flags)
{
    eryx_float_flags(flags & FE_ALL_EXCEPT, 0);
    return 0;
}

static inline int feraiseexcept(int flags)
{
    eryx_float_flags(0, flags & FE_ALL_EXCEPT);
    return 0;
}

static inline int fetestexcept(int flags)
{
    return eryx_float_flags(0, 0) & flags & FE_ALL_EXCEPT;
}

static inline int fegetexceptflag(fexcept_t *kept, int flags)
{
    *kept = (fexcept_t)fetestexcept(flags);
    return 0;
}

static inline int fesetexceptflag(const fexcept_t *kept, int flags)
{
    eryx_float_flags(flags & FE_ALL_EXCEPT, (int)*kept & flags & FE_ALL_EXCEPT);
    return 0;
}

static inline int fegetround(void)
{
    return FE_TONEAREST;
}

static inline int fesetround(int direction)
{
    return direction != FE_TONEAREST;
}

static inline int fegetenv(fenv_t *kept)
{
    *kept = (fenv_t)fetestexcept(FE_ALL_EXCEPT);
    return 0;
}

static inline int fesetenv(const fenv_t *kept)
{
    eryx_float_flags(FE_ALL_EXCEPT, kept == FE_DFL_ENV ? 0 : (int)*kept & FE_ALL_EXCEPT);
    return 0;
}

static inline int feholdexcept(fenv_t *kept)
{
    *kept = (fenv_t)eryx_float_flags(FE_ALL_EXCEPT, 0) & FE_ALL_EXCEPT;
    return 0;
}

static inline int feupdateenv(const fenv_t *kept)
{
    eryx_float_flags(0, kept == FE_DFL_ENV ? 0 : (int)*kept & FE_ALL_EXCEPT);
    return 0;
}

#ifdef __cplusplus
}
#endif

#endif
