/*
 * What the host calls: starts Python once, when the image is built, and runs programs in it.
 *
 * A program is run from here and not from Python, so that its frames are the outermost ones, as
 * they are in an ordinary interpreter. What needs no such care is in python/_eryx_runtime.
 */
#include "allocator.h"
#include "descriptors.h"
#include "host.h"
#include "module.h"
#include "pressure.h"
#include "protocol/run.h"
#include "python_api.h"
#include "reserve.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The functions of the runner that a run calls, in this order. */
static struct {
    PyObject *begin;  /* (source, result_variable, arguments, flags, extras) -> (code, globals) */
    PyObject *finish; /* (value, exception) -> enum run_outcome */
    PyObject *close;  /* () -> None: finalises the program unless its state is kept */
} runner;

struct request {
    PyObject *source;
    PyObject *result_variable; /* None if there is none */
    PyObject *arguments;
    PyObject *extras; /* the fields that only few runs have, by number; None if there are none */
    uint32_t flags;
};

GUEST_EXPORT(eryx_guest_alloc) void *eryx_guest_alloc(size_t size);
void *eryx_guest_alloc(size_t size)
{
    void *block = malloc(size);
    return block != NULL ? block : pressure_take_reserve(size);
}

GUEST_EXPORT(eryx_guest_free) void eryx_guest_free(void *block);
void eryx_guest_free(void *block)
{
    if (reserve_has(block)) {
        reserve_free(block);
    } else {
        free(block);
    }
}

/* ---- Start ------------------------------------------------------------------------------------
 */

/* Of the library in guest/library. */
PyObject *PyInit__bz2(void);
PyObject *PyInit__lzma(void);
PyObject *PyInit__zstd(void);
PyObject *PyInit__eryx_digests(void);

static PyInitConfig *make_config(void)
{
    static char standard_library[] = "/python-stdlib";
    static char site_packages[] = "/site-packages";
    char *search_path[] = {standard_library, site_packages};
    static const struct {
        const char *name;
        int value;
    } numbers[] = {
        /* The configuration is isolated from the start: no environment, no user site, no argv. */
        {"site_import", 0},   {"write_bytecode", 0},
        {"utf8_mode", 1},     {"install_signal_handlers", 1},
        {"use_hash_seed", 0}, {"pathconfig_warnings", 0},
    };
    static const struct {
        const char *name;
        const char *value;
    } texts[] = {
        {"home", "/python-stdlib"},
        {"prefix", "/"},
        {"exec_prefix", "/"},
        {"base_prefix", "/"},
        {"base_exec_prefix", "/"},
        {"executable", ""},
        {"base_executable", ""},
        {"stdlib_dir", "/python-stdlib"},
        {"stdio_encoding", "utf-8"},
        {"stdio_errors", "surrogateescape"},
        {"filesystem_encoding", "utf-8"},
        {"filesystem_errors", "surrogateescape"},
        /* Sources are what matters for pyc files, and these are never stale. */
        {"check_hash_pycs_mode", "never"},
    };
    static const struct {
        const char *name;
        PyObject *(*initialize)(void);
    } modules[] = {
        {"_eryx", module_initialize},
        {"_bz2", PyInit__bz2},
        {"_lzma", PyInit__lzma},
        {"_zstd", PyInit__zstd},
        {"_eryx_digests", PyInit__eryx_digests},
    };
    PyInitConfig *config = PyInitConfig_Create();
    if (config == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (PyInitConfig_SetInt(config, numbers[i].name, numbers[i].value) != 0) {
            return config; /* the error stays in the configuration; see start_python() */
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (PyInitConfig_SetStr(config, texts[i].name, texts[i].value) != 0) {
            return config;
        }
    }
    if (PyInitConfig_SetStrList(config, "module_search_paths", 2, search_path) != 0) {
        return config;
    }
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (PyInitConfig_AddModule(config, modules[i].name, modules[i].initialize) != 0) {
            return config;
        }
    }
    return config;
}

static bool start_python(void)
{
    const char *message;
    PyInitConfig *config = make_config();
    if (config == NULL) {
        fputs("eryx: no memory for the configuration of Python\n", stderr);
        return false;
    }
    bool failed = PyInitConfig_GetError(config, &message) != 0;
    if (!failed) {
        failed = Py_InitializeFromInitConfig(config) != 0 &&
                 PyInitConfig_GetError(config, &message) != 0;
    }
    if (failed) {
        fprintf(stderr, "eryx: Python did not start: %s\n", message);
    }
    PyInitConfig_Free(config);
    return !failed;
}

