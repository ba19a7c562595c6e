/* Frozen sandboxes and the engines derived from them, with the real guest. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive_builder.h"
#include "base/checksum.h"
#include "factory_bytes.h"
#include "live.h"
#include "sandbox/engine.h"
#include "sandbox/sandbox.h"

/* Where the fields of the header of frozen bytes are (live/factory.c). */
enum {
    HEADER_VERSION = 8,
    HEADER_BUILD_ID = 16,
    HEADER_IMAGE = 48,
    HEADER_CHECKSUM = 56,
    HEADER_PAGES = 64,
    HEADER_RANGES = 72,
    HEADER_CONTENTS = 80,
    HEADER_FILES = 88,
    HEADER_BYTES = 96,
};

typedef struct frozen {
    uint8_t *data;
    size_t size;
} frozen;

static const eryx_result *run(eryx_sandbox *sandbox, eryx_run_command command, const char *source)
{
    eryx_run_options options = live_program(source);
    options.keep_state = true;
    options.command = command;
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_execute(sandbox, &options, &result, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_STR_EQ(result->message, "");
    return result;
}

static void check_output(eryx_sandbox *sandbox, const char *source, const char *output)
{
    const eryx_result *result = run(sandbox, ERYX_RUN_PROGRAM, source);
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, output,
                    strlen(output));
}

static frozen freeze(const char *request)
{
    frozen made = {NULL, 0};
    eryx_error error = {{0}};
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox, ERYX_RUN_PREPARE, request);
    run(sandbox, ERYX_RUN_SEAL, "");
    eryx_sandbox_freeze(sandbox, &made.data, &made.size, &error);
    ASSERT_STR_EQ(error.message, "");
    eryx_sandbox_destroy(sandbox);
    return made;
}

static frozen freeze_setup(void)
{
    return freeze("{\"imports\": [\"http.client\"], \"callbacks\": null, \"setup\": \"x = [1]; "
                  "open('/data/f', 'w').write('abc')\"}");
}

static eryx_engine *derive(const frozen *from, eryx_packages *packages)
{
    eryx_engine *engine = NULL;
    eryx_error error = {{0}};
    eryx_engine_derive(live_engine, from->data, from->size, packages, ERYX_UNLIMITED, &engine,
                       &error);
    ASSERT_STR_EQ(error.message, "");
    return engine;
}

static eryx_sandbox *create_in(eryx_engine *engine)
{
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    eryx_sandbox_create(engine, NULL, &sandbox, &error);
    ASSERT_STR_EQ(error.message, "");
    return sandbox;
}

static void test_sandboxes_begin_frozen(void)
{
    frozen made = freeze_setup();
    eryx_engine *engine = derive(&made, NULL);
    eryx_free(made.data);
    const char *code = "x.append(2); import sys; print(x, 'http.client' in sys.modules, "
                       "open('/data/f').read()); open('/data/f', 'a').write('d')";
    eryx_sandbox *sandbox = create_in(engine);
    check_output(sandbox, code, "[1, 2] True abc\n");
    eryx_sandbox *fork = NULL;
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, NULL), ERYX_OK);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    check_output(sandbox, code, "[1, 2] True abc\n");
    check_output(fork, code, "[1, 2, 2] True abcd\n");
    eryx_engine_destroy(engine);
    eryx_sandbox_destroy(sandbox);
    ASSERT_EQ(eryx_sandbox_reset(fork, NULL), ERYX_OK);
    check_output(fork, code, "[1, 2] True abc\n");
    eryx_sandbox_destroy(fork);
}

