/*
 * Files, functions of the import module "eryx:host": their permission bits, which WASI does not
 * know. In the status of a file they lie above the number of its links.
 *
 * - set_mode(path, size, mode) -> file_outcome: of what a path from "/" leads to.
 *
 * - set_open_mode(identity, mode) -> file_outcome: of an open file, by its st_ino.
 *
 * - set_mode_of_new(mode): what is made from now on gets that mode; FILE_MODE_USUAL for that of its
 *   type.
 *
 * - processor_time() -> nanoseconds that the guest has computed for, in this run and those before.
 *
 * A path that is FILE_AGAIN with the st_ino of an open file behind it, in hexadecimal, opens that
 * file once more, for what it is open for: what os.dup() is made of.
 */
#ifndef ERYX_PROTOCOL_FILES_H
#define ERYX_PROTOCOL_FILES_H

#define FILE_MODE_SHIFT 48
#define FILE_MODE_USUAL 0xffffffffu
#define FILE_AGAIN "\1open/"

enum file_outcome {
    FILE_DONE = 0,
    FILE_READ_ONLY = 1,
    FILE_MISSING = 2,
};

#endif
