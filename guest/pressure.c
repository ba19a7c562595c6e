#include "pressure.h"

#include "python_api.h"
#include "reserve.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    CUSHION_BYTES = 1 << 20,
    CUSHION_MOST = CUSHION_BYTES / 2, /* for one block */
    LAST_BYTES = 512 << 10,           /* of the reserve, for a rescue */
    LEAST_GROWTH = 4 << 20,           /* between two collections */
    LEAST_ROOM = 512 << 10,           /* the same, where memory is nearly used up */
    UNWINDING_BYTES = 64 << 10,       /* of the reserve, for a program that finds none or has its
                                         MemoryError, in small blocks */
    UNWINDING_BLOCK = 512,
    UNWINDING_LEFT = 1536 << 10, /* what programs leave of the reserve in any case */
};

static uint32_t user; /* enum memory_user */
static size_t in_use;
static size_t collected_at;          /* in_use after the last collection */
static size_t collect_at = SIZE_MAX; /* in_use at which the next one comes */
static size_t full_at = SIZE_MAX;    /* in_use at which there was none left */
static void *cushion;                /* NULL while the program has it */
static bool cushion_given;           /* since the last collection */
static size_t unwinding;             /* bytes of it that are left */
static bool collection_due;
static bool watching;
static bool was_high;

enum memory_user pressure_set_user(enum memory_user next)
{
    enum memory_user earlier = (enum memory_user)user;
    user = (uint32_t)next;
    unwinding = 0;
    if (next == MEMORY_OF_PROGRAM && cushion == NULL && watching) {
        cushion = malloc(CUSHION_BYTES);
        if (cushion == NULL) {
            unwinding = UNWINDING_BYTES; /* a small program can run where memory is full */
        }
    }
    return earlier;
}

uint32_t *pressure_user_word(void)
{
    return &user;
}

/* The next collection comes after growth by a quarter, but before memory is full. */
static void plan_collection(void)
{
    size_t growth = in_use / 4;
    if (growth < LEAST_GROWTH) {
        growth = LEAST_GROWTH;
    }
    size_t room = in_use < full_at ? (full_at - in_use) / 2 : 0;
    if (growth > room && room >= LEAST_ROOM) {
        growth = room;
    }
    collected_at = in_use;
    collect_at = in_use + growth;
}

/*
 * The exception that the interpreter raises where it has no other MemoryError left: it lives for
 * ever, and with it would the frames of where it was raised last. It is had by taking all others.
 */
static void clear_last_resort(void)
{
    enum { MOST = 64 };
    PyObject *taken[MOST];
    int count = 0;
    do {
        PyErr_NoMemory();
        taken[count++] = PyErr_GetRaisedException();
    } while (count < MOST && (count < 2 || taken[count - 1] != taken[count - 2]));
    PyObject *last = taken[count - 1];
    if (count < MOST) {
        PyException_SetContext(last, NULL);
        PyException_SetCause(last, NULL);
        PyException_SetTraceback(last, &_Py_NoneStruct);
    }
    while (count > 0) {
        Py_DecRef(taken[--count]);
    }
}

/* What the interpreter holds of programs that are over: exceptions with their frames. */
static void forget_exceptions(void)
{
    static const char *const names[] = {"last_exc", "last_value", "last_type", "last_traceback"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (PySys_SetObject(names[i], NULL) != 0) {
            PyErr_Clear();
        }
    }
}

/* A pending call of Python. If the cushion cannot be had back the program has its MemoryError. */
static int collect(void *unused)
{
    (void)unused;
    bool given = cushion_given;
    size_t before = in_use;
    collection_due = false;
    if (cushion == NULL) {
        forget_exceptions();
    }
    if (PyGC_IsEnabled()) {
        PyGC_Collect();
    }
    plan_collection();
    cushion_given = false;
    if (cushion == NULL) {
        cushion = malloc(CUSHION_BYTES);
    }
    if (!given || cushion != NULL || user != MEMORY_OF_PROGRAM ||
        in_use + CUSHION_BYTES <= before) {
        return 0;
    }
    PyErr_NoMemory();
    return -1;
}

static void ask_for_collection(void)
{
    if (!collection_due && watching) {
        /* Not Py_AddPendingCall(), whose calls only the first thread makes: it may wait for others.
         */
        collection_due = _PyEval_AddPendingCall(PyInterpreterState_Main(), collect, NULL, 0) == 0;
    }
}

void pressure_add(size_t bytes)
{
    in_use += bytes;
    if (in_use > collect_at) {
        ask_for_collection();
    }
}

void pressure_remove(size_t bytes)
{
    in_use -= bytes;
}

bool pressure_relieve(size_t size, bool may_collect)
{
    was_high = true;
    if (user != MEMORY_OF_PROGRAM || !watching) {
        return false;
    }
    bool may_be_garbage = in_use > collected_at;
    if (size > CUSHION_MOST) {
        if (!may_be_garbage) {
            return false;
        }
        if (may_collect && PyGC_IsEnabled()) {
            PyGC_Collect();
            plan_collection();
            return true;
        }
        ask_for_collection();
        return false;
    }
    full_at = in_use;
    if (cushion != NULL) {
        free(cushion);
        cushion = NULL;
        cushion_given = true;
        ask_for_collection();
        return true;
    }
    if (may_be_garbage) {
        ask_for_collection();
    }
    return false;
}

/* A program that has its MemoryError gets what it takes to tell where it was; one that begins where
 * there is no memory, what it takes to make room. */
static void *take_for_unwinding(size_t size)
{
    if (size > UNWINDING_BLOCK || !watching) {
        return NULL;
    }
    if (unwinding < size) {
        unwinding = UNWINDING_BYTES;
        return NULL;
    }
    unwinding -= size;
    return reserve_allocate(size, UNWINDING_LEFT);
}

void *pressure_take_reserve(size_t size)
{
    if (user == MEMORY_OF_PROGRAM) {
        return take_for_unwinding(size);
    }
    return reserve_allocate(size, user == MEMORY_OF_RESCUE ? 0 : LAST_BYTES);
}

bool pressure_was_high(void)
{
    return was_high;
}

void pressure_end_program(void)
{
    if (was_high) {
        was_high = false;
        clear_last_resort();
    }
}

void pressure_start(void)
{
    watching = true;
    reserve_start();
    cushion = malloc(CUSHION_BYTES);
    plan_collection();
}
