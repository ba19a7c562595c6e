"""The registry of callbacks: what may be registered, and what is made of it."""

from __future__ import annotations

import ast
import asyncio
import json
import math
from typing import TYPE_CHECKING, Any, Literal

import pytest

import eryx
from conftest import stable_id

if TYPE_CHECKING:
    from collections.abc import Callable


def add(a: int, b: int = 1) -> int:
    """Adds two numbers.

    More of it.
    """
    return a + b


def echo(value: Any) -> Any:
    return value


async def sleep_ms(ms: int) -> int:
    await asyncio.sleep(ms / 1000)
    return ms


def entry(fn: Callable[..., Any], name: str | None = None) -> dict[str, Any]:
    return {"name": name or fn.__name__, "fn": fn}


class TestRegistration:
    def test_decorator_in_its_three_forms(self) -> None:
        registry = eryx.CallbackRegistry()

        @registry.callback
        def one() -> int:
            return 1

        @registry.callback()
        def two() -> int:
            return 2

        @registry.callback(name="three", description="Third.", schema={"type": "object"})
        def other() -> int:
            return 3

        assert (one(), two(), other()) == (1, 2, 3)
        assert len(registry) == 3
        assert [each["name"] for each in registry] == ["one", "two", "three"]
        assert repr(registry) == "CallbackRegistry(['one', 'two', 'three'])"
        assert list(registry)[2] == {
            "name": "three",
            "fn": other,
            "description": "Third.",
            "schema": {"type": "object"},
        }

    def test_description_and_schema_by_default(self) -> None:
        registry = eryx.CallbackRegistry()
        registry.add(add)
        (only,) = registry
        assert only["description"] == "Adds two numbers.\n\nMore of it."
        assert only["schema"] == {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}},
            "required": ["a"],
        }

    def test_schema_of_all_kinds_of_hints(self) -> None:
        def function(
            s: str,
            f: float,
            b: bool,
            xs: list[int],
            d: dict[str, float],
            n: None,
            o: int | None,
            c: Literal["x", 1],
            unknown: object,
            bare: Any,
            *args: int,
            last: str = "y",
            **kwargs: int,
        ) -> None: ...

        del function.__annotations__["bare"]
        registry = eryx.CallbackRegistry()
        registry.add(function)
        schema = next(iter(registry))["schema"]
        assert schema["properties"] == {
            "s": {"type": "string"},
            "f": {"type": "number"},
            "b": {"type": "boolean"},
            "xs": {"type": "array", "items": {"type": "integer"}},
            "d": {"type": "object", "additionalProperties": {"type": "number"}},
            "n": {"type": "null"},
            "o": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "c": {"enum": ["x", 1]},
            "unknown": {},
            "bare": {},
            "last": {"type": "string", "default": "y"},
        }
        assert "last" not in schema["required"]
        assert len(schema["required"]) == 10

    @pytest.mark.parametrize("callbacks", [1, "add", {"name": "add"}, add, [1], [None]])
    def test_other_types_are_refused(self, callbacks: Any) -> None:
        with pytest.raises(TypeError):
            eryx.Sandbox(callbacks=callbacks)

    @pytest.mark.parametrize("missing", ["name", "fn"])
    def test_a_dict_that_lacks_something(self, missing: str) -> None:
        incomplete = entry(add)
        del incomplete[missing]
        with pytest.raises(KeyError, match=missing):
            eryx.Sandbox(callbacks=[incomplete])

    @pytest.mark.parametrize(
        ("bad", "error"),
        [
            ({"fn": 1}, TypeError),
            ({"name": 1}, TypeError),
            ({"name": None}, TypeError),
            ({"name": ""}, ValueError),
            ({"name": "a\0b"}, ValueError),
            ({"name": "x" * 1025}, ValueError),
            ({"description": 1}, TypeError),
            ({"schema": []}, TypeError),
            ({"schema": {"type": "string"}}, ValueError),
            ({"schema": {"default": math.nan}}, ValueError),
            ({"schema": {"x": {1, 2}}}, ValueError),
            ({"schema": {"properties": []}}, ValueError),
            ({"schema": {"required": "a"}}, ValueError),
            ({"thread": 1}, TypeError),
            ({"fn": sleep_ms, "thread": True}, TypeError),
            ({"funktion": add}, TypeError),
        ],
        ids=stable_id,
    )
    def test_bad_entries(self, bad: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            eryx.Sandbox(callbacks=[{**entry(add), **bad}])

    def test_names_are_unique(self) -> None:
        registry = eryx.CallbackRegistry()
        registry.add(add)
        with pytest.raises(ValueError, match="'add'"):
            registry.add(echo, name="add")
        with pytest.raises(ValueError, match="'add'"):
            eryx.Sandbox(callbacks=[registry, entry(add)])

    def test_a_lambda_needs_a_name(self) -> None:
        registry = eryx.CallbackRegistry()
        with pytest.raises(ValueError, match="name="):
            registry.add(lambda: 1)
        registry.add(lambda: 1, name="one")
        assert eryx.Sandbox(callbacks=registry).execute("print(await one())").stdout == "1"

    def test_mixed_and_empty_lists(self) -> None:
        registry = eryx.CallbackRegistry()
        registry.add(add)
        sandbox = eryx.Sandbox(callbacks=[registry, entry(echo)])
        assert sandbox.execute("print(await add(1), await echo(value=5))").stdout == "2 5"
        assert eryx.Sandbox(callbacks=[]).execute("print(1)").stdout == "1"
        assert eryx.Sandbox(callbacks=eryx.CallbackRegistry()).execute("print(1)").stdout == "1"


class TestStub:
    def test_text_is_python(self) -> None:
        registry = eryx.CallbackRegistry()
        registry.add(add)
        registry.add(echo, name="tools.echo", description='Says "it"\nback.')
        registry.add(echo, name="tools.deep.echo")
        registry.add(echo, name="with-a.hyphen")
        registry.add(echo, name="not a name")
        registry.add(echo, name="open")
        registry.add(lambda: 1, name="class")
        registry.add(
            echo,
            name="odd",
            schema={"properties": {"a": {}, "b": {"type": "string"}, "c d": {}}, "required": ["b"]},
        )
        text = registry.stub()
        ast.parse(text)
        assert "async def add(a: int, b: int = 1) -> int:" in text
        assert "class tools:\n    @staticmethod\n    async def echo(value: Any) -> Any:" in text
        assert "class with_a:\n    @staticmethod\n    async def hyphen(value: Any) -> Any:" in text
        assert "# await invoke('not a name', value: Any) -> Any" in text
        assert "# await invoke('open', value: Any) -> Any" in text
        assert "# await invoke('class') -> Any" in text
        assert "async def odd(a: Any = ..., *, b: str, **arguments: Any) -> Any:" in text
        assert eryx.callback_stub([registry]) == text

    def test_programs_can_call_what_it_says(self) -> None:
        names = ["a-b.c-d", "a-b.c_d", "e-f", "e_f", "open", "display", "g h", "i.open", "i.j-k"]
        callbacks = {name: (lambda name=name: name) for name in names}
        text = eryx.callback_stub(callbacks)
        session = eryx.Session(callbacks=callbacks)
        for written, name in (
            *(("a_b.c_d", "a-b.c_d"), ("e_f", "e-f"), ("i.open", "i.open"), ("i.j_k", "i.j-k")),
            ("display", "display"),
        ):
            assert f"async def {written.rpartition('.')[2]}(" in text
            assert session.execute(f"await {written}()").value == name
        for name in ("a-b.c-d", "e_f", "open", "g h"):
            assert f"# await invoke({name!r}" in text
            assert session.execute(f"await invoke({name!r})").value == name

    def test_declarations_are_json(self) -> None:
        registry = eryx.CallbackRegistry()
        registry.add(add)
        assert json.loads(json.dumps([each["schema"] for each in registry]))
