"""unittest: what a runner prints, subtests, skips, expected failures, assertion messages, mocks."""

import io
import re
import unittest
from unittest import mock


class Basics(unittest.TestCase):
    def setUp(self):
        self.values = [1, 2]

    def test_pass(self):
        self.assertEqual(sum(self.values), 3)

    def test_fail(self):
        """With a docstring."""
        self.assertEqual({"a": 1, "b": [1, 2, 3]}, {"a": 2, "b": [1, 3]})

    def test_error(self):
        {}["k"]

    @unittest.skip("not now")
    def test_skipped(self): ...

    @unittest.expectedFailure
    def test_expected(self):
        self.fail("expected")

    def test_subs(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)


class Messages(unittest.TestCase):
    maxDiff = None

    def runTest(self):
        attempts = [
            lambda: self.assertEqual(1, 2),
            lambda: self.assertEqual("one\ntwo\n", "one\n2\n"),
            lambda: self.assertListEqual([1, 2], [1, 3]),
            lambda: self.assertEqual({1, 2}, {2, 3}),
            lambda: self.assertTrue(0),
            lambda: self.assertIs([], []),
            lambda: self.assertIn(1, [2]),
            lambda: self.assertIsNone(1),
            lambda: self.assertIsInstance(1, str),
            lambda: self.assertAlmostEqual(1, 1.1),
            lambda: self.assertGreater(1, 2),
            lambda: self.assertRegex("a", "b"),
            lambda: self.assertCountEqual([1, 1], [1]),
            lambda: self.assertRaises(ValueError, int, "1"),
            lambda: self.assertRaisesRegex(ValueError, "zz", int, "x"),
            lambda: self.assertDictEqual({"a": 1}, {"a": 2}),
            lambda: self.assertEqual((1,), (1, 2), "own text"),
            lambda: self.assertStartsWith("abc", "b"),
            lambda: self.assertHasAttr(1, "zz"),
            lambda: self.assertMultiLineEqual("a", "b"),
            lambda: self.assertLess(2, 1),
            lambda: self.assertIsSubclass(int, str),
        ]
        for each in attempts:
            try:
                each()
                print("no failure")
            except AssertionError as error:
                print(error)


out = io.StringIO()
suite = unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(Basics), Messages()])
result = unittest.TextTestRunner(out, verbosity=2).run(suite)
print(re.sub(r"in \d+\.\d+s", "in Ns", out.getvalue()))
print(
    result,
    result.wasSuccessful(),
    [len(x) for x in (result.failures, result.errors, result.skipped, result.expectedFailures)],
)
m = mock.Mock(return_value=5, spec=["a"])
m.a.side_effect = [1, ValueError("end")]
print(
    m(1, k=2),
    m.called,
    m.call_args,
    m.call_count,
    m.a(),
    m.mock_calls,
    m.assert_called_once_with(1, k=2),
)
with (
    mock.patch("os.getcwd", return_value="/fake") as p,
    mock.patch.dict("os.environ", {"A": "1"}),
    mock.patch.object(Basics, "new", 3, create=True),
):
    import os

    print(os.getcwd(), p.call_count, os.environ["A"], Basics.new)
magic = mock.MagicMock()
magic.__len__.return_value = 4
print(
    len(magic), magic[1] is magic[2], mock.call(1) == mock.call(1), mock.ANY == 5, mock.sentinel.x
)
for attempt in (
    lambda: m.a(),
    lambda: m.b,
    lambda: m.assert_called_with(9),
    lambda: m.assert_not_called(),
    lambda: mock.create_autospec(len)(),
    lambda: magic.foo.assert_called_once(),
    lambda: m.a.assert_has_calls([mock.call(3)]),
    lambda: mock.patch("os.nothing_here").start(),
):
    try:
        print(type(attempt()).__name__)
    except Exception as error:
        print(type(error).__name__, error)
