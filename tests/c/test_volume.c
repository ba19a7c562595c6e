/* Directories and files of the host in the tree of a guest. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "vfs/storage.h"
#include "vfs_tree.h"

/* The current directory of every test: "in" is the volume, "out" is not. */
static char place[64];

static void enter(void)
{
    strcpy(place, "/tmp/eryx-test-volume-XXXXXX");
    ASSERT_NOT_NULL(mkdtemp(place));
    ASSERT_EQ(chdir(place), 0);
    ASSERT_EQ(mkdir("in", 0777), 0);
    ASSERT_EQ(mkdir("out", 0777), 0);
}

static void leave(void)
{
    char command[128];
    ASSERT_EQ(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", place);
    ASSERT_EQ(system(command), 0);
}

static void host_put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ASSERT_NOT_NULL(file);
    fputs(text, file);
    ASSERT_EQ(fclose(file), 0);
}

static const char *host_get(const char *path)
{
    static char text[256];
    FILE *file = fopen(path, "r");
    ASSERT_NOT_NULL(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static bool host_has(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0;
}

/* A tree of files with a volume at /v. */
static vfs *mount_at(const char *host_path, bool read_only)
{
    vfs *files = tree_create(NULL, 1 << 20, 100);
    vfs_mounts *mounts;
    host_volume *volume;
    eryx_error error = {{0}};
    descriptor_share *share = descriptors_share_create();
    ASSERT_NOT_NULL(share);
    if (host_volume_open(host_path, read_only, share, &volume, &error) != ERYX_OK) {
        test_fail(__FILE__, __LINE__, "%s", error.message);
    }
    descriptors_share_release(share); /* the volume has it */
    ASSERT_EQ(vfs_mounts_create(&mounts), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_volume(mounts, "/v", volume, read_only), VFS_OK);
    ASSERT_EQ(vfs_use_mounts(files, mounts), VFS_OK);
    vfs_mounts_release(mounts);
    return files;
}

static int count_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++) {
        count += fcntl(i, F_GETFD) >= 0;
    }
    return count;
}

static void test_reads_and_writes_reach_the_host(void)
{
    enter();
    int before = count_descriptors();
    ASSERT_EQ(mkdir("in/d", 0777), 0);
    host_put("in/d/f", "of the host");
    vfs *files = mount_at("in", false);
    tree_expect(files, "v/d/f", "of the host");
    tree_expect(files, "v/d/../d/./f", "of the host");
    ASSERT_EQ(tree_put(files, "v/d/f", "of the guest"), VFS_OK);
    ASSERT_STR_EQ(host_get("in/d/f"), "of the guest");
    ASSERT_EQ(tree_put(files, "v/new", "12345"), VFS_OK);
    vfs_file *file = tree_get(files, "v/new", TREE_WRITE);
    size_t done;
    ASSERT_EQ(vfs_append(file, (const uint8_t *)"678", 3, &done), VFS_OK);
    ASSERT_EQ_U(vfs_size(file), 8);
    ASSERT_EQ(vfs_set_size(file, 7), VFS_OK);
    ASSERT_EQ(vfs_write(file, 1, (const uint8_t *)"x", 1, &done), VFS_OK);
    vfs_close(file);
    ASSERT_STR_EQ(host_get("in/new"), "1x34567");
    ASSERT_EQ(tree_try(files, "v/new", TREE_EXCLUSIVE), VFS_EXIST);
    ASSERT_EQ(tree_mkdir(files, "v/e"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "v/e"), VFS_EXIST);
    ASSERT_EQ(tree_rename(files, "v/new", "v/e/moved"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "v/e", "v/e/x"), VFS_INVALID);
    ASSERT_EQ(tree_rename(files, "v/e/moved", "tmp/x"), VFS_CROSS_DEVICE);
    ASSERT_EQ(tree_link(files, "v/e/moved", "v/again"), VFS_OK);
    ASSERT_EQ(tree_rmdir(files, "v/e"), VFS_NOT_EMPTY);
    ASSERT_EQ(tree_unlink(files, "v/e"), VFS_IS_DIRECTORY);
    ASSERT_EQ(tree_rmdir(files, "v/again"), VFS_NOT_DIRECTORY);
    ASSERT_EQ(tree_unlink(files, "v/e/moved"), VFS_OK);
    ASSERT_EQ(tree_rmdir(files, "v/e"), VFS_OK);
    ASSERT_EQ(tree_rmdir(files, "v"), VFS_READ_ONLY);
    ASSERT_STR_EQ(host_get("in/again"), "1x34567");
    ASSERT_EQ(tree_try(files, "v/nothing", TREE_READ), VFS_NO_ENTRY);
    ASSERT_EQ(tree_try(files, "v/again/x", TREE_READ), VFS_NOT_DIRECTORY);
    vfs_status status;
    ASSERT_EQ(tree_stat(files, "v/again", &status), VFS_OK);
    ASSERT_EQ_U(status.size, 7);
    vfs_new_time time = {.kind = VFS_TIME_SET, .time = {.seconds = 1000, .nanoseconds = 5}};
    ASSERT_EQ(vfs_set_times_at(vfs_root(files), "v/again", 7, true, &time, &time), VFS_OK);
    struct stat found;
    ASSERT_EQ(stat("in/again", &found), 0);
    ASSERT_EQ(found.st_mtim.tv_sec, 1000);
    vfs_destroy(files);
    ASSERT_EQ(count_descriptors(), before);
    leave();
}

