#include "machine/seed_images.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/host_file.h"
#include "base/status.h"
#include "guest_build.h"

static const char magic[8] = {'E', 'R', 'Y', 'X', 'S', 'E', 'E', 'D'};
static const uint8_t build_id[IMAGE_BUILD_ID_BYTES] = GUEST_BUILD_ID;

enum { FORMAT_VERSION = 1 };

/* How long an unpacked image is kept that may be of a build which is gone. */
#define KEPT_SECONDS ((time_t)90 * 24 * 60 * 60)

/* More than any image has. */
#define IMAGE_MOST_BYTES ((uint64_t)4 << 30)

typedef struct file_header {
    char magic[8];
    uint32_t version;
    uint32_t count;
    uint8_t build_id[IMAGE_BUILD_ID_BYTES];
    uint64_t first_checksum; /* of the image that the others differ from */
} file_header;

/* ---- The file -------------------------------------------------------------------------------- */

static bool entries_are_sound(const seed_images *images, uint64_t file_size)
{
    for (uint32_t i = 0; i < images->count; i++) {
        const seed_image_entry *entry = &images->entries[i];
        if (entry->size == 0 || entry->size % IMAGE_PAGE_BYTES != 0 ||
            entry->size > IMAGE_MOST_BYTES || entry->offset > file_size ||
            entry->packed_size > file_size - entry->offset) {
            return false;
        }
    }
    return true;
}

static eryx_status refuse_damaged(const char *path, eryx_error *out_error)
{
    return status_fail(ERYX_INITIALIZATION, out_error, "%s: the images in it are damaged", path);
}

static eryx_status read_header(const char *path, const image *first, seed_images *images,
                               eryx_error *out_error)
{
    struct stat attributes;
    file_header header;
    if (!host_file_status(images->descriptor, &attributes) || !S_ISREG(attributes.st_mode) ||
        !host_file_read(images->descriptor, &header, sizeof header, 0) ||
        memcmp(header.magic, magic, sizeof magic) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: no images of eryx", path);
    }
    if (header.version != FORMAT_VERSION ||
        memcmp(header.build_id, build_id, sizeof build_id) != 0 ||
        header.first_checksum != first->checksum) {
        return status_fail(ERYX_WRONG_BUILD, out_error,
                           "%s: the images in it were made by another build of eryx", path);
    }
    images->count = header.count;
    if (header.count > SEED_IMAGES_MAX ||
        !host_file_read(images->descriptor, images->entries,
                        header.count * sizeof images->entries[0], sizeof header) ||
        !entries_are_sound(images, (uint64_t)attributes.st_size)) {
        return refuse_damaged(path, out_error);
    }
    return ERYX_OK;
}

eryx_status seed_images_open(const char *path, const image *first, const char *folder,
                             seed_images *out_images, eryx_error *out_error)
{
    seed_images images = {.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (images.descriptor < 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", path, strerror(errno));
    }
    images.path = strdup(path);
    images.folder = folder != NULL ? strdup(folder) : NULL;
    eryx_status status = ERYX_OK;
    if (images.path == NULL || (folder != NULL && images.folder == NULL)) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    } else {
        status = read_header(path, first, &images, out_error);
    }
    if (status != ERYX_OK) {
        seed_images_close(&images);
        return status;
    }
    *out_images = images;
    return ERYX_OK;
}

void seed_images_close(seed_images *closed)
{
    close(closed->descriptor);
    free(closed->folder);
    free(closed->path);
}

/* ---- The folder ------------------------------------------------------------------------------ */

/* Whether nobody else can have put or changed it there. */
static bool is_private(const struct stat *attributes)
{
    return attributes->st_uid == geteuid() && (attributes->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The folder, open; -1 if there is none that only this user can write to. */
static int open_folder(const char *folder)
{
    struct stat attributes;
    const int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0 &&
        (!host_file_status(descriptor, &attributes) || !is_private(&attributes))) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* Makes the folder and those that it lies in; what cannot be made is found out when it is opened.
 */
static void make_folder(const char *folder)
{
    char *path = strdup(folder);
    if (path == NULL) {
        return;
    }
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, S_IRWXU);
        *slash = '/';
    }
    (void)mkdir(path, S_IRWXU);
    free(path);
}

#define IMAGE_SUFFIX ".image"

typedef struct kept_name {
    char text[sizeof "0123456789abcdef" IMAGE_SUFFIX];
} kept_name;

static kept_name name_of(const seed_image_entry *entry)
{
    kept_name name;
    (void)snprintf(name.text, sizeof name.text, "%016" PRIx64 IMAGE_SUFFIX, entry->checksum);
    return name;
}

