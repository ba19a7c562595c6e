"""A stack with its own unit tests, run with a quiet runner."""

import io
import unittest


class Stack:
    def __init__(self):
        self._items = []

    def push(self, item):
        self._items.append(item)
        return self

    def pop(self):
        if not self._items:
            raise IndexError("pop from an empty stack")
        return self._items.pop()

    def __len__(self):
        return len(self._items)

    def __bool__(self):
        return True


class StackTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()

    def test_order(self):
        self.stack.push(1).push(2)
        self.assertEqual([self.stack.pop(), self.stack.pop()], [2, 1])

    def test_empty(self):
        with self.assertRaisesRegex(IndexError, "empty stack") as caught:
            self.stack.pop()
        self.assertIsNone(caught.exception.__cause__)

    def test_truth(self):
        self.assertTrue(self.stack)
        self.assertFalse(len(self.stack))

    def test_wrong(self):
        self.assertEqual(len(self.stack.push(None)), 2)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(StackTest)
result = unittest.TextTestRunner(io.StringIO()).run(suite)
print(result.testsRun, [str(t) for t, _ in result.failures], result.errors)
print(result.failures[0][1])
