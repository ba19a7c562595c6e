#include "machine/handles.h"

#include "test.h"

static unsigned drops;
static handle_kind last_dropped;

static void count_drop(handle *dropped)
{
    drops++;
    last_dropped = dropped->kind;
    free(dropped->object);
}

static handle_table *new_table(uint32_t limit)
{
    handle_table *table = malloc(sizeof *table);
    ASSERT_NOT_NULL(table);
    handles_init(table, limit, count_drop);
    drops = 0;
    return table;
}

static void free_table(handle_table *table)
{
    handles_clear(table);
    free(table);
}

static uint32_t add(handle_table *table, handle_kind kind, uint64_t value)
{
    uint32_t index = 0;
    ASSERT(handles_add(table, kind, malloc(8), value, &index));
    return index;
}

static void test_fixed_handles_are_always_there(void)
{
    static const struct {
        uint32_t index;
        handle_kind kind;
    } fixed[] = {
        {HANDLE_STDIN, HANDLE_STANDARD_INPUT},
        {HANDLE_STDOUT, HANDLE_STANDARD_OUTPUT},
        {HANDLE_STDERR, HANDLE_STANDARD_OUTPUT},
        {HANDLE_STDIN_READY, HANDLE_POLLABLE_INPUT},
        {HANDLE_STDOUT_READY, HANDLE_POLLABLE_READY},
        {HANDLE_STDERR_READY, HANDLE_POLLABLE_READY},
        {HANDLE_ROOT, HANDLE_DESCRIPTOR},
        {HANDLE_NETWORK, HANDLE_NETWORK_INSTANCE},
    };
    handle_table *table = new_table(0);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        ASSERT_NOT_NULL(handles_get(table, fixed[i].index, fixed[i].kind));
        ASSERT(handles_remove(table, fixed[i].index));
        ASSERT_NOT_NULL(handles_get(table, fixed[i].index, fixed[i].kind));
    }
    ASSERT_EQ(handles_find(table, HANDLE_STDOUT)->value, 1);
    ASSERT_EQ(handles_find(table, HANDLE_STDERR)->value, 2);
    ASSERT_EQ(drops, 0);
    ASSERT_EQ(table->live, 0);
    free_table(table);
}

static void test_unused_indices_are_no_handles(void)
{
    static const uint32_t indices[] = {0, 9, 15, 16, 17, 1000, 0x7fffffff, 0x80000000, UINT32_MAX};
    handle_table *table = new_table(100);
    for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
        ASSERT_NULL(handles_find(table, indices[i]));
        ASSERT(!handles_remove(table, indices[i]));
        for (handle_kind kind = HANDLE_FREE; kind <= HANDLE_FILE_APPEND; kind++) {
            ASSERT_NULL(handles_get(table, indices[i], kind));
        }
    }
    /* Kind FREE is never found, not even where an entry is free. */
    uint32_t index = add(table, HANDLE_DESCRIPTOR, 0);
    handles_remove(table, index);
    ASSERT_NULL(handles_get(table, index, HANDLE_FREE));
    free_table(table);
}

static void test_add_gives_first_dynamic_index_first(void)
{
    handle_table *table = new_table(10);
    ASSERT_EQ(add(table, HANDLE_DESCRIPTOR, 1), HANDLE_FIRST_DYNAMIC);
    ASSERT_EQ(add(table, HANDLE_DESCRIPTOR, 2), HANDLE_FIRST_DYNAMIC + 1);
    free_table(table);
    ASSERT_EQ(drops, 2);
}

static void test_get_checks_the_kind(void)
{
    handle_table *table = new_table(10);
    uint32_t index = add(table, HANDLE_FILE_INPUT, 77);
    ASSERT_EQ(handles_get(table, index, HANDLE_FILE_INPUT)->value, 77);
    ASSERT_NULL(handles_get(table, index, HANDLE_FILE_OUTPUT));
    ASSERT_NULL(handles_get(table, index, HANDLE_FREE));
    free_table(table);
}

