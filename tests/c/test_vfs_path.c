/* Where paths lead, and what they are refused for. */
#include "vfs_tree.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X300 X50 X50 X50 X50 X50 X50

static archive *stdlib;

/*
 * data/f           file
 * data/d/          directory
 * data/d/g         file
 * data/d/e/        directory
 * data/to_f        -> f               data/to_d       -> d
 * data/to_d_slash  -> d/              data/to_f_slash -> f/
 * data/absolute    -> /data/d/g       data/top        -> /
 * data/nowhere     -> absent          data/up         -> ../tmp
 * data/escape      -> ../../../etc    data/loop       -> loop
 * data/a1 -> a2, data/a2 -> a1        data/into_file  -> f/x
 * data/stdlib      -> ../python-stdlib/encodings
 * data/d/back      -> ../f            data/dots       -> ./d/../d/./g
 */
static vfs *sample_tree(void)
{
    stdlib = archive_sample();
    vfs *files = tree_create(stdlib, 1 << 20, 1000);
    ASSERT_EQ(tree_put(files, "data/f", "f"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d/e"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/d/g", "g"), VFS_OK);
    static const char *const links[][2] = {
        {"f", "data/to_f"},
        {"d", "data/to_d"},
        {"d/", "data/to_d_slash"},
        {"f/", "data/to_f_slash"},
        {"/data/d/g", "data/absolute"},
        {"/", "data/top"},
        {"absent", "data/nowhere"},
        {"../tmp", "data/up"},
        {"../../../etc", "data/escape"},
        {"loop", "data/loop"},
        {"a2", "data/a1"},
        {"a1", "data/a2"},
        {"f/x", "data/into_file"},
        {"../python-stdlib/encodings", "data/stdlib"},
        {"../f", "data/d/back"},
        {"./d/../d/./g", "data/dots"},
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        ASSERT_EQ(tree_symlink(files, links[i][0], links[i][1]), VFS_OK);
    }
    return files;
}

static void free_tree(vfs *files)
{
    vfs_destroy(files);
    archive_close(stdlib);
}

typedef struct path_case {
    const char *path;
    vfs_error follow;   /* of opening for reading, going through a link at the end */
    vfs_error nofollow; /* of the same without */
} path_case;

