/*
 * Native extension modules: service ASK_NATIVE of ask.h.
 *
 * The guest reads the file and says where in its memory the module may live; the host knows the
 * module by the hash of that file, and only those that its caller has made available. What the
 * module has to say comes from the host, never from the bytes of the guest.
 *
 * The result is not negative, or NATIVE_FAILED; then NATIVE_MESSAGE tells why.
 */
#ifndef ERYX_PROTOCOL_NATIVE_H
#define ERYX_PROTOCOL_NATIVE_H

enum native_operation {
    NATIVE_BEGIN = 1,   /* the bytes of a file follow */
    NATIVE_BYTES = 2,   /* data: the next ones */
    NATIVE_FIND = 3,    /* the file is complete: the number of its module */
    NATIVE_NEXT = 4,    /* number: a module. Which one to attach next to have it: its number, and
                           out: a native_needs. NATIVE_NONE if there is nothing left to do */
    NATIVE_ATTACH = 5,  /* number: a module; data: memory of the size that it needs. Its record */
    NATIVE_RECORD = 6,  /* number: an attached module. Its record */
    NATIVE_SYMBOL = 7,  /* number: a record; data: name. A table index or address, 0 for none */
    NATIVE_MESSAGE = 8, /* out: text of the last failure, UTF-8 without terminator; its size */
};

enum {
    NATIVE_NONE = 0x7fffffff, /* no module has this number */
    NATIVE_FAILED = -1,
};

struct native_needs {
    unsigned int size;      /* bytes */
    unsigned int alignment; /* a power of two */
};

#define NATIVE_RECORDS_MAX 512
#define NATIVE_FILE_MAX_BYTES (64 << 20)

/*
 * The modules that are attached, in that order. It lies in guest memory, so that it is part of
 * every copy of it, and is written by the host. The host believes none of it: a changed record can
 * make that copy useless, no more.
 */
struct native_record {
    unsigned char hash[32]; /* SHA-256 of the file */
    unsigned int memory_base;
    unsigned int reserved;
};

struct native_directory {
    unsigned int count;
    unsigned int reserved;
    struct native_record records[NATIVE_RECORDS_MAX];
};

/* The name of the guest's variable of that type. */
#define NATIVE_DIRECTORY_SYMBOL "eryx_native_directory"

/* Functions that are called when a module has been attached, in this order; the host gives the
 * first one to what WebAssembly calls the start function. */
#define NATIVE_START_SYMBOL "__eryx_start"

#endif
