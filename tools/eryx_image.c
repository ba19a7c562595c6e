/*
 * eryx-image: makes images and runs programs with them at build time.
 *
 *   eryx-image build STDLIB IMAGE                     starts Python and writes its image
 *   eryx-image run STDLIB IMAGE PROGRAM [ARGUMENT...] runs a Python file without limits; its output
 *                                                     goes to ours, and it reads our standard input
 */
#include "eryx/eryx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: eryx-image build STDLIB IMAGE\n"
                            "       eryx-image run STDLIB IMAGE PROGRAM [ARGUMENT...]\n";

typedef struct file_content {
    char *data;
    size_t size;
} file_content;

/* Reads a stream to its end. out_content: data to be freed by the caller. */
static bool read_stream(FILE *stream, file_content *out_content)
{
    file_content content = {.data = NULL, .size = 0};
    size_t capacity = 0;
    for (;;) {
        if (content.size == capacity) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            char *grown = realloc(content.data, capacity);
            if (grown == NULL) {
                goto fail;
            }
            content.data = grown;
        }
        size_t count = fread(content.data + content.size, 1, capacity - content.size, stream);
        if (count == 0) {
            break;
        }
        content.size += count;
    }
    if (ferror(stream)) {
        goto fail;
    }
    *out_content = content;
    return true;

fail:
    free(content.data);
    return false;
}

static bool read_path(const char *path, file_content *out_content)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return false;
    }
    bool read = read_stream(stream, out_content);
    (void)fclose(stream);
    return read;
}

static int build(const char *stdlib_path, const char *image_path)
{
    eryx_error error = {.message = ""};
    eryx_status status = eryx_image_build(stdlib_path, image_path, &error);
    if (status != ERYX_OK) {
        (void)fprintf(stderr, "eryx-image: %s: %s\n", eryx_status_text(status), error.message);
        return 1;
    }
    return 0;
}

/* Writes what a run left to our own streams. */
static int finish(const eryx_result *result)
{
    bool written = fwrite(result->standard_output.data, 1, result->standard_output.size, stdout) ==
                   result->standard_output.size;
    written = fflush(stdout) == 0 && written;
    (void)fwrite(result->standard_error.data, 1, result->standard_error.size, stderr);
    if (!written) {
        (void)fprintf(stderr, "eryx-image: cannot write the output\n");
        return 1;
    }
    if (result->status != ERYX_OK) {
        (void)fprintf(stderr, "eryx-image: %s\n", eryx_status_text(result->status));
        return 1;
    }
    return 0;
}

static int run(const char *stdlib_path, const char *image_path, const char *program_path,
               const char *const *arguments)
{
    int exit_code = 1;
    file_content program = {.data = NULL, .size = 0};
    file_content input = {.data = NULL, .size = 0};
    eryx_engine *engine = NULL;
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {.message = ""};

    if (!read_path(program_path, &program) || !read_stream(stdin, &input)) {
        (void)snprintf(error.message, sizeof error.message, "cannot read the program or its input");
        goto done;
    }

    eryx_engine_options engine_options;
    eryx_engine_options_init(&engine_options);
    engine_options.image_path = image_path;
    engine_options.stdlib_path = stdlib_path;
    if (eryx_engine_create(&engine_options, &engine, &error) != ERYX_OK) {
        goto done;
    }

    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = ERYX_UNLIMITED;
    options.limits.max_memory_bytes = ERYX_UNLIMITED;
    options.limits.max_output_bytes = ERYX_UNLIMITED;
    options.limits.max_vfs_bytes = ERYX_UNLIMITED;
    if (eryx_sandbox_create(engine, &options, &sandbox, &error) != ERYX_OK) {
        goto done;
    }

    eryx_run_options run_options;
    eryx_run_options_init(&run_options);
    run_options.source = program.data;
    run_options.source_size = program.size;
    run_options.result_variable = NULL;
    run_options.arguments = arguments;
    run_options.standard_input = (const uint8_t *)input.data;
    run_options.standard_input_size = input.size;
    const eryx_result *result = NULL;
    (void)eryx_execute(sandbox, &run_options, &result, &error);
    if (result != NULL) {
        exit_code = finish(result);
    }

done:
    if (error.message[0] != '\0') {
        (void)fprintf(stderr, "eryx-image: %s\n", error.message);
    }
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    free(input.data);
    free(program.data);
    return exit_code;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "build") == 0) {
        return build(argv[2], argv[3]);
    }
    if (argc >= 5 && strcmp(argv[1], "run") == 0) {
        return run(argv[2], argv[3], argv[4], (const char *const *)(argv + 5));
    }
    (void)fputs(usage, stderr);
    return 2;
}
