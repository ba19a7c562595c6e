"""What all adapters have in common, and what is true of each of them."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import gc
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import threading
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

import eryx
from eryx.ext import _shared
from programs import PNG, SHOW_PICTURE

ROOT = Path(__file__).parents[2]

# Module to a package that it needs, and the extra that brings it.
ADAPTERS = {
    "autogen": ("autogen_core", "autogen"),
    "dspy": ("dspy", "dspy"),
    "google_adk": ("google.adk", "google-adk"),
    "inspect_ai": ("inspect_ai", "inspect-ai"),
    "langchain": ("langchain", "langchain"),
    "llama_index": ("llama_index", "llama-index"),
    "openai_agents": ("agents", "openai-agents"),
    "pydantic_ai": ("pydantic_ai", "pydantic-ai"),
    "smolagents": ("smolagents", "smolagents"),
}


def conversations(most: int = 10, **options: Any) -> _shared.Conversations:
    return _shared.Conversations(None, most, options)  # type: ignore[arg-type]


class TestConversations:
    def test_each_has_variables_of_its_own(self) -> None:
        made = conversations()
        for key in ("a", "b"):
            with made.session(key) as session:
                session.execute(f"x = {key!r}")
        with made.session("a") as session:
            assert session.execute("x").value == "a"

    def test_the_one_used_longest_ago_is_closed(self) -> None:
        made = conversations(most=2)
        for key in ("a", "b", "a", "c"):
            with made.session(key) as session:
                session.execute(f"x = {key!r}")
        with made.session("a") as session:
            assert session.execute("x").value == "a"
        with made.session("b") as session, pytest.raises(eryx.ExecutionError, match="NameError"):
            session.execute("x")

    def test_one_in_use_is_not_closed(self) -> None:
        made = conversations(most=1)
        with made.session("a") as first, made.session("b") as second:
            assert first.execute("1").value == second.execute("1").value == 1
        with made.session("c"):
            pass
        with pytest.raises(eryx.EryxError, match="closed"):
            first.execute("1")

    def test_threads_make_one_session(self) -> None:
        made = conversations()
        seen = []

        def use() -> None:
            with made.session("a") as session:
                seen.append(session)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert len(set(map(id, seen))) == 1

    def test_a_session_without_a_key_is_for_one_use(self) -> None:
        made = conversations()
        with made.session_or_new(None) as session:
            session.execute("x = 1")
        with pytest.raises(eryx.EryxError, match="closed"):
            session.execute("x")

    def test_a_lifetime_ends_with_its_object(self) -> None:
        class Run:
            pass

        made = conversations()
        lifetimes = _shared.Lifetimes(made)
        run = Run()
        assert lifetimes.key(run) == lifetimes.key(run) != lifetimes.key(made)
        with made.session(lifetimes.key(run)) as session:
            session.execute("x = 1")
        del run
        gc.collect()
        with pytest.raises(eryx.EryxError, match="closed"):
            session.execute("x")

    def test_factory_makes_the_sessions(self) -> None:
        factory = eryx.SandboxFactory(setup_code="x = 41")
        made = _shared.Conversations(factory, 10, {})
        with made.session("a") as session:
            assert session.execute("x + 1").value == 42

    def test_no_session_at_all_is_refused(self) -> None:
        with pytest.raises(ValueError, match="max_sessions"):
            conversations(most=0)


class TestRuns:
    def test_a_lost_session_starts_anew_and_says_so(self) -> None:
        session = eryx.Session()
        session.execute("x = 1")
        with contextlib.suppress(eryx.ExecutionError):
            session.execute("import os; os._exit(1)")
        ending = _shared.run(session, "x")
        assert "All variables are lost" in ending.to_text()
        assert "NameError" in _shared.run(session, "x").to_text()

    def test_handlers_of_the_session_are_called_as_well(self) -> None:
        seen: list[tuple[str, str]] = []

        async def later(text: str) -> None:
            seen.append(("run", text))

        session = eryx.Session(on_stdout=lambda text: seen.append(("session", text)))
        _shared.run(session, "print(1)", on_stdout=lambda text: seen.append(("run", text)))
        asyncio.run(_shared.run_async(session, "print(2)", on_stdout=later))
        assert seen == [(who, f"{n}\n") for n in (1, 2) for who in ("session", "run")]

    def test_pictures_are_those_that_can_be_decoded(self) -> None:
        done = eryx.Sandbox().execute(
            SHOW_PICTURE.replace("\nPicture()", "display(Picture())")
            + "display({'image/png': '?'}, raw=True)\ndisplay({'image/png': 5}, raw=True)"
        )
        assert [one.data for one in _shared.pictures(done)] == [PNG]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("find", "find"), ("my-tool", "my_tool"), ("a.b", "a_b"), ("2nd", "tool_2nd")],
    )
    def test_names_of_tools_become_names_of_python(self, name: str, expected: str) -> None:
        assert _shared.identifier(name) == expected
        assert _shared.identifier(name, {expected}) == f"{expected}_"

    def test_names_that_python_has_can_be_called(self) -> None:
        callbacks = [
            {"name": name, "fn": lambda n: n + 1, "sync": True} for name in ("open", "__tool__")
        ]
        session = eryx.Session()
        session.execute(_shared.bindings(["open", "__tool__", "plain"]), callbacks=callbacks)
        done = session.execute("open(1) + __tool__(n=2)", callbacks=callbacks)
        assert done.value == 5


@pytest.mark.parametrize("name", ADAPTERS)
class TestEveryAdapter:
    def module(self, name: str) -> Any:
        return importlib.import_module(f"eryx.ext.{name}")

    def parts(self, name: str) -> list[Any]:
        """The module, and those that it is made of if it is a package."""
        module = self.module(name)
        folders = getattr(module, "__path__", ())
        inner = [f"{module.__name__}.{each.name}" for each in pkgutil.iter_modules(folders)]
        return [module, *map(importlib.import_module, inner)]

    def test_type_hints_are_found(self, name: str) -> None:
        """Frameworks read them, since methods are handed to them as tools."""
        module = self.module(name)
        for public in module.__all__:
            value = getattr(module, public)
            members = vars(value).items() if isinstance(value, type) else ()
            for member, function in [(public, value), *members]:
                if inspect.isfunction(function) and function.__module__.startswith(module.__name__):
                    hints = typing.get_type_hints(function)
                    assert not [hint for hint in hints.values() if isinstance(hint, str)], member

    def test_everything_public_is_documented(self, name: str) -> None:
        module = self.module(name)
        for public in module.__all__:
            value = getattr(module, public)
            assert value.__doc__, public
            for member, function in vars(value).items() if isinstance(value, type) else ():
                own = inspect.isfunction(function) and function.__module__.startswith(
                    module.__name__
                )
                if own and not member.startswith("_"):
                    assert function.__doc__, f"{public}.{member}"

    def test_examples_of_docstrings(self, name: str) -> None:
        results = [doctest.testmod(part) for part in self.parts(name)]
        assert sum(result.attempted for result in results) >= 3
        assert not any(result.failed for result in results)

    def test_missing_package_names_the_command(self, name: str) -> None:
        package, extra = ADAPTERS[name]
        code = f"import sys; sys.modules[{package!r}] = None; import eryx.ext.{name}"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert f"pip install 'eryx-sandbox[{extra}]'" in done.stderr
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
            "optional-dependencies"
        ]
        assert extras[extra]

    def test_is_small(self, name: str) -> None:
        """Some 150 lines for one idea, with as many at most that are code."""
        for part in self.parts(name):
            source = inspect.getsource(part)
            statements = re.sub(r'"""(?:.|\n)*?"""', "", source)
            assert source.count("\n") < 200, part
            assert len([line for line in statements.splitlines() if line.strip()]) < 150, part
