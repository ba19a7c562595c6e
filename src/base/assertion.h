/*
 * Checks of our own mistakes, never of what a guest or an embedder gave: that is an error, and
 * always looked at. They are compiled in where ERYX_ASSERTIONS is defined: in tests, fuzzers and
 * builds with sanitizers, not in what is shipped.
 */
#ifndef ERYX_BASE_ASSERTION_H
#define ERYX_BASE_ASSERTION_H

#ifdef ERYX_ASSERTIONS

/* Tells what does not hold, and ends the process. */
__attribute__((noreturn, cold)) void assertion_failed(const char *condition, const char *file,
                                                      int line);

#define eryx_assert(condition)                                                                     \
    ((condition) ? (void)0 : assertion_failed(#condition, __FILE__, __LINE__))

#else

/* Compiled, so that it does not rot, and never evaluated. */
#define eryx_assert(condition) ((void)sizeof((condition) ? 1 : 0))

#endif
#endif
