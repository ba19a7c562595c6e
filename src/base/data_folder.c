#include "base/data_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"

/* CMakeLists.txt gives these: the way from the folder of the library to that of the data, and the
 * whole path. A wheel has neither. */
#ifndef ERYX_DATA_FROM_LIBRARY
#define ERYX_DATA_FROM_LIBRARY ""
#endif
#ifndef ERYX_DATA_INSTALLED
#define ERYX_DATA_INSTALLED ""
#endif

static const char wanted[] = "image.bin";

char *data_folder_path(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The folder of the file that this code was mapped from; NULL if that cannot be told. Asked of the
 * kernel: the dynamic linker knows only the name that somebody gave, maybe relative to a folder
 * that is not the current one any more. */
static char *own_folder(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) {
        return NULL;
    }
    uintptr_t here = (uintptr_t)&data_folder_find;
    char *folder = NULL;
    char *line = NULL;
    size_t room = 0;
    while (folder == NULL && getline(&line, &room, maps) > 0) {
        unsigned long begin;
        unsigned long end;
        const char *path = strchr(line, '/');
        if (path != NULL && sscanf(line, "%lx-%lx", &begin, &end) == 2 && begin <= here &&
            here < end) {
            folder = strndup(path, (size_t)(strrchr(path, '/') - path));
            break;
        }
    }
    free(line);
    fclose(maps);
    return folder;
}

/* Whether the data is there, and if not adds the folder to the text of those without. */
static bool has_data(const char *folder, char *looked_in, size_t room)
{
    char *path = data_folder_path(folder, wanted);
    bool found = path != NULL && access(path, F_OK) == 0;
    free(path);
    size_t size = strlen(looked_in);
    snprintf(looked_in + size, room - size, "%s%s", size > 0 ? ", " : "", folder);
    return found;
}

static eryx_status take(const char *folder, char **out_folder, eryx_error *out_error)
{
    char *copy = strdup(folder);
    if (copy == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    *out_folder = copy;
    return ERYX_OK;
}

static eryx_status find_near(const char *own, char **out_folder, eryx_error *out_error)
{
    char looked_in[sizeof out_error->message] = "";
    char *installed = NULL;
    eryx_status status;
    if (own != NULL && ERYX_DATA_FROM_LIBRARY[0] != '\0') {
        installed = data_folder_path(own, ERYX_DATA_FROM_LIBRARY);
    }
    if (own != NULL && has_data(own, looked_in, sizeof looked_in)) {
        status = take(own, out_folder, out_error);
    } else if (installed != NULL && has_data(installed, looked_in, sizeof looked_in)) {
        status = take(installed, out_folder, out_error);
    } else if (ERYX_DATA_INSTALLED[0] != '\0' &&
               has_data(ERYX_DATA_INSTALLED, looked_in, sizeof looked_in)) {
        status = take(ERYX_DATA_INSTALLED, out_folder, out_error);
    } else {
        status = status_fail(ERYX_INITIALIZATION, out_error,
                             "no %s was found (ERYX_DATA can name its folder); looked in: %s",
                             wanted, looked_in);
    }
    free(installed);
    return status;
}

eryx_status data_folder_find(char **out_folder, eryx_error *out_error)
{
    const char *named = secure_getenv("ERYX_DATA");
    if (named != NULL && named[0] != '\0') {
        char *path = data_folder_path(named, wanted);
        if (path == NULL) {
            return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
        eryx_status status = ERYX_OK;
        if (access(path, F_OK) == 0) {
            status = take(named, out_folder, out_error);
        } else {
            status = status_fail(ERYX_INITIALIZATION, out_error, "%s, of ERYX_DATA: %s", path,
                                 strerror(errno));
        }
        free(path);
        return status;
    }
    char *own = own_folder();
    eryx_status status = find_near(own, out_folder, out_error);
    free(own);
    return status;
}
