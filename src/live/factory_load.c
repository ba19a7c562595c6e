/* Reading factory files: the whole of one, or its packages. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "live/factory_file.h"

static bool read_all(int descriptor, uint8_t *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(descriptor, bytes + done, size - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            errno = count == 0 ? EIO : errno; /* it became shorter */
            return false;
        }
        done += (size_t)count;
    }
    return true;
}

static eryx_status read_file(const char *path, uint8_t **out_bytes, size_t *out_size,
                             eryx_error *out_error)
{
    /* Nobody waits until a pipe has another end. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s", strerror(errno));
    }
    eryx_status status = ERYX_OK;
    uint8_t *bytes = NULL;
    struct stat attributes;
    if (fstat(descriptor, &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "it is not a regular file");
        goto done;
    }
    if ((uint64_t)attributes.st_size > FACTORY_FILE_MAX_BYTES) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "it is too large");
        goto done;
    }
    size_t size = (size_t)attributes.st_size;
    bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        goto done;
    }
    if (!read_all(descriptor, bytes, size)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "%s", strerror(errno));
        free(bytes);
        goto done;
    }
    *out_bytes = bytes;
    *out_size = size;

done:
    close(descriptor);
    return status;
}

/* Reads a file; messages of errors do not name it. */
static eryx_status open_file(const char *path, const eryx_bytes *key, uint64_t max_bytes,
                             factory_file *out_file, eryx_error *out_error)
{
    uint8_t *bytes;
    size_t size;
    eryx_status status = read_file(path, &bytes, &size, out_error);
    if (status == ERYX_OK) {
        status = factory_file_unpack(bytes, size, key, max_bytes, out_file, out_error);
        free(bytes);
    }
    return status;
}

/* The same error with the name of the file. */
static eryx_status name_file(eryx_status status, const char *path, const eryx_error *reason,
                             eryx_error *out_error)
{
    return status_fail(status, out_error, "%s: %s", path, reason->message);
}

static bool key_is_sound(const eryx_bytes *key)
{
    return key == NULL || (key->data != NULL && key->size > 0);
}

eryx_status eryx_packages_open(const char *path, const eryx_bytes *key, uint64_t max_bytes,
                               eryx_packages **out_packages, eryx_error *out_error)
{
    if (path == NULL || out_packages == NULL || !key_is_sound(key)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "packages need the path of a factory file, and a key that is not empty");
    }
    factory_file file = {0};
    eryx_error reason = {.message = ""};
    eryx_status status = open_file(path, key, max_bytes, &file, &reason);
    if (status == ERYX_OK && file.packages.size == 0) {
        status = status_fail(ERYX_INITIALIZATION, &reason, "there are no packages in it");
    }
    if (status == ERYX_OK) {
        status =
            eryx_packages_create(file.packages.data, file.packages.size, out_packages, &reason);
    }
    factory_file_free(&file);
    return status == ERYX_OK ? status : name_file(status, path, &reason, out_error);
}

eryx_status eryx_engine_load(eryx_engine *base, const char *path, const eryx_bytes *key,
                             uint64_t max_bytes, eryx_engine **out_engine, eryx_error *out_error)
{
    if (base == NULL || path == NULL || out_engine == NULL || !key_is_sound(key)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a factory needs an engine that was opened, the path of its file, and a "
                           "key that is not empty");
    }
    factory_file file = {0};
    eryx_packages *packages = NULL;
    eryx_error reason = {.message = ""};
    eryx_status status = open_file(path, key, max_bytes, &file, &reason);
    if (status == ERYX_OK && file.packages.size > 0) {
        status = eryx_packages_create(file.packages.data, file.packages.size, &packages, &reason);
    }
    if (status == ERYX_OK) {
        status = eryx_engine_derive(base, file.frozen.data, file.frozen.size, packages, max_bytes,
                                    out_engine, &reason);
    }
    eryx_packages_destroy(packages);
    factory_file_free(&file);
    return status == ERYX_OK ? status : name_file(status, path, &reason, out_error);
}
