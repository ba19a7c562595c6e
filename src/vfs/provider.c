#include "vfs/provider_node.h"

#include <stdlib.h>
#include <string.h>

static provider_node *node_of(vfs_node node)
{
    return (provider_node *)node.item;
}

/* ---- Nodes ------------------------------------------------------------------------------------
 */

void provider_drop_content(provider_node *node)
{
    if (node->content != NULL) {
        memory_node_free(node->content);
        node->content = NULL;
    }
    node->dirty = false;
}

void provider_drop_names(provider_node *node)
{
    for (size_t i = 0; i < node->name_count; i++) {
        free(node->names[i].name);
    }
    node->provider->files->memory.metadata -= node->names_charged;
    node->names_charged = 0;
    free(node->names);
    node->names = NULL;
    node->name_count = 0;
    node->listed_ns = 0;
}

static void free_node(provider_node *node)
{
    provider_drop_content(node);
    provider_drop_names(node);
    free(node->path);
    free(node);
}

/* Takes a node out of those that are found. */
void provider_detach(provider_node *node)
{
    if (node->detached) {
        return;
    }
    provider_node **link = &node->provider->first;
    while (*link != node) {
        link = &(*link)->next;
    }
    *link = node->next;
    node->detached = true;
    if (node->references == 0) {
        node->provider->idle--;
        free_node(node);
    }
}

static void hold(provider_node *node)
{
    if (node->references++ == 0) {
        node->provider->idle--;
    }
}

static void release_node(provider_node *node)
{
    if (--node->references > 0) {
        return;
    }
    node->opened = false;
    if (node->dirty) {
        provider_drop_content(node); /* who closes it has been told that it could not be written */
    }
    if (node->detached) {
        free_node(node);
    } else {
        node->provider->idle++;
    }
}

/* Whether an answer of some moment is good for the present operation. */
static bool is_good(const vfs_provider *provider, uint64_t then_ns)
{
    const uint64_t began_ns = provider->files->moment.began_ns;
    return then_ns != 0 && (then_ns >= began_ns || began_ns - then_ns < provider->cache_ns);
}

/* How long what a list tells of its names is good at least. */
#define LISTED_NS UINT64_C(1000000000)

static bool is_known(const provider_node *node)
{
    const uint64_t began_ns = node->provider->files->moment.began_ns;
    return is_good(node->provider, node->known_ns) ||
           (node->listed && began_ns - node->known_ns < LISTED_NS);
}

/* Lets go of what nobody holds and is not good any more, or of what is too much. */
static void sweep(vfs_provider *provider)
{
    provider_node *next;
    for (provider_node *node = provider->first; node != NULL; node = next) {
        next = node->next;
        if (node->references == 0 && (!is_known(node) || provider->idle > PROVIDER_MOST_NODES)) {
            provider_detach(node);
        }
    }
}

static provider_node *known_node(const vfs_provider *provider, const char *path)
{
    provider_node *node = provider->first;
    while (node != NULL && strcmp(node->path, path) != 0) {
        node = node->next;
    }
    return node;
}

/* A node for a path that has none, with no holder. path: taken over, also on failure. */
static provider_node *add_node(vfs_provider *provider, char *path)
{
    provider_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        free(path);
        return NULL;
    }
    node->provider = provider;
    node->path = path;
    node->number = ++provider->last_number;
    node->type = VFS_TYPE_UNKNOWN;
    node->next = provider->first;
    provider->first = node;
    provider->idle++;
    return node;
}

provider_node *provider_node_at(vfs_provider *provider, const char *path)
{
    provider_node *node = known_node(provider, path);
    if (node == NULL) {
        char *copy = strdup(path);
        node = copy != NULL ? add_node(provider, copy) : NULL;
    }
    return node;
}

char *provider_join(const provider_node *directory, const char *name, size_t length)
{
    const size_t size = strlen(directory->path);
    const size_t slash = size > 0;
    char *path = malloc(size + slash + length + 1);
    if (path != NULL) {
        memcpy(path, directory->path, size);
        path[size] = '/';
        memcpy(path + size + slash, name, length);
        path[size + slash + length] = '\0';
    }
    return path;
}

static vfs_node as_node(vfs_mount *mount, provider_node *node)
{
    hold(node);
    return (vfs_node){.mount = mount, .item = (uintptr_t)node, .type = node->type};
}

static void retain(vfs_node node)
{
    hold(node_of(node));
}

static void release(vfs_node node)
{
    release_node(node_of(node));
}