static void test_many_entries_are_listed_once(void)
{
    enter();
    for (int i = 0; i < 1500; i++) {
        char path[64];
        snprintf(path, sizeof path, "in/file-with-a-long-name-%04d", i);
        host_put(path, "");
    }
    vfs *files = mount_at("in", true);
    vfs_file *directory = tree_get(files, "v", TREE_DIRECTORY);
    /* Two that take turns, as two handles of a guest may. */
    uint64_t cursors[2] = {0, 0};
    int counts[2] = {0, 0};
    bool found[2] = {true, true};
    static bool seen[2][1500];
    while (found[0] || found[1]) {
        for (int i = 0; i < 2; i++) {
            vfs_directory_entry entry;
            if (!found[i]) {
                continue;
            }
            ASSERT_EQ(vfs_list(directory, &cursors[i], &entry, &found[i]), VFS_OK);
            if (found[i]) {
                char digits[5] = ""; /* no zero ends the name of an entry */
                memcpy(digits, entry.name + entry.name_length - 4, 4);
                int number = atoi(digits);
                ASSERT(number < 1500 && !seen[i][number]);
                seen[i][number] = true;
                ASSERT_EQ(entry.type, VFS_TYPE_FILE);
                counts[i]++;
            }
        }
    }
    ASSERT_EQ(counts[0], 1500);
    ASSERT_EQ(counts[1], 1500);
    vfs_close(directory);
    vfs_destroy(files);
    leave();
}

