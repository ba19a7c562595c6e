/*
 * Core: one eryx_sandbox. The package takes care that only one thread at a time uses it; if that
 * fails the library answers BUSY, which is raised as EryxError.
 *
 * The interpreter lock is released while the guest runs or waits. Every run gives pauses so that
 * signal handlers (Ctrl-C) of the main thread are called soon, whatever the guest does.
 */
#include "binding.h"
#include "gate.h"

#include <errno.h>
#include <time.h>

enum {
    /* How long a signal may go unnoticed while the guest waits. */
    WAIT_SLICE_NS = 25 * 1000 * 1000,
};

/* How one step of a run went, as the loops below see it. */
typedef enum step_outcome {
    STEP_FAILED,  /* exception is set */
    STEP_REFUSED, /* exception is set; the run, if there is one, belongs to somebody else */
    STEP_DONE,
    STEP_WAIT,
    STEP_PAUSE,
    STEP_EVENT, /* something for the package: see core_event() */
} step_outcome;

/* ---- Construction -----------------------------------------------------------------------------
 */

bool core_take_deterministic(PyObject *given, eryx_deterministic *out,
                             eryx_sandbox_options *options)
{
    if (given == Py_None) {
        return true;
    }
    eryx_deterministic_init(out);
    unsigned long long seed;
    unsigned long long start_ns;
    unsigned long long tick_ns;
    if (!PyArg_ParseTuple(given, "KKK:deterministic", &seed, &start_ns, &tick_ns)) {
        return false;
    }
    out->seed = seed;
    out->start_ns = start_ns;
    out->tick_ns = tick_ns;
    options->deterministic = out;
    return true;
}

static PyObject *core_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"engine",    "limits",        "mounts",  "volumes",
                            "packages",  "network",       "secrets", "native_modules",
                            "providers", "deterministic", NULL};
    const binding_state *state = PyType_GetModuleState(type);
    PyObject *engine = NULL;
    PyObject *limits = NULL;
    core_equipment equipment = {.mounts = NULL};
    PyObject *packages = Py_None;
    PyObject *native_modules = NULL;
    PyObject *deterministic = Py_None;
    eryx_deterministic repeatable;
    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(
            args, keywords, "O!O!|O!O!OOOO!O!O:Core", names, state->engine_type, &engine,
            &PyTuple_Type, &limits, &PyTuple_Type, &equipment.mounts, &PyTuple_Type,
            &equipment.volumes, &packages, &equipment.network, &equipment.secrets, &PyTuple_Type,
            &native_modules, &PyTuple_Type, &equipment.providers, &deterministic)) {
        return NULL;
    }
    if (packages != Py_None && Py_TYPE(packages) != state->packages_type) {
        PyErr_SetString(PyExc_TypeError, "packages are Packages or None");
        return NULL;
    }
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.packages = packages != Py_None ? packages_of(packages) : NULL;
    if (limits_parse(limits, &options.limits) < 0 ||
        !core_take_deterministic(deterministic, &repeatable, &options)) {
        return NULL;
    }
    core_object *self = (core_object *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    eryx_status status = ERYX_OK;
    int parsed = equipment_parse(state, &equipment, &options);
    if (parsed < 0) {
        goto fail_equipment;
    }
    parsed = native_parse_allowed(native_modules, &options);
    if (parsed < 0) {
        goto fail_native;
    }
    PyThreadState *thread = gate_give_up();
    status =
        eryx_sandbox_create(((engine_object *)engine)->engine, &options, &self->sandbox, &error);
    gate_take(thread);
    native_free_allowed(&options);
fail_native:
    equipment_free(&options);
fail_equipment:
    if (parsed < 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (status != ERYX_OK) {
        Py_DECREF(self);
        return binding_raise(state, status, &error);
    }
    return (PyObject *)self;
}

static void core_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    eryx_sandbox *sandbox = core_sandbox(self);
    /* Giving memory back to the system takes long if there is much of it. */
    PyThreadState *thread = gate_give_up();
    eryx_sandbox_destroy(sandbox);
    gate_take(thread);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- Runs -------------------------------------------------------------------------------------
 */

/* A NULL-terminated array of the bytes in a tuple, which owns them. Freed with PyMem_Free(). */
static const char **argument_array(PyObject *tuple)
{
    const Py_ssize_t count = PyTuple_Size(tuple);
    const char **array = PyMem_Calloc((size_t)count + 1, sizeof *array);
    if (array == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        char *bytes;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, index), &bytes, NULL) != 0) {
            PyMem_Free(array);
            return NULL;
        }
        array[index] = bytes;
    }
    return array;
}

