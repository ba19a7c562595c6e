/* A host that makes sandboxes from a factory file: factory FILE MODE [KEY], where MODE is
 * "everything" or "packages", runs the program that it reads from its standard input. */
#include <eryx/eryx.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PROGRAM = 4096 };

static eryx_status create(int argc, char **argv, eryx_engine *base, eryx_sandbox **out_sandbox,
                          eryx_error *out_error)
{
    const uint8_t *word = argc > 3 ? (const uint8_t *)argv[3] : NULL;
    eryx_bytes key = {word, word != NULL ? strlen(argv[3]) : 0};
    const eryx_bytes *given = word != NULL ? &key : NULL;
    eryx_status status;
    if (strcmp(argv[2], "packages") == 0) {
        eryx_sandbox_options options;
        eryx_sandbox_options_init(&options);
        status = eryx_packages_open(argv[1], given, ERYX_UNLIMITED, &options.packages, out_error);
        if (status == ERYX_OK) {
            status = eryx_sandbox_create(base, &options, out_sandbox, out_error);
            eryx_packages_destroy(options.packages);
        }
        return status;
    }
    eryx_engine *engine = NULL;
    status = eryx_engine_load(base, argv[1], given, 256 << 20, &engine, out_error);
    if (status == ERYX_OK) {
        status = eryx_sandbox_create(engine, NULL, out_sandbox, out_error);
        eryx_engine_destroy(engine);
    }
    return status;
}

int main(int argc, char **argv)
{
    static char program[MAX_PROGRAM];
    eryx_engine *base = NULL;
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    if (argc < 3 || eryx_engine_create(NULL, &base, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    int exit_code = 1;
    eryx_status status = create(argc, argv, base, &sandbox, &error);
    eryx_engine_destroy(base);
    if (status == ERYX_OK) {
        eryx_run_options run;
        eryx_run_options_init(&run);
        run.source = program;
        run.source_size = fread(program, 1, sizeof program, stdin);
        const eryx_result *result = NULL;
        status = eryx_execute(sandbox, &run, &result, &error);
        if (result != NULL) {
            fwrite(result->standard_output.data, 1, result->standard_output.size, stdout);
            fwrite(result->standard_error.data, 1, result->standard_error.size, stderr);
        }
        exit_code = status == ERYX_OK ? 0 : 1;
    }
    if (error.message[0] != '\0') {
        fprintf(stderr, "%s: %s\n", eryx_status_name(status), error.message);
    }
    eryx_sandbox_destroy(sandbox);
    return exit_code;
}
