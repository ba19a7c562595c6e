/* Callbacks and tracing with the real guest, answered by a host of a few lines. */
#include <time.h>

#include "live.h"

static const char declarations[] =
    "[{\"name\": \"echo\", \"description\": \"Gives its arguments.\", \"schema\": {\"type\": "
    "\"object\", \"properties\": {\"a\": {}, \"b\": {}}}},"
    " {\"name\": \"later\"}, {\"name\": \"fail\"}, {\"name\": \"never\"}, {\"name\": \"bad\"},"
    " {\"name\": \"strict\", \"schema\": {\"properties\": {\"x\": {}}, \"additionalProperties\": "
    "false}},"
    " {\"name\": \"tools.math.add\"}, {\"name\": \"tools.my-name\"}, {\"name\": \"print\"}]";

enum { MAX_DEFERRED = 256 };

/* What the host of a test has seen and has still to answer. */
static struct {
    uint32_t
        deferred[MAX_DEFERRED]; /* calls of "later": answered last to first when the guest waits */
    char deferred_json[MAX_DEFERRED][64];
    size_t deferred_count;
    size_t most_deferred;
    size_t calls;
    size_t expired;
    uint32_t last_never;
    char trace[65536];
    size_t trace_size;
} host;

static bool is_named(const eryx_event *event, const char *name)
{
    return event->as.callback.name.size == strlen(name) &&
           memcmp(event->as.callback.name.data, name, strlen(name)) == 0;
}

static void answer(eryx_sandbox *sandbox, const eryx_event *event)
{
    uint32_t id = event->as.callback.id;
    const eryx_bytes json = event->as.callback.arguments;
    eryx_status status = ERYX_OK;
    host.calls++;
    if (is_named(event, "later")) {
        ASSERT_LT(host.deferred_count, MAX_DEFERRED);
        ASSERT_LT(json.size, sizeof host.deferred_json[0]);
        memcpy(host.deferred_json[host.deferred_count], json.data, json.size);
        host.deferred_json[host.deferred_count][json.size] = 0;
        host.deferred[host.deferred_count++] = id;
        if (host.deferred_count > host.most_deferred) {
            host.most_deferred = host.deferred_count;
        }
    } else if (is_named(event, "fail")) {
        status = eryx_callback_raise(sandbox, id, "ValueError", "boom \xc3\xa9");
    } else if (is_named(event, "bad")) {
        status = eryx_callback_return(sandbox, id, "{bad", 4);
    } else if (is_named(event, "never")) {
        host.last_never = id;
    } else {
        status = eryx_callback_return(sandbox, id, (const char *)json.data, json.size);
    }
    ASSERT_EQ(status, ERYX_OK);
}

static void wait_or_answer(eryx_sandbox *sandbox, const eryx_event *event)
{
    if (host.deferred_count == 0) {
        eryx_sandbox_wait(sandbox, event->as.wait.wake_ns);
        return;
    }
    size_t last = --host.deferred_count;
    const char *json = host.deferred_json[last];
    ASSERT_EQ(eryx_callback_return(sandbox, host.deferred[last], json, strlen(json)), ERYX_OK);
    ASSERT_EQ(eryx_callback_return(sandbox, host.deferred[last], "1", 1), ERYX_INVALID_ARGUMENT);
}

