#include "fake_guest.h"
#include "guest_imports.h"
#include "test.h"
#include "vfs/vfs.h"

enum {
    RESULT = GUEST_LOWEST_ADDRESS + 64,
    LIST = RESULT + 64,
    MEMORY = 4 << 20,
    TRANSFER = 1 << 20
};

/* Tag of a result, and of a stream-error. */
enum { OK = 0, ERROR = 1, LAST_OPERATION_FAILED = 0, CLOSED = 1 };

/* ---- A file that does what the test says, in place of src/vfs/ --------------------------------
 */

struct vfs_file {
    uint8_t content[4096];
    uint64_t size;
    bool device;         /* has no size, reads as '*' for ever */
    vfs_error failure;   /* of the next operations, VFS_OK for none */
    size_t done_at_most; /* of one write; 0 for all */
    size_t room;         /* bytes that can still be written */
    bool stuck;          /* takes nothing, and says that all went well */
    unsigned drops;
};

vfs_error vfs_read(vfs_file *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_got)
{
    if (file->failure != VFS_OK) {
        return file->failure;
    }
    if (file->device) {
        memset(buffer, '*', size);
        *out_got = size;
        return VFS_OK;
    }
    size_t left = offset < file->size ? (size_t)(file->size - offset) : 0;
    *out_got = size < left ? size : left;
    memcpy(buffer, file->content + offset, *out_got);
    return VFS_OK;
}

vfs_error vfs_write(vfs_file *file, uint64_t offset, const uint8_t *data, size_t size,
                    size_t *out_done)
{
    if (file->failure != VFS_OK) {
        return file->failure;
    }
    if (file->stuck) {
        *out_done = 0;
        return VFS_OK;
    }
    if (file->done_at_most != 0 && size > file->done_at_most) {
        size = file->done_at_most;
    }
    if (size > file->room) {
        size = file->room;
    }
    if (size == 0) {
        return VFS_INSUFFICIENT_SPACE;
    }
    ASSERT_LE_U(offset + size, sizeof file->content);
    memcpy(file->content + offset, data, size);
    file->size = offset + size > file->size ? offset + size : file->size;
    file->room -= size;
    *out_done = size;
    return VFS_OK;
}

vfs_error vfs_set_size(vfs_file *file, uint64_t size)
{
    ASSERT_LE_U(size, file->size);
    file->room += (size_t)(file->size - size);
    file->size = size;
    return VFS_OK;
}

uint64_t vfs_size(const vfs_file *file)
{
    return file->device ? 0 : file->size;
}

void vfs_close(vfs_file *file)
{
    file->drops++;
}

static vfs_file new_file(const char *text)
{
    vfs_file file = {.size = strlen(text), .failure = VFS_OK, .room = sizeof file.content};
    memcpy(file.content, text, strlen(text));
    return file;
}

/* ---- Helpers --------------------------------------------------------------------------------- */

static fake_guest *new_guest(void)
{
    fake_clock_ns = 1000000;
    return fake_guest_create(MEMORY, 20);
}

static uint32_t add(fake_guest *guest, handle_kind kind, void *object, uint64_t value)
{
    uint32_t index;
    ASSERT(handles_add(&guest->sandbox.handles, kind, object, value, &index));
    return index;
}

static void assert_no_trap(fake_guest *guest)
{
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
}

static void assert_trap(fake_guest *guest, uint32_t trap)
{
    ASSERT_EQ(fake_guest_take_trap(guest), trap);
}

/* Reads and expects exactly that text. */
static void assert_read(fake_guest *guest, uint32_t stream, uint64_t size, const char *text)
{
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), stream, size, RESULT);
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), OK);
    uint32_t got = fake_guest_u32(guest, RESULT + 8);
    ASSERT_BYTES_EQ(fake_guest_bytes(guest, fake_guest_u32(guest, RESULT + 4), got), got, text,
                    strlen(text));
}

static void assert_read_closed(fake_guest *guest, uint32_t stream)
{
    unsigned allocations = guest->allocations;
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), stream, 100, RESULT);
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), ERROR);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), CLOSED);
    ASSERT_EQ(guest->allocations, allocations); /* the guest would not free it */
}

