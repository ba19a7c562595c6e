/*
 * What one call of a host function costs at most. A case prepares what it needs, and puts
 * COST_BEGIN() and COST_END() around the call; the best of several tries counts, in time of this
 * thread, so that a busy machine does not make a cheap call dear.
 */
#ifndef ERYX_COSTS_H
#define ERYX_COSTS_H

#include <time.h>

#include "test.h"

typedef struct cost_case {
    const char *name; /* of the import or the operation */
    const char *what;
    void (*run)(void);
} cost_case;

/* A host function is not cut short when the time of a run is over. */
#if defined(__SANITIZE_ADDRESS__)
#define COST_MOST_MS 100.0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COST_MOST_MS 100.0
#endif
#endif
#ifndef COST_MOST_MS
#define COST_MOST_MS 5.0
#endif

#define COST_TRIES 5

static double cost_began;
static double cost_taken;

static inline double cost_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#define COST_BEGIN() (cost_began = cost_clock_ms())
#define COST_END() (cost_taken = cost_clock_ms() - cost_began)

/* Runs a case: milliseconds. */
static inline double cost_measure(const cost_case *measured)
{
    double best = 1e9;
    for (int i = 0; i < COST_TRIES || (i < 5 * COST_TRIES && best > COST_MOST_MS); i++) {
        cost_taken = -1;
        measured->run();
        ASSERT(cost_taken >= 0);
        best = cost_taken < best ? cost_taken : best;
    }
    return best;
}

/* Runs all cases, prints what each costs, dearest first, and fails if one is over the limit. */
static inline void cost_check_all(const cost_case *cases, size_t count)
{
    double *taken = calloc(count, sizeof *taken);
    size_t *order = calloc(count, sizeof *order);
    ASSERT(taken != NULL && order != NULL);
    for (size_t i = 0; i < count; i++) {
        taken[i] = cost_measure(&cases[i]);
        size_t place = i;
        for (; place > 0 && taken[order[place - 1]] < taken[i]; place--) {
            order[place] = order[place - 1];
        }
        order[place] = i;
    }
    printf("%10s  %-64s %s\n", "ms", "call", "worst case");
    for (size_t i = 0; i < count; i++) {
        const cost_case *each = &cases[order[i]];
        printf("%10.3f  %-64s %s\n", taken[order[i]], each->name, each->what);
    }
    fflush(stdout);
    if (count > 0 && taken[order[0]] > COST_MOST_MS) {
        test_fail(__FILE__, __LINE__, "%s (%s) takes %.1f ms, which is more than %.0f",
                  cases[order[0]].name, cases[order[0]].what, taken[order[0]], COST_MOST_MS);
    }
    free(taken);
    free(order);
}

/* Whether a case has that name. */
static inline bool cost_has_case(const cost_case *cases, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cases[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A whole file as text; freed by the caller. */
static inline char *cost_read_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        test_fail(__FILE__, __LINE__, "%s can't be opened", path);
    }
    char *text = calloc(1, (size_t)1 << 20);
    ASSERT_NOT_NULL(text);
    ASSERT_LT(fread(text, 1, ((size_t)1 << 20) - 1, file), (1 << 20) - 1);
    fclose(file);
    return text;
}

#endif
