"""Runs that count their work, and runs that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

import eryx
from eryx import native
from eryx.native import NativeModule
from native_helpers import SOURCES, built, session

WORK = "sum(n * n for n in range(10_000))"
LIMIT = eryx.ResourceLimits(max_fuel=10**12)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("native")


@pytest.fixture(scope="module")
def spam(directory: Path) -> NativeModule:
    return native.translate(built(SOURCES / "spam.c", directory))


class TestFuel:
    def test_is_counted_when_it_is_asked_for(self) -> None:
        assert eryx.Sandbox().execute(WORK).fuel_consumed is None
        assert eryx.Sandbox(resource_limits=eryx.ResourceLimits()).execute(WORK).fuel_consumed is (
            None
        )
        assert isinstance(eryx.Sandbox(meter=True).execute(WORK).fuel_consumed, int)
        limited = eryx.Sandbox(resource_limits=eryx.ResourceLimits(), meter=True)
        assert isinstance(limited.execute(WORK).fuel_consumed, int)
        assert isinstance(eryx.Sandbox(resource_limits=LIMIT).execute(WORK).fuel_consumed, int)

    def test_grows_with_work_and_repeats(self) -> None:
        sandbox = eryx.Sandbox(meter=True)
        short = [sandbox.execute("for _ in range(1000): pass").fuel_consumed for _ in range(3)]
        assert short[0] is not None
        assert len(set(short)) == 1
        long = sandbox.execute("for _ in range(100_000): pass").fuel_consumed
        assert long is not None
        assert long > short[0] + 90_000
        other = eryx.Sandbox(resource_limits=LIMIT)
        assert other.execute("for _ in range(1000): pass").fuel_consumed == short[0]

    def test_errors_have_it_too(self) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            eryx.Sandbox(meter=True).execute("1 / 0")
        assert caught.value.fuel_consumed is not None
        assert caught.value.fuel_consumed > 0
        with pytest.raises(eryx.ExecutionError) as caught:
            eryx.Sandbox().execute("1 / 0")
        assert caught.value.fuel_consumed is None

    @pytest.mark.parametrize("meter", [1, None, "yes"])
    def test_meter_is_a_flag(self, meter: Any) -> None:
        with pytest.raises(TypeError, match="meter must be True or False"):
            eryx.Sandbox(meter=meter)


class TestCallsCount:
    """Recursion through functions without a loop uses fuel: none of these has an end otherwise."""

    @pytest.mark.parametrize(
        "program",
        [
            "x = None\nfor i in range(50): x = slice(x, x, x)\nhash(x)",
            "x = y = 1\nfor i in range(50): x, y = (x, x), (y, y)\nx == y",
            "x = ()\nfor i in range(50): x = slice(x, x)\nrepr(x)",
            "from functools import partial\nx = y = 1\n"
            "for i in range(50): x, y = [x, x], [y, y]\npartial(min, x)(y)",
            "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\nf(60)",
        ],
        ids=["hash", "equality", "repr", "order", "python"],
    )
    def test_fuel_ends_it(self, program: str) -> None:
        limits = eryx.ResourceLimits(max_fuel=20_000_000, execution_timeout_ms=60_000)
        with pytest.raises(eryx.ResourceLimitError, match="fuel"):
            eryx.Sandbox(resource_limits=limits).execute(program)


class TestStack:
    """Where the fuel ends there has to be room for the host to look, or the guest crashes."""

    def test_fuel_that_ends_with_the_stack(self) -> None:
        factory = eryx.SandboxFactory(
            setup_code="x = None\nfor i in range(1_500_000): x = slice(x, None)",
            resource_limits=eryx.ResourceLimits(max_memory_bytes=None),
        )
        crash = self.run(factory, 10**12)
        assert isinstance(crash, eryx.ExecutionError)
        assert "stack overflow" in str(crash)
        assert crash.fuel_consumed is not None
        for before in (1, 2, 3, 5, 10, 20, 40, 80, 160, 320, 640, 2560):
            error = self.run(factory, crash.fuel_consumed - before)
            assert isinstance(error, eryx.ExecutionError | eryx.ResourceLimitError)
        assert eryx.Sandbox(meter=True).execute("print(1)").stdout == "1"

    def run(self, factory: eryx.SandboxFactory, fuel: int) -> eryx.EryxError:
        limits = eryx.ResourceLimits(max_fuel=fuel, max_memory_bytes=None)
        with pytest.raises(eryx.EryxError) as caught:
            factory.create_sandbox(resource_limits=limits).execute("hash(x)")
        return caught.value


class TestBothKinds:
    """State that came to be in one kind of code goes on in the other."""

    STATE = "import json, functools\nkey = functools.cmp_to_key(lambda a, b: b - a)\nx = [3, 1, 2]"
    CHECK = "print(sorted(x, key=key), json.dumps(x))"
    EXPECTED = "[3, 2, 1] [3, 1, 2]"

    @pytest.mark.parametrize("first", [False, True])
    def test_factory(self, first: bool) -> None:
        limits = eryx.ResourceLimits(max_fuel=10**12 if first else None)
        factory = eryx.SandboxFactory(setup_code=self.STATE, resource_limits=limits)
        for meter in (False, True):
            done = factory.create_sandbox(meter=meter).execute(self.CHECK)
            assert done.stdout == self.EXPECTED
            assert (done.fuel_consumed is not None) == meter

    @pytest.mark.parametrize("first", [False, True])
    def test_saved_session(self, first: bool, tmp_path: Path) -> None:
        made = eryx.Session(meter=first)
        made.execute(self.STATE)
        made.save(tmp_path / "state")
        other = eryx.Session(meter=not first)
        other.load(tmp_path / "state")
        done = other.execute(self.CHECK)
        assert done.stdout == self.EXPECTED
        assert (done.fuel_consumed is None) == first

    def test_session_goes_from_one_to_the_other(self) -> None:
        made = eryx.Session()
        assert made.execute(self.STATE).fuel_consumed is None
        for _ in range(2):
            made.fuel_limit = 10**12
            before = made.checkpoint()
            done = made.execute(self.CHECK)
            assert done.stdout == self.EXPECTED
            assert done.fuel_consumed is not None
            made.fuel_limit = None
            made.rollback(before)
            done = made.fork().execute(self.CHECK)
            assert done.stdout == self.EXPECTED
            assert done.fuel_consumed is None

    def test_session_stays_metered_whatever_its_limits_are(self) -> None:
        made = eryx.Session(meter=True)
        made.fuel_limit = 10**12
        made.fuel_limit = None
        made.execution_timeout_ms = 5_000
        made.snapshot_state()
        assert made.execute(WORK).fuel_consumed is not None
        assert made.fork().execute(WORK).fuel_consumed is not None
        made.reset()
        assert made.execute(WORK).fuel_consumed is not None

    def test_pooled_sandboxes(self) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            for meter in (True, False, True):
                with pool.acquire(meter=meter) as sandbox:
                    assert (sandbox.execute(WORK).fuel_consumed is not None) == meter
            with pool.acquire(resource_limits=LIMIT) as sandbox:
                assert sandbox.execute(WORK).fuel_consumed is not None


class TestSameFuel:
    """A program uses the same fuel in all sandboxes that count it, whatever seed others draw."""

    # Names that share a place in a table with one seed do not with another.
    CODE = "sum({f'name {i}': i for i in range(2000)}[f'name {i}'] for i in range(20))"

    def used(self, done: eryx.ExecuteResult) -> int:
        assert done.fuel_consumed is not None
        return done.fuel_consumed

    def test_from_the_begin(self) -> None:
        sandboxes = [eryx.Sandbox(meter=True) for _ in range(30)]
        assert len({self.used(sandbox.execute(self.CODE)) for sandbox in sandboxes}) == 1

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_from_a_run_on(self, isolation: Literal["process"] | None) -> None:
        sandboxes = [eryx.Sandbox(isolation=isolation) for _ in range(20)]
        counted = eryx.ResourceLimits(max_fuel=10**10)
        used = set()
        for sandbox in sandboxes:
            sandbox.execute("print(1)")
            used.add(self.used(sandbox.execute(self.CODE, limits=counted)))
        assert len(used) == 1

    def test_of_a_pool(self) -> None:
        used = set()
        with eryx.SandboxPool(max_size=12) as pool:
            held = [pool.acquire(meter=True) for _ in range(12)]
            for sandbox in held:
                used.add(self.used(sandbox.execute(self.CODE)))
                sandbox.release()
        assert len(used) == 1


class TestNativeModules:
    """A module is linked once for the process, and calls the code of the sandbox it runs in."""

    def test_fuel_of_what_a_module_calls_is_counted(
        self, directory: Path, spam: NativeModule
    ) -> None:
        fuel = []
        for _ in range(2):
            made = session(directory, spam, meter=True)
            made.execute("import spam")
            fuel.append(made.execute("for _ in range(1000): spam.count()").fuel_consumed)
        assert fuel[0] == fuel[1]
        assert fuel[0] is not None

    @pytest.mark.parametrize("first", [False, True])
    def test_session_with_a_module(
        self, directory: Path, spam: NativeModule, first: bool, tmp_path: Path
    ) -> None:
        made = session(directory, spam, meter=first)
        made.execute("import spam; spam.count()")
        made.save(tmp_path / "state")
        other = session(directory, spam, meter=not first)
        other.load(tmp_path / "state")
        done = other.execute("print(spam.count())")
        assert done.stdout == "2"
        assert (done.fuel_consumed is None) == first
        made.fuel_limit = None if first else 10**12
        assert made.execute("print(spam.count())").stdout == "2"
        made.fuel_limit = 10**12 if first else None
        assert made.execute("print(spam.count())").stdout == "3"

    def test_limit_given_to_a_session_with_a_module(
        self, directory: Path, spam: NativeModule
    ) -> None:
        made = session(directory, spam)
        made.execute("import spam")
        made.fuel_limit = 5_000_000
        with pytest.raises(eryx.ResourceLimitError):
            made.execute("spam.loop()")
