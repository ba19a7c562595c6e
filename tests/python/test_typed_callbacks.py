"""Arguments and answers of callbacks by their annotations, and what is told of failures."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
import uuid
from typing import Annotated, Any, Literal, TypedDict

import pytest

import eryx


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5
    inner: Point | None = None


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Row(TypedDict, total=False):
    n: int


def taken(hint: Any, given: str) -> Any:
    """What a function that is annotated so gets for an argument of the guest."""
    got: list[Any] = []

    def f(value: Any) -> None:
        got.append(value)

    f.__annotations__["value"] = hint
    eryx.Sandbox(callbacks=[f]).execute(f"await f({given})")
    return got[0]


def refused(hint: Any, given: str) -> str:
    with pytest.raises(eryx.ExecutionError) as caught:
        taken(hint, given)
    assert caught.value.exc_type == "eryx.CallbackError"
    return caught.value.exc_message


class TestArguments:
    @pytest.mark.parametrize(
        ("hint", "given", "value"),
        [
            (int, "1", 1),
            (float, "1", 1.0),
            (Any, "[1]", [1]),
            (int | None, "None", None),
            (int | str, "'a'", "a"),
            (list[int], "(1, 2)", [1, 2]),
            (tuple[int, str], "[1, 'a']", (1, "a")),
            (tuple[int, ...], "[1, 2]", (1, 2)),
            (set[int], "{1}", {1}),
            (dict[str, float], "{'a': 1}", {"a": 1.0}),
            (Literal["a", 1], "1", 1),
            (Annotated[int, "much"], "1", 1),
            (Colour, "'red'", Colour.RED),
            (Point, "{'x': 1}", Point(1)),
            (Point, "{'x': 1, 'inner': {'x': 2}}", Point(1, 0.5, Point(2))),
            (list[Point], "[{'x': 1, 'y': 2}]", [Point(1, 2.0)]),
            (Row, "{'n': 1}", {"n": 1}),
            (bytes, "b'\\x00\\xff'", b"\0\xff"),
            (datetime.date, "'2026-01-02'", datetime.date(2026, 1, 2)),
            (decimal.Decimal, "'1.10'", decimal.Decimal("1.10")),
            (pathlib.Path, "'/a'", pathlib.Path("/a")),
            (uuid.UUID, f"'{uuid.UUID(int=5)}'", uuid.UUID(int=5)),
        ],
    )
    def test_are_what_the_annotation_says(self, hint: Any, given: str, value: object) -> None:
        got = taken(hint, given)
        assert got == value
        assert type(got) is type(value)

    def test_values_of_the_guest_are_made_json(self) -> None:
        given = "__import__('datetime').datetime(2026, 1, 1, 2, 3)"
        assert taken(datetime.datetime, given) == datetime.datetime(2026, 1, 1, 2, 3)
        code = "import dataclasses\n@dataclasses.dataclass\nclass P: x: int\nawait f(P(3))"
        got: list[Point] = []

        def f(value: Point) -> None:
            got.append(value)

        f.__annotations__["value"] = Point
        eryx.Sandbox(callbacks=[f]).execute(code)
        assert got == [Point(3)]

    @pytest.mark.parametrize(
        ("hint", "given", "message"),
        [
            (int, "'5'", "argument 'value' must be int, not str"),
            (int | None, "'5'", "argument 'value' must be int, not str"),
            (int | str, "[]", "argument 'value' must be int or str, not list"),
            (list[int], "[1, 'a']", "argument 'value'[1] must be int, not str"),
            (tuple[int, str], "[1]", "must have 2 items, not 1"),
            (Literal["a"], "'b'", "must be one of 'a', not 'b'"),
            (Colour, "'green'", "must be one of 'red', 'blue', not 'green'"),
            (Point, "{}", "argument 'value' must have the member 'x'"),
            (Point, "{'x': 1, 'z': 2}", "argument 'value' has no member 'z'"),
            (Point, "{'x': 1, 'inner': {'x': 'a'}}", "'value'['inner']['x'] must be int"),
            (Row, "{'n': 'a'}", "argument 'value'['n'] must be int, not str"),
            (bytes, "'?'", "must be bytes, which come as base64"),
            (datetime.date, "'soon'", "must be a date, not 'soon'"),
        ],
    )
    def test_what_does_not_fit_is_named(self, hint: Any, given: str, message: str) -> None:
        assert message in refused(hint, given)

    def test_a_default_of_none_may_be_given(self) -> None:
        def f(n: int = None) -> int:  # type: ignore[assignment]  # noqa: RUF013
            return 1 if n is None else n

        assert eryx.Sandbox(callbacks=[f]).execute("await f(n=None)").value == 1

    def test_a_schema_of_the_caller_leaves_them_as_they_are(self) -> None:
        def f(n: int) -> str:
            return repr(n)

        callback = {"name": "f", "fn": f, "schema": {"properties": {"n": {}}}}
        assert eryx.Sandbox(callbacks=[callback]).execute("await f('5')").value == "'5'"

    def test_schema(self) -> None:
        def f(p: Point, c: Colour, r: Row, b: bytes, d: datetime.datetime) -> None: ...

        registry = eryx.CallbackRegistry()
        registry.add(f)
        (told,) = list(registry)
        properties = told["schema"]["properties"]
        assert properties["p"]["required"] == ["x"]
        assert properties["p"]["properties"]["y"] == {"type": "number"}
        assert properties["c"] == {"enum": ["red", "blue"]}
        assert properties["r"]["properties"] == {"n": {"type": "integer"}}
        assert properties["b"] == {"type": "string", "contentEncoding": "base64"}
        assert properties["d"] == {"type": "string", "format": "date-time"}


class TestAnswers:
    @pytest.mark.parametrize(
        ("value", "seen"),
        [
            (Point(1), {"x": 1, "y": 0.5, "inner": None}),
            ([Colour.RED], ["red"]),
            ({3}, [3]),
            (datetime.datetime(2026, 1, 1), "2026-01-01T00:00:00"),
            (decimal.Decimal("1.5"), "1.5"),
            (pathlib.Path("/a"), "/a"),
            (b"ab", "YWI="),
        ],
    )
    def test_are_made_json(self, value: Any, seen: object) -> None:
        assert eryx.Sandbox(callbacks={"f": lambda: value}).execute("await f()").value == seen

    def test_bytes_that_are_announced_are_bytes(self) -> None:
        def f() -> bytes:
            return b"\0\xff"

        done = eryx.Sandbox(callbacks=[f]).execute("[list(await f()), list(f.sync())]")
        assert done.value == [[0, 255], [0, 255]]
        assert "async def f() -> bytes:" in eryx.callback_stub([f])


class TestPydantic:
    def test_models_and_fields(self) -> None:
        pydantic = pytest.importorskip("pydantic")

        class User(pydantic.BaseModel):  # type: ignore[misc, name-defined, unused-ignore]
            name: str
            age: int = 1

        def f(user, n):  # type: ignore[no-untyped-def]
            return user.model_copy(update={"age": n})

        f.__annotations__.update(user=User, n=Annotated[int, pydantic.Field(ge=1)])
        sandbox = eryx.Sandbox(callbacks=[f])
        assert sandbox.execute("await f({'name': 'Ada'}, 5)").value == {"name": "Ada", "age": 5}
        for given, message in (
            ("{'name': 1}, 5", "argument 'user': name:"),
            ("{'name': ''}, 0", "'n'"),
        ):
            with pytest.raises(eryx.ExecutionError, match=message):
                sandbox.execute(f"await f({given})")

    def test_definitions_are_where_references_lead(self) -> None:
        pydantic = pytest.importorskip("pydantic")

        class Address(pydantic.BaseModel):  # type: ignore[misc, name-defined, unused-ignore]
            city: str

        class Person(pydantic.BaseModel):  # type: ignore[misc, name-defined, unused-ignore]
            name: str
            address: Address

        def move(person, to):  # type: ignore[no-untyped-def]
            return person.model_copy(update={"address": to[0]})

        move.__annotations__.update({"person": Person, "to": list[Address], "return": Person})
        Person.model_rebuild(_types_namespace={"Address": Address})
        registry = eryx.CallbackRegistry()
        registry.add(move)
        (told,) = list(registry)
        assert told["schema"]["$defs"]["Address"]["required"] == ["city"]
        assert "$defs" not in told["schema"]["properties"]["person"]
        stub = registry.stub()
        assert "class Address(TypedDict):\n    city: str\n" in stub
        assert "class Person(TypedDict):\n    name: str\n    address: Address\n" in stub
        assert "async def move(person: Person, to: list[Address]) -> Person:" in stub
        code = "await move({'name': 'Ada', 'address': {'city': 'A'}}, [{'city': 'B'}])"
        assert eryx.Sandbox(callbacks=registry).execute(code).value["address"] == {"city": "B"}


class TestStub:
    def test_dicts_with_members_are_typed_dicts(self) -> None:
        def f(p: Point, row: Row, c: Colour, kind: Literal["a", 1] = "a") -> list[Point]:
            return [p]

        stub = eryx.callback_stub([f])
        assert stub.startswith("from typing import Any, Literal, NotRequired, TypedDict\n")
        assert (
            "class Point(TypedDict):\n    x: int\n    y: NotRequired[float]\n"
            "    inner: NotRequired[Point | None]\n"
        ) in stub
        assert "class Row(TypedDict):\n    n: NotRequired[int]\n" in stub
        assert (
            "async def f(p: Point, row: Row, c: Literal['red', 'blue'],"
            " kind: Literal['a', 1] = 'a') -> list[Point]:"
        ) in stub
        compile(stub, "stub", "exec")

    def test_names_that_are_taken(self) -> None:
        def f(p: Point) -> None: ...

        def g(p: Other) -> None: ...

        class Other(TypedDict):
            z: int

        Other.__name__ = "Point"
        g.__annotations__["p"] = Other
        stub = eryx.callback_stub({"f": f, "g": g, "Point2": lambda: 1})
        assert "async def f(p: Point) -> None:" in stub
        assert "async def g(p: Point3) -> None:" in stub
        assert "class Point3(TypedDict):\n    z: int\n" in stub

    def test_the_guest_knows_the_values(self) -> None:
        def f(c: Colour, data: bytes = b"", *, kind: Literal["a", "b"] = "a") -> None: ...

        code = "import inspect\nstr(inspect.signature(f))"
        assert eryx.Sandbox(callbacks=[f]).execute(code).value == (
            "(c: Literal['red', 'blue'], data: bytes = ..., kind: Literal['a', 'b'] = 'a')"
        )


class TestFailures:
    def test_a_tool_error_is_told_as_it_is(self) -> None:
        registry = eryx.CallbackRegistry(errors="type")

        @registry.callback
        def find(name: str) -> None:
            raise eryx.ToolError("no such item")

        code = "try: await find('x')\nexcept RuntimeError as error: print(error, error.host_type)"
        sandbox = eryx.Sandbox(callbacks=registry)
        assert sandbox.execute(code).stdout == "no such item ToolError"
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("await find('x')")
        assert isinstance(caught.value.__cause__, eryx.ToolError)

    def test_the_type_alone(self) -> None:
        seen: list[tuple[str, str]] = []
        registry = eryx.CallbackRegistry(
            errors="type", on_error=lambda name, error: seen.append((name, repr(error)))
        )

        @registry.callback
        def f(n: int) -> None:
            raise KeyError("secret")

        @registry.callback(errors="full")
        async def g() -> None:
            raise KeyError("open")

        sandbox = eryx.Sandbox(callbacks=registry)
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("await f(1)")
        assert caught.value.exc_message == "KeyError"
        assert "secret" not in str(caught.value)
        assert isinstance(caught.value.__cause__, KeyError)
        with pytest.raises(eryx.ExecutionError, match="KeyError: 'open'"):
            sandbox.execute("await g()")
        with pytest.raises(eryx.ExecutionError, match="argument 'n' must be int"):
            sandbox.execute("await f('x')")
        assert [name for name, _ in seen] == ["f", "g", "f"]

    def test_options_that_are_wrong(self) -> None:
        for wrong in ({"errors": "none"}, {"sync": 1}, {"on_error": 1}):
            with pytest.raises((TypeError, ValueError)):
                eryx.Sandbox(callbacks=[{"name": "f", "fn": print, **wrong}])


class TestInTheGuest:
    def test_sync(self) -> None:
        registry = eryx.CallbackRegistry()

        @registry.callback(sync=True)
        def f(n: int) -> int:
            return n + 1

        assert eryx.Sandbox(callbacks=registry).execute("f(f(1))").value == 3
        assert "\ndef f(n: int) -> int:" in registry.stub()

    def test_help_and_signature(self) -> None:
        def find(text: str, limit: int = 10, tags: list[str] | None = None) -> list[str]:
            """Finds documents.

            Those that are newest come first.
            """
            return []

        code = "import inspect\nhelp(find)\nprint(inspect.signature(find), find.__doc__)"
        output = eryx.Sandbox(callbacks=[find]).execute(code).stdout
        signature = "(text: str, limit: int = 10, tags: list | None = None)"
        assert output.startswith(f"await find{signature}\n\n    Finds documents.\n\n    Those that")
        assert output.endswith("Those that are newest come first.")
        assert f"\n{signature} Finds" in output
        listed = eryx.Sandbox(callbacks=[find]).execute("list_callbacks()").value
        assert listed[0]["description"].endswith("come first.")

    @pytest.mark.parametrize(
        "use",
        [
            *("x['a']", "x.hits", "list(x)", "len(x)", "x + 1", "bool(x)", "'a' in x", "x()"),
            *("x == 1", "1 == x", "x in [1]", "f'{x}'", "-x", "abs(x)"),
        ],
    )
    def test_a_forgotten_await_is_the_error_of_what_is_done_with_it(self, use: str) -> None:
        sandbox = eryx.Sandbox(callbacks={"find": lambda: 1})
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute(f"x = find()\n{use}")
        assert caught.value.exc_message == (
            "callback 'find' was not awaited: write `await find(...)`, or `find.sync(...)` in"
            " synchronous code"
        )
        assert "_eryx_runtime" not in caught.value.traceback

    def test_where_c_says_the_type_it_tells_as_well(self) -> None:
        sandbox = eryx.Sandbox(callbacks={"find": lambda: 1})
        with pytest.raises(eryx.ExecutionError, match="not call that was not awaited"):
            sandbox.execute("open('a', 'w').write(find())")

    def test_calls_are_equal_to_themselves(self) -> None:
        sandbox = eryx.Sandbox(callbacks={"find": lambda: 1})
        code = "x, y = find(), find()\nfound = [x == x, x == y, x != y, len({x, y})]\n"
        assert sandbox.execute(code + "await x, await y\nfound").value == [True, False, True, 2]

    def test_a_forgotten_await_is_seen_in_text(self) -> None:
        done = eryx.Sandbox(callbacks={"find": lambda: 1}).execute("print(find())\nfind()")
        assert "write `await find(...)`" in done.stdout
        assert "write `await find(...)`" in (done.value_repr or "")
        assert "RuntimeWarning: callback 'find' was not awaited" in done.stderr

    def test_what_is_not_awaited_can_be_given_on(self) -> None:
        code = """
