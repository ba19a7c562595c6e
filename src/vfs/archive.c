#include "vfs/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/utf8.h"
#include "machine/mappings.h"

enum entry_type {
    ENTRY_DIRECTORY = 1,
    ENTRY_FILE = 2,
};

enum {
    NAME_LENGTH_MAX = 255,
};

typedef struct archive_header {
    char magic[8];
    uint32_t version;
    uint32_t entry_count;
    uint64_t time; /* seconds since 1970 */
    uint64_t names_size;
    uint64_t file_size;
} archive_header;

typedef struct archive_entry {
    uint32_t parent;
    uint32_t name_offset; /* into the names */
    uint16_t name_length;
    uint8_t type; /* entry_type */
    uint8_t zero;
    uint32_t first_child;
    uint32_t child_count;
    uint32_t zero_too;
    uint64_t data_offset; /* from the start of the archive */
    uint64_t data_size;
} archive_entry;

_Static_assert(sizeof(archive_header) == 40 && sizeof(archive_entry) == 40,
               "the structs are the file format");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file format is little-endian");

struct archive {
    const uint8_t *bytes; /* the mapped file */
    mapping_record *record;
    uint64_t size;
    const archive_entry *entries;
    const char *names;
    uint32_t entry_count;
    uint64_t time;
};

static int compare_names(const char *left, size_t left_length, const char *right,
                         size_t right_length)
{
    size_t common = left_length < right_length ? left_length : right_length;
    int order = memcmp(left, right, common);
    if (order != 0) {
        return order;
    }
    return (left_length > right_length) - (left_length < right_length);
}

/* A name that a path could hold, and not one that means something else there. */
static bool is_plain_name(const char *name, size_t length)
{
    if (length == 0 || length > NAME_LENGTH_MAX || memchr(name, '/', length) != NULL ||
        memchr(name, '\0', length) != NULL || !utf8_is_valid(name, length)) {
        return false;
    }
    return !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

static const char *check_header(archive *opened)
{
    archive_header header;
    if (opened->size < sizeof header) {
        return "it is too short for a header";
    }
    memcpy(&header, opened->bytes, sizeof header);
    if (memcmp(header.magic, ARCHIVE_MAGIC, sizeof header.magic) != 0) {
        return "it is not an archive of ours";
    }
    if (header.version != ARCHIVE_VERSION) {
        return "its format version is not ours";
    }
    if (header.file_size != opened->size) {
        return "its size is not what the header says";
    }
    uint64_t entries_size = (uint64_t)header.entry_count * sizeof(archive_entry);
    uint64_t room = opened->size - sizeof header;
    if (header.entry_count == 0 || entries_size > room || header.names_size > room - entries_size ||
        header.names_size > UINT32_MAX) {
        return "its index does not fit into it";
    }
    opened->entries = (const archive_entry *)(const void *)(opened->bytes + sizeof header);
    opened->names = (const char *)opened->bytes + sizeof header + entries_size;
    opened->entry_count = header.entry_count;
    opened->time = header.time;
    return NULL;
}

/* Checks one entry by itself. */
static const char *check_entry(const archive *opened, const archive_entry *entry,
                               uint64_t names_size, uint64_t data_start)
{
    if (entry->zero != 0 || entry->zero_too != 0) {
        return "an entry has bits set that mean nothing";
    }
    if (entry->name_offset > names_size || entry->name_length > names_size - entry->name_offset) {
        return "a name lies outside of it";
    }
    if (entry->type == ENTRY_DIRECTORY) {
        return entry->data_offset == 0 && entry->data_size == 0 ? NULL : "a directory has contents";
    }
    if (entry->type != ENTRY_FILE || entry->child_count != 0 || entry->first_child != 0) {
        return "an entry is neither a file nor a directory";
    }
    if (entry->data_offset < data_start || entry->data_offset > opened->size ||
        entry->data_size > opened->size - entry->data_offset) {
        return "contents of a file lie outside of it";
    }
    return NULL;
}

/*
 * Breadth-first order makes the check that the entries are one tree a single pass: the children of
 * the directories, taken in order, must be the entries from 1 on without a gap.
 */
static const char *check_tree(const archive *opened, uint64_t names_size)
{
    uint64_t data_start = (uint64_t)(opened->names - (const char *)opened->bytes) + names_size;
    uint64_t next_child = 1;
    if (opened->entries[ARCHIVE_ROOT].type != ENTRY_DIRECTORY ||
        opened->entries[ARCHIVE_ROOT].parent != ARCHIVE_ROOT ||
        opened->entries[ARCHIVE_ROOT].name_length != 0) {
        return "its root is not a directory";
    }
    for (uint32_t i = 0; i < opened->entry_count; i++) {
        const archive_entry *entry = &opened->entries[i];
        const char *problem = check_entry(opened, entry, names_size, data_start);
        if (problem != NULL) {
            return problem;
        }
        if (i > 0) {
            const char *name = opened->names + entry->name_offset;
            if (!is_plain_name(name, entry->name_length)) {
                return "a name is not allowed";
            }
            /* An entry that no directory before it claimed would be its own ancestor. */
            if (next_child <= i || entry->parent >= i) {
                return "its entries are not one tree";
            }
            const archive_entry *before = entry - 1;
            if (i > 1 && before->parent == entry->parent &&
                compare_names(opened->names + before->name_offset, before->name_length, name,
                              entry->name_length) >= 0) {
                return "its names are not in order";
            }
        }
        if (entry->type != ENTRY_DIRECTORY) {
            continue;
        }
        if (entry->first_child != next_child ||
            entry->child_count > opened->entry_count - next_child) {
            return "its entries are not one tree";
        }
        for (uint32_t child = 0; child < entry->child_count; child++) {
            if (opened->entries[entry->first_child + child].parent != i) {
                return "its entries are not one tree";
            }
        }
        next_child += entry->child_count;
    }
    return next_child == opened->entry_count ? NULL : "its entries are not one tree";
}

static const char *check_archive(archive *opened)
{
    const char *problem = check_header(opened);
    if (problem != NULL) {
        return problem;
    }
    archive_header header;
    memcpy(&header, opened->bytes, sizeof header);
    return check_tree(opened, header.names_size);
}

bool archive_open(const char *path, archive **out_archive, char *out_error)
{
    archive *opened = malloc(sizeof *opened);
    if (opened == NULL) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "%s: out of memory", path);
        return false;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "%s: cannot be opened: %s", path, strerror(errno));
        goto fail_open;
    }
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "%s: is not a regular file", path);
        goto fail_status;
    }
    if (status.st_size == 0) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "%s: is empty", path);
        goto fail_status;
    }
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "%s: cannot be mapped: %s", path, strerror(errno));
        goto fail_status;
    }
    *opened = (archive){.bytes = bytes, .size = (uint64_t)status.st_size};
    const char *problem = check_archive(opened);
    if (problem != NULL) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "%s: broken archive: %s", path, problem);
        goto fail_check;
    }
    close(descriptor);
    opened->record = mappings_note(bytes, (size_t)status.st_size, MAPPING_DATA);
    *out_archive = opened;
    return true;

