/* A host that forks while it has a sandbox: the child makes its own, of the same engine. */
#include <eryx/eryx.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *who, eryx_sandbox *sandbox, const char *source)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = source;
    options.source_size = strlen(source);
    options.keep_state = true;
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_status status = eryx_execute(sandbox, &options, &result, &error);
    printf("%s: %s", who, eryx_status_name(status));
    if (result != NULL) {
        printf(" %.*s", (int)result->standard_output.size,
               (const char *)result->standard_output.data);
    } else {
        printf("\n");
    }
    fflush(stdout);
}

int main(void)
{
    eryx_engine *engine = NULL;
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    if (eryx_engine_create(NULL, &engine, &error) != ERYX_OK ||
        eryx_sandbox_create(engine, NULL, &sandbox, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    show("parent", sandbox, "x = 1; print(x)");
    pid_t child = fork();
    if (child == 0) {
        show("child with the parent's", sandbox, "print(x)");
        eryx_sandbox_destroy(sandbox);
        eryx_sandbox *own = NULL;
        if (eryx_sandbox_create(engine, NULL, &own, &error) != ERYX_OK) {
            fprintf(stderr, "%s\n", error.message);
            _exit(1);
        }
        show("child with its own", own, "print('x' in globals())");
        eryx_sandbox_destroy(own);
        eryx_engine_destroy(engine);
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    show("parent again", sandbox, "x += 1; print(x)");
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    return status == 0 ? 0 : 1;
}