/* Runs a program and checks how it ends and what it prints; NULL: does not matter. */
static const eryx_result *run(eryx_sandbox *sandbox, eryx_run_options *options,
                              eryx_status expected, const char *output)
{
    eryx_error error = {{0}};
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    memset(&host, 0, sizeof host);
    eryx_run_begin(sandbox, options, &error);
    ASSERT_STR_EQ(error.message, "");
    while (event.kind != ERYX_EVENT_DONE) {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_CALLBACK) {
            answer(sandbox, &event);
        } else if (event.kind == ERYX_EVENT_WAIT) {
            wait_or_answer(sandbox, &event);
        } else if (event.kind == ERYX_EVENT_CALLBACK_EXPIRED) {
            host.expired++;
            ASSERT_EQ(eryx_callback_return(sandbox, event.as.callback.id, "1", 1),
                      ERYX_INVALID_ARGUMENT);
        } else if (event.kind == ERYX_EVENT_TRACE) {
            ASSERT_LT(host.trace_size + event.as.trace.json.size, sizeof host.trace);
            memcpy(host.trace + host.trace_size, event.as.trace.json.data,
                   event.as.trace.json.size);
            host.trace_size += event.as.trace.json.size;
            host.trace[host.trace_size] = 0;
        }
    }
    const eryx_result *result = eryx_sandbox_result(sandbox);
    if (result->status != expected) {
        test_fail(__FILE__, __LINE__, "%s: %s\n%.*s", options->source, result->message,
                  (int)result->standard_error.size, (const char *)result->standard_error.data);
    }
    if (output != NULL) {
        ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, output,
                        strlen(output));
    }
    return result;
}

/* The same in a new sandbox, with the declarations above. */
static void check(const char *source, const char *output)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program(source);
    options.callbacks = declarations;
    const eryx_result *result = run(sandbox, &options, ERYX_OK, output);
    ASSERT_GE_U(result->callback_invocations, host.calls); /* those refused count, too */
    eryx_sandbox_destroy(sandbox);
}

static void test_values_come_back_as_native_types(void)
{
    check("print(await echo(a=1, b=[None, True, 2.5, '\xc3\xa9\\U0001F600', {'k': {}}]))",
          "{'a': 1, 'b': [None, True, 2.5, '\xc3\xa9\xf0\x9f\x98\x80', {'k': {}}]}\n");
    check("print(echo.sync(a=1), invoke.sync('echo', b=2), await invoke('echo', name='n'))",
          "{'a': 1} {'b': 2} {'name': 'n'}\n");
    check("import asyncio\nasync def main(): return await echo(a='x')\nprint(asyncio.run(main()))",
          "{'a': 'x'}\n");
    check("print(await echo(a='\\ud800'))\n", NULL);
}

static void test_arguments_map_in_schema_order(void)
{
    check("print(await echo(1, 2), await echo(1, b=3))\n", "{'a': 1, 'b': 2} {'a': 1, 'b': 3}\n");
    check("for call in (lambda: echo(1, a=2), lambda: echo(1, 2, 3), lambda: strict(y=1)):\n"
          "  try: await call()\n"
          "  except TypeError as error: print(error)\n"
          "print(strict.sync(5))\n",
          "echo() got multiple values for argument 'a'\n"
          "echo() takes 2 positional arguments but 3 were given\n"
          "strict() got an unexpected keyword argument 'y'\n{'x': 5}\n");
}

static void test_names(void)
{
    check("print((await tools.math.add(a=1)), await tools['math']['add'](b=2))\n"
          "print(await tools.my_name(), await tools['my-name'](), list(tools))\n"
          "print(await invoke('print', a=1))\n"
          "print(tools, tools.math.add)\n",
          "{'a': 1} {'b': 2}\n{} {} ['math', 'my-name']\n{'a': 1}\n"
          "<callback namespace 'tools'> <callback 'tools.math.add'>\n");
    check("print([entry['name'] for entry in list_callbacks()])\nprint(list_callbacks()[0])\n",
          "['echo', 'later', 'fail', 'never', 'bad', 'strict', 'tools.math.add', 'tools.my-name',"
          " 'print']\n"
          "{'name': 'echo', 'description': 'Gives its arguments.', 'parameters_schema': {'type':"
          " 'object', 'properties': {'a': {}, 'b': {}}}}\n");
    check("try: await invoke('ecko')\n"
          "except LookupError as error: print(error)\n"
          "try: tools.absent\n"
          "except AttributeError as error: print(error)\n",
          "callback 'ecko' not found; did you mean 'echo'?\n"
          "callback 'tools' has no member 'absent'\n");
}

