#include "machine/mappings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mapping_record {
    mapping_record *previous;
    mapping_record *next;
    uintptr_t begin;
    uintptr_t end;
    mapping_kind kind;
};

static pthread_mutex_t book_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static mapping_record *book;
static size_t book_count;
static atomic_int_least64_t file_bytes;

static void lock(void)
{
    pthread_mutex_lock(&book_lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&book_lock);
}

/* What is mapped stays mapped in the child of a fork(), so the book has to be whole there. */
static void watch_forks(void)
{
    pthread_atfork(lock, unlock, unlock);
}

mapping_record *mappings_note(const void *address, size_t size, mapping_kind kind)
{
    pthread_once(&fork_once, watch_forks);
    mapping_record *record = malloc(sizeof *record);
    if (record == NULL) {
        return NULL;
    }
    *record = (mapping_record){
        .begin = (uintptr_t)address, .end = (uintptr_t)address + size, .kind = kind};
    lock();
    record->next = book;
    if (book != NULL) {
        book->previous = record;
    }
    book = record;
    book_count++;
    unlock();
    return record;
}

void mappings_forget(mapping_record *record)
{
    if (record == NULL) {
        return;
    }
    lock();
    if (record->previous != NULL) {
        record->previous->next = record->next;
    } else {
        book = record->next;
    }
    if (record->next != NULL) {
        record->next->previous = record->previous;
    }
    book_count--;
    unlock();
    free(record);
}

void mappings_count_file(int64_t bytes)
{
    atomic_fetch_add_explicit(&file_bytes, bytes, memory_order_relaxed);
}

static int compare(const void *left, const void *right)
{
    const mapping_record *first = left;
    const mapping_record *second = right;
    return first->begin < second->begin ? -1 : first->begin > second->begin;
}

/* The book in the order of addresses, to be freed; *out_count of them. NULL without memory. */
static mapping_record *copy_book(size_t *out_count)
{
    size_t count = 0;
    lock();
    mapping_record *copy = calloc(book_count + 1, sizeof *copy);
    if (copy != NULL) {
        for (const mapping_record *record = book; record != NULL; record = record->next) {
            copy[count++] = *record;
        }
    }
    unlock();
    if (copy != NULL) {
        qsort(copy, count, sizeof *copy, compare);
    }
    *out_count = count;
    return copy;
}

static bool is_ours(const mapping_record *records, size_t count, uintptr_t address)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (records[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && records[low].begin <= address;
}

/* What the kernel says of one mapping, in bytes. */
typedef struct area {
    bool ours;
    bool is_memory_file;
    uint64_t share; /* a page that n mappings have counts 1/n */
    uint64_t alone; /* nobody else has them mapped */
    uint64_t anonymous;
    uint64_t swapped;
} area;

static void add_area(const area *found, mappings_usage *usage)
{
    if (!found->ours) {
        return;
    }
    uint64_t own = found->anonymous < found->alone ? found->anonymous : found->alone;
    usage->own += own + found->swapped;
    if (!found->is_memory_file && found->share > own) {
        usage->shared += found->share - own;
    }
}

/* A line such as "Pss:   12 kB". */
static void read_field(const char *line, area *found)
{
    const char *colon = strchr(line, ':');
    if (colon == NULL) {
        return;
    }
    size_t size = (size_t)(colon - line);
    uint64_t bytes = strtoull(colon + 1, NULL, 10) << 10;
    if (size == 3 && memcmp(line, "Pss", size) == 0) {
        found->share = bytes;
    } else if (size > 8 && memcmp(line, "Private_", 8) == 0 && line[8] != 'H') {
        found->alone += bytes;
    } else if (size == 9 && memcmp(line, "Anonymous", size) == 0) {
        found->anonymous = bytes;
    } else if (size == 4 && memcmp(line, "Swap", size) == 0) {
        found->swapped = bytes;
    }
}

bool mappings_look(mappings_usage *out_usage)
{
    mappings_usage usage = {0};
    bool good = false;
    char *line = NULL;
    size_t allocated = 0;
    size_t count;
    mapping_record *records = copy_book(&count);
    FILE *file = fopen("/proc/self/smaps", "re");
    if (records == NULL || file == NULL) {
        goto end;
    }
    for (size_t i = 0; i < count; i++) {
        usage.reserved += records[i].end - records[i].begin;
        usage.guests += records[i].kind == MAPPING_GUEST;
    }
    area found = {0};
    while (getline(&line, &allocated, file) > 0) {
        if (line[0] >= 'A' && line[0] <= 'Z') {
            read_field(line, &found);
            continue;
        }
        add_area(&found, &usage);
        uintptr_t begin = (uintptr_t)strtoull(line, NULL, 16);
        found = (area){.ours = is_ours(records, count, begin),
                       .is_memory_file = strstr(line, "/memfd:eryx") != NULL};
        usage.areas++;
    }
    add_area(&found, &usage);
    int64_t bytes = atomic_load_explicit(&file_bytes, memory_order_relaxed);
    usage.shared += bytes > 0 ? (uint64_t)bytes : 0;
    *out_usage = usage;
    good = usage.areas > 0;

end:
    if (file != NULL) {
        fclose(file);
    }
    free(line);
    free(records);
    return good;
}
