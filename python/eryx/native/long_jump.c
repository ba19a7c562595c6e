/*
 * What clang makes of setjmp() and longjmp() (-mllvm -wasm-enable-sjlj): a call of setjmp() notes
 * which call of the function it is in and where; longjmp() throws what a try around the rest of that
 * function catches, which asks whether it is meant.
 */
#include <stdint.h>

/* The number that the compiler knows the exception by. */
#define LONG_JUMP 1

struct thrown {
    void *buffer;
    int value;
};

/* What is kept in a jmp_buf. */
struct kept {
    const void *call;
    uint32_t label;
    struct thrown thrown;
};

__attribute__((visibility("hidden"))) void __wasm_setjmp(struct kept *buffer, uint32_t label,
                                                         const void *call)
{
    buffer->call = call;
    buffer->label = label;
}

__attribute__((visibility("hidden"))) uint32_t __wasm_setjmp_test(const struct kept *buffer,
                                                                  const void *call)
{
    return buffer->call == call ? buffer->label : 0;
}

__attribute__((visibility("hidden"), noreturn)) void __wasm_longjmp(struct kept *buffer, int value)
{
    buffer->thrown.buffer = buffer;
    buffer->thrown.value = value != 0 ? value : 1;
    __builtin_wasm_throw(LONG_JUMP, &buffer->thrown);
}
