"""Forks, checkpoints, saved sessions and rollbacks in the middle of work with pandas."""

from __future__ import annotations

from pathlib import Path

import pytest

import eryx
from eryx import science

pytestmark = [pytest.mark.sample, pytest.mark.needs("pandas")]

START = """
import numpy as np, pandas as pd
rng = np.random.default_rng(5)
times = pd.date_range("2026-01-01", periods=4000, freq="min")
frame = pd.DataFrame({
    "key": rng.integers(0, 40, 4000), "x": rng.standard_normal(4000),
    "word": rng.choice(["ham", "spam", "eggs"], 4000),
}, index=times)
groups = frame.groupby("key")
window = frame["x"].rolling(30)
rows = frame.itertuples()
first = [next(rows) for _ in range(10)]
table = pd.pivot_table(frame, index="key", columns="word", values="x", aggfunc="sum")
"""
# Uses all that START has left half done, and goes on with it.
STEP = """
frame["x"] = frame["x"] + rng.standard_normal(4000)
frame = frame.sort_values(["word", "x"]).sort_index()
row = next(rows)
print(repr(float(groups["x"].mean().sum())), repr(float(window.mean().sum())), row.word,
      repr(float(frame.resample("h")["x"].sum().std())),
      repr(float(frame.merge(table, left_on="key", right_index=True).ham.sum())),
      frame.word.str.upper().value_counts().to_dict())
"""


@pytest.fixture(scope="module")
def factory() -> eryx.SandboxFactory:
    return science.factory("pandas")


@pytest.fixture
def session(factory: eryx.SandboxFactory) -> eryx.Session:
    made = factory.create_session()
    made.execute(START)
    return made


class TestState:
    """What goes on from a state prints the same, however it got there."""

    def test_forks_go_their_own_ways(self, session: eryx.Session) -> None:
        fork, other = session.fork(), session.fork()
        first, second = session.execute(STEP).stdout, session.execute(STEP).stdout
        assert first != second
        assert fork.execute(STEP).stdout == first
        other.execute("frame.loc[:, 'x'] = 0.0; del groups")
        assert fork.execute(STEP).stdout == second
        assert other.execute("print(float(frame.x.abs().sum()))").stdout == "0.0"

    def test_rollback(self, session: eryx.Session) -> None:
        point = session.checkpoint()
        first = session.execute(STEP).stdout
        session.execute("import gc; del frame, groups, window, rows, table; gc.collect()")
        session.rollback(point)
        assert session.execute(STEP).stdout == first

    def test_saved_sessions(
        self, factory: eryx.SandboxFactory, session: eryx.Session, tmp_path: Path
    ) -> None:
        session.save(tmp_path / "state")
        first = session.execute(STEP).stdout
        other = factory.create_session()
        other.load(tmp_path / "state")
        assert other.execute(STEP).stdout == first

    def test_runs_that_are_ended_anywhere(self, session: eryx.Session) -> None:
        """In sorting, grouping, joining or parsing; a rollback makes it good."""
        point = session.checkpoint()
        first = session.execute(STEP).stdout
        program = """
import io
text = frame.to_csv()
while True:
    frame.sort_values(["word", "x"]).groupby("word").agg({"x": ["sum", "std"]})
    frame.merge(frame, on="key", how="inner").x_x.rolling(9).median()
    pd.read_csv(io.StringIO(text))
"""
        for milliseconds in (60, 110, 170, 240):
            with pytest.raises(eryx.TimeoutError):
                session.execute(program, timeout_ms=milliseconds)
            session.rollback(point)
            assert session.fork().execute(STEP).stdout == first

    def test_a_fork_of_a_fork_outlives_both(self, session: eryx.Session) -> None:
        first = session.fork().execute(STEP).stdout
        last = session.fork().fork()
        session.close()
        assert last.execute(STEP).stdout == first
