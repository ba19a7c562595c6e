/*
 * What a sandbox costs from C: makes, runs and drops one again and again.
 *
 *   sandboxes COUNT PROGRAM [session]
 *
 * Prints the median and the 99th percentile of each part in microseconds. With "session" it runs
 * the program that often in one sandbox, which keeps its state. ERYX_DATA names the folder with
 * the guest's files.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eryx/eryx.h"

enum { CREATE, RUN, DROP, ALL, PARTS, WARM_UP = 200 };

static const char *const names[PARTS] = {"create", "run", "drop", "all"};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void check(eryx_status status, const eryx_error *error)
{
    if (status != ERYX_OK) {
        fprintf(stderr, "%s: %s\n", eryx_status_name(status), error->message);
        exit(1);
    }
}

static int compare(const void *left, const void *right)
{
    uint64_t first = *(const uint64_t *)left;
    uint64_t second = *(const uint64_t *)right;
    return (first > second) - (first < second);
}

static void show(const char *name, uint64_t *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    printf("%-7s median %8.1f us, p99 %8.1f us\n", name, (double)times[count / 2] / 1000,
           (double)times[count * 99 / 100] / 1000);
}

static eryx_sandbox *create(eryx_engine *engine)
{
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    check(eryx_sandbox_create(engine, NULL, &sandbox, &error), &error);
    return sandbox;
}

static void run(eryx_sandbox *sandbox, const char *program, bool keep_state)
{
    eryx_run_options options;
    const eryx_result *result;
    eryx_error error = {{0}};
    eryx_run_options_init(&options);
    options.source = program;
    options.source_size = strlen(program);
    options.keep_state = keep_state;
    check(eryx_execute(sandbox, &options, &result, &error), &error);
}

static void measure_session(eryx_engine *engine, const char *program, size_t count, uint64_t *times)
{
    eryx_sandbox *sandbox = create(engine);
    for (size_t i = 0; i < count + WARM_UP; i++) {
        uint64_t begin = now_ns();
        run(sandbox, program, true);
        times[i < WARM_UP ? 0 : i - WARM_UP] = now_ns() - begin;
    }
    eryx_sandbox_destroy(sandbox);
    show(names[RUN], times, count);
}

static void measure_all(eryx_engine *engine, const char *program, size_t count, uint64_t *times)
{
    for (size_t i = 0; i < count + WARM_UP; i++) {
        uint64_t *of_this = times + (i < WARM_UP ? 0 : i - WARM_UP);
        uint64_t begin = now_ns();
        eryx_sandbox *sandbox = create(engine);
        uint64_t created = now_ns();
        run(sandbox, program, false);
        uint64_t ran = now_ns();
        eryx_sandbox_destroy(sandbox);
        uint64_t dropped = now_ns();
        of_this[CREATE * count] = created - begin;
        of_this[RUN * count] = ran - created;
        of_this[DROP * count] = dropped - ran;
        of_this[ALL * count] = dropped - begin;
    }
    for (size_t part = 0; part < PARTS; part++) {
        show(names[part], times + part * count, count);
    }
}

int main(int argument_count, char **arguments)
{
    size_t count = argument_count > 2 ? strtoul(arguments[1], NULL, 10) : 0;
    uint64_t *times = count > 0 ? calloc(count, PARTS * sizeof *times) : NULL;
    if (times == NULL) {
        fprintf(stderr, "sandboxes COUNT PROGRAM [session]\n");
        return 2;
    }
    eryx_engine *engine = NULL;
    eryx_error error = {{0}};
    check(eryx_engine_create(NULL, &engine, &error), &error);
    if (argument_count > 3) {
        measure_session(engine, arguments[2], count, times);
    } else {
        measure_all(engine, arguments[2], count, times);
    }
    eryx_engine_destroy(engine);
    free(times);
    return 0;
}
