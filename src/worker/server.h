/* The worker process itself. */
#ifndef ERYX_WORKER_SERVER_H
#define ERYX_WORKER_SERVER_H

/* Strings of a native module: its path, the SHA-256 of the file in hex, and the places of those
 * before it that it needs, with commas between. */
enum { WORKER_NATIVE_STRINGS = 3 };

/* What a worker opens, as in eryx_engine_options. */
typedef struct worker_files {
    const char *image_path;
    const char *stdlib_path;
    const char *seeds_path; /* NULL for none, both */
    const char *unpack_folder;
} worker_files;

/*
 * Serves sandboxes until its parent is gone, with nothing but the descriptors that it was handed.
 *
 * control_fd: a stream socket to the parent; files: paths; native: strings of native modules, which
 * all its sandboxes may use, and
 * native_count: of strings. All are opened before anything is given up. Gives the status of the
 * process.
 *
 * Found by its name in the extension module (tools/eryx_worker.c).
 */
__attribute__((visibility("default"))) int worker_serve(int control_fd, const worker_files *files,
                                                        char *const *native, int native_count);

#endif
