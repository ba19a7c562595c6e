"""What tools are told of the public names: dir(), help(), documentation and type hints."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import pydoc
import rlcompleter
import typing
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

import eryx
import eryx.mcp
import eryx.native
import eryx.packages
import eryx.science
import eryx.server
from eryx import _option_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = (eryx, eryx.mcp, eryx.native, eryx.packages, eryx.science, eryx.server)

METHODS = (FunctionType, classmethod, staticmethod, property, cached_property)


def functions_of(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods of a class, those of its properties and its special ones."""
    for name in dir(kind):
        if name.startswith("_") and not name.startswith("__"):
            continue
        value = inspect.getattr_static(kind, name)
        for part in ("__func__", "fget", "fset", "func", None):
            function = value if part is None else getattr(value, part, None)
            if inspect.isfunction(function):
                yield f"{kind.__module__}.{kind.__name__}.{name}", function


def public() -> list[tuple[str, Any]]:
    """All public classes and functions, with the methods of the classes."""
    found: dict[str, Any] = {}
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                found[f"{module.__name__}.{name}"] = value
            if isinstance(value, type):
                found.update(functions_of(value))
    return sorted(found.items(), key=lambda item: item[0])


PUBLIC = public()


class TestNames:
    def test_dir_has_all_names(self, child: Callable[[str], str]) -> None:
        """12 of 30 were there until the others had been used."""
        names = {*eryx.__all__, "native", "packages"}
        assert names <= set(dir(eryx))
        assert child("import eryx; print(' '.join(dir(eryx)))").split() == dir(eryx)
        assert not [name for name in dir(eryx) if name.startswith("_") and name[:2] != "__"]

    def test_tab_completes_all_names(self) -> None:
        completer = rlcompleter.Completer({"eryx": eryx})
        for name in eryx.__all__:
            assert (completer.complete(f"eryx.{name}", 0) or "").startswith(f"eryx.{name}")

    def test_help_shows_all_names(self) -> None:
        text = pydoc.plain(pydoc.render_doc(eryx))
        for name in {*eryx.__all__, "native", "packages"} - {"__version__"}:
            assert name in text

    def test_submodules_are_there_without_being_imported(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import sys
            import eryx
            assert not {"eryx.native", "eryx.packages"} & set(sys.modules)
            print(eryx.native.translate.__name__, eryx.packages.collect.__name__)
            """
        )
        assert output == "translate collect"

    def test_import_of_all_names(self) -> None:
        names: dict[str, object] = {}
        exec("from eryx import *", names)
        assert set(eryx.__all__) <= set(names)

    def test_other_names_are_refused(self) -> None:
        with pytest.raises(AttributeError, match="has no attribute 'Sandbx'"):
            eryx.Sandbx  # type: ignore[attr-defined]  # noqa: B018


class TestDocumentation:
    def test_everything_public_has_some(self) -> None:
        for module in MODULES:
            for name in module.__all__:
                value = getattr(module, name)
                assert name == "__version__" or inspect.getdoc(value), name
                for attribute in dir(value) if isinstance(value, type) else ():
                    member = inspect.getattr_static(value, attribute)
                    if not attribute.startswith("_") and isinstance(member, METHODS):
                        assert inspect.getdoc(getattr(value, attribute)), f"{name}.{attribute}"

    def test_a_session_does_not_say_that_it_starts_clean(self) -> None:
        assert "clean state" in (eryx.Sandbox.execute.__doc__ or "")
        assert "present state" in (eryx.Session.execute.__doc__ or "")
        for name, function in functions_of(eryx.Session):
            assert "clean state" not in (function.__doc__ or ""), name

    def test_help_shows_types(self) -> None:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            pydoc.Helper(output=output).help(eryx.Sandbox.execute)
        assert "code: str" in output.getvalue()
        assert "ExecuteResult" in output.getvalue()


class TestTypeHints:
    """32 of 67 failed, because what they name is imported by type checkers only."""

    def test_of_everything_public(self) -> None:
        assert len(PUBLIC) > 150
        for name, value in PUBLIC:
            try:
                hints = typing.get_type_hints(value)
            except NameError as error:
                pytest.fail(f"{name}: {error}")
            assert not [hint for hint in hints.values() if isinstance(hint, str)], name

    def test_signatures_of_everything_public(self) -> None:
        for name, value in PUBLIC:
            if inspect.isfunction(value):
                for parameter in inspect.signature(value).parameters.values():
                    assert not isinstance(parameter.annotation, typing.ForwardRef), name

    def test_are_the_types(self) -> None:
        hints = typing.get_type_hints(eryx.Sandbox.execute)
        assert hints["stdin"] == _option_types.StandardInput | None
        assert hints["return"] is eryx.ExecuteResult
        assert typing.get_type_hints(eryx.Session.__init__)["vfs"] == eryx.VfsStorage | None
        connections = typing.get_type_hints(vars(eryx.ExecuteResult)["connections"].fget)
        assert connections["return"] == list[eryx.Connection]
        assert typing.get_type_hints(eryx.ResourceLimits)["max_fuel"] == int | None

    def test_annotations_are_a_dict_to_everybody(self) -> None:
        for hints in (eryx.Sandbox.cancel.__annotations__, eryx.NetConfig.__annotations__):
            for copied in (
                dict(hints),
                {**hints},
                hints.copy(),
                copy.copy(hints),
                copy.deepcopy(hints),
            ):
                assert type(copied) is dict
                assert copied == hints != {}
                assert not [value for value in copied.values() if isinstance(value, str)]

    def test_of_a_subclass_of_the_caller(self) -> None:
        class Own(eryx.Session):
            name: str

        assert typing.get_type_hints(Own)["name"] is str
        assert typing.get_type_hints(Own.execute)["return"] is eryx.ExecuteResult

    def test_reading_them_imports_nothing_before(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import sys
            import eryx
            before = "typing" in sys.modules
            import typing
            print(before, typing.get_type_hints(eryx.Sandbox.execute)["code"])
            """
        )
        assert output == "False <class 'str'>"