/* Also when memory of earlier sandboxes is used again. */
static void test_nothing_of_one_is_in_the_next(void)
{
    frozen made = freeze_setup();
    eryx_engine *engine = derive(&made, NULL);
    uint64_t pages = engine->image.memory_pages;
    for (int i = 0; i < 20; i++) {
        eryx_sandbox *sandbox = create_in(engine);
        const uint8_t *memory = sandbox->instance.memory.data;
        ASSERT_EQ(sandbox->instance.memory.pages, pages);
        for (uint64_t at = GUEST_LOWEST_ADDRESS; at < pages * MEMORY_PAGE_BYTES;
             at += IMAGE_PAGE_BYTES) {
            static const uint8_t zeros[IMAGE_PAGE_BYTES];
            const uint8_t *original = image_page(&engine->image, at);
            ASSERT(memcmp(memory + at, original != NULL ? original : zeros, IMAGE_PAGE_BYTES) == 0);
        }
        check_output(sandbox, "x.append(2); y = bytearray(i for i in range(256)) * 4000; print(x)",
                     "[1, 2]\n");
        eryx_sandbox_destroy(sandbox);
    }
    eryx_engine_destroy(engine);
    eryx_free(made.data);
}

static void test_same_state_same_bytes(void)
{
    frozen made = freeze_setup();
    eryx_engine *engine = derive(&made, NULL);
    eryx_engine *again = derive(&made, NULL);
    ASSERT(engine->image.checksum == again->image.checksum);
    ASSERT(engine->image.checksum != live_engine->image.checksum);
    eryx_engine_destroy(again);
    eryx_engine_destroy(engine);
    eryx_free(made.data);
}

static void test_packages(void)
{
    static const archive_row rows[] = {
        {0, "", NULL},
        {0, "extra", NULL},
        {0, "one.py", "value = 5\n"},
        {1, "__init__.py", "value = 6\n"},
    };
    static const archive_row others[] = {{0, "", NULL}, {0, "one.py", "value = 7\n"}};
    frozen made = freeze("{\"imports\": [], \"callbacks\": null, \"setup\": null}");
    archive_bytes bytes = archive_build(rows, 4);
    archive_bytes other_bytes = archive_build(others, 2);
    eryx_packages *packages = NULL;
    eryx_packages *other = NULL;
    ASSERT_EQ(eryx_packages_create(bytes.data, bytes.size, &packages, NULL), ERYX_OK);
    ASSERT_EQ(eryx_packages_create(other_bytes.data, other_bytes.size, &other, NULL), ERYX_OK);
    memset(bytes.data, 0, bytes.size); /* they were copied */
    eryx_engine *engine = derive(&made, packages);
    eryx_packages_destroy(packages);
    eryx_sandbox *sandbox = create_in(engine);
    check_output(sandbox, "import one, extra, os; print(one.value, extra.value, extra.__file__)",
                 "5 6 /site-packages/extra/__init__.py\n");
    check_output(sandbox, "f = open('/site-packages/one.py'); print(f.read(5))", "value\n");
    eryx_sandbox *fork = NULL;
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, NULL), ERYX_OK);
    check_output(fork, "print(f.read(), os.listdir('/site-packages'))",
                 " = 5\n ['extra', 'one.py']\n");
    eryx_sandbox_destroy(fork);

    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.packages = other;
    eryx_sandbox *with_other = NULL;
    ASSERT_EQ(eryx_sandbox_create(engine, &options, &with_other, NULL), ERYX_OK);
    eryx_packages_destroy(other);
    eryx_engine_destroy(engine);
    check_output(with_other, "import one, os; print(one.value, os.listdir('/site-packages'))",
                 "7 ['one.py']\n");
    check_output(sandbox, "print(os.listdir('/site-packages'))", "['extra', 'one.py']\n");
    eryx_sandbox_destroy(with_other);
    eryx_sandbox_destroy(sandbox);
    free(other_bytes.data);
    free(bytes.data);
    eryx_free(made.data);
}

