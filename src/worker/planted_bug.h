/*
 * A hole on purpose, for tests of the wall around a worker: in the variant of the program that is
 * built with ERYX_PLANTED_BUG, output of a guest that begins with a certain mark is taken as
 * orders, which the worker follows with all that it has. In what is shipped there is nothing here.
 */
#ifndef ERYX_WORKER_PLANTED_BUG_H
#define ERYX_WORKER_PLANTED_BUG_H

#include "eryx/eryx.h"

#ifdef ERYX_PLANTED_BUG

bool planted_bug_wanted(eryx_bytes output);
/* What takes the place of the output. */
eryx_bytes planted_bug_run(eryx_bytes output);

#else

static inline bool planted_bug_wanted(eryx_bytes output)
{
    (void)output;
    return false;
}

static inline eryx_bytes planted_bug_run(eryx_bytes output)
{
    return output;
}

#endif

#endif
