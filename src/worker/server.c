#include "worker/server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "machine/guest_extension.h"
#include "sandbox/seeds.h"
#include "secrets/memory.h"
#include "tls/trust.h"
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

/* When something has to be done: 0 if a guest can run now, UINT64_MAX once something comes. */
static uint64_t next_wake_ns(const worker *self)
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
    return wake_ns;
}

/* Waits for something to do; the number of events. epoll_wait() alone knows no less than a
 * millisecond, which guests that sleep for less would notice. */
static int wait_for_events(const worker *self, struct epoll_event *out_events)
{
    const uint64_t wake_ns = next_wake_ns(self);
    const uint64_t now_ns = wake_ns == UINT64_MAX ? 0 : clock_now_ns();
    if (wake_ns != UINT64_MAX && wake_ns > now_ns) {
        struct pollfd look = {.fd = self->poll_fd, .events = POLLIN};
        const struct timespec left = {.tv_sec = (time_t)((wake_ns - now_ns) / CLOCK_NS_PER_SECOND),
                                      .tv_nsec = (long)((wake_ns - now_ns) % CLOCK_NS_PER_SECOND)};
        (void)ppoll(&look, 1, &left, NULL);
    }
    return epoll_wait(self->poll_fd, out_events, EVENT_COUNT, wake_ns == UINT64_MAX ? -1 : 0);
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
        const int count = wait_for_events(self, events);
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

/* ---- Native modules ---------------------------------------------------------------------------
 */

static bool read_hash(const char *text, uint8_t hash[SHA256_BYTES])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        if (sscanf(text + 2 * i, "%2hhx", &hash[i]) != 1) {
            return false;
        }
    }
    return strlen(text) == 2 * (size_t)SHA256_BYTES;
}

/* Opens the module of three strings, behind those that are open already. */
static bool open_native(worker *self, char *const *strings, eryx_error *out_error)
{
    const eryx_native_module *needed[GUEST_EXTENSION_SLOTS];
    uint8_t hash[SHA256_BYTES];
    size_t count = 0;
    bool sound = read_hash(strings[1], hash);
    for (const char *text = strings[2]; sound && *text != '\0';) {
        char *end;
        const unsigned long number = strtoul(text, &end, 10);
        sound = end != text && number < self->native_count && count < GUEST_EXTENSION_SLOTS;
        if (sound) {
            needed[count++] = self->native[number];
        }
        text = *end == ',' ? end + 1 : end;
    }
    return sound &&
           eryx_native_module_open(strings[0], hash, needed, count,
                                   &self->native[self->native_count], out_error) == ERYX_OK &&
           ++self->native_count > 0;
}

/* While code may still come from files: afterwards nothing becomes code. */
static bool open_all_native(worker *self, char *const *strings, int count, eryx_error *out_error)
{
    self->native = calloc((size_t)count + 1, sizeof *self->native);
    bool done = self->native != NULL && count % WORKER_NATIVE_STRINGS == 0;
    for (int i = 0; done && i < count; i += WORKER_NATIVE_STRINGS) {
        done = open_native(self, strings + i, out_error);
    }
    return done;
}

int worker_serve(int control_fd, const worker_files *files, char *const *native, int native_count)
{
    worker self = {.poll_fd = -1};
    eryx_engine_options options;
    eryx_engine_options_init(&options);
    options.image_path = files->image_path;
    options.stdlib_path = files->stdlib_path;
    options.seeds_path = files->seeds_path;
    options.unpack_folder = files->unpack_folder;
    eryx_error error = {.message = ""};
    const char *failed = lockdown_begin(control_fd);
    if (failed == NULL && eryx_engine_create(&options, &self.engine, &error) != ERYX_OK) {
        failed = error.message;
    }
    if (failed == NULL && seeds_open_kept(self.engine, &error) == ERYX_INITIALIZATION) {
        failed = error.message;
    }
    if (failed == NULL && native_count > 0 &&
        !open_all_native(&self, native, native_count, &error)) {
        failed = error.message[0] != '\0' ? error.message : "native modules that make no sense";
    }
    if (failed == NULL && !warm_up(self.engine)) {
        failed = "no sandbox can run here";
    }
    self.poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (failed == NULL && self.poll_fd < 0) {
        failed = "no descriptor to wait with";
    }
    secret_memory_lock_none();
    tls_trust_read_none();
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
