"""The seed of `hash()`: drawn for each sandbox, kept where a state goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

import eryx
from eryx._engine import shared_engine
from eryx._eryx import Engine

HASH = "result = hash('eryx')"
PACKAGE = Path(eryx.__file__).parent


def seed_of(sandbox: eryx.Sandbox) -> int:
    value = sandbox.execute(HASH).result
    assert isinstance(value, int)
    return value


def program(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SEEDS = f"""
import eryx
sandboxes = [eryx.Sandbox() for _ in range(60)]
print(len({{sandbox.execute({HASH!r}).result for sandbox in sandboxes}}))
"""


class TestSandboxes:
    def test_seeds_differ_in_one_process(self) -> None:
        sandboxes = [eryx.Sandbox() for _ in range(50)]
        assert 2 <= len({seed_of(sandbox) for sandbox in sandboxes}) <= 4

    def test_seeds_differ_between_those_that_follow_each_other(self) -> None:
        assert len({seed_of(eryx.Sandbox()) for _ in range(2_000)}) > 1

    def test_sandbox_keeps_its_seed(self) -> None:
        sandboxes = [eryx.Sandbox() for _ in range(8)]
        first = [seed_of(sandbox) for sandbox in sandboxes]
        assert [seed_of(sandbox) for sandbox in sandboxes] == first

    def test_sets_of_all_seeds_work(self) -> None:
        code = (
            "result = sorted({str(i) for i in range(500)}, key=int) == [str(i) for i in range(500)]"
        )
        assert all(eryx.Sandbox().execute(code).result for _ in range(20))

    def test_pool(self) -> None:
        with eryx.SandboxPool(min_idle=0, max_size=12) as pool:
            held = [pool.acquire() for _ in range(12)]
            seen = {seed_of(sandbox) for sandbox in held}
            for sandbox in held:
                sandbox.release()
        assert len(seen) > 1

    def test_deterministic_ones_have_one_seed(self) -> None:
        fixed = eryx.Deterministic(seed=1)
        assert len({seed_of(eryx.Sandbox(deterministic=fixed)) for _ in range(12)}) == 1

    def test_journaled_runs_have_one_seed(self) -> None:
        code = "for item in {str(i) for i in range(20)}: await ask(item=item)"
        asked: list[list[str]] = []

        def ask(item: str) -> None:
            asked[-1].append(item)

        for _ in range(12):
            asked.append([])
            eryx.Sandbox(callbacks=[ask]).execute_with_journal(code)
        assert len({*map(tuple, asked)}) == 1
        assert len(asked[0]) == 20

    def test_worker_process(self) -> None:
        with eryx.Workers(processes=1) as workers:
            sandboxes = [eryx.Sandbox(isolation=workers) for _ in range(30)]
            seen = {seed_of(sandbox) for sandbox in sandboxes}
            code = "print([*{str(i) for i in range(50)}])"
            runs = [
                eryx.Sandbox(isolation=workers, callbacks={"nothing": lambda: None})
                .execute_with_journal(code)
                .result
                for _ in range(8)
            ]
        assert len(seen) > 1
        assert len({run.stdout for run in runs if run is not None}) == 1


class TestStates:
    def test_fork(self) -> None:
        for _ in range(8):
            session = eryx.Session()
            session.execute("names = {str(i) for i in range(100)}")
            fork = session.fork()
            assert seed_of(fork) == seed_of(session)
            assert fork.execute("result = '77' in names").result is True

    def test_rollback(self) -> None:
        session = eryx.Session()
        session.execute("names = {str(i) for i in range(100)}")
        before = seed_of(session)
        checkpoint = session.checkpoint()
        session.execute("names.clear()")
        session.rollback(checkpoint)
        assert session.execute("result = '77' in names").result is True
        assert seed_of(session) == before

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_saved_session_brings_its_seed(
        self, tmp_path: Path, isolation: Literal["process"] | None
    ) -> None:
        saved = tmp_path / "session"
        for _ in range(8):
            session = eryx.Session(isolation=isolation)
            session.execute("names = {str(i) for i in range(100)}")
            before = seed_of(session)
            session.save(saved)
            loaded = eryx.Session(isolation=isolation)
            loaded.load(saved)
            assert seed_of(loaded) == before
            assert loaded.execute("result = '77' in names").result is True

    def test_saved_session_is_loaded_by_a_new_process(self, tmp_path: Path) -> None:
        for number in range(6):
            session = eryx.Session()
            session.execute("names = {str(i) for i in range(100)}")
            saved = tmp_path / str(number)
            session.save(saved)
            code = (
                f"import eryx; s = eryx.Session(); s.load({str(saved)!r}); "
                "print(s.execute(\"result = ('77' in names, hash('eryx'))\").result)"
            )
            assert program(code) == str([True, seed_of(session)])

    def test_factories_have_one_seed(self) -> None:
        factories = [eryx.SandboxFactory(setup_code=f"x = {number}") for number in range(3)]
        assert len({seed_of(factory.create_sandbox()) for factory in factories}) == 1


class TestFiles:
    def test_unpacked_once_for_all_processes(self, tmp_path: Path) -> None:
        assert int(program(SEEDS, ERYX_CACHE_DIR=str(tmp_path))) > 1
        kept = {path.name: path.stat().st_ino for path in (tmp_path / "images").iterdir()}
        assert kept
        assert all(name.endswith(".image") for name in kept)
        assert int(program(SEEDS, ERYX_CACHE_DIR=str(tmp_path))) > 1
        after = {path.name: path.stat().st_ino for path in (tmp_path / "images").iterdir()}
        assert kept.items() <= after.items()

    def test_two_processes_at_once(self, tmp_path: Path) -> None:
        environment = {**os.environ, "ERYX_CACHE_DIR": str(tmp_path)}
        running = [
            subprocess.Popen([sys.executable, "-c", SEEDS], env=environment, stdout=subprocess.PIPE)
            for _ in range(2)
        ]
        for process in running:
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0
            assert int(out) > 1

    @pytest.mark.parametrize("damage", ["a file in its place", "others may write"])
    def test_without_a_folder(self, tmp_path: Path, damage: str) -> None:
        place = tmp_path / "cache"
        if damage == "a file in its place":
            place.touch()
        else:
            (place / "images").mkdir(parents=True)
            (place / "images").chmod(0o777)
        assert int(program(SEEDS, ERYX_CACHE_DIR=str(place))) == 1
        assert place.is_file() or not list((place / "images").iterdir())

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_saved_session_needs_no_folder(self, tmp_path: Path, isolation: str | None) -> None:
        sessions = [eryx.Session() for _ in range(30)]
        for number, session in enumerate(sessions):
            session.execute("names = {str(i) for i in range(100)}")
            session.save(tmp_path / str(number))
        (tmp_path / "cache").touch()
        code = f"""
