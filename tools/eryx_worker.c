/*
 * eryx-worker CONTROL_FD IMAGE STDLIB MODULE: runs sandboxes for the process that started it, and
 * may do nothing else (docs/workers.md). Started by the package, not by people.
 *
 * The host library is in the extension module, which is opened here without Python: its code is
 * there once, on disk and in memory. What it needs of Python is never called; the names of it are
 * defined by a file that tools/python_names.py makes.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "eryx-worker is started by eryx itself\n");
        return EXIT_FAILURE;
    }
    void *module = dlopen(argv[4], RTLD_NOW | RTLD_LOCAL);
    int (*serve)(int, const char *, const char *) = NULL;
    if (module != NULL) {
        *(void **)&serve = dlsym(module, "worker_serve");
    }
    if (serve == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return EXIT_FAILURE;
    }
    return serve(atoi(argv[1]), argv[2], argv[3]);
}
