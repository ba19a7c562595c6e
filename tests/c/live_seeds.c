/* The images whose strings have other hashes: drawn, kept with a state, taken back. */
#include <unistd.h>

#include "live.h"
#include "sandbox/sandbox.h"

enum { MANY = 40 };

static char seeds_path[512];
static char own_folder[] = "/tmp/eryx-seeds-folder-XXXXXX";

static void open_with_seeds(const char *folder)
{
    eryx_engine_options options;
    eryx_engine_options_init(&options);
    options.image_path = getenv("ERYX_IMAGE");
    options.stdlib_path = getenv("ERYX_STDLIB");
    options.seeds_path = seeds_path;
    options.unpack_folder = folder;
    eryx_error error = {{0}};
    eryx_engine_create(&options, &live_engine, &error);
    ASSERT_STR_EQ(error.message, "");
}

static void run(eryx_sandbox *sandbox, const char *source, char *out_text, size_t size)
{
    eryx_run_options options = live_program(source);
    options.keep_state = true;
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_execute(sandbox, &options, &result, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_STR_EQ(result->message, "");
    snprintf(out_text, size, "%.*s", (int)result->standard_output.size,
             (const char *)result->standard_output.data);
}

static void check_set(eryx_sandbox *sandbox)
{
    char text[64];
    run(sandbox, "print('77' in names)", text, sizeof text);
    ASSERT_STR_EQ(text, "True\n");
}

/* A sandbox with another image than the one that is given: of so many that live at the same time
 * each has drawn. */
static eryx_sandbox *create_other(const eryx_engine *engine)
{
    eryx_sandbox *found = NULL;
    eryx_sandbox *others[MANY];
    int count = 0;
    while (found == NULL && count < MANY) {
        eryx_sandbox *sandbox = live_create(NULL);
        if (sandbox->engine != engine) {
            found = sandbox;
        } else {
            others[count++] = sandbox;
        }
    }
    while (count > 0) {
        eryx_sandbox_destroy(others[--count]);
    }
    ASSERT_NOT_NULL(found);
    return found;
}

static void test_sandboxes_draw(void)
{
    char first[64] = "";
    int others = 0;
    eryx_sandbox *sandboxes[MANY];
    for (int i = 0; i < MANY; i++) {
        char text[64];
        sandboxes[i] = live_create(NULL);
        run(sandboxes[i], "print(hash('eryx'))", text, sizeof text);
        others += first[0] != '\0' && strcmp(first, text) != 0;
        memcpy(first, text, sizeof first);
    }
    for (int i = 0; i < MANY; i++) {
        eryx_sandbox_destroy(sandboxes[i]);
    }
    ASSERT(others > 0);
}

static void test_state_goes_to_a_sandbox_of_another_image(void)
{
    char path[] = "/tmp/eryx-seeds-XXXXXX";
    char none[8];
    ASSERT_EQ(close(mkstemp(path)), 0);
    eryx_error error = {{0}};
    for (int i = 0; i < 8; i++) {
        eryx_sandbox *saved = live_create(NULL);
        run(saved, "names = {str(i) for i in range(100)}", none, sizeof none);
        eryx_checkpoint *checkpoint = NULL;
        ASSERT_EQ(eryx_checkpoint_create(saved, false, &checkpoint, &error), ERYX_OK);
        ASSERT_EQ(eryx_sandbox_save(saved, path, false, &error), ERYX_OK);
        eryx_sandbox *loaded = create_other(saved->engine);
        ASSERT_EQ(eryx_sandbox_load(loaded, path, &error), ERYX_OK);
        check_set(loaded);
        ASSERT(loaded->engine == saved->engine);
        eryx_sandbox *rolled = create_other(saved->engine);
        ASSERT_EQ(eryx_sandbox_rollback(rolled, checkpoint, &error), ERYX_OK);
        check_set(rolled);
        eryx_sandbox *fork = NULL;
        ASSERT_EQ(eryx_sandbox_fork(rolled, &fork, &error), ERYX_OK);
        check_set(fork);
        eryx_checkpoint_destroy(checkpoint);
        eryx_sandbox_destroy(saved);
        eryx_sandbox_destroy(loaded);
        eryx_sandbox_destroy(rolled);
        eryx_sandbox_destroy(fork);
    }
    unlink(path);
}

static void test_fixed_ones_have_the_first(void)
{
    char none[8];
    eryx_error error = {{0}};
    eryx_sandbox *sandbox = create_other(live_engine);
    run(sandbox, "names = {str(i) for i in range(100)}", none, sizeof none);
    ASSERT_EQ(eryx_sandbox_fix_hash_seed(sandbox, &error), ERYX_INVALID_ARGUMENT);
    check_set(sandbox);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, &error), ERYX_OK);
    ASSERT(sandbox->engine != live_engine);
    ASSERT_EQ(eryx_sandbox_fix_hash_seed(sandbox, &error), ERYX_OK);
    ASSERT(sandbox->engine == live_engine);
    run(sandbox, "names = {str(i) for i in range(100)}", none, sizeof none);
    check_set(sandbox);
    eryx_sandbox_destroy(sandbox);
}

