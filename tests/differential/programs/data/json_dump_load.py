"""json: all types, options, hooks, odd numbers, error positions."""

import json
from collections import OrderedDict
from decimal import Decimal

data = {
    "name": 'Ünï "q" \\ /',
    "n": [1, -2.5, 1e100, 1e-7, 0.1, True, None],
    "deep": {"a": [{}, [], ""]},
    1: "int key",
    None: "none",
    True: "t",
    2.5: "f",
    "ctl": "\x00\x1f\u2028\ud83d\ude00",
}
print(json.dumps(data))
print(json.dumps(data, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass"))
print(
    json.dumps({"b": 1, "a": [1, 2]}, sort_keys=True, separators=(",", ":")),
    json.dumps([1, [2]], indent="--"),
    json.dumps({}, indent=2),
    json.dumps([], indent=2),
    json.dumps((1, (2,))),
    json.dumps("é"),
    json.dumps(float("nan")),
    json.dumps([float("inf"), -float("inf")]),
    json.dumps(10**30),
    json.dumps({(1, 2): 3, "a": 1}, skipkeys=True),
)
print(
    json.loads(
        '{"a": [1, 2.0, 1e3, -0, -0.0, 1E-2], "b": {"c": null, "d": true}, "e": "\\u00e9\\n\\ud83d\\ude00\\/", "a2": NaN, "i": -Infinity}'
    )
)
print(
    json.loads("[1.10, 1e5]", parse_float=Decimal),
    json.loads("[1, 12345678901234567890]", parse_int=float),
    json.loads('{"x": 1, "x": 2}'),
    json.loads('{"x": 1, "x": 2}', object_pairs_hook=list),
    json.loads('{"a": {"b": 1}}', object_hook=lambda d: sorted(d)),
    json.loads("[NaN]", parse_constant=str),
    json.loads(b'"\xc3\xa9"'),
    json.loads('"a"'.encode("utf-16")),
    json.loads(" \n[ ]\t"),
    json.loads('{"z": 1, "a": 2}', object_pairs_hook=OrderedDict),
    json.loads('"\\ud800"') == "\ud800",
    json.loads('"tab\tin"', strict=False),
)


class Encoder(json.JSONEncoder):
    def default(self, value):
        if isinstance(value, set):
            return sorted(value)
        if isinstance(value, complex):
            return {"re": value.real, "im": value.imag}
        return super().default(value)


print(
    json.dumps({"s": {3, 1}, "c": 1 + 2j}, cls=Encoder),
    json.dumps([Decimal("1.5")], default=str),
    "".join(Encoder().iterencode([1, {"a": {2}}])),
    json.JSONEncoder(indent=1).encode([1]),
    json.JSONDecoder().raw_decode("[1] rest"),
)
for text in (
    "",
    " ",
    "{",
    "[1,",
    "[1,]",
    '{"a":}',
    '{"a" 1}',
    "{a: 1}",
    "{'a': 1}",
    "[1 2]",
    "nul",
    "tru",
    "01",
    "1.",
    ".5",
    "+1",
    "--1",
    '"abc',
    '"\\x"',
    '"\\u12"',
    '"a\nb"',
    "[1] 2",
    '{"a": 1,}',
    '{"a": 1 "b": 2}',
    "\ufeff[]",
    "[1, // c\n2]",
    "{1: 2}",
    "undefined",
    "[" * 5,
    '{"a": [1, {"b": }]}',
    "1e",
    "\x00",
    '["a" , "b" c]',
    "Infinit",
    "]",
):
    try:
        print(repr(text), json.loads(text))
    except json.JSONDecodeError as error:
        print(repr(text), "->", error, error.pos, error.lineno, error.colno, error.msg)
loop = []
loop.append(loop)
for attempt in (
    lambda: json.dumps({1, 2}),
    lambda: json.dumps(object),
    lambda: json.dumps(b"x"),
    lambda: json.dumps({(1,): 2}),
    lambda: json.dumps(loop),
    lambda: json.dumps({"a": {"b": [{"c": {1}}]}}),
    lambda: json.dumps(float("nan"), allow_nan=False),
    lambda: json.loads(5),
    lambda: json.loads(b"\xff\xfe\xff"),
    lambda: json.dumps([1j]),
    lambda: json.loads(None),
    lambda: json.loads("1" * 5000),
    lambda: json.load(5),
    lambda: json.dumps({"k": float("inf")}, allow_nan=False),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error, getattr(error, "__notes__", ""))
deep = json.loads("[" * 500 + "]" * 500)
print(len(json.dumps(deep)))
