/*
 * What differs from thread to thread. In this build a thread-local variable is one word for all of
 * them, so the host exchanges the words of it (protocol/run.h); and it asks whoever has the
 * interpreter's lock to let go of it. Neither is in CPython's API: they are found by what they
 * hold.
 */
#include <errno.h>
#include <stddef.h>

#include "module.h"
#include "pressure.h"
#include "threads.h"

/* Ends of static data (toolchain/layout.py). */
extern char __stack_high[];
extern char __heap_base[];

const struct gil_words *thread_gil;

/*
 * The variable of CPython that holds the state of the thread that runs: the one word of static data
 * that has it, and has it no more once the thread has let go of the interpreter.
 */
static uint32_t find_current_state(void)
{
    enum { MOST = 64 };
    volatile uint32_t *found[MOST];
    int count = 0;
    uint32_t state = (uint32_t)(uintptr_t)PyThreadState_Get();
    for (uint32_t at = (uint32_t)(uintptr_t)__stack_high; at < (uint32_t)(uintptr_t)__heap_base;
         at += sizeof(uint32_t)) {
        volatile uint32_t *word = (volatile uint32_t *)(uintptr_t)at;
        if (*word == state && count < MOST) {
            found[count++] = word;
        }
    }
    uint32_t address = 0;
    int emptied = 0;
    PyThreadState *saved = PyEval_SaveThread();
    for (int i = 0; i < count; i++) {
        if (*found[i] == 0) {
            address = (uint32_t)(uintptr_t)found[i];
            emptied++;
        }
    }
    PyEval_RestoreThread(saved);
    return emptied == 1 ? address : 0;
}

/* The lock of the main interpreter, which is a part of the interpreter's state. */
static const struct gil_words *find_gil(void)
{
    enum { MOST_WORDS = 1 << 16, INTERVAL_US = 5000 };
    const PyThreadState *state = PyThreadState_Get();
    const uint32_t *words = (const uint32_t *)(const void *)PyThreadState_GetInterpreter(state);
    for (int i = 0; i < MOST_WORDS; i++) {
        const struct gil_words *gil = (const struct gil_words *)(const void *)(words + i);
        if (gil->interval_us == INTERVAL_US && gil->holder == (uint32_t)(uintptr_t)state &&
            gil->locked == 1) {
            return gil;
        }
    }
    return NULL;
}

bool threads_describe(struct interrupt_flags *flags)
{
    uint32_t state = find_current_state();
    thread_gil = find_gil();
    if (state == 0 || thread_gil == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the state of threads is not where it should be");
        return false;
    }
    flags->gil = (uint32_t)(uintptr_t)thread_gil;
    flags->words[0] = (uint32_t)(uintptr_t)&thread_current;
    flags->words[1] = (uint32_t)(uintptr_t)&errno;
    flags->words[2] = state;
    flags->words[3] = (uint32_t)(uintptr_t)pressure_user_word();
    return true;
}
