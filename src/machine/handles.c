#include "machine/handles.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"

#define FIRST_CAPACITY 32u

/* No index may ever reach past 32 bits, whatever limit the caller sets. */
#define MAX_CAPACITY (UINT32_MAX - HANDLE_FIRST_DYNAMIC)

bool handle_takes_file(handle_kind kind)
{
    switch (kind) {
    case HANDLE_DESCRIPTOR:
    case HANDLE_DIRECTORY_STREAM:
    case HANDLE_FILE_INPUT:
    case HANDLE_FILE_OUTPUT:
    case HANDLE_FILE_APPEND:
        return true;
    case HANDLE_FREE:
    case HANDLE_STANDARD_INPUT:
    case HANDLE_STANDARD_OUTPUT:
    case HANDLE_NETWORK_INSTANCE:
    case HANDLE_POLLABLE_READY:
    case HANDLE_POLLABLE_TIMER:
    case HANDLE_IO_ERROR:
    case HANDLE_TCP_SOCKET:
    case HANDLE_TCP_INPUT:
    case HANDLE_TCP_OUTPUT:
    case HANDLE_POLLABLE_TCP:
    case HANDLE_LOOKUP:
    case HANDLE_POLLABLE_LOOKUP:
    case HANDLE_POLLABLE_INPUT:
        break;
    }
    return false;
}

void handles_init(handle_table *table, uint32_t limit, handle_drop *drop)
{
    *table = (handle_table){
        .fixed =
            {
                [HANDLE_STDIN] = {.kind = HANDLE_STANDARD_INPUT},
                [HANDLE_STDOUT] = {.kind = HANDLE_STANDARD_OUTPUT, .value = 1},
                [HANDLE_STDERR] = {.kind = HANDLE_STANDARD_OUTPUT, .value = 2},
                [HANDLE_STDIN_READY] = {.kind = HANDLE_POLLABLE_INPUT},
                [HANDLE_STDOUT_READY] = {.kind = HANDLE_POLLABLE_READY},
                [HANDLE_STDERR_READY] = {.kind = HANDLE_POLLABLE_READY},
                [HANDLE_ROOT] = {.kind = HANDLE_DESCRIPTOR},
                [HANDLE_NETWORK] = {.kind = HANDLE_NETWORK_INSTANCE},
            },
        .limit = limit,
        .drop = drop,
    };
}

void handles_clear(handle_table *table)
{
    for (uint32_t slot = 0; slot < table->used; slot++) {
        handle *held = &table->dynamic[slot];
        if (held->kind != HANDLE_FREE && table->drop != NULL) {
            table->drop(held);
        }
    }
    eryx_assert(table->used <= table->capacity && table->live <= table->used);
    free(table->dynamic);
    table->dynamic = NULL;
    table->capacity = 0;
    table->first_free = 0;
    table->used = 0;
    table->live = 0;
    table->sockets = 0;
}

/* Makes room for one more dynamic handle at the end. */
static bool grow(handle_table *table)
{
    if (table->capacity >= MAX_CAPACITY) {
        return false;
    }
    uint32_t capacity = FIRST_CAPACITY;
    if (table->capacity != 0) {
        capacity = table->capacity > MAX_CAPACITY / 2 ? MAX_CAPACITY : table->capacity * 2;
    }
    handle *moved = realloc(table->dynamic, (size_t)capacity * sizeof *moved);
    if (moved == NULL) {
        return false;
    }
    table->dynamic = moved;
    table->capacity = capacity;
    return true;
}

/* So many handles of that kind may be there over the limit: what nothing but the guest's own
 * bookkeeping hangs on (HANDLE_RESERVE), and what belongs to its sockets. */
static uint64_t reserve_for(const handle_table *table, handle_kind kind)
{
    uint64_t of_sockets = (uint64_t)table->sockets * HANDLE_PER_SOCKET;
    if (kind == HANDLE_POLLABLE_TIMER || kind == HANDLE_IO_ERROR) {
        return of_sockets + HANDLE_RESERVE;
    }
    bool comes_with_socket =
        (handle_is_connection(kind) || handle_is_lookup(kind)) && !handle_is_socket(kind);
    return comes_with_socket ? of_sockets : 0;
}

bool handles_add(handle_table *table, handle_kind kind, void *object, uint64_t value,
                 uint32_t *out_index)
{
    uint64_t limit = (uint64_t)table->limit + reserve_for(table, kind);
    if (kind == HANDLE_FREE || table->live >= limit) {
        return false;
    }
    uint32_t slot;
    if (table->first_free != 0) {
        slot = table->first_free - 1;
        eryx_assert(slot < table->used && table->dynamic[slot].kind == HANDLE_FREE);
        table->first_free = table->dynamic[slot].next_free;
    } else {
        if (table->used == table->capacity && !grow(table)) {
            return false;
        }
        slot = table->used++;
    }
    table->dynamic[slot] = (handle){.kind = kind, .object = object, .value = value};
    table->live++;
    table->sockets += handle_is_socket(kind) ? 1 : 0;
    *out_index = HANDLE_FIRST_DYNAMIC + slot;
    return true;
}

handle *handles_find(handle_table *table, uint32_t index)
{
    handle *found;
    if (index < HANDLE_FIRST_DYNAMIC) {
        found = &table->fixed[index];
    } else if (index - HANDLE_FIRST_DYNAMIC < table->used) {
        found = &table->dynamic[index - HANDLE_FIRST_DYNAMIC];
    } else {
        return NULL;
    }
    return found->kind == HANDLE_FREE ? NULL : found;
}

handle *handles_get(handle_table *table, uint32_t index, handle_kind kind)
{
    handle *found = handles_find(table, index);
    return found != NULL && found->kind == kind ? found : NULL;
}

bool handles_remove(handle_table *table, uint32_t index)
{
    handle *found = handles_find(table, index);
    if (found == NULL) {
        return false;
    }
    if (index < HANDLE_FIRST_DYNAMIC) {
        return true;
    }
    /* The slot is free before the object goes, so that the table is whole whatever drop does. */
    handle dropped = *found;
    *found = (handle){.kind = HANDLE_FREE, .next_free = table->first_free};
    table->first_free = index - HANDLE_FIRST_DYNAMIC + 1;
    eryx_assert(table->live > 0);
    table->live--;
    table->sockets -= handle_is_socket(dropped.kind) && table->sockets > 0 ? 1 : 0;
    if (table->drop != NULL) {
        table->drop(&dropped);
    }
    return true;
}
