"""What copies, pickles and other processes are given: results are, sandboxes are not."""

from __future__ import annotations

import concurrent.futures
import copy
import multiprocessing
import pickle
from typing import TYPE_CHECKING

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable


def one_of_each() -> list[object]:
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
    ]


class TestOneOfAKind:
    """Two objects with one sandbox behind them saw each other's secrets."""

    @pytest.mark.parametrize("function", [copy.copy, copy.deepcopy, pickle.dumps])
    def test_refused(self, function: Callable[[object], object]) -> None:
        for each in one_of_each():
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
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
    @pytest.mark.parametrize(
        "function", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]
    )
    def test_copies(self, function: Callable[[object], object]) -> None:
        result = run("print('hi'); result = {'a': [1]}")
        other = function(result)
        assert type(other) is eryx.ExecuteResult
        for name in eryx.ExecuteResult.__slots__:
            assert getattr(other, name) == getattr(result, name)
        with pytest.raises(AttributeError):
            other.stdout = "x"

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
