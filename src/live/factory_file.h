/*
 * The file of a factory, as python/eryx/_factory.py writes it: a seal (header and digest), the
 * sizes of three parts, and the parts in one piece of zlib's format: a description, the archive of
 * the packages (vfs/archive.h) and a frozen sandbox (factory.c). What is in the parts is checked by
 * those who read them; the description is not needed here.
 */
#ifndef ERYX_LIVE_FACTORY_FILE_H
#define ERYX_LIVE_FACTORY_FILE_H

#include "eryx/eryx.h"

/* Of a file, and of what is in it. */
#define FACTORY_FILE_MAX_BYTES ((uint64_t)1 << 31)

typedef struct factory_file {
    uint8_t *parts; /* owned: all three, one behind the other */
    eryx_bytes packages;
    eryx_bytes frozen;
} factory_file;

/*
 * Opens the seal of bytes that need not be trusted, and unpacks them. All of the seal is checked
 * before anything else is looked at, and sizes before memory is taken for them.
 *
 * bytes: size of them; changed, and needed no more afterwards.
 * key: NULL for a file that was made without one.
 * max_bytes: that the parts may have together.
 * out_file: freed with factory_file_free().
 * Errors: INITIALIZATION, WRONG_BUILD, RESOURCE_LIMIT, OUT_OF_MEMORY.
 */
eryx_status factory_file_unpack(uint8_t *bytes, size_t size, const eryx_bytes *key,
                                uint64_t max_bytes, factory_file *out_file, eryx_error *out_error);

/* Frees the parts. */
void factory_file_free(factory_file *file);

#endif
