"""Large JSON of guests: decoded in pieces, and not on the thread of the event loop."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from typing import Any

import pytest

import eryx
from eryx import _json, _result

DECODER = json.JSONDecoder()
VALUES: dict[str, Any] = {
    "small lists": [[] for _ in range(30_000)] + [{} for _ in range(30_000)],
    "nested": {"x": [[[{"a": i, "b": [i]} for i in range(9_000)]]], "y": "z" * 70_000, "": 0},
    "signs in texts": {'ü€😀"': ['é\\"][', "},{"] * 20_000},
    "scalars": [[1, -2.5e9, None, True, False, "a,b]"] for _ in range(9_000)],
    "one text": "x" * 100_000,
    "one text deep inside": [[{"q": ["q" * 70_000]}]],
    "large beside small": {"a": {"b": {"c": list(range(30_000)), "d": []}, "e": {}}, "f": 1},
}
FORMATS: list[dict[str, Any]] = [
    {},
    {"indent": 1},
    {"separators": (",", ":")},
    {"ensure_ascii": False},
]


def outcome(text: str, decode: Any) -> Any:
    try:
        return decode(text)
    except ValueError:
        return "no JSON"


def same(text: str) -> bool:
    """Whether a text is what it is for the interpreter's own decoder."""
    in_pieces = outcome(text, lambda text: _json.decode(text, DECODER))
    return bool(in_pieces == outcome(text, json.loads))


class TestPieces:
    @pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
    @pytest.mark.parametrize("options", FORMATS, ids=str)
    def test_values(self, value: Any, options: dict[str, Any]) -> None:
        text = json.dumps(value, **options)
        assert len(text) >= _json.LARGE
        assert _json.decode(text, DECODER) == value

    def test_names_that_come_twice(self) -> None:
        text = '{"a": 1, "b": [' + "1," * 70_000 + '1], "a": 2}'
        value = _json.decode(text, DECODER)
        assert (list(value), value["a"]) == (["a", "b"], 2)

    def test_damaged_texts(self) -> None:
        chance = random.Random(11)
        text = json.dumps({"k": [[1, 2, {"a": "b"}]] * 4_000})
        for _ in range(300):
            near_an_end = chance.choice([0, len(text) - 12]) + chance.randrange(12)
            at = chance.choice([near_an_end, chance.randrange(len(text))])
            damaged = text[:at] + chance.choice('[]{},:"x1 \\') + text[at + 1 :]
            assert same(damaged), damaged[max(0, at - 20) : at + 20]

    @pytest.mark.parametrize("end", [0, 1, 2, 6, 50_000, -1])
    def test_texts_that_end_too_soon_or_too_late(self, end: int) -> None:
        text = json.dumps({"k": [[1, 2, {"a": "b"}]] * 4_000})
        for rest in ("", " " * 70_000, "]" * 70_000, "x"):
            assert same(text[:end] + rest)
            assert same(text + rest)


class TestOffTheLoop:
    """That what takes long is done by another thread is seen where it is done."""

    @pytest.fixture
    def threads(self, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
        seen: list[threading.Thread] = []
        decode = _json.decode

        def noting(text: str, decoder: json.JSONDecoder) -> Any:
            seen.append(threading.current_thread())
            return decode(text, decoder)

        monkeypatch.setattr(_json, "decode", noting)
        monkeypatch.setattr("eryx._calls.decode", noting)
        return seen

    def test_results(self, threads: list[threading.Thread]) -> None:
        code = "result = list(range(30_000))"
        assert asyncio.run(eryx.Sandbox().execute_async(code)).result == list(range(30_000))
        assert threads
        assert threading.main_thread() not in threads
        assert eryx.Sandbox().execute(code).result == list(range(30_000))

    @pytest.mark.parametrize("thread", [False, True])
    def test_arguments(self, threads: list[threading.Thread], thread: bool) -> None:
        sandbox = eryx.Sandbox(callbacks=[{"name": "total", "fn": total, "thread": thread}])
        code = "print(await total(numbers=list(range(30_000))))"
        assert asyncio.run(sandbox.execute_async(code)).stdout == "449985000"
        assert threads
        assert threading.main_thread() not in threads
        assert sandbox.execute(code).stdout == "449985000"

    def test_arguments_that_are_no_object(self, threads: list[threading.Thread]) -> None:
        sandbox = eryx.Sandbox(callbacks=[{"name": "total", "fn": total}])
        for text, problem in (
            ("[" + "1," * 40_000 + "1]", "must be a JSON object"),
            ('{"numbers": [' + "1," * 40_000 + "}", "no JSON value"),
            ('{"numbers": [' + "1," * 40_000 + "1]} 2", "more than a JSON value"),
        ):
            code = (
                "import _eryx, sys\nidentity = _eryx.call('total', sys.stdin.read())\n"
                "print(_eryx.wait(10**10))"
            )
            result = asyncio.run(sandbox.execute_async(code, stdin=text))
            assert problem in result.stdout
        assert threads

    def test_small_results_take_no_way_round(self, threads: list[threading.Thread]) -> None:
        assert asyncio.run(eryx.Sandbox().execute_async("result = [1]")).result == [1]
        assert threads == []
        assert _result._LARGE == _json.LARGE


def total(numbers: list[int]) -> int:
    return sum(numbers)
