"""Runs inside the sandbox: one file of CPython's test suite.

Its argument is JSON: `module`; `left_out`, patterns of test ids; `stand_ins`, modules that are
missing here, whose tests are skipped rather than the file; `sockets` and `threads`, whether to let
the file try what the suite believes no WASI can do. Its last line of output is the result as JSON;
on the way it writes the name of each test to stderr, so that a test that never ends can be named.
"""

import fnmatch
import importlib.machinery
import json
import os
import sys
import types
import unittest
import warnings

# Names of results by how far they are from a pass; a test has the worst one of its subtests.
RANK = ("passed", "skipped", "failed")


class Result(unittest.TestResult):
    """Notes how each test ended."""

    def __init__(self):
        super().__init__()
        self.outcomes = {}
        self.details = {}

    def startTest(self, test):
        super().startTest(test)
        sys.stderr.write(f"test {test.id()}\n")

    def _note(self, test, outcome, detail=""):
        if isinstance(test, unittest.case._SubTest):
            test = test.test_case
        name = test.id()
        if RANK.index(outcome) >= RANK.index(self.outcomes.get(name, "passed")):
            self.outcomes[name] = outcome
            if detail:
                self.details[name] = detail

    def _note_error(self, test, error):
        self._note(test, "failed", self._exc_info_to_string(error, test)[-1500:])

    def addSuccess(self, test):
        self._note(test, "passed")

    def addFailure(self, test, err):
        self._note_error(test, err)

    addError = addFailure

    def addSkip(self, test, reason):
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self._note(test, "passed")

    def addUnexpectedSuccess(self, test):
        self._note(test, "failed", "unexpected success")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._note_error(test, err)


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def stand_in(name):
    """A module whose functions skip the test that calls them."""
    module = types.ModuleType(name)

    def skip(*arguments, **options):
        raise unittest.SkipTest(f"needs {name}")

    module.__getattr__ = lambda attribute: skip
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    return module


def main():
    request = json.loads(sys.argv.pop())
    module = request["module"]
    for name in request["stand_ins"]:
        sys.modules[name] = stand_in(name)
    os.environ["PYTHONREGRTEST_UNICODE_GUARD"] = "1"
    # The image remembers what the library's directory held when it was made.
    importlib.invalidate_caches()
    os.mkdir("/data/work")
    os.chdir("/data/work")

    from test import support

    support.verbose = 0
    support.use_resources = {}
    support.record_original_stdout(sys.stdout)
    sys.stdout.reconfigure(errors="backslashreplace")

    if request["sockets"]:
        support.has_socket_support = True
    if request["threads"]:
        from test.support import threading_helper

        threading_helper.can_start_thread = True
    if "concurrent" in module:
        import concurrent.futures

        concurrent.futures.InterpreterPoolExecutor = None  # the file wants the name

    report = {"skipped_file": None, "outcomes": {}, "details": {}}
    result = Result()
    try:
        # A module that cannot be imported must not become one test that fails.
        __import__(f"test.{module}")
        loaded = unittest.TestLoader().loadTestsFromName(f"test.{module}")
    except unittest.SkipTest as skip:
        report["skipped_file"] = str(skip)
    else:
        chosen = unittest.TestSuite(
            test
            for test in flatten(loaded)
            if not any(fnmatch.fnmatchcase(test.id(), pattern) for pattern in request["left_out"])
        )
        with warnings.catch_warnings():
            chosen.run(result)
    report["outcomes"] = result.outcomes
    report["details"] = result.details
    sys.stdout = sys.__stdout__
    print("\n" + json.dumps(report))


main()
