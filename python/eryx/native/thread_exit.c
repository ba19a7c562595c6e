/*
 * What C++ asks for where a variable of a thread has a destructor. There is one such variable for
 * all threads of the guest, so it goes when the program ends.
 */
int __cxa_atexit(void (*destructor)(void *), void *object, void *module);

__attribute__((visibility("hidden"))) int __cxa_thread_atexit(void (*destructor)(void *),
                                                              void *object, void *module)
{
    return __cxa_atexit(destructor, object, module);
}