static void test_packages_without_a_factory(void)
{
    static const archive_row rows[] = {{0, "", NULL}, {0, "one.py", "value = 5\n"}};
    archive_bytes bytes = archive_build(rows, 2);
    eryx_packages *packages = NULL;
    ASSERT_EQ(eryx_packages_create(bytes.data, bytes.size, &packages, NULL), ERYX_OK);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.packages = packages;
    eryx_sandbox *sandbox = live_create(&options);
    eryx_packages_destroy(packages);
    check_output(sandbox, "import one; print(one.value)", "5\n");
    eryx_sandbox_destroy(sandbox);
    eryx_error error = {{0}};
    ASSERT_EQ(eryx_packages_create(bytes.data, bytes.size - 1, &packages, &error),
              ERYX_INITIALIZATION);
    ASSERT(strstr(error.message, "packages") != NULL);
    ASSERT_EQ(eryx_packages_create(bytes.data, 0, &packages, NULL), ERYX_INITIALIZATION);
    ASSERT_EQ(eryx_packages_create(NULL, 0, &packages, NULL), ERYX_INVALID_ARGUMENT);
    eryx_packages_destroy(NULL);
    free(bytes.data);
}

/* Writes a factory file, whose path is then in out_path. */
static void write_factory(const frozen *from, const archive_bytes *packages, char *out_path)
{
    const eryx_bytes parts[] = {
        {(const uint8_t *)"{}", 2},
        {packages->data, packages->size},
        {from->data, from->size},
    };
    uint8_t *bytes = malloc(factory_room(2 + packages->size + from->size));
    ASSERT_NOT_NULL(bytes);
    size_t size = factory_build(bytes, parts);
    int descriptor = mkstemp(out_path);
    ASSERT_GE(descriptor, 0);
    ASSERT_EQ(write(descriptor, bytes, size), (ssize_t)size);
    close(descriptor);
    free(bytes);
}

static void test_files(void)
{
    static const archive_row rows[] = {{0, "", NULL}, {0, "one.py", "value = 5\n"}};
    frozen made = freeze_setup();
    archive_bytes packed = archive_build(rows, 2);
    char path[] = "/tmp/eryx-factory-XXXXXX";
    write_factory(&made, &packed, path);
    eryx_engine *engine = NULL;
    eryx_error error = {{0}};
    ASSERT_EQ(eryx_engine_load(live_engine, path, NULL, ERYX_UNLIMITED, &engine, &error), ERYX_OK);
    eryx_sandbox *sandbox = create_in(engine);
    check_output(sandbox, "import one; print(one.value, x, open('/data/f').read())", "5 [1] abc\n");
    eryx_sandbox_destroy(sandbox);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    ASSERT_EQ(eryx_packages_open(path, NULL, ERYX_UNLIMITED, &options.packages, &error), ERYX_OK);
    sandbox = live_create(&options);
    eryx_packages_destroy(options.packages);
    check_output(sandbox, "import one; print(one.value, 'x' in globals())", "5 False\n");
    eryx_sandbox_destroy(sandbox);

    eryx_engine *other = NULL;
    const eryx_bytes empty = {NULL, 0};
    ASSERT_EQ(eryx_engine_load(engine, path, NULL, ERYX_UNLIMITED, &other, &error),
              ERYX_INVALID_ARGUMENT); /* it is derived itself */
    ASSERT_STR_CONTAINS(error.message, path);
    ASSERT_EQ(eryx_engine_load(live_engine, path, &empty, ERYX_UNLIMITED, &other, &error),
              ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_engine_load(live_engine, NULL, NULL, ERYX_UNLIMITED, &other, NULL),
              ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_engine_load(NULL, path, NULL, ERYX_UNLIMITED, &other, NULL),
              ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_engine_load(live_engine, path, NULL, 1000, &other, &error), ERYX_RESOURCE_LIMIT);
    ASSERT_EQ(eryx_packages_open(path, NULL, ERYX_UNLIMITED, NULL, NULL), ERYX_INVALID_ARGUMENT);
    unlink(path);

    /* Sealed, and wrong inside. */
    char wrong_path[] = "/tmp/eryx-factory-XXXXXX";
    made.data[HEADER_CONTENTS] ^= 1;
    write_factory(&made, &packed, wrong_path);
    ASSERT_EQ(eryx_engine_load(live_engine, wrong_path, NULL, ERYX_UNLIMITED, &other, &error),
              ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "the factory is damaged");
    unlink(wrong_path);
    char no_archive_path[] = "/tmp/eryx-factory-XXXXXX";
    packed.data[0] ^= 1;
    write_factory(&made, &packed, no_archive_path);
    eryx_packages *packages = NULL;
    ASSERT_EQ(eryx_packages_open(no_archive_path, NULL, ERYX_UNLIMITED, &packages, &error),
              ERYX_INITIALIZATION);
    ASSERT_NULL(packages);
    ASSERT_NULL(other);
    unlink(no_archive_path);
    eryx_engine_destroy(engine);
    free(packed.data);
    eryx_free(made.data);
}

