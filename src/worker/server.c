#include "worker/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/lockdown.h"
#include "worker/place.h"

enum { EVENT_COUNT = 64 };

/* Has the guest run once, so that all that it takes of the system is there before there is no
 * system any more, and the first program of the parent does not wait for it. */
static bool warm_up(eryx_engine *engine)
{
    eryx_sandbox *sandbox = NULL;
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = "";
    options.result_variable = NULL;
    bool done = eryx_sandbox_create(engine, NULL, &sandbox, NULL) == ERYX_OK;
    for (int round = 0; done && round < 2; round++) {
        const eryx_result *result;
        done = eryx_execute(sandbox, &options, &result, NULL) == ERYX_OK &&
               eryx_sandbox_reset(sandbox, NULL) == ERYX_OK;
    }
    eryx_sandbox_destroy(sandbox);
    return done;
}

/* Takes the sockets that the parent hands over. False when it is gone. */
static bool take_sockets(worker *self, channel *control)
{
    for (;;) {
        message came;
        const channel_state state = channel_receive(control, &came);
        if (state == CHANNEL_AGAIN) {
            return true;
        }
        const int fd = channel_take_file(control);
        if (state != CHANNEL_OK || came.header.kind != WORKER_OPEN || came.header.size != 0 ||
            fd < 0) {
            return false;
        }
        (void)place_create(self, fd); /* without memory the socket is closed, which says so */
    }
}

/* How long nothing has to be done: 0 if a guest can run now, -1 until something comes. */
static int idle_ms(const worker *self)
{
    uint64_t wake_ns = UINT64_MAX;
    for (const place *each = self->places; each != NULL; each = each->next) {
        if (each->activity == PLACE_RUNS) {
            return 0;
        }
        if (each->activity == PLACE_WAITS && each->wake_ns < wake_ns) {
            wake_ns = each->wake_ns;
        }
    }
    if (wake_ns == UINT64_MAX) {
        return -1;
    }
    const uint64_t now_ns = clock_now_ns();
    const uint64_t left_ms = wake_ns > now_ns ? (wake_ns - now_ns + 999999) / 1000000 : 0;
    return left_ms < 1000000 ? (int)left_ms : 1000000;
}

static void take_event(place *self, uint32_t events)
{
    if (self->is_gone) {
        return;
    }
    if (self->activity == PLACE_WAITS && self->wait_fd >= 0) {
        self->activity = PLACE_RUNS; /* whichever of the two it was */
    }
    if ((events & EPOLLOUT) != 0) {
        place_send(self);
    }
    place_take_messages(self);
}

/* Every guest that can run has a slice, and everybody gets what it has left. */
static void run_places(worker *self)
{
    const uint64_t now_ns = clock_now_ns();
    for (place *each = self->places; each != NULL; each = each->next) {
        if (each->activity == PLACE_WAITS && each->wake_ns <= now_ns) {
            each->activity = PLACE_RUNS;
        }
        if (each->activity == PLACE_RUNS && !each->is_gone) {
            place_run(each);
        }
        if (channel_unsent(&each->channel) > 0 && !each->is_gone) {
            place_send(each);
        }
    }
    for (place *next, *each = self->places; each != NULL; each = next) {
        next = each->next;
        if (each->is_gone) {
            place_destroy(each);
        }
    }
}

static int serve(worker *self, channel *control)
{
    struct epoll_event first = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(self->poll_fd, EPOLL_CTL_ADD, control->fd, &first) != 0) {
        return EXIT_FAILURE;
    }
    for (;;) {
        struct epoll_event events[EVENT_COUNT];
        const int count = epoll_wait(self->poll_fd, events, EVENT_COUNT, idle_ms(self));
        if (count < 0 && errno != EINTR) {
            return EXIT_FAILURE;
        }
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr != NULL) {
                take_event(events[i].data.ptr, events[i].events);
            } else if (!take_sockets(self, control)) {
                return EXIT_SUCCESS;
            }
        }
        run_places(self);
    }
}

int worker_serve(int control_fd, const char *image_path, const char *stdlib_path)
{
    worker self = {.poll_fd = -1};
    eryx_engine_options options;
    eryx_engine_options_init(&options);
    options.image_path = image_path;
    options.stdlib_path = stdlib_path;
    eryx_error error = {.message = ""};
    const char *failed = lockdown_begin(control_fd);
    if (failed == NULL && eryx_engine_create(&options, &self.engine, &error) != ERYX_OK) {
        failed = error.message;
    }
    if (failed == NULL && !warm_up(self.engine)) {
        failed = "no sandbox can run here";
    }
    self.poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (failed == NULL && self.poll_fd < 0) {
        failed = "no descriptor to wait with";
    }
    if (failed == NULL) {
        failed = lockdown_complete();
    }
    channel control;
    channel_open(&control, control_fd, 0);
    control.takes_files = true;
    message_begin(&control.output, WORKER_ANSWER, 0);
    message_put_text(&control.output, failed);
    if (!message_end(&control.output) || channel_send(&control) != CHANNEL_OK || failed != NULL) {
        return EXIT_FAILURE;
    }
    return serve(&self, &control);
}
