"""An LRU cache with a doubly linked list, with a test against OrderedDict."""

import random
from collections import OrderedDict


class Node:
    __slots__ = ("key", "next", "previous", "value")

    def __init__(self, key=None, value=None):
        self.key, self.value = key, value
        self.next = self.previous = self


class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError(f"capacity must be positive, not {capacity}")
        self.capacity = capacity
        self._head = Node()
        self._nodes = {}
        self.hits = self.misses = 0

    def _unlink(self, node):
        node.previous.next, node.next.previous = node.next, node.previous

    def _push(self, node):
        node.previous, node.next = self._head.previous, self._head
        self._head.previous.next = node
        self._head.previous = node

    def __getitem__(self, key):
        try:
            node = self._nodes[key]
        except KeyError:
            self.misses += 1
            raise
        self.hits += 1
        self._unlink(node)
        self._push(node)
        return node.value

    def __setitem__(self, key, value):
        if key in self._nodes:
            self._unlink(self._nodes[key])
        elif len(self._nodes) == self.capacity:
            oldest = self._head.next
            self._unlink(oldest)
            del self._nodes[oldest.key]
        node = self._nodes[key] = Node(key, value)
        self._push(node)

    def __iter__(self):
        node = self._head.next
        while node is not self._head:
            yield node.key
            node = node.next

    def __len__(self):
        return len(self._nodes)

    def __repr__(self):
        return f"LRUCache({list(self)}, {self.hits} hits, {self.misses} misses)"


random.seed(1)
cache, model = LRUCache(5), OrderedDict()
for step in range(2000):
    key = random.randrange(12)
    if random.random() < 0.5:
        cache[key] = model[key] = step
        model.move_to_end(key)
        if len(model) > 5:
            model.popitem(last=False)
    else:
        try:
            value = cache[key]
        except KeyError:
            value = None
        if key in model:
            model.move_to_end(key)
        assert value == model.get(key), (step, key)
    assert list(cache) == list(model)
print(cache, len(cache))
LRUCache(0)
