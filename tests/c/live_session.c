/* Live state with the real guest: state between runs, forks, checkpoints. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "live.h"
#include "sandbox/sandbox.h"

static char path[64]; /* of a saved session */

static const eryx_result *run(eryx_sandbox *sandbox, const char *source)
{
    eryx_run_options options = live_program(source);
    options.keep_state = true;
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_execute(sandbox, &options, &result, &error);
    ASSERT_STR_EQ(error.message, "");
    return result;
}

static void check_output(eryx_sandbox *sandbox, const char *source, const char *output)
{
    const eryx_result *result = run(sandbox, source);
    ASSERT_STR_EQ(result->message, "");
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, output,
                    strlen(output));
}

static eryx_sandbox *fork_of(eryx_sandbox *sandbox)
{
    eryx_sandbox *fork = NULL;
    eryx_error error = {{0}};
    eryx_sandbox_fork(sandbox, &fork, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_NOT_NULL(fork);
    return fork;
}

static void test_fork_goes_its_own_way(void)
{
    eryx_sandbox *first = live_create(NULL);
    run(first,
        "x = [1]\ng = (n for n in range(9))\nnext(g)\nimport threading\nl = threading.Lock()");
    eryx_sandbox *second = fork_of(first);
    check_output(second, "x.append(2); print(x, next(g), l.locked())", "[1, 2] 1 False\n");
    check_output(first, "x.append(3); print(x, next(g))", "[1, 3] 1\n");
    check_output(second, "print(x, next(g))", "[1, 2] 2\n");
    eryx_sandbox_destroy(first);
    check_output(second, "print(x, next(g))", "[1, 2] 3\n");
    eryx_sandbox_destroy(second);
}

static void test_open_files_go_along(void)
{
    eryx_sandbox *first = live_create(NULL);
    run(first,
        "import os, tempfile\n"
        "f = open('/data/a', 'w+'); f.write('one '); f.flush()\n"
        "os.mkdir('/data/d'); open('/data/d/b', 'w').write('b'); os.link('/data/d/b', '/tmp/c')\n"
        "os.symlink('d/b', '/data/s')\n"
        "t = tempfile.TemporaryFile(); t.write(b'gone'); t.flush()\n"
        "it = os.scandir('/data'); n = next(it).name");
    eryx_sandbox *second = fork_of(first);
    check_output(second, "f.write('two'); f.seek(0); print(f.read()); t.seek(0); print(t.read())",
                 "one two\nb'gone'\n");
    check_output(second, "print(sorted([n] + [e.name for e in it]), os.readlink('/data/s'))",
                 "['a', 'd', 's'] d/b\n");
    check_output(
        second,
        "open('/tmp/c', 'a').write('c'); print(open('/data/s').read(), os.stat('/tmp/c').st_nlink)",
        "bc 2\n");
    check_output(first, "print(open('/tmp/c').read()); f.seek(0); print(f.read())", "b\none \n");
    eryx_sandbox_destroy(second);
    check_output(first, "f.close(); print(os.listdir('/data'))", "['a', 'd', 's']\n");
    eryx_sandbox_destroy(first);
}

static void test_random_numbers_differ(void)
{
    eryx_sandbox *first = live_create(NULL);
    run(first, "import random, os\nrandom.seed(1)");
    eryx_sandbox *second = fork_of(first);
    const eryx_result *result = run(first, "result = random.getrandbits(62)");
    uint64_t number = strtoull((const char *)result->result_json.data, NULL, 10);
    result = run(second, "result = random.getrandbits(62)");
    ASSERT_NE_U(strtoull((const char *)result->result_json.data, NULL, 10), number);
    eryx_sandbox_destroy(first);
    eryx_sandbox_destroy(second);
}

static uint64_t draw(eryx_sandbox *sandbox)
{
    const eryx_result *result = run(sandbox, "import random; result = random.getrandbits(62)");
    return strtoull((const char *)result->result_json.data, NULL, 10);
}

/* A fork that was put back to before its first run drew the numbers of the one it came from. */
static void test_random_numbers_differ_after_a_rollback(void)
{
    eryx_sandbox *first = live_create(NULL);
    eryx_checkpoint *of_first;
    eryx_checkpoint *of_second;
    run(first, "import random; random.seed(1)");
    eryx_sandbox *second = fork_of(first);
    ASSERT_EQ(eryx_checkpoint_create(first, false, &of_first, NULL), ERYX_OK);
    ASSERT_EQ(eryx_checkpoint_create(second, false, &of_second, NULL), ERYX_OK);
    uint64_t number = draw(first);
    ASSERT_NE_U(draw(second), number);
    ASSERT_EQ(eryx_sandbox_rollback(second, of_second, NULL), ERYX_OK);
    ASSERT_NE_U(draw(second), number);
    /* To go back to the state of another one is to become a fork of it. */
    ASSERT_EQ(eryx_sandbox_rollback(second, of_first, NULL), ERYX_OK);
    ASSERT_NE_U(draw(second), number);
    ASSERT_EQ(eryx_sandbox_rollback(first, of_first, NULL), ERYX_OK);
    ASSERT_EQ_U(draw(first), number);
    eryx_checkpoint_destroy(of_first);
    eryx_checkpoint_destroy(of_second);
    eryx_sandbox_destroy(first);
    eryx_sandbox_destroy(second);
}

static eryx_sandbox *create_large(void)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.max_memory_bytes = (uint64_t)512 << 20;
    return live_create(&options);
}

