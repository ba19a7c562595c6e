"""eryx-science: how packages are found in it, and how sandboxes have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import eryx
from eryx import _factory, _science, science
from eryx.native import NativeModuleError, _prebuilt, from_files
from eryx.packages import _bytecode

pytestmark = [pytest.mark.sample, pytest.mark.needs("numpy")]

SUM = "import numpy as np; print(np.arange(10).sum())"
MISSING = "the packages for science are not installed: pip install eryx-science"


@pytest.fixture(scope="module")
def factory() -> eryx.SandboxFactory:
    return science.factory("numpy")


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if eryx-science were not installed."""
    monkeypatch.setattr(_prebuilt, "installed", lambda: None)
    monkeypatch.setattr(_science, "installed", lambda: None)


class TestFinding:
    """Names of packages, and what comes of them."""

    def test_a_wheel_by_its_name(self) -> None:
        found = science.find("NumPy")
        assert found is not None
        assert found.name.startswith("numpy-")
        assert science.find("no-such-package") is None

    def test_factories_take_names(self) -> None:
        made = eryx.SandboxFactory(packages=["numpy"])
        assert made.create_sandbox().execute(SUM).stdout == "45"
        assert [name for name, _ in made.packages] == ["numpy"]

    def test_a_version_that_is_not_there(self) -> None:
        with pytest.raises(eryx.InitializationError, match="numpy"):
            eryx.SandboxFactory(packages=["numpy<1"])

    def test_what_is_unknown_is_named(self) -> None:
        with pytest.raises(eryx.InitializationError, match="no-such-package"):
            eryx.SandboxFactory(packages=["no-such-package"])

    def test_without_the_wheel_an_error_says_how_to_get_it(self, without: None) -> None:
        assert science.find("numpy") is None
        for make in (science.factory, lambda name: eryx.SandboxFactory(packages=[name])):
            with pytest.raises(eryx.InitializationError) as caught:
                make("numpy")
            assert str(caught.value) == f"numpy: {MISSING}"


class TestContents:
    """What of the packages is there."""

    def test_all_names_of_numpy(self, factory: eryx.SandboxFactory) -> None:
        """Of which numpy.f2py is one that is imported late."""
        program = "from numpy import *; print(f2py.__name__, pi)"
        done = factory.create_sandbox().execute(program)
        assert done.stdout == "numpy.f2py 3.141592653589793"


class TestReady:
    """What a first use would have to make is in the companion."""

    def test_the_factory_of_numpy_is_there_already(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> bytes:
            raise AssertionError("something is made that is there already")

        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(_bytecode, "_kept", {})
        monkeypatch.setattr(_bytecode, "_compile_all", refuse)
        eryx.SandboxFactory(packages=["numpy"])
        monkeypatch.setattr(_factory, "_build", refuse)
        made = science.factory("numpy")
        assert made.create_sandbox().execute(SUM).stdout == "45"
        assert made.imports == ("numpy",)


class TestStubs:
    """What stands for modules in the wheels."""

    def test_a_stub_is_a_few_bytes(self) -> None:
        made = _prebuilt.stub(b"\0asm" + bytes(1000))
        assert len(made) < 64
        assert _prebuilt.is_stub(made)
        assert not _prebuilt.is_stub(made[:-1])
        assert not _prebuilt.is_stub(b"\0asm\1\0\0\0")

    def test_a_stub_of_what_is_not_there(self) -> None:
        with pytest.raises(NativeModuleError) as caught:
            from_files({"ham.whl: ham.so": _prebuilt.stub(b"ham")})
        assert str(caught.value) == (
            "ham.whl: ham.so: its translation is in a package that is missing: "
            "pip install eryx-science"
        )

    def test_another_build_is_refused(self, tmp_path: Path) -> None:
        """By a process that has the companion of another build."""
        package = tmp_path / "eryx_science"
        package.mkdir()
        (package / "__init__.py").write_text("")
        manifest = {"format": 1, "build": "0" * 64, "version": "0.0.1"}
        (package / "manifest.json").write_text(json.dumps(manifest))
        program = "import eryx; eryx.SandboxFactory(packages=['numpy'])"
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {program}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "eryx-science 0.0.1 was made for another build of eryx" in done.stderr

    def test_a_library_that_was_changed_is_not_opened(self, tmp_path: Path) -> None:
        """By a process that finds it in its cache folder."""
        import shutil

        found = science.find("numpy")
        assert found is not None
        copy = tmp_path / "native" / found.parent.name
        shutil.copytree(found.parent, copy)
        copy.parent.chmod(0o700)
        victim = max(copy.glob("*.so"), key=lambda path: path.stat().st_size)
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
        program = "import eryx.science; eryx.science.factory('numpy', cache=False)"
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "ERYX_CACHE_DIR": str(tmp_path)},
        )
        assert "InitializationError" in done.stderr
        assert victim.name in done.stderr


