/*
 * A host with two callbacks, driven by poll(2): "add" is answered at once, "fetch" when data has
 * come through a file descriptor. Three fetches are waited for together, without a thread.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "eryx/eryx.h"

static const char declarations[] =
    "[{\"name\": \"add\", \"description\": \"Adds two integers.\", \"schema\":"
    " {\"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": {\"type\": \"integer\"}}}},"
    " {\"name\": \"fetch\", \"description\": \"Takes its time.\", \"schema\":"
    " {\"properties\": {\"milliseconds\": {\"type\": \"integer\"}}}}]";

static const char program[] =
    "import asyncio, time\n"
    "print('add:', await add(2, 3), add.sync(a=4, b=5))\n"
    "begin = time.monotonic()\n"
    "print('fetch:', await asyncio.gather(fetch(60), fetch(40), fetch(20)))\n"
    "print('together:', time.monotonic() - begin < 0.120)\n"
    "try: await fetch(-1)\n"
    "except RuntimeError as error: print('caught:', error)\n";

enum { MAX_WAITING = 16 };

/* Fetches under way: a file descriptor each, which a real host would have from a socket. The place
 * behind them is for the descriptor of the sandbox. */
static struct pollfd descriptors[MAX_WAITING + 1];
static uint32_t calls[MAX_WAITING];
static size_t waiting;

/* The integer behind a key of a JSON object. A real host uses a JSON library. */
static bool integer_argument(eryx_bytes json, const char *key, long *out_value)
{
    char text[256];
    char *end;
    snprintf(text, sizeof text, "%.*s", (int)json.size, (const char *)json.data);
    const char *place = json.size < sizeof text ? strstr(text, key) : NULL;
    if (place == NULL) {
        return false;
    }
    *out_value = strtol(place + strlen(key), &end, 10);
    return *end == ',' || *end == '}';
}

static void add(eryx_sandbox *sandbox, uint32_t id, eryx_bytes arguments)
{
    long a;
    long b;
    if (!integer_argument(arguments, "\"a\":", &a) || !integer_argument(arguments, "\"b\":", &b)) {
        eryx_callback_raise(sandbox, id, "TypeError", "add() takes two integers, a and b");
        return;
    }
    char json[32];
    int size = snprintf(json, sizeof json, "%lld", (long long)a + b);
    eryx_callback_return(sandbox, id, json, (size_t)size);
}

static void fetch(eryx_sandbox *sandbox, uint32_t id, eryx_bytes arguments)
{
    long milliseconds;
    if (!integer_argument(arguments, "\"milliseconds\":", &milliseconds) || milliseconds < 1 ||
        milliseconds > 1000 || waiting == MAX_WAITING) {
        eryx_callback_raise(sandbox, id, "ValueError", "fetch() takes 1 to 1000 milliseconds");
        return;
    }
    struct itimerspec when = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000000}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0 || timerfd_settime(timer, 0, &when, NULL) != 0) {
        eryx_callback_raise(sandbox, id, "OSError", "no timer");
        return;
    }
    descriptors[waiting] = (struct pollfd){.fd = timer, .events = POLLIN};
    calls[waiting++] = id;
}

/* Waits for a descriptor or wake_ns, whichever comes first, and answers what is ready. fd: what the
 * sandbox itself waits for, if it has a network; poll() leaves out what is negative. */
static void wait_for_data(eryx_sandbox *sandbox, uint64_t wake_ns, int fd)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    uint64_t left_ms = wake_ns > now_ns ? (wake_ns - now_ns + 999999) / 1000000 : 0;
    descriptors[waiting] = (struct pollfd){.fd = fd, .events = POLLIN};
    poll(descriptors, (nfds_t)waiting + 1, left_ms < 60000 ? (int)left_ms : 60000);
    for (size_t i = waiting; i-- > 0;) {
        if (descriptors[i].revents != 0) {
            eryx_callback_return(sandbox, calls[i], "\"data\"", 6);
            close(descriptors[i].fd);
            waiting--;
            descriptors[i] = descriptors[waiting];
            calls[i] = calls[waiting];
        }
    }
}

static void handle(eryx_sandbox *sandbox, const eryx_event *event)
{
    if (event->kind == ERYX_EVENT_WAIT) {
        wait_for_data(sandbox, event->as.wait.wake_ns, event->as.wait.fd);
    } else if (event->kind == ERYX_EVENT_CALLBACK) {
        eryx_bytes name = event->as.callback.name;
        uint32_t id = event->as.callback.id;
        if (name.size == 3 && memcmp(name.data, "add", 3) == 0) {
            add(sandbox, id, event->as.callback.arguments);
        } else if (name.size == 5 && memcmp(name.data, "fetch", 5) == 0) {
            fetch(sandbox, id, event->as.callback.arguments);
        } else {
            eryx_callback_raise(sandbox, id, "LookupError", "there is no such function");
        }
    }
}

int main(void)
{
    eryx_run_options run;
    eryx_engine *engine = NULL;
    eryx_sandbox *sandbox = NULL;
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    eryx_error error = {{0}};
    eryx_run_options_init(&run);
    run.source = program;
    run.source_size = strlen(program);
    run.callbacks = declarations;
    if (eryx_engine_create(NULL, &engine, &error) != ERYX_OK ||
        eryx_sandbox_create(engine, NULL, &sandbox, &error) != ERYX_OK ||
        eryx_run_begin(sandbox, &run, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    while (eryx_run_step(sandbox, &event) == ERYX_OK && event.kind != ERYX_EVENT_DONE) {
        handle(sandbox, &event);
    }
    const eryx_result *result = eryx_sandbox_result(sandbox);
    fwrite(result->standard_output.data, 1, result->standard_output.size, stdout);
    int exit_code = result->status == ERYX_OK ? 0 : 1;
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    return exit_code;
}
