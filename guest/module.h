/*
 * The built-in module _eryx: what the Python part of the runtime asks of its C part.
 */
#ifndef ERYX_GUEST_MODULE_H
#define ERYX_GUEST_MODULE_H

#include <stdbool.h>

#include "protocol/run.h"
#include "python_api.h"

/* For PyInitConfig_AddModule(). Gives a new reference, or NULL with an exception set. */
PyObject *module_initialize(void);

/* Finds the flags that the host sets to interrupt a program, and makes sure that they are where
 * they should be. To be called once the handler is installed. False if they are not. */
bool module_check_interrupt(void);

/* Forgets an interrupt that came too late for the run it was meant for. */
void module_clear_interrupt(void);

/*
 * For a wait of the first thread that nothing could end: makes its next look at signals raise
 * RuntimeError. Does not return if it has not looked for a long time. Needs no lock of the
 * interpreter's.
 */
void module_refuse_wait(void);

/* Methods of the module that are in callbacks.c. */
PyObject *callbacks_call(PyObject *self, PyObject *arguments);
PyObject *callbacks_wait(PyObject *self, PyObject *timeout);
PyObject *callbacks_trace(PyObject *self, PyObject *events);
PyObject *callbacks_watch(PyObject *self, PyObject *nothing);

/* Methods of the module that are in files.c. */
PyObject *files_change_mode(PyObject *self, PyObject *arguments);
PyObject *files_change_open_mode(PyObject *self, PyObject *arguments);
PyObject *files_umask(PyObject *self, PyObject *arguments);
PyObject *files_pipe(PyObject *self, PyObject *nothing);
PyObject *files_dup(PyObject *self, PyObject *arguments);
PyObject *files_dup2(PyObject *self, PyObject *arguments);

/* Methods of the module that are in thread_methods.c. */
PyObject *threads_state_of(PyObject *self, PyObject *identity);
PyObject *threads_stop(PyObject *self, PyObject *arguments);
PyObject *threads_rest(PyObject *self, PyObject *unused);
PyObject *threads_number(PyObject *self, PyObject *unused);
PyObject *threads_poke(PyObject *self, PyObject *unused);

/* The method of the module that is in random.c. */
PyObject *random_forget(PyObject *self, PyObject *nothing);

/* Methods of the module that are in ask.c. */
PyObject *ask_call(PyObject *self, PyObject *arguments);
PyObject *ask_call_into(PyObject *self, PyObject *arguments);

#endif