static void test_sandbox_outlives_its_engine(void)
{
    char none[8];
    open_with_seeds(own_folder);
    eryx_sandbox *held[8];
    for (int i = 0; i < 8; i++) {
        held[i] = live_create(NULL);
    }
    live_close();
    for (int i = 0; i < 8; i++) {
        run(held[i], "names = {str(i) for i in range(100)}", none, sizeof none);
        check_set(held[i]);
        eryx_sandbox_destroy(held[i]);
    }
}

static void open_first(void)
{
    const char *first = getenv("ERYX_IMAGE");
    snprintf(seeds_path, sizeof seeds_path, "%.*sseeds.bin",
             (int)(strlen(first) - strlen("image.bin")), first);
    ASSERT_NOT_NULL(mkdtemp(own_folder));
    open_with_seeds(own_folder);
}

static void test_images_are_kept_in_a_folder(void)
{
    char below[128];
    snprintf(below, sizeof below, "%s/cache/images", own_folder);
    for (int i = 0; i < 2; i++) {
        open_with_seeds(below);
        test_sandboxes_draw();
        live_close();
    }
}

static void test_without_a_folder_states_bring_their_image(void)
{
    char path[] = "/tmp/eryx-seeds-XXXXXX";
    char none[8];
    eryx_error error = {{0}};
    ASSERT_EQ(close(mkstemp(path)), 0);
    open_with_seeds(own_folder);
    eryx_sandbox *saved = create_other(live_engine);
    run(saved, "names = {str(i) for i in range(100)}", none, sizeof none);
    ASSERT_EQ(eryx_sandbox_save(saved, path, false, &error), ERYX_OK);
    eryx_sandbox_destroy(saved);
    live_close();

    open_with_seeds(NULL);
    for (int i = 0; i < MANY; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        ASSERT(sandbox->engine == live_engine);
        eryx_sandbox_destroy(sandbox);
    }
    eryx_sandbox *loaded = live_create(NULL);
    ASSERT_EQ(eryx_sandbox_load(loaded, path, &error), ERYX_OK);
    ASSERT(loaded->engine != live_engine);
    check_set(loaded);
    eryx_sandbox_destroy(loaded);
    live_close();
    unlink(path);
}

static void remove_folder(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -r '%s'", own_folder);
    ASSERT_EQ(system(command), 0);
}

TEST_MAIN(TEST_CASE(open_first), TEST_CASE(test_sandboxes_draw),
          TEST_CASE(test_state_goes_to_a_sandbox_of_another_image),
          TEST_CASE(test_fixed_ones_have_the_first), TEST_CASE(live_close),
          TEST_CASE(test_images_are_kept_in_a_folder),
          TEST_CASE(test_without_a_folder_states_bring_their_image),
          TEST_CASE(test_sandbox_outlives_its_engine), TEST_CASE(remove_folder))
