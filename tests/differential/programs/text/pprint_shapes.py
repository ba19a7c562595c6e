"""pprint of nested data: widths, depth, sort, underscores, dataclasses, long text."""

import collections
import dataclasses
import types
from pprint import PrettyPrinter, isreadable, isrecursive, pformat, pp, pprint, saferepr


@dataclasses.dataclass
class Server:
    name: str
    ports: list = dataclasses.field(default_factory=list)
    options: dict = dataclasses.field(default_factory=dict)
    secret: str = dataclasses.field(default="x", repr=False)


data = {
    "name": "example" * 3,
    "values": list(range(30)),
    "nested": {"b": {"c": {"d": [1, 2, {"e": "f" * 30}]}}, "a": ()},
    "text": "The quick brown fox jumps over the lazy dog. " * 4,
    "set": {3, 1, 2},
    "mixed": {1: "a", "b": 2, (1, 2): None},
    "bytes": b"\x00\x01" * 30,
}
pprint(data)
pprint(data, width=40, depth=2)
pprint(data["nested"], indent=4, compact=True, sort_dicts=False)
pp({"z": 1, "a": 2})
print(
    pformat(123456789, underscore_numbers=True),
    pformat([10**9] * 3, width=20, underscore_numbers=True),
)
pprint(Server("long name of a server" * 3, ports=list(range(20)), options={"deep": True}))
pprint(collections.OrderedDict((f"key{i}", i) for i in range(8)))
pprint(collections.defaultdict(list, {f"key{i}": [i] * 5 for i in range(5)}))
pprint(collections.Counter("abracadabra" * 3))
pprint(collections.deque(range(30), maxlen=40))
pprint(collections.ChainMap({"a": 1}, {"b": 2 * "x" * 40}))
pprint(types.SimpleNamespace(a="x" * 40, b="y" * 40))
pprint(types.MappingProxyType({"a": 1}))
recursive = [1]
recursive.append(recursive)
print(isrecursive(recursive), isreadable(recursive), isreadable([1]), saferepr({2: 1, 1: 2}))
print(saferepr(recursive).split("id=")[0])


class Custom(PrettyPrinter):
    def format(self, value, context, maxlevels, level):
        if isinstance(value, int):
            return f"<{value}>", True, False
        return super().format(value, context, maxlevels, level)


Custom().pprint([1, {"a": 2}])
pprint(("one",))
pprint([["x" * 30, "y" * 30], ["z" * 60]], compact=True)