/* Bytes, the number of a descriptor, or None. False with an exception. */
static bool take_standard_input(PyObject *input, eryx_run_options *options)
{
    if (input == Py_None) {
        return true;
    }
    if (PyLong_Check(input)) {
        options->standard_input_fd = PyObject_AsFileDescriptor(input);
        return options->standard_input_fd >= 0;
    }
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(input, &bytes, &size) != 0) {
        return false;
    }
    options->standard_input = (const uint8_t *)bytes;
    options->standard_input_size = (size_t)size;
    return true;
}

bool core_parse_run(PyObject *args, PyObject *keywords, eryx_run_options *out_options)
{
    static char *names[] = {
        "source",           "result_variable", "arguments",      "standard_input",    "keep_state",
        "stream_output",    "pause_every_ms",  "hide_traceback", "callbacks",         "trace",
        "max_trace_events", "source_is_file",  "given",          "max_display_bytes", NULL};
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.result_variable = NULL;
    Py_ssize_t source_size = 0;
    PyObject *arguments = NULL;
    PyObject *input = Py_None;
    int keep_state = 0;
    int stream_output = 0;
    unsigned long long pause_every_ms = 0;
    unsigned long long max_trace_events = 0;
    int source_is_file = 0;
    Py_ssize_t given_size = 0;
    int hide_traceback = 0;
    unsigned long long max_display_bytes = options.max_display_bytes;
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "y#|zO!OppKp$zzKpz#K:begin", names, &options.source, &source_size,
            &options.result_variable, &PyTuple_Type, &arguments, &input, &keep_state,
            &stream_output, &pause_every_ms, &hide_traceback, &options.callbacks, &options.trace,
            &max_trace_events, &source_is_file, &options.given, &given_size, &max_display_bytes) ||
        !take_standard_input(input, &options)) {
        return false;
    }
    options.max_trace_events = max_trace_events;
    options.source_is_file = source_is_file != 0;
    options.given_size = (size_t)given_size;
    options.hide_traceback = hide_traceback != 0;
    options.max_display_bytes = max_display_bytes;
    options.source_size = (size_t)source_size;
    options.keep_state = keep_state != 0;
    options.stream_output = stream_output != 0;
    options.stream_lines = options.stream_output;
    options.pause_every_ms = pause_every_ms;
    if (arguments != NULL) {
        options.arguments = argument_array(arguments);
        if (options.arguments == NULL) {
            return false;
        }
    }
    *out_options = options;
    return true;
}

void core_free_run(eryx_run_options *options)
{
    PyMem_Free((void *)(uintptr_t)options->arguments);
}

static PyObject *core_begin(PyObject *self, PyObject *args, PyObject *keywords)
{
    eryx_run_options options;
    if (!core_parse_run(args, keywords, &options)) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    const eryx_status status = eryx_run_begin(core_sandbox(self), &options, &error);
    core_free_run(&options);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_NONE;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Lets the guest run until an event; pauses are passed over until this thread has computed for
 * slice_ns. Not by the wall clock, so that a machine that is short of processors is fair as well.
 */
static eryx_status step_slice(eryx_sandbox *sandbox, uint64_t slice_ns, eryx_event *out_event)
{
    const uint64_t end_ns = slice_ns == 0 ? 0 : clock_ns(CLOCK_THREAD_CPUTIME_ID) + slice_ns;
    for (;;) {
        const eryx_status status = eryx_run_step(sandbox, out_event);
        if (status != ERYX_OK || out_event->kind != ERYX_EVENT_PAUSE || slice_ns == 0 ||
            clock_ns(CLOCK_THREAD_CPUTIME_ID) >= end_ns) {
            return status;
        }
    }
}

/*
 * Lets the guest run until an event, without the interpreter lock.
 *
 * wait: wait here, for one slice at most, if the guest waits.
 * slice_ns: how long it may compute through pauses; 0: the first one is an event.
 * out_event: the event, unless the outcome is STEP_FAILED or STEP_REFUSED.
 */
static step_outcome step(PyObject *self, bool wait, uint64_t slice_ns, eryx_event *out_event)
{
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_status status;
    PyThreadState *thread = gate_give_up();
    status = step_slice(sandbox, slice_ns, out_event);
    if (status == ERYX_OK && wait && out_event->kind == ERYX_EVENT_WAIT) {
        const uint64_t slice_end = clock_ns(CLOCK_MONOTONIC) + WAIT_SLICE_NS;
        const uint64_t wake = out_event->as.wait.wake_ns;
        eryx_sandbox_wait(sandbox, wake < slice_end ? wake : slice_end);
    }
    gate_take(thread);
    if (status != ERYX_OK) {
        binding_raise(core_state(self), status, NULL);
        return STEP_REFUSED;
    }
    switch (out_event->kind) {
    case ERYX_EVENT_DONE:
        return STEP_DONE;
    case ERYX_EVENT_WAIT:
        return STEP_WAIT;
    case ERYX_EVENT_PAUSE:
        return STEP_PAUSE;
    case ERYX_EVENT_OUTPUT:
    case ERYX_EVENT_CALLBACK:
    case ERYX_EVENT_CALLBACK_EXPIRED:
    case ERYX_EVENT_TRACE:
    case ERYX_EVENT_CONNECT:
    case ERYX_EVENT_FILES:
        return STEP_EVENT;
    }
    PyErr_SetString(PyExc_SystemError, "unknown event");
    return STEP_FAILED;
}

/* Drops the run that is going on; the exception that is set stays. */
static void abandon(PyObject *self)
{
    eryx_sandbox *sandbox = core_sandbox(self);
    PyThreadState *thread = gate_give_up();
    (void)eryx_sandbox_reset(sandbox, NULL); /* if it fails the next use says so */
    gate_take(thread);
}

static PyObject *core_outcome(PyObject *self, PyObject *unused)
{
    (void)unused;
    const binding_state *state = core_state(self);
    const eryx_result *result = eryx_sandbox_result(core_sandbox(self));
    if (result == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "no run has ended");
        return NULL;
    }
    return outcome_from_result(state, result);
}