static void test_remove_drops_once_and_index_is_used_again(void)
{
    handle_table *table = new_table(10);
    uint32_t first = add(table, HANDLE_DESCRIPTOR, 1);
    uint32_t second = add(table, HANDLE_FILE_INPUT, 2);
    ASSERT(handles_remove(table, first));
    ASSERT_EQ(drops, 1);
    ASSERT_EQ(last_dropped, HANDLE_DESCRIPTOR);
    ASSERT(!handles_remove(table, first));
    ASSERT_EQ(drops, 1);
    ASSERT_NULL(handles_find(table, first));
    ASSERT_EQ(handles_find(table, second)->value, 2);
    ASSERT_EQ(add(table, HANDLE_FILE_OUTPUT, 3), first);
    ASSERT_EQ(handles_get(table, first, HANDLE_FILE_OUTPUT)->value, 3);
    free_table(table);
    ASSERT_EQ(drops, 3);
}

static void test_limit_is_exact(void)
{
    for (uint32_t limit = 0; limit < 70; limit++) {
        handle_table *table = new_table(limit);
        for (uint32_t i = 0; i < limit; i++) {
            add(table, HANDLE_DESCRIPTOR, i);
        }
        uint32_t index = 12345;
        ASSERT(!handles_add(table, HANDLE_DESCRIPTOR, NULL, 0, &index));
        ASSERT_EQ(index, 12345);
        ASSERT_EQ(table->live, limit);
        if (limit > 0) {
            ASSERT(handles_remove(table, HANDLE_FIRST_DYNAMIC + limit / 2));
            ASSERT_EQ(add(table, HANDLE_DESCRIPTOR, 0), HANDLE_FIRST_DYNAMIC + limit / 2);
            ASSERT(!handles_add(table, HANDLE_DESCRIPTOR, NULL, 0, &index));
        }
        free_table(table);
    }
}

static void test_timers_and_errors_have_a_reserve(void)
{
    handle_table *table = new_table(3);
    uint32_t index;
    for (uint32_t i = 0; i < 3; i++) {
        add(table, HANDLE_DESCRIPTOR, i);
    }
    for (uint32_t i = 0; i < HANDLE_RESERVE; i++) {
        add(table, i % 2 == 0 ? HANDLE_POLLABLE_TIMER : HANDLE_IO_ERROR, i);
    }
    ASSERT(!handles_add(table, HANDLE_POLLABLE_TIMER, NULL, 0, &index));
    ASSERT(!handles_add(table, HANDLE_IO_ERROR, NULL, 0, &index));
    ASSERT(!handles_add(table, HANDLE_DESCRIPTOR, NULL, 0, &index));
    ASSERT_EQ(table->live, 3 + HANDLE_RESERVE);
    free_table(table);

    /* The sum does not wrap. */
    table = new_table(UINT32_MAX);
    for (uint32_t i = 0; i < 2 * HANDLE_RESERVE; i++) {
        add(table, HANDLE_POLLABLE_TIMER, i);
    }
    free_table(table);
}

/* A table that is full of sockets still has room for what comes with them. */
static void test_sockets_bring_room_for_their_parts(void)
{
    handle_table *table = new_table(2);
    uint32_t index;
    uint32_t socket = add(table, HANDLE_TCP_SOCKET, 1);
    add(table, HANDLE_DESCRIPTOR, 2);
    for (uint32_t i = 0; i < HANDLE_PER_SOCKET; i++) {
        add(table, i % 2 == 0 ? HANDLE_POLLABLE_TCP : HANDLE_TCP_INPUT, 3);
    }
    ASSERT(!handles_add(table, HANDLE_POLLABLE_TCP, NULL, 0, &index));
    ASSERT(!handles_add(table, HANDLE_TCP_SOCKET, NULL, 0, &index));
    ASSERT(handles_remove(table, socket));
    ASSERT_EQ(table->sockets, 0);
    ASSERT(!handles_add(table, HANDLE_POLLABLE_TCP, NULL, 0, &index));
    ASSERT(table->live <= handles_most(table));
    free_table(table);
}

