/*
 * factory_file_unpack() with bytes that have the right digest and were changed otherwise. What
 * comes out lies in what was unpacked, and is as long as was allowed.
 */
#include "mutate.h"

#include "factory_bytes.h"
#include "live/factory_file.h"

enum { CAPACITY = 8192, MAX_BYTES = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const eryx_bytes parts[] = {
        {(const uint8_t *)"{\"imports\": []}", 15},
        {(const uint8_t *)"the archive of the packages", 27},
        {(const uint8_t *)"memory, and memory, and memory", 30},
    };
    uint8_t bytes[CAPACITY];
    fuzz_input input = {data, size};
    size_t length = factory_build(bytes, parts);
    if (fuzz_below(&input, 4) == 0) { /* compressed data that is what the input says */
        size_t room = CAPACITY - FACTORY_PACKED - 2;
        size_t given = input.left < room ? input.left : room;
        memcpy(bytes + FACTORY_PACKED + 2, input.next, given);
        length = FACTORY_PACKED + 2 + given;
    } else {
        length = mutate_bytes(&input, bytes, FACTORY_SIZES, length, CAPACITY);
    }
    factory_seal(bytes, length);
    factory_file file = {.parts = NULL};
    eryx_status status = factory_file_unpack(bytes, length, NULL, MAX_BYTES, &file, NULL);
    FUZZ_REQUIRE((status == ERYX_OK) == (file.parts != NULL));
    if (status == ERYX_OK) {
        size_t before = (size_t)(file.packages.data - file.parts);
        FUZZ_REQUIRE(before + file.packages.size + file.frozen.size <= MAX_BYTES);
        FUZZ_REQUIRE(file.packages.data + file.packages.size == file.frozen.data);
        volatile uint8_t sum = 0;
        for (size_t i = 0; i < before + file.packages.size + file.frozen.size; i++) {
            sum = (uint8_t)(sum + file.parts[i]);
        }
        factory_file_free(&file);
    }
    return 0;
}