static void test_exceptions(void)
{
    check("for call in (fail, bad):\n"
          "  try: await call()\n"
          "  except RuntimeError as error: print(error, '|', error.host_type)\n"
          "  try: call.sync()\n"
          "  except RuntimeError as error: print('sync', error.host_message)\n"
          "print(await echo(a=1))\n",
          "ValueError: boom \xc3\xa9 | ValueError\nsync boom \xc3\xa9\n"
          "callback 'bad' gave an answer that is not JSON: Expecting property name enclosed in"
          " double quotes: line 1 column 2 (char 1) | \nsync \n{'a': 1}\n");
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("await fail()");
    options.callbacks = declarations;
    const eryx_result *result = run(sandbox, &options, ERYX_EXECUTION, NULL);
    ASSERT_STR_CONTAINS((const char *)result->traceback.data, "ValueError: boom");
    ASSERT_STR_CONTAINS((const char *)result->traceback.data, "File \"<user>\", line 1");
    eryx_sandbox_destroy(sandbox);
}

static void test_arguments_that_json_cannot_hold(void)
{
    check(
        "cycle = []\n"
        "cycle.append(cycle)\n"
        "deep = []\n"
        "for _ in range(10**6): deep = [deep]\n"
        "for value in (float('nan'), object(), 1j, cycle, deep, {(1,): 2}):\n"
        "  for call in (echo, echo.sync):\n"
        "    try:\n"
        "      value = call(a=value)\n"
        "      if hasattr(value, 'send'): await value\n"
        "    except (TypeError, ValueError, RecursionError) as error: print(type(error).__name__)\n"
        "    else: print('sent')\n"
        "print(echo.sync(a=[[]]))\n",
        "ValueError\nTypeError\nTypeError\nTypeError\nTypeError\nTypeError\nValueError\nTypeError\n"
        "RecursionError\nTypeError\nTypeError\nTypeError\n{'a': [[]]}\n");
    ASSERT_EQ_U(host.calls, 1);
}

static void test_answers_in_any_order(void)
{
    check("import asyncio\n"
          "async def one(n):\n"
          "  value = await later(n=n)\n"
          "  order.append(n)\n"
          "  return value['n']\n"
          "order = []\n"
          "values = await asyncio.gather(*(one(n) for n in range(100)))\n"
          "print(values == list(range(100)), order == list(range(99, -1, -1)))\n",
          "True True\n");
    ASSERT_EQ_U(host.most_deferred, 100);
}

static void test_asyncio_goes_on_meanwhile(void)
{
    check("import asyncio\n"
          "async def tick():\n"
          "  await asyncio.sleep(0.001)\n"
          "  log.append('tick')\n"
          "async def items():\n"
          "  for n in range(3): yield await later(n=n)\n"
          "log = []\n"
          "async with asyncio.TaskGroup() as group:\n"
          "  group.create_task(tick())\n"
          "  call = group.create_task(later(n=1))\n"
          "print(log, call.result(), [item['n'] async for item in items()])\n"
          "try: await asyncio.wait_for(never(), 0.01)\n"
          "except TimeoutError: print('timeout')\n"
          "try:\n"
          "  async with asyncio.timeout(0.01): await never()\n"
          "except TimeoutError: print('timeout')\n"
          "task = asyncio.create_task(later(n=7))\n"
          "await asyncio.sleep(0)\n"
          "print('sync', echo.sync(a=1))\n"
          "print(await task)\n",
          "['tick'] {'n': 1} [0, 1, 2]\ntimeout\ntimeout\nsync {'a': 1}\n{'n': 7}\n");
}

static void test_sync_leaves_answers_to_the_loop(void)
{
    check("import asyncio\n"
          "tasks = [asyncio.create_task(later(n=n)) for n in range(3)]\n"
          "await asyncio.sleep(0)\n"
          "print(later.sync(n='s'))\n"
          "print([t.done() for t in tasks], await asyncio.gather(*tasks))\n",
          "{'n': 's'}\n[False, False, False] [{'n': 0}, {'n': 1}, {'n': 2}]\n");
}

