/*
 * What the C tests are made of. One executable per file, one function per case:
 *
 *     static void test_adds(void)
 *     {
 *         ASSERT_EQ(1 + 1, 2);
 *     }
 *
 *     TEST_MAIN(TEST_CASE(test_adds))
 *
 * A failed assertion prints the place and both operands and ends the process with status 1.
 * Assertions do not depend on NDEBUG. With an argument only the cases are run whose name contains
 * it. Long ones take a sample, and are whole with ERYX_TEST_FULL=1.
 */
#ifndef ERYX_TEST_H
#define ERYX_TEST_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_case {
    const char *name;
    void (*run)(void);
} test_case;

#define TEST_CASE(function) {#function, function}

#define TEST_MAIN(...)                                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const test_case cases[] = {__VA_ARGS__};                                            \
        return test_run(cases, sizeof cases / sizeof cases[0], argc > 1 ? argv[1] : "");           \
    }

/* Runs the cases whose name contains the filter; the status that main() returns. */
static inline int test_run(const test_case *cases, size_t count, const char *filter)
{
    size_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        if (strstr(cases[i].name, filter) == NULL) {
            continue;
        }
        printf("%s\n", cases[i].name);
        fflush(stdout); /* so that the case is named even if it crashes */
        cases[i].run();
        passed++;
    }
    printf("%zu passed\n", passed);
    return passed > 0 ? 0 : 1;
}

/* How far a test goes on that tries every place of something large: one by one if ERYX_TEST_FULL is
 * set, else by the step of a sample. */
static inline size_t test_step(size_t sample)
{
    const char *full = getenv("ERYX_TEST_FULL");
    return full != NULL && strcmp(full, "1") == 0 ? 1 : sample;
}

__attribute__((noreturn, format(printf, 3, 4))) static inline void
test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

/* Bytes as text, with everything that is not printable as \xNN; at most 64 of them. */
static inline const char *test_show_bytes(const void *data, size_t size, char *buffer)
{
    const uint8_t *bytes = data;
    char *end = buffer;
    for (size_t i = 0; i < size && i < 64; i++) {
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\') {
            *end++ = (char)bytes[i];
        } else {
            end += sprintf(end, "\\x%02x", (unsigned)bytes[i]);
        }
    }
    *end = 0;
    return buffer;
}

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail(__FILE__, __LINE__, "not true: %s", #condition);                             \
        }                                                                                          \
    } while (0)

#define TEST_COMPARE_(type, format, left, operator, right)                                         \
    do {                                                                                           \
        type test_left_ = (type)(left);                                                            \
        type test_right_ = (type)(right);                                                          \
        if (!(test_left_ operator test_right_)) {                                                  \
            test_fail(__FILE__, __LINE__, "%s " #operator" %s: %" format ", %" format, #left,      \
                      #right, test_left_, test_right_);                                            \
        }                                                                                          \
    } while (0)

/* Whole numbers, compared as int64_t; the _U forms as uint64_t. */
#define ASSERT_EQ(left, right) TEST_COMPARE_(int64_t, PRId64, left, ==, right)
#define ASSERT_NE(left, right) TEST_COMPARE_(int64_t, PRId64, left, !=, right)
#define ASSERT_LT(left, right) TEST_COMPARE_(int64_t, PRId64, left, <, right)
#define ASSERT_LE(left, right) TEST_COMPARE_(int64_t, PRId64, left, <=, right)
#define ASSERT_GT(left, right) TEST_COMPARE_(int64_t, PRId64, left, >, right)
#define ASSERT_GE(left, right) TEST_COMPARE_(int64_t, PRId64, left, >=, right)
#define ASSERT_EQ_U(left, right) TEST_COMPARE_(uint64_t, PRIu64, left, ==, right)
#define ASSERT_NE_U(left, right) TEST_COMPARE_(uint64_t, PRIu64, left, !=, right)
#define ASSERT_LE_U(left, right) TEST_COMPARE_(uint64_t, PRIu64, left, <=, right)
#define ASSERT_GE_U(left, right) TEST_COMPARE_(uint64_t, PRIu64, left, >=, right)

#define ASSERT_NULL(pointer)                                                                       \
    do {                                                                                           \
        const void *test_pointer_ = (pointer);                                                     \
        if (test_pointer_ != NULL) {                                                               \
            test_fail(__FILE__, __LINE__, "not NULL: %s: %p", #pointer, test_pointer_);            \
        }                                                                                          \
    } while (0)

#define ASSERT_NOT_NULL(pointer)                                                                   \
    do {                                                                                           \
        if ((pointer) == NULL) {                                                                   \
            test_fail(__FILE__, __LINE__, "NULL: %s", #pointer);                                   \
        }                                                                                          \
    } while (0)

/* Texts that end with a zero byte. */
#define ASSERT_STR_EQ(left, right)                                                                 \
    do {                                                                                           \
        const char *test_left_ = (left);                                                           \
        const char *test_right_ = (right);                                                         \
        if (test_left_ == NULL || test_right_ == NULL || strcmp(test_left_, test_right_) != 0) {   \
            test_fail(__FILE__, __LINE__, "%s == %s: \"%s\", \"%s\"", #left, #right,               \
                      test_left_ != NULL ? test_left_ : "(NULL)",                                  \
                      test_right_ != NULL ? test_right_ : "(NULL)");                               \
        }                                                                                          \
    } while (0)

#define ASSERT_STR_CONTAINS(text, part)                                                            \
    do {                                                                                           \
        const char *test_text_ = (text);                                                           \
        const char *test_part_ = (part);                                                           \
        if (test_text_ == NULL || strstr(test_text_, test_part_) == NULL) {                        \
            test_fail(__FILE__, __LINE__, "%s contains \"%s\": \"%s\"", #text, test_part_,         \
                      test_text_ != NULL ? test_text_ : "(NULL)");                                 \
        }                                                                                          \
    } while (0)

#define ASSERT_BYTES_EQ(left, left_size, right, right_size)                                        \
    do {                                                                                           \
        const void *test_left_ = (left);                                                           \
        const void *test_right_ = (right);                                                         \
        size_t test_left_size_ = (left_size);                                                      \
        size_t test_right_size_ = (right_size);                                                    \
        if (test_left_size_ != test_right_size_ ||                                                 \
            (test_left_size_ != 0 && memcmp(test_left_, test_right_, test_left_size_) != 0)) {     \
            char test_left_text_[64 * 4 + 1];                                                      \
            char test_right_text_[64 * 4 + 1];                                                     \
            test_fail(__FILE__, __LINE__, "%s == %s: %zu bytes \"%s\", %zu bytes \"%s\"", #left,   \
                      #right, test_left_size_,                                                     \
                      test_show_bytes(test_left_, test_left_size_, test_left_text_),               \
                      test_right_size_,                                                            \
                      test_show_bytes(test_right_, test_right_size_, test_right_text_));           \
        }                                                                                          \
    } while (0)

#endif