/* The stream-error at that place is last-operation-failed with that code; drops the error. */
static void assert_failed(fake_guest *guest, vfs_error code)
{
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), ERROR);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), LAST_OPERATION_FAILED);
    uint32_t error = fake_guest_u32(guest, RESULT + 8);
    const handle *found = handles_get(&guest->sandbox.handles, error, HANDLE_IO_ERROR);
    ASSERT_NOT_NULL(found);
    ASSERT_EQ(found->value, code);
    wasi_io_error_drop_error(fake_guest_instance(guest), error);
    assert_no_trap(guest);
    ASSERT_NULL(handles_find(&guest->sandbox.handles, error));
}

static void write_text(fake_guest *guest, uint32_t stream, const char *text)
{
    uint32_t size = (uint32_t)strlen(text);
    memcpy(fake_guest_bytes(guest, LIST, size), text, size);
    wasi_io_streams_output_stream_write(fake_guest_instance(guest), stream, LIST, size, RESULT);
}

static void assert_written(fake_guest *guest)
{
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), OK);
    fake_guest_bytes(guest, RESULT, 1)[0] = 0xa5;
}

/* ---- Standard streams ------------------------------------------------------------------------ */

static void test_stdin_without_text_is_closed(void)
{
    fake_guest *guest = new_guest();
    assert_read_closed(guest, HANDLE_STDIN);
    fake_guest_destroy(guest);
}

static void test_stdin_is_read_in_pieces_then_closed(void)
{
    static const uint8_t text[] = "hello world";
    fake_guest *guest = new_guest();
    fake_guest_give_input(guest, text, 11);
    assert_read(guest, HANDLE_STDIN, 5, "hello");
    assert_read(guest, HANDLE_STDIN, 0, "");
    assert_read(guest, HANDLE_STDIN, 1, " ");
    assert_read(guest, HANDLE_STDIN, UINT64_MAX, "world");
    assert_read_closed(guest, HANDLE_STDIN);
    ASSERT_EQ(guest->sandbox.input.position, 11);
    fake_guest_destroy(guest);
}

static void test_stdin_is_read_a_mebibyte_at_most(void)
{
    enum { SIZE = TRANSFER + 100 };
    fake_guest *guest = new_guest();
    uint8_t *text = calloc(1, SIZE);
    ASSERT_NOT_NULL(text);
    fake_guest_give_input(guest, text, SIZE);
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), HANDLE_STDIN, UINT64_MAX, RESULT);
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), TRANSFER);
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), HANDLE_STDIN, UINT64_MAX, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), 100);
    free(text);
    fake_guest_destroy(guest);
}

static void test_stdin_survives_a_guest_without_memory(void)
{
    static const uint8_t text[] = "hello";
    fake_guest *guest = new_guest();
    fake_guest_give_input(guest, text, 5);
    guest->refuse_allocation = true;
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), HANDLE_STDIN, 5, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    fake_guest_destroy(guest);
}

static void test_stdout_and_stderr(void)
{
    fake_guest *guest = new_guest();
    write_text(guest, HANDLE_STDOUT, "out");
    assert_written(guest);
    write_text(guest, HANDLE_STDERR, "error");
    assert_written(guest);
    write_text(guest, HANDLE_STDOUT, "put");
    assert_written(guest);
    write_text(guest, HANDLE_STDOUT, "");
    assert_written(guest);
    ASSERT_BYTES_EQ(guest->output[1], guest->output_size[1], "output", 6);
    ASSERT_BYTES_EQ(guest->output[2], guest->output_size[2], "error", 5);

    wasi_io_streams_output_stream_blocking_flush(fake_guest_instance(guest), HANDLE_STDOUT, RESULT);
    assert_written(guest);
    wasi_io_streams_output_stream_check_write(fake_guest_instance(guest), HANDLE_STDOUT, RESULT);
    assert_written(guest);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 8), TRANSFER);
    fake_guest_destroy(guest);
}

