/*
 * A tree whose files the embedder provides when they are asked for.
 *
 * Nothing here waits. A step that needs something of the embedder writes down what, and fails with
 * VFS_ASK; whoever called lets go of everything, asks, hands the answer in and tries again
 * (imports/file_questions.h). What was answered since the operation began is good for it, and for
 * as long after that as the provider says. What is open has its contents in the memory of the tree,
 * under its quota, and goes back as a whole when it is flushed or closed.
 */
#ifndef ERYX_VFS_PROVIDER_H
#define ERYX_VFS_PROVIDER_H

#include "vfs/internal.h"

/* One thing that the embedder tells of. */
typedef struct provider_entry {
    const char *name; /* of a list, terminated; not looked at for STAT */
    vfs_type type;
    uint64_t size;
    vfs_time modified;
} provider_entry;

typedef struct provider_answer {
    vfs_error error;
    const provider_entry *entries; /* of LIST, and one of STAT */
    size_t entry_count;
    const uint8_t *data; /* of READ */
    size_t size;
} provider_answer;

/*
 * Makes a tree in which nothing is known yet.
 *
 * number: for its questions. cache_ns: how long answers are good.
 * Errors: VFS_INSUFFICIENT_MEMORY.
 */
vfs_error vfs_provider_create(vfs *files, uint32_t number, uint64_t cache_ns, uint32_t device,
                              vfs_provider **out_provider);

/* Frees it; what is open of it must be closed. NULL is allowed. */
void vfs_provider_destroy(vfs_provider *provider);

/* It, seen at a mount point; above and read_only are for the caller to fill in. */
vfs_mount vfs_provider_mount(vfs_provider *provider);

bool vfs_is_provider(const vfs_mount *mount);

/* A node for what another tree of the same provider has open, with the same contents; held once. */
vfs_error vfs_provider_copy_node(vfs_node node, vfs_provider *to, uintptr_t *out_item);

/* Begins another attempt of an operation: what it finds is judged by that. */
void vfs_provider_begin(vfs *files, const provider_moment *moment);

/* Takes the question that a failed attempt has left, to be freed with vfs_question_free(). False if
 * there is none, as without memory. */
bool vfs_provider_take_question(vfs *files, provider_question *out_question);

void vfs_question_free(provider_question *question);

/*
 * Hands in what the embedder has answered to a question, for the next attempt.
 *
 * moment: the operation that has asked.
 * Errors: that of the answer if it ends the operation, VFS_INSUFFICIENT_SPACE and
 * VFS_INSUFFICIENT_MEMORY if there is no room for it, VFS_IO if it makes no sense.
 */
vfs_error vfs_provider_answer(vfs *files, const provider_moment *moment,
                              const provider_question *question, const provider_answer *answer);

#endif
