/*
 * Names of a directory: slots in the order of listing, and a hash table over them once there are
 * more than a few. Capacity never stays above four times the entries, so that the entries of the
 * quota bound the tables as well. They are made anew in one call, which bounds the names.
 */
#include <stdlib.h>
#include <string.h>

#include "vfs/memory.h"

enum {
    SLOTS_MIN = 8,     /* up to so many are searched one by one */
    NAMES_MAX = 65536, /* of one directory */
};

#define CELL_EMPTY 0u
#define CELL_REMOVED UINT32_MAX

/* Both halves of a product: each bit of it depends on the secret. */
static uint64_t fold(uint64_t left, uint64_t right)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Keyed, so that a guest cannot choose names that all fall into one cell: with a factor that it
 * knew, differences in two words of a name would cancel each other out under any seed. */
static uint64_t hash_name(const memory_tree *tree, const char *name, size_t length)
{
    uint64_t hash = tree->hash_seed ^ length;
    while (length > 0) {
        uint64_t word = 0;
        size_t step = length < sizeof word ? length : sizeof word;
        memcpy(&word, name, step);
        hash = fold(hash ^ word, tree->hash_factor);
        name += step;
        length -= step;
    }
    return fold(hash ^ tree->hash_seed, tree->hash_factor);
}

static uint32_t index_size(uint32_t capacity)
{
    return capacity * 2;
}

static void index_insert(uint32_t *index, uint32_t capacity, uint64_t hash, uint32_t slot)
{
    uint32_t mask = index_size(capacity) - 1;
    uint32_t cell = (uint32_t)hash & mask;
    while (index[cell] != CELL_EMPTY) {
        cell = (cell + 1) & mask;
    }
    index[cell] = slot + 1;
}

/* Moves the entries, in order, to new tables of that capacity, a power of two. */
static vfs_error rebuild(memory_node *directory, uint32_t capacity)
{
    memory_slot *slots = malloc((size_t)capacity * sizeof *slots);
    if (slots == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    uint32_t *index = NULL;
    if (capacity > SLOTS_MIN) {
        index = calloc(index_size(capacity), sizeof *index);
        if (index == NULL) {
            free(slots);
            return VFS_INSUFFICIENT_MEMORY;
        }
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < directory->directory.used; i++) {
        const memory_slot *slot = &directory->directory.slots[i];
        if (slot->entry == NULL) {
            continue;
        }
        slots[used] = *slot;
        if (index != NULL) {
            index_insert(index, capacity, slot->hash, used);
        }
        used++;
    }
    free(directory->directory.slots);
    free(directory->directory.index);
    directory->directory.slots = slots;
    directory->directory.index = index;
    directory->directory.capacity = capacity;
    directory->directory.used = used;
    return VFS_OK;
}

/* Slot of a name and, if there is an index, its cell. False if there is no such name. */
static bool find_slot(const memory_node *directory, const char *name, size_t length, uint64_t hash,
                      uint32_t *out_slot, uint32_t *out_cell)
{
    const memory_slot *slots = directory->directory.slots;
    const uint32_t *index = directory->directory.index;
    uint32_t mask = index_size(directory->directory.capacity) - 1;
    uint32_t cell = (uint32_t)hash & mask;
    for (uint32_t i = 0;; i++) {
        uint32_t slot = i;
        if (index != NULL) {
            if (index[cell] == CELL_EMPTY) {
                return false;
            }
            slot = index[cell] == CELL_REMOVED ? UINT32_MAX : index[cell] - 1;
        } else if (i == directory->directory.used) {
            return false;
        }
        const memory_entry *entry = slot == UINT32_MAX ? NULL : slots[slot].entry;
        if (entry != NULL && entry->hash == hash && entry->name_length == length &&
            memcmp(entry->name, name, length) == 0) {
            *out_slot = slot;
            *out_cell = cell;
            return true;
        }
        cell = (cell + 1) & mask;
    }
}

memory_entry *memory_directory_find(const memory_node *directory, const char *name, size_t length)
{
    uint32_t slot;
    uint32_t cell;
    uint64_t hash = hash_name(directory->tree, name, length);
    if (!find_slot(directory, name, length, hash, &slot, &cell)) {
        return NULL;
    }
    return directory->directory.slots[slot].entry;
}

vfs_error memory_directory_add(memory_node *directory, const char *name, size_t length,
                               memory_node *node)
{
    memory_tree *tree = directory->tree;
    if (tree->used.entries >= tree->quota.max_entries || directory->directory.live >= NAMES_MAX) {
        return VFS_INSUFFICIENT_SPACE;
    }
    memory_entry *entry = malloc(sizeof *entry + length);
    if (entry == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    uint32_t capacity = directory->directory.capacity;
    if (directory->directory.used == capacity) {
        uint32_t live = directory->directory.live;
        uint32_t wanted = capacity < SLOTS_MIN              ? SLOTS_MIN
                          : live <= capacity - capacity / 4 ? capacity
                                                            : capacity * 2;
        vfs_error error = rebuild(directory, wanted);
        if (error != VFS_OK) {
            free(entry);
            return error;
        }
    }
    entry->node = node;
    entry->look = 0;
    entry->hash = hash_name(tree, name, length);
    entry->name_length = length;
    memcpy(entry->name, name, length);
    uint32_t slot = directory->directory.used++;
    directory->directory.slots[slot] = (memory_slot){
        .cursor = ++directory->directory.last_cursor, .entry = entry, .hash = entry->hash};
    if (directory->directory.index != NULL) {
        index_insert(directory->directory.index, directory->directory.capacity, entry->hash, slot);
    }
    directory->directory.live++;
    tree->used.entries++;
    return VFS_OK;
}

void memory_directory_remove(memory_node *directory, memory_entry *entry)
{
    uint32_t slot;
    uint32_t cell;
    if (!find_slot(directory, entry->name, entry->name_length, entry->hash, &slot, &cell)) {
        return;
    }
    directory->directory.slots[slot].entry = NULL;
    if (directory->directory.index != NULL) {
        directory->directory.index[cell] = CELL_REMOVED;
    }
    free(entry);
    uint32_t live = --directory->directory.live;
    uint32_t capacity = directory->directory.capacity;
    if (live == 0) {
        memory_directory_free(directory);
    } else if (capacity > SLOTS_MIN && live < capacity / 4) {
        (void)rebuild(directory, capacity / 2); /* without memory it stays as it is */
    }
}

const memory_entry *memory_directory_next(const memory_node *directory, uint64_t *cursor)
{
    const memory_slot *slots = directory->directory.slots;
    uint32_t low = 0;
    uint32_t high = directory->directory.used;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slots[middle].cursor <= *cursor) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low < directory->directory.used && slots[low].entry == NULL) {
        low++;
    }
    if (low == directory->directory.used) {
        return NULL;
    }
    *cursor = slots[low].cursor;
    return slots[low].entry;
}

memory_node *memory_directory_pop(memory_node *directory)
{
    while (directory->directory.used > 0) {
        memory_entry *entry = directory->directory.slots[--directory->directory.used].entry;
        if (entry != NULL) {
            memory_node *node = entry->node;
            directory->directory.live--;
            free(entry);
            return node;
        }
    }
    return NULL;
}

void memory_directory_free(memory_node *directory)
{
    free(directory->directory.slots);
    free(directory->directory.index);
    directory->directory.slots = NULL;
    directory->directory.index = NULL;
    directory->directory.capacity = 0;
    directory->directory.used = 0;
}