/* Has those told who watch, if the run had connections: its caller looks at nothing of the outcome.
 * Takes the reference. */
static PyObject *audited(PyObject *self, PyObject *outcome)
{
    const eryx_result *result = eryx_sandbox_result(core_sandbox(self));
    if (outcome == NULL || result == NULL || result->connection_count == 0) {
        return outcome;
    }
    PyObject *module = PyImport_ImportModule("eryx._audit");
    PyObject *done =
        module == NULL ? NULL : PyObject_CallMethod(module, "audit_outcome", "(O)", outcome);
    Py_XDECREF(module);
    if (done == NULL) {
        Py_DECREF(outcome);
        return NULL;
    }
    Py_DECREF(done);
    return outcome;
}

static PyObject *core_run(PyObject *self, PyObject *unused)
{
    (void)unused;
    for (;;) {
        eryx_event event;
        switch (step(self, true, 0, &event)) {
        case STEP_DONE:
            return audited(self, core_outcome(self, NULL));
        case STEP_FAILED:
            abandon(self);
            return NULL;
        case STEP_REFUSED:
            return NULL;
        case STEP_EVENT:
            if (event.kind == ERYX_EVENT_FILES) {
                const eryx_files_answer none = {.error_number = EIO};
                (void)eryx_answer_files(core_sandbox(self), event.as.files.id, &none);
            } else if (event.kind == ERYX_EVENT_CALLBACK) {
                (void)eryx_callback_raise(core_sandbox(self), event.as.callback.id, "LookupError",
                                          "there are no callbacks");
            }
            break;
        case STEP_WAIT:
        case STEP_PAUSE:
            if (PyErr_CheckSignals() < 0) {
                return NULL; /* in the middle of the run, which the caller ends or drops */
            }
        }
    }
}

/* JSON of an event, which the library has measured, as text; None if it is not UTF-8. */
static PyObject *json_or_none(eryx_bytes json)
{
    PyObject *text = PyUnicode_DecodeUTF8((const char *)json.data, (Py_ssize_t)json.size, NULL);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        return Py_NewRef(Py_None);
    }
    return text;
}

PyObject *core_event(const eryx_event *event)
{
    const int kind = (int)event->kind;
    if (event->kind == ERYX_EVENT_WAIT) {
        return Py_BuildValue("(iKiO)", kind, (unsigned long long)event->as.wait.wake_ns,
                             event->as.wait.fd, event->as.wait.input ? Py_True : Py_False);
    }
    if (event->kind == ERYX_EVENT_CONNECT) {
        return network_connect_event(event);
    }
    if (event->kind == ERYX_EVENT_FILES) {
        return files_event(event);
    }
    if (event->kind == ERYX_EVENT_CALLBACK_EXPIRED) {
        return Py_BuildValue("(ik)", kind, (unsigned long)event->as.callback.id);
    }
    if (event->kind == ERYX_EVENT_OUTPUT) {
        const eryx_bytes output = event->as.output.bytes;
        return Py_BuildValue("(iiy#)", kind, event->as.output.stream, (const char *)output.data,
                             (Py_ssize_t)output.size);
    }
    if (event->kind == ERYX_EVENT_TRACE) {
        PyObject *events = json_or_none(event->as.trace.json);
        return events == NULL ? NULL : Py_BuildValue("(iN)", kind, events);
    }
    const eryx_bytes name_bytes = event->as.callback.name;
    PyObject *name =
        PyUnicode_DecodeUTF8((const char *)name_bytes.data, (Py_ssize_t)name_bytes.size, "replace");
    if (name == NULL) {
        return NULL;
    }
    PyObject *arguments = json_or_none(event->as.callback.arguments);
    if (arguments == NULL) {
        Py_DECREF(name);
        return NULL;
    }
    return Py_BuildValue("(ikNNK)", kind, (unsigned long)event->as.callback.id, name, arguments,
                         (unsigned long long)event->as.callback.memory_bytes);
}

