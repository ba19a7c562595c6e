/*
 * What a worker does that has been taken over (src/worker/planted_bug.h). A guest prints orders,
 * one a write, behind a mark:
 *
 *     call NUMBER ARGUMENT...   a system call; arguments are numbers, texts behind "text:", or
 * bytes behind "hex:" write ADDRESS VALUE       eight bytes, anywhere
 *
 * What a call gives is printed in place of the order.
 */
#include "worker/planted_bug.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 6, MOST_BYTES = 1024 };

static const char mark[] = "PLANTED BUG: ";

bool planted_bug_wanted(eryx_bytes output)
{
    return output.size >= sizeof mark - 1 && output.size < MOST_BYTES &&
           memcmp(output.data, mark, sizeof mark - 1) == 0;
}

/* Puts the bytes where their digits are. */
static long bytes_of(char *digits)
{
    for (size_t i = 0; digits[2 * i] != '\0' && digits[2 * i + 1] != '\0'; i++) {
        const char pair[] = {digits[2 * i], digits[2 * i + 1], '\0'};
        digits[i] = (char)strtoul(pair, NULL, 16);
    }
    return (long)(intptr_t)digits;
}

static long argument_of(char *word)
{
    if (word == NULL) {
        return 0;
    }
    if (strncmp(word, "text:", 5) == 0) {
        return (long)(intptr_t)(word + 5);
    }
    if (strncmp(word, "hex:", 4) == 0) {
        return bytes_of(word + 4);
    }
    return (long)strtoull(word, NULL, 0);
}

eryx_bytes planted_bug_run(eryx_bytes output)
{
    static char text[MOST_BYTES];
    static char answer[64];
    const size_t size = output.size - (sizeof mark - 1);
    memcpy(text, output.data + sizeof mark - 1, size);
    text[size] = '\0';
    char *rest = NULL;
    const char *order = strtok_r(text, " \n", &rest);
    long arguments[MOST_ARGUMENTS + 1];
    for (size_t i = 0; i <= MOST_ARGUMENTS; i++) {
        arguments[i] = argument_of(strtok_r(NULL, " \n", &rest));
    }
    long result = 0;
    errno = 0;
    if (order != NULL && strcmp(order, "call") == 0) {
        result = syscall(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                         arguments[5], arguments[6]);
    } else if (order != NULL && strcmp(order, "write") == 0) {
        *(volatile uint64_t *)(intptr_t)arguments[0] = (uint64_t)arguments[1];
    }
    const int length = snprintf(answer, sizeof answer, "gave %ld, errno %d\n", result, errno);
    return (eryx_bytes){(const uint8_t *)answer, (size_t)length};
}
