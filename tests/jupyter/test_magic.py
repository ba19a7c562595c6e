"""The magic %%eryx, in IPython."""

from __future__ import annotations

import doctest
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import eryx
import eryx.ext.jupyter
from eryx.ext.jupyter import CellError


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    made.run_line_magic("load_ext", "eryx.ext.jupyter")
    yield made
    made.reset()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, line: str, cell: str) -> Any:
    return shell.run_cell_magic("eryx", line, cell)


class TestMagic:
    def test_value_and_output(self, shell: InteractiveShell) -> None:
        with capture_output() as captured:
            value = run(shell, "", "print('hello')\n[6 * 7]")
        assert captured.stdout == "hello\n"
        assert repr(value) == "[42]"

    def test_rich_value(self, shell: InteractiveShell) -> None:
        cell = "class T:\n    def _repr_html_(self): return '<b>1</b>'\nT()"
        data, _ = run(shell, "", cell)._repr_mimebundle_()
        assert data["text/html"] == "<b>1</b>"

    def test_displays(self, shell: InteractiveShell) -> None:
        with capture_output() as captured:
            assert run(shell, "", "display({'text/html': '<i>2</i>'}, raw=True)") is None
        assert captured.outputs[0].data["text/html"] == "<i>2</i>"

    def test_sessions_have_names(self, shell: InteractiveShell) -> None:
        run(shell, "", "x = 1")
        run(shell, "other", "x = 2")
        assert repr(run(shell, "", "x")) == "1"
        assert repr(run(shell, "other", "x")) == "2"
        assert repr(run(shell, "other --reset", "'x' in globals()")) == "False"

    def test_variables_go_in_and_out(self, shell: InteractiveShell) -> None:
        shell.user_ns["rows"] = [1, 2, 3]
        assert run(shell, "--in rows --out total", "sum(rows)") is None
        assert shell.user_ns["total"] == 6
        with pytest.raises(UsageError, match="no variable missing"):
            run(shell, "--in missing", "1")

    def test_a_failure_shows_the_traceback_of_the_sandbox(self, shell: InteractiveShell) -> None:
        with pytest.raises(CellError, match="ZeroDivisionError") as caught:
            run(shell, "", "x = 5\n1 / 0")
        assert caught.value._render_traceback_()[-1] == "ZeroDivisionError: division by zero"
        assert repr(run(shell, "", "x")) == "5"

    def test_a_timeout(self, shell: InteractiveShell) -> None:
        with pytest.raises(CellError, match="TimeoutError"):
            run(shell, "--timeout 200ms", "while True: pass")

    def test_wrong_options(self, shell: InteractiveShell) -> None:
        with pytest.raises(UsageError, match="usage: %%eryx"):
            run(shell, "--tiemout 1s", "1")

    def test_session_of_the_caller(self, shell: InteractiveShell) -> None:
        magics = shell.magics_manager.registry["EryxMagics"]
        magics.sessions["mine"] = eryx.Session(callbacks={"double": lambda n: 2 * n})
        assert repr(run(shell, "mine", "await double(n=21)")) == "42"

    def test_input_asks_the_notebook(
        self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("builtins.input", lambda: "Ada")
        magics = shell.magics_manager.registry["EryxMagics"]
        assert repr(magics.eryx("", "input()")) == "'Ada'"

    def test_a_line(self, shell: InteractiveShell) -> None:
        assert repr(shell.run_line_magic("eryx", "6 * 7")) == "42"


class TestModule:
    def test_examples_of_docstrings(self) -> None:
        failed, attempted = doctest.testmod(eryx.ext.jupyter)
        assert attempted >= 4
        assert failed == 0

    def test_type_hints_are_found(self) -> None:
        for name in eryx.ext.jupyter.__all__:
            value = getattr(eryx.ext.jupyter, name)
            for function in (value, *(vars(value).values() if isinstance(value, type) else ())):
                if inspect.isfunction(function):
                    typing.get_type_hints(function)
