/*
 * Images that differ from the first one in what their Python hashes strings with, in a file as
 * differences from it: packed they take a few hundred kilobytes each.
 *
 * An image that is needed is unpacked into a file of a folder, which all processes of a user map,
 * or, if a state needs this one and there is no such folder, into one in memory. The file is a
 * header, an entry for each image, and the differences, each in zlib's format
 * (toolchain/seed_images.py writes it). All numbers are little-endian.
 */
#ifndef ERYX_MACHINE_SEED_IMAGES_H
#define ERYX_MACHINE_SEED_IMAGES_H

#include "machine/image.h"

#define SEED_IMAGES_MAX 15

typedef struct seed_image_entry {
    uint64_t checksum; /* image.checksum, which has those of all that is in the file */
    uint64_t size;     /* of the image's file, and of its difference from the first */
    uint64_t offset;   /* of the packed difference, in this file */
    uint64_t packed_size;
} seed_image_entry;

typedef struct seed_images {
    char *path;
    char *folder;   /* that unpacked images are kept in; NULL for none */
    int descriptor; /* of the file */
    uint32_t count;
    seed_image_entry entries[SEED_IMAGES_MAX];
} seed_images;

/*
 * Opens a file and checks its header.
 *
 * first: the image that the others differ from. folder: NULL for none; need not be there yet.
 * out_images: closed with seed_images_close().
 * Errors: INITIALIZATION (missing, malformed), WRONG_BUILD, OUT_OF_MEMORY; the message names the
 * file.
 */
eryx_status seed_images_open(const char *path, const image *first, const char *folder,
                             seed_images *out_images, eryx_error *out_error);

/* Closes the file; images that were opened stay. */
void seed_images_close(seed_images *closed);

/*
 * Opens an image that has been unpacked into the folder already. False if there is none that is
 * this user's own. It is known by its name and its header: whoever unpacked it has compared the
 * checksum of all of it. Threads: any.
 */
bool seed_images_find(const seed_images *images, uint32_t number, image *out_image);

/*
 * Unpacks an image into the folder and opens it.
 *
 * may_hold: into memory of this process, where it cannot be kept in the folder. out_opened: false
 * if it is in neither.
 * Errors: INITIALIZATION (the file is damaged; the message names it), OUT_OF_MEMORY (also when
 * there is no memory for the file). Threads: any.
 */
eryx_status seed_images_unpack(const seed_images *images, uint32_t number, const image *first,
                               bool may_hold, image *out_image, bool *out_opened,
                               eryx_error *out_error);

#endif
