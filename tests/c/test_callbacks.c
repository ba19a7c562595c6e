/* Open and answered calls of a run. */
#include "sandbox/callbacks.h"

#include "protocol/callbacks.h"
#include "test.h"

static uint8_t *text(const char *content)
{
    uint8_t *copy = malloc(strlen(content) + 1);
    ASSERT_NOT_NULL(copy);
    memcpy(copy, content, strlen(content) + 1);
    return copy;
}

static void test_answers_come_in_the_order_they_were_given(void)
{
    callback_table table = {.cost_limit = UINT64_MAX};
    uint32_t ids[3];
    for (int i = 0; i < 3; i++) {
        ASSERT(callbacks_open(&table, 100, 0, &ids[i]));
    }
    ASSERT_NULL(callbacks_first_answer(&table));
    ASSERT(callbacks_answer(&table, ids[2], 0, text("c"), 1));
    ASSERT(callbacks_answer(&table, ids[0], 1, NULL, 0));
    const callback_call *first = callbacks_first_answer(&table);
    ASSERT_EQ(first->id, ids[2]);
    ASSERT_BYTES_EQ(first->data, first->size, "c", 1);
    callbacks_take(&table);
    ASSERT_EQ(callbacks_first_answer(&table)->id, ids[0]);
    ASSERT_EQ(callbacks_first_answer(&table)->status, 1);
    callbacks_take(&table);
    ASSERT_NULL(callbacks_first_answer(&table));
    ASSERT_EQ(table.open_count, 1);
    callbacks_free(&table);
}

static void test_the_oldest_answer_can_be_put_first(void)
{
    callback_table table = {.cost_limit = UINT64_MAX};
    uint32_t ids[5];
    ASSERT(!callbacks_put_oldest_first(&table));
    for (int i = 0; i < 5; i++) {
        ASSERT(callbacks_open(&table, 100, 0, &ids[i]));
    }
    ASSERT(!callbacks_put_oldest_first(&table));
    ASSERT(callbacks_answer(&table, ids[3], 0, text("d"), 1));
    ASSERT(callbacks_answer(&table, ids[1], 0, text("b"), 1));
    ASSERT(!callbacks_put_oldest_first(&table)); /* the first is open */
    ASSERT(callbacks_answer(&table, ids[4], 0, text("e"), 1));
    ASSERT(callbacks_answer(&table, ids[0], 0, text("a"), 1));
    ASSERT(callbacks_answer(&table, ids[2], 0, text("c"), 1));
    for (int i = 0; i < 5; i++) {
        ASSERT(callbacks_put_oldest_first(&table));
        ASSERT_EQ(callbacks_first_answer(&table)->id, ids[i]);
        ASSERT_EQ(*callbacks_first_answer(&table)->data, "abcde"[i]);
        callbacks_take(&table);
    }
    ASSERT(!callbacks_put_oldest_first(&table));
    callbacks_free(&table);
}

static void test_a_call_is_answered_once(void)
{
    callback_table table = {.cost_limit = UINT64_MAX};
    uint32_t id;
    ASSERT(callbacks_open(&table, 0, 0, &id));
    ASSERT(!callbacks_answer(&table, id + 1, 0, NULL, 0));
    ASSERT(!callbacks_answer(&table, 0, 0, NULL, 0));
    ASSERT(callbacks_answer(&table, id, 0, text("x"), 1));
    ASSERT(!callbacks_answer(&table, id, 0, NULL, 0));
    callbacks_free(&table);
    callbacks_free(&table);
}

static void test_deadlines(void)
{
    callback_table table = {.cost_limit = UINT64_MAX};
    uint32_t early;
    uint32_t late;
    ASSERT_EQ_U(callbacks_next_deadline(&table), UINT64_MAX);
    ASSERT(callbacks_open(&table, 300, 0, &late));
    ASSERT(callbacks_open(&table, 200, 0, &early));
    ASSERT_EQ_U(callbacks_next_deadline(&table), 200);
    ASSERT_EQ(callbacks_expired(&table, 199), 0);
    ASSERT_EQ(callbacks_expired(&table, 200), early);
    ASSERT(callbacks_answer(&table, early, 2, NULL, 0));
    ASSERT_EQ(callbacks_expired(&table, 200), 0);
    ASSERT_EQ_U(callbacks_next_deadline(&table), 300);
    callbacks_free(&table);
}

