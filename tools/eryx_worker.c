/*
 * eryx-worker CONTROL_FD IMAGE STDLIB SEEDS FOLDER MODULE [NATIVE...]: runs sandboxes for the
 * process that started it, and may do nothing else (docs/workers.md). Started by the package, not
 * by people.
 *
 * The host library is in the extension module, which is opened here without Python: its code is
 * there once, on disk and in memory. What it needs of Python is never called; the names of it are
 * defined by a file that tools/python_names.py makes.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/server.h"

/* Says why there is no worker, as the first message of one would (src/worker/message.h). */
static void tell(int control_fd, const char *reason)
{
    const uint32_t size = (uint32_t)strlen(reason) + 1;
    const uint32_t header[] = {size + (uint32_t)sizeof size, 0, 0, size};
    if (write(control_fd, header, sizeof header) < 0 || write(control_fd, reason, size) < 0) {
        fprintf(stderr, "%s\n", reason);
    }
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "eryx-worker is started by eryx itself\n");
        return EXIT_FAILURE;
    }
    void *module = dlopen(argv[6], RTLD_NOW | RTLD_LOCAL);
    int (*serve)(int, const worker_files *, char *const *, int) = NULL;
    if (module != NULL) {
        *(void **)&serve = dlsym(module, "worker_serve");
    }
    if (serve == NULL) {
        tell(atoi(argv[1]), dlerror());
        return EXIT_FAILURE;
    }
    const worker_files files = {argv[2], argv[3], argv[4], argv[5][0] != '\0' ? argv[5] : NULL};
    return serve(atoi(argv[1]), &files, argv + 7, argc - 7);
}
