/* The worker process itself. */
#ifndef ERYX_WORKER_SERVER_H
#define ERYX_WORKER_SERVER_H

/* Strings of a native module: its path, the SHA-256 of the file in hex, and the places of those
 * before it that it needs, with commas between. */
enum { WORKER_NATIVE_STRINGS = 3 };

/*
 * Serves sandboxes until its parent is gone, with nothing but the descriptors that it was handed.
 *
 * control_fd: a stream socket to the parent; image_path and stdlib_path: as for
 * eryx_engine_create(); native: strings of native modules, which all its sandboxes may use, and
 * native_count: of strings. All are opened before anything is given up. Gives the status of the
 * process.
 *
 * Found by its name in the extension module (tools/eryx_worker.c).
 */
__attribute__((visibility("default"))) int worker_serve(int control_fd, const char *image_path,
                                                        const char *stdlib_path,
                                                        char *const *native, int native_count);

#endif
