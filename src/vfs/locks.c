/*
 * Locks of databases that guests leave behind.
 *
 * sqlite3 locks a database with a directory beside it ("x.db.lock"), which is all that works
 * without locks of the system. A process that dies takes its locks with it; a guest that is put
 * away in the middle of a transaction would leave the directory in a storage or volume, and the
 * database could not be used any more. So a tree remembers the directories of that kind that were
 * made through it, and removes those that are left when it goes.
 *
 * What a path leads to is known by its identity, which says the storage or volume and the number in
 * it: a lock of another session is never taken for one's own.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/forks.h"
#include "vfs/internal.h"

enum {
    LOCKS_MAX = 64,
    STEPS_MAX = 256, /* of the walk to one of them */
};

static const char suffix[] = ".lock";
enum { SUFFIX_SIZE = sizeof suffix - 1 };

static atomic_uint_fast64_t last_moment;

uint64_t vfs_locks_moment(void)
{
    return atomic_load_explicit(&last_moment, memory_order_relaxed);
}

bool vfs_is_lock_name(const char *name, size_t length)
{
    return length > SUFFIX_SIZE && memcmp(name + length - SUFFIX_SIZE, suffix, SUFFIX_SIZE) == 0;
}

static bool is_lock_name(const vfs_walk *walk)
{
    return vfs_is_lock_name(walk->name, walk->name_length);
}

static uint64_t identity_of(vfs_node node)
{
    vfs_status status;
    node.mount->backend->stat(node, &status);
    return status.identity;
}

/* The entry for a path: the one that it has, a new one, or the oldest. NULL without memory. */
static vfs_lock *entry_for(vfs *files, const char *path, size_t length)
{
    vfs_lock *oldest = NULL;
    for (uint32_t i = 0; i < files->lock_count; i++) {
        vfs_lock *lock = &files->locks[i];
        if (lock->length == length && memcmp(lock->path, path, length) == 0) {
            return lock;
        }
        oldest = oldest == NULL || lock->moment < oldest->moment ? lock : oldest;
    }
    char *copy = malloc(length);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, path, length);
    vfs_lock *lock = oldest;
    if (files->lock_count < LOCKS_MAX) {
        size_t size = ((size_t)files->lock_count + 1) * sizeof *files->locks;
        vfs_lock *locks = realloc(files->locks, size);
        if (locks == NULL) {
            free(copy);
            return NULL;
        }
        files->locks = locks;
        lock = &locks[files->lock_count++];
    } else {
        free(lock->path);
    }
    lock->path = copy;
    lock->length = length;
    return lock;
}

void vfs_locks_note(vfs_file *base, const char *path, size_t length, const vfs_walk *made)
{
    vfs *files = base->files;
    bool outlives = files->added != NULL && made->node.mount->storage != &files->memory;
    if (!outlives || base != &files->root || !is_lock_name(made) || path[length - 1] == '/' ||
        made->steps > STEPS_MAX) {
        return;
    }
    vfs_lock *lock = entry_for(files, path, length);
    if (lock == NULL) {
        return; /* it may be left behind; that is all */
    }
    lock->identity = identity_of(made->node);
    lock->moment = atomic_fetch_add_explicit(&last_moment, 1, memory_order_relaxed) + 1;
    lock->fork_generation = forks_generation();
}

void vfs_locks_forget(vfs *files, const vfs_walk *removed)
{
    if (files->lock_count == 0 || !is_lock_name(removed)) {
        return;
    }
    uint64_t identity = identity_of(removed->node);
    for (uint32_t i = 0; i < files->lock_count; i++) {
        if (files->locks[i].identity == identity) {
            free(files->locks[i].path);
            files->locks[i] = files->locks[--files->lock_count];
            return;
        }
    }
}

static bool begins_as_database(vfs_node file)
{
    static const char magic[16] = "SQLite format 3";
    const vfs_backend *backend = file.mount->backend;
    uint8_t begin[sizeof magic];
    size_t got = 0;
    return file.type == VFS_TYPE_FILE &&
           (backend->open == NULL || backend->open(file, VFS_OPEN_READ) == VFS_OK) &&
           backend->read(file, 0, begin, sizeof begin, &got) == VFS_OK &&
           (got == 0 || (got == sizeof magic && memcmp(begin, magic, sizeof magic) == 0));
}

/* Whether there is a database, or a file that is about to become one, that the lock is of. */
static bool has_database(vfs_node directory, const char *name, size_t length)
{
    vfs_node file;
    if (vfs_find(directory, name, length - SUFFIX_SIZE, &file) != VFS_OK) {
        return false;
    }
    bool is_database = begins_as_database(file);
    vfs_node_release(file);
    return is_database;
}

void vfs_lock_remove(vfs_node directory, const char *name, size_t length, vfs_node lock,
                     uint64_t identity)
{
    if (lock.type == VFS_TYPE_DIRECTORY && lock.mount == directory.mount &&
        vfs_node_writable(directory) && identity_of(lock) == identity &&
        vfs_is_lock_name(name, length) && has_database(directory, name, length)) {
        /* Fails if somebody has put something into it: then it was none. */
        (void)directory.mount->backend->remove(directory, name, length, lock);
    }
}

static void release(vfs *files, vfs_lock *lock)
{
    vfs_walk walk;
    if (lock->fork_generation != forks_generation() ||
        vfs_walk_begin(&files->root, lock->path, lock->length, false, &walk) != VFS_OK) {
        return;
    }
    if (walk.found && walk.named) {
        vfs_lock_remove(walk.directory, walk.name, walk.name_length, walk.node, lock->identity);
    }
    vfs_walk_end(&walk);
}

void vfs_locks_move(vfs *from, vfs *to, uint64_t moment)
{
    uint32_t kept = 0;
    vfs_lock *moved = calloc(from->lock_count > 0 ? from->lock_count : 1, sizeof *moved);
    if (moved == NULL) {
        return;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < from->lock_count; i++) {
        if (from->locks[i].moment <= moment) {
            moved[count++] = from->locks[i];
        } else {
            from->locks[kept++] = from->locks[i];
        }
    }
    from->lock_count = kept;
    free(to->locks);
    to->locks = moved;
    to->lock_count = count;
}

void vfs_locks_release(vfs *files)
{
    for (uint32_t i = 0; i < files->lock_count; i++) {
        release(files, &files->locks[i]);
        free(files->locks[i].path);
    }
    free(files->locks);
    files->locks = NULL;
    files->lock_count = 0;
}