static PyObject *core_step(PyObject *self, PyObject *slice)
{
    const unsigned long long slice_ns = PyLong_AsUnsignedLongLong(slice);
    if (slice_ns == (unsigned long long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    eryx_event event;
    switch (step(self, false, slice_ns, &event)) {
    case STEP_DONE:
        Py_RETURN_NONE;
    case STEP_FAILED:
        abandon(self);
        return NULL;
    case STEP_REFUSED:
        return NULL;
    case STEP_WAIT:
        if (event.as.wait.fd >= 0) {
            return core_event(&event);
        }
        return PyLong_FromUnsignedLongLong(event.as.wait.wake_ns);
    case STEP_PAUSE:
        return PyLong_FromLong(0);
    case STEP_EVENT:
        return core_event(&event);
    }
    return NULL;
}

/* ---- Other methods ----------------------------------------------------------------------------
 */

static PyObject *core_advance_clock(PyObject *self, PyObject *nanoseconds)
{
    const unsigned long long number = PyLong_AsUnsignedLongLong(nanoseconds);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    return core_clock_moved(self, eryx_sandbox_advance_clock(core_sandbox(self), number));
}

PyObject *core_clock_moved(PyObject *self, eryx_status status)
{
    if (status == ERYX_INVALID_ARGUMENT) {
        const eryx_error error = {.message = "only a deterministic sandbox has a clock of its own"};
        return binding_raise(core_state(self), status, &error);
    }
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, NULL);
    }
    Py_RETURN_NONE;
}

static PyObject *core_cancel(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_sandbox_cancel(core_sandbox(self));
    Py_RETURN_NONE;
}

static PyObject *core_reset(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_error error = {.message = ""};
    eryx_status status;
    PyThreadState *thread = gate_give_up();
    status = eryx_sandbox_reset(sandbox, &error);
    gate_take(thread);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_NONE;
}

static PyObject *core_fix_hash_seed(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_error error = {.message = ""};
    eryx_status status;
    PyThreadState *thread = gate_give_up();
    status = eryx_sandbox_fix_hash_seed(core_sandbox(self), &error);
    gate_take(thread);
    if (status == ERYX_INVALID_ARGUMENT) {
        Py_RETURN_FALSE;
    }
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_TRUE;
}

/* True if the call got its answer; False if nobody waits for it any more. */
static PyObject *answered(PyObject *self, eryx_status status)
{
    if (status == ERYX_INVALID_ARGUMENT) {
        Py_RETURN_FALSE;
    }
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, NULL);
    }
    Py_RETURN_TRUE;
}

static PyObject *core_callback_return(PyObject *self, PyObject *args)
{
    unsigned long id = 0;
    const char *json = NULL;
    Py_ssize_t size = 0;
    if (!PyArg_ParseTuple(args, "ks#:callback_return", &id, &json, &size)) {
        return NULL;
    }
    return answered(self,
                    eryx_callback_return(core_sandbox(self), (uint32_t)id, json, (size_t)size));
}

static PyObject *core_callback_raise(PyObject *self, PyObject *args)
{
    unsigned long id = 0;
    const char *type = NULL;
    const char *message = NULL;
    if (!PyArg_ParseTuple(args, "kyy:callback_raise", &id, &type, &message)) {
        return NULL;
    }
    return answered(self, eryx_callback_raise(core_sandbox(self), (uint32_t)id, type, message));
}