/* Where the stack ends and begins (toolchain/layout.py). */
extern char __stack_low[];
extern char __stack_high[];

/*
 * The interpreter raises RecursionError when the linear stack goes below a limit in the thread
 * state. As set by CPython it leaves less below it than some functions take for one frame, so it is
 * raised. (How the check sees the native stack as well: toolchain/recursion.py.) CPython 3.14.7 has
 * no call for this, hence the offsets into struct _PyThreadStateImpl; what is there is checked
 * before anything is changed.
 */
enum {
    OFFSET_TOP = 708,
    OFFSET_SOFT = 712,
    OFFSET_HARD = 716,
    STACK_SOFT = 256 * 1024, /* above the lowest byte */
    STACK_HARD = 128 * 1024,
};

void runtime_limit_stack(void *thread_state, uint32_t base, uint32_t top)
{
    char *state = thread_state;
    *(uint32_t *)(void *)(state + OFFSET_TOP) = top;
    *(uint32_t *)(void *)(state + OFFSET_SOFT) = base + STACK_SOFT;
    *(uint32_t *)(void *)(state + OFFSET_HARD) = base + STACK_HARD;
}

static bool set_stack_limit(void)
{
    enum { STACK_BYTES = 4 << 20, DEFAULT_SOFT = 16384, DEFAULT_HARD = 8192 };
    char *state = (char *)PyThreadState_Get();
    uint32_t *top = (uint32_t *)(void *)(state + OFFSET_TOP);
    uint32_t *soft = (uint32_t *)(void *)(state + OFFSET_SOFT);
    uint32_t *hard = (uint32_t *)(void *)(state + OFFSET_HARD);
    uint32_t here = (uint32_t)(uintptr_t)__builtin_frame_address(0);
    /* CPython takes the page that it was called in for the first, and so much below for the last.
     */
    uint32_t low = *top - STACK_BYTES;
    if (*soft - low != DEFAULT_SOFT || *hard - low != DEFAULT_HARD ||
        here - *top + 65536 > 131072) {
        fprintf(stderr, "eryx: the stack limits of Python are not where they should be: %u %u %u\n",
                (unsigned)*top, (unsigned)*soft, (unsigned)*hard);
        return false;
    }
    runtime_limit_stack(state, (uint32_t)(uintptr_t)__stack_low, (uint32_t)(uintptr_t)__stack_high);
    return true;
}

/* Prints the exception that is set. */
static void print_exception(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception != NULL) {
        PyErr_DisplayException(exception);
        Py_DecRef(exception);
    }
}

/* ---- Run --------------------------------------------------------------------------------------
 */

static void request_clear(struct request *request)
{
    Py_DecRef(request->source);
    Py_DecRef(request->result_variable);
    Py_DecRef(request->arguments);
    Py_DecRef(request->extras);
}

/* Replaces *place, which holds a reference or NULL, by a new reference; false if that is NULL. */
static bool replace(PyObject **place, PyObject *object)
{
    Py_DecRef(*place);
    *place = object;
    return object != NULL;
}

/* Keeps a field for the runner as it is. */
static bool request_extra(struct request *request, uint32_t field, const char *bytes, uint32_t size)
{
    if (request->extras == &_Py_NoneStruct && !replace(&request->extras, PyDict_New())) {
        return false;
    }
    PyObject *key = PyLong_FromUnsignedLong(field);
    PyObject *value = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)size);
    bool kept = key != NULL && value != NULL && PyDict_SetItem(request->extras, key, value) == 0;
    Py_DecRef(value);
    Py_DecRef(key);
    return kept;
}

static bool request_field(struct request *request, uint32_t field, const char *bytes, uint32_t size)
{
    PyObject *argument = NULL;
    bool taken;
    switch (field) {
    case REQUEST_SOURCE:
        return replace(&request->source, PyBytes_FromStringAndSize(bytes, (Py_ssize_t)size));
    case REQUEST_RESULT_VARIABLE:
        return replace(&request->result_variable,
                       PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)size, "surrogatepass"));
    case REQUEST_ARGUMENT:
        argument = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)size, "surrogateescape");
        taken = argument != NULL && PyList_Append(request->arguments, argument) == 0;
        Py_DecRef(argument);
        return taken;
    case REQUEST_FLAGS:
        if (size == sizeof request->flags) {
            memcpy(&request->flags, bytes, size);
        }
        return true;
    default:
        return request_extra(request, field, bytes, size);
    }
}

