/* A host that opens the library itself, by a relative path, and is elsewhere when it uses it. */
#include <dlfcn.h>
#include <eryx/eryx.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL || chdir(argv[2]) != 0) {
        fprintf(stderr, "loading LIBRARY FOLDER: %s\n", dlerror());
        return 1;
    }
    eryx_status (*create)(const eryx_engine_options *, eryx_engine **, eryx_error *);
    void (*destroy)(eryx_engine *);
    *(void **)&create = dlsym(library, "eryx_engine_create");
    *(void **)&destroy = dlsym(library, "eryx_engine_destroy");
    eryx_engine *engine = NULL;
    eryx_error error = {{0}};
    eryx_status status = create(NULL, &engine, &error);
    printf("%s %s\n", status == ERYX_OK ? "opened" : "failed", error.message);
    destroy(engine);
    return 0;
}
