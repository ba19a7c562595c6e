"""For the tests of eryx.ext.ray and eryx.ext.dask: they run in an environment of
toolchain/environments.py, with clusters of several processes on this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before ray is imported, here and in the processes of clusters.
os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_DISABLE_IMPORT_WARNING="1",
    RAY_DEDUP_LOGS="0",
    RAY_ENABLE_UV_RUN_RUNTIME_ENV="0",
)

from clusters import ENGINES, Cluster


@pytest.fixture(scope="session", autouse=True)
def private_caches() -> Iterator[None]:
    """Factories that earlier tests have brought to this machine are not there."""
    with tempfile.TemporaryDirectory(prefix="eryx-cluster-") as folder:
        os.environ["ERYX_CACHE_DIR"] = folder
        yield


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sample: a part of `make test`")


@pytest.fixture(scope="session", params=ENGINES)
def shared(request: pytest.FixtureRequest, private_caches: None) -> Iterator[Cluster]:
    """A cluster of two nodes, on which nothing was killed."""
    with ENGINES[request.param](nodes=2) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared: Cluster) -> Cluster:
    """The same, with new nodes for those that tests have killed."""
    shared.repair()
    return shared


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder for what programs leave of each time that they run."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder
