/*
 * A storage as bytes, and back. All numbers are little-endian.
 *
 *   header   magic, format version, size of the whole, checksum of all that follows the header
 *   records  of the entries of the root, each directory followed by its entries and an end mark
 *
 * What is read need not be trusted: it is made with the same functions, names and quota as what a
 * guest makes. Neither direction recurses.
 */
#include <stdlib.h>
#include <string.h>

#include "vfs/storage.h"

static const char magic[8] = {'E', 'R', 'Y', 'X', 'F', 'I', 'L', 'E'};

enum {
    FORMAT_VERSION = 2,
    FORMAT_WITHOUT_MODES = 1, /* which is read as well */
    HEADER_SIZE = 8 + 4 + 8 + 8,
};

typedef enum record_kind {
    RECORD_FILE = 1,
    RECORD_DIRECTORY = 2,
    RECORD_SYMBOLIC_LINK = 3,
    RECORD_HARD_LINK = 4, /* another name of a record before it */
    RECORD_END = 5,       /* of a directory */
} record_kind;

static uint64_t checksum(const uint8_t *data, size_t size)
{
    uint64_t state = UINT64_C(0xcbf29ce484222325) ^ size;
    while (size > 0) {
        uint64_t word = 0;
        size_t step = size < sizeof word ? size : sizeof word;
        for (size_t i = 0; i < step; i++) {
            word |= (uint64_t)data[i] << 8 * i;
        }
        state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 32;
        data += step;
        size -= step;
    }
    return state;
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

typedef struct writer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} writer;

/* Room for some more bytes; NULL without memory. */
static uint8_t *extend(writer *out, size_t size)
{
    if (out->failed || size > SIZE_MAX / 4 - out->size) {
        out->failed = true;
        return NULL;
    }
    if (out->size + size > out->capacity) {
        size_t capacity = (out->size + size) + (out->size + size) / 2 + 256;
        uint8_t *data = realloc(out->data, capacity);
        if (data == NULL) {
            out->failed = true;
            return NULL;
        }
        out->data = data;
        out->capacity = capacity;
    }
    uint8_t *place = out->data + out->size;
    out->size += size;
    return place;
}

static void store(uint8_t *place, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        place[i] = (uint8_t)(number >> 8 * i);
    }
}

static void put_number(writer *out, uint64_t number, size_t size)
{
    uint8_t *place = extend(out, size);
    if (place != NULL) {
        store(place, number, size);
    }
}

static void put_bytes(writer *out, const void *data, size_t size)
{
    uint8_t *place = extend(out, size);
    if (place != NULL && size > 0) {
        memcpy(place, data, size);
    }
}

/* Size, then those stretches that are not empty, each with its place, then one of no bytes. */
static void put_contents(writer *out, const memory_node *file)
{
    put_number(out, file->file.size, 8);
    for (size_t i = 0; i < file->file.capacity; i++) {
        uint64_t offset = (uint64_t)i * MEMORY_CHUNK_SIZE;
        size_t size = file->file.chunks[i].size;
        if (offset >= file->file.size || size == 0) {
            continue;
        }
        size = file->file.size - offset < size ? (size_t)(file->file.size - offset) : size;
        put_number(out, size, 4);
        put_number(out, offset, 8);
        put_bytes(out, file->file.chunks[i].block->bytes, size);
    }
    put_number(out, 0, 4);
}

/* A node with several names knows the number of its record, plus one, in place of its copy: so
 * another name can say which one it is. */
static void put_entry(writer *out, const memory_entry *entry, uint32_t *numbers)
{
    memory_node *node = entry->node;
    bool is_numbered = node->type != VFS_TYPE_DIRECTORY && node->links > 1;
    bool again = is_numbered && node->copy != NULL;
    if (is_numbered && !again) {
        node->copy = (memory_node *)(uintptr_t)++*numbers;
    }
    record_kind kind = again                              ? RECORD_HARD_LINK
                       : node->type == VFS_TYPE_FILE      ? RECORD_FILE
                       : node->type == VFS_TYPE_DIRECTORY ? RECORD_DIRECTORY
                                                          : RECORD_SYMBOLIC_LINK;
    put_number(out, kind, 1);
    put_number(out, node->links > 1 && !again ? 1 : 0, 1); /* gets a number for other names */
    put_number(out, entry->name_length, 2);
    put_bytes(out, entry->name, entry->name_length);
    put_number(out, node->modified.seconds, 8);
    put_number(out, node->modified.nanoseconds, 4);
    put_number(out, node->mode, 2);
    if (kind == RECORD_HARD_LINK) {
        put_number(out, (uintptr_t)node->copy - 1, 4);
    } else if (kind == RECORD_FILE) {
        put_contents(out, node);
    } else if (kind == RECORD_SYMBOLIC_LINK) {
        put_number(out, node->link.length, 2);
        put_bytes(out, node->link.target, node->link.length);
    }
}