/* ---- Questions --------------------------------------------------------------------------------
 */

void vfs_question_free(provider_question *question)
{
    free(question->path);
    free(question->new_path);
    free(question->data);
    *question = (provider_question){0};
}

/* Leaves a question. new_path: NULL for none. Returns VFS_ASK, or VFS_INSUFFICIENT_MEMORY. */
static vfs_error ask(vfs_provider *provider, provider_operation operation, const char *path,
                     const char *new_path)
{
    provider_question *question = &provider->files->question;
    vfs_question_free(question);
    question->operation = operation;
    question->provider = provider->number;
    question->path = strdup(path);
    question->new_path = new_path != NULL ? strdup(new_path) : NULL;
    if (question->path == NULL || (new_path != NULL && question->new_path == NULL)) {
        vfs_question_free(question);
        return VFS_INSUFFICIENT_MEMORY;
    }
    return VFS_ASK;
}

void vfs_provider_begin(vfs *files, const provider_moment *moment)
{
    files->moment = *moment;
    for (uint32_t i = 0; i < files->added->source_count; i++) {
        if (files->providers[i] != NULL) {
            sweep(files->providers[i]);
        }
    }
}

bool vfs_provider_take_question(vfs *files, provider_question *out_question)
{
    if (files->question.path == NULL) {
        return false;
    }
    *out_question = files->question;
    files->question = (provider_question){0};
    return true;
}

/* ---- Looking ----------------------------------------------------------------------------------
 */

