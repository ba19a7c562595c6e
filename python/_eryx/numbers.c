/* Numbers of the C API that the package needs by name. */
#include "binding.h"

#define NUMBERS(X)                                                                                 \
    X(EVENT_WAIT)                                                                                  \
    X(EVENT_OUTPUT)                                                                                \
    X(EVENT_CALLBACK)                                                                              \
    X(EVENT_CALLBACK_EXPIRED)                                                                      \
    X(EVENT_CONNECT)                                                                               \
    X(EVENT_FILES)                                                                                 \
    X(RUN_SNAPSHOT)                                                                                \
    X(RUN_RESTORE)                                                                                 \
    X(RUN_CLEAR)                                                                                   \
    X(RUN_PREPARE)                                                                                 \
    X(RUN_SEAL)                                                                                    \
    X(RUN_FILES)                                                                                   \
    X(RUN_STOP_THREADS)                                                                            \
    X(WORKER_CRASHED)                                                                              \
    X(SCRUB_STDOUT)                                                                                \
    X(SCRUB_STDERR)                                                                                \
    X(SCRUB_FILES)                                                                                 \
    X(SCRUB_CALLBACKS)                                                                             \
    X(SCRUB_EXCEPTIONS)                                                                            \
    X(SCRUB_RESULT)

int numbers_add(PyObject *module)
{
    static const struct {
        const char *name;
        long value;
    } numbers[] = {
#define NAME_AND_NUMBER(name) {#name, ERYX_##name},
        NUMBERS(NAME_AND_NUMBER)
#undef NAME_AND_NUMBER
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (PyModule_AddIntConstant(module, numbers[i].name, numbers[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}