static bool find_in(int folder, const seed_image_entry *entry, image *out_image)
{
    const kept_name name = name_of(entry);
    const int descriptor =
        openat(folder, name.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat attributes;
    if (descriptor < 0) {
        return false;
    }
    if (!host_file_status(descriptor, &attributes) || !S_ISREG(attributes.st_mode) ||
        !is_private(&attributes) || (uint64_t)attributes.st_size != entry->size) {
        close(descriptor);
        return false;
    }
    image found = {.below = NULL};
    if (image_take(name.text, descriptor, false, &found, NULL) != ERYX_OK) {
        return false;
    }
    if (found.checksum != entry->checksum) {
        image_close(&found);
        return false;
    }
    *out_image = found;
    return true;
}

bool seed_images_find(const seed_images *images, uint32_t number, image *out_image)
{
    const int folder = images->folder != NULL ? open_folder(images->folder) : -1;
    if (folder < 0) {
        return false;
    }
    const bool found = find_in(folder, &images->entries[number], out_image);
    close(folder);
    return found;
}

/* Writes the file, which has its name when it is complete and on the disk. False if it cannot be
 * done. */
static bool keep_in(int folder, const seed_image_entry *entry, const uint8_t *data)
{
    const kept_name name = name_of(entry);
    char temporary[sizeof name.text + sizeof ".0123456789abcdef"];
    uint64_t random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        return false;
    }
    (void)snprintf(temporary, sizeof temporary, "%s.%016" PRIx64, name.text, random);
    const int descriptor = openat(
        folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) {
        return false;
    }
    bool kept = host_file_write(descriptor, data, entry->size) && fsync(descriptor) == 0;
    kept = close(descriptor) == 0 && kept;
    kept = kept && renameat(folder, temporary, folder, name.text) == 0;
    if (!kept) {
        (void)unlinkat(folder, temporary, 0);
    }
    return kept;
}

/* Removes what is there of builds that were unpacked long ago; who has it open keeps it. */
static void remove_old(int folder)
{
    const time_t oldest = time(NULL) - KEPT_SECONDS;
    const int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = own >= 0 ? fdopendir(own) : NULL;
    if (listing == NULL) {
        if (own >= 0) {
            close(own);
        }
        return;
    }
    for (const struct dirent *each = readdir(listing); each != NULL; each = readdir(listing)) {
        struct stat attributes;
        if (strstr(each->d_name, IMAGE_SUFFIX) != NULL &&
            fstatat(folder, each->d_name, &attributes, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(attributes.st_mode) && attributes.st_mtime < oldest) {
            (void)unlinkat(folder, each->d_name, 0);
        }
    }
    closedir(listing);
}

/* The folder, made and open; -1 if there is none that only this user can write to. */
static int prepare_folder(const seed_images *images)
{
    if (images->folder == NULL) {
        return -1;
    }
    make_folder(images->folder);
    const int folder = open_folder(images->folder);
    if (folder >= 0) {
        remove_old(folder);
    }
    return folder;
}

/* ---- Unpacking ------------------------------------------------------------------------------- */

/* Unpacks the difference into as many bytes as the image has. False if it is damaged. */
static bool unpack_difference(const seed_images *images, const seed_image_entry *entry,
                              uint8_t *packed, uint8_t *to)
{
    struct libdeflate_decompressor *unpacker = libdeflate_alloc_decompressor();
    size_t size = 0;
    const bool done =
        unpacker != NULL &&
        host_file_read(images->descriptor, packed, entry->packed_size, entry->offset) &&
        libdeflate_zlib_decompress(unpacker, packed, entry->packed_size, to, entry->size, &size) ==
            LIBDEFLATE_SUCCESS &&
        size == entry->size;
    if (unpacker != NULL) {
        libdeflate_free_decompressor(unpacker);
    }
    return done;
}

/* Puts the image into a file in memory. */
static eryx_status hold(const seed_images *images, const seed_image_entry *entry,
                        const uint8_t *data, image *out_image, eryx_error *out_error)
{
    const int descriptor = memfd_create("eryx-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0 || fallocate(descriptor, 0, 0, (off_t)entry->size) != 0 ||
        !host_file_write(descriptor, data, entry->size)) {
        const int reason = errno;
        if (descriptor >= 0) {
            close(descriptor);
        }
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "no file in memory for an image: %s",
                           strerror(reason));
    }
    (void)fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    return image_take(images->path, descriptor, true, out_image, out_error);
}

eryx_status seed_images_unpack(const seed_images *images, uint32_t number, const image *first,
                               bool may_hold, image *out_image, bool *out_opened,
                               eryx_error *out_error)
{
    const seed_image_entry *entry = &images->entries[number];
    const int folder = prepare_folder(images);
    if (folder < 0 && !may_hold) {
        *out_opened = false;
        return ERYX_OK;
    }
    uint8_t *packed = malloc(entry->packed_size > 0 ? entry->packed_size : 1);
    uint8_t *data = malloc(entry->size);
    image unpacked = {.below = NULL};
    eryx_status status = ERYX_OK;
    if (packed == NULL || data == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        goto done;
    }
    if (!unpack_difference(images, entry, packed, data)) {
        status = refuse_damaged(images->path, out_error);
        goto done;
    }
    const uint64_t common = first->size < entry->size ? first->size : entry->size;
    for (uint64_t i = 0; i < common; i++) {
        data[i] ^= first->contents[i];
    }
    if (!image_bytes_are_whole(data, entry->size)) {
        status = refuse_damaged(images->path, out_error);
        goto done;
    }
    bool opened = folder >= 0 && keep_in(folder, entry, data) && find_in(folder, entry, &unpacked);
    if (!opened && may_hold) {
        status = hold(images, entry, data, &unpacked, out_error);
        opened = status == ERYX_OK;
    }
    if (opened && unpacked.checksum != entry->checksum) {
        image_close(&unpacked);
        status = refuse_damaged(images->path, out_error);
    }
    if (status == ERYX_OK) {
        *out_image = unpacked;
        *out_opened = opened;
    }

done:
    free(data);
    free(packed);
    if (folder >= 0) {
        close(folder);
    }
    return status;
}