static void test_write_takes_what_check_write_granted_and_no_more(void)
{
    fake_guest *guest = new_guest();
    guest_instance *instance = fake_guest_instance(guest);
    wasi_io_streams_output_stream_write(instance, HANDLE_STDOUT, LIST, TRANSFER, RESULT);
    assert_written(guest);
    ASSERT_EQ(guest->output_size[1], TRANSFER);
    wasi_io_streams_output_stream_write(instance, HANDLE_STDOUT, LIST, TRANSFER + 1, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    wasi_io_streams_output_stream_write(instance, HANDLE_STDOUT, LIST, UINT32_MAX, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    ASSERT_EQ(guest->output_size[1], TRANSFER);
    fake_guest_destroy(guest);
}

static void test_write_checks_the_bounds(void)
{
    static const struct {
        uint32_t list, size;
    } cases[] = {{MEMORY, 1},     {MEMORY - 1, 2},        {MEMORY + 1, 0},
                 {UINT32_MAX, 1}, {UINT32_MAX, TRANSFER}, {MEMORY - TRANSFER + 1, TRANSFER}};
    fake_guest *guest = new_guest();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wasi_io_streams_output_stream_write(fake_guest_instance(guest), HANDLE_STDOUT,
                                            cases[i].list, cases[i].size, RESULT);
        assert_trap(guest, WASM_RT_TRAP_OOB);
    }
    ASSERT_EQ(guest->output_size[1], 0);
    /* The last byte of memory can be written, an empty list at the end of memory too. */
    wasi_io_streams_output_stream_write(fake_guest_instance(guest), HANDLE_STDOUT, MEMORY - 1, 1,
                                        RESULT);
    assert_written(guest);
    wasi_io_streams_output_stream_write(fake_guest_instance(guest), HANDLE_STDOUT, MEMORY, 0,
                                        RESULT);
    assert_written(guest);
    fake_guest_destroy(guest);
}

/* ---- Streams of files ------------------------------------------------------------------------ */

static void test_file_is_read_from_its_position(void)
{
    vfs_file file = new_file("0123456789");
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_INPUT, &file, 2);
    assert_read(guest, stream, 3, "234");
    assert_read(guest, stream, 0, "");
    assert_read(guest, stream, 100, "56789");
    assert_read_closed(guest, stream);
    file.content[file.size++] = 'A'; /* the file has grown meanwhile */
    assert_read(guest, stream, 100, "A");
    assert_read_closed(guest, stream);
    fake_guest_destroy(guest);
    ASSERT_EQ(file.drops, 1);
}

static void test_file_read_allocates_what_is_there(void)
{
    vfs_file file = new_file("0123456789");
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_INPUT, &file, 0);
    assert_read(guest, stream, UINT64_MAX, "0123456789");
    ASSERT_EQ(guest->heap_next, FAKE_GUEST_HEAP + 10);
    fake_guest_destroy(guest);
}

static void test_file_behind_its_end_is_closed(void)
{
    vfs_file file = new_file("0123456789");
    fake_guest *guest = new_guest();
    assert_read_closed(guest, add(guest, HANDLE_FILE_INPUT, &file, 10));
    assert_read_closed(guest, add(guest, HANDLE_FILE_INPUT, &file, UINT64_MAX));
    fake_guest_destroy(guest);
}

static void test_device_without_size_is_read(void)
{
    vfs_file file = new_file("");
    file.device = true;
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_INPUT, &file, 0);
    assert_read(guest, stream, 5, "*****");
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), stream, UINT64_MAX, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), TRANSFER);
    fake_guest_destroy(guest);
}

static void test_file_read_error(void)
{
    vfs_file file = new_file("0123456789");
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_INPUT, &file, 0);
    file.failure = VFS_IO;
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), stream, 5, RESULT);
    assert_failed(guest, VFS_IO);
    ASSERT_EQ(guest->allocations, 0);
    fake_guest_destroy(guest);
}

static uint32_t removed_on_allocate;

static void remove_handle(fake_guest *guest)
{
    handles_remove(&guest->sandbox.handles, removed_on_allocate);
}

static void shrink_stdin(fake_guest *guest)
{
    guest->sandbox.input.position = guest->sandbox.input.size;
}

/*
 * The guest's allocator is guest code: it may do anything, also drop the stream that is being read.
 */
static void test_stream_that_goes_away_during_the_read(void)
{
    vfs_file file = new_file("0123456789");
    fake_guest *guest = new_guest();
    removed_on_allocate = add(guest, HANDLE_FILE_INPUT, &file, 0);
    guest->on_allocate = remove_handle;
    wasi_io_streams_input_stream_read(fake_guest_instance(guest), removed_on_allocate, 5, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    ASSERT_EQ(file.drops, 1);

    static const uint8_t text[] = "hello";
    fake_guest_give_input(guest, text, 5);
    guest->on_allocate = shrink_stdin;
    assert_read(guest, HANDLE_STDIN, 5, "");
    fake_guest_destroy(guest);
}

static void test_file_is_written_at_its_position(void)
{
    vfs_file file = new_file("0123456789");
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_OUTPUT, &file, 8);
    write_text(guest, stream, "abc");
    assert_written(guest);
    file.done_at_most = 2; /* in small steps, which the guest does not see */
    write_text(guest, stream, "defgh");
    assert_written(guest);
    ASSERT_BYTES_EQ(file.content, file.size, "01234567abcdefgh", 16);
    wasi_io_streams_output_stream_blocking_flush(fake_guest_instance(guest), stream, RESULT);
    assert_written(guest);
    wasi_io_streams_output_stream_check_write(fake_guest_instance(guest), stream, RESULT);
    assert_written(guest);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 8), TRANSFER);
    fake_guest_destroy(guest);
}

