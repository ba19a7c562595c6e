#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host_file.h"
#include "base/status.h"
#include "live/state_header.h"
#include "worker/client_internal.h"

/*
 * A worker is never given a file of the host: a session that is saved goes through one in memory,
 * which is copied here, and one that is loaded is copied first.
 */

/* Largest session that is saved or loaded this way. */
#define MOST_BYTES ((uint64_t)8 << 30)

#define COPY_BYTES ((size_t)1 << 20)

static eryx_status make_file(int *out_file, eryx_error *out_error)
{
    const int file = memfd_create("eryx-session", MFD_CLOEXEC);
    if (file < 0) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "no file in memory: %s", strerror(errno));
    }
    *out_file = file;
    return ERYX_OK;
}

/* Copies the first bytes of one file to another. False with errno. */
static bool copy(int from, int to, uint64_t size)
{
    uint8_t *buffer = malloc(COPY_BYTES);
    bool done = buffer != NULL;
    while (done && size > 0) {
        const ssize_t got = read(from, buffer, size < COPY_BYTES ? size : COPY_BYTES);
        if (got == 0) {
            break; /* it has become shorter, which the worker is going to notice */
        }
        if (got < 0) {
            done = errno == EINTR;
        } else {
            size -= (uint64_t)got;
            done = host_file_write(to, buffer, (uint64_t)got);
        }
    }
    free(buffer);
    return done;
}

/* Puts what a worker has written under its name. The worker may still change the file in memory,
 * which is why a copy of it is mapped nowhere: whoever loads it checks it. */
static eryx_status keep(int file, const char *path, eryx_error *out_error)
{
    struct stat attributes;
    if (fstat(file, &attributes) != 0 || attributes.st_size < 0 ||
        (uint64_t)attributes.st_size > MOST_BYTES) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: the session is too large", path);
    }
    const size_t size = (size_t)attributes.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_status status = ERYX_OK;
    if (!host_file_read(file, data, size, 0)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "%s: the session was cut", path);
    }
    if (status == ERYX_OK) {
        status = host_file_replace(path, data, size, S_IRUSR | S_IWUSR, out_error);
    }
    free(data);
    return status;
}

eryx_status worker_client_save(worker_client *client, const char *path, eryx_error *out_error)
{
    int file = -1;
    worker_answer answer;
    eryx_status status = worker_client_check(client, out_error);
    if (status == ERYX_OK) {
        status = make_file(&file, out_error);
    }
    if (status != ERYX_OK) {
        return status;
    }
    (void)worker_client_ask(client, WORKER_SAVE);
    status = worker_client_get_answer(client, file, &answer, out_error);
    if (status == ERYX_OK) {
        status = keep(file, path, out_error);
    }
    close(file);
    return status;
}

/*
 * How much of a file of that size is copied: all of it, if it is as long as its header says. Of
 * anything else the header is enough for the worker to say what is wrong.
 */
static uint64_t size_of_copy(int from, uint64_t size)
{
    state_header header;
    if (pread(from, &header, sizeof header, 0) != (ssize_t)sizeof header) {
        return size < sizeof header ? size : sizeof header;
    }
    const uint64_t most = MOST_BYTES;
    const bool is_small = header.range_count <= most / sizeof(live_range) &&
                          header.contents_size <= most && header.files_size <= most;
    const uint64_t announced = is_small ? sizeof header + header.range_count * sizeof(live_range) +
                                              header.contents_size + header.files_size
                                        : 0;
    return announced == size ? size : sizeof header;
}

/* More than a session may have that goes into a sandbox with these limits. */
static uint64_t most_of_session(const eryx_limits *limits)
{
    const uint64_t spare = (uint64_t)256 << 20;
    const uint64_t memory =
        limits->max_memory_bytes < MOST_BYTES ? limits->max_memory_bytes : MOST_BYTES;
    const uint64_t files = limits->max_vfs_bytes < MOST_BYTES ? limits->max_vfs_bytes : MOST_BYTES;
    return memory + 2 * files + spare;
}

/* A copy of a saved session; the caller closes it. */
static eryx_status open_copy(const worker_client *client, const char *path, int *out_file,
                             eryx_error *out_error)
{
    /* Opening a pipe must not wait for somebody to write to it. */
    const int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat attributes;
    if (from < 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", path, strerror(errno));
    }
    if (fstat(from, &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
        close(from);
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: not a saved session", path);
    }
    const uint64_t size = size_of_copy(from, (uint64_t)attributes.st_size);
    int file = -1;
    eryx_status status = ERYX_OK;
    if (size > most_of_session(&client->limits)) {
        status = status_fail(ERYX_RESOURCE_LIMIT, out_error,
                             "%s: the session needs more than the limits allow", path);
    } else {
        status = make_file(&file, out_error);
    }
    if (status == ERYX_OK && (!copy(from, file, size) || lseek(file, 0, SEEK_SET) != 0)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", path, strerror(errno));
        close(file);
    }
    close(from);
    if (status == ERYX_OK) {
        *out_file = file;
    }
    return status;
}

eryx_status worker_client_load(worker_client *client, const char *path, eryx_error *out_error)
{
    int file = -1;
    worker_answer answer;
    eryx_status status = worker_client_check(client, out_error);
    if (status == ERYX_OK) {
        status = open_copy(client, path, &file, out_error);
    }
    if (status != ERYX_OK) {
        return status;
    }
    message_put_text(worker_client_ask(client, WORKER_LOAD), path);
    status = worker_client_get_answer(client, file, &answer, out_error);
    close(file);
    return worker_client_replaced(client, status);
}
