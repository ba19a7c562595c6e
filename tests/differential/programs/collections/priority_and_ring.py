"""A ring buffer, an ordered set, a multimap, a bidirectional map, a trie, a union-find."""

from collections import deque
from collections.abc import MutableSet


class OrderedSet(MutableSet):
    def __init__(self, items=()):
        self.items = dict.fromkeys(items)

    def __contains__(self, x):
        return x in self.items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)

    def add(self, x):
        self.items[x] = None

    def discard(self, x):
        self.items.pop(x, None)

    def __repr__(self):
        return f"OrderedSet({list(self)})"


s = OrderedSet("banana")
s |= "xyz"
s -= {"n"}
print(
    s,
    s & "ay",
    s == {"b", "a", "x", "y", "z"},
    s.pop(),
    len(s),
    s ^ OrderedSet("aq"),
    s <= OrderedSet("abcxyz"),
)


class Trie:
    def __init__(self):
        self.children, self.end = {}, False

    def add(self, word):
        node = self
        for c in word:
            node = node.children.setdefault(c, Trie())
        node.end = True

    def starting(self, prefix):
        node = self
        for c in prefix:
            node = node.children.get(c)
            if node is None:
                return
        stack = [(prefix, node)]
        while stack:
            text, node = stack.pop()
            if node.end:
                yield text
            stack += [(text + c, child) for c, child in sorted(node.children.items(), reverse=True)]


trie = Trie()
for word in "car card care cat dog do".split():
    trie.add(word)
print(
    list(trie.starting("car")),
    list(trie.starting("d")),
    list(trie.starting("z")),
    list(trie.starting("")),
)
ring = deque(maxlen=3)
for n in range(5):
    ring.append(n)
    print(list(ring), sum(ring) / len(ring), end=" ")
print()
parent = list(range(8))


def find(x):
    while parent[x] != x:
        parent[x] = x = parent[parent[x]]
    return x


for a, b in ((0, 1), (2, 3), (1, 3), (5, 6)):
    parent[find(a)] = find(b)
print([find(x) == find(0) for x in range(8)], len({find(x) for x in range(8)}))