static void test_file_is_appended_to(void)
{
    vfs_file file = new_file("0123");
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_APPEND, &file, 0);
    file.done_at_most = 3;
    write_text(guest, stream, "abcd");
    assert_written(guest);
    file.content[file.size++] = '|';
    write_text(guest, stream, "ef");
    assert_written(guest);
    ASSERT_BYTES_EQ(file.content, file.size, "0123abcd|ef", 11);
    fake_guest_destroy(guest);
}

static void test_file_write_errors(void)
{
    vfs_file file = new_file("");
    fake_guest *guest = new_guest();
    uint32_t output = add(guest, HANDLE_FILE_OUTPUT, &file, 0);
    uint32_t append = add(guest, HANDLE_FILE_APPEND, &file, 0);
    file.room = 3;
    write_text(guest, output, "abcd");
    assert_failed(guest, VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(file.size, 0); /* what fitted is taken back, so that the guest can try again */
    ASSERT_EQ(handles_find(&guest->sandbox.handles, output)->value, 0);
    write_text(guest, output, "abc");
    assert_written(guest);
    write_text(guest, append, "e");
    assert_failed(guest, VFS_INSUFFICIENT_SPACE);
    file.room = 2;
    write_text(guest, append, "def");
    assert_failed(guest, VFS_INSUFFICIENT_SPACE);
    ASSERT_BYTES_EQ(file.content, file.size, "abc", 3);
    write_text(guest, append, "de");
    assert_written(guest);
    ASSERT_BYTES_EQ(file.content, file.size, "abcde", 5);
    write_text(guest, append, "");
    assert_written(guest);
    file.failure = VFS_BAD_DESCRIPTOR;
    write_text(guest, append, "e");
    assert_failed(guest, VFS_BAD_DESCRIPTOR);
    file.failure = VFS_OK;
    file.stuck = true;
    write_text(guest, append, "e");
    assert_failed(guest, VFS_IO);
    fake_guest_destroy(guest);
}

static void test_failure_without_a_handle_left_is_closed(void)
{
    vfs_file file = new_file("");
    fake_guest *guest = new_guest();
    uint32_t stream = add(guest, HANDLE_FILE_OUTPUT, &file, 0);
    uint32_t index;
    while (handles_add(&guest->sandbox.handles, HANDLE_POLLABLE_TIMER, NULL, 0, &index)) {
    }
    file.failure = VFS_IO;
    write_text(guest, stream, "e");
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), ERROR);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), CLOSED);
    fake_guest_destroy(guest);
}

/* ---- Wrong handles --------------------------------------------------------------------------- */

enum { INPUT = 1, OUTPUT = 2, POLLABLE = 4, STREAM_ERROR = 8 };