static void test_refusals(void)
{
    frozen made = freeze_setup();
    eryx_engine *engine = derive(&made, NULL);
    eryx_sandbox *sandbox = create_in(engine);
    uint8_t *data = NULL;
    size_t size = 0;
    ASSERT_EQ(eryx_sandbox_freeze(sandbox, &data, &size, NULL), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_sandbox_freeze(sandbox, NULL, &size, NULL), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_sandbox_freeze(NULL, &data, &size, NULL), ERYX_INVALID_ARGUMENT);
    eryx_engine *other = NULL;
    ASSERT_EQ(eryx_engine_derive(engine, made.data, made.size, NULL, ERYX_UNLIMITED, &other, NULL),
              ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_engine_derive(NULL, made.data, made.size, NULL, ERYX_UNLIMITED, &other, NULL),
              ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_engine_derive(live_engine, NULL, 0, NULL, ERYX_UNLIMITED, &other, NULL),
              ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(
        eryx_engine_derive(live_engine, made.data, made.size, NULL, ERYX_UNLIMITED, NULL, NULL),
        ERYX_INVALID_ARGUMENT);
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);

    sandbox = live_create(NULL);
    eryx_run_options options = live_program("import time; time.sleep(5)");
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    ASSERT_EQ(eryx_sandbox_freeze(sandbox, &data, &size, NULL), ERYX_BUSY);
    eryx_sandbox_destroy(sandbox);
    eryx_free(made.data);
}

/* ---- Bytes that are wrong ---------------------------------------------------------------------
 */

static void sign(frozen *bytes)
{
    memset(bytes->data + HEADER_CHECKSUM, 0, 8);
    uint64_t sum = checksum_update(checksum_update(0, bytes->data, HEADER_BYTES),
                                   bytes->data + HEADER_BYTES, bytes->size - HEADER_BYTES);
    memcpy(bytes->data + HEADER_CHECKSUM, &sum, sizeof sum);
}

/* Gives what deriving from it says; if it is taken, its sandboxes must be sound for the host. */
static eryx_status try_bytes(const uint8_t *data, size_t size)
{
    eryx_engine *engine = NULL;
    eryx_error error = {{0}};
    eryx_status status =
        eryx_engine_derive(live_engine, data, size, NULL, ERYX_UNLIMITED, &engine, &error);
    if (status != ERYX_OK) {
        ASSERT(error.message[0] != '\0');
        return status;
    }
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = 500;
    eryx_sandbox *sandbox = NULL;
    if (eryx_sandbox_create(engine, &options, &sandbox, NULL) == ERYX_OK) {
        eryx_run_options program = live_program("print(x)");
        const eryx_result *result = NULL;
        eryx_execute(sandbox, &program, &result, NULL);
        eryx_sandbox_destroy(sandbox);
    }
    eryx_engine_destroy(engine);
    return ERYX_OK;
}

