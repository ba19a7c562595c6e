/* A host that closes the library after use, and goes on: unloading LIBRARY. */
#include <dlfcn.h>
#include <eryx/eryx.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *use(void *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return NULL;
    }
    eryx_status (*create_engine)(const eryx_engine_options *, eryx_engine **, eryx_error *);
    eryx_status (*create)(eryx_engine *, const eryx_sandbox_options *, eryx_sandbox **,
                          eryx_error *);
    void (*init)(eryx_run_options *, size_t);
    eryx_status (*execute)(eryx_sandbox *, const eryx_run_options *, const eryx_result **,
                           eryx_error *);
    void (*destroy)(eryx_sandbox *);
    void (*destroy_engine)(eryx_engine *);
    *(void **)&create_engine = dlsym(library, "eryx_engine_create");
    *(void **)&create = dlsym(library, "eryx_sandbox_create");
    *(void **)&init = dlsym(library, "eryx_run_options_init_sized");
    *(void **)&execute = dlsym(library, "eryx_execute");
    *(void **)&destroy = dlsym(library, "eryx_sandbox_destroy");
    *(void **)&destroy_engine = dlsym(library, "eryx_engine_destroy");
    eryx_engine *engine = NULL;
    eryx_sandbox *sandbox = NULL;
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_run_options run;
    init(&run, sizeof run);
    run.source = "print('run')";
    run.source_size = strlen(run.source);
    if (create_engine(NULL, &engine, &error) != ERYX_OK ||
        create(engine, NULL, &sandbox, &error) != ERYX_OK ||
        execute(sandbox, &run, &result, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return NULL;
    }
    fwrite(result->standard_output.data, 1, result->standard_output.size, stdout);
    destroy(sandbox);
    destroy_engine(engine);
    dlclose(library);
    return path;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    for (int i = 0; i < 2; i++) { /* threads that end have let something go of it */
        pthread_t thread;
        void *done;
        pthread_create(&thread, NULL, use, argv[1]);
        pthread_join(thread, &done);
        if (done == NULL) {
            return 1;
        }
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    printf("child: %d\n", status);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        struct sigaction present;
        sigaction(number, NULL, &present);
        if (present.sa_handler != SIG_DFL && present.sa_handler != SIG_IGN) {
            raise(number); /* a signal of the library that comes late */
        }
    }
    printf("goes on\n");
    return 0;
}
