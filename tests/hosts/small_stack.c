/* A host whose threads have small stacks: small_stack KIBIBYTES FILE. */
#include <eryx/eryx.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "import os, socket\n"
                              "open('/data/a', 'w').write('x' * 100000)\n"
                              "os.makedirs('/data/b/c/d')\n"
                              "def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\n"
                              "print(os.listdir('/data'), deep(900))\n"
                              "try: socket.create_connection(('name.invalid', 443), 1)\n"
                              "except OSError: print('no such name')\n"
                              "result = [1] * 1000\n";

static eryx_engine *engine;

static void *work(void *saved)
{
    eryx_sandbox *sandbox = NULL;
    eryx_sandbox *fork = NULL;
    eryx_network_options network;
    eryx_network_options_init(&network);
    network.connect_timeout_ms = 2000;
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.network = &network;
    eryx_run_options run;
    eryx_run_options_init(&run);
    run.source = program;
    run.source_size = strlen(program);
    run.keep_state = true;
    const eryx_result *result = NULL;
    if (eryx_sandbox_create(engine, &options, &sandbox, NULL) != ERYX_OK ||
        eryx_execute(sandbox, &run, &result, NULL) != ERYX_OK) {
        return NULL;
    }
    fwrite(result->standard_output.data, 1, result->standard_output.size, stdout);
    if (eryx_sandbox_fork(sandbox, &fork, NULL) != ERYX_OK ||
        eryx_sandbox_save(sandbox, saved, true, NULL) != ERYX_OK ||
        eryx_sandbox_load(fork, saved, NULL) != ERYX_OK) {
        return NULL;
    }
    eryx_sandbox_destroy(fork);
    eryx_sandbox_destroy(sandbox);
    return saved;
}

int main(int argc, char **argv)
{
    eryx_error error = {{0}};
    if (argc != 3 || eryx_engine_create(NULL, &engine, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)atoi(argv[1]) * 1024);
    pthread_t thread;
    void *done = NULL;
    pthread_create(&thread, &attributes, work, argv[2]);
    pthread_join(thread, &done);
    printf("%s\n", done != NULL ? "done" : "failed");
    eryx_engine_destroy(engine);
    return 0;
}