static void test_read_only_changes_nothing(void)
{
    enter();
    host_put("in/f", "kept");
    ASSERT_EQ(mkdir("in/d", 0777), 0);
    struct stat before;
    ASSERT_EQ(stat("in/f", &before), 0);
    vfs *files = mount_at("in", true);
    tree_expect(files, "v/f", "kept");
    ASSERT_STR_EQ(tree_list(files, "v/d"), "");
    ASSERT_EQ(tree_try(files, "v/f", TREE_WRITE), VFS_READ_ONLY);
    ASSERT_EQ(tree_try(files, "v/f", TREE_READ | VFS_OPEN_TRUNCATE), VFS_READ_ONLY);
    ASSERT_EQ(tree_try(files, "v/new", TREE_CREATE), VFS_READ_ONLY);
    ASSERT_EQ(tree_mkdir(files, "v/e"), VFS_READ_ONLY);
    ASSERT_EQ(tree_unlink(files, "v/f"), VFS_READ_ONLY);
    ASSERT_EQ(tree_rmdir(files, "v/d"), VFS_READ_ONLY);
    ASSERT_EQ(tree_rename(files, "v/f", "v/g"), VFS_READ_ONLY);
    ASSERT_EQ(tree_link(files, "v/f", "v/g"), VFS_READ_ONLY);
    ASSERT_EQ(tree_symlink(files, "f", "v/g"), VFS_READ_ONLY);
    vfs_new_time now = {.kind = VFS_TIME_NOW};
    ASSERT_EQ(vfs_set_times_at(vfs_root(files), "v/f", 3, true, &now, &now), VFS_READ_ONLY);
    vfs_file *file = tree_get(files, "v/f", TREE_READ);
    size_t done;
    ASSERT_EQ(vfs_write(file, 0, (const uint8_t *)"x", 1, &done), VFS_BAD_DESCRIPTOR);
    ASSERT_EQ(vfs_set_size(file, 0), VFS_BAD_DESCRIPTOR);
    ASSERT_EQ(vfs_set_times(file, &now, &now), VFS_READ_ONLY);
    vfs_close(file);
    vfs_destroy(files);
    ASSERT_STR_EQ(host_get("in/f"), "kept");
    struct stat after;
    ASSERT_EQ(stat("in/f", &after), 0);
    ASSERT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    leave();
}

static void test_one_file(void)
{
    enter();
    host_put("in/f", "one file");
    host_put("in/sibling", "secret");
    vfs *files = mount_at("in/f", false);
    tree_expect(files, "v", "one file");
    ASSERT_EQ(tree_put(files, "v", "changed"), VFS_OK);
    ASSERT_STR_EQ(host_get("in/f"), "changed");
    ASSERT_EQ(tree_try(files, "v/../sibling", TREE_READ), VFS_NOT_DIRECTORY);
    ASSERT_EQ(tree_unlink(files, "v"), VFS_READ_ONLY);
    ASSERT_EQ(tree_rename(files, "v", "w"), VFS_READ_ONLY);
    vfs_destroy(files);
    files = mount_at("in/f", true);
    tree_expect(files, "v", "changed");
    ASSERT_EQ(tree_put(files, "v", "again"), VFS_READ_ONLY);
    vfs_destroy(files);
    ASSERT_STR_EQ(host_get("in/f"), "changed");
    leave();
}

