/*
 * Sequences of file operations, each compared with a model that is as simple as can be: flat tables
 * of nodes and names, contents in one piece.
 */
#include "fuzz.h"

#include "vfs/vfs.h"

enum {
    NODES = 64,
    NAMES = 128,
    HELD = 4,
    DEPTH = 3,
    FILE_SIZE_MAX = 200000, /* several chunks */
    OPERATIONS = 400,
    DATA_NODE = 0,
    TMP_NODE = 1,
    NONE = -1,
};

typedef struct model_node {
    bool used;
    bool directory;
    int names;
    int holders;
    int parent; /* of a directory */
    uint8_t *data;
    size_t size;
} model_node;

typedef struct model_name {
    int directory; /* NONE for a free row */
    char letter;
    int node;
} model_name;

/* A path in both forms. */
typedef struct model_path {
    int root;
    int depth;
    char letters[DEPTH];
    char text[64];
    size_t length;
} model_path;

/* Where a path leads in the model. */
typedef struct model_place {
    vfs_error error; /* VFS_OK even if node is NONE */
    int directory;
    char letter;
    int node;
} model_place;

static fuzz_input input;
static vfs *files;
static model_node nodes[NODES];
static model_name names[NAMES];
static struct {
    vfs_file *file;
    int node;
} held[HELD];

/* ---- The model ------------------------------------------------------------------------------- */

static int find_name(int directory, char letter)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].directory == directory && names[i].letter == letter) {
            return i;
        }
    }
    return NONE;
}

static model_place find_place(const model_path *path)
{
    model_place place = {.error = VFS_OK, .directory = NONE, .node = path->root};
    for (int i = 0; i < path->depth; i++) {
        if (place.node == NONE) {
            place.error = VFS_NO_ENTRY;
            return place;
        }
        if (!nodes[place.node].directory) {
            place.error = VFS_NOT_DIRECTORY;
            return place;
        }
        place.directory = place.node;
        place.letter = path->letters[i];
        int name = find_name(place.directory, place.letter);
        place.node = name == NONE ? NONE : names[name].node;
    }
    return place;
}

static int free_row(void)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].directory == NONE) {
            return i;
        }
    }
    return NONE;
}

static int free_node(void)
{
    for (int i = 0; i < NODES; i++) {
        if (!nodes[i].used) {
            return i;
        }
    }
    return NONE;
}

static void add_name(const model_place *place, int node)
{
    int row = free_row();
    FUZZ_REQUIRE(row != NONE);
    names[row] = (model_name){place->directory, place->letter, node};
    nodes[node].names++;
    nodes[node].parent = place->directory;
}

static int add_node(const model_place *place, bool directory)
{
    int node = free_node();
    FUZZ_REQUIRE(node != NONE);
    nodes[node] = (model_node){.used = true, .directory = directory};
    nodes[node].data = directory ? NULL : calloc(1, FILE_SIZE_MAX);
    add_name(place, node);
    return node;
}

static void forget_if_unused(int node)
{
    if (nodes[node].names == 0 && nodes[node].holders == 0) {
        free(nodes[node].data);
        nodes[node] = (model_node){.used = false};
    }
}

static void remove_name(int directory, char letter)
{
    int row = find_name(directory, letter);
    int node = names[row].node;
    names[row].directory = NONE;
    nodes[node].names--;
    forget_if_unused(node);
}

static bool is_empty(int directory)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].directory == directory) {
            return false;
        }
    }
    return true;
}

static bool is_within(int directory, int node)
{
    while (directory != node && directory != DATA_NODE && directory != TMP_NODE) {
        directory = nodes[directory].parent;
    }
    return directory == node;
}

/* ---- Operations ------------------------------------------------------------------------------ */

static model_path any_path(void)
{
    model_path path = {.root = fuzz_below(&input, 3) == 0 ? TMP_NODE : DATA_NODE};
    path.depth = 1 + (int)fuzz_below(&input, DEPTH);
    char *end = stpcpy(path.text, path.root == DATA_NODE ? "data" : "tmp");
    for (int i = 0; i < path.depth; i++) {
        path.letters[i] = (char)('a' + fuzz_below(&input, 4));
        static const char *const separators[] = {"/", "/", "/", "/./", "//"};
        end = stpcpy(end, separators[fuzz_below(&input, 5)]);
        *end++ = path.letters[i];
    }
    *end = 0;
    path.length = (size_t)(end - path.text);
    return path;
}