static void test_many_calls_in_any_order(void)
{
    callback_table table = {.cost_limit = UINT64_MAX};
    static uint32_t open[CALLBACKS_MAX_OPEN];
    size_t count = 0;
    size_t expected_answers = 0;
    srand(3);
    for (int round = 0; round < 200000; round++) {
        int action = rand() % 3;
        if (action == 0 && count < 500) {
            ASSERT(callbacks_open(&table, (uint64_t)rand(), 0, &open[count]));
            count++;
        } else if (action == 1 && count > 0) {
            size_t chosen = (size_t)rand() % count;
            ASSERT(callbacks_answer(&table, open[chosen], 0, text("data"), 4));
            open[chosen] = open[--count];
            expected_answers++;
        } else if (action == 2 && expected_answers > 0) {
            ASSERT_BYTES_EQ(callbacks_first_answer(&table)->data, 4, "data", 4);
            callbacks_take(&table);
            expected_answers--;
        }
        ASSERT_EQ(table.open_count, count);
        ASSERT_EQ(table.answered_count, expected_answers);
    }
    callbacks_begin(&table, UINT64_MAX);
    ASSERT_EQ(table.open_count, 0);
    ASSERT_NULL(callbacks_first_answer(&table));
    callbacks_free(&table);
}

static void test_no_more_than_the_most(void)
{
    callback_table table = {.cost_limit = UINT64_MAX};
    uint32_t id;
    for (int i = 0; i < CALLBACKS_MAX_OPEN; i++) {
        ASSERT(callbacks_open(&table, 0, 0, &id));
    }
    ASSERT(!callbacks_open(&table, 0, 0, &id));
    ASSERT(callbacks_answer(&table, id, 0, NULL, 0));
    ASSERT(!callbacks_open(&table, 0, 0, &id)); /* an answer that is not taken counts as well */
    callbacks_take(&table);
    ASSERT(callbacks_open(&table, 0, 0, &id));
    callbacks_free(&table);
}

static void test_what_is_pending_has_a_limit(void)
{
    callback_table table = {0};
    uint32_t first;
    uint32_t second;
    callbacks_begin(&table, 2 * CALLBACKS_CALL_BYTES + 1000);
    ASSERT(!callbacks_open(&table, 0, UINT64_MAX - CALLBACKS_CALL_BYTES, &first));
    ASSERT(callbacks_open(&table, 0, 900, &first));
    ASSERT(!callbacks_open(&table, 0, 101, &second));
    ASSERT(callbacks_open(&table, 0, 100, &second));
    /* An answer takes the place of its arguments; one that does not fit is not kept. */
    ASSERT(callbacks_answer(&table, first, 0, calloc(1, CALLBACKS_CALL_BYTES), 4096));
    ASSERT(callbacks_answer(&table, second, 0, calloc(1, 6000), 6000));
    ASSERT_EQ(callbacks_first_answer(&table)->status, ANSWER_VALUE);
    callbacks_take(&table);
    ASSERT_EQ(callbacks_first_answer(&table)->status, ANSWER_NO_MEMORY);
    ASSERT_NULL(callbacks_first_answer(&table)->data);
    callbacks_take(&table);
    ASSERT_EQ_U(table.cost, 0);
    ASSERT(callbacks_open(&table, 0, 900, &first));
    callbacks_begin(&table, 100);
    ASSERT_EQ_U(table.cost, 0);
    callbacks_free(&table);
}

TEST_MAIN(TEST_CASE(test_answers_come_in_the_order_they_were_given),
          TEST_CASE(test_the_oldest_answer_can_be_put_first),
          TEST_CASE(test_a_call_is_answered_once), TEST_CASE(test_deadlines),
          TEST_CASE(test_many_calls_in_any_order), TEST_CASE(test_no_more_than_the_most),
          TEST_CASE(test_what_is_pending_has_a_limit))
