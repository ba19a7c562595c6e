/* Storages as a part of checkpoints and saved sessions, with the real guest. */
#include <unistd.h>

#include "live.h"

static void check_output(eryx_sandbox *sandbox, const char *source, const char *output)
{
    eryx_run_options options = live_program(source);
    options.keep_state = true;
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_execute(sandbox, &options, &result, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_STR_EQ(result->message, "");
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, output,
                    strlen(output));
}

static eryx_storage *create_storage(uint64_t max_bytes)
{
    eryx_storage *storage = NULL;
    ASSERT_EQ(eryx_storage_create(max_bytes, 1000, &storage), ERYX_FILE_OK);
    return storage;
}

/* With a storage at /data, or there and read-only at /again. */
static eryx_sandbox *create_with(eryx_storage *storage, size_t mounts)
{
    const eryx_mount both[] = {{.guest_path = "/data", .storage = storage},
                               {.guest_path = "/again", .storage = storage, .read_only = true}};
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.mounts = both;
    options.mount_count = mounts;
    return live_create(&options);
}

static void check_file(eryx_storage *storage, const char *path, const char *contents)
{
    uint8_t *data = NULL;
    size_t size = 0;
    eryx_file_error error = eryx_storage_read(storage, path, &data, &size);
    if (contents == NULL) {
        ASSERT_EQ(error, ERYX_FILE_NOT_FOUND);
        return;
    }
    ASSERT_EQ(error, ERYX_FILE_OK);
    ASSERT_BYTES_EQ(data, size, contents, strlen(contents));
    eryx_free(data);
}

static uint64_t used_entries(eryx_storage *storage)
{
    eryx_storage_usage usage;
    ASSERT_EQ(eryx_storage_get_usage(storage, &usage), ERYX_FILE_OK);
    return usage.entries;
}

static const char prepare[] =
    "import os, tempfile\n"
    "f = open('/data/f', 'w+'); f.write('one'); f.flush()\n"
    "os.makedirs('/data/d/e'); open('/data/d/g', 'w').write('g'); os.link('/data/d/g', '/data/h')\n"
    "os.symlink('d/g', '/data/s')\n"
    "t = tempfile.TemporaryFile(dir='/data'); t.write(b'gone'); t.flush()\n"
    "for i in range(5): open(f'/data/n{i}', 'w').close()\n"
    "it = os.scandir('/data'); first = next(it).name\n"
    "def look():\n"
    "    f.seek(0); t.seek(0)\n"
    "    print(f.read(), t.read(), sorted(os.listdir('/data')), os.stat('/data/h').st_nlink)\n";

static const char looked[] = "one b'gone' ['d', 'f', 'h', 'n0', 'n1', 'n2', 'n3', 'n4', 's'] 2\n";

static const char spoil[] =
    "f.write('two'); f.flush(); t.write(b'more'); t.flush(); os.remove('/data/h')\n"
    "os.rename('/data/d', '/data/dd'); open('/data/new', 'w').write('new')\n"
    "os.remove('/data/n1')\nopen('/data/dd/g', 'a').write('more')";

static void test_rollback_puts_storages_back(void)
{
    eryx_storage *storage = create_storage(1 << 20);
    eryx_sandbox *sandbox = create_with(storage, 2);
    eryx_checkpoint *checkpoint;
    check_output(sandbox, prepare, "");
    uint64_t entries = used_entries(storage);
    ASSERT_EQ(eryx_checkpoint_create(sandbox, true, &checkpoint, NULL), ERYX_OK);
    ASSERT_EQ_U(used_entries(storage), entries);
    for (int i = 0; i < 3; i++) {
        check_output(sandbox, spoil, "");
        check_file(storage, "dd/g", "gmore");
        ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
        ASSERT_EQ_U(used_entries(storage), entries);
        check_output(sandbox, "look()", looked);
        check_output(sandbox, "print(open('/again/s').read(), open('/data/d/g').read())", "g g\n");
        check_output(sandbox,
                     "print(sorted([first] + [e.name for e in it]) == sorted(os.listdir('/data')))",
                     "True\n");
        check_file(storage, "h", "g");
        check_file(storage, "new", NULL);
    }
    eryx_sandbox_destroy(sandbox);
    ASSERT_EQ(eryx_storage_write(storage, "d/g", (const uint8_t *)"x", 1), ERYX_FILE_OK);
    sandbox = live_create(NULL); /* gets the mounts of the checkpoint */
    ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
    check_output(sandbox, "look()", looked);
    check_file(storage, "d/g", "g");
    eryx_checkpoint_destroy(checkpoint);
    eryx_sandbox_destroy(sandbox);
    ASSERT_EQ_U(used_entries(storage), entries - 1); /* the nameless file is closed */
    eryx_storage_destroy(storage);
}

static void test_others_keep_what_they_have_open(void)
{
    eryx_storage *storage = create_storage(1 << 20);
    eryx_sandbox *first = create_with(storage, 1);
    eryx_sandbox *second = create_with(storage, 1);
    eryx_checkpoint *checkpoint;
    check_output(first, prepare, "");
    ASSERT_EQ(eryx_checkpoint_create(first, true, &checkpoint, NULL), ERYX_OK);
    check_output(second,
                 "import os\nf = open('/data/f', 'r+'); f.write('other'); f.flush()\n"
                 "os.chdir('/data/d'); it = os.scandir('/data/d')",
                 "");
    ASSERT_EQ(eryx_sandbox_rollback(first, checkpoint, NULL), ERYX_OK);
    check_output(second,
                 "f.seek(0); print(f.read(), os.fstat(f.fileno()).st_nlink, list(it))\n"
                 "print(open('/data/f').read(), sorted(os.listdir('/data/d')))",
                 "other 0 []\none ['e', 'g']\n");
    check_output(first, "look()", looked);
    uint64_t entries = used_entries(storage);
    eryx_sandbox_destroy(second);
    ASSERT_EQ_U(used_entries(storage), entries - 1);
    eryx_sandbox_destroy(first);
    eryx_checkpoint_destroy(checkpoint);
    eryx_storage_destroy(storage);
}