import eryx
sessions = [eryx.Session(isolation={isolation!r}) for _ in range(30)]
for number, session in enumerate(sessions):
    session.load({str(tmp_path)!r} + "/" + str(number))
print([session.execute("result = (hash('eryx'), '77' in names)").result for session in sessions])
"""
        said = program(code, ERYX_CACHE_DIR=str(tmp_path / "cache"))
        assert said == str([[seed_of(session), True] for session in sessions])

    def test_damaged_unpacked_file_is_replaced(self, tmp_path: Path) -> None:
        assert int(program(SEEDS, ERYX_CACHE_DIR=str(tmp_path))) > 1
        for path in (tmp_path / "images").iterdir():
            path.write_bytes(b"no image")
        assert int(program(SEEDS, ERYX_CACHE_DIR=str(tmp_path))) > 1
        assert all(path.stat().st_size > 100 for path in (tmp_path / "images").iterdir())

    def engine(self, seeds: Path, folder: Path) -> Engine:
        return Engine(PACKAGE / "image.bin", PACKAGE / "stdlib.bin", seeds, folder)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(eryx.InitializationError, match=r"seeds\.bin: No such file"):
            self.engine(tmp_path / "seeds.bin", tmp_path)

    def test_other_file(self, tmp_path: Path) -> None:
        (tmp_path / "seeds.bin").write_bytes(b"something else" * 100)
        with pytest.raises(eryx.InitializationError, match=r"seeds\.bin: no images of eryx"):
            self.engine(tmp_path / "seeds.bin", tmp_path)

    def test_file_of_another_build(self, tmp_path: Path) -> None:
        data = bytearray((PACKAGE / "seeds.bin").read_bytes())
        data[20] ^= 1
        (tmp_path / "seeds.bin").write_bytes(data)
        with pytest.raises(eryx.InitializationError, match="another build"):
            self.engine(tmp_path / "seeds.bin", tmp_path)

    def test_cut_file(self, tmp_path: Path) -> None:
        (tmp_path / "seeds.bin").write_bytes((PACKAGE / "seeds.bin").read_bytes()[:-1000])
        with pytest.raises(eryx.InitializationError, match="damaged"):
            self.engine(tmp_path / "seeds.bin", tmp_path)

    def test_damaged_contents(self, tmp_path: Path) -> None:
        installed = tmp_path / "eryx"
        shutil.copytree(PACKAGE, installed, symlinks=True)
        (installed / "seeds.bin").unlink()
        data = bytearray((PACKAGE / "seeds.bin").read_bytes())
        for at in range(1000, len(data), 1000):
            data[at] ^= 1
        (installed / "seeds.bin").write_bytes(data)
        code = (
            "import eryx\n"
            "try:\n    kept = [eryx.Sandbox() for _ in range(60)]\n"
            "except eryx.InitializationError as error:\n    print(error)"
        )
        said = program(code, PYTHONPATH=str(tmp_path), ERYX_CACHE_DIR=str(tmp_path / "cache"))
        assert said == f"{installed}/seeds.bin: the images in it are damaged"


def test_trim_keeps_the_images() -> None:
    sandboxes = [eryx.Sandbox() for _ in range(20)]
    before = [seed_of(sandbox) for sandbox in sandboxes]
    shared_engine().trim()
    assert [seed_of(sandbox) for sandbox in sandboxes] == before