static PyMethodDef core_methods[] = {
    {"begin", (PyCFunction)(void (*)(void))core_begin, METH_VARARGS | METH_KEYWORDS,
     "begin($self, source, result_variable=None, arguments=(), standard_input=None,\n"
     "      keep_state=False, stream_output=False, pause_every_ms=0, hide_traceback=False, *,\n"
     "      callbacks=None, trace=None, max_trace_events=0, source_is_file=False,\n"
     "      given=None, max_display_bytes=16 MiB)\n--\n\n"
     "Begins a run; nothing of the guest runs yet."},
    {"run", core_run, METH_NOARGS,
     "run($self, /)\n--\n\n"
     "Runs to the end on this thread and returns the Outcome. For runs that stream nothing."},
    {"step", core_step, METH_O,
     "step($self, slice_ns, /)\n--\n\n"
     "Runs until the guest waits, pauses or ends; pauses are passed over until it has computed "
     "for\n"
     "so long. Returns the CLOCK_MONOTONIC time at which to step again, 0 for a pause, None\n"
     "when the run has ended, or a tuple for an event: (1, time, descriptor, is_input) if the "
     "descriptor is\n"
     "to be waited for as well, (3, stream, bytes) of output, (4, id, name, arguments,\n"
     "memory_bytes) of a call, (5, id) of one that has expired, (6, events) of the tracer, (7, "
     "host,\n"
     "address, port) before a connection, which connect_answer() has to allow.\n"
     "Arguments and events are JSON, or None if that cannot be parsed."},
    {"callback_return", core_callback_return, METH_VARARGS,
     "callback_return($self, identity, json, /)\n--\n\n"
     "Answers a call with a value. False if nobody waits for it any more."},
    {"callback_raise", core_callback_raise, METH_VARARGS,
     "callback_raise($self, identity, type_name, message, /)\n--\n\n"
     "Answers a call with an exception. False if nobody waits for it any more."},
    {"connections", network_so_far, METH_NOARGS,
     "connections($self, /)\n--\n\n"
     "Connections of the run that goes on, or of the last one, as in an Outcome."},
    {"connect_answer", network_connect_answer, METH_O,
     "connect_answer($self, allow, /)\n--\n\n"
     "Says whether the guest may connect, right after the event."},
    {"outcome", core_outcome, METH_NOARGS,
     "outcome($self, /)\n--\n\nWhat the last run left, as an Outcome."},
    {"advance_clock", core_advance_clock, METH_O, NULL},
    {"cancel", core_cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\nEnds the present run, from any thread."},
    {"reset", core_reset, METH_NOARGS,
     "reset($self, /)\n--\n\nPuts the sandbox back to the state of the image."},
    {"fix_hash_seed", core_fix_hash_seed, METH_NOARGS,
     "fix_hash_seed($self, /)\n--\n\n"
     "Has a sandbox hash strings as all such sandboxes do; False if it has run something."},
    {"begin_command", live_begin_command, METH_VARARGS,
     "begin_command($self, command, source, pause_every_ms, /)\n--\n\n"
     "Begins a run that does what an eryx_run_command says."},
    {"fork", live_fork, METH_NOARGS,
     "fork($self, /)\n--\n\nA second Core that goes on from the present state."},
    {"checkpoint", live_checkpoint, METH_O,
     "checkpoint($self, include_storages, /)\n--\n\nThe present state, to go back to."},
    {"rollback", live_rollback, METH_O,
     "rollback($self, checkpoint, /)\n--\n\nGoes back to a state."},
    {"save", live_save, METH_VARARGS,
     "save($self, path, include_storages, /)\n--\n\nWrites the present state to a file."},
    {"load", live_load, METH_O, "load($self, path, /)\n--\n\nGoes on from a saved state."},
    {"answer_files", files_answer, METH_VARARGS,
     "answer_files($self, identity, error_number, entries, data, /)\n--\n\nAnswers a question "
     "about "
     "files."},
    {"volume_changes", changes_of_volume, METH_O,
     "volume_changes($self, guest_path, /)\n--\n\nChanges of an overlay, or None."},
    {"volume_discard", changes_discard, METH_O,
     "volume_discard($self, guest_path, /)\n--\n\nForgets them."},
    {"freeze", factory_freeze, METH_NOARGS,
     "freeze($self, /)\n--\n\nThe present state, for Engine.derive()."},
    {"set_limits", live_set_limits, METH_O,
     "set_limits($self, limits, /)\n--\n\nChanges the limits for the runs that begin from now on."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot core_slots[] = {
    {Py_tp_doc, "Core(engine, limits, mounts=(), volumes=(), packages=None, network=None, "
                "secrets=None, native_modules=(), providers=(), deterministic=None)\n--\n\n"
                "One sandbox; limits are in the order of eryx_limits."},
    {Py_tp_new, core_new},
    {Py_tp_dealloc, core_dealloc},
    {Py_tp_methods, core_methods},
    {0, NULL},
};

PyType_Spec core_spec = {
    .name = "eryx._eryx.Core",
    .basicsize = (int)sizeof(core_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = core_slots,
};