static void test_large_buffers_are_shared(void)
{
    eryx_sandbox *first = create_large();
    run(first, "b = bytearray(b'x') * (40 << 20)");
    eryx_sandbox *second = fork_of(first);
    ASSERT_NOT_NULL(first->map.layers);
    ASSERT(first->map.layers == second->map.layers);
    check_output(second, "b[5] = 65; print(b[5], b[6], len(b), b.count(b'x'))",
                 "65 120 41943040 41943039\n");
    check_output(first, "print(b[5], b.count(b'x')); b[7] = 66", "120 41943040\n");
    eryx_sandbox *third = fork_of(second);
    ASSERT(third->map.layers == second->map.layers);
    check_output(third, "print(b[5], b[7])", "65 120\n");
    eryx_sandbox_destroy(second);
    check_output(third, "b[:] = b'y' * (40 << 20); print(b.count(b'y'))", "41943040\n");
    eryx_sandbox *fourth = fork_of(third);
    check_output(fourth, "print(b.count(b'y'))", "41943040\n");
    ASSERT_EQ(eryx_sandbox_reset(third, NULL), ERYX_OK);
    ASSERT_NULL(third->map.layers);
    check_output(third, "c = bytearray(60 << 20); print(c.count(0))", "62914560\n");
    eryx_sandbox_destroy(first);
    eryx_sandbox_destroy(third);
    eryx_sandbox_destroy(fourth);
}

/* Each run wrote a little less of the buffer than the one before, so that no layer hid another: the
 * host kept up to 64 copies of it. */
static void test_layers_are_bounded(void)
{
    eryx_sandbox *sandbox = create_large();
    run(sandbox, "size = 16 << 20\nb = bytearray(size)\nn = 0\nassert id(b) % 16 == 0");
    for (int i = 0; i < 150; i++) {
        eryx_checkpoint *checkpoint;
        run(sandbox, "n += 1\nfor at in range(n * 8192, size, 4096): b[at] = n");
        ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, NULL), ERYX_OK);
        eryx_checkpoint_destroy(checkpoint);
        ASSERT_NOT_NULL(sandbox->map.layers);
        ASSERT_LE(sandbox->map.layers->count, 64);
        ASSERT_LE_U(memory_layers_bytes(sandbox->map.layers), 2 * sandbox->instance.memory.size);
    }
    eryx_sandbox *fork = fork_of(sandbox);
    check_output(fork,
                 "print(all(b[at] == min(at // 8192, n) for at in range(0, size, 4096)), n)\n"
                 "del b[::4096]; print(b.count(0) == len(b))",
                 "True 150\nTrue\n");
    eryx_sandbox_destroy(fork);
    eryx_sandbox_destroy(sandbox);
}

