/* What the live tests of the network share: options, and programs run to their end. */
#ifndef ERYX_LIVE_NETWORK_H
#define ERYX_LIVE_NETWORK_H

#include "live.h"
#include "net_servers.h"

typedef struct network_case {
    eryx_network_options network;
    eryx_sandbox_options options;
} network_case;

/* Options that allow loopback. */
static inline void case_init(network_case *made)
{
    eryx_sandbox_options_init(&made->options);
    eryx_network_options_init(&made->network);
    made->network.allow_localhost = true;
    made->options.network = &made->network;
}

static const char program_head[] = "import socket, time, errno, asyncio\n"
                                   "def attempt(function, *arguments):\n"
                                   "    try:\n"
                                   "        return function(*arguments)\n"
                                   "    except OSError as error:\n"
                                   "        return f'{type(error).__name__}: {error}'\n"
                                   "def connect(port, host='127.0.0.1', timeout=None):\n"
                                   "    return socket.create_connection((host, port), timeout)\n";

/* Runs a program, in which %u is the port, to its end. Gives what it has printed. */
static inline const char *run_in(eryx_sandbox *sandbox, bool keep_state, const char *program,
                                 unsigned port)
{
    static char source[16384];
    size_t head = strlen(program_head);
    memcpy(source, program_head, head);
    snprintf(source + head, sizeof source - head, program, port);
    eryx_run_options run = live_program(source);
    run.keep_state = keep_state;
    const eryx_result *result;
    eryx_error error = {{0}};
    eryx_execute(sandbox, &run, &result, &error);
    ASSERT_STR_EQ(error.message, "");
    if (result->status != ERYX_OK) {
        fprintf(stderr, "%s\n%s\n", result->message,
                result->traceback.data != NULL ? (const char *)result->traceback.data : "");
    }
    static char output[65536];
    ASSERT(result->standard_output.size < sizeof output);
    if (result->standard_output.size > 0) {
        memcpy(output, result->standard_output.data, result->standard_output.size);
    }
    output[result->standard_output.size] = 0;
    return output;
}

static inline const char *run_once(const network_case *used, const char *program, unsigned port)
{
    eryx_sandbox *sandbox = live_create(&used->options);
    const char *output = run_in(sandbox, false, program, port);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    return output;
}

static inline uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
