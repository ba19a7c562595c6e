"""Type errors before the run."""

from __future__ import annotations

from typing import Literal, TypedDict

import pytest

import eryx

pytest.importorskip("ty")


def find(text: str, limit: int = 10) -> list[str]:
    """Finds documents."""
    return []


class TestCheck:
    def test_names_line_column_and_rule(self) -> None:
        sandbox = eryx.Sandbox(callbacks=[find])
        found = sandbox.check("hits = await find(5)\nprint(hits.lower())\ndisplay(nothing)")
        assert [(each.line, each.column) for each in found] == [(1, 19), (2, 7), (3, 9)]
        assert found[0].rule == "invalid-argument-type"
        assert str(found[2]).startswith("line 3, column 9: ")
        assert "nothing" in str(found[2])

    def test_a_forgotten_await(self) -> None:
        (found,) = eryx.Sandbox(callbacks=[find]).check("find('x')[0]")
        assert "Coroutine" in found.message or "await" in found.message

    def test_good_programs(self) -> None:
        sandbox = eryx.Sandbox(callbacks={"shop.find": find})
        code = (
            "import asyncio, json\nprint(json.dumps(await shop.find('x')))\nawait asyncio.sleep(0)"
        )
        assert sandbox.check(code) == []
        assert sandbox.check("len(rows)", inputs=["rows"]) == []
        assert sandbox.check("await find('x')", callbacks=[find]) == []

    def test_dicts_and_values_that_are_known(self) -> None:
        class Visit(TypedDict):
            city: str

        def plan(visit: dict[str, str], how: Literal["train", "boat"]) -> dict[str, str]:
            return visit

        plan.__annotations__.update({"visit": Visit, "return": Visit})
        sandbox = eryx.Sandbox(callbacks=[plan])
        assert sandbox.check("v = {'city': 'Oslo'}\n(await plan(v, 'boat'))['city'].upper()") == []
        (found,) = sandbox.check("await plan({'city': 'Oslo'}, 'plane')")
        assert "Literal" in found.message
        (found,) = sandbox.check("(await plan({'city': 'Oslo'}, 'boat'))['town']")
        assert "town" in found.message

    def test_variables_of_a_session(self) -> None:
        session = eryx.Session()
        session.execute("x = 1\ndef f(): return x")
        assert session.check("f() + x") == []
        assert session.check("g()")[0].rule == "unresolved-reference"
        assert session.execution_count == 1

    def test_syntax_errors(self) -> None:
        (found, *_) = eryx.Sandbox().check("print(")
        assert found.rule == "invalid-syntax"

    def test_without_ty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.executable", "/bin/false")
        with pytest.raises(eryx.EryxError, match="ty failed"):
            eryx.Sandbox().check("1")
        monkeypatch.setattr("sys.executable", "/nowhere")
        with pytest.raises(eryx.EryxError, match="cannot be run"):
            eryx.Sandbox().check("1")