fail_check:
    munmap(bytes, (size_t)status.st_size);
fail_status:
    close(descriptor);
fail_open:
    free(opened);
    return false;
}

bool archive_from_bytes(const uint8_t *data, uint64_t size, archive **out_archive, char *out_error)
{
    archive *opened = malloc(sizeof *opened);
    void *bytes = MAP_FAILED;
    if (size > 0) {
        bytes =
            mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (opened == NULL || (size > 0 && bytes == MAP_FAILED)) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "out of memory");
        goto fail;
    }
    *opened = (archive){.size = size};
    if (size > 0) {
        memcpy(bytes, data, (size_t)size);
        opened->bytes = bytes;
    }
    const char *problem = check_archive(opened);
    if (problem != NULL) {
        snprintf(out_error, ARCHIVE_ERROR_SIZE, "broken archive: %s", problem);
        goto fail;
    }
    mprotect(bytes, (size_t)size, PROT_READ); /* if it fails it is as good */
    opened->record = mappings_note(bytes, (size_t)size, MAPPING_DATA);
    *out_archive = opened;
    return true;

fail:
    if (bytes != MAP_FAILED) {
        munmap(bytes, (size_t)size);
    }
    free(opened);
    return false;
}

void archive_close(archive *opened)
{
    if (opened == NULL) {
        return;
    }
    mappings_forget(opened->record);
    munmap((void *)(uintptr_t)opened->bytes, (size_t)opened->size);
    free(opened);
}

uint32_t archive_entry_count(const archive *opened)
{
    return opened->entry_count;
}

bool archive_is_directory(const archive *opened, uint32_t entry)
{
    eryx_assert(entry < opened->entry_count);
    return opened->entries[entry].type == ENTRY_DIRECTORY;
}

bool archive_find(const archive *opened, uint32_t directory, const char *name, size_t length,
                  uint32_t *out_entry)
{
    uint32_t low = opened->entries[directory].first_child;
    uint32_t high = low + opened->entries[directory].child_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const archive_entry *entry = &opened->entries[middle];
        int order =
            compare_names(name, length, opened->names + entry->name_offset, entry->name_length);
        if (order == 0) {
            *out_entry = middle;
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

uint32_t archive_parent(const archive *opened, uint32_t entry)
{
    eryx_assert(entry < opened->entry_count);
    return opened->entries[entry].parent;
}

void archive_children(const archive *opened, uint32_t directory, uint32_t *out_first,
                      uint32_t *out_count)
{
    *out_first = opened->entries[directory].first_child;
    *out_count = opened->entries[directory].child_count;
}

const char *archive_name(const archive *opened, uint32_t entry, size_t *out_length)
{
    eryx_assert(entry < opened->entry_count);
    *out_length = opened->entries[entry].name_length;
    return opened->names + opened->entries[entry].name_offset;
}

const uint8_t *archive_data(const archive *opened, uint32_t entry, uint64_t *out_size)
{
    *out_size = opened->entries[entry].data_size;
    return opened->bytes + opened->entries[entry].data_offset;
}

uint64_t archive_time(const archive *opened)
{
    return opened->time;
}
