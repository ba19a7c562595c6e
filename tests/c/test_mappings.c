/* The book of mappings, and what the kernel says of them. */
#include "machine/mappings.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { MIB = 1 << 20, GUARD = 4096 };

static uint8_t *map_file(size_t size, int file)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    ASSERT(memory != MAP_FAILED);
    return memory;
}

static mappings_usage look(void)
{
    mappings_usage usage;
    ASSERT(mappings_look(&usage));
    return usage;
}

/* Anonymous memory with guards, as guests have them: the kernel merges it with nothing. */
static uint8_t *map_guarded(size_t size)
{
    uint8_t *memory = mmap(NULL, size + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(memory != MAP_FAILED);
    ASSERT_EQ(mprotect(memory + GUARD, size, PROT_READ | PROT_WRITE), 0);
    (void)madvise(memory, size + 2 * GUARD, MADV_NOHUGEPAGE);
    return memory + GUARD;
}

static void test_what_is_noted_counts(void)
{
    uint8_t *noted = map_guarded(8 * MIB);
    uint8_t *other = map_guarded(8 * MIB);
    memset(other, 1, 8 * MIB);
    mappings_usage before = look();
    mapping_record *record = mappings_note(noted, 8 * MIB, MAPPING_GUEST);
    ASSERT_NOT_NULL(record);
    mappings_usage empty = look();
    ASSERT_EQ(empty.reserved - before.reserved, 8 * MIB);
    ASSERT_EQ(empty.guests - before.guests, 1);
    ASSERT_EQ(empty.own, before.own);
    memset(noted, 1, 3 * MIB);
    ASSERT_EQ(look().own - before.own, 3 * MIB);
    munmap(noted - GUARD, 8 * MIB + 2 * GUARD);
    mappings_forget(record);
    mappings_usage after = look();
    ASSERT_EQ(after.reserved, before.reserved);
    ASSERT_EQ(after.own, before.own);
    ASSERT_EQ(after.guests, before.guests);
    ASSERT(after.areas > 5);
    munmap(other - GUARD, 8 * MIB + 2 * GUARD);
}

static void test_pages_of_a_file_count_once(void)
{
    char path[] = "/tmp/eryx-test-mappings-XXXXXX";
    int file = mkstemp(path);
    ASSERT(file >= 0);
    unlink(path);
    uint8_t *bytes = calloc(1, MIB);
    ASSERT_EQ(write(file, bytes, MIB), MIB);
    free(bytes);
    mappings_usage before = look();
    uint8_t *maps[4];
    mapping_record *records[4];
    volatile uint8_t sum = 0;
    for (int i = 0; i < 4; i++) {
        maps[i] = map_file(MIB, file);
        records[i] = mappings_note(maps[i], MIB, MAPPING_DATA);
        for (size_t at = 0; at < MIB; at += 4096) {
            sum += maps[i][at];
        }
    }
    mappings_usage read = look();
    ASSERT(read.shared - before.shared >= MIB - 4096);
    ASSERT(read.shared - before.shared <= MIB + 4096);
    ASSERT_EQ(read.own, before.own);
    maps[2][0] = 1;
    ASSERT_EQ(look().own - before.own, 4096);
    for (int i = 0; i < 4; i++) {
        munmap(maps[i], MIB);
        mappings_forget(records[i]);
    }
    close(file);
}

static void test_files_in_memory_count(void)
{
    uint64_t before = look().shared;
    mappings_count_file(5 * MIB);
    ASSERT_EQ(look().shared - before, 5 * MIB);
    mappings_count_file(-5 * MIB);
    ASSERT_EQ(look().shared, before);
}

static void test_nothing_to_forget(void)
{
    mappings_forget(NULL);
}

static bool stop;

static void *note_and_forget(void *unused)
{
    (void)unused;
    static uint8_t place[4096];
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        mapping_record *records[50];
        for (int i = 0; i < 50; i++) {
            records[i] = mappings_note(place, sizeof place, MAPPING_STACK);
        }
        for (int i = 49; i >= 0; i -= 2) {
            mappings_forget(records[i]);
        }
        for (int i = 0; i < 50; i += 2) {
            mappings_forget(records[i]);
        }
    }
    return NULL;
}

static void test_the_book_is_whole_in_children(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, note_and_forget, NULL), 0);
    }
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            mappings_usage usage;
            mapping_record *record = mappings_note(&usage, sizeof usage, MAPPING_STACK);
            bool good = record != NULL && mappings_look(&usage);
            mappings_forget(record);
            _exit(good ? 0 : 1);
        }
        int status;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

TEST_MAIN(TEST_CASE(test_what_is_noted_counts), TEST_CASE(test_pages_of_a_file_count_once),
          TEST_CASE(test_files_in_memory_count), TEST_CASE(test_nothing_to_forget),
          TEST_CASE(test_the_book_is_whole_in_children))