/* Without PAGEMAP_SCAN all pages are compared, and without descriptors all of them are copied. */
static void test_state_where_the_kernel_does_not_tell(void)
{
    eryx_sandbox *first = create_large();
    eryx_checkpoint *checkpoint;
    run(first, "x = [1]\nb = bytearray(b'x') * (10 << 20)");
    struct rlimit before = live_hide_pages();
    eryx_sandbox *second = fork_of(first);
    ASSERT_EQ(eryx_checkpoint_create(first, false, &checkpoint, NULL), ERYX_OK);
    live_see_pages(before);
    ASSERT_NULL(first->map.layers);
    check_output(second, "x.append(2); b[5] = 65; print(x, b[5], b.count(b'x'))",
                 "[1, 2] 65 10485759\n");
    check_output(first, "x.append(3); b[6] = 65; print(x, b[5], b.count(b'x'))",
                 "[1, 3] 120 10485759\n");
    before = live_hide_pages();
    ASSERT_EQ(eryx_sandbox_rollback(first, checkpoint, NULL), ERYX_OK);
    live_see_pages(before);
    check_output(first, "print(x, b.count(b'x'))", "[1] 10485760\n");
    eryx_checkpoint_destroy(checkpoint);
    eryx_sandbox_destroy(first);
    eryx_sandbox_destroy(second);
}

static int count_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++) {
        count += fcntl(i, F_GETFD) >= 0;
    }
    return count;
}

/* A guest could take all descriptors of the process, one for every checkpoint. */
static void test_layers_leave_descriptors_to_others(void)
{
    enum { COUNT = 20 };
    eryx_sandbox *sandbox = create_large();
    eryx_checkpoint *checkpoints[COUNT];
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit small = {.rlim_cur = 80, .rlim_max = before.rlim_max};
    run(sandbox, "b = bytearray(24 << 20)\nn = 0");
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
    int descriptors = count_descriptors();
    for (int i = 0; i < COUNT; i++) {
        run(sandbox, "b[n << 20 : (n + 1) << 20] = bytes([n]) * (1 << 20); n += 1");
        ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoints[i], NULL), ERYX_OK);
    }
    ASSERT_LE(count_descriptors() - descriptors, 10);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = COUNT; i-- > 0;) {
        ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoints[i], NULL), ERYX_OK);
        check_output(sandbox,
                     "print(all(b[k << 20] == k for k in range(n)) and not any(b[n << 20:]))",
                     "True\n");
        eryx_checkpoint_destroy(checkpoints[i]);
    }
    eryx_sandbox_destroy(sandbox);
}

/* The signal of RLIMIT_FSIZE would have ended the process. */
static void test_a_file_size_limit_sends_no_signal(void)
{
    snprintf(path, sizeof path, "/tmp/eryx-live-%d", (int)getpid());
    eryx_sandbox *sandbox = create_large();
    run(sandbox, "b = bytearray(b'x') * (10 << 20)");
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    eryx_sandbox *fork = fork_of(sandbox);
    eryx_error error = {{0}};
    eryx_status status = eryx_sandbox_save(sandbox, path, false, &error);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_EQ(status, ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "File too large");
    ASSERT_EQ(access(path, F_OK), -1);
    check_output(fork, "print(b.count(b'x'))", "10485760\n");
    eryx_sandbox_destroy(fork);
    eryx_sandbox_destroy(sandbox);
}

static void *go_back(void *checkpoint)
{
    eryx_sandbox *sandbox = live_create(NULL);
    for (int i = 0; i < 100; i++) {
        ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
    }
    check_output(sandbox, "print(len(os.listdir('/data')), os.stat('/tmp/h').st_nlink, f.read())",
                 "51 2 text\n");
    eryx_sandbox_destroy(sandbox);
    return NULL;
}

/* Copying the files of a checkpoint marks them: two threads at once gave each other's nodes away.
 */
static void test_threads_share_a_checkpoint(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_checkpoint *checkpoint;
    run(sandbox,
        "import os\nfor i in range(50): open(f'/data/{i}', 'w').write('text')\n"
        "os.link('/data/0', '/tmp/h'); open('/data/f', 'w').write('text'); f = open('/data/f')");
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, NULL), ERYX_OK);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, go_back, checkpoint), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
    eryx_checkpoint_destroy(checkpoint);
    eryx_sandbox_destroy(sandbox);
}

