/*
 * The interpreter lock, given up and taken back around calls of the library.
 *
 * A run may be as short as 15 us, and what Python does between two of them is shorter still. A
 * thread that comes back and finds the lock taken would sleep, which takes several times as long as
 * the lock is held, and wake the other with as much trouble when it gives it up in turn: two
 * threads with short runs did less than one. So those who come back wait in turn for each other,
 * awake, as long as it may be worth it. This is a hint only: the lock itself is CPython's.
 */
#ifndef ERYX_BINDING_GATE_H
#define ERYX_BINDING_GATE_H

#include <Python.h>

/* Gives the interpreter lock up; to be given to gate_take(). */
PyThreadState *gate_give_up(void);

/* Takes the interpreter lock back, on the same thread. */
void gate_take(PyThreadState *thread);

#endif