static void test_every_truncation(void)
{
    frozen made = freeze_setup();
    for (size_t size = 0; size < made.size; size += size < 512 ? 1 : 4093) {
        ASSERT(try_bytes(made.data, size) != ERYX_OK);
    }
    ASSERT_EQ(try_bytes(made.data, made.size), ERYX_OK);
    eryx_free(made.data);
}

static void test_every_change_is_found(void)
{
    frozen made = freeze_setup();
    for (size_t at = 0; at < made.size; at += at < HEADER_BYTES ? 1 : 20011) {
        made.data[at] ^= 0x40;
        ASSERT(try_bytes(made.data, made.size) != ERYX_OK);
        made.data[at] ^= 0x40;
    }
    eryx_free(made.data);
}

/* Sets a field of the header, with a checksum that fits, and gives what comes of it. */
static eryx_status try_field(const frozen *made, size_t offset, uint64_t value)
{
    frozen changed = {malloc(made->size), made->size};
    memcpy(changed.data, made->data, made->size);
    memcpy(changed.data + offset, &value, sizeof value);
    sign(&changed);
    eryx_status status = try_bytes(changed.data, changed.size);
    free(changed.data);
    return status;
}

static void test_fields_that_lie(void)
{
    frozen made = freeze_setup();
    static const uint64_t values[] = {0,
                                      1,
                                      65537,
                                      UINT32_MAX,
                                      (uint64_t)1 << 40,
                                      UINT64_MAX / 16,
                                      UINT64_MAX / 16 + 2,
                                      UINT64_MAX - 4095,
                                      UINT64_MAX};
    static const size_t fields[] = {HEADER_IMAGE, HEADER_RANGES, HEADER_CONTENTS, HEADER_FILES};
    for (size_t field = 0; field < sizeof fields / sizeof fields[0]; field++) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            ASSERT(try_field(&made, fields[field], values[i]) != ERYX_OK);
        }
    }
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        try_field(&made, HEADER_PAGES, values[i]);
        try_field(&made, HEADER_VERSION, values[i]); /* and the stack pointer */
    }
    ASSERT_EQ(try_field(&made, HEADER_VERSION, 3), ERYX_WRONG_BUILD);
    ASSERT_EQ(try_field(&made, HEADER_BUILD_ID, 5), ERYX_WRONG_BUILD);
    ASSERT_EQ(try_field(&made, HEADER_IMAGE, 5), ERYX_WRONG_BUILD);
    ASSERT_EQ(try_field(&made, HEADER_PAGES, 65537), ERYX_INITIALIZATION);
    eryx_free(made.data);
}

static void test_ranges_that_lie(void)
{
    frozen made = freeze_setup();
    uint64_t count;
    memcpy(&count, made.data + HEADER_RANGES, sizeof count);
    ASSERT(count > 4);
    for (uint64_t range = 0; range < count; range += 1 + count / 7) {
        size_t at = HEADER_BYTES + (size_t)range * 16;
        uint64_t offset;
        uint64_t size;
        memcpy(&offset, made.data + at, 8);
        memcpy(&size, made.data + at + 8, 8);
        const uint64_t offsets[] = {offset + 1, UINT64_MAX & ~(uint64_t)4095, (uint64_t)1 << 32};
        const uint64_t sizes[] = {0, size + 1, size + 4096, UINT64_MAX & ~(uint64_t)4095};
        for (size_t i = 0; i < 3; i++) {
            ASSERT_EQ(try_field(&made, at, offsets[i]), ERYX_INITIALIZATION);
        }
        for (size_t i = 0; i < 4; i++) {
            ASSERT_EQ(try_field(&made, at + 8, sizes[i]), ERYX_INITIALIZATION);
        }
    }
    /* The first two change places. */
    uint8_t both[32];
    memcpy(both, made.data + HEADER_BYTES, 32);
    memcpy(made.data + HEADER_BYTES, both + 16, 16);
    memcpy(made.data + HEADER_BYTES + 16, both, 16);
    sign(&made);
    ASSERT_EQ(try_bytes(made.data, made.size), ERYX_INITIALIZATION);
    eryx_free(made.data);
}