/* A directory that is being written, and where in it. */
typedef struct level {
    const memory_node *directory;
    uint64_t cursor;
} level;

static void put_tree(writer *out, memory_node *root)
{
    uint32_t numbers = 0;
    size_t depth = 1;
    size_t capacity = 16;
    level *levels = malloc(capacity * sizeof *levels);
    if (levels == NULL || memory_forget_copies(root) != VFS_OK) {
        free(levels);
        out->failed = true;
        return;
    }
    levels[0] = (level){.directory = root};
    while (depth > 0 && !out->failed) {
        const memory_entry *entry =
            memory_directory_next(levels[depth - 1].directory, &levels[depth - 1].cursor);
        if (entry == NULL) {
            put_number(out, RECORD_END, 1);
            depth--;
            continue;
        }
        put_entry(out, entry, &numbers);
        if (entry->node->type != VFS_TYPE_DIRECTORY) {
            continue;
        }
        if (depth == capacity) {
            level *more = realloc(levels, capacity * 2 * sizeof *levels);
            if (more == NULL) {
                out->failed = true;
                break;
            }
            levels = more;
            capacity *= 2;
        }
        levels[depth++] = (level){.directory = entry->node};
    }
    free(levels);
}

eryx_file_error eryx_storage_to_bytes(eryx_storage *storage, uint8_t **out_data, size_t *out_size)
{
    if (storage == NULL || out_data == NULL || out_size == NULL) {
        return ERYX_FILE_INVALID;
    }
    /* Of a copy, which shares the contents: guests wait for the lock of the storage itself. */
    eryx_storage *copy;
    eryx_file_error failure = eryx_storage_fork(storage, &copy);
    if (failure != ERYX_FILE_OK) {
        return failure;
    }
    writer out = {0};
    (void)extend(&out, HEADER_SIZE);
    put_tree(&out, &copy->root);
    eryx_storage_destroy(copy);
    if (out.failed) {
        free(out.data);
        return ERYX_FILE_OUT_OF_MEMORY;
    }
    memcpy(out.data, magic, sizeof magic);
    store(out.data + 8, FORMAT_VERSION, 4);
    store(out.data + 12, out.size, 8);
    store(out.data + 20, checksum(out.data + HEADER_SIZE, out.size - HEADER_SIZE), 8);
    *out_data = out.data;
    *out_size = out.size;
    return ERYX_FILE_OK;
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

/* The nodes that may have other names, in the order of their records. */
typedef struct record_numbers {
    memory_node **nodes;
    size_t count;
    size_t capacity;
} record_numbers;

static bool add_record(record_numbers *numbers, memory_node *node)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 16 : numbers->capacity * 2;
        memory_node **nodes = realloc(numbers->nodes, capacity * sizeof *nodes);
        if (nodes == NULL) {
            return false;
        }
        numbers->nodes = nodes;
        numbers->capacity = capacity;
    }
    numbers->nodes[numbers->count++] = node;
    return true;
}

typedef struct reader {
    const uint8_t *next;
    size_t left;
    bool failed;    /* it ended too soon */
    bool has_modes; /* of entries */
} reader;

static const uint8_t *get_bytes(reader *in, size_t size)
{
    if (in->failed || size > in->left) {
        in->failed = true;
        return NULL;
    }
    const uint8_t *place = in->next;
    in->next += size;
    in->left -= size;
    return place;
}

static uint64_t get_number(reader *in, size_t size)
{
    const uint8_t *place = get_bytes(in, size);
    uint64_t number = 0;
    for (size_t i = 0; place != NULL && i < size; i++) {
        number |= (uint64_t)place[i] << 8 * i;
    }
    return number;
}

static vfs_error get_contents(reader *in, memory_node *file)
{
    uint64_t size = get_number(in, 8);
    for (;;) {
        size_t part = (size_t)get_number(in, 4);
        if (part == 0) {
            break;
        }
        uint64_t offset = get_number(in, 8);
        const uint8_t *data = get_bytes(in, part);
        if (data == NULL || offset > VFS_FILE_SIZE_MAX || part > size || offset > size - part) {
            return VFS_INVALID;
        }
        size_t done = 0;
        vfs_error error = memory_file_write(file, offset, data, part, &done);
        if (error != VFS_OK || done < part) {
            return error != VFS_OK ? error : VFS_INSUFFICIENT_SPACE;
        }
    }
    return in->failed ? VFS_INVALID : memory_file_set_size(file, size);
}

