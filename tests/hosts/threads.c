/* A host with threads: each has a sandbox of its own, and one ends what another one runs. */
#include <eryx/eryx.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20 };

static eryx_engine *engine;
static atomic_bool begun;

static eryx_status run(eryx_sandbox *sandbox, const char *source, const eryx_result **out_result)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = source;
    options.source_size = strlen(source);
    eryx_error error = {{0}};
    return eryx_execute(sandbox, &options, out_result, &error);
}

static void *work(void *count)
{
    char source[64];
    snprintf(source, sizeof source, "print(sum(range(%d)))", *(int *)count);
    for (int i = 0; i < ROUNDS; i++) {
        eryx_sandbox *sandbox = NULL;
        const eryx_result *result = NULL;
        if (eryx_sandbox_create(engine, NULL, &sandbox, NULL) != ERYX_OK ||
            run(sandbox, source, &result) != ERYX_OK) {
            return NULL;
        }
        long expected = (long)*(int *)count * (*(int *)count - 1) / 2;
        char text[32];
        int size = snprintf(text, sizeof text, "%ld\n", expected);
        if (result->standard_output.size != (size_t)size ||
            memcmp(result->standard_output.data, text, (size_t)size) != 0) {
            return NULL;
        }
        eryx_sandbox_destroy(sandbox);
    }
    return count;
}

/* Runs until it is cancelled, and says when it has begun. */
static void *run_for_ever(void *sandbox)
{
    static eryx_status ended;
    const char *source = "print('begun'); \nwhile True: pass";
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = source;
    options.source_size = strlen(source);
    options.stream_output = true;
    ended = eryx_run_begin(sandbox, &options, NULL);
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    while (ended == ERYX_OK && event.kind != ERYX_EVENT_DONE) {
        eryx_status status = eryx_run_step(sandbox, &event);
        if (status == ERYX_OK && event.kind == ERYX_EVENT_OUTPUT) {
            atomic_store(&begun, true);
        } else if (status != ERYX_BUSY) { /* the other thread had asked at that moment */
            ended = status;
        }
    }
    if (ended == ERYX_OK) {
        ended = eryx_sandbox_result(sandbox)->status;
    }
    return &ended;
}

int main(void)
{
    eryx_error error = {{0}};
    if (eryx_engine_create(NULL, &engine, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    pthread_t threads[THREADS];
    int counts[THREADS];
    int good = 0;
    for (int i = 0; i < THREADS; i++) {
        counts[i] = 1000 * (i + 1);
        pthread_create(&threads[i], NULL, work, &counts[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *value;
        pthread_join(threads[i], &value);
        good += value != NULL;
    }
    printf("%d threads were right\n", good);

    eryx_sandbox *sandbox = NULL;
    if (eryx_sandbox_create(engine, NULL, &sandbox, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    pthread_t thread;
    pthread_create(&thread, NULL, run_for_ever, sandbox);
    const eryx_result *result = NULL;
    while (!atomic_load(&begun)) {
        usleep(1000);
    }
    printf("meanwhile: %s\n", eryx_status_name(run(sandbox, "pass", &result)));
    eryx_sandbox_cancel(sandbox);
    void *ended;
    pthread_join(thread, &ended);
    printf("ended: %s\n", eryx_status_name(*(eryx_status *)ended));
    printf("after it: %s\n", eryx_status_name(run(sandbox, "pass", &result)));
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    return 0;
}