static void test_links_do_not_lead_out(void)
{
    enter();
    host_put("out/secret", "secret");
    host_put("in/f", "inside");
    ASSERT_EQ(mkdir("in/d", 0777), 0);
    char absolute[128];
    snprintf(absolute, sizeof absolute, "%s/out", place);
    ASSERT_EQ(symlink("../out/secret", "in/up"), 0);
    ASSERT_EQ(symlink("../../out", "in/d/upper"), 0);
    ASSERT_EQ(symlink(absolute, "in/absolute"), 0);
    ASSERT_EQ(symlink("../f", "in/d/fine"), 0);
    ASSERT_EQ(symlink("/proc/self/root", "in/everything"), 0);
    ASSERT_EQ(symlink("loop", "in/loop"), 0);
    ASSERT_EQ(symlink("..", "in/parent"), 0);
    vfs *files = mount_at("in", false);
    tree_expect(files, "v/d/fine", "inside");
    ASSERT_EQ(tree_try(files, "v/up", TREE_READ), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_try(files, "v/d/upper/secret", TREE_READ), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_try(files, "v/absolute/secret", TREE_READ), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_try(files, "v/absolute", TREE_TRUNCATE), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_try(files, "v/everything/etc/passwd", TREE_READ), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_try(files, "v/parent/data", TREE_READ), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_try(files, "v/loop", TREE_READ), VFS_LOOP);
    ASSERT_EQ(tree_try(files, "v/../v/f", TREE_READ), VFS_OK);
    vfs_status status;
    ASSERT_EQ(tree_stat(files, "v/up", &status), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_lstat(files, "v/up", &status), VFS_OK);
    ASSERT_EQ(status.type, VFS_TYPE_SYMBOLIC_LINK);
    ASSERT_EQ(tree_rename(files, "v/f", "v/absolute/f"), VFS_NOT_PERMITTED);
    char target[VFS_PATH_MAX];
    size_t length;
    ASSERT_EQ(vfs_read_link(vfs_root(files), "v/absolute", 10, target, &length), VFS_NOT_PERMITTED);
    ASSERT_EQ(vfs_read_link(vfs_root(files), "v/d/fine", 8, target, &length), VFS_OK);
    ASSERT_BYTES_EQ(target, length, "../f", 4);
    /* Nor can a guest plant such links for somebody else. */
    ASSERT_EQ(tree_symlink(files, "/etc/passwd", "v/planted"), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_symlink(files, "d/../../out", "v/planted"), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_symlink(files, "..", "v/planted"), VFS_NOT_PERMITTED);
    ASSERT_EQ(tree_symlink(files, "d", "v/good"), VFS_OK);
    tree_expect(files, "v/good/fine", "inside");
    /* What is done to a link is done to the link. */
    ASSERT_EQ(tree_unlink(files, "v/up"), VFS_OK);
    vfs_new_time time = {.kind = VFS_TIME_SET, .time = {.seconds = 1000}};
    ASSERT_EQ(vfs_set_times_at(vfs_root(files), "v/absolute", 10, false, &time, &time), VFS_OK);
    vfs_destroy(files);
    struct stat found;
    ASSERT_EQ(stat("out", &found), 0);
    ASSERT_NE(found.st_mtim.tv_sec, 1000);
    ASSERT_STR_EQ(host_get("out/secret"), "secret");
    ASSERT(!host_has("in/planted"));
    leave();
}