static void test_rollback_brings_the_state_back(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_checkpoint *checkpoint;
    run(sandbox, "x = 1\nf = open('/data/f', 'w'); f.write('a'); f.flush()");
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, NULL), ERYX_OK);
    for (int i = 0; i < 3; i++) {
        check_output(sandbox, "x += 1; f.write('b'); f.flush(); print(x, open('/data/f').read())",
                     "2 ab\n");
        ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
    }
    run(sandbox, "import os; os._exit(3)");
    ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
    eryx_sandbox *other = live_create(NULL);
    ASSERT_EQ(eryx_sandbox_rollback(other, checkpoint, NULL), ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    eryx_checkpoint_destroy(checkpoint);
    check_output(other, "print(x, open('/data/f').read())", "1 a\n");
    eryx_sandbox_destroy(other);
}

static void test_what_is_refused(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_sandbox *fork = NULL;
    eryx_checkpoint *checkpoint = NULL;
    eryx_error error;
    ASSERT_EQ(eryx_sandbox_fork(NULL, &fork, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_sandbox_fork(sandbox, NULL, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, NULL, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_sandbox_rollback(sandbox, NULL, &error), ERYX_INVALID_ARGUMENT);
    eryx_checkpoint_destroy(NULL);
    eryx_run_options options = live_program("x = 1");
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, &error), ERYX_BUSY);
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, &error), ERYX_BUSY);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    run(sandbox, "import os; os._exit(3)");
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, &error), ERYX_NEEDS_RESET);
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, &error), ERYX_NEEDS_RESET);
    eryx_sandbox_destroy(sandbox);
}

/* ---- Files ------------------------------------------------------------------------------------
 */

enum { HEADER_BYTES = 96, CHECKSUM_AT = 56, CONTENTS_SIZE_AT = 80, STORE_SIZE_AT = 88 };

static uint8_t *read_file(size_t *out_size)
{
    FILE *file = fopen(path, "rb");
    ASSERT_NOT_NULL(file);
    fseek(file, 0, SEEK_END);
    *out_size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*out_size);
    ASSERT_EQ(fread(data, 1, *out_size, file), (int64_t)*out_size);
    fclose(file);
    return data;
}

static void write_file(const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    ASSERT_NOT_NULL(file);
    ASSERT_EQ(fwrite(data, 1, size, file), (int64_t)size);
    fclose(file);
}

/* A saved sandbox with files of all sorts. */
static void save_example(void)
{
    snprintf(path, sizeof path, "/tmp/eryx-live-%d", (int)getpid());
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox,
        "import os, tempfile\nx = 7\nf = open('/data/f', 'w+'); f.write('one'); f.flush()\n"
        "os.makedirs('/tmp/d/e'); os.link('/data/f', '/tmp/d/h'); os.symlink('f', '/data/s')\n"
        "t = tempfile.TemporaryFile(); t.write(b'gone'); t.flush()\n"
        "l = open('/python-stdlib/os.py'); i = os.scandir('/tmp'); z = open('/dev/zero', 'rb')");
    eryx_error error = {{0}};
    eryx_sandbox_save(sandbox, path, false, &error);
    ASSERT_STR_EQ(error.message, "");
    eryx_sandbox_destroy(sandbox);
}

static void test_saved_state_goes_on(void)
{
    save_example();
    struct stat attributes;
    ASSERT_EQ(stat(path, &attributes), 0);
    ASSERT_EQ(attributes.st_mode & 0777, 0600);
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox, "x = 8");
    eryx_error error = {{0}};
    eryx_sandbox_load(sandbox, path, &error);
    ASSERT_STR_EQ(error.message, "");
    check_output(
        sandbox,
        "f.write('!'); f.seek(0); t.seek(0)\n"
        "print(x, f.read(), open('/data/s').read(), os.stat('/tmp/d/h').st_nlink, t.read())\n"
        "print(l.read(5), [e.name for e in i], z.read(2))",
        "7 one! one! 2 b'gone'\nr\"\"\"O ['d'] b'\\x00\\x00'\n");
    eryx_sandbox_destroy(sandbox);
    unlink(path);
}