static void test_cancelled_calls_drop_their_answers(void)
{
    check("import asyncio\n"
          "task = asyncio.create_task(later(n=1))\n"
          "await asyncio.sleep(0)\n"
          "task.cancel()\n"
          "try: await task\n"
          "except asyncio.CancelledError: print('cancelled')\n"
          "print(await later(n=2))\n",
          "cancelled\n{'n': 2}\n");
}

static void test_a_waiting_task_does_not_starve_others(void)
{
    check("import asyncio\n"
          "done = False\n"
          "async def finish():\n"
          "  global done\n"
          "  await asyncio.sleep(0.001)\n"
          "  done = True\n"
          "task = asyncio.create_task(finish())\n"
          "while not done: await echo()\n"
          "print('end')\n",
          NULL);
}

static void test_timeouts(void)
{
    eryx_sandbox_options limited;
    eryx_sandbox_options_init(&limited);
    limited.limits.callback_timeout_ms = 20;
    eryx_sandbox *sandbox = live_create(&limited);
    eryx_run_options options = live_program("for call in (never.sync, never):\n"
                                            "  try:\n"
                                            "    value = call()\n"
                                            "    await value\n"
                                            "  except TimeoutError as error: print(error)\n"
                                            "print(await echo(a=1))\n");
    options.callbacks = declarations;
    run(sandbox, &options, ERYX_OK,
        "callback 'never' timed out after 20 ms\ncallback 'never' timed out after 20 ms\n"
        "{'a': 1}\n");
    ASSERT_EQ_U(host.expired, 2);
    eryx_sandbox_destroy(sandbox);
}

static void test_limits(void)
{
    eryx_sandbox_options limited;
    eryx_sandbox_options_init(&limited);
    limited.limits.max_callback_invocations = 3;
    limited.limits.max_callback_bytes = 1000;
    eryx_sandbox *sandbox = live_create(&limited);
    eryx_run_options options = live_program("try: await echo(a='x' * 1000)\n"
                                            "except ValueError as error: print(error)\n"
                                            "for n in range(3):\n"
                                            "  try: print(await echo(a=n))\n"
                                            "  except RuntimeError as error: print(error)\n");
    options.callbacks = declarations;
    options.keep_state = true;
    const char *expected =
        "callback 'echo' was not called: its arguments are larger than the limit max_callback_bytes"
        " (1008 characters of JSON), hold too many values or are nested too deeply\n{'a': "
        "0}\n{'a': 1}\n"
        "callback 'echo' was not called: the limit max_callback_invocations is reached\n";
    run(sandbox, &options, ERYX_OK, expected);
    const eryx_result *result = run(sandbox, &options, ERYX_OK, expected); /* a limit of each run */
    ASSERT_EQ_U(result->callback_invocations, 3);
    eryx_sandbox_destroy(sandbox);
}

static void test_a_run_may_end_with_open_calls(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("import asyncio\n"
                                            "task = asyncio.create_task(never())\n"
                                            "await asyncio.sleep(0)\n"
                                            "print('end')\n");
    options.callbacks = declarations;
    options.keep_state = true;
    run(sandbox, &options, ERYX_OK, "end\n");
    ASSERT_EQ(eryx_callback_return(sandbox, host.last_never, "1", 1), ERYX_INVALID_ARGUMENT);
    options.source = "try: await task\nexcept RuntimeError as error: print(error)\n"
                     "print(await echo(a=2))\n";
    options.source_size = strlen(options.source);
    run(sandbox, &options, ERYX_OK, "the run that made the call has ended\n{'a': 2}\n");
    eryx_sandbox_destroy(sandbox);
}