static void test_only_files_and_directories_are_opened(void)
{
    enter();
    ASSERT_EQ(mkfifo("in/pipe", 0666), 0);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "in/socket"};
    ASSERT_EQ(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    vfs *files = mount_at("in", false);
    static const char *const paths[] = {"v/pipe", "v/socket"};
    for (size_t i = 0; i < 2; i++) {
        /* None of these waits for the other end. */
        ASSERT_EQ(tree_try(files, paths[i], TREE_READ), VFS_NOT_PERMITTED);
        ASSERT_EQ(tree_try(files, paths[i], TREE_WRITE), VFS_NOT_PERMITTED);
        ASSERT_EQ(tree_try(files, paths[i], TREE_TRUNCATE), VFS_NOT_PERMITTED);
        vfs_status status;
        ASSERT_EQ(tree_stat(files, paths[i], &status), VFS_OK);
        ASSERT_EQ(status.type, VFS_TYPE_UNKNOWN);
    }
    vfs_destroy(files);
    close(listener);
    host_volume *volume;
    eryx_error error;
    ASSERT_EQ(host_volume_open("in/pipe", true, NULL, &volume, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "in/pipe");
    ASSERT_EQ(host_volume_open("/dev/null", true, NULL, &volume, &error), ERYX_INITIALIZATION);
    ASSERT_EQ(host_volume_open("in/missing", true, NULL, &volume, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "in/missing");
    leave();
}

static void test_a_removed_volume(void)
{
    enter();
    host_put("in/f", "text");
    vfs *files = mount_at("in", false);
    vfs_file *file = tree_get(files, "v/f", TREE_READ);
    ASSERT_EQ(unlink("in/f"), 0);
    ASSERT_EQ(rmdir("in"), 0);
    uint8_t buffer[8];
    size_t got;
    ASSERT_EQ(vfs_read(file, 0, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, "text", 4);
    vfs_close(file);
    ASSERT_EQ(tree_try(files, "v/f", TREE_READ), VFS_NO_ENTRY);
    ASSERT_EQ(tree_put(files, "v/g", "x"), VFS_NO_ENTRY);
    ASSERT_EQ(tree_mkdir(files, "v/d"), VFS_NO_ENTRY);
    ASSERT_STR_EQ(tree_list(files, "v"), "");
    /* Another directory of that name is not the volume. */
    ASSERT_EQ(mkdir("in", 0777), 0);
    host_put("in/f", "other");
    ASSERT_EQ(tree_try(files, "v/f", TREE_READ), VFS_NO_ENTRY);
    vfs_destroy(files);
    leave();
}

static void test_a_file_size_limit_sends_no_signal(void)
{
    enter();
    vfs *files = mount_at("in", false);
    vfs_file *file = tree_get(files, "v/f", TREE_CREATE);
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 100, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    size_t done;
    ASSERT_EQ(vfs_write(file, 98, (const uint8_t *)"abcd", 4, &done), VFS_FILE_TOO_LARGE);
    ASSERT_EQ(vfs_set_size(file, 101), VFS_FILE_TOO_LARGE);
    ASSERT_EQ(vfs_set_size(file, UINT64_MAX), VFS_FILE_TOO_LARGE);
    ASSERT_EQ(vfs_write(file, 96, (const uint8_t *)"abcd", 4, &done), VFS_OK);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    vfs_close(file);
    vfs_destroy(files);
    leave();
}

static void test_descriptors_are_bounded(void)
{
    enter();
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit small = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
    vfs *files = mount_at("in", false);
    vfs_file *open[100];
    int count = 0;
    vfs_error error = VFS_OK;
    while (error == VFS_OK && count < 100) {
        char path[16];
        snprintf(path, sizeof path, "v/%d", count);
        error = tree_open(files, path, TREE_CREATE, &open[count]);
        count += error == VFS_OK;
    }
    ASSERT_EQ(error, VFS_QUOTA);
    ASSERT_EQ(count, 16);
    for (int i = 0; i < count; i++) {
        vfs_close(open[i]);
    }
    ASSERT_EQ(tree_try(files, "v/again", TREE_CREATE), VFS_OK);
    vfs_destroy(files);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    leave();
}

/* What is open takes one descriptor, not one more for each directory above it; a directory that is
 * being listed takes two. */
static void test_descriptors_of_deep_files(void)
{
    enter();
    vfs *files = mount_at("in", false);
    ASSERT_EQ(tree_mkdir(files, "v/a"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "v/a/b"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "v/a/b/c"), VFS_OK);
    int before = count_descriptors();
    vfs_file *made = tree_get(files, "v/a/b/c/f", TREE_CREATE);
    vfs_file *found = tree_get(files, "v/a/b/c/f", TREE_READ);
    vfs_file *directory = tree_get(files, "v/a/b/c", TREE_DIRECTORY);
    ASSERT_EQ(count_descriptors(), before + 3);
    /* Paths that begin there work, and do not lead out of it. */
    vfs_status status;
    ASSERT_EQ(vfs_stat_at(directory, "f", 1, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(directory, ".", 1, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(directory, "..", 2, true, &status), VFS_NOT_PERMITTED);
    ASSERT_EQ(vfs_make_directory(directory, "d", 1), VFS_OK);
    ASSERT_EQ(vfs_stat_at(directory, "d/../f", 6, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(directory, "d/../..", 7, true, &status), VFS_NOT_PERMITTED);
    ASSERT_EQ(vfs_rename(directory, "f", 1, directory, "d/g", 3), VFS_OK);
    ASSERT_EQ(vfs_make_link(directory, "d/g", 3, false, directory, "f", 1), VFS_OK);
    vfs_directory_entry entry;
    bool is_found;
    uint64_t cursor = 0;
    ASSERT_EQ(vfs_list(directory, &cursor, &entry, &is_found), VFS_OK);
    ASSERT_EQ(count_descriptors(), before + 4);
    while (is_found) {
        ASSERT_EQ(vfs_list(directory, &cursor, &entry, &is_found), VFS_OK);
    }
    ASSERT_EQ(count_descriptors(), before + 3);
    vfs_close(made);
    vfs_close(found);
    vfs_close(directory);
    ASSERT_EQ(count_descriptors(), before);
    vfs_destroy(files);
    leave();
}

/* Swaps a directory, and a file, for links that lead out, for as long as it may. */
static void *swap(void *argument)
{
    atomic_bool *stop = argument;
    while (!atomic_load(stop)) {
        (void)rename("in/d", "in/kept-d");
        (void)symlink("../out", "in/d");
        (void)rename("in/f", "in/kept-f");
        (void)symlink("../out/secret", "in/f");
        (void)unlink("in/d");
        (void)rename("in/kept-d", "in/d");
        (void)unlink("in/f");
        (void)rename("in/kept-f", "in/f");
    }
    return NULL;
}

static void test_swapping_meanwhile(void)
{
    enter();
    host_put("out/secret", "secret");
    host_put("in/f", "inside");
    ASSERT_EQ(mkdir("in/d", 0777), 0);
    host_put("in/d/secret", "inside");
    vfs *files = mount_at("in", false);
    atomic_bool stop = false;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, swap, &stop), 0);
    int opened = 0;
    for (int i = 0; i < 30000 || (opened < 100 && i < 1000000); i++) {
        static const char *const paths[] = {"v/f", "v/d/secret"};
        vfs_file *file;
        if (tree_open(files, paths[i % 2], TREE_READ, &file) == VFS_OK) {
            uint8_t buffer[16];
            size_t got;
            ASSERT_EQ(vfs_read(file, 0, buffer, sizeof buffer, &got), VFS_OK);
            ASSERT_BYTES_EQ(buffer, got, "inside", 6);
            vfs_close(file);
            opened++;
        }
        if (tree_open(files, "v/d/new", TREE_CREATE, &file) == VFS_OK) {
            vfs_close(file);
        }
        (void)tree_mkdir(files, "v/d/made");
        (void)tree_rename(files, "v/d/new", "v/d/renamed");
        (void)tree_unlink(files, "v/d/renamed");
        (void)tree_rmdir(files, "v/d/made");
        vfs_new_time time = {.kind = VFS_TIME_SET, .time = {.seconds = 1000}};
        (void)vfs_set_times_at(vfs_root(files), "v/d/secret", 10, true, &time, &time);
    }
    atomic_store(&stop, true);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    vfs_destroy(files);
    ASSERT_GE(opened, 100);
    ASSERT_STR_EQ(host_get("out/secret"), "secret");
    struct stat found;
    ASSERT_EQ(stat("out/secret", &found), 0);
    ASSERT_NE(found.st_mtim.tv_sec, 1000);
    ASSERT(!host_has("out/new") && !host_has("out/renamed") && !host_has("out/made"));
    leave();
}

/* As in a container whose filter does not know openat2(). It stays for all that comes after. */
static void forbid_openat2(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ASSERT_EQ(syscall(SYS_openat2, 0, NULL, NULL, 0), -1);
    ASSERT_EQ(errno, ENOSYS);
}

static void test_without_openat2(void)
{
    forbid_openat2();
    test_reads_and_writes_reach_the_host();
    test_links_do_not_lead_out();
    test_only_files_and_directories_are_opened();
    test_swapping_meanwhile();
}

TEST_MAIN(TEST_CASE(test_reads_and_writes_reach_the_host),
          TEST_CASE(test_many_entries_are_listed_once), TEST_CASE(test_read_only_changes_nothing),
          TEST_CASE(test_one_file), TEST_CASE(test_links_do_not_lead_out),
          TEST_CASE(test_only_files_and_directories_are_opened), TEST_CASE(test_a_removed_volume),
          TEST_CASE(test_a_file_size_limit_sends_no_signal),
          TEST_CASE(test_descriptors_are_bounded), TEST_CASE(test_descriptors_of_deep_files),
          TEST_CASE(test_swapping_meanwhile), TEST_CASE(test_without_openat2))