class TestSandboxes:
    """Sandboxes with numpy."""

    def test_it_is_imported_already(self, factory: eryx.SandboxFactory) -> None:
        assert factory.imports == ("numpy",)
        loaded = "import sys; print('numpy' in sys.modules)"
        assert factory.create_sandbox().execute(loaded).stdout == "True"

    def test_there_is_memory_for_it(self, factory: eryx.SandboxFactory) -> None:
        """512 MiB, unless the caller says otherwise."""
        most = "import numpy as np; a = np.ones(40_000_000); print(int(a.sum()))"
        assert factory.create_sandbox().execute(most).stdout == "40000000"
        limits = eryx.ResourceLimits(execution_timeout_ms=20_000)
        assert factory.create_session(resource_limits=limits).execute(most).stdout == "40000000"
        limits = eryx.ResourceLimits(max_memory_bytes=134_217_728)
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            factory.create_sandbox(resource_limits=limits).execute(most)

    @pytest.mark.needs("pandas")
    def test_packages_are_used_once_ahead_of_time(self) -> None:
        """Which leaves no names behind, and is not done where the caller has a program."""
        names = "print(sorted(name for name in dir() if not name.startswith('__')))"
        used = "import sys; print('pandas.io.formats.csvs' in sys.modules)"
        warm = science.factory("pandas").create_sandbox()
        assert warm.execute(names).stdout == "[]"
        assert warm.execute(used).stdout == "True"
        own = science.factory("pandas", setup_code="spam = 1").create_sandbox()
        assert own.execute(names).stdout == "['spam']"
        assert own.execute(used).stdout == "False"

    def test_files_of_factories(self, factory: eryx.SandboxFactory, tmp_path: Path) -> None:
        factory.save(tmp_path / "numpy.factory")
        loaded = eryx.SandboxFactory.load(tmp_path / "numpy.factory")
        assert loaded.create_sandbox().execute(SUM).stdout == "45"

    def test_matrices(self, factory: eryx.SandboxFactory) -> None:
        """What OpenBLAS computes is what numpy's own loops do, in all shapes and types."""
        program = """
import numpy as np
rng = np.random.default_rng(1)
worst = 0
for kind in ("f4", "f8", "c8", "c16"):
    for m, n, k in [(1, 1, 1), (3, 5, 7), (4, 4, 4), (17, 9, 33), (64, 65, 66), (130, 3, 300)]:
        a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
        if kind[0] == "c":
            a, b = a + 1j * rng.normal(size=a.shape), b - 1j * rng.normal(size=b.shape)
        a, b = a.astype(kind), b.astype(kind)
        for left, right in ((a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))):
            plain = np.einsum("ij,jk->ik", left, right, optimize=False)
            scale = np.finfo(kind).eps * k * 8
            worst = max(worst, float(np.abs(left @ right - plain).max() / scale))
    square = (rng.normal(size=(80, 80)) + 9 * np.eye(80)).astype(kind)
    x = np.linalg.solve(square, square @ np.ones(80, kind))
    worst = max(worst, float(np.abs(x - 1).max() / (np.finfo(kind).eps * 1e3)))
    u, s, v = np.linalg.svd(square)
    worst = max(worst, float(np.abs((u * s) @ v - square).max() / (np.finfo(kind).eps * 1e3)))
    spd = square @ square.conj().T
    lower = np.linalg.cholesky(spd)
    off = np.abs(lower @ lower.conj().T - spd).max()
    worst = max(worst, float(off / (np.finfo(kind).eps * 1e5)))
print(worst < 1, worst)
"""
        assert factory.create_sandbox().execute(program).stdout.startswith("True"), worst_of(
            factory, program
        )

    def test_a_nan_raises_no_flag(self, factory: eryx.SandboxFactory) -> None:
        """What natively warns of nothing warns of nothing; the rest of the flags is there."""
        program = """
import numpy as np
np.seterr(all="raise")
nan, few = np.float64("nan"), np.array([1.5, np.nan, -2.0])
for kind in ("f4", "f8"):
    a = np.tile(few.astype(kind), 5)
    for b in (a, a[::-1], kind == "f4" and np.float32(2) or 2.0):
        for act in (np.remainder, np.fmod, np.floor_divide, np.divmod, np.maximum, np.fmin,
                    np.less, np.greater_equal, np.add, np.multiply, np.nextafter, np.heaviside):
            act(a, b)
    for act in (np.sign, np.abs, np.sqrt, np.floor, np.rint, np.sort, np.argsort, np.unique,
                np.max, np.argmax, np.sum, np.std, np.isfinite, np.median):
        act(np.abs(a))
    np.clip(a, -1, 1), np.partition(a, 3), np.searchsorted(np.sort(a), a), np.where(a > 0, a, 0)
nan % 2, nan // 2, divmod(nan, 2), nan < 1, max(nan, 1), few % nan
raised = []
for act in (lambda: np.array([1.0]) / 0, lambda: np.array([1e308]) * 10, lambda: np.sqrt([-1.0]),
            lambda: np.array([0.0]) / 0, lambda: np.array([1e-308]) * 1e-10,
            lambda: np.array([np.inf]) % 2, lambda: np.array([1.0]) // 0):
    try:
        act()
        raised.append("nothing")
    except FloatingPointError as error:
        raised.append(str(error).split(" encountered")[0])
print(*raised, sep=", ")
"""
        assert factory.create_sandbox().execute(program).stdout == (
            "divide by zero, overflow, invalid value, invalid value, underflow, invalid value,"
            " divide by zero"
        )

    def test_sorted_as_it_should_be(self, factory: eryx.SandboxFactory) -> None:
        program = """
import numpy as np
rng = np.random.default_rng(8)
for kind in ("f4", "f8", "i4", "u4", "i8", "u8"):
    for size in (0, 1, 2, 20, 21, 300, 5000):
        wide = rng.integers(-(2**31), 2**31, size).astype(kind)
        few, rising = wide % 7, np.arange(size).astype(kind)
        samples = [wide, few, rising, rising[::-1], np.roll(rising, 3), few * 0]
        if kind[0] == "f":
            samples.append(np.where(few == 3, np.nan, wide * 0.37))
            samples.append(np.where(few == 2, -np.nan, np.where(few > 4, -np.inf, -0.0)))
        for sample in samples:
            found = np.sort(sample.astype(kind))
            assert np.array_equal(found, np.sort(sample, kind="stable"), equal_nan=kind[0] == "f")
            rows = np.tile(sample, (3, 1)).T.copy()
            rows.sort(axis=0)
            assert np.array_equal(rows[:, 1], found, equal_nan=kind[0] == "f")
print("sorted")
"""
        assert factory.create_sandbox().execute(program).stdout == "sorted"

    def test_loops_over_any_steps(self, factory: eryx.SandboxFactory) -> None:
        """Loops for numbers one behind another, and those that are not, or lie over each other."""
        program = """
import numpy as np
rng = np.random.default_rng(9)
acts = (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.fmin, np.less, np.equal)
for kind in ("f4", "f8"):
    for size in (1, 3, 4, 17, 1000):
        a, b = (rng.standard_normal(2 * size).astype(kind) for _ in range(2))
        a[::5] = np.nan
        for act in acts:
            plain = np.array([act(x, y) for x, y in zip(a, b)])
            same = lambda found, right: np.array_equal(found, right, equal_nan=True)
            with np.errstate(all="ignore"):
                assert same(act(a, b), plain)
                assert same(act(a[::2], b[::2]), plain[::2])
                assert same(act(a[::-1], b[::-1]), plain[::-1])
                assert same(act(a, b[0]), np.array([act(x, b[0]) for x in a]))
                assert same(act(b[0], a), np.array([act(b[0], x) for x in a]))
                if plain.dtype == a.dtype:
                    over = a.copy()
                    act(over, b, out=over)
                    assert same(over, plain)
                    shifted = a.copy()
                    act(shifted[:-1], b[:-1], out=shifted[1:])
                    assert same(shifted[1:], plain[:-1])
        for act in (np.negative, np.absolute, np.square, np.reciprocal, np.floor):
            plain = np.array([act(x) for x in a])
            assert same(act(a), plain) and same(act(a[::3]), plain[::3])
        c = b.copy()
        assert same(np.maximum.accumulate(c), np.array([c[: n + 1].max() for n in range(len(c))]))
        assert c.max() == sorted(c)[-1] and c.min() == sorted(c)[0] and np.isnan(a.max())
for kind in ("i1", "u2", "i4", "i8"):
    whole = rng.integers(0, 100, 999).astype(kind)
    assert whole.max() == max(whole.tolist()) and whole.min() == min(whole.tolist())
    assert (whole > 50).tolist() == [x > 50 for x in whole.tolist()]
print("same")
"""
        assert factory.create_sandbox().execute(program).stdout == "same"

    def test_exp_by_vectors(self, factory: eryx.SandboxFactory) -> None:
        """It is as exact as it should be, also where results are infinite, zero or no number."""
        program = """
import math
import numpy as np
x = np.concatenate([np.linspace(-760, 720, 100_001), [0.0, -0.0, np.inf, -np.inf, np.nan, 1e308]])
with np.errstate(all="ignore"):
    found = np.exp(x)
    strided = np.exp(np.repeat(x, 3)[::3])
exact = []
for value in x:
    try:
        exact.append(math.exp(value))
    except OverflowError:
        exact.append(math.inf)
exact = np.array(exact)
print(np.array_equal(found, strided, equal_nan=True), np.isnan(found[-2]), found[-6:-2])
finite = np.isfinite(exact) & (exact > 1e-300)
units = np.abs(found - exact)[finite] / np.spacing(exact[finite])
tiny = exact <= 1e-300
same = np.array_equal(found[~finite & ~tiny], exact[~finite & ~tiny], equal_nan=True)
print(units.max() <= 1, same and np.allclose(found[tiny], exact[tiny], rtol=1e-15, atol=5e-324))
"""
        said = factory.create_sandbox().execute(program).stdout.split("\n")
        assert said == ["True True [ 1.  1. inf  0.]", "True True"]