/* A frozen sandbox with as many pages of contents, each of them so far from the next. */
static frozen spread_pages(uint64_t count, uint64_t distance)
{
    frozen made = freeze_setup();
    uint64_t numbers[] = {65536, count, count * 4096, 0};
    size_t size = HEADER_BYTES + (size_t)count * (16 + 4096);
    made.data = realloc(made.data, size);
    memset(made.data + HEADER_BYTES, 1, size - HEADER_BYTES);
    made.size = size;
    memcpy(made.data + HEADER_PAGES, numbers, sizeof numbers);
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t range[] = {GUEST_LOWEST_ADDRESS + i * distance, 4096};
        memcpy(made.data + HEADER_BYTES + i * 16, range, sizeof range);
    }
    sign(&made);
    return made;
}

/* Little that is far apart must not take as much memory as lies between. */
static void test_ranges_far_apart(void)
{
    frozen far = spread_pages(100, 40 << 20);
    eryx_engine *engine;
    eryx_error error = {{0}};
    ASSERT_EQ(
        eryx_engine_derive(live_engine, far.data, far.size, NULL, ERYX_UNLIMITED, &engine, &error),
        ERYX_INITIALIZATION);
    ASSERT(strstr(error.message, "too thinly") != NULL);
    ASSERT_EQ(eryx_engine_derive(live_engine, far.data, far.size, NULL, 1 << 30, &engine, &error),
              ERYX_RESOURCE_LIMIT);
    ASSERT_STR_EQ(error.message,
                  "the factory needs 4294967296 bytes of memory, the limit is 1073741824");
    free(far.data);
    /* What lies near is joined; what lies far, if it is not much, has a mapping for itself. */
    frozen near = spread_pages(100, 8192);
    ASSERT_EQ(try_bytes(near.data, near.size), ERYX_OK);
    free(near.data);
    frozen few = spread_pages(20, 200 << 20);
    ASSERT_EQ(try_bytes(few.data, few.size), ERYX_OK);
    free(few.data);
}

static void test_limit_of_a_sandbox(void)
{
    frozen made =
        freeze("{\"imports\": [], \"callbacks\": null, \"setup\": \"x = bytes(60 << 20)\"}");
    eryx_engine *engine = derive(&made, NULL);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    options.limits.max_memory_bytes = 64 << 20;
    ASSERT_EQ(eryx_sandbox_create(engine, &options, &sandbox, &error), ERYX_RESOURCE_LIMIT);
    ASSERT(strstr(error.message, "the limit is 67108864") != NULL);
    options.limits.max_memory_bytes = 128 << 20;
    ASSERT_EQ(eryx_sandbox_create(engine, &options, &sandbox, &error), ERYX_OK);
    check_output(sandbox, "print(len(x) >> 20)", "60\n");
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    eryx_engine *other;
    ASSERT_EQ(eryx_engine_derive(live_engine, made.data, made.size, NULL, 64 << 20, &other, &error),
              ERYX_RESOURCE_LIMIT);
    eryx_free(made.data);
    /* As in a plain sandbox, a limit below what the image has only keeps it from growing. */
    made = freeze_setup();
    engine = derive(&made, NULL);
    options.limits.max_memory_bytes = 1;
    if (engine->image.memory_pages == live_engine->image.memory_pages) {
        ASSERT_EQ(eryx_sandbox_create(engine, &options, &sandbox, &error), ERYX_OK);
        eryx_sandbox_destroy(sandbox);
    }
    eryx_engine_destroy(engine);
    eryx_free(made.data);
}

