/* What tests with the real guest share: an engine from ERYX_IMAGE and ERYX_STDLIB, sandboxes,
 * programs. */
#ifndef ERYX_LIVE_H
#define ERYX_LIVE_H

#include <sys/resource.h>

#include "eryx/eryx.h"
#include "machine/dirty_pages.h"
#include "test.h"

static eryx_engine *live_engine;

static inline void live_open(void)
{
    eryx_engine_options options;
    eryx_engine_options_init(&options);
    options.image_path = getenv("ERYX_IMAGE");
    options.stdlib_path = getenv("ERYX_STDLIB");
    eryx_error error = {{0}};
    eryx_engine_create(&options, &live_engine, &error);
    ASSERT_STR_EQ(error.message, "");
}

static inline void live_close(void)
{
    eryx_engine_destroy(live_engine);
}

static inline eryx_sandbox *live_create(const eryx_sandbox_options *options)
{
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    eryx_sandbox_create(live_engine, options, &sandbox, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_NOT_NULL(sandbox);
    return sandbox;
}

static inline eryx_run_options live_program(const char *source)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = source;
    options.source_size = strlen(source);
    return options;
}

/* Until live_see_pages() there are no descriptors: nobody can tell which pages were written, and
 * layers of memory cannot be made. */
static inline struct rlimit live_hide_pages(void)
{
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    dirty_pages_after_fork();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

static inline void live_see_pages(struct rlimit before)
{
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

#endif