static uint64_t any_offset(void)
{
    static const uint32_t borders[] = {0, 64, 4096, 65536, 131072, 196608};
    uint32_t offset = borders[fuzz_below(&input, 6)] + fuzz_below(&input, 200);
    return offset < 100 ? offset : offset - 100;
}

static vfs_error open_error(const model_place *place, bool create)
{
    if (place->error != VFS_OK) {
        return place->error;
    }
    if (place->node == NONE) {
        return create ? VFS_OK : VFS_NO_ENTRY;
    }
    return nodes[place->node].directory ? VFS_IS_DIRECTORY : VFS_OK;
}

/* Opens a file in both worlds; NULL if it cannot be opened in both. */
static vfs_file *open_file(bool create, int *out_node)
{
    model_path path = any_path();
    model_place place = find_place(&path);
    vfs_file *file = NULL;
    uint32_t flags = VFS_OPEN_READ | VFS_OPEN_WRITE | (create ? VFS_OPEN_CREATE : 0u);
    vfs_error error = vfs_open(vfs_root(files), path.text, path.length, flags, &file);
    FUZZ_REQUIRE(error == open_error(&place, create));
    if (error != VFS_OK) {
        return NULL;
    }
    *out_node = place.node != NONE ? place.node : add_node(&place, false);
    return file;
}

static void change_contents(vfs_file *file, int node)
{
    model_node *model = &nodes[node];
    static uint8_t data[FILE_SIZE_MAX];
    uint64_t offset = any_offset();
    size_t size = (size_t)any_offset();
    size_t done = 0;
    switch (fuzz_below(&input, 4)) {
    case 0:
        if (size > FILE_SIZE_MAX) {
            size = FILE_SIZE_MAX;
        }
        FUZZ_REQUIRE(vfs_set_size(file, size) == VFS_OK);
        if (size < model->size) {
            memset(model->data + size, 0, model->size - size);
        }
        model->size = size;
        return;
    case 1:
        offset = model->size;
        break;
    default:
        break;
    }
    if (offset >= FILE_SIZE_MAX) {
        return;
    }
    if (size > FILE_SIZE_MAX - offset) {
        size = FILE_SIZE_MAX - (size_t)offset;
    }
    memset(data, (int)fuzz_number(&input, 1), size);
    vfs_error error = offset == model->size ? vfs_append(file, data, size, &done)
                                            : vfs_write(file, offset, data, size, &done);
    FUZZ_REQUIRE(error == VFS_OK);
    FUZZ_REQUIRE(done == size);
    memcpy(model->data + offset, data, size);
    if (size > 0 && offset + size > model->size) {
        model->size = (size_t)offset + size;
    }
}

static void compare_contents(vfs_file *file, int node)
{
    static uint8_t data[FILE_SIZE_MAX];
    const model_node *model = &nodes[node];
    uint64_t offset = any_offset();
    size_t size = (size_t)any_offset();
    size_t got;
    FUZZ_REQUIRE(vfs_size(file) == model->size);
    FUZZ_REQUIRE(size <= sizeof data);
    FUZZ_REQUIRE(vfs_read(file, offset, data, size, &got) == VFS_OK);
    size_t left = offset < model->size ? model->size - (size_t)offset : 0;
    FUZZ_REQUIRE(got == (left < size ? left : size));
    FUZZ_REQUIRE(got == 0 || memcmp(data, model->data + offset, got) == 0);
}

static void use_file(bool create)
{
    int node;
    vfs_file *file = open_file(create, &node);
    if (file == NULL) {
        return;
    }
    if (fuzz_below(&input, 2) == 0) {
        change_contents(file, node);
    }
    compare_contents(file, node);
    uint32_t slot = fuzz_below(&input, HELD * 2);
    if (slot < HELD && held[slot].file == NULL) {
        held[slot].file = file;
        held[slot].node = node;
        nodes[node].holders++;
    } else {
        vfs_close(file);
    }
}

