/* Where the files are that come with the library: image.bin, stdlib.bin and seeds.bin. */
#ifndef ERYX_BASE_DATA_FOLDER_H
#define ERYX_BASE_DATA_FOLDER_H

#include "eryx/eryx.h"

/*
 * Finds the folder that has an image.bin: the one that the environment variable ERYX_DATA names
 * (and then no other; a program with more rights than its user does not look at it), that of the
 * library or of the program that it is linked into, the one in its place after an installation, and
 * the one that was chosen when the library was built.
 *
 * out_folder: the caller's, freed with free().
 * Errors: INITIALIZATION (the message names the folders), OUT_OF_MEMORY. Threads: any, while nobody
 * changes the environment.
 */
eryx_status data_folder_find(char **out_folder, eryx_error *out_error);

/* The path of a file in a folder, freed with free(); NULL if there is no memory. */
char *data_folder_path(const char *folder, const char *name);

#endif
