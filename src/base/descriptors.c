#include "base/descriptors.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/assertion.h"
#include "eryx/eryx.h"

/* Of those that the process may have: a half for all guests, a sixteenth for each, but not more
 * than that nor less than that. */
enum { ALL_PART = 2, SHARE_PART = 16, SHARE_LEAST = 16, SHARE_MOST = 1024 };

struct descriptor_share {
    atomic_size_t references;
    atomic_size_t taken;
    size_t limit;
};

static atomic_size_t all_taken;

/* What the embedder has set, 0 for nothing. */
static atomic_size_t chosen_all;
static atomic_size_t chosen_share;

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* How many the process may have. */
static size_t system_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > SIZE_MAX / 2) {
        return SIZE_MAX / 2;
    }
    return (size_t)limit.rlim_cur;
}

static size_t limit_of_all(void)
{
    size_t chosen = atomic_load_explicit(&chosen_all, memory_order_relaxed);
    return chosen > 0 ? chosen : system_limit() / ALL_PART;
}

static size_t limit_of_share(void)
{
    size_t chosen = atomic_load_explicit(&chosen_share, memory_order_relaxed);
    if (chosen > 0) {
        return chosen;
    }
    size_t part = smaller(system_limit() / SHARE_PART, SHARE_MOST);
    return part > SHARE_LEAST ? part : SHARE_LEAST;
}

void eryx_set_descriptor_limits(size_t max_all, size_t max_per_sandbox)
{
    atomic_store_explicit(&chosen_all, max_all, memory_order_relaxed);
    atomic_store_explicit(&chosen_share, max_per_sandbox, memory_order_relaxed);
}

descriptor_share *descriptors_share_create(void)
{
    descriptor_share *share = malloc(sizeof *share);
    if (share != NULL) {
        atomic_init(&share->references, 1);
        atomic_init(&share->taken, 0);
        share->limit = limit_of_share();
    }
    return share;
}

descriptor_share *descriptors_share_retain(descriptor_share *share)
{
    if (share != NULL) {
        atomic_fetch_add_explicit(&share->references, 1, memory_order_relaxed);
    }
    return share;
}

void descriptors_share_release(descriptor_share *share)
{
    if (share != NULL &&
        atomic_fetch_sub_explicit(&share->references, 1, memory_order_acq_rel) == 1) {
        free(share);
    }
}

/* Adds to a count unless that would go over a limit. */
static bool add(atomic_size_t *taken, size_t count, size_t limit)
{
    size_t before = atomic_fetch_add_explicit(taken, count, memory_order_relaxed);
    if (count > limit || before > limit - count) {
        atomic_fetch_sub_explicit(taken, count, memory_order_relaxed);
        return false;
    }
    return true;
}

static void subtract(atomic_size_t *taken, size_t count)
{
    size_t before = atomic_fetch_sub_explicit(taken, count, memory_order_relaxed);
    eryx_assert(before >= count);
    (void)before;
}

int descriptors_take(descriptor_share *share, size_t count)
{
    if (share != NULL && !add(&share->taken, count, share->limit)) {
        return EMFILE;
    }
    if (!add(&all_taken, count, limit_of_all())) {
        if (share != NULL) {
            subtract(&share->taken, count);
        }
        return ENFILE;
    }
    return 0;
}

void descriptors_give(descriptor_share *share, size_t count)
{
    if (share != NULL) {
        subtract(&share->taken, count);
    }
    subtract(&all_taken, count);
}