/* An empty request, to be cleared also on failure, when an exception is set. */
static bool request_init(struct request *out_request)
{
    Py_IncRef(&_Py_NoneStruct);
    Py_IncRef(&_Py_NoneStruct);
    *out_request = (struct request){
        .source = PyBytes_FromStringAndSize("", 0),
        .result_variable = &_Py_NoneStruct,
        .arguments = PyList_New(0),
        .extras = &_Py_NoneStruct,
    };
    return out_request->source != NULL && out_request->arguments != NULL;
}

/* Makes objects of the fields of a request; on failure an exception is set. */
static bool request_read(struct request *request, const char *bytes, size_t size)
{
    uint32_t header[2];
    while (size >= sizeof header) {
        memcpy(header, bytes, sizeof header);
        bytes += sizeof header;
        size -= sizeof header;
        if (header[1] > size) {
            break;
        }
        if (!request_field(request, header[0], bytes, header[1])) {
            return false;
        }
        bytes += header[1];
        size -= header[1];
    }
    if (size != 0) {
        PyErr_SetString(PyExc_ValueError, "malformed request");
        return false;
    }
    return true;
}

/* For an exception that the runner itself did not survive: an interrupt or a lack of memory that
 * met it at the wrong time. Says what can be said without running any more Python code than
 * printing it takes. */
static void report_failure(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        return;
    }
    PyObject *name = PyType_GetFullyQualifiedName(exception->ob_type);
    const char *text = NULL;
    Py_ssize_t size = 0;
    if (name != NULL) {
        text = PyUnicode_AsUTF8AndSize(name, &size);
    }
    if (text != NULL) {
        host_report(REPORT_EXCEPTION_TYPE, text, (size_t)size);
    }
    PyErr_Clear();
    Py_DecRef(name);
    PyErr_DisplayException(exception);
    Py_DecRef(exception);
}

/* Calls runner.begin, which gives a tuple of code and globals. */
static PyObject *begin(const struct request *request)
{
    PyObject *flags = PyLong_FromLong((long)request->flags);
    PyObject *program = NULL;
    if (flags != NULL) {
        program =
            PyObject_CallFunctionObjArgs(runner.begin, request->source, request->result_variable,
                                         request->arguments, flags, request->extras, NULL);
    }
    Py_DecRef(flags);
    return program;
}

/* Runs what begin() gave; NULL with an exception set if either failed. */
static PyObject *evaluate(PyObject *program)
{
    if (program == NULL) {
        return NULL;
    }
    PyObject *globals = PyTuple_GetItem(program, 1);
    return PyEval_EvalCode(PyTuple_GetItem(program, 0), globals, globals);
}

/* Hands the end of the program to runner.finish and gives the outcome. */
static int32_t finish(PyObject *value)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *outcome =
        PyObject_CallFunctionObjArgs(runner.finish, value != NULL ? value : &_Py_NoneStruct,
                                     exception != NULL ? exception : &_Py_NoneStruct, NULL);
    int32_t number = RUN_EXCEPTION;
    Py_DecRef(exception);
    if (outcome != NULL) {
        number = (int32_t)PyLong_AsLong(outcome);
        Py_DecRef(outcome);
    } else {
        report_failure();
    }
    return number;
}

/* Runs the program of a request, which it clears, or fails with the exception that is set. Gives an
 * enum run_outcome. */
static int32_t run(struct request *request)
{
    PyObject *program = PyErr_Occurred() == NULL ? begin(request) : NULL;
    request_clear(request);
    pressure_set_user(MEMORY_OF_PROGRAM);
    PyObject *value = evaluate(program);
    pressure_set_user(MEMORY_OF_RUNTIME);
    Py_DecRef(program);
    int32_t outcome = finish(value);
    Py_DecRef(value);
    pressure_end_program();
    /* Nothing here refers to the program any more: now it can be finalised. */
    PyObject *closed = PyObject_CallNoArgs(runner.close);
    if (closed == NULL) {
        outcome = RUN_EXCEPTION;
        report_failure();
    }
    Py_DecRef(closed);
    pressure_set_user(MEMORY_OF_RESCUE); /* also for the request of the next run */
    return outcome;
}

