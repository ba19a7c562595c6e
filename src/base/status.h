/* Filling in eryx_error. */
#ifndef ERYX_BASE_STATUS_H
#define ERYX_BASE_STATUS_H

#include "eryx/eryx.h"

/* Writes the formatted text to out_error (NULL: nowhere) and gives the status back, so that a
 * failure is one line. */
__attribute__((format(printf, 3, 4))) eryx_status status_fail(eryx_status status,
                                                              eryx_error *out_error,
                                                              const char *format, ...);

#endif
