/*
 * Calls of WASI preview 1 that crates make themselves, past the C library: what they ask for is
 * done by the guest's C library. Linked to modules that have such calls, which the linker then
 * turns to these functions. Numbers of errors are the same in both.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALL(name) __attribute__((visibility("default"))) int32_t eryx_wasi_##name

#define NANOSECONDS 1000000000ull
#define FLAG_ABSOLUTE 1u

extern char **environ;

struct subscription {
    uint64_t userdata;
    uint8_t kind; /* 0: a clock */
    struct {
        uint32_t number;
        uint64_t timeout; /* in nanoseconds */
        uint64_t precision;
        uint16_t flags;
    } clock;
};

struct event {
    uint64_t userdata;
    uint16_t error;
    uint8_t kind;
    uint64_t size;
    uint16_t flags;
};

_Static_assert(sizeof(struct subscription) == 48 && sizeof(struct event) == 32, "as WASI has them");

CALL(fd_write)(int32_t file, const struct iovec *parts, int32_t count, uint32_t *written)
{
    ssize_t done = writev(file, parts, count);
    if (done < 0) {
        return errno;
    }
    *written = (uint32_t)done;
    return 0;
}

CALL(fd_read)(int32_t file, const struct iovec *parts, int32_t count, uint32_t *got)
{
    ssize_t done = readv(file, parts, count);
    if (done < 0) {
        return errno;
    }
    *got = (uint32_t)done;
    return 0;
}

CALL(fd_close)(int32_t file)
{
    return close(file) == 0 ? 0 : errno;
}

CALL(fd_seek)(int32_t file, int64_t offset, int32_t whence, uint64_t *place)
{
    off_t done = lseek(file, offset, whence);
    if (done < 0) {
        return errno;
    }
    *place = (uint64_t)done;
    return 0;
}

static clockid_t clock_of(uint32_t number)
{
    return number == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

static uint64_t in_nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * NANOSECONDS + (uint64_t)time.tv_nsec;
}

CALL(clock_time_get)(uint32_t clock, uint64_t precision, uint64_t *out_time)
{
    struct timespec now;
    (void)precision;
    if (clock_gettime(clock_of(clock), &now) != 0) {
        return errno;
    }
    *out_time = in_nanoseconds(now);
    return 0;
}

CALL(clock_res_get)(uint32_t clock, uint64_t *out_resolution)
{
    struct timespec resolution;
    if (clock_getres(clock_of(clock), &resolution) != 0) {
        return errno;
    }
    *out_resolution = in_nanoseconds(resolution);
    return 0;
}

CALL(environ_sizes_get)(uint32_t *out_count, uint32_t *out_size)
{
    uint32_t count = 0;
    uint32_t size = 0;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        count++;
        size += (uint32_t)strlen(*entry) + 1;
    }
    *out_count = count;
    *out_size = size;
    return 0;
}

CALL(environ_get)(char **out_entries, char *buffer)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        size_t size = strlen(*entry) + 1;
        *out_entries++ = memcpy(buffer, *entry, size);
        buffer += size;
    }
    return 0;
}

/* A module has no arguments. */
CALL(args_sizes_get)(uint32_t *out_count, uint32_t *out_size)
{
    *out_count = 0;
    *out_size = 0;
    return 0;
}

CALL(args_get)(char **out_entries, char *buffer)
{
    (void)out_entries;
    (void)buffer;
    return 0;
}

CALL(sched_yield)(void)
{
    return 0;
}

/* What waits for a time only, which is how threads sleep. */
CALL(poll_oneoff)(const struct subscription *wanted, struct event *out_events, uint32_t count,
                  uint32_t *out_count)
{
    struct timespec now;
    if (count != 1 || wanted->kind != 0) {
        return ENOSYS;
    }
    uint64_t left = wanted->clock.timeout;
    if ((wanted->clock.flags & FLAG_ABSOLUTE) != 0) {
        if (clock_gettime(clock_of(wanted->clock.number), &now) != 0) {
            return errno;
        }
        uint64_t at = in_nanoseconds(now);
        left = left > at ? left - at : 0;
    }
    struct timespec wait = {(time_t)(left / NANOSECONDS), (long)(left % NANOSECONDS)};
    if (nanosleep(&wait, NULL) != 0) {
        return errno;
    }
    *out_events = (struct event){.userdata = wanted->userdata};
    *out_count = 1;
    return 0;
}

__attribute__((visibility("default"), noreturn)) void eryx_wasi_proc_exit(int32_t code)
{
    _exit(code);
}