static void test_waiting_for_a_call_ends_with_the_run(void)
{
    eryx_sandbox_options limited;
    eryx_sandbox_options_init(&limited);
    limited.limits.execution_timeout_ms = 30;
    const char *programs[] = {"await never()", "never.sync()"};
    for (size_t i = 0; i < 2; i++) {
        eryx_sandbox *sandbox = live_create(&limited);
        eryx_run_options options = live_program(programs[i]);
        options.callbacks = declarations;
        options.keep_state = true;
        run(sandbox, &options, ERYX_TIMEOUT, NULL);
        options.source = "print(echo.sync(a=1))";
        options.source_size = strlen(options.source);
        run(sandbox, &options, ERYX_OK, "{'a': 1}\n"); /* the soft stop left the session alive */
        eryx_sandbox_destroy(sandbox);
    }
}

/* What a program may do to the runtime underneath hurts only itself. */
static void test_misuse_of_the_runtime(void)
{
    check(
        "import _eryx\n"
        "print(_eryx.call('x' * 2000, '{}'), _eryx.call('x', 'not json'), _eryx.call('\\0', ''))\n"
        "print(_eryx.wait(0))\n"
        "for bad in (10**30, 'a', None):\n"
        "  try: _eryx.wait(bad)\n"
        "  except (OverflowError, TypeError) as error: print(type(error).__name__)\n"
        "keep = []\n"
        "try:\n"
        "  while True: keep.append(echo.sync(a='y' * 1_000_000))\n"
        "except MemoryError: keep = None\n"
        "print(echo.sync(a=1))\n",
        NULL);
    check("import asyncio, selectors\n"
          "loop = asyncio.SelectorEventLoop(selectors.SelectSelector())\n"
          "print(loop.run_until_complete(later(n=1)))\n"
          "try: later().send(None)\n"
          "except RuntimeError as error: print(error)\n",
          "{'n': 1}\ncallback 'later' needs a running event loop, or .sync()\n");
}

static void test_declarations_of_a_session(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("echo.sync()\nfail = 'mine'\nprint('one')");
    options.callbacks = declarations;
    options.keep_state = true;
    run(sandbox, &options, ERYX_OK, "one\n");
    options.source = "print(fail, 'echo' in globals(), await other(), len(list_callbacks()))";
    options.source_size = strlen(options.source);
    options.callbacks = "[{\"name\": \"other\"}]";
    run(sandbox, &options, ERYX_OK, "mine False {} 1\n");
    options.source = "print('other' in globals(), 'invoke' in globals(), fail)";
    options.source_size = strlen(options.source);
    options.callbacks = NULL;
    run(sandbox, &options, ERYX_OK, "False False mine\n");
    options.callbacks = "[{\"name\": 1}]";
    run(sandbox, &options, ERYX_EXECUTION, NULL);
    options.callbacks = "{";
    run(sandbox, &options, ERYX_EXECUTION, NULL);
    eryx_sandbox_destroy(sandbox);
}

/* ---- Tracing
 * -------------------------------------------------------------------------------------- */

static void check_trace(const char *source, const char *mode, uint64_t limit, const char *expected)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program(source);
    options.callbacks = declarations;
    options.trace = mode;
    options.max_trace_events = limit;
    run(sandbox, &options, ERYX_OK, NULL);
    if (expected != NULL) {
        ASSERT_STR_EQ(host.trace, expected);
    }
    eryx_sandbox_destroy(sandbox);
}

#define EVENT(event, line, function)                                                               \
    "{\"event\":\"" event "\",\"line\":" #line ",\"function\":\"" function                         \
    "\",\"filename\":\"<user>\"}"

