/* What the embedder answers, and what becomes of it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "vfs/provider_node.h"

enum { MOST_NAMES = 65536 };

static vfs_error take_status(provider_node *node, const provider_answer *answer, uint64_t now_ns)
{
    if (answer->error != VFS_OK && answer->error != VFS_NO_ENTRY) {
        return answer->error;
    }
    if (answer->error == VFS_OK && answer->entry_count != 1) {
        return VFS_IO;
    }
    node->missing = answer->error == VFS_NO_ENTRY;
    node->known_ns = now_ns;
    node->listed = false;
    if (!node->missing) {
        const provider_entry *found = answer->entries;
        if (found->type != VFS_TYPE_FILE && found->type != VFS_TYPE_DIRECTORY) {
            return VFS_IO;
        }
        if (found->type != node->type && node->references > 0) {
            provider_detach(node); /* something else is there now; what is open stays what it is */
            return VFS_OK;
        }
        node->type = found->type;
        node->size = found->size <= VFS_FILE_SIZE_MAX ? found->size : VFS_FILE_SIZE_MAX;
        node->modified = found->modified;
    }
    return VFS_OK;
}

static vfs_error take_content(provider_node *node, const provider_answer *answer, uint64_t now_ns)
{
    if (answer->error != VFS_OK) {
        return answer->error;
    }
    if (node->opened) {
        return VFS_OK; /* another thread was faster */
    }
    provider_drop_content(node);
    vfs_error error = provider_new_content(node->provider, &node->content);
    if (error == VFS_OK) {
        error = memory_file_replace(node->content, answer->data, answer->size);
    }
    if (error != VFS_OK) {
        provider_drop_content(node);
        return error;
    }
    node->read_ns = now_ns;
    return VFS_OK;
}

static bool add_name(provider_node *directory, const char *name, vfs_type type)
{
    listed_name *listed = &directory->names[directory->name_count];
    const size_t length = strlen(name);
    if (!vfs_name_is_plain(name, length)) {
        return true; /* no guest could say it */
    }
    const uint64_t cost = sizeof *listed + length;
    listed->name = malloc(length);
    if (listed->name == NULL ||
        !memory_charge_metadata(&directory->provider->files->memory, cost)) {
        free(listed->name);
        return false;
    }
    directory->names_charged += cost;
    memcpy(listed->name, name, length);
    listed->length = length;
    listed->type = type;
    directory->name_count++;
    return true;
}

/* The name of a file in a directory that the embedder does not have yet; NULL if it is none. */
static const char *new_name_in(const provider_node *directory, const provider_node *node,
                               const provider_answer *answer)
{
    const size_t length = strlen(directory->path);
    const char *name = node->path + length + (length > 0);
    if (!node->dirty || strncmp(node->path, directory->path, length) != 0 ||
        (length > 0 && node->path[length] != '/') || strchr(name, '/') != NULL) {
        return NULL;
    }
    for (size_t i = 0; i < answer->entry_count; i++) {
        if (strcmp(answer->entries[i].name, name) == 0) {
            return NULL;
        }
    }
    return name;
}

/* Remembers what a list tells of a name besides. */
static void note_listed(const provider_node *directory, const provider_entry *entry,
                        uint64_t now_ns)
{
    const size_t length = strlen(entry->name);
    if ((entry->type != VFS_TYPE_FILE && entry->type != VFS_TYPE_DIRECTORY) ||
        !vfs_name_is_plain(entry->name, length)) {
        return;
    }
    char *path = provider_join(directory, entry->name, length);
    provider_node *node = path != NULL ? provider_node_at(directory->provider, path) : NULL;
    free(path);
    if (node != NULL && node->references == 0) {
        node->type = entry->type;
        node->size = entry->size <= VFS_FILE_SIZE_MAX ? entry->size : VFS_FILE_SIZE_MAX;
        node->modified = entry->modified;
        node->missing = false;
        node->known_ns = now_ns;
        node->listed = true;
    }
}

static vfs_error take_names(provider_node *directory, const provider_answer *answer,
                            uint64_t now_ns)
{
    if (answer->error != VFS_OK) {
        return answer->error;
    }
    if (answer->entry_count > MOST_NAMES) {
        return VFS_INSUFFICIENT_SPACE;
    }
    provider_drop_names(directory);
    size_t more = 0;
    for (const provider_node *node = directory->provider->first; node != NULL; node = node->next) {
        more += new_name_in(directory, node, answer) != NULL;
    }
    directory->names = calloc(answer->entry_count + more + 1, sizeof *directory->names);
    bool done = directory->names != NULL;
    for (size_t i = 0; done && i < answer->entry_count; i++) {
        done = add_name(directory, answer->entries[i].name, answer->entries[i].type);
    }
    for (const provider_node *node = directory->provider->first; done && node != NULL;
         node = node->next) {
        const char *name = new_name_in(directory, node, answer);
        done = name == NULL || add_name(directory, name, VFS_TYPE_FILE);
    }
    if (!done) {
        provider_drop_names(directory);
        return VFS_INSUFFICIENT_SPACE;
    }
    directory->listed_ns = now_ns;
    for (size_t i = 0; i < answer->entry_count && i < PROVIDER_MOST_NODES / 2; i++) {
        note_listed(directory, &answer->entries[i], now_ns);
    }
    return VFS_OK;
}

/* What a write has come to. */
static vfs_error take_written(provider_node *node, const provider_answer *answer)
{
    if (answer->error != VFS_OK) {
        node->dirty = node->refused = node->content != NULL;
    } else if (!node->dirty && node->content != NULL) {
        node->size = node->content->file.size;
        node->modified = node->content->modified;
    }
    return answer->error;
}

vfs_error vfs_provider_answer(vfs *files, const provider_moment *moment,
                              const provider_question *question, const provider_answer *answer)
{
    vfs_provider *provider = NULL;
    for (uint32_t i = 0; i < files->added->source_count; i++) {
        if (files->providers[i] != NULL && files->providers[i]->number == question->provider) {
            provider = files->providers[i];
            break;
        }
    }
    provider_node *node = provider != NULL ? provider_node_at(provider, question->path) : NULL;
    if (node == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    const uint64_t now_ns = clock_now_ns();
    switch (question->operation) {
    case PROVIDER_STAT:
        return take_status(node, answer, now_ns);
    case PROVIDER_LIST:
        return take_names(node, answer, now_ns);
    case PROVIDER_READ:
        return take_content(node, answer, now_ns);
    case PROVIDER_WRITE:
        return take_written(node, answer);
    case PROVIDER_REMOVE:
    case PROVIDER_RENAME:
    case PROVIDER_MAKE_DIRECTORY:
        if (answer->error == VFS_OK || (answer->error == VFS_NO_ENTRY &&
                                        question->operation == PROVIDER_REMOVE && node->dirty)) {
            node->done = moment->number;
            node->known_ns = now_ns;
            return VFS_OK;
        }
        return answer->error;
    }
    return VFS_IO;
}
