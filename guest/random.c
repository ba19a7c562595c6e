/*
 * The random numbers of SQLite, which is built without a source of them: what is here is called by
 * its own functions, and calls them, where toolchain/instrument.py puts that in.
 */
#define _GNU_SOURCE
#include "host.h"
#include "module.h"

#include <stdbool.h>
#include <unistd.h>

static bool seeded;

/* Fills the seed of its generator. */
GUEST_EXPORT(eryx_guest_fill_random) void eryx_guest_fill_random(char *seed, int size);
void eryx_guest_fill_random(char *seed, int size)
{
    enum { MOST = 256 }; /* of one getentropy() */
    for (int done = 0; done < size; done += MOST) {
        int part = size - done < MOST ? size - done : MOST;
        (void)getentropy(seed + done, (size_t)part);
    }
    seeded = true;
}

/* Has its generator forget what it was seeded with. */
GUEST_EXPORT(eryx_guest_forget_random) void eryx_guest_forget_random(void);
void eryx_guest_forget_random(void)
{
    seeded = false;
}

/* forget_random() -> None: the generator is seeded anew when it is used next. Writes nothing if it
 * has not been used. */
PyObject *random_forget(PyObject *self, PyObject *nothing)
{
    /* Through a pointer: what is put into the function must not be lost where it is inlined. */
    static void (*volatile const forget)(void) = eryx_guest_forget_random;
    (void)self;
    (void)nothing;
    if (seeded) {
        forget();
    }
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}