static void release(uint32_t slot)
{
    if (held[slot].file != NULL) {
        vfs_close(held[slot].file);
        nodes[held[slot].node].holders--;
        forget_if_unused(held[slot].node);
        held[slot].file = NULL;
    }
}

static void use_held(void)
{
    uint32_t slot = fuzz_below(&input, HELD);
    if (held[slot].file == NULL) {
        return;
    }
    if (fuzz_below(&input, 3) == 0) {
        change_contents(held[slot].file, held[slot].node);
    }
    compare_contents(held[slot].file, held[slot].node);
    if (fuzz_below(&input, 3) == 0) {
        release(slot);
    }
}

static void make_directory(void)
{
    model_path path = any_path();
    model_place place = find_place(&path);
    vfs_error expected = place.error;
    if (expected == VFS_OK && place.node != NONE) {
        expected = VFS_EXIST;
    }
    FUZZ_REQUIRE(vfs_make_directory(vfs_root(files), path.text, path.length) == expected);
    if (expected == VFS_OK) {
        add_node(&place, true);
    }
}

static void remove_something(bool directory)
{
    model_path path = any_path();
    model_place place = find_place(&path);
    vfs_error expected = place.error;
    if (expected == VFS_OK && place.node == NONE) {
        expected = VFS_NO_ENTRY;
    } else if (expected == VFS_OK && nodes[place.node].directory != directory) {
        expected = directory ? VFS_NOT_DIRECTORY : VFS_IS_DIRECTORY;
    } else if (expected == VFS_OK && directory && !is_empty(place.node)) {
        expected = VFS_NOT_EMPTY;
    }
    vfs_error error = directory ? vfs_remove_directory(vfs_root(files), path.text, path.length)
                                : vfs_unlink(vfs_root(files), path.text, path.length);
    FUZZ_REQUIRE(error == expected);
    if (error == VFS_OK) {
        remove_name(place.directory, place.letter);
    }
}

static vfs_error rename_error(const model_place *from, const model_place *to)
{
    if (from->error != VFS_OK) {
        return from->error;
    }
    if (from->node == NONE) {
        return VFS_NO_ENTRY;
    }
    if (to->error != VFS_OK) {
        return to->error;
    }
    bool directory = nodes[from->node].directory;
    if (to->node != NONE && nodes[to->node].directory != directory) {
        return directory ? VFS_NOT_DIRECTORY : VFS_IS_DIRECTORY;
    }
    if (to->node == from->node) {
        return VFS_OK;
    }
    if (directory && is_within(to->directory, from->node)) {
        return VFS_INVALID;
    }
    if (to->node != NONE && directory && !is_empty(to->node)) {
        return VFS_NOT_EMPTY;
    }
    return VFS_OK;
}

static void rename_something(void)
{
    model_path from_path = any_path();
    model_path to_path = any_path();
    model_place from = find_place(&from_path);
    model_place to = find_place(&to_path);
    vfs_error error = vfs_rename(vfs_root(files), from_path.text, from_path.length, vfs_root(files),
                                 to_path.text, to_path.length);
    FUZZ_REQUIRE(error == rename_error(&from, &to));
    if (error == VFS_OK && from.node != to.node) {
        if (to.node != NONE) {
            remove_name(to.directory, to.letter);
        }
        add_name(&to, from.node);
        remove_name(from.directory, from.letter);
    }
}

static void link_something(void)
{
    model_path from_path = any_path();
    model_path to_path = any_path();
    model_place from = find_place(&from_path);
    model_place to = find_place(&to_path);
    vfs_error expected = from.error;
    if (expected == VFS_OK && from.node == NONE) {
        expected = VFS_NO_ENTRY;
    } else if (expected == VFS_OK && to.error != VFS_OK) {
        expected = to.error;
    } else if (expected == VFS_OK && to.node != NONE) {
        expected = VFS_EXIST;
    } else if (expected == VFS_OK && nodes[from.node].directory) {
        expected = VFS_NOT_PERMITTED;
    }
    FUZZ_REQUIRE(vfs_make_link(vfs_root(files), from_path.text, from_path.length, false,
                               vfs_root(files), to_path.text, to_path.length) == expected);
    if (expected == VFS_OK) {
        add_name(&to, from.node);
    }
}