/* Files of a few bytes each that begin far behind where they are. */
static void test_files_that_are_mostly_gaps(void)
{
    frozen made =
        freeze("{\"imports\": [], \"callbacks\": null, \"setup\": \"f = open('/data/f', 'wb'); "
               "f.seek(50 << 20); f.write(b'x'); f.close()\"}");
    eryx_engine *engine = derive(&made, NULL);
    eryx_sandbox *sandbox = create_in(engine);
    check_output(sandbox, "import os; print(os.stat('/data/f').st_size)", "52428801\n");
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    eryx_free(made.data);
}

/* Whatever is in the memory, the host stays sound. */
static void test_contents_that_are_made_up(void)
{
    frozen made = freeze_setup();
    uint64_t count;
    uint64_t contents;
    memcpy(&count, made.data + HEADER_RANGES, sizeof count);
    memcpy(&contents, made.data + HEADER_CONTENTS, sizeof contents);
    size_t begin = HEADER_BYTES + (size_t)count * 16;
    uint32_t random = 1;
    for (int round = 0; round < 24; round++) {
        frozen changed = {malloc(made.size), made.size};
        memcpy(changed.data, made.data, made.size);
        for (int i = 0; i < (round < 8 ? 4 : 4000); i++) {
            random = random * 1664525 + 1013904223;
            changed.data[begin + random % (uint32_t)contents] ^= (uint8_t)(random >> 24 | 1);
        }
        sign(&changed);
        ASSERT_EQ(try_bytes(changed.data, changed.size), ERYX_OK);
        free(changed.data);
    }
    size_t files = made.size - (begin + (size_t)contents);
    for (size_t at = 0; at < files; at++) {
        frozen changed = {malloc(made.size), made.size};
        memcpy(changed.data, made.data, made.size);
        changed.data[made.size - files + at] ^= 0xff;
        sign(&changed);
        try_bytes(changed.data, changed.size);
        free(changed.data);
    }
    eryx_free(made.data);
}

/* ---- Threads and processes --------------------------------------------------------------------
 */

static void *use_engine(void *argument)
{
    eryx_engine *engine = argument;
    for (int i = 0; i < 30; i++) {
        eryx_sandbox *sandbox = create_in(engine);
        check_output(sandbox, "x.append(2); print(x)", "[1, 2]\n");
        eryx_sandbox_destroy(sandbox);
    }
    return NULL;
}

static void test_threads(void)
{
    frozen made = freeze_setup();
    eryx_engine *engine = derive(&made, NULL);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, use_engine, engine), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    eryx_engine_trim(engine);
    eryx_engine_destroy(engine);
    eryx_free(made.data);
}

static void test_child_uses_the_engine(void)
{
    frozen made = freeze_setup();
    eryx_engine *engine = derive(&made, NULL);
    eryx_sandbox *sandbox = create_in(engine);
    check_output(sandbox, "print(x)", "[1]\n");
    eryx_sandbox_destroy(sandbox);
    pid_t child = fork();
    if (child == 0) {
        use_engine(engine);
        _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    use_engine(engine);
    eryx_engine_destroy(engine);
    eryx_free(made.data);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_sandboxes_begin_frozen),
          TEST_CASE(test_nothing_of_one_is_in_the_next), TEST_CASE(test_same_state_same_bytes),
          TEST_CASE(test_packages), TEST_CASE(test_packages_without_a_factory),
          TEST_CASE(test_files), TEST_CASE(test_refusals), TEST_CASE(test_every_truncation),
          TEST_CASE(test_every_change_is_found), TEST_CASE(test_fields_that_lie),
          TEST_CASE(test_ranges_that_lie), TEST_CASE(test_ranges_far_apart),
          TEST_CASE(test_limit_of_a_sandbox), TEST_CASE(test_files_that_are_mostly_gaps),
          TEST_CASE(test_contents_that_are_made_up), TEST_CASE(test_threads),
          TEST_CASE(test_child_uses_the_engine), TEST_CASE(live_close))
