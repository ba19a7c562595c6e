#include "base/assertion.h"

#ifdef ERYX_ASSERTIONS

#include <stdio.h>
#include <stdlib.h>

void assertion_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "eryx: %s:%d: %s does not hold\n", file, line, condition);
    abort();
}

#else

/* C has no empty files. */
typedef int assertion_nothing;

#endif
