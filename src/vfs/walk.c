/*
 * Walking along a path, component by component, from one node to the next.
 *
 * Nodes only ever come from the directory before them, so a walk cannot leave the tree. It cannot
 * leave its base either: ".." is refused there, or leads to "/" from "/". It ends after
 * VFS_STEPS_MAX steps: forty links of the longest length would make hundreds of thousands of one
 * path.
 */
#include <string.h>

#include "base/uninitialized.h"
#include "base/utf8.h"
#include "vfs/internal.h"

/* Text that is still to be walked; link: the symbolic link that it belongs to. */
typedef struct walk_text {
    const char *next;
    const char *end;
    vfs_node link; /* mount is NULL for the path itself */
} walk_text;

/* The innermost text comes first; those outside of it go on where a link was met. */
typedef struct walker {
    vfs_node base;
    vfs_node root; /* of the whole tree, for absolute links */
    vfs_node current;
    uint32_t links; /* followed so far */
    uint32_t steps; /* taken so far */
    uint32_t depth; /* texts in use */
    walk_text texts[VFS_SYMBOLIC_LINKS_MAX + 1];
} walker;

static void pop_text(walker *walk)
{
    const walk_text *text = &walk->texts[--walk->depth];
    if (text->link.mount != NULL) {
        vfs_node_release(text->link);
    }
}

/* Goes past slashes, leaving texts that end. Returns true if there were any slashes. */
static bool skip_slashes(walker *walk)
{
    bool skipped = false;
    while (walk->depth > 0) {
        walk_text *text = &walk->texts[walk->depth - 1];
        while (text->next < text->end && *text->next == '/') {
            text->next++;
            skipped = true;
        }
        if (text->next < text->end) {
            break;
        }
        pop_text(walk);
    }
    return skipped;
}

/*
 * Copies the next component to out->name and says whether it is the last one; if so, and a slash
 * follows, sets out->slash. There must be one.
 */
static vfs_error next_component(walker *walk, vfs_walk *out, bool *out_last)
{
    walk_text *text = &walk->texts[walk->depth - 1];
    const char *slash = memchr(text->next, '/', (size_t)(text->end - text->next));
    size_t length = (size_t)((slash != NULL ? slash : text->end) - text->next);
    if (length > VFS_NAME_MAX) {
        return VFS_NAME_TOO_LONG;
    }
    memcpy(out->name, text->next, length);
    out->name_length = length;
    text->next += length;
    bool skipped = skip_slashes(walk);
    *out_last = walk->depth == 0;
    if (*out_last && skipped) {
        out->slash = true;
    }
    return VFS_OK;
}

/* Continues with the target of a link, taking over the hold on it. */
static vfs_error enter_link(walker *walk, vfs_node link)
{
    size_t length;
    const char *target = link.mount->backend->link_target(link, &length);
    bool absolute = length > 0 && target[0] == '/';
    vfs_error error = VFS_OK;
    if (walk->links == VFS_SYMBOLIC_LINKS_MAX) {
        error = VFS_LOOP;
    } else if (length == 0) {
        error = VFS_NO_ENTRY;
    } else if (absolute && (link.mount->confines_links || !vfs_node_same(walk->base, walk->root))) {
        error = VFS_NOT_PERMITTED;
    }
    if (error != VFS_OK) {
        vfs_node_release(link);
        return error;
    }
    if (absolute) {
        vfs_node_release(walk->current);
        walk->current = vfs_node_retain(walk->root);
    }
    walk->links++;
    walk->texts[walk->depth++] = (walk_text){.next = target, .end = target + length, .link = link};
    skip_slashes(walk);
    return VFS_OK;
}

/* link: what said "..", or no mount if the path did. */
static vfs_error go_up(walker *walk, const vfs_mount *link)
{
    const vfs_mount *here = walk->current.mount;
    bool leaves = here == link && here->confines_links && walk->current.item == here->root;
    bool at_base = vfs_node_same(walk->current, walk->base);
    bool at_top = at_base && vfs_node_same(walk->base, walk->root);
    if (at_top && !leaves && here->backend == &vfs_system_backend) {
        return VFS_OK; /* above "/" of a guest there is "/" */
    }
    if (leaves || at_base) {
        return VFS_NOT_PERMITTED;
    }
    vfs_node parent;
    vfs_error error = walk->current.mount->backend->parent(walk->current, &parent);
    if (error == VFS_OK) {
        vfs_node_release(walk->current);
        walk->current = parent;
    }
    return error;
}

/* Counts steps. VFS_NAME_TOO_LONG if they are too many: what POSIX has for a path that its links
 * have made too long. */
