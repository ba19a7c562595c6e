/* What all parts of the API share: statuses, errors, bytes. Include eryx/eryx.h. */
#ifndef ERYX_ERYX_BASE_H
#define ERYX_ERYX_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(ERYX_STATIC) || !defined(__GNUC__)
#define ERYX_API
#else
#define ERYX_API __attribute__((visibility("default")))
#endif

/*
 * Every status: name, number, text, and the Python exception that the package raises for it.
 * Numbers never change their meaning.
 */
#define ERYX_STATUS_MAP(X)                                                                         \
    X(OK, 0, "success", None)                                                                      \
    X(INVALID_ARGUMENT, 1, "invalid argument", ValueError)                                         \
    X(OUT_OF_MEMORY, 2, "the host is out of memory", MemoryError)                                  \
    X(INITIALIZATION, 3, "initialization failed", InitializationError)                             \
    X(EXECUTION, 4, "the guest program failed", ExecutionError)                                    \
    X(CRASHED, 5, "the guest crashed", ExecutionError)                                             \
    X(TIMEOUT, 6, "execution timed out", TimeoutError)                                             \
    X(RESOURCE_LIMIT, 7, "a resource limit was exceeded", ResourceLimitError)                      \
    X(CANCELLED, 8, "execution was cancelled", CancelledError)                                     \
    X(BUSY, 9, "the sandbox is already in use", EryxError)                                         \
    X(NEEDS_RESET, 10, "the sandbox must be reset before it can run again", InitializationError)   \
    X(FORKED, 11, "the sandbox belongs to the parent of this process", EryxError)                  \
    X(WRONG_BUILD, 12, "the image was made by another build of eryx", InitializationError)         \
    X(WORKER_CRASHED, 13, "the worker process died", WorkerCrashedError)

typedef enum eryx_status {
#define ERYX_STATUS_ENUM(name, number, text, exception) ERYX_##name = (number),
    ERYX_STATUS_MAP(ERYX_STATUS_ENUM)
#undef ERYX_STATUS_ENUM
} eryx_status;

/* The name of a status, such as "TIMEOUT"; "UNKNOWN" for other numbers. Never freed. */
ERYX_API const char *eryx_status_name(eryx_status status);

/* One English sentence for a status, without a full stop. Never freed. */
ERYX_API const char *eryx_status_text(eryx_status status);

/* The version of the library, "major.minor.patch". */
ERYX_API const char *eryx_version(void);

/* Names the build, 64 hexadecimal digits: images and snapshots fit only the build that made them.
 */
ERYX_API const char *eryx_build_id(void);

/* A run of bytes that somebody else owns; data is NULL when there is nothing (not even an empty
 * value). */
typedef struct eryx_bytes {
    const uint8_t *data;
    size_t size;
} eryx_bytes;

/* Room for the text of a failed call. The text is always terminated and cut at its end if too long.
 */
typedef struct eryx_error {
    char message[512];
} eryx_error;

typedef struct eryx_engine eryx_engine;
typedef struct eryx_sandbox eryx_sandbox;

/* Frees what a function gave that says so. NULL is allowed. */
ERYX_API void eryx_free(void *data);

/* As a limit: none. */
#define ERYX_UNLIMITED UINT64_MAX

#ifdef __cplusplus
}
#endif

#endif