static void test_wrong_handles_trap(void)
{
    vfs_file file = new_file("");
    fake_guest *guest = new_guest();
    guest_instance *instance = fake_guest_instance(guest);
    struct {
        uint32_t index;
        unsigned role;
    } cases[] = {
        {0, 0},
        {9, 0},
        {15, 0},
        {UINT32_MAX, 0},
        {HANDLE_FIRST_DYNAMIC + 100, 0},
        {HANDLE_STDIN, INPUT},
        {HANDLE_STDOUT, OUTPUT},
        {HANDLE_STDERR, OUTPUT},
        {HANDLE_STDIN_READY, POLLABLE},
        {HANDLE_ROOT, 0},
        {HANDLE_NETWORK, 0},
        {add(guest, HANDLE_FILE_INPUT, &file, 0), INPUT},
        {add(guest, HANDLE_FILE_OUTPUT, &file, 0), OUTPUT},
        {add(guest, HANDLE_FILE_APPEND, &file, 0), OUTPUT},
        {add(guest, HANDLE_DESCRIPTOR, &file, 0), 0},
        {add(guest, HANDLE_DIRECTORY_STREAM, &file, 0), 0},
        {add(guest, HANDLE_POLLABLE_TIMER, NULL, 0), POLLABLE},
        {add(guest, HANDLE_IO_ERROR, NULL, 0), STREAM_ERROR},
    };
#define EXPECT(accepted, call)                                                                     \
    do {                                                                                           \
        call;                                                                                      \
        assert_trap(guest, (accepted) ? WASM_RT_TRAP_NONE : WASM_RT_TRAP_UNREACHABLE);             \
    } while (0)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t self = cases[i].index;
        bool input = cases[i].role == INPUT;
        bool output = cases[i].role == OUTPUT;
        bool pollable = cases[i].role == POLLABLE;
        EXPECT(input, wasi_io_streams_input_stream_read(instance, self, 1, RESULT));
        EXPECT(input, wasi_io_streams_input_stream_subscribe(instance, self));
        EXPECT(output, wasi_io_streams_output_stream_check_write(instance, self, RESULT));
        EXPECT(output, wasi_io_streams_output_stream_write(instance, self, LIST, 1, RESULT));
        EXPECT(output, wasi_io_streams_output_stream_blocking_flush(instance, self, RESULT));
        EXPECT(output, wasi_io_streams_output_stream_subscribe(instance, self));
        EXPECT(pollable, wasi_io_poll_pollable_block(instance, self));
        memcpy(fake_guest_bytes(guest, LIST, 4), &self, 4);
        EXPECT(pollable, wasi_io_poll_poll(instance, LIST, 1, RESULT));
        /* Drops last: those that are accepted take the handle away. */
        if (!input) {
            EXPECT(false, wasi_io_streams_drop_input_stream(instance, self));
        }
        if (!output) {
            EXPECT(false, wasi_io_streams_drop_output_stream(instance, self));
        }
        if (!pollable) {
            EXPECT(false, wasi_io_poll_drop_pollable(instance, self));
        }
        if (cases[i].role != STREAM_ERROR) {
            EXPECT(false, wasi_io_error_drop_error(instance, self));
        }
        switch (cases[i].role) {
        case INPUT:
            EXPECT(true, wasi_io_streams_drop_input_stream(instance, self));
            break;
        case OUTPUT:
            EXPECT(true, wasi_io_streams_drop_output_stream(instance, self));
            break;
        case POLLABLE:
            EXPECT(true, wasi_io_poll_drop_pollable(instance, self));
            break;
        case STREAM_ERROR:
            EXPECT(true, wasi_io_error_drop_error(instance, self));
            break;
        }
        ASSERT_EQ(handles_find(&guest->sandbox.handles, self) != NULL,
                  self < HANDLE_FIRST_DYNAMIC ? self >= HANDLE_STDIN && self <= HANDLE_NETWORK
                                              : cases[i].role == 0 && self < 100);
    }
#undef EXPECT
    ASSERT_EQ(file.drops, 3);
    fake_guest_destroy(guest);
    ASSERT_EQ(file.drops, 5);
}

static void test_results_out_of_bounds_trap(void)
{
    vfs_file file = new_file("text");
    fake_guest *guest = new_guest();
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t input = add(guest, HANDLE_FILE_INPUT, &file, 0);
    uint32_t output = add(guest, HANDLE_FILE_OUTPUT, &file, 0);
    static const uint32_t results[] = {MEMORY, MEMORY - 1, MEMORY - 4, UINT32_MAX - 3, UINT32_MAX};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        wasi_io_streams_input_stream_read(instance, input, 1, results[i]);
        assert_trap(guest, WASM_RT_TRAP_OOB);
        wasi_io_streams_output_stream_check_write(instance, output, results[i]);
        assert_trap(guest, WASM_RT_TRAP_OOB);
        file.failure = VFS_IO;
        wasi_io_streams_output_stream_write(instance, output, LIST, 1, results[i]);
        assert_trap(guest, WASM_RT_TRAP_OOB);
        file.failure = VFS_OK;
        uint32_t ready = HANDLE_STDIN_READY;
        memcpy(fake_guest_bytes(guest, LIST, 4), &ready, 4);
        wasi_io_poll_poll(instance, LIST, 1, results[i]);
        assert_trap(guest, WASM_RT_TRAP_OOB);
    }
    fake_guest_destroy(guest);
}

/* ---- Pollables ------------------------------------------------------------------------------- */

static void put_list(fake_guest *guest, const uint32_t *handles, uint32_t count)
{
    memcpy(fake_guest_bytes(guest, LIST, count * 4), handles, count * 4);
}

/* Polls and expects exactly those indices. */
static void assert_poll(fake_guest *guest, const uint32_t *handles, uint32_t count,
                        const uint32_t *indices, uint32_t expected)
{
    put_list(guest, handles, count);
    wasi_io_poll_poll(fake_guest_instance(guest), LIST, count, RESULT);
    assert_no_trap(guest);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 4), expected);
    ASSERT_BYTES_EQ(fake_guest_bytes(guest, fake_guest_u32(guest, RESULT), expected * 4),
                    (size_t)expected * 4, indices, (size_t)expected * 4);
    ASSERT_EQ(fake_guest_u32(guest, RESULT) % 4, 0);
}

static void test_streams_are_ready(void)
{
    vfs_file file = new_file("");
    fake_guest *guest = new_guest();
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t handles[] = {
        wasi_io_streams_input_stream_subscribe(instance, HANDLE_STDIN),
        wasi_io_streams_output_stream_subscribe(instance, HANDLE_STDOUT),
        wasi_io_streams_output_stream_subscribe(instance, HANDLE_STDERR),
        wasi_io_streams_input_stream_subscribe(instance, add(guest, HANDLE_FILE_INPUT, &file, 0)),
        wasi_io_streams_output_stream_subscribe(instance, add(guest, HANDLE_FILE_APPEND, &file, 0)),
    };
    static const uint32_t all[] = {0, 1, 2, 3, 4};
    assert_poll(guest, handles, 5, all, 5);
    ASSERT_EQ(guest->waits, 0);
    ASSERT_EQ(guest->sandbox.handles.live, 2); /* subscribing costs no handle */
    wasi_io_poll_pollable_block(instance, handles[0]);
    ASSERT_EQ(guest->waits, 0);
    fake_guest_destroy(guest);
}

static void test_block_waits_for_its_timer(void)
{
    fake_guest *guest = new_guest();
    uint32_t timer = add(guest, HANDLE_POLLABLE_TIMER, NULL, fake_clock_ns + 500);
    guest->early_wakes = 3;
    wasi_io_poll_pollable_block(fake_guest_instance(guest), timer);
    ASSERT_EQ(guest->waits, 4);
    ASSERT_EQ_U(guest->waited_for_ns, 1000500);
    ASSERT_EQ_U(fake_clock_ns, 1000500);
    wasi_io_poll_pollable_block(fake_guest_instance(guest), timer);
    ASSERT_EQ(guest->waits, 4);
    wasi_io_poll_drop_pollable(fake_guest_instance(guest), timer);
    assert_no_trap(guest);
    fake_guest_destroy(guest);
}

static void test_block_is_given_up_when_interrupted(void)
{
    fake_guest *guest = new_guest();
    uint32_t timer = add(guest, HANDLE_POLLABLE_TIMER, NULL, UINT64_MAX);
    guest->interrupt_after = 1;
    wasi_io_poll_pollable_block(fake_guest_instance(guest), timer);
    ASSERT_EQ(guest->waits, 1);
    ASSERT_EQ_U(guest->waited_for_ns, UINT64_MAX);
    assert_no_trap(guest);
    fake_guest_destroy(guest);
}

static void test_poll_waits_for_the_earliest_timer(void)
{
    fake_guest *guest = new_guest();
    uint64_t now = fake_clock_ns;
    uint32_t handles[] = {
        add(guest, HANDLE_POLLABLE_TIMER, NULL, now + 900),
        add(guest, HANDLE_POLLABLE_TIMER, NULL, now + 200),
        add(guest, HANDLE_POLLABLE_TIMER, NULL, UINT64_MAX),
        add(guest, HANDLE_POLLABLE_TIMER, NULL, now + 200),
    };
    static const uint32_t first[] = {1, 3};
    guest->early_wakes = 2;
    assert_poll(guest, handles, 4, first, 2);
    ASSERT_EQ(guest->waits, 3);
    ASSERT_EQ_U(guest->waited_for_ns, now + 200);

    static const uint32_t second[] = {0, 1, 3};
    fake_clock_ns = now + 900;
    assert_poll(guest, handles, 4, second, 3);
    ASSERT_EQ(guest->waits, 3);
    fake_guest_destroy(guest);
}