static vfs_error count_steps(walker *walk, uint32_t steps)
{
    walk->steps += steps;
    return walk->steps <= VFS_STEPS_MAX ? VFS_OK : VFS_NAME_TOO_LONG;
}

static bool is_dots(const vfs_walk *walk, size_t count)
{
    return walk->name_length == count && memcmp(walk->name, "..", count) == 0;
}

/* Takes one component. *out_last is true when the walk is over and out is filled. */
static vfs_error take_component(walker *walk, bool follow, vfs_walk *out, bool *out_last)
{
    const vfs_mount *link = walk->texts[walk->depth - 1].link.mount;
    vfs_error error = next_component(walk, out, out_last);
    if (error == VFS_OK) {
        error = count_steps(walk, 1);
    }
    if (error != VFS_OK) {
        return error;
    }
    if (walk->current.type != VFS_TYPE_DIRECTORY) {
        return VFS_NOT_DIRECTORY;
    }
    if (is_dots(out, 1)) {
        return VFS_OK;
    }
    if (is_dots(out, 2)) {
        return go_up(walk, link);
    }
    error = count_steps(walk, walk->current.mount->backend->find_steps);
    if (error != VFS_OK) {
        return error;
    }
    vfs_node node;
    error = vfs_find(walk->current, out->name, out->name_length, &node);
    if (*out_last && error == VFS_NO_ENTRY) {
        out->named = true;
        return VFS_OK;
    }
    if (error != VFS_OK) {
        return error;
    }
    if (node.type == VFS_TYPE_SYMBOLIC_LINK && (!*out_last || follow || out->slash)) {
        error = enter_link(walk, node);
        *out_last = walk->depth == 0; /* the link leads to the root */
        return error;
    }
    if (*out_last) {
        out->named = true;
        out->found = true;
        out->node = node;
        if (out->slash && node.type != VFS_TYPE_DIRECTORY) {
            vfs_node_release(node);
            return VFS_NOT_DIRECTORY;
        }
        return VFS_OK;
    }
    vfs_node_release(walk->current);
    walk->current = node;
    return VFS_OK;
}

bool vfs_name_is_plain(const char *name, size_t length)
{
    return length > 0 && length <= VFS_NAME_MAX && memchr(name, '/', length) == NULL &&
           memchr(name, '\0', length) == NULL && utf8_is_valid(name, length) &&
           !(length == 1 && name[0] == '.') && !(length == 2 && memcmp(name, "..", 2) == 0);
}

bool vfs_target_is_plain(const char *target, size_t length)
{
    return length > 0 && length <= VFS_PATH_MAX && memchr(target, '\0', length) == NULL &&
           utf8_is_valid(target, length);
}

static vfs_error check_path(const char *path, size_t length)
{
    if (length == 0) {
        return VFS_NO_ENTRY;
    }
    if (length > VFS_PATH_MAX) {
        return VFS_NAME_TOO_LONG;
    }
    if (memchr(path, '\0', length) != NULL) {
        return VFS_INVALID;
    }
    if (!utf8_is_valid(path, length)) {
        return VFS_ILLEGAL_BYTE_SEQUENCE;
    }
    return path[0] == '/' ? VFS_NOT_PERMITTED : VFS_OK;
}

vfs_error vfs_walk_begin(vfs_file *base, const char *path, size_t length, bool follow,
                         vfs_walk *out_walk)
{
    vfs_error error = check_path(path, length);
    if (error != VFS_OK) {
        return error;
    }
    UNINITIALIZED walker walk;
    walk.base = base->node;
    walk.root = base->files->root.node;
    walk.current = vfs_node_retain(base->node);
    walk.links = 0;
    walk.steps = 0;
    walk.depth = 1;
    walk.texts[0] = (walk_text){.next = path, .end = path + length};
    out_walk->found = false;
    out_walk->named = false;
    out_walk->slash = false;

    bool last = false;
    while (!last) {
        error = take_component(&walk, follow, out_walk, &last);
        if (error != VFS_OK) {
            goto fail;
        }
    }
    out_walk->steps = walk.steps;
    if (out_walk->named) {
        out_walk->directory = walk.current;
    } else {
        out_walk->found = true;
        out_walk->node = walk.current;
    }
    return VFS_OK;

fail:
    while (walk.depth > 0) {
        pop_text(&walk);
    }
    vfs_node_release(walk.current);
    return error;
}

void vfs_walk_end(vfs_walk *walk)
{
    if (walk->named) {
        vfs_node_release(walk->directory);
    }
    if (walk->found) {
        vfs_node_release(walk->node);
    }
}
