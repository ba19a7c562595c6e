/* Memory for values of secrets: not in core dumps, not swapped out if the system allows that, and
 * wiped when it is freed. */
#ifndef ERYX_SECRETS_MEMORY_H
#define ERYX_SECRETS_MEMORY_H

#include <stddef.h>

/* From now on memory is not kept from being swapped out: what is put into it is not secret, as in a
 * worker, which may not ask for it either. */
void secret_memory_lock_none(void);

/* Zeroed memory in pages of its own; freed with secret_memory_destroy(). size: at least 1. NULL if
 * there is none. */
void *secret_memory_create(size_t size);

/* Wipes and frees it. size: as it was made. NULL is allowed. */
void secret_memory_destroy(void *memory, size_t size);

#endif