static const path_case path_cases[] = {
    {".", VFS_OK, VFS_OK},
    {"./", VFS_OK, VFS_OK},
    {"././/./", VFS_OK, VFS_OK},
    {"data", VFS_OK, VFS_OK},
    {"data/", VFS_OK, VFS_OK},
    {"data//", VFS_OK, VFS_OK},
    {"data/.", VFS_OK, VFS_OK},
    {"data/..", VFS_OK, VFS_OK},
    {"data/../", VFS_OK, VFS_OK},
    {"data/../data/../tmp", VFS_OK, VFS_OK},
    {"./data/./d/.//e/../../f", VFS_OK, VFS_OK},
    {"data/d/e/../../../tmp", VFS_OK, VFS_OK},
    {"tmp", VFS_OK, VFS_OK},
    {"site-packages", VFS_OK, VFS_OK},
    {"site-packages/..", VFS_OK, VFS_OK},
    {"dev/null", VFS_OK, VFS_OK},
    {"dev/../dev/zero", VFS_OK, VFS_OK},
    {"python-stdlib/encodings/utf_8.pyc", VFS_OK, VFS_OK},
    {"python-stdlib/encodings/../os.pyc", VFS_OK, VFS_OK},
    {"python-stdlib/encodings/../../data/f", VFS_OK, VFS_OK},
    {"python-stdlib/re/", VFS_OK, VFS_OK},
    {"data/f", VFS_OK, VFS_OK},
    /* nothing there */
    {"", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"absent", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"absent/", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"absent/..", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"absent/../data", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/absent", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/d/absent/x", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"Data", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"dat", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"datax", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data\\f", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/f ", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"...", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"etc/passwd", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"proc/self", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"dev/null2", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"null", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"python-stdlib/absent", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"python-stdlib/encodings/os.pyc", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/\xef\xbc\x8e\xef\xbc\x8e", VFS_NO_ENTRY, VFS_NO_ENTRY}, /* fullwidth dots */
    {"data\xe2\x88\x95"
     "f",
     VFS_NO_ENTRY, VFS_NO_ENTRY}, /* division slash */
    /* out of the tree */
    {"/", VFS_NOT_PERMITTED, VFS_NOT_PERMITTED},
    {"/data", VFS_NOT_PERMITTED, VFS_NOT_PERMITTED},
    {"//data", VFS_NOT_PERMITTED, VFS_NOT_PERMITTED},
    /* above "/" there is "/" */
    {"..", VFS_OK, VFS_OK},
    {"../", VFS_OK, VFS_OK},
    {"../data", VFS_OK, VFS_OK},
    {"./..", VFS_OK, VFS_OK},
    {"data/../..", VFS_OK, VFS_OK},
    {"data/../../data/f", VFS_OK, VFS_OK},
    {"data/d/../../../etc/passwd", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"python-stdlib/../..", VFS_OK, VFS_OK},
    {"dev/../..", VFS_OK, VFS_OK},
    {"data/escape", VFS_NO_ENTRY, VFS_LOOP},
    {"data/escape/passwd", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/top/..", VFS_OK, VFS_OK},
    /* a file where a directory should be */
    {"data/f/", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"data/f/.", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"data/f/..", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"data/f/x", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"data/f/x/y", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"dev/null/", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"dev/null/..", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"python-stdlib/os.pyc/", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"python-stdlib/os.pyc/x", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    {"data/into_file", VFS_NOT_DIRECTORY, VFS_LOOP},
    {"data/to_f_slash", VFS_NOT_DIRECTORY, VFS_LOOP},
    {"data/to_f/", VFS_NOT_DIRECTORY, VFS_NOT_DIRECTORY},
    /* links */
    {"data/to_f", VFS_OK, VFS_LOOP},
    {"data/to_d", VFS_OK, VFS_LOOP},
    {"data/to_d/", VFS_OK, VFS_OK},
    {"data/to_d/g", VFS_OK, VFS_OK},
    {"data/to_d/..", VFS_OK, VFS_OK},
    {"data/to_d/../f", VFS_OK, VFS_OK},
    {"data/to_d/.", VFS_OK, VFS_OK},
    {"data/to_d_slash", VFS_OK, VFS_LOOP},
    {"data/to_d_slash/g", VFS_OK, VFS_OK},
    {"data/to_d//back", VFS_OK, VFS_LOOP},
    {"data/absolute", VFS_OK, VFS_LOOP},
    {"data/top", VFS_OK, VFS_LOOP},
    {"data/top/", VFS_OK, VFS_OK},
    {"data/top/data/f", VFS_OK, VFS_OK},
    {"data/top/data/top/data/top/data/to_d/g", VFS_OK, VFS_OK},
    {"data/up", VFS_OK, VFS_LOOP},
    {"data/up/../data/f", VFS_OK, VFS_OK},
    {"data/stdlib/utf_8.pyc", VFS_OK, VFS_OK},
    {"data/stdlib/../os.pyc", VFS_OK, VFS_OK},
    {"data/dots", VFS_OK, VFS_LOOP},
    {"data/nowhere", VFS_NO_ENTRY, VFS_LOOP},
    {"data/nowhere/", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/nowhere/x", VFS_NO_ENTRY, VFS_NO_ENTRY},
    {"data/loop", VFS_LOOP, VFS_LOOP},
    {"data/loop/x", VFS_LOOP, VFS_LOOP},
    {"data/a1", VFS_LOOP, VFS_LOOP},
    {"data/a2/", VFS_LOOP, VFS_LOOP},
    /* text that is not a path */
    {"data/\xff", VFS_ILLEGAL_BYTE_SEQUENCE, VFS_ILLEGAL_BYTE_SEQUENCE},
    {"\xed\xb2\x80", VFS_ILLEGAL_BYTE_SEQUENCE, VFS_ILLEGAL_BYTE_SEQUENCE},
    {"data/\xc0\xaf", VFS_ILLEGAL_BYTE_SEQUENCE, VFS_ILLEGAL_BYTE_SEQUENCE},
    {"data/" X300, VFS_NAME_TOO_LONG, VFS_NAME_TOO_LONG},
    {X300 "/..", VFS_NAME_TOO_LONG, VFS_NAME_TOO_LONG},
};

static void test_paths(void)
{
    vfs *files = sample_tree();
    for (size_t i = 0; i < sizeof path_cases / sizeof path_cases[0]; i++) {
        const path_case *tried = &path_cases[i];
        vfs_error follow = tree_try(files, tried->path, TREE_READ);
        vfs_error nofollow = tree_try(files, tried->path, VFS_OPEN_READ);
        if (follow != tried->follow || nofollow != tried->nofollow) {
            test_fail(__FILE__, __LINE__, "\"%s\": %d and %d, not %d and %d", tried->path,
                      (int)follow, (int)nofollow, (int)tried->follow, (int)tried->nofollow);
        }
        /* stat agrees with open, but that it can look at a link. */
        vfs_status status;
        ASSERT_EQ(tree_stat(files, tried->path, &status), tried->follow);
        vfs_error looked = tree_lstat(files, tried->path, &status);
        if (tried->nofollow != VFS_LOOP) {
            ASSERT_EQ(looked, tried->nofollow);
        } else if (looked == VFS_OK) {
            ASSERT_EQ(status.type, VFS_TYPE_SYMBOLIC_LINK);
        } else {
            ASSERT_EQ(looked, VFS_LOOP);
        }
    }
    free_tree(files);
}

static void test_where_links_lead(void)
{
    vfs *files = sample_tree();
    tree_expect(files, "data/to_f", "f");
    tree_expect(files, "data/absolute", "g");
    tree_expect(files, "data/dots", "g");
    tree_expect(files, "data/d/back", "f");
    tree_expect(files, "data/stdlib/utf_8.pyc", "u8");
    ASSERT_STR_EQ(tree_list(files, "data/to_d"), "e g back");
    ASSERT_STR_EQ(tree_list(files, "data/top"), "python-stdlib site-packages data tmp dev");
    ASSERT_STR_EQ(tree_list(files, "dev"), "null zero random urandom");
    ASSERT_STR_EQ(tree_list(files, "python-stdlib"), "empty encodings os.pyc re");
    ASSERT_STR_EQ(tree_list(files, "python-stdlib/encodings"), "__init__.pyc utf_8.pyc");
    ASSERT_STR_EQ(tree_list(files, "site-packages"), "");
    free_tree(files);
}

/* A walk never leaves the directory that it began at. */
static void test_base_directory(void)
{
    vfs *files = sample_tree();
    static const struct {
        const char *path;
        vfs_error error;
    } cases[] = {
        {".", VFS_OK},
        {"g", VFS_OK},
        {"e/../g", VFS_OK},
        {"..", VFS_NOT_PERMITTED},
        {"../d", VFS_NOT_PERMITTED},
        {"e/../..", VFS_NOT_PERMITTED},
        {"back", VFS_NOT_PERMITTED}, /* a link to ../f */
        {"outside", VFS_NOT_PERMITTED},
        {"/data/d/g", VFS_NOT_PERMITTED},
    };
    ASSERT_EQ(tree_symlink(files, "/data/f", "data/d/outside"), VFS_OK);
    vfs_file *base = tree_get(files, "data/d", TREE_DIRECTORY);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vfs_file *file;
        vfs_error error = vfs_open(base, cases[i].path, strlen(cases[i].path), TREE_READ, &file);
        ASSERT_EQ(error, cases[i].error);
        if (error == VFS_OK) {
            vfs_close(file);
        }
    }
    /* The same when it has been moved, and when it is gone. */
    ASSERT_EQ(tree_rename(files, "data/d", "data/moved"), VFS_OK);
    vfs_status status;
    ASSERT_EQ(vfs_stat_at(base, "g", 1, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(base, "..", 2, true, &status), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_mkdir(files, "data/empty"), VFS_OK);
    vfs_file *gone = tree_get(files, "data/empty", TREE_DIRECTORY);
    ASSERT_EQ(tree_rmdir(files, "data/empty"), VFS_OK);
    ASSERT_EQ(vfs_stat_at(gone, ".", 1, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(gone, "x", 1, true, &status), VFS_NO_ENTRY);
    ASSERT_EQ(vfs_stat_at(gone, "..", 2, true, &status), VFS_NOT_PERMITTED);
    ASSERT_EQ(vfs_make_directory(gone, "x", 1), VFS_NO_ENTRY);
    ASSERT_EQ(vfs_make_symbolic_link(gone, "t", 1, "x", 1), VFS_NO_ENTRY);
    ASSERT_EQ(vfs_rename(vfs_root(files), "data/f", 6, gone, "x", 1), VFS_NO_ENTRY);
    ASSERT_EQ(vfs_make_link(vfs_root(files), "data/f", 6, false, gone, "x", 1), VFS_NO_ENTRY);
    vfs_close(gone);
    /* A file is no place to begin at. */
    vfs_file *file = tree_get(files, "data/f", TREE_READ);
    ASSERT_EQ(vfs_stat_at(file, ".", 1, true, &status), VFS_NOT_DIRECTORY);
    ASSERT_EQ(vfs_stat_at(file, "x", 1, true, &status), VFS_NOT_DIRECTORY);
    vfs_close(file);
    vfs_close(base);
    free_tree(files);
}

static void test_lengths(void)
{
    vfs *files = sample_tree();
    char path[VFS_PATH_MAX + 2];
    memset(path, '/', sizeof path);
    memcpy(path, "data", 4);
    vfs_status status;
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, VFS_PATH_MAX, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, VFS_PATH_MAX + 1, true, &status),
              VFS_NAME_TOO_LONG);
    /* ".." all the way, as often as fits */
    for (size_t i = 4; i + 8 <= VFS_PATH_MAX; i += 8) {
        memcpy(path + i, "/../data", 8);
    }
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, VFS_PATH_MAX - 4, true, &status), VFS_OK);

    char name[5 + 256];
    memset(name, 'n', sizeof name);
    memcpy(name, "data/", 5);
    ASSERT_EQ(vfs_make_directory(vfs_root(files), name, 5 + 255), VFS_OK);
    ASSERT_EQ(vfs_make_directory(vfs_root(files), name, 5 + 256), VFS_NAME_TOO_LONG);
    ASSERT_EQ(vfs_stat_at(vfs_root(files), name, 5 + 255, true, &status), VFS_OK);

    ASSERT_EQ(vfs_stat_at(vfs_root(files), "data\0x", 6, true, &status), VFS_INVALID);
    ASSERT_EQ(vfs_stat_at(vfs_root(files), "\0", 1, true, &status), VFS_INVALID);
    ASSERT_EQ(vfs_make_directory(vfs_root(files), "data/x\0", 7), VFS_INVALID);
    free_tree(files);
}

/* Exactly as many links as are allowed, then one more; also with each link at the end of the one
 * before. */
static void test_link_depth(void)
{
    vfs *files = sample_tree();
    char name[32];
    char target[32];
    ASSERT_EQ(tree_symlink(files, "f", "data/l0"), VFS_OK);
    for (int i = 1; i <= VFS_SYMBOLIC_LINKS_MAX; i++) {
        snprintf(name, sizeof name, "data/l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        ASSERT_EQ(tree_symlink(files, target, name), VFS_OK);
    }
    tree_expect(files, "data/l39", "f"); /* l39 ... l0 are 40 links */
    ASSERT_EQ(tree_try(files, "data/l40", TREE_READ), VFS_LOOP);

    ASSERT_EQ(tree_symlink(files, ".", "data/m0"), VFS_OK);
    for (int i = 1; i <= VFS_SYMBOLIC_LINKS_MAX; i++) {
        snprintf(name, sizeof name, "data/m%d", i);
        snprintf(target, sizeof target, "m%d/.", i - 1);
        ASSERT_EQ(tree_symlink(files, target, name), VFS_OK);
    }
    tree_expect(files, "data/m39/f", "f");
    ASSERT_EQ(tree_try(files, "data/m40/f", TREE_READ), VFS_LOOP);
    ASSERT_EQ(tree_try(files, "data/m39/m0/f", TREE_READ), VFS_LOOP);
    free_tree(files);
}

static void test_link_targets(void)
{
    vfs *files = sample_tree();
    char target[VFS_PATH_MAX + 1];
    size_t length;
    vfs_file *root = vfs_root(files);
    ASSERT_EQ(vfs_read_link(root, "data/to_f", 9, target, &length), VFS_OK);
    ASSERT_BYTES_EQ(target, length, "f", 1);
    ASSERT_EQ(vfs_read_link(root, "data/f", 6, target, &length), VFS_INVALID);
    ASSERT_EQ(vfs_read_link(root, "data/d", 6, target, &length), VFS_INVALID);
    ASSERT_EQ(vfs_read_link(root, "data/none", 9, target, &length), VFS_NO_ENTRY);
    ASSERT_EQ(vfs_read_link(root, "python-stdlib/os.pyc", 20, target, &length), VFS_INVALID);
    ASSERT_EQ(vfs_read_link(root, "data/to_d/", 10, target, &length), VFS_INVALID);
    vfs_status status;
    ASSERT_EQ(tree_lstat(files, "data/absolute", &status), VFS_OK);
    ASSERT_EQ(status.size, 9);

    memset(target, 't', sizeof target);
    ASSERT_EQ(vfs_make_symbolic_link(root, target, VFS_PATH_MAX, "data/long", 9), VFS_OK);
    ASSERT_EQ(vfs_make_symbolic_link(root, target, VFS_PATH_MAX + 1, "data/longer", 11),
              VFS_NAME_TOO_LONG);
    ASSERT_EQ(vfs_read_link(root, "data/long", 9, target, &length), VFS_OK);
    ASSERT_EQ(length, VFS_PATH_MAX);
    ASSERT_EQ(tree_try(files, "data/long", TREE_READ), VFS_NAME_TOO_LONG);
    ASSERT_EQ(tree_symlink(files, "", "data/empty"), VFS_NO_ENTRY);
    ASSERT_EQ(tree_symlink(files, "\xff", "data/bad"), VFS_ILLEGAL_BYTE_SEQUENCE);
    ASSERT_EQ(vfs_make_symbolic_link(root, "a\0b", 3, "data/nul", 8), VFS_INVALID);
    ASSERT_EQ(tree_symlink(files, "x", "data/slash/"), VFS_NO_ENTRY);
    ASSERT_EQ(tree_symlink(files, "x", "data/f"), VFS_EXIST);
    ASSERT_EQ(tree_symlink(files, "x", "data/nowhere"), VFS_EXIST);
    ASSERT_EQ(tree_symlink(files, "x", "python-stdlib/x"), VFS_READ_ONLY);
    ASSERT_EQ(tree_symlink(files, "x", "x"), VFS_READ_ONLY);
    free_tree(files);
}

typedef struct open_case {
    const char *path;
    uint32_t flags;
    vfs_error error;
} open_case;

static void test_open_flags(void)
{
    static const uint32_t create_directory = TREE_CREATE | VFS_OPEN_DIRECTORY;
    const open_case cases[] = {
        {"data/f", TREE_WRITE, VFS_OK},
        {"data/f", TREE_CREATE, VFS_OK},
        {"data/f", TREE_EXCLUSIVE, VFS_EXIST},
        {"data/f", TREE_DIRECTORY, VFS_NOT_DIRECTORY},
        {"data/f", create_directory, VFS_INVALID},
        {"data/f", VFS_OPEN_EXCLUSIVE | VFS_OPEN_READ, VFS_OK},
        {"data/f", 0, VFS_OK},
        {"data/f/", TREE_CREATE, VFS_NOT_DIRECTORY},
        {"data/new/", TREE_CREATE, VFS_IS_DIRECTORY},
        {"data/d", TREE_READ, VFS_OK},
        {"data/d", TREE_DIRECTORY, VFS_OK},
        {"data/d", TREE_WRITE, VFS_IS_DIRECTORY},
        {"data/d", VFS_OPEN_WRITE, VFS_IS_DIRECTORY},
        {"data/d", VFS_OPEN_READ | VFS_OPEN_TRUNCATE, VFS_IS_DIRECTORY},
        {"data/d", VFS_OPEN_READ | VFS_OPEN_CREATE, VFS_IS_DIRECTORY},
        {"data/d", TREE_EXCLUSIVE, VFS_EXIST},
        {"data/.", TREE_EXCLUSIVE, VFS_EXIST},
        {".", TREE_EXCLUSIVE, VFS_EXIST},
        {".", TREE_WRITE, VFS_IS_DIRECTORY},
        {"data/to_d", TREE_WRITE, VFS_IS_DIRECTORY},
        {"data/to_f", TREE_EXCLUSIVE, VFS_EXIST},
        {"data/nowhere", TREE_EXCLUSIVE, VFS_EXIST},
        {"data/absent/x", TREE_CREATE, VFS_NO_ENTRY},
        {"data/f/x", TREE_CREATE, VFS_NOT_DIRECTORY},
        {"data/loop", TREE_CREATE, VFS_LOOP},
        {"data/to_f", TREE_WRITE & ~(uint32_t)VFS_OPEN_FOLLOW, VFS_LOOP},
        /* places that cannot be written */
        {"new", TREE_CREATE, VFS_READ_ONLY},
        {"dev/new", TREE_CREATE, VFS_READ_ONLY},
        {"site-packages/new", TREE_CREATE, VFS_READ_ONLY},
        {"python-stdlib/new", TREE_CREATE, VFS_READ_ONLY},
        {"python-stdlib/encodings/new", TREE_CREATE, VFS_READ_ONLY},
        {"python-stdlib/os.pyc", TREE_WRITE, VFS_READ_ONLY},
        {"python-stdlib/os.pyc", VFS_OPEN_READ | VFS_OPEN_TRUNCATE, VFS_READ_ONLY},
        {"python-stdlib/os.pyc", VFS_OPEN_READ | VFS_OPEN_CREATE, VFS_OK},
        {"python-stdlib/os.pyc", TREE_EXCLUSIVE, VFS_EXIST},
        {"data/stdlib/utf_8.pyc", TREE_WRITE, VFS_READ_ONLY},
        {"data/stdlib/new", TREE_CREATE, VFS_READ_ONLY},
        {"dev/null", TREE_WRITE, VFS_OK},
        {"dev/null", TREE_TRUNCATE, VFS_OK},
        {"dev/null", TREE_DIRECTORY, VFS_NOT_DIRECTORY},
        {"dev/null", TREE_EXCLUSIVE, VFS_EXIST},
    };
    vfs *files = sample_tree();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vfs_error error = tree_try(files, cases[i].path, cases[i].flags);
        if (error != cases[i].error) {
            test_fail(__FILE__, __LINE__, "\"%s\" %x: %d, not %d", cases[i].path, cases[i].flags,
                      (int)error, (int)cases[i].error);
        }
    }
    tree_expect(files, "data/f", "f");
    /* A link that leads nowhere is followed to what is made. */
    ASSERT_EQ(tree_put(files, "data/nowhere", "made"), VFS_OK);
    tree_expect(files, "data/absent", "made");
    ASSERT_EQ(tree_symlink(files, "../tmp/deep", "data/other"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/other", "there"), VFS_OK);
    tree_expect(files, "tmp/deep", "there");
    ASSERT_EQ(tree_try(files, "data/f", TREE_TRUNCATE), VFS_OK);
    tree_expect(files, "data/f", "");
    free_tree(files);
}

typedef struct change_case {
    vfs_error (*change)(vfs *files, const char *path);
    const char *path;
    vfs_error error;
} change_case;

static vfs_error rename_to_new(vfs *files, const char *path)
{
    return tree_rename(files, path, "data/new");
}

static vfs_error rename_over(vfs *files, const char *path)
{
    return tree_rename(files, "data/f", path);
}

static vfs_error rename_directory_over(vfs *files, const char *path)
{
    return tree_rename(files, "data/d", path);
}

static vfs_error link_to_new(vfs *files, const char *path)
{
    return tree_link(files, path, "data/new");
}

static vfs_error link_over(vfs *files, const char *path)
{
    return tree_link(files, "data/f", path);
}

static vfs_error set_times(vfs *files, const char *path)
{
    vfs_new_time now = {.kind = VFS_TIME_NOW};
    return vfs_set_times_at(vfs_root(files), path, strlen(path), true, &now, &now);
}

/* Everything that must be refused, and must leave the tree as it is. */
static void test_refused_changes(void)
{
    static const change_case cases[] = {
        {tree_mkdir, "data", VFS_EXIST},
        {tree_mkdir, "data/f", VFS_EXIST},
        {tree_mkdir, "data/d/", VFS_EXIST},
        {tree_mkdir, "data/.", VFS_EXIST},
        {tree_mkdir, "data/..", VFS_EXIST},
        {tree_mkdir, "data/nowhere", VFS_EXIST},
        {tree_mkdir, "data/to_d", VFS_EXIST},
        {tree_mkdir, "data/x/y", VFS_NO_ENTRY},
        {tree_mkdir, "data/f/y", VFS_NOT_DIRECTORY},
        {tree_mkdir, "..", VFS_EXIST},
        {tree_mkdir, "new", VFS_READ_ONLY},
        {tree_mkdir, "site-packages/new", VFS_READ_ONLY},
        {tree_mkdir, "python-stdlib/new/", VFS_READ_ONLY},
        {tree_mkdir, "dev/null", VFS_EXIST},
        {tree_mkdir, "dev/null/x", VFS_NOT_DIRECTORY},
        {tree_rmdir, "data", VFS_READ_ONLY},
        {tree_rmdir, "python-stdlib", VFS_READ_ONLY},
        {tree_rmdir, "python-stdlib/re", VFS_READ_ONLY},
        {tree_rmdir, "data/d", VFS_NOT_EMPTY},
        {tree_rmdir, "data/d/e/.", VFS_INVALID},
        {tree_rmdir, "data/d/e/..", VFS_INVALID},
        {tree_rmdir, ".", VFS_INVALID},
        {tree_rmdir, "data/f", VFS_NOT_DIRECTORY},
        {tree_rmdir, "data/to_d", VFS_NOT_DIRECTORY},
        {tree_rmdir, "data/none", VFS_NO_ENTRY},
        {tree_rmdir, "dev/null", VFS_NOT_DIRECTORY},
        {tree_unlink, "data", VFS_IS_DIRECTORY},
        {tree_unlink, "data/d", VFS_IS_DIRECTORY},
        {tree_unlink, "data/d/", VFS_IS_DIRECTORY},
        {tree_unlink, "data/f/", VFS_NOT_DIRECTORY},
        {tree_unlink, "data/.", VFS_IS_DIRECTORY},
        {tree_unlink, "data/none", VFS_NO_ENTRY},
        {tree_unlink, "python-stdlib/os.pyc", VFS_READ_ONLY},
        {tree_unlink, "dev/null", VFS_READ_ONLY},
        {tree_unlink, "none", VFS_NO_ENTRY},
        {rename_to_new, "data", VFS_READ_ONLY},
        {rename_to_new, "data/.", VFS_BUSY},
        {rename_to_new, "data/d/..", VFS_BUSY},
        {rename_to_new, "data/none", VFS_NO_ENTRY},
        {rename_to_new, "data/f/", VFS_NOT_DIRECTORY},
        {rename_to_new, "python-stdlib/os.pyc", VFS_READ_ONLY},
        {rename_to_new, "dev/null", VFS_READ_ONLY},
        {rename_over, "data/d", VFS_IS_DIRECTORY},
        {rename_over, "data/d/e", VFS_IS_DIRECTORY},
        {rename_over, "data/d/.", VFS_BUSY},
        {rename_over, "data/new/", VFS_NOT_DIRECTORY},
        {rename_over, "data/none/x", VFS_NO_ENTRY},
        {rename_over, "data/f/x", VFS_NOT_DIRECTORY},
        {rename_over, "tmp", VFS_READ_ONLY},
        {rename_over, "new", VFS_READ_ONLY},
        {rename_over, "python-stdlib/os.pyc", VFS_READ_ONLY},
        {rename_over, "dev/null", VFS_READ_ONLY},
        {rename_over, "../x", VFS_READ_ONLY},
        {rename_directory_over, "data/f", VFS_NOT_DIRECTORY},
        {rename_directory_over, "data/to_d", VFS_NOT_DIRECTORY},
        {rename_directory_over, "data/d/e", VFS_INVALID},
        {rename_directory_over, "data/d/x", VFS_INVALID},
        {rename_directory_over, "data/d/e/x", VFS_INVALID},
        {rename_directory_over, "data/to_d/x", VFS_INVALID},
        {rename_directory_over, "data", VFS_READ_ONLY},
        {link_to_new, "data/d", VFS_NOT_PERMITTED},
        {link_to_new, "data", VFS_NOT_PERMITTED},
        {link_to_new, "data/none", VFS_NO_ENTRY},
        {link_to_new, "python-stdlib/os.pyc", VFS_CROSS_DEVICE},
        {link_to_new, "dev/null", VFS_CROSS_DEVICE},
        {link_over, "data/f", VFS_EXIST},
        {link_over, "data/nowhere", VFS_EXIST},
        {link_over, "data/d/", VFS_EXIST},
        {link_over, "data/new/", VFS_NO_ENTRY},
        {link_over, "new", VFS_READ_ONLY},
        {link_over, "python-stdlib/new", VFS_READ_ONLY},
        {link_over, "data/..", VFS_EXIST},
        {set_times, "python-stdlib/os.pyc", VFS_READ_ONLY},
        {set_times, "dev/null", VFS_READ_ONLY},
        {set_times, ".", VFS_READ_ONLY},
        {set_times, "data/none", VFS_NO_ENTRY},
    };
    vfs *files = sample_tree();
    vfs_usage before = vfs_get_usage(files);
    char listing[4096];
    snprintf(listing, sizeof listing, "%s", tree_list(files, "data"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vfs_error error = cases[i].change(files, cases[i].path);
        if (error != cases[i].error) {
            test_fail(__FILE__, __LINE__, "case %zu, \"%s\": %d, not %d", i, cases[i].path,
                      (int)error, (int)cases[i].error);
        }
    }
    ASSERT_EQ_U(vfs_get_usage(files).bytes, before.bytes);
    ASSERT_EQ_U(vfs_get_usage(files).entries, before.entries);
    ASSERT_STR_EQ(tree_list(files, "data"), listing);
    ASSERT_STR_EQ(tree_list(files, "data/d"), "e g back");
    tree_expect(files, "data/f", "f");
    free_tree(files);
}

static void test_no_archive(void)
{
    vfs *files = tree_create(NULL, 1000, 10);
    ASSERT_STR_EQ(tree_list(files, "python-stdlib"), "");
    ASSERT_EQ(tree_try(files, "python-stdlib/../data", TREE_READ), VFS_OK);
    ASSERT_EQ(tree_try(files, "python-stdlib/os.pyc", TREE_READ), VFS_NO_ENTRY);
    vfs_destroy(files);
    vfs_destroy(NULL);
}

TEST_MAIN(TEST_CASE(test_paths), TEST_CASE(test_where_links_lead), TEST_CASE(test_base_directory),
          TEST_CASE(test_lengths), TEST_CASE(test_link_depth), TEST_CASE(test_link_targets),
          TEST_CASE(test_open_flags), TEST_CASE(test_refused_changes), TEST_CASE(test_no_archive))