/* Reads what a record makes: a new node, or one of those before it. */
static vfs_error get_node(reader *in, record_kind kind, memory_tree *tree,
                          const record_numbers *numbers, memory_node **out_node)
{
    if (kind == RECORD_HARD_LINK) {
        uint64_t number = get_number(in, 4);
        if (number >= numbers->count) {
            return VFS_INVALID;
        }
        *out_node = numbers->nodes[number];
        return VFS_OK;
    }
    const char *target = NULL;
    size_t target_length = 0;
    if (kind == RECORD_SYMBOLIC_LINK) {
        target_length = (size_t)get_number(in, 2);
        target = (const char *)get_bytes(in, target_length);
        if (target == NULL || !vfs_target_is_plain(target, target_length)) {
            return VFS_INVALID;
        }
    }
    vfs_type type = kind == RECORD_FILE        ? VFS_TYPE_FILE
                    : kind == RECORD_DIRECTORY ? VFS_TYPE_DIRECTORY
                                               : VFS_TYPE_SYMBOLIC_LINK;
    vfs_error error = memory_node_create(tree, type, target, target_length, out_node);
    if (error == VFS_OK && kind == RECORD_FILE) {
        error = get_contents(in, *out_node);
        if (error != VFS_OK) {
            memory_node_free(*out_node);
        }
    }
    return error;
}

/* Reads one entry into a directory; *out_directory is the new directory if it is one. */
static vfs_error get_entry(reader *in, record_kind kind, memory_node *directory,
                           record_numbers *numbers, memory_node **out_directory)
{
    bool is_numbered = get_number(in, 1) != 0;
    size_t length = (size_t)get_number(in, 2);
    const char *name = (const char *)get_bytes(in, length);
    vfs_time modified = {.seconds = get_number(in, 8), .nanoseconds = (uint32_t)get_number(in, 4)};
    uint16_t mode = in->has_modes ? (uint16_t)(get_number(in, 2) & VFS_MODE_MASK) : 0;
    if (in->failed || kind < RECORD_FILE || kind > RECORD_HARD_LINK ||
        !vfs_name_is_plain(name, length) || modified.nanoseconds >= 1000000000) {
        return VFS_INVALID;
    }
    vfs_time kept = directory->modified;
    memory_node *node;
    vfs_error error = get_node(in, kind, directory->tree, numbers, &node);
    if (error != VFS_OK) {
        return error;
    }
    error = memory_node_add_name(directory, name, length, node);
    if (error != VFS_OK) {
        if (kind != RECORD_HARD_LINK) {
            memory_node_free(node);
        }
        return error == VFS_EXIST ? VFS_INVALID : error;
    }
    node->modified = modified;
    if (in->has_modes) {
        node->mode = mode;
    }
    directory->modified = kept;
    if (is_numbered && (kind == RECORD_FILE || kind == RECORD_SYMBOLIC_LINK) &&
        !add_record(numbers, node)) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    *out_directory = kind == RECORD_DIRECTORY ? node : NULL;
    return VFS_OK;
}

static vfs_error get_tree(reader *in, memory_node *root)
{
    record_numbers numbers = {0};
    memory_node *directory = root;
    vfs_error error = VFS_OK;
    while (error == VFS_OK && directory != NULL) {
        record_kind kind = (record_kind)get_number(in, 1);
        memory_node *made = NULL;
        if (kind == RECORD_END) {
            directory = directory->directory.parent;
            continue;
        }
        error = get_entry(in, kind, directory, &numbers, &made);
        if (error == VFS_OK && made != NULL) {
            directory = made;
        }
    }
    free(numbers.nodes);
    return error == VFS_OK && in->left > 0 ? VFS_INVALID : error;
}

eryx_file_error eryx_storage_from_bytes(const uint8_t *data, size_t size, uint64_t max_bytes,
                                        uint64_t max_entries, eryx_storage **out_storage)
{
    if (data == NULL || out_storage == NULL) {
        return ERYX_FILE_INVALID;
    }
    reader in = {.next = data, .left = size};
    const uint8_t *start = get_bytes(&in, sizeof magic);
    if (start == NULL || memcmp(start, magic, sizeof magic) != 0) {
        return ERYX_FILE_INVALID;
    }
    uint64_t version = get_number(&in, 4);
    in.has_modes = version == FORMAT_VERSION;
    if ((version != FORMAT_VERSION && version != FORMAT_WITHOUT_MODES) ||
        get_number(&in, 8) != size) {
        return ERYX_FILE_INVALID;
    }
    uint64_t expected = get_number(&in, 8);
    if (in.failed || checksum(in.next, in.left) != expected) {
        return ERYX_FILE_INVALID;
    }
    eryx_storage *storage;
    eryx_file_error failure = eryx_storage_create(max_bytes, max_entries, &storage);
    if (failure != ERYX_FILE_OK) {
        return failure;
    }
    vfs_error error = get_tree(&in, &storage->root);
    if (error != VFS_OK) {
        eryx_storage_destroy(storage);
        return storage_file_error(error);
    }
    *out_storage = storage;
    return ERYX_FILE_OK;
}