static void test_damaged_files_are_refused(void)
{
    save_example();
    size_t size;
    uint8_t *data = read_file(&size);
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox, "x = 8");
    size_t step = test_step(13);
    for (size_t at = 0; at < size;
         at += at < HEADER_BYTES ? 1 : (at < 2000 || at + 2000 > size ? step : 997)) {
        data[at] ^= 1;
        write_file(data, size);
        eryx_error error = {{0}};
        eryx_status status = eryx_sandbox_load(sandbox, path, &error);
        ASSERT(status == ERYX_INITIALIZATION || status == ERYX_WRONG_BUILD);
        ASSERT_STR_CONTAINS(error.message, path);
        data[at] ^= 1;
    }
    for (size_t length = 0; length < size; length += step + length / 50) {
        write_file(data, length);
        ASSERT_EQ(eryx_sandbox_load(sandbox, path, NULL), ERYX_INITIALIZATION);
    }
    check_output(sandbox, "print(x)", "8\n");
    eryx_sandbox_destroy(sandbox);
    free(data);
    unlink(path);
}

/* The smallest there is: of a sandbox that has not run, and one page of memory. */
static void test_every_byte_of_a_small_file(void)
{
    snprintf(path, sizeof path, "/tmp/eryx-live-%d", (int)getpid());
    eryx_sandbox *sandbox = live_create(NULL);
    sandbox->instance.memory.data[sandbox->engine->image.memory_pages * MEMORY_PAGE_BYTES - 1] ^= 1;
    ASSERT_EQ(eryx_sandbox_save(sandbox, path, false, NULL), ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    size_t size;
    uint8_t *data = read_file(&size);
    ASSERT_GT(size, IMAGE_PAGE_BYTES);
    ASSERT_LT(size, 2 * IMAGE_PAGE_BYTES);
    sandbox = live_create(NULL);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    for (size_t at = 0; at < size; at++) {
        uint8_t damaged = data[at] ^ (uint8_t)(1 << at % 8);
        ASSERT_EQ(pwrite(file, &damaged, 1, (off_t)at), 1);
        eryx_status status = eryx_sandbox_load(sandbox, path, NULL);
        ASSERT(status == ERYX_INITIALIZATION || status == ERYX_WRONG_BUILD);
        ASSERT_EQ(pwrite(file, data + at, 1, (off_t)at), 1);
    }
    ASSERT_EQ(eryx_sandbox_load(sandbox, path, NULL), ERYX_OK);
    for (size_t length = size; length-- > 0;) {
        ASSERT_EQ(ftruncate(file, (off_t)length), 0);
        ASSERT_EQ(eryx_sandbox_load(sandbox, path, NULL), ERYX_INITIALIZATION);
    }
    close(file);
    check_output(sandbox, "print(1)", "1\n");
    eryx_sandbox_destroy(sandbox);
    free(data);
    unlink(path);
}

/* Files of any length were read before anything in them was looked at. */
static void test_files_that_are_too_large_are_not_read(void)
{
    save_example();
    size_t size;
    uint8_t *data = read_file(&size);
    eryx_sandbox *sandbox = live_create(NULL);
    static const struct {
        size_t field; /* that takes the file for as long as it is */
        const char *reason;
    } cases[] = {{0, "damaged"}, {CONTENTS_SIZE_AT, "damaged"}, {STORE_SIZE_AT, "limits allow"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint64_t more = (uint64_t)1 << 42;
        write_file(data, size);
        int file = open(path, O_WRONLY | O_CLOEXEC);
        if (cases[i].field != 0) {
            uint64_t number;
            memcpy(&number, data + cases[i].field, sizeof number);
            number += more;
            ASSERT_EQ(pwrite(file, &number, sizeof number, (off_t)cases[i].field), 8);
        }
        ASSERT_EQ(ftruncate(file, (off_t)(size + more)), 0);
        close(file);
        eryx_error error = {{0}};
        ASSERT_EQ(eryx_sandbox_load(sandbox, path, &error), ERYX_INITIALIZATION);
        ASSERT_STR_CONTAINS(error.message, cases[i].reason);
    }
    eryx_sandbox_destroy(sandbox);
    free(data);
    unlink(path);
}

static void put_checksum(uint8_t *data, size_t size)
{
    memset(data + CHECKSUM_AT, 0, sizeof(uint64_t));
    uint64_t sum = checksum_update(checksum_update(0, data, HEADER_BYTES), data + HEADER_BYTES,
                                   size - HEADER_BYTES);
    memcpy(data + CHECKSUM_AT, &sum, sizeof sum);
}

/* The checksum keeps nobody from making a file up: whatever it says, the host must hold. */
static void test_forged_files_do_no_harm(void)
{
    save_example();
    size_t size;
    uint8_t *original = read_file(&size);
    uint8_t *data = malloc(size);
    uint64_t store_size;
    memcpy(&store_size, original + STORE_SIZE_AT, sizeof store_size);
    ASSERT_GT(store_size, 100);
    size_t store = size - (size_t)store_size;
    static const uint8_t values[] = {1, 6, 0xff};
    size_t loaded = 0;
    eryx_sandbox *sandbox = live_create(NULL);
    size_t step = test_step(7);
    for (size_t at = STORE_SIZE_AT - 24; at < size;
         at = at < HEADER_BYTES ? (at + 1 == HEADER_BYTES ? store : at + 1) : at + step) {
        for (size_t k = 0; k < sizeof values; k++) {
            memcpy(data, original, size);
            if (data[at] == values[k]) {
                continue;
            }
            data[at] = values[k];
            put_checksum(data, size);
            write_file(data, size);
            if (eryx_sandbox_load(sandbox, path, NULL) == ERYX_OK) {
                loaded++;
                run(sandbox,
                    "for w in os.walk('/'):\n"
                    "    if w[0].startswith('/python-stdlib'): w[1].clear()\n"
                    "for n in (f, t, l, z, i):\n"
                    "    try: n.close()\n"
                    "    except Exception: pass\n"
                    "import shutil\nshutil.rmtree('/data', True); shutil.rmtree('/tmp', True)");
                ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
            }
        }
    }
    ASSERT_GT(loaded, 0);
    eryx_sandbox_destroy(sandbox);
    free(original);
    free(data);
    unlink(path);
}

static void test_limits_hold_for_files(void)
{
    save_example();
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.max_vfs_entries = 2;
    eryx_sandbox *sandbox = live_create(&options);
    eryx_error error;
    ASSERT_EQ(eryx_sandbox_load(sandbox, path, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "limits");
    check_output(sandbox, "print(1)", "1\n");
    eryx_sandbox_destroy(sandbox);
    options.limits.max_vfs_entries = 1000;
    options.limits.max_open_handles = 2;
    sandbox = live_create(&options);
    ASSERT_EQ(eryx_sandbox_load(sandbox, "/nowhere/at/all", &error), ERYX_INITIALIZATION);
    ASSERT_EQ(eryx_sandbox_load(sandbox, NULL, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_sandbox_save(sandbox, NULL, false, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_sandbox_save(sandbox, "/nowhere/at/all", false, &error), ERYX_INITIALIZATION);
    eryx_sandbox_destroy(sandbox);
    unlink(path);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_fork_goes_its_own_way),
          TEST_CASE(test_open_files_go_along), TEST_CASE(test_random_numbers_differ),
          TEST_CASE(test_random_numbers_differ_after_a_rollback),
          TEST_CASE(test_large_buffers_are_shared), TEST_CASE(test_layers_are_bounded),
          TEST_CASE(test_layers_leave_descriptors_to_others),
          TEST_CASE(test_a_file_size_limit_sends_no_signal),
          TEST_CASE(test_state_where_the_kernel_does_not_tell),
          TEST_CASE(test_threads_share_a_checkpoint),
          TEST_CASE(test_rollback_brings_the_state_back), TEST_CASE(test_what_is_refused),
          TEST_CASE(test_saved_state_goes_on), TEST_CASE(test_damaged_files_are_refused),
          TEST_CASE(test_every_byte_of_a_small_file),
          TEST_CASE(test_files_that_are_too_large_are_not_read),
          TEST_CASE(test_forged_files_do_no_harm), TEST_CASE(test_limits_hold_for_files),
          TEST_CASE(live_close))
