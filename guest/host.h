/*
 * The host functions of eryx itself, module "eryx:host" (everything else is WASI).
 */
#ifndef ERYX_GUEST_HOST_H
#define ERYX_GUEST_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/ask.h"
#include "protocol/callbacks.h"
#include "protocol/files.h"
#include "protocol/run.h"

#define HOST_IMPORT(name) __attribute__((import_module("eryx:host"), import_name(#name)))
#define GUEST_EXPORT(name) __attribute__((export_name(#name), visibility("default")))

/* Frees what the host has allocated. */
void eryx_guest_free(void *block);

/* field: enum report_field; the bytes are copied before it returns. */
HOST_IMPORT(report) void host_report(uint32_t field, const char *bytes, size_t size);

/* The code that SystemExit carried; told before eryx_guest_run() gives RUN_EXIT. */
HOST_IMPORT(report_exit_code) void host_report_exit_code(int32_t code);

/* Ends the guest at once; does not return. */
HOST_IMPORT(exit) void host_exit(int32_t code);

/* How many bytes of memory the guest may have. */
HOST_IMPORT(memory_limit) uint64_t host_memory_limit(void);

/* Callbacks and tracing: see protocol/callbacks.h. */
HOST_IMPORT(call)
int32_t host_call(const char *name, size_t name_size, const char *arguments, size_t arguments_size);
HOST_IMPORT(wait) uint32_t host_wait(uint64_t timeout_ns);
HOST_IMPORT(answer) uint32_t host_answer(struct callback_answer *out);
HOST_IMPORT(trace) void host_trace(const char *events, size_t size);
HOST_IMPORT(watch_answers) void host_watch_answers(void);

/* Files and the time that the guest has computed for: see protocol/files.h. */
HOST_IMPORT(set_mode) uint32_t host_set_mode(const char *path, size_t size, uint32_t mode);
HOST_IMPORT(set_open_mode) uint32_t host_set_open_mode(uint64_t identity, uint32_t mode);
HOST_IMPORT(set_mode_of_new) void host_set_mode_of_new(uint32_t mode);
HOST_IMPORT(processor_time) uint64_t host_processor_time(void);

/* Threads: see protocol/threads.h. */
HOST_IMPORT(thread_wait) uint32_t host_thread_wait(const void *key, uint64_t deadline_ns);
HOST_IMPORT(thread_wake) uint32_t host_thread_wake(const void *key, uint32_t most);
HOST_IMPORT(thread_give_way) void host_thread_give_way(uint32_t may_wait);
HOST_IMPORT(thread_interrupt) void host_thread_interrupt(uint32_t number);
HOST_IMPORT(thread_state) uint32_t host_thread_state(uint32_t number);
HOST_IMPORT(thread_poke) void host_thread_poke(void);

/* Services of the host: see protocol/ask.h. */
HOST_IMPORT(ask)
int32_t host_ask(uint32_t service, uint32_t operation, uint32_t number, const void *data,
                 size_t size, char *out, size_t room);

#endif