static void test_trace(void)
{
    check_trace(
        "def f(x):\n  return x + 1\n\ny = f(2)\n", "user", 1000,
        "[" EVENT("call", 1, "<module>") "," EVENT("line", 1, "<module>") "," EVENT(
            "line", 4,
            "<module>") "," EVENT("call", 1,
                                  "f") "," EVENT("line", 2,
                                                 "f") "," EVENT("return", 2,
                                                                "f") "," EVENT("return", 4,
                                                                               "<module>") "]");
    check_trace(
        "try:\n  int('x')\nexcept ValueError: pass\n", "user", 1000,
        "[" EVENT("call", 1, "<module>") "," EVENT("line", 1, "<module>") "," EVENT(
            "line", 2,
            "<module>") "," EVENT("exception", 2,
                                  "<module>") "," EVENT("line", 3,
                                                        "<module>") "," EVENT("return", 3,
                                                                              "<module>") "]");
    check_trace("import json\njson.dumps([1])\n", "user", 1000,
                "[" EVENT("call", 1, "<module>") "," EVENT("line", 1, "<module>") "," EVENT(
                    "line", 2, "<module>") "," EVENT("return", 2, "<module>") "]");
}

static void test_trace_is_bounded(void)
{
    check_trace(
        "for n in range(10**5): pass\n", "user", 2,
        "[" EVENT("call", 1, "<module>") "," EVENT("line", 1, "<module>") ",{\"event\":"
                                                                          "\"truncated\"}]");
    check_trace("pass\n", "user", 0, "[{\"event\":\"truncated\"}]");
}

static void test_trace_and_calls_are_in_order(void)
{
    /* What came before the call was handed over before it. */
    check_trace(
        "x = 1\necho.sync()\ny = 2\n", "user", 1000,
        "[" EVENT("call", 1, "<module>") "," EVENT("line", 1, "<module>") "," EVENT(
            "line", 2, "<module>") "][" EVENT("line", 3, "<module>") "," EVENT("return", 3,
                                                                               "<module>") "]");
}

static void test_trace_of_all_files(void)
{
    check_trace("import json\njson.dumps([1])\n", "all", 1000, NULL);
    ASSERT_STR_CONTAINS(host.trace, "/python-stdlib/json/");
}

static void test_tracing_leaves_settrace_to_the_program(void)
{
    check_trace("import sys\n"
                "seen = []\n"
                "def tracer(frame, event, argument):\n"
                "  seen.append(event)\n"
                "  return tracer\n"
                "def f():\n"
                "  pass\n"
                "sys.settrace(tracer)\n"
                "f()\n"
                "sys.settrace(None)\n"
                "assert seen == ['call', 'line', 'return'], seen\n",
                "user", 1000, NULL);
    ASSERT_STR_CONTAINS(host.trace, EVENT("call", 6, "f"));
}

int main(int argc, char **argv)
{
    static const test_case cases[] = {
        TEST_CASE(test_values_come_back_as_native_types),
        TEST_CASE(test_arguments_map_in_schema_order),
        TEST_CASE(test_names),
        TEST_CASE(test_exceptions),
        TEST_CASE(test_arguments_that_json_cannot_hold),
        TEST_CASE(test_answers_in_any_order),
        TEST_CASE(test_asyncio_goes_on_meanwhile),
        TEST_CASE(test_sync_leaves_answers_to_the_loop),
        TEST_CASE(test_cancelled_calls_drop_their_answers),
        TEST_CASE(test_a_waiting_task_does_not_starve_others),
        TEST_CASE(test_timeouts),
        TEST_CASE(test_limits),
        TEST_CASE(test_a_run_may_end_with_open_calls),
        TEST_CASE(test_waiting_for_a_call_ends_with_the_run),
        TEST_CASE(test_misuse_of_the_runtime),
        TEST_CASE(test_declarations_of_a_session),
        TEST_CASE(test_trace),
        TEST_CASE(test_trace_is_bounded),
        TEST_CASE(test_trace_and_calls_are_in_order),
        TEST_CASE(test_trace_of_all_files),
        TEST_CASE(test_tracing_leaves_settrace_to_the_program),
    };
    live_open();
    int status = test_run(cases, sizeof cases / sizeof cases[0], argc > 1 ? argv[1] : "");
    live_close();
    return status;
}
