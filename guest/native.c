/*
 * dlopen() and what belongs to it: native extension modules that the host has (protocol/native.h).
 *
 * A handle is the number of a record plus one; modules are never unloaded.
 */
#include "host.h"
#include "protocol/native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

__attribute__((visibility("default"))) struct native_directory eryx_native_directory;

static char message[1024];

static void fail(const char *path, const char *reason)
{
    snprintf(message, sizeof message, "%s: %s", path, reason);
}

static void fail_by_host(const char *path)
{
    char reason[512];
    int32_t size = host_ask(ASK_NATIVE, NATIVE_MESSAGE, 0, NULL, 0, reason, sizeof reason - 1);
    reason[size > 0 && size < (int32_t)sizeof reason ? size : 0] = 0;
    fail(path, reason);
}

/* Shows the file to the host; its module, or NATIVE_FAILED with the message set. */
static int32_t find_module(const char *path)
{
    int32_t found = NATIVE_FAILED;
    size_t total = 0;
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0) {
        fail(path, strerror(errno));
        return NATIVE_FAILED;
    }
    char *buffer = malloc(READ_BYTES);
    if (buffer == NULL) {
        fail(path, "out of memory");
        goto done_descriptor;
    }
    host_ask(ASK_NATIVE, NATIVE_BEGIN, 0, NULL, 0, NULL, 0);
    for (;;) {
        ssize_t count = read(descriptor, buffer, READ_BYTES);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            fail(path, strerror(errno));
            goto done_buffer;
        }
        if (count == 0) {
            break;
        }
        total += (size_t)count;
        if (total > NATIVE_FILE_MAX_BYTES) {
            fail(path, "the file is too large for a native module");
            goto done_buffer;
        }
        host_ask(ASK_NATIVE, NATIVE_BYTES, 0, buffer, (size_t)count, NULL, 0);
    }
    found = host_ask(ASK_NATIVE, NATIVE_FIND, 0, NULL, 0, NULL, 0);
    if (found < 0) {
        fail_by_host(path);
    }

done_buffer:
    free(buffer);
done_descriptor:
    close(descriptor);
    return found;
}

static uint32_t symbol_of(int32_t record, const char *name)
{
    return (uint32_t)host_ask(ASK_NATIVE, NATIVE_SYMBOL, (uint32_t)record, name, strlen(name), NULL,
                              0);
}

static bool initialise(int32_t record, const char *name)
{
    uint32_t function = symbol_of(record, name);
    if (function == 0) {
        return false;
    }
    ((void (*)(void))(uintptr_t)function)();
    return true;
}

/* Attaches one module and lets it put its memory in order. */
static bool attach(const char *path, int32_t module, const struct native_needs *needs)
{
    size_t alignment = needs->alignment < 16 ? 16 : needs->alignment;
    size_t size = (needs->size + alignment - 1) / alignment * alignment;
    void *memory = size < needs->size ? NULL : aligned_alloc(alignment, size);
    if (memory == NULL) {
        fail(path, "no memory for the native module");
        return false;
    }
    int32_t record = host_ask(ASK_NATIVE, NATIVE_ATTACH, (uint32_t)module, memory, size, NULL, 0);
    if (record < 0) {
        fail_by_host(path);
        free(memory);
        return false;
    }
    initialise(record, NATIVE_START_SYMBOL);
    initialise(record, "__wasm_apply_data_relocs");
    if (!initialise(record, "_initialize")) {
        initialise(record, "__wasm_call_ctors");
    }
    return true;
}

void *dlopen(const char *path, int flags);
void *dlopen(const char *path, int flags)
{
    (void)flags;
    if (path == NULL) {
        snprintf(message, sizeof message, "the main program cannot be opened");
        return NULL;
    }
    int32_t module = find_module(path);
    if (module < 0) {
        return NULL;
    }
    struct native_needs needs;
    int32_t next;
    while ((next = host_ask(ASK_NATIVE, NATIVE_NEXT, (uint32_t)module, NULL, 0, (char *)&needs,
                            sizeof needs)) != NATIVE_NONE) {
        if (next < 0) {
            fail_by_host(path);
            return NULL;
        }
        if (!attach(path, next, &needs)) {
            return NULL;
        }
    }
    int32_t record = host_ask(ASK_NATIVE, NATIVE_RECORD, (uint32_t)module, NULL, 0, NULL, 0);
    if (record < 0) {
        fail_by_host(path);
        return NULL;
    }
    return (void *)(uintptr_t)(record + 1);
}

void *dlsym(void *library, const char *symbol);
void *dlsym(void *library, const char *symbol)
{
    if (library == NULL) {
        snprintf(message, sizeof message, "no native module was opened");
        return NULL;
    }
    uint32_t found = symbol_of((int32_t)(uintptr_t)library - 1, symbol);
    if (found == 0) {
        snprintf(message, sizeof message, "the native module has no symbol %.200s", symbol);
    }
    return (void *)(uintptr_t)found;
}

char *dlerror(void);
char *dlerror(void)
{
    static char last[sizeof message];
    if (message[0] == 0) {
        return NULL;
    }
    memcpy(last, message, sizeof last);
    message[0] = 0;
    return last;
}
