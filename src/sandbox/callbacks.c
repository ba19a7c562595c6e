#include "sandbox/callbacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "protocol/callbacks.h"

void callbacks_begin(callback_table *table, uint64_t cost_limit)
{
    while (table->answered_count > 0) {
        callbacks_take(table);
    }
    table->open_count = 0;
    table->cost = 0;
    table->cost_limit = cost_limit;
    table->last_id = 0;
    table->invocations = 0;
}

void callbacks_free(callback_table *table)
{
    callbacks_begin(table, 0);
    free(table->open);
    free(table->answered);
    *table = (callback_table){0};
}

/* Makes room for every call to be open and for every call to be answered, so that an answer needs
 * no memory. */
static bool reserve(callback_table *table)
{
    size_t needed = table->open_count + table->answered_count + 1;
    if (needed > table->open_allocated) {
        size_t count = table->open_allocated == 0 ? 16 : 2 * table->open_allocated;
        callback_call *open = realloc(table->open, count * sizeof *open);
        if (open == NULL) {
            return false;
        }
        table->open = open;
        table->open_allocated = count;
    }
    if (needed > table->answered_allocated) {
        size_t count = table->answered_allocated == 0 ? 16 : 2 * table->answered_allocated;
        callback_call *answered = malloc(count * sizeof *answered);
        if (answered == NULL) {
            return false;
        }
        for (size_t i = 0; i < table->answered_count; i++) {
            answered[i] = table->answered[(table->answered_first + i) % table->answered_allocated];
        }
        free(table->answered);
        table->answered = answered;
        table->answered_first = 0;
        table->answered_allocated = count;
    }
    return true;
}

/* Whether so much more may be pending. */
static bool has_room(const callback_table *table, uint64_t cost)
{
    return cost <= table->cost_limit && table->cost <= table->cost_limit - cost;
}

bool callbacks_open(callback_table *table, uint64_t deadline_ns, uint64_t argument_bytes,
                    uint32_t *out_id)
{
    const uint64_t cost = argument_bytes + CALLBACKS_CALL_BYTES;
    if (table->open_count + table->answered_count >= CALLBACKS_MAX_OPEN ||
        table->last_id == INT32_MAX || !has_room(table, cost) || !reserve(table)) {
        return false;
    }
    uint32_t id = ++table->last_id;
    table->open[table->open_count++] =
        (callback_call){.id = id, .deadline_ns = deadline_ns, .cost = cost};
    table->cost += cost;
    *out_id = id;
    return true;
}

bool callbacks_answer(callback_table *table, uint32_t id, uint32_t status, uint8_t *data,
                      size_t size)
{
    for (size_t i = 0; i < table->open_count; i++) {
        if (table->open[i].id == id) {
            eryx_assert(table->cost >= table->open[i].cost);
            table->cost -= table->open[i].cost;
            if (!has_room(table, size)) {
                free(data);
                data = NULL;
                size = 0;
                status = ANSWER_NO_MEMORY;
            }
            table->cost += size;
            memmove(&table->open[i], &table->open[i + 1],
                    (table->open_count - i - 1) * sizeof table->open[0]);
            table->open_count--;
            eryx_assert(table->answered_count < table->answered_allocated);
            size_t last =
                (table->answered_first + table->answered_count) % table->answered_allocated;
            table->answered[last] = (callback_call){
                .id = id, .status = status, .cost = size, .data = data, .size = size};
            table->answered_count++;
            return true;
        }
    }
    return false;
}

uint32_t callbacks_expired(const callback_table *table, uint64_t now_ns)
{
    for (size_t i = 0; i < table->open_count; i++) {
        if (table->open[i].deadline_ns <= now_ns) {
            return table->open[i].id;
        }
    }
    return 0;
}

uint64_t callbacks_next_deadline(const callback_table *table)
{
    uint64_t earliest = UINT64_MAX;
    for (size_t i = 0; i < table->open_count; i++) {
        uint64_t deadline = table->open[i].deadline_ns;
        earliest = deadline < earliest ? deadline : earliest;
    }
    return earliest;
}

const callback_call *callbacks_first_answer(const callback_table *table)
{
    return table->answered_count > 0 ? &table->answered[table->answered_first] : NULL;
}

bool callbacks_put_oldest_first(callback_table *table)
{
    size_t oldest = 0; /* among the answered, counted from the first */
    for (size_t i = 1; i < table->answered_count; i++) {
        size_t size = table->answered_allocated;
        const callback_call *one = &table->answered[(table->answered_first + i) % size];
        const callback_call *best = &table->answered[(table->answered_first + oldest) % size];
        oldest = one->id < best->id ? i : oldest;
    }
    if (table->answered_count == 0) {
        return false;
    }
    const size_t size = table->answered_allocated;
    callback_call found = table->answered[(table->answered_first + oldest) % size];
    if (table->open_count > 0 && table->open[0].id < found.id) {
        return false;
    }
    for (size_t i = oldest; i > 0; i--) {
        table->answered[(table->answered_first + i) % size] =
            table->answered[(table->answered_first + i - 1) % size];
    }
    table->answered[table->answered_first] = found;
    return true;
}

void callbacks_take(callback_table *table)
{
    eryx_assert(table->answered_count > 0 &&
                table->cost >= table->answered[table->answered_first].cost);
    table->cost -= table->answered[table->answered_first].cost;
    free(table->answered[table->answered_first].data);
    table->answered_first = (table->answered_first + 1) % table->answered_allocated;
    table->answered_count--;
}
