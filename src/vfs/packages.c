#include "vfs/packages.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/status.h"

struct eryx_packages {
    atomic_size_t references;
    archive *files;
};

eryx_status eryx_packages_create(const uint8_t *data, size_t size, eryx_packages **out_packages,
                                 eryx_error *out_error)
{
    if (data == NULL || out_packages == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "packages need an archive");
    }
    eryx_packages *packages = calloc(1, sizeof *packages);
    if (packages == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    char reason[ARCHIVE_ERROR_SIZE];
    if (!archive_from_bytes(data, size, &packages->files, reason)) {
        free(packages);
        return status_fail(ERYX_INITIALIZATION, out_error, "the packages: %s", reason);
    }
    atomic_init(&packages->references, 1);
    *out_packages = packages;
    return ERYX_OK;
}

eryx_packages *packages_retain(eryx_packages *packages)
{
    if (packages != NULL) {
        atomic_fetch_add_explicit(&packages->references, 1, memory_order_relaxed);
    }
    return packages;
}

void eryx_packages_destroy(eryx_packages *packages)
{
    if (packages != NULL &&
        atomic_fetch_sub_explicit(&packages->references, 1, memory_order_acq_rel) == 1) {
        archive_close(packages->files);
        free(packages);
    }
}

vfs_mount packages_mount(eryx_packages *packages)
{
    return (vfs_mount){.backend = &vfs_archive_backend,
                       .storage = packages->files,
                       .root = ARCHIVE_ROOT,
                       .root_type = VFS_TYPE_DIRECTORY};
}
