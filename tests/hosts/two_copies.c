/* A host in which two plug-ins have a copy of the library each: two_copies LIBRARY LIBRARY. */
#include <dlfcn.h>
#include <eryx/eryx.h>
#include <stdio.h>
#include <string.h>

typedef struct copy {
    eryx_status (*create_engine)(const eryx_engine_options *, eryx_engine **, eryx_error *);
    eryx_status (*create)(eryx_engine *, const eryx_sandbox_options *, eryx_sandbox **,
                          eryx_error *);
    void (*init)(eryx_sandbox_options *, size_t);
    void (*init_run)(eryx_run_options *, size_t);
    eryx_status (*execute)(eryx_sandbox *, const eryx_run_options *, const eryx_result **,
                           eryx_error *);
    void (*destroy)(eryx_sandbox *);
    eryx_engine *engine;
} copy;

static bool load(const char *path, copy *out_copy)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    *(void **)&out_copy->create_engine = dlsym(library, "eryx_engine_create");
    *(void **)&out_copy->create = dlsym(library, "eryx_sandbox_create");
    *(void **)&out_copy->init = dlsym(library, "eryx_sandbox_options_init_sized");
    *(void **)&out_copy->init_run = dlsym(library, "eryx_run_options_init_sized");
    *(void **)&out_copy->execute = dlsym(library, "eryx_execute");
    *(void **)&out_copy->destroy = dlsym(library, "eryx_sandbox_destroy");
    eryx_error error = {{0}};
    if (out_copy->create_engine(NULL, &out_copy->engine, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return false;
    }
    return true;
}

static void run(const copy *used, const char *source, uint64_t timeout_ms)
{
    eryx_sandbox_options options;
    used->init(&options, sizeof options);
    options.limits.execution_timeout_ms = timeout_ms;
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    if (used->create(used->engine, &options, &sandbox, &error) != ERYX_OK) {
        printf("%s\n", error.message);
        return;
    }
    eryx_run_options program;
    used->init_run(&program, sizeof program);
    program.source = source;
    program.source_size = strlen(source);
    const eryx_result *result = NULL;
    eryx_status status = used->execute(sandbox, &program, &result, &error);
    printf(" %d%.*s", status, (int)result->exception_type.size,
           (const char *)result->exception_type.data);
    used->destroy(sandbox);
}

int main(int argc, char **argv)
{
    copy copies[2];
    if (argc != 3 || !load(argv[1], &copies[0]) || !load(argv[2], &copies[1])) {
        return 1;
    }
    for (int i = 0; i < 4; i++) {
        const copy *used = &copies[i % 2];
        run(used, "print(1)", 30000);
        run(used, "while True: pass", 50);
        run(used, "def f(): f()\nf()", 30000);
        run(used, "import json\nx = []\nfor i in range(100000): x = [x]\njson.dumps(x)", 30000);
        printf("\n");
    }
    return 0;
}
