/* Nodes of providers, for the files of provider*.c alone. */
#ifndef ERYX_VFS_PROVIDER_NODE_H
#define ERYX_VFS_PROVIDER_NODE_H

#include "vfs/provider.h"

enum {
    PROVIDER_MOST_NODES = 4096, /* that nobody holds, kept for the next look */
};

typedef struct listed_name {
    vfs_type type;
    size_t length;
    char *name; /* owned, not terminated */
} listed_name;

typedef struct provider_node {
    size_t references;
    vfs_provider *provider;
    struct provider_node *next; /* of those that are found by their paths */
    bool detached;              /* it is not found any more: removed, or something else is there */
    char *path;                 /* owned, "" for the top */
    uint64_t number;
    vfs_type type;
    bool missing;
    uint64_t size;
    vfs_time modified;
    uint64_t known_ns; /* when the embedder has told of it; 0 for never */
    bool listed;   /* that was in a list, and is good for a while: each name is asked for then */
    uint64_t done; /* operation that has removed, moved or made it */
    /* Of a file: */
    memory_node *content; /* without a name, in the memory of the tree; NULL if it is not read */
    uint64_t read_ns;
    bool opened;
    bool dirty;   /* the embedder does not have what is in it */
    bool refused; /* nor does it want it */
    /* Of a directory: */
    listed_name *names;
    size_t name_count;
    uint64_t names_charged; /* bytes of the quota */
    uint64_t listed_ns;
} provider_node;

struct vfs_provider {
    vfs *files;
    uint32_t number;
    uint32_t device;
    uint64_t cache_ns;
    uint64_t last_number;
    size_t idle;
    provider_node *first;
    provider_node *root; /* held */
};

/* The node for a path, made if there is none; not held. NULL without memory. */
provider_node *provider_node_at(vfs_provider *provider, const char *path);

/* Takes a node out of those that are found. Frees it if nobody holds it. */
void provider_detach(provider_node *node);

/* The path of a name in a directory; freed by the caller. NULL without memory. */
char *provider_join(const provider_node *directory, const char *name, size_t length);

/* An empty file without a name, in the memory of the tree and under its quota. */
vfs_error provider_new_content(vfs_provider *provider, memory_node **out_content);

/* Let go of the contents of a file, and of the names in a directory. */
void provider_drop_content(provider_node *node);
void provider_drop_names(provider_node *node);

#endif