/* Takes the functions of the runner; on failure an exception is set. */
static bool take_runner(PyObject *module)
{
    runner.begin = PyObject_GetAttrString(module, "begin");
    runner.finish = PyObject_GetAttrString(module, "finish");
    runner.close = PyObject_GetAttrString(module, "close");
    return runner.begin != NULL && runner.finish != NULL && runner.close != NULL;
}

/* Calls a function of the module without arguments; NULL with an exception set if that failed. */
static PyObject *call(PyObject *module, const char *name)
{
    PyObject *function = PyObject_GetAttrString(module, name);
    PyObject *value = function != NULL ? PyObject_CallNoArgs(function) : NULL;
    Py_DecRef(function);
    return value;
}

/* Runs a small program the way a user's is run; false with an exception set if that failed. */
static bool warm_up(PyObject *module, uint32_t flags)
{
    struct request request;
    bool ready = request_init(&request);
    request.flags = flags;
    ready = ready && replace(&request.source, call(module, "prepare_round")) &&
            replace(&request.result_variable, PyUnicode_FromString("result"));
    if (!ready) {
        request_clear(&request);
        return false;
    }
    if (run(&request) != RUN_OK) {
        PyErr_SetString(PyExc_RuntimeError, "the program that warms up the image failed");
        return false;
    }
    return true;
}

/* Calls a function of the module that gives nothing. */
static bool call_procedure(PyObject *module, const char *name)
{
    PyObject *nothing = call(module, name);
    Py_DecRef(nothing);
    return nothing != NULL;
}

static bool prepare_image(void)
{
    /* Code is specialised after a few rounds; some more bring the caches back to what a run needs.
     */
    enum { ROUNDS = 16, ROUNDS_AFTER = 4 };
    PyObject *module = PyImport_ImportModule("_eryx_runtime");
    bool prepared = module != NULL && take_runner(module) &&
                    call_procedure(module, "prepare_image") && module_check_interrupt() &&
                    warm_up(module, REQUEST_KEEP_STATE);
    for (int round = 1; prepared && round < ROUNDS; round++) {
        prepared = warm_up(module, 0);
    }
    prepared = prepared && call_procedure(module, "settle_image");
    for (int round = 0; prepared && round < ROUNDS_AFTER; round++) {
        prepared = warm_up(module, 0);
    }
    prepared = prepared && call_procedure(module, "seal_image");
    Py_DecRef(module);
    if (!prepared) {
        print_exception();
    }
    return prepared;
}

/*
 * libc's table of open files moves when it grows, and a thread may be waiting in a function of libc
 * that has its place in there. So it has its size from the start: that of all that can be open
 * unless max_open_handles is raised.
 */
static void grow_table_of_files(void)
{
    enum { MOST = 1000 };
    int files[MOST];
    int count = 0;
    while (count < MOST && (files[count] = open("/dev/null", O_RDONLY)) >= 0) {
        count++;
    }
    while (count > 0) {
        close(files[--count]);
    }
}

/*
 * Called once, when the image is built: starts Python and makes it ready to run programs.
 * Gives 0, or another number after the reason was written to stderr.
 */
GUEST_EXPORT(eryx_guest_start) int32_t eryx_guest_start(void);
int32_t eryx_guest_start(void)
{
    if (chdir("/data") != 0) {
        fprintf(stderr, "eryx: the directory /data: %s\n", strerror(errno));
        return 1;
    }
    grow_table_of_files();
    allocator_install();
    setlocale(LC_CTYPE, "C.UTF-8"); /* as Python itself does where the locale is "C" */
    if (!start_python() || !set_stack_limit() || !prepare_image()) {
        return 1;
    }
    allocator_start_fresh();
    pressure_start();
    return 0;
}

/* Runs the program of a request (protocol/run.h) and gives an enum run_outcome. The request stays
 * the caller's. */
GUEST_EXPORT(eryx_guest_run) int32_t eryx_guest_run(const char *bytes, size_t size);
int32_t eryx_guest_run(const char *bytes, size_t size)
{
    struct request request;
    module_clear_interrupt();
    pressure_set_user(MEMORY_OF_RESCUE);
    descriptors_restore_streams();
    if (request_init(&request)) {
        request_read(&request, bytes, size);
    }
    return run(&request);
}
