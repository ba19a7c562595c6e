/* What a guest reports, how much of it is kept, and the request that begins a run. */
#include "sandbox/result.h"

#include "sandbox/request.h"
#include "test.h"

static void report(run_result *result, uint32_t field, const char *text, uint64_t cap)
{
    result_report(result, field, (const uint8_t *)text, strlen(text), cap);
}

static void assert_field(const run_result *result, uint32_t field, const char *expected)
{
    eryx_bytes bytes = result->fields[field];
    ASSERT_NOT_NULL(bytes.data);
    ASSERT_BYTES_EQ(bytes.data, bytes.size, expected, strlen(expected));
}

static void test_a_later_report_replaces_the_earlier(void)
{
    run_result result = {0};
    report(&result, REPORT_EXCEPTION_TYPE, "ValueError", 10);
    report(&result, REPORT_EXCEPTION_TYPE, "KeyError", 10);
    assert_field(&result, REPORT_EXCEPTION_TYPE, "KeyError");
    result_clear(&result);
    ASSERT_NULL(result.fields[REPORT_EXCEPTION_TYPE].data);
}

static void test_an_empty_value_is_not_no_value(void)
{
    run_result result = {0};
    report(&result, REPORT_EXCEPTION_MESSAGE, "", 10);
    ASSERT_NOT_NULL(result.fields[REPORT_EXCEPTION_MESSAGE].data);
    ASSERT_NULL(result.fields[REPORT_RESULT_JSON].data);
    result_clear(&result);
}

static void test_json_over_the_cap_becomes_an_error(void)
{
    run_result result = {0};
    report(&result, REPORT_RESULT_JSON, "[1,2]", 5);
    assert_field(&result, REPORT_RESULT_JSON, "[1,2]");
    report(&result, REPORT_RESULT_JSON, "[1,2,3]", 5);
    ASSERT_NULL(result.fields[REPORT_RESULT_JSON].data);
    assert_field(&result, REPORT_RESULT_ERROR,
                 "result is too large: 7 bytes of JSON, the limit is 5");
    result_clear(&result);
}

static void test_long_texts_are_cut(void)
{
    size_t size = (size_t)3 << 20;
    char *text = malloc(size + 1);
    ASSERT_NOT_NULL(text);
    memset(text, 'a', size);
    text[size] = 0;
    memcpy(text + size - 3, "end", 3);
    run_result result = {0};
    report(&result, REPORT_TRACEBACK, text, 0);
    eryx_bytes kept = result.fields[REPORT_TRACEBACK];
    ASSERT_EQ_U(kept.size, 1 << 20);
    ASSERT_BYTES_EQ(kept.data + kept.size - 3, 3, "end", 3);
    result_clear(&result);
    free(text);
}

static void test_unknown_fields_are_ignored(void)
{
    run_result result = {0};
    report(&result, 0, "x", 10);
    report(&result, RESULT_FIELDS, "x", 10);
    report(&result, UINT32_MAX, "x", 10);
    for (int i = 0; i < RESULT_FIELDS; i++) {
        ASSERT_NULL(result.fields[i].data);
    }
}

static void test_request_has_all_fields_in_order(void)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    const char *const arguments[] = {"one", "", NULL};
    options.source = "a\0b";
    options.source_size = 3;
    options.arguments = arguments;
    options.keep_state = true;
    uint8_t *request;
    size_t size;
    ASSERT(request_build(&options, 0, &request, &size));
    static const uint8_t expected[] = {
        4, 0, 0, 0, 4, 0, 0, 0, 1,   0,   0,   0,                            /* flags */
        2, 0, 0, 0, 6, 0, 0, 0, 'r', 'e', 's', 'u', 'l', 't',                /* result variable */
        3, 0, 0, 0, 3, 0, 0, 0, 'o', 'n', 'e', 3,   0,   0,   0, 0, 0, 0, 0, /* arguments */
        1, 0, 0, 0, 3, 0, 0, 0, 'a', 0,   'b'};                              /* source */
    ASSERT_BYTES_EQ(request, size, expected, sizeof expected);
    free(request);
}

static void test_request_without_a_result_variable(void)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.result_variable = NULL;
    uint8_t *request;
    size_t size;
    ASSERT(request_build(&options, 0, &request, &size));
    ASSERT_EQ(size, 12 + 8);
    free(request);
}

static void test_every_status_has_a_name_and_a_text(void)
{
#define CHECK(name, number, text, exception)                                                       \
    ASSERT_STR_EQ(eryx_status_name((eryx_status)(number)), #name);                                 \
    ASSERT_STR_EQ(eryx_status_text((eryx_status)(number)), text);
    ERYX_STATUS_MAP(CHECK)
#undef CHECK
    ASSERT_STR_EQ(eryx_status_name((eryx_status)1000), "UNKNOWN");
    ASSERT_STR_EQ(eryx_version(), ERYX_VERSION);
}

static void test_every_file_error_has_a_name_and_a_text(void)
{
#define CHECK(name, number, text, number_of_error)                                                 \
    ASSERT_STR_EQ(eryx_file_error_name((eryx_file_error)(number)), #name);                         \
    ASSERT_STR_EQ(eryx_file_error_text((eryx_file_error)(number)), text);
    ERYX_FILE_ERROR_MAP(CHECK)
#undef CHECK
    ASSERT_STR_EQ(eryx_file_error_name((eryx_file_error)1000), "UNKNOWN");
    ASSERT_STR_EQ(eryx_file_error_text((eryx_file_error)1000), "unknown file error");
}

TEST_MAIN(TEST_CASE(test_a_later_report_replaces_the_earlier),
          TEST_CASE(test_an_empty_value_is_not_no_value),
          TEST_CASE(test_json_over_the_cap_becomes_an_error), TEST_CASE(test_long_texts_are_cut),
          TEST_CASE(test_unknown_fields_are_ignored),
          TEST_CASE(test_request_has_all_fields_in_order),
          TEST_CASE(test_request_without_a_result_variable),
          TEST_CASE(test_every_status_has_a_name_and_a_text),
          TEST_CASE(test_every_file_error_has_a_name_and_a_text))
