#include "sandbox/mounts.h"

#include "base/clock.h"
#include "base/forks.h"
#include "base/status.h"
#include "vfs/storage.h"

static eryx_status fail_path(vfs_error error, const char *path, eryx_error *out_error)
{
    switch (error) {
    case VFS_OK:
        return ERYX_OK;
    case VFS_EXIST:
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "there are two mounts at the guest path %s", path);
    case VFS_NAME_TOO_LONG:
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "guest path %s is too long", path);
    case VFS_NOT_DIRECTORY:
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "the overlay at the guest path %s is not of a directory", path);
    case VFS_INSUFFICIENT_MEMORY:
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    default:
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "guest path %s is not absolute and plain, or belongs to the sandbox",
                           path);
    }
}

static eryx_status add_storage(vfs_mounts *mounts, const eryx_mount *mount, eryx_error *out_error)
{
    if (mount->guest_path == NULL || mount->storage == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a mount needs a path and a storage");
    }
    if (mount->storage->fork_generation != forks_generation()) {
        return status_fail(ERYX_FORKED, out_error,
                           "the storage belongs to the parent of this process");
    }
    return fail_path(
        vfs_mounts_add_storage(mounts, mount->guest_path, mount->storage, mount->read_only),
        mount->guest_path, out_error);
}

static eryx_status add_volume(vfs_mounts *mounts, const eryx_volume *volume,
                              descriptor_share *descriptors, eryx_error *out_error)
{
    if (volume->guest_path == NULL || volume->host_path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a volume needs two paths");
    }
    host_volume *opened;
    eryx_status status = host_volume_open(volume->host_path, volume->read_only || volume->overlay,
                                          descriptors, &opened, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    vfs_error error = volume->overlay ? vfs_mounts_add_overlay(mounts, volume->guest_path, opened)
                                      : vfs_mounts_add_volume(mounts, volume->guest_path, opened,
                                                              volume->read_only);
    if (error != VFS_OK) {
        host_volume_close(opened);
    }
    return fail_path(error, volume->guest_path, out_error);
}

static eryx_status add_provider(vfs_mounts *mounts, const eryx_provider *provider, uint32_t number,
                                eryx_error *out_error)
{
    if (provider->guest_path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a provider needs a path");
    }
    vfs_error error =
        vfs_mounts_add_provider(mounts, provider->guest_path, number, provider->read_only,
                                clock_ms_to_ns(provider->cache_ms));
    return fail_path(error, provider->guest_path, out_error);
}

eryx_status sandbox_mounts_open(const eryx_sandbox_options *options, eryx_packages *packages,
                                descriptor_share *descriptors, vfs_mounts **out_mounts,
                                eryx_error *out_error)
{
    vfs_mounts *mounts = NULL;
    if ((options->mount_count > 0 && options->mounts == NULL) ||
        (options->volume_count > 0 && options->volumes == NULL) ||
        (options->provider_count > 0 && options->providers == NULL)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "mounts without an array");
    }
    if (vfs_mounts_create(&mounts) != VFS_OK) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_status status = ERYX_OK;
    for (size_t i = 0; i < options->mount_count && status == ERYX_OK; i++) {
        status = add_storage(mounts, &options->mounts[i], out_error);
    }
    for (size_t i = 0; i < options->volume_count && status == ERYX_OK; i++) {
        status = add_volume(mounts, &options->volumes[i], descriptors, out_error);
    }
    for (size_t i = 0; i < options->provider_count && status == ERYX_OK; i++) {
        status = add_provider(mounts, &options->providers[i], (uint32_t)i, out_error);
    }
    if (status == ERYX_OK && packages != NULL &&
        vfs_mounts_add_packages(mounts, packages) != VFS_OK) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    char path[VFS_PATH_MAX + 1];
    if (status == ERYX_OK && vfs_mounts_find_file_above(mounts, path)) {
        status = status_fail(ERYX_INVALID_ARGUMENT, out_error,
                             "a guest path lies under %s, which is a file", path);
    }
    if (status != ERYX_OK) {
        vfs_mounts_release(mounts);
        return status;
    }
    *out_mounts = mounts;
    return ERYX_OK;
}

eryx_status sandbox_mounts_create(const eryx_engine *engine, const eryx_sandbox_options *options,
                                  descriptor_share *descriptors, vfs_mounts **out_mounts,
                                  eryx_error *out_error)
{
    eryx_packages *packages = options->packages != NULL ? options->packages : engine->packages;
    if (options->mount_count == 0 && options->volume_count == 0 && options->provider_count == 0 &&
        packages == engine->packages) {
        *out_mounts = vfs_mounts_retain(engine->mounts);
        return ERYX_OK;
    }
    return sandbox_mounts_open(options, packages, descriptors, out_mounts, out_error);
}
