"""The package as a whole: names, version, import."""

from __future__ import annotations

import builtins
import importlib.metadata
import importlib.resources
import re
import subprocess
import sys
import textwrap
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
            "Call",
            "CallbackRegistry",
            "CancelledError",
            "Checkpoint",
            "Connection",
            "Deterministic",
            "Diagnostic",
            "Display",
            "Done",
            "EryxError",
            "EventRun",
            "ExecuteResult",
            "ExecutionError",
            "FileChange",
            "FileInfo",
            "FileProvider",
            "InitializationError",
            "Instrumentation",
            "Memory",
            "MountedVolume",
            "MCPManager",
            "NetConfig",
            "Output",
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
            "SessionFiles",
            "SessionThread",
            "Snapshot",
            "SuspendCallback",
            "TimeoutError",
            "ToolError",
            "Trace",
            "TraceEvent",
            "VfsStorage",
            "WorkerCrashedError",
            "Workers",
            "__version__",
            "callback_stub",
            "configure",
            "connect_servers",
            "discover_servers",
            "instrument",
            "memory",
            "prompt",
            "trim",
            "uninstrument",
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

    def test_no_warnings_in_development_mode(self) -> None:
        """`-X dev` shows what was not closed and not awaited."""
        program = """
            import asyncio, logging, threading, eryx

            logging.getLogger("asyncio").setLevel(logging.ERROR)  # tells what took long

            async def later():
                await asyncio.sleep(0.001)
                return 1

            async def never():
                await asyncio.Event().wait()

            callbacks = [
                {"name": "now", "fn": lambda: 1},
                {"name": "later", "fn": later},
                {"name": "never", "fn": never},
                {"name": "elsewhere", "fn": lambda: 1, "thread": True},
            ]
            impatient = eryx.ResourceLimits(callback_timeout_ms=50)
            code = "print(await now(), await later(), await elsewhere())"

            def run(kind):
                sandbox = kind(callbacks=callbacks, on_stdout=len)
                assert sandbox.execute(code).stdout == "1 1 1"
                try:
                    kind(callbacks=callbacks, resource_limits=impatient).execute("await never()")
                except eryx.ExecutionError:
                    pass
                return sandbox

            async def main():
                sandbox = run(eryx.Sandbox)  # which takes an event loop of a thread
                assert (await sandbox.execute_async(code)).stdout == "1 1 1"
                run_ = asyncio.create_task(eryx.Sandbox().execute_async("while True: pass"))
                await asyncio.sleep(0.05)
                run_.cancel()
                await asyncio.gather(run_, return_exceptions=True)

            run(eryx.Sandbox)
            with run(eryx.Session) as session:
                session.fork().execute("print(1)")
            for _ in range(3):
                thread = threading.Thread(target=run, args=(eryx.Sandbox,))
                thread.start()
                thread.join()
            asyncio.run(main())
            factory = eryx.SandboxFactory(setup_code="x = 1")
            with eryx.SandboxPool(factory=factory) as pool, pool.acquire() as lease:
                print(lease.execute("print(x)").stdout)
            """
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(program)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.stderr == ""
        assert done.stdout == "1\n"

    @pytest.mark.parametrize("isolated", [True, False])
    def test_subinterpreters(self, child: Callable[[str], str], isolated: bool) -> None:
        """Threads that were left at the end of one ended the process."""
        output = child(
            f"""
            import sys, textwrap
            if sys.version_info >= (3, 13):
                import _interpreters as interpreters
                kind = "isolated" if {isolated} else "legacy"
                create = lambda: interpreters.create(kind)
                run = interpreters.exec
            else:
                import _xxsubinterpreters as interpreters
                create = lambda: interpreters.create(isolated={isolated})
                run = interpreters.run_string
            program = textwrap.dedent('''
                import asyncio, eryx
                async def later(): return 1
                def run(fn, **options):
                    callbacks = [dict(name="call", fn=fn, **options)]
                    return eryx.Sandbox(callbacks=callbacks).execute("print(await call())").stdout
                assert run(lambda: 1) == run(later) == "1"
                try:
                    run(lambda: 1, thread=True)
                except eryx.ExecutionError as error:
                    assert "starts no threads in a subinterpreter" in error.exc_message
                async def main():
                    code = "print(sum(range(3_000_000)))"
                    runs = [eryx.Sandbox().execute_async(code) for _ in range(3)]
                    results = await asyncio.gather(*runs)
                    assert [result.stdout for result in results] == ["4499998500000"] * 3
                asyncio.run(main())
                session = eryx.Session()
                session.execute("x = 1")
                assert session.fork().execute("print(x)").stdout == "1"
            ''')
            for _ in range(3):
                identity = create()
                problem = run(identity, program)
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
