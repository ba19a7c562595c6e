/*
 * What the fuzz targets share: a reader that turns bytes into choices, and a main() for compilers
 * without libFuzzer. A target defines
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *
 * and is either linked with -fsanitize=fuzzer (define ERYX_LIBFUZZER) or run as a plain program:
 *
 *     fuzz_x --seconds 10 [--seed 1]   random inputs; the seed of an input that crashes is printed
 *     fuzz_x FILE...                   those inputs once
 */
#ifndef ERYX_FUZZ_H
#define ERYX_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Ends the process with a message, as a sanitizer would, if a promise of the tested code is broken.
 */
#define FUZZ_REQUIRE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct fuzz_input {
    const uint8_t *next;
    size_t left;
} fuzz_input;

/* The next size bytes as a little-endian number; zeros once the input is used up. */
static inline uint64_t fuzz_number(fuzz_input *input, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size && input->left > 0; i++) {
        value |= (uint64_t)*input->next++ << (8 * i);
        input->left--;
    }
    return value;
}

static inline uint32_t fuzz_below(fuzz_input *input, uint32_t bound)
{
    return (uint32_t)fuzz_number(input, bound > 256 ? 4 : 1) % bound;
}

#ifndef ERYX_LIBFUZZER

static inline uint64_t fuzz_random(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t fuzz_seed; /* of the input that is being run */
static bool fuzz_finished;

/* A failed requirement and a sanitizer's finding both end in exit() or abort(). */
static void fuzz_report_seed(void)
{
    if (!fuzz_finished) {
        fprintf(stderr, "failed with --seed %llu\n", (unsigned long long)fuzz_seed);
    }
}

static int fuzz_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    return 0;
}

int main(int argc, char **argv)
{
    enum { MAX_SIZE = 4096 };
    double seconds = 0;
    uint64_t seed = 1;
    int status = 0;
    bool files = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = strtod(argv[++i], NULL);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            files = true;
            status |= fuzz_file(argv[i]);
        }
    }
    if (files) {
        return status;
    }
    uint8_t *data = malloc(MAX_SIZE);
    if (data == NULL) {
        return 1;
    }
    atexit(fuzz_report_seed);
    uint64_t inputs = 0;
    time_t end = time(NULL) + (time_t)seconds;
    do {
        uint64_t state = fuzz_seed = seed + inputs;
        size_t size = (size_t)fuzz_random(&state) % MAX_SIZE;
        for (size_t at = 0; at < size; at += sizeof state) {
            uint64_t word = fuzz_random(&state);
            memcpy(data + at, &word, size - at < sizeof word ? size - at : sizeof word);
        }
        LLVMFuzzerTestOneInput(data, size);
        inputs++;
    } while (time(NULL) < end);
    fuzz_finished = true;
    printf("%llu inputs\n", (unsigned long long)inputs);
    free(data);
    return 0;
}

#endif

#endif