static void test_poll_does_not_wait_if_one_is_ready(void)
{
    fake_guest *guest = new_guest();
    uint32_t handles[] = {
        add(guest, HANDLE_POLLABLE_TIMER, NULL, UINT64_MAX),
        HANDLE_STDIN_READY,
        add(guest, HANDLE_POLLABLE_TIMER, NULL, 0),
        HANDLE_STDIN_READY, /* twice is allowed */
    };
    static const uint32_t ready[] = {1, 2, 3};
    assert_poll(guest, handles, 4, ready, 3);
    ASSERT_EQ(guest->waits, 0);
    fake_guest_destroy(guest);
}

static void test_poll_that_is_interrupted_gives_nothing(void)
{
    fake_guest *guest = new_guest();
    uint32_t timer = add(guest, HANDLE_POLLABLE_TIMER, NULL, UINT64_MAX);
    guest->interrupt_after = 2;
    guest->early_wakes = 1;
    assert_poll(guest, &timer, 1, NULL, 0);
    ASSERT_EQ(guest->waits, 2);
    ASSERT_EQ(guest->allocations, 0);
    fake_guest_destroy(guest);
}

static void test_poll_checks_its_list(void)
{
    fake_guest *guest = new_guest();
    guest_instance *instance = fake_guest_instance(guest);
    wasi_io_poll_poll(instance, LIST, 0, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    wasi_io_poll_poll(instance, LIST, 4097, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    wasi_io_poll_poll(instance, LIST, UINT32_MAX, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    wasi_io_poll_poll(instance, LIST, 0x40000001, RESULT); /* times four wraps to four */
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    wasi_io_poll_poll(instance, MEMORY - 4, 2, RESULT);
    assert_trap(guest, WASM_RT_TRAP_OOB);

    /* A bad one anywhere in the list is found although others are ready. */
    uint32_t handles[] = {HANDLE_STDIN_READY, HANDLE_STDIN_READY, HANDLE_STDIN};
    put_list(guest, handles, 3);
    wasi_io_poll_poll(instance, LIST, 3, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    fake_guest_destroy(guest);
}

static void test_poll_of_the_longest_list(void)
{
    static uint32_t handles[4096];
    static uint32_t indices[4096];
    fake_guest *guest = new_guest();
    for (uint32_t i = 0; i < 4096; i++) {
        handles[i] = HANDLE_STDIN_READY;
        indices[i] = i;
    }
    assert_poll(guest, handles, 4096, indices, 4096);
    guest->refuse_allocation = true;
    wasi_io_poll_poll(fake_guest_instance(guest), LIST, 4096, RESULT);
    assert_trap(guest, WASM_RT_TRAP_UNREACHABLE);
    fake_guest_destroy(guest);
}

TEST_MAIN(TEST_CASE(test_stdin_without_text_is_closed),
          TEST_CASE(test_stdin_is_read_in_pieces_then_closed),
          TEST_CASE(test_stdin_is_read_a_mebibyte_at_most),
          TEST_CASE(test_stdin_survives_a_guest_without_memory), TEST_CASE(test_stdout_and_stderr),
          TEST_CASE(test_write_takes_what_check_write_granted_and_no_more),
          TEST_CASE(test_write_checks_the_bounds), TEST_CASE(test_file_is_read_from_its_position),
          TEST_CASE(test_file_read_allocates_what_is_there),
          TEST_CASE(test_file_behind_its_end_is_closed),
          TEST_CASE(test_device_without_size_is_read), TEST_CASE(test_file_read_error),
          TEST_CASE(test_stream_that_goes_away_during_the_read),
          TEST_CASE(test_file_is_written_at_its_position), TEST_CASE(test_file_is_appended_to),
          TEST_CASE(test_file_write_errors),
          TEST_CASE(test_failure_without_a_handle_left_is_closed),
          TEST_CASE(test_wrong_handles_trap), TEST_CASE(test_results_out_of_bounds_trap),
          TEST_CASE(test_streams_are_ready), TEST_CASE(test_block_waits_for_its_timer),
          TEST_CASE(test_block_is_given_up_when_interrupted),
          TEST_CASE(test_poll_waits_for_the_earliest_timer),
          TEST_CASE(test_poll_does_not_wait_if_one_is_ready),
          TEST_CASE(test_poll_that_is_interrupted_gives_nothing),
          TEST_CASE(test_poll_checks_its_list), TEST_CASE(test_poll_of_the_longest_list))