def worst_of(factory: eryx.SandboxFactory, program: str) -> str:
    return factory.create_sandbox().execute(program).stdout


class TestState:
    """Forks, checkpoints, saved sessions and rollbacks in the middle of work."""

    START = """
import numpy as np
rng = np.random.default_rng(12)
a = rng.normal(size=(300, 300))
running = np.linalg.solve(a, np.ones(300))
"""
    STEP = "a = a @ a.T / 300; running = running + a.diagonal(); print(repr(float(running.sum())))"

    def test_forks_go_their_own_ways(self, factory: eryx.SandboxFactory) -> None:
        session = factory.create_session()
        session.execute(self.START)
        fork = session.fork()
        first = session.execute(self.STEP).stdout
        assert fork.execute(self.STEP).stdout == first
        fork.execute("a[:] = 0")
        assert session.execute("print(bool(a.any()))").stdout == "True"

    def test_rollback(self, factory: eryx.SandboxFactory) -> None:
        session = factory.create_session()
        session.execute(self.START)
        point = session.checkpoint()
        first = session.execute(self.STEP).stdout
        session.execute("del a, running; np.seterr(all='raise')")
        session.rollback(point)
        assert session.execute(self.STEP).stdout == first

    def test_random_numbers_differ(self) -> None:
        """Also those of the generator that numpy made when it was loaded, in the factory."""
        seeding = "import numpy as np; np.random.seed(1); np.random.rand()"
        made = science.factory("numpy", imports=["numpy.random"], setup_code=seeding)
        draws = [
            "import numpy as np; print(np.random.rand(), np.random.default_rng().random())",
            "from numpy.random import normal; print(normal())",
            "import numpy as np; print(np.random.mtrand._rand.random_sample())",
        ]
        for program in draws:
            first, second = (made.create_sandbox().execute(program).stdout for _ in range(2))
            assert not set(first.split()) & set(second.split())
        seeded = "import numpy as np; np.random.seed(7); print(np.random.rand())"
        assert len({made.create_sandbox().execute(seeded).stdout for _ in range(2)}) == 1
        session = made.create_session()
        session.execute("import numpy as np; np.random.seed(5); np.random.rand()")
        point, fork = session.checkpoint(), session.fork()
        draw = "print(np.random.rand())"
        drawn = session.execute(draw).stdout
        assert fork.execute(draw).stdout != drawn
        session.rollback(point)
        assert session.execute(draw).stdout == drawn

    def test_another_generator_stays(self, factory: eryx.SandboxFactory) -> None:
        session = factory.create_session()
        session.execute("import numpy as np; np.random.set_bit_generator(np.random.PCG64(4))")
        fork = session.fork()
        draw = "print(np.random.rand())"
        assert session.execute(draw).stdout == fork.execute(draw).stdout

    def test_saved_sessions(self, factory: eryx.SandboxFactory, tmp_path: Path) -> None:
        session = factory.create_session()
        session.execute(self.START)
        session.save(tmp_path / "session")
        first = session.execute(self.STEP).stdout
        other = factory.create_session()
        other.load(tmp_path / "session")
        assert other.execute(self.STEP).stdout == first
        # Random numbers of a generator that was saved go on as they were.
        assert other.execute("print(rng.integers(10**9))").stdout.isdigit()

    def test_a_run_that_is_ended_in_a_product(self, factory: eryx.SandboxFactory) -> None:
        """What was there before can be used again after a rollback."""
        session = factory.create_session()
        session.execute(self.START)
        point = session.checkpoint()
        with pytest.raises(eryx.TimeoutError):
            session.execute("b = np.ones((900, 900))\nwhile True: b @ b", timeout_ms=300)
        session.rollback(point)
        assert session.execute("print((a @ a).shape)").stdout == "(300, 300)"

    def test_rollback_behind_a_caught_throw_of_c(self, factory: eryx.SandboxFactory) -> None:
        """numpy's FFT throws for sizes that are too large, and catches it in C++."""
        session = factory.create_session()
        session.execute(self.START)
        point = session.checkpoint()
        program = """
try:
    np.unique(np.array([object(), 1], dtype=object))
except TypeError as error:
    print(type(error).__name__)
print(np.round(np.abs(np.fft.fft(np.arange(8.0)))[:3], 6))
"""
        first = session.execute(program).stdout
        assert first.startswith("TypeError")
        session.rollback(point)
        assert session.execute(program).stdout == first
        assert session.fork().execute(program).stdout == first