static void test_kind_free_cannot_be_added(void)
{
    handle_table *table = new_table(3);
    uint32_t index;
    ASSERT(!handles_add(table, HANDLE_FREE, NULL, 0, &index));
    ASSERT_EQ(table->live, 0);
    free_table(table);
}

static void test_clear_drops_all_and_table_can_be_used_again(void)
{
    handle_table *table = new_table(1000);
    for (uint32_t i = 0; i < 500; i++) {
        add(table, HANDLE_DESCRIPTOR, i);
    }
    for (uint32_t i = 0; i < 500; i += 2) {
        ASSERT(handles_remove(table, HANDLE_FIRST_DYNAMIC + i));
    }
    ASSERT_EQ(drops, 250);
    handles_clear(table);
    ASSERT_EQ(drops, 500);
    ASSERT_EQ(table->live, 0);
    ASSERT_NULL(table->dynamic);
    ASSERT_NULL(handles_find(table, HANDLE_FIRST_DYNAMIC + 1));
    ASSERT_NOT_NULL(handles_find(table, HANDLE_STDIN));
    ASSERT_EQ(table->limit, 1000);
    ASSERT_EQ(add(table, HANDLE_DESCRIPTOR, 0), HANDLE_FIRST_DYNAMIC);
    free_table(table);

    handle_table empty;
    handles_init(&empty, 1, NULL);
    handles_clear(&empty);
}

/* Random adds and removes against a plain array. */
static void test_random_operations_match_a_model(void)
{
    enum { SLOTS = 300, STEPS = 200000 };
    struct {
        bool live;
        handle_kind kind;
        uint64_t value;
    } model[SLOTS] = {0};
    handle_table *table = new_table(200);
    uint32_t state = 1;
    uint32_t live = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        state = state * 1664525u + 1013904223u;
        uint32_t slot = (state >> 8) % SLOTS;
        if ((state >> 20) % 3 != 0) {
            handle_kind kind = (state >> 24) % 2 == 0 ? HANDLE_DESCRIPTOR : HANDLE_FILE_INPUT;
            uint32_t index;
            bool added = handles_add(table, kind, NULL, step, &index);
            ASSERT_EQ(added, live < 200);
            if (added) {
                ASSERT(index >= HANDLE_FIRST_DYNAMIC && index - HANDLE_FIRST_DYNAMIC < SLOTS);
                slot = index - HANDLE_FIRST_DYNAMIC;
                ASSERT(!model[slot].live);
                model[slot].live = true;
                model[slot].kind = kind;
                model[slot].value = step;
                live++;
            }
        } else {
            ASSERT_EQ(handles_remove(table, HANDLE_FIRST_DYNAMIC + slot), model[slot].live);
            live -= model[slot].live ? 1 : 0;
            model[slot].live = false;
        }
        ASSERT_EQ(table->live, live);
        const handle *found = handles_find(table, HANDLE_FIRST_DYNAMIC + slot);
        ASSERT_EQ(found != NULL, model[slot].live);
        if (found != NULL) {
            ASSERT_EQ(found->kind, model[slot].kind);
            ASSERT_EQ_U(found->value, model[slot].value);
        }
    }
    free_table(table);
}

TEST_MAIN(TEST_CASE(test_fixed_handles_are_always_there),
          TEST_CASE(test_unused_indices_are_no_handles),
          TEST_CASE(test_add_gives_first_dynamic_index_first), TEST_CASE(test_get_checks_the_kind),
          TEST_CASE(test_remove_drops_once_and_index_is_used_again), TEST_CASE(test_limit_is_exact),
          TEST_CASE(test_timers_and_errors_have_a_reserve),
          TEST_CASE(test_sockets_bring_room_for_their_parts),
          TEST_CASE(test_kind_free_cannot_be_added),
          TEST_CASE(test_clear_drops_all_and_table_can_be_used_again),
          TEST_CASE(test_random_operations_match_a_model))
