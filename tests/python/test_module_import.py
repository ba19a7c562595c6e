"""The package as a whole: names, version, import."""

from __future__ import annotations

import builtins
import importlib.metadata
import importlib.resources
import re
import sys
from typing import TYPE_CHECKING

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable


class TestModuleImport:
    def test_every_public_name_resolves(self) -> None:
        for name in eryx.__all__:
            assert getattr(eryx, name) is not None

    def test_public_names_are_those_of_this_version(self) -> None:
        assert set(eryx.__all__) == {
            "CallbackRegistry",
            "CancelledError",
            "Checkpoint",
            "Connection",
            "EryxError",
            "ExecuteResult",
            "ExecutionError",
            "InitializationError",
            "NetConfig",
            "PoolClosedError",
            "PoolError",
            "PoolExhaustedError",
            "PoolStats",
            "PoolTimeoutError",
            "PooledSandbox",
            "ReplayOutcome",
            "ResourceLimitError",
            "ResourceLimits",
            "Sandbox",
            "SandboxFactory",
            "SandboxPool",
            "Session",
            "Snapshot",
            "SuspendCallback",
            "TimeoutError",
            "TraceEvent",
            "VfsStorage",
            "__version__",
            "callback_stub",
            "configure",
            "trim",
        }

    def test_version_is_major_minor_patch(self) -> None:
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", eryx.__version__)

    def test_version_equals_that_of_the_distribution(self) -> None:
        try:
            installed = importlib.metadata.version("eryx-sandbox")
        except importlib.metadata.PackageNotFoundError:
            pytest.skip("the package is used from the build tree")
        assert eryx.__version__ == installed

    def test_package_is_marked_as_typed(self) -> None:
        files = importlib.resources.files("eryx")
        assert files.joinpath("py.typed").is_file()
        assert files.joinpath("_eryx.pyi").is_file()

    @pytest.mark.parametrize(
        "name",
        [
            "ExecutionError",
            "InitializationError",
            "ResourceLimitError",
            "TimeoutError",
            "CancelledError",
        ],
    )
    def test_exceptions_have_one_base(self, name: str) -> None:
        assert issubclass(getattr(eryx, name), eryx.EryxError)
        assert issubclass(eryx.EryxError, Exception)

    def test_timeout_error_is_also_the_builtin_one(self) -> None:
        assert issubclass(eryx.TimeoutError, builtins.TimeoutError)
        assert issubclass(eryx.TimeoutError, eryx.EryxError)

    def test_public_names_say_that_they_are_of_the_package(self) -> None:
        for name in eryx.__all__:
            value = getattr(eryx, name)
            if isinstance(value, type):
                assert value.__module__ == "eryx"
                assert value.__doc__

    def test_import_starts_nothing(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import os, signal
            def handlers():
                return [signal.getsignal(number) for number in signal.valid_signals()]
            def caught_signals():
                with open("/proc/self/status") as file:
                    names = ("SigBlk", "SigIgn", "SigCgt", "Threads")
                    return [line for line in file if line.startswith(names)]
            before = handlers(), caught_signals(), len(os.listdir("/proc/self/fd"))
            import eryx
            after = handlers(), caught_signals(), len(os.listdir("/proc/self/fd"))
            print(before == after)
            """
        )
        assert output == "True"

    def test_import_pulls_in_no_heavy_module(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import sys
            before = set(sys.modules)
            import eryx
            heavy = {"asyncio", "typing", "dataclasses", "json", "inspect", "threading"}
            print(sorted((set(sys.modules) - before) & heavy))
            """
        )
        assert output == "[]"

    def test_subinterpreters_work_or_fail_with_import_error(
        self, child: Callable[[str], str]
    ) -> None:
        if sys.version_info < (3, 13):
            module = "_xxsubinterpreters"
        else:
            module = "_interpreters"
        output = child(
            f"""
            import {module} as interpreters
            program = '''
            try:
                import eryx
            except ImportError:
                pass
            else:
                assert eryx.Sandbox().execute("print(6 * 7)").stdout == "42"
            '''
            import textwrap
            for _ in range(2):
                identity = interpreters.create()
                problem = interpreters.run_string(identity, textwrap.dedent(program))
                assert problem is None, problem
                interpreters.destroy(identity)
            import eryx
            print(eryx.Sandbox().execute("print('main')").stdout)
            """
        )
        assert output == "main"

    def test_binding_shows_one_symbol_only(self) -> None:
        import ctypes

        from eryx import _eryx

        library = ctypes.CDLL(_eryx.__file__)
        assert library.PyInit__eryx
        with pytest.raises(AttributeError):
            assert library.eryx_version
