"""What copies, pickles and other processes are given: results are, sandboxes are not.

All public classes are walked, so that a new one has to be thought about.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import io
import multiprocessing
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

import eryx
import eryx.native
import eryx.packages
from eryx._callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


LIVE = (
    *(eryx.Checkpoint, eryx.PooledSandbox, eryx.Sandbox, eryx.SandboxFactory, eryx.SandboxPool),
    *(eryx.Session, eryx.VfsStorage, eryx.Call, eryx.EventRun),
    *(eryx.SessionFiles, eryx.MountedVolume, eryx.Workers, eryx.MCPManager),
    eryx.Instrumentation,
    eryx.packages.Installer,
)

PICKLES = [
    lambda each, protocol=protocol: pickle.loads(pickle.dumps(each, protocol))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
]


def double(number: int) -> int:
    return 2 * number


def public_classes() -> set[type]:
    modules: list[ModuleType] = [eryx, eryx.native, eryx.packages]
    names = [(module, name) for module in modules for name in module.__all__]
    found = (getattr(module, name) for module, name in names)
    return {each for each in found if isinstance(each, type)}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def one_of_each_live_class() -> list[object]:
    pool = eryx.SandboxPool(max_size=2)
    session = eryx.Session()
    factory = eryx.SandboxFactory(setup_code="x = 1")
    return [
        eryx.Sandbox(),
        session,
        session.checkpoint(),
        factory,
        factory.create_sandbox(),
        factory.create_session(),
        pool,
        pool.acquire(),
        eryx.VfsStorage(),
        session.start(""),
        session.files,
        eryx.Sandbox(volumes=[("/tmp", "/o", "overlay")]).volumes[0],
        a_call(),
        eryx.Workers(),
        eryx.MCPManager(),
        an_instrumentation(),
        eryx.packages.Installer(["greet"]),
    ]


def a_lock() -> eryx.packages.Lock:
    text = 'lock-version = "1.0"\ncreated-by = "nobody"\npackages = []\n'
    return eryx.packages.Lock._parsed(text, "/", None)


def an_instrumentation() -> eryx.Instrumentation:
    with eryx.instrument(prometheus=CollectorRegistry()) as made:
        return made


def a_call() -> eryx.Call:
    async def make() -> eryx.Call:
        return eryx.Call(Callback(double), {})

    return asyncio.run(make())


def failure(kind: type[eryx.EryxError]) -> eryx.EryxError:
    """As a run raises it."""
    error = kind("the reason")
    error.stdout, error.stdout_bytes = "so far", b"so far\n"
    error.trace = [eryx.TraceEvent("line", 1)]
    return error


def one_of_each_data_class() -> list[object]:
    registry = eryx.CallbackRegistry()
    registry.add(double)
    session = eryx.Session()
    session.execute("x = 1; y = (n for n in ())")
    package = eryx.packages.Package(name="greet", version="1.0", source="greet")
    missing = eryx.packages.Missing("spam", "spam>=1", "greet 1.0", None)
    sandbox = eryx.Sandbox(callbacks=registry, trace=True)
    journal = sandbox.execute_with_journal("print(await double(number=2))")
    return [
        registry,
        eryx.Connection("example.com", "192.0.2.1", 443, True, 1, 2, 3.0, True, None),
        sandbox.execute("print('hi'); result = {'a': [1]}; open('a', 'w').write('b')"),
        eryx.memory(),
        eryx.NetConfig(allowed_hosts=["example.com"]).with_root_cert(b"x").allow_localhost(),
        eryx.SandboxPool(max_size=2).stats(),
        journal,
        eryx.ResourceLimits(max_fuel=7),
        session.snapshot_state(),
        eryx.Display({"text/plain": "1"}),
        eryx.FileChange("/data/a", "made", "file", 1),
        eryx.FileInfo("file", 1, 2.5),
        eryx.Output("stdout", "1\n"),
        eryx.Diagnostic(1, 2, "rule", "wrong"),
        eryx.Deterministic(seed=3, start="2030-01-02T03:04:05Z", tick=7),
        eryx.Trace(eryx.TraceEvent("line", 1)),
        eryx.Done(sandbox.execute("1"), None, {}),
        eryx.TraceEvent("line", 1, "f", "<user>"),
        eryx.SessionThread("beat", True, "waiting", "line 1 of <user>, in <module>"),
        eryx.native.NativeModule("spam.so", "00", Path("/spam.so"), "11"),
        package,
        missing,
        eryx.packages.Indexes(index_url="https://example.com/simple"),
        a_lock(),
        eryx.packages.PackageSet(
            (package,), {"greet.py": b""}, (missing,), {}, ({"greet.py": b""},)
        ),
    ]


class TestEveryPublicClass:
    def test_is_live_or_holds_data_or_is_an_exception(self) -> None:
        data = {type(each) for each in one_of_each_data_class()}
        errors = {each for each in public_classes() if issubclass(each, BaseException)}
        shapes = {eryx.FileProvider, eryx.packages.Report}  # which have nothing of their own
        assert data | errors | set(LIVE) | shapes == public_classes()
        assert not (data | errors) & set(LIVE)

    def test_all_live_classes_are_tried(self) -> None:
        kinds = [type(each) for each in one_of_each_live_class()]
        assert all(any(issubclass(kind, live) for kind in kinds) for live in LIVE)


class TestData:
    @pytest.mark.parametrize("function", [copy.copy, copy.deepcopy, *PICKLES])
    def test_copies_are_equal(self, function: Callable[[object], object]) -> None:
        for each in one_of_each_data_class():
            other = function(each)
            assert type(other) is type(each)
            assert other == each
            assert repr(other) == repr(each)

    def test_not_equal_to_others(self) -> None:
        ones, others = one_of_each_data_class(), one_of_each_data_class()
        for each in ones:
            assert each != "x"
            assert [other for other in ones if other == each] == [each]
        alike = [one == other for one, other in zip(ones, others, strict=True)]
        unlike = [type(one) for one, is_alike in zip(ones, alike, strict=True) if not is_alike]
        # Two runs never take the same time; a snapshot has the seed of its session.
        made_by_runs = {
            eryx.ExecuteResult,
            eryx.ReplayOutcome,
            eryx.Snapshot,
            eryx.Done,
            eryx.Memory,
        }
        assert set(unlike) <= made_by_runs

    def test_hashes_of_equal_ones_are_equal(self) -> None:
        changeable = (
            *(eryx.CallbackRegistry, eryx.PoolStats, eryx.ReplayOutcome, eryx.ResourceLimits),
            *(eryx.Display, eryx.Done, eryx.Output, eryx.Trace),
        )
        for each in one_of_each_data_class():
            if isinstance(each, changeable):
                with pytest.raises(TypeError, match="unhashable"):
                    hash(each)
            else:
                assert hash(each) == hash(copy.deepcopy(each))

    def test_printed_short_and_by_name(self) -> None:
        for each in one_of_each_data_class():
            assert type(each).__name__ in repr(each)
            assert len(repr(each)) < 1000
            assert len(str(each)) < 1000

    @pytest.mark.parametrize("function", [copy.copy, copy.deepcopy, *PICKLES])
    def test_exceptions_keep_what_they_carry(self, function: Callable[[object], object]) -> None:
        for kind in public_classes():
            if issubclass(kind, eryx.EryxError):
                error = failure(kind)
                other = function(error)
                assert type(other) is kind
                assert isinstance(other, kind)
                assert other.args == error.args
                assert vars(other) == vars(error)
                assert str(other) == "the reason"

    def test_a_copy_of_a_registry_is_another_one(self) -> None:
        registry = eryx.CallbackRegistry()
        registry.add(double)
        for function in (copy.copy, copy.deepcopy):
            other = function(registry)
            assert other == registry
            other.add(double, name="twice")
            assert len(registry) == 1
            assert other != registry

    def test_restored_packages_are_used(self) -> None:
        packages = eryx.packages.collect([("greet.zip", zipped({"greet.py": b"hello = 'hi'"}))])
        other = pickle.loads(pickle.dumps(packages))
        assert other.digest == packages.digest
        with pytest.raises(TypeError):
            other.files["x"] = b""
        session = eryx.Session(vfs=other.storage, vfs_mount_path="/greet")
        assert session.execute("print(open('/greet/greet.py').read())").stdout == "hello = 'hi'"


class TestOneOfAKind:
    """Two objects with one sandbox behind them saw each other's secrets."""

    @pytest.mark.parametrize("function", [copy.copy, copy.deepcopy, pickle.dumps])
    def test_refused(self, function: Callable[[object], object]) -> None:
        for each in one_of_each_live_class():
            with pytest.raises(TypeError, match=r"cannot be copied or pickled, because .*: ."):
                function(each)

    def test_named_as_the_caller_knows_it(self) -> None:
        session = eryx.SandboxFactory(setup_code="x = 1").create_session()
        with pytest.raises(TypeError, match=r"^a Session cannot .* `fork` gives a copy"):
            copy.copy(session)
        assert session.execute("print(x)").stdout == "1"

    def test_a_lease_stays_one(self) -> None:
        pool = eryx.SandboxPool(max_size=2)
        with pool.acquire() as lease, pytest.raises(TypeError):
            copy.copy(lease)
        assert pool.stats().in_use == 0
        assert pool.stats().available == 2


def run(code: str) -> eryx.ExecuteResult:
    limits = eryx.ResourceLimits(execution_timeout_ms=5_000)
    return eryx.Sandbox(resource_limits=limits).execute(code)


class TestResults:
    @pytest.mark.parametrize("function", [copy.copy, copy.deepcopy, *PICKLES])
    def test_copies(self, function: Callable[[object], object]) -> None:
        result = run("print('hi'); result = {'a': [1]}")
        other = function(result)
        assert type(other) is eryx.ExecuteResult
        names = [name for name, item in vars(eryx.ExecuteResult).items() if type(item) is property]
        assert {"stdout", "result", "trace", "connections"} <= set(names)
        for name in names:
            assert getattr(other, name) == getattr(result, name)
        with pytest.raises(AttributeError):
            other.stdout = "x"  # type: ignore[misc]

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_other_processes(self, method: str) -> None:
        """A result that could not be read ended the whole pool of processes."""
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
            assert executor.submit(run, "print('hi')").result(timeout=60).stdout == "hi"
            failed = executor.submit(run, "print('so far'); 1/0").exception(timeout=60)
        assert isinstance(failed, eryx.ExecutionError)
        assert failed.stdout == "so far"
        assert failed.exc_type == "ZeroDivisionError"
