/*
 * Runs a line of Python in a sandbox: hello [CODE]
 */
#include <eryx/eryx.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *code = argc > 1 ? argv[1] : "print('hello from the sandbox')";
    int exit_code = 1;
    eryx_engine *engine = NULL;
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {.message = ""};

    if (eryx_engine_create(NULL, &engine, &error) != ERYX_OK) {
        goto done;
    }

    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = 2000;
    if (eryx_sandbox_create(engine, &options, &sandbox, &error) != ERYX_OK) {
        goto done;
    }

    eryx_run_options run;
    eryx_run_options_init(&run);
    run.source = code;
    run.source_size = strlen(code);
    const eryx_result *result = NULL;
    eryx_status status = eryx_execute(sandbox, &run, &result, &error);
    if (result == NULL) {
        goto done;
    }
    fwrite(result->standard_output.data, 1, result->standard_output.size, stdout);
    fwrite(result->standard_error.data, 1, result->standard_error.size, stderr);
    if (status != ERYX_OK) {
        fprintf(stderr, "%s: %s\n", eryx_status_name(status), result->message);
    }
    exit_code = status == ERYX_OK ? 0 : 1;

done:
    fprintf(stderr, "%s%s", error.message, error.message[0] != '\0' ? "\n" : "");
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    return exit_code;
}
