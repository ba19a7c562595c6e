/* Structs of options of callers that know another version of the header. */
#include "base/options.h"
#include "test.h"

typedef struct first_version {
    size_t struct_size;
    uint64_t number;
} first_version;

typedef struct present_version {
    size_t struct_size;
    uint64_t number;
    const char *text;
} present_version;

typedef struct later_version {
    size_t struct_size;
    uint64_t number;
    const char *text;
    uint64_t more;
} later_version;

static const present_version defaults = {sizeof defaults, 7, "seven"};

static void test_an_older_struct_leaves_the_rest_as_it_is(void)
{
    first_version options = {.number = 1};
    options_init(&options, sizeof options, &defaults, sizeof defaults);
    ASSERT_EQ_U(options.struct_size, sizeof options);
    ASSERT_EQ_U(options.number, 7);
    options.number = 8;
    present_version own = defaults;
    ASSERT_EQ(options_take("numbers", &options, &own, sizeof own, NULL), ERYX_OK);
    ASSERT_EQ_U(own.struct_size, sizeof own);
    ASSERT_EQ_U(own.number, 8);
    ASSERT_STR_EQ(own.text, "seven");
}

static void test_a_later_struct_is_refused_with_both_sizes(void)
{
    later_version options = {.more = 1};
    options_init(&options, sizeof options, &defaults, sizeof defaults);
    ASSERT_EQ_U(options.more, 0);
    ASSERT_STR_EQ(options.text, "seven");
    present_version own = defaults;
    eryx_error error;
    ASSERT_EQ(options_take("numbers", &options, &own, sizeof own, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_STR_CONTAINS(error.message, "numbers has 32 bytes");
    ASSERT_STR_CONTAINS(error.message, "it has 24");
    ASSERT_EQ_U(own.number, 7);
}

static void test_what_nobody_has_initialized_is_refused(void)
{
    static const size_t sizes[] = {0, 1, sizeof(size_t), sizeof(size_t) + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        first_version options = {.struct_size = sizes[i]};
        present_version own = defaults;
        eryx_error error;
        ASSERT_EQ(options_take("numbers", &options, &own, sizeof own, &error),
                  ERYX_INVALID_ARGUMENT);
        ASSERT_STR_CONTAINS(error.message, "numbers_init()");
    }
}

/* The public ones are made so. */
static void test_the_structs_of_the_api(void)
{
    struct {
        size_t struct_size;
        const char *source;
        uint8_t behind;
    } old = {.behind = 0x5a};
    eryx_run_options_init_sized((eryx_run_options *)(void *)&old,
                                sizeof(size_t) + sizeof(const char *));
    ASSERT_EQ_U(old.struct_size, sizeof(size_t) + sizeof(const char *));
    ASSERT_STR_EQ(old.source, "");
    ASSERT_EQ_U(old.behind, 0x5a);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    ASSERT_EQ_U(options.struct_size, sizeof options);
    ASSERT_EQ_U(options.limits.struct_size, sizeof options.limits);
}

TEST_MAIN(TEST_CASE(test_an_older_struct_leaves_the_rest_as_it_is),
          TEST_CASE(test_a_later_struct_is_refused_with_both_sizes),
          TEST_CASE(test_what_nobody_has_initialized_is_refused),
          TEST_CASE(test_the_structs_of_the_api))