static vfs_error find(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    provider_node *holder = node_of(directory);
    vfs_provider *provider = holder->provider;
    char *path = provider_join(holder, name, length);
    if (path == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    provider_node *node = known_node(provider, path);
    vfs_error error = VFS_OK;
    const bool ours = node != NULL && ((node->opened && node->content != NULL) || node->dirty);
    const bool just_done =
        node != NULL && node->done != 0 && node->done == provider->files->moment.number;
    if (!ours && !just_done && (node == NULL || !is_known(node))) {
        error = ask(provider, PROVIDER_STAT, path, NULL);
    } else if (node->missing) {
        error = VFS_NO_ENTRY;
    } else {
        *out_node = as_node(directory.mount, node);
    }
    free(path);
    return error;
}

static vfs_error parent(vfs_node directory, vfs_node *out_node)
{
    provider_node *node = node_of(directory);
    vfs_provider *provider = node->provider;
    if (node == provider->root) {
        *out_node = vfs_node_retain(directory.mount->above);
        return VFS_OK;
    }
    const char *slash = strrchr(node->path, '/');
    char *path = slash != NULL ? strndup(node->path, (size_t)(slash - node->path)) : strdup("");
    if (path == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    provider_node *above = known_node(provider, path);
    if (above == NULL) {
        above = add_node(provider, path);
        if (above == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
        above->type = VFS_TYPE_DIRECTORY; /* something lies in it */
        above->known_ns = provider->files->moment.began_ns;
    } else {
        free(path);
    }
    *out_node = as_node(directory.mount, above);
    return VFS_OK;
}

static void stat_node(vfs_node node, vfs_status *out_status)
{
    const provider_node *found = node_of(node);
    *out_status = (vfs_status){
        .type = node.type,
        .mode = vfs_usual_mode(node.type),
        .links = found->detached ? 0 : 1,
        .size = found->type != VFS_TYPE_FILE ? 0
                : found->content != NULL     ? found->content->file.size
                                             : found->size,
        .identity = vfs_identity(node.mount, found->number),
        .accessed = found->modified,
        .modified =
            found->content != NULL && found->dirty ? found->content->modified : found->modified,
        .changed = found->modified,
    };
}

/* The cursor is the number of names that were given. */
static vfs_error list(vfs_node node, uint64_t *cursor, vfs_directory_entry *out_entry,
                      bool *out_found)
{
    provider_node *directory = node_of(node);
    if (*cursor == 0 && !is_good(directory->provider, directory->listed_ns)) {
        return ask(directory->provider, PROVIDER_LIST, directory->path, NULL);
    }
    *out_found = *cursor < directory->name_count;
    if (*out_found) {
        const listed_name *name = &directory->names[(*cursor)++];
        out_entry->type = name->type;
        out_entry->name_length = name->length;
        memcpy(out_entry->name, name->name, name->length);
    }
    return VFS_OK;
}

/* ---- Contents ---------------------------------------------------------------------------------
 */

vfs_error provider_new_content(vfs_provider *provider, memory_node **out_content)
{
    memory_tree *tree = &provider->files->memory;
    if (tree->used.entries >= tree->quota.max_entries) {
        return VFS_INSUFFICIENT_SPACE;
    }
    vfs_error error = memory_node_create(tree, VFS_TYPE_FILE, NULL, 0, out_content);
    if (error == VFS_OK) {
        (*out_content)->nameless = true; /* so it counts as an entry */
        tree->used.entries++;
    }
    return error;
}

static vfs_error open_node(vfs_node node, uint32_t flags)
{
    provider_node *file = node_of(node);
    if (file->type == VFS_TYPE_DIRECTORY) {
        return VFS_OK;
    }
    if (file->type != VFS_TYPE_FILE) {
        return VFS_NOT_PERMITTED;
    }
    const bool truncates = (flags & VFS_OPEN_TRUNCATE) != 0;
    if (!file->opened && !truncates && !is_good(file->provider, file->read_ns)) {
        return ask(file->provider, PROVIDER_READ, file->path, NULL);
    }
    if (file->content == NULL) {
        vfs_error error = provider_new_content(file->provider, &file->content);
        if (error != VFS_OK) {
            return error;
        }
    }
    file->opened = true;
    return VFS_OK;
}

static vfs_error read_node(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                           size_t *out_got)
{
    const provider_node *file = node_of(node);
    if (file->content == NULL) {
        return VFS_IO;
    }
    memory_file_read(file->content, offset, buffer, size, out_got);
    return VFS_OK;
}

static vfs_error write_node(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    provider_node *file = node_of(node);
    if (file->content == NULL) {
        return VFS_IO;
    }
    vfs_error error = memory_file_write(file->content, offset, data, size, out_done);
    if (error == VFS_OK && *out_done > 0) {
        file->dirty = true;
        file->refused = false;
    }
    return error;
}

static vfs_error set_size(vfs_node node, uint64_t size)
{
    provider_node *file = node_of(node);
    if (file->content == NULL) {
        return VFS_IO;
    }
    vfs_error error = memory_file_set_size(file->content, size);
    if (error == VFS_OK) {
        file->dirty = true;
        file->refused = false;
    }
    return error;
}

static vfs_error flush(vfs_node node, bool again)
{
    provider_node *file = node_of(node);
    if (!file->dirty || file->detached || (file->refused && !again)) {
        return VFS_OK;
    }
    vfs_error error = ask(file->provider, PROVIDER_WRITE, file->path, NULL);
    if (error != VFS_ASK) {
        return error;
    }
    provider_question *question = &file->provider->files->question;
    const size_t size = (size_t)file->content->file.size;
    question->data = malloc(size > 0 ? size : 1);
    if (question->data == NULL) {
        vfs_question_free(question);
        return VFS_INSUFFICIENT_MEMORY;
    }
    memory_file_read(file->content, 0, question->data, size, &question->size);
    file->dirty = false; /* what is written meanwhile makes it so again */
    return VFS_ASK;
}

/* Nobody keeps them. */
static vfs_error set_times(vfs_node node, const vfs_new_time *accessed,
                           const vfs_new_time *modified)
{
    (void)node;
    (void)accessed;
    (void)modified;
    return VFS_OK;
}

/* ---- Names ------------------------------------------------------------------------------------
 */

static bool is_done(const provider_node *node)
{
    return node->done != 0 && node->done == node->provider->files->moment.number;
}

static vfs_error make(vfs_node directory, const char *name, size_t length, vfs_type type,
                      const char *target, size_t target_length, vfs_node *out_node)
{
    (void)target;
    (void)target_length;
    provider_node *holder = node_of(directory);
    vfs_provider *provider = holder->provider;
    if (type != VFS_TYPE_FILE && type != VFS_TYPE_DIRECTORY) {
        return VFS_NOT_PERMITTED;
    }
    char *path = provider_join(holder, name, length);
    provider_node *node = path != NULL ? provider_node_at(provider, path) : NULL;
    vfs_error error = node == NULL ? VFS_INSUFFICIENT_MEMORY : VFS_OK;
    if (error == VFS_OK && type == VFS_TYPE_DIRECTORY && !is_done(node)) {
        error = ask(provider, PROVIDER_MAKE_DIRECTORY, path, NULL);
    } else if (error == VFS_OK && type == VFS_TYPE_FILE && node->content == NULL) {
        error = provider_new_content(provider, &node->content);
    }
    free(path);
    if (error != VFS_OK) {
        return error;
    }
    node->missing = false;
    node->type = type;
    if (type == VFS_TYPE_FILE) {
        node->opened = node->dirty = true;
        node->modified = memory_now();
    }
    *out_node = as_node(directory.mount, node);
    return VFS_OK;
}

static vfs_error link_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    (void)directory;
    (void)name;
    (void)length;
    (void)node;
    return VFS_NOT_PERMITTED;
}

static vfs_error remove_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    (void)directory;
    (void)name;
    (void)length;
    provider_node *gone = node_of(node);
    if (!is_done(gone)) {
        return ask(gone->provider, PROVIDER_REMOVE, gone->path, NULL);
    }
    provider_detach(gone);
    return VFS_OK;
}

static vfs_error rename_node(vfs_node old_directory, const char *old_name, size_t old_length,
                             vfs_node node, vfs_node new_directory, const char *new_name,
                             size_t new_length, const vfs_node *replaced)
{
    (void)old_directory;
    (void)old_name;
    (void)old_length;
    provider_node *moved = node_of(node);
    if (moved->dirty) {
        return VFS_BUSY; /* it is open, and not written yet */
    }
    if (!is_done(moved)) {
        char *path = provider_join(node_of(new_directory), new_name, new_length);
        vfs_error error = path == NULL ? VFS_INSUFFICIENT_MEMORY
                                       : ask(moved->provider, PROVIDER_RENAME, moved->path, path);
        free(path);
        return error;
    }
    if (replaced != NULL) {
        provider_detach(node_of(*replaced));
    }
    /* What lay in it is asked for again under its new path. */
    provider_detach(moved);
    return VFS_OK;
}

static const vfs_backend provider_backend = {
    .retain = retain,
    .release = release,
    .find = find,
    .find_steps = 15,
    .parent = parent,
    .stat = stat_node,
    .list = list,
    .read = read_node,
    .write = write_node,
    .set_size = set_size,
    .open = open_node,
    .flush = flush,
    .set_times = set_times,
    .make = make,
    .link = link_node,
    .remove = remove_node,
    .rename = rename_node,
};

/* ---- Providers ------------------------------------------------------------------------------- */

vfs_error vfs_provider_create(vfs *files, uint32_t number, uint64_t cache_ns, uint32_t device,
                              vfs_provider **out_provider)
{
    vfs_provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    provider->files = files;
    provider->number = number;
    provider->cache_ns = cache_ns;
    provider->device = device;
    char *path = strdup("");
    provider->root = path != NULL ? add_node(provider, path) : NULL;
    if (provider->root == NULL) {
        free(provider);
        return VFS_INSUFFICIENT_MEMORY;
    }
    provider->root->type = VFS_TYPE_DIRECTORY;
    hold(provider->root);
    *out_provider = provider;
    return VFS_OK;
}

void vfs_provider_destroy(vfs_provider *provider)
{
    if (provider == NULL) {
        return;
    }
    while (provider->first != NULL) {
        provider_node *node = provider->first;
        provider->first = node->next;
        free_node(node);
    }
    free(provider);
}

vfs_mount vfs_provider_mount(vfs_provider *provider)
{
    return (vfs_mount){.backend = &provider_backend,
                       .storage = provider,
                       .root = (uintptr_t)provider->root,
                       .root_type = VFS_TYPE_DIRECTORY,
                       .device = provider->device};
}

bool vfs_is_provider(const vfs_mount *mount)
{
    return mount->backend == &provider_backend;
}

vfs_error vfs_provider_copy_node(vfs_node node, vfs_provider *to, uintptr_t *out_item)
{
    const provider_node *from = node_of(node);
    if (from == from->provider->root) {
        hold(to->root);
        *out_item = (uintptr_t)to->root;
        return VFS_OK;
    }
    provider_node *copy = from->detached ? NULL : known_node(to, from->path);
    if (copy == NULL) {
        char *path = strdup(from->path);
        copy = path != NULL ? add_node(to, path) : NULL;
        if (copy == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
        copy->type = from->type;
        copy->size = from->size;
        copy->modified = from->modified;
        if (from->content != NULL) {
            vfs_error error = provider_new_content(to, &copy->content);
            if (error == VFS_OK) {
                error = memory_file_share(from->content, copy->content);
            }
            if (error != VFS_OK) {
                provider_detach(copy);
                return error;
            }
            copy->opened = from->opened;
            copy->dirty = from->dirty;
        }
    }
    hold(copy);
    if (from->detached) {
        provider_detach(copy);
    }
    *out_item = (uintptr_t)copy;
    return VFS_OK;
}