/* Without storages a checkpoint leaves them alone, and what is open in them is shared. */
static void test_storages_stay_unless_included(void)
{
    eryx_storage *storage = create_storage(1 << 20);
    eryx_sandbox *sandbox = create_with(storage, 1);
    eryx_checkpoint *checkpoint;
    check_output(sandbox, prepare, "");
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, NULL), ERYX_OK);
    check_output(sandbox, "f.write('two'); f.flush()", "");
    ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
    check_output(sandbox, "f.seek(0); print(f.read())", "onetwo\n");
    eryx_checkpoint_destroy(checkpoint);
    eryx_sandbox_destroy(sandbox);
    eryx_storage_destroy(storage);
}

/* The two sets of files are never both counted, so a full storage can be put back. */
static void test_a_full_storage_can_be_put_back(void)
{
    eryx_storage *storage = create_storage(200000);
    eryx_sandbox *sandbox = create_with(storage, 1);
    eryx_checkpoint *checkpoint;
    check_output(sandbox, "open('/data/full', 'wb').write(b'a' * 200000)", "");
    ASSERT_EQ(eryx_checkpoint_create(sandbox, true, &checkpoint, NULL), ERYX_OK);
    check_output(sandbox, "open('/data/full', 'wb').write(b'b' * 200000)", "");
    ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
    check_output(sandbox,
                 "print(open('/data/full', 'rb').read() == b'a' * 200000)\n"
                 "try: open('/data/more', 'wb', buffering=0).write(b'x' * 70000)\n"
                 "except OSError as e: print(e.errno)",
                 "True\n51\n");
    eryx_checkpoint_destroy(checkpoint);
    eryx_sandbox_destroy(sandbox);
    eryx_storage_destroy(storage);
}

/* ---- Files ------------------------------------------------------------------------------------
 */

static char path[64];

static void save_example(void)
{
    snprintf(path, sizeof path, "/tmp/eryx-storages-%d", (int)getpid());
    eryx_storage *storage = create_storage(1 << 20);
    eryx_sandbox *sandbox = create_with(storage, 2);
    check_output(sandbox, prepare, "");
    eryx_error error = {{0}};
    ASSERT_EQ(eryx_sandbox_save(sandbox, path, false, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_STR_CONTAINS(error.message, "open");
    error.message[0] = '\0';
    eryx_sandbox_save(sandbox, path, true, &error);
    ASSERT_STR_EQ(error.message, "");
    check_output(sandbox, "look()", looked);
    eryx_sandbox_destroy(sandbox);
    eryx_storage_destroy(storage);
}

static void test_saved_storages_come_back(void)
{
    save_example();
    eryx_storage *storage = create_storage(1 << 20);
    ASSERT_EQ(eryx_storage_write(storage, "old", (const uint8_t *)"x", 1), ERYX_FILE_OK);
    eryx_sandbox *sandbox = create_with(storage, 2);
    eryx_error error = {{0}};
    eryx_sandbox_load(sandbox, path, &error);
    ASSERT_STR_EQ(error.message, "");
    check_file(storage, "old", NULL);
    check_file(storage, "d/g", "g");
    check_output(sandbox, "look()", looked);
    check_output(sandbox,
                 "print(sorted([first] + [e.name for e in it]) == sorted(os.listdir('/data')))",
                 "True\n");
    check_output(sandbox, spoil, "");
    check_file(storage, "dd/g", "gmore");
    eryx_sandbox_destroy(sandbox);
    eryx_storage_destroy(storage);
    unlink(path);
}

static void test_a_storage_must_be_there(void)
{
    save_example();
    eryx_error error;
    eryx_sandbox *sandbox = live_create(NULL);
    ASSERT_EQ(eryx_sandbox_load(sandbox, path, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "a storage at /data");
    check_output(sandbox, "print(1)", "1\n");
    eryx_sandbox_destroy(sandbox);

    eryx_storage *storage = create_storage(5); /* too small for what was saved */
    ASSERT_EQ(eryx_storage_write(storage, "old", (const uint8_t *)"x", 1), ERYX_FILE_OK);
    sandbox = create_with(storage, 1);
    ASSERT_EQ(eryx_sandbox_load(sandbox, path, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "limits");
    check_file(storage, "old", "x");
    check_output(sandbox, "import os; print(os.listdir('/data'))", "['old']\n");
    eryx_sandbox_destroy(sandbox);
    eryx_storage_destroy(storage);
    unlink(path);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_rollback_puts_storages_back),
          TEST_CASE(test_others_keep_what_they_have_open),
          TEST_CASE(test_storages_stay_unless_included),
          TEST_CASE(test_a_full_storage_can_be_put_back), TEST_CASE(test_saved_storages_come_back),
          TEST_CASE(test_a_storage_must_be_there), TEST_CASE(live_close))