import asyncio, inspect
x = find(n=1)
async def through(): return await x
task = asyncio.create_task(find(n=2))
async with asyncio.TaskGroup() as group:
    other = group.create_task(find(n=3))
[await through(), await task, other.result(), *await asyncio.gather(find(n=4), find(n=5)),
 await asyncio.wait_for(find(n=6), 5), inspect.isawaitable(find.sync) or asyncio.iscoroutine(x)]
"""
        done = eryx.Sandbox(callbacks={"find": lambda n: n}).execute(code)
        assert done.value == [1, 2, 3, 4, 5, 6, True]
        assert done.stderr == ""


class TestForms:
    def test_of_callbacks(self) -> None:
        def f() -> int:
            return 1

        assert eryx.Sandbox(callbacks=[f]).execute("await f()").value == 1
        assert eryx.Sandbox(callbacks={"g": f}).execute("await g()").value == 1
        with pytest.raises(TypeError, match="fn of a callback must be callable"):
            eryx.Sandbox(callbacks={"g": 1})  # type: ignore[dict-item]

    def test_of_volumes(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "a").write_text("here")
        code = "open('/in/a').read()"
        forms: tuple[Any, ...] = (
            {str(tmp_path): "/in"},
            [f"{tmp_path}:/in:ro"],
            [f"{tmp_path}:/in"],
            [(tmp_path, "/in")],
            {str(tmp_path): {"bind": "/in"}},
        )
        for volumes in forms:
            assert eryx.Sandbox(volumes=volumes).execute(code).value == "here"
        for volumes in (
            [f"{tmp_path}:/in:ro"],
            {str(tmp_path): "/in:ro"},
            {str(tmp_path): {"bind": "/in", "mode": "ro"}},
        ):
            with pytest.raises(eryx.ExecutionError, match="Read-only"):
                eryx.Sandbox(volumes=volumes).execute("open('/in/b', 'w')")
        with pytest.raises(ValueError, match="the mode of a volume"):
            eryx.Sandbox(volumes={str(tmp_path): {"bind": "/in", "mode": "z"}})
        with pytest.raises(TypeError, match="a sequence or a dict, not int"):
            eryx.Sandbox(volumes=5)  # type: ignore[arg-type]
        for wrong in ("/x", "/x:y", ":/y", ""):
            with pytest.raises(ValueError, match="a volume as text"):
                eryx.Sandbox(volumes=[wrong])


class TestPrompt:
    def test_tells_what_there_is(self, tmp_path: pathlib.Path) -> None:
        def find(text: str) -> list[str]:
            """Finds documents."""
            return []

        session = eryx.Session(
            callbacks=[find], volumes=[(tmp_path, "/in", True)], execution_timeout_ms=2_500
        )
        text = eryx.prompt(session, packages=["numpy"])
        assert "async def find(text: str) -> list[str]:\n    '''Finds documents.'''" in text
        assert "- /in (can be read)" in text
        assert "- /data (files stay there)" in text
        assert "2.5 seconds" in text
        assert "128 MiB" in text
        assert "numpy" in text
        assert "stay from one program" in text
        assert "same clean state" in eryx.prompt(eryx.Sandbox())
        assert "TypedDict" not in text

    def test_names_the_packages_of_a_factory(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "tools-1.0.dist-info").mkdir()
        (tmp_path / "tools-1.0.dist-info" / "METADATA").write_text("Name: tools\nVersion: 1.0\n")
        (tmp_path / "tools.py").write_text("x = 1")
        session = eryx.SandboxFactory(site_packages=tmp_path).create_session()
        assert "the standard library, and tools." in eryx.prompt(session)
        assert "the standard library, and more, tools." in eryx.prompt(session, packages=["more"])

    def test_says_what_a_typed_dict_is(self) -> None:
        def f(row: Row) -> None: ...

        text = eryx.prompt(eryx.Sandbox(callbacks=[f]))
        assert "what is a TypedDict here is a plain dict:\n\nfrom typing import" in text

    def test_other_things_have_none(self) -> None:
        with pytest.raises(TypeError, match="a Sandbox or Session"):
            eryx.prompt(5)  # type: ignore[arg-type]