static void compare_status(void)
{
    model_path path = any_path();
    model_place place = find_place(&path);
    vfs_status status;
    vfs_error error =
        vfs_stat_at(vfs_root(files), path.text, path.length, fuzz_below(&input, 2) == 0, &status);
    if (place.error == VFS_OK && place.node == NONE) {
        place.error = VFS_NO_ENTRY;
    }
    FUZZ_REQUIRE(error == place.error);
    if (error != VFS_OK) {
        return;
    }
    const model_node *model = &nodes[place.node];
    FUZZ_REQUIRE(status.type == (model->directory ? VFS_TYPE_DIRECTORY : VFS_TYPE_FILE));
    FUZZ_REQUIRE(status.links == (uint64_t)model->names);
    FUZZ_REQUIRE(model->directory || status.size == model->size);
}

static void compare_listing(void)
{
    model_path path = any_path();
    model_place place = find_place(&path);
    if (place.error != VFS_OK || place.node == NONE || !nodes[place.node].directory) {
        return;
    }
    vfs_file *directory;
    FUZZ_REQUIRE(vfs_open(vfs_root(files), path.text, path.length,
                          VFS_OPEN_READ | VFS_OPEN_DIRECTORY, &directory) == VFS_OK);
    uint64_t cursor = 0;
    int listed = 0;
    for (;;) {
        vfs_directory_entry entry;
        bool found;
        FUZZ_REQUIRE(vfs_list(directory, &cursor, &entry, &found) == VFS_OK);
        if (!found) {
            break;
        }
        FUZZ_REQUIRE(entry.name_length == 1);
        int row = find_name(place.node, entry.name[0]);
        FUZZ_REQUIRE(row != NONE);
        FUZZ_REQUIRE((entry.type == VFS_TYPE_DIRECTORY) == nodes[names[row].node].directory);
        listed++;
    }
    vfs_close(directory);
    for (int i = 0; i < NAMES; i++) {
        listed -= names[i].directory == place.node;
    }
    FUZZ_REQUIRE(listed == 0);
}

static void operate(void)
{
    /* The tables of the model have an end. */
    bool room = free_row() != NONE && free_node() != NONE;
    switch (fuzz_below(&input, 12)) {
    case 0:
    case 1:
        use_file(room);
        break;
    case 2:
        use_file(false);
        break;
    case 3:
    case 4:
        if (room) {
            make_directory();
        }
        break;
    case 5:
        remove_something(true);
        break;
    case 6:
        remove_something(false);
        break;
    case 7:
        if (room) {
            rename_something();
        }
        break;
    case 8:
        if (room) {
            link_something();
        }
        break;
    case 9:
        use_held();
        break;
    case 10:
        compare_status();
        break;
    default:
        compare_listing();
        break;
    }
}

/* Names, and files that are open without one. */
static uint64_t entries_of_model(void)
{
    uint64_t entries = 0;
    for (int i = 0; i < NAMES; i++) {
        entries += names[i].directory != NONE;
    }
    for (int i = TMP_NODE + 1; i < NODES; i++) {
        entries += nodes[i].used && nodes[i].names == 0;
    }
    return entries;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (fuzz_input){.next = data, .left = size};
    vfs_quota quota = {.max_bytes = (uint64_t)64 << 20, .max_entries = NAMES + NODES};
    FUZZ_REQUIRE(vfs_create(NULL, &quota, &files) == VFS_OK);
    memset(nodes, 0, sizeof nodes);
    for (int i = 0; i < NAMES; i++) {
        names[i].directory = NONE;
    }
    nodes[DATA_NODE] = nodes[TMP_NODE] =
        (model_node){.used = true, .directory = true, .names = 1, .parent = NONE};

    for (int i = 0; i < OPERATIONS && input.left > 0; i++) {
        operate();
        FUZZ_REQUIRE(vfs_get_usage(files).entries == entries_of_model());
    }
    for (uint32_t slot = 0; slot < HELD; slot++) {
        release(slot);
    }
    FUZZ_REQUIRE(vfs_get_usage(files).entries == entries_of_model());
    for (int i = 0; i < NODES; i++) {
        free(nodes[i].data);
    }
    vfs_destroy(files);
    return 0;
}
