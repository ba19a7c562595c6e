"""What is said of iteration, unpacking, generators and comprehensions gone wrong."""


def gen():
    yield 1
    raise ValueError("inside")


for source in (
    "for x in 5: pass",
    "for x in None: pass",
    "for a, b in [1]: pass",
    "for a, b in [(1, 2, 3)]: pass",
    "for a, b in {'abc': 1}: pass",
    "a, b = 1",
    "a, b = []",
    "a, b = 1, 2, 3",
    "a, *b, c = [1]",
    "[a for a, b in [(1,)]]",
    "next(iter([]))",
    "list(gen())",
    "next(gen)",
    "gen().send(1)",
    "gen()[0]",
    "len(gen())",
    "g = gen(); next(g); next(g)",
    "list(map(int, ['1', 'x']))",
    "dict(zip('ab'))",
    "list(zip([1], [1, 2], strict=True))",
    "d = {1: 1}\nfor k in d: d[k + 1] = 1",
    "d = {1: 1}\nfor k in d: del d[k]",
    "s = {1}\nfor k in s: s.add(k + 1)",
    "sum(x for x in ['a'])",
    "max(x for x in [])",
    "min((), key=len)",
    "sorted(x for x in [1, 'a'])",
    "''.join(x for x in [1])",
    "print(*5)",
    "all(5)",
    "x = [1, 2]\nx[5] = 1",
    "x = (1, 2)\nx[0] = 1",
    "x = 'ab'\nx[0] = 'c'",
    "x = range(3)\nx[0] = 1",
    "del (1, 2)[0]",
    "del [][0]",
    "del {}['a']",
    "del undefined",
    "x = {1: 2}.keys()\nx[0]",
    "import itertools\nlist(itertools.islice([1], -1))",
    "import itertools\nlist(itertools.batched([1], 0))",
    "import functools\nfunctools.reduce(max, [])",
    "import random\nrandom.choice([])",
    "import statistics\nstatistics.mean([])",
    "import heapq\nheapq.heappop([])",
    "import collections\ncollections.deque().popleft()",
    "import bisect\nbisect.bisect([1, 2], None)",
    "import json\njson.loads('')",
    "import csv\nnext(csv.reader([]))",
    "import operator\noperator.itemgetter(1)([0])",
):
    try:
        exec(source)
        print(repr(source), "-> works")
    except Exception as error:
        print(repr(source), "->", type(error).__name__, error)
