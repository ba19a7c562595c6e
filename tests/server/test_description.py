"""The description of the service, and schemathesis, which tries what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from processes import Server, serving

from eryx.server import new_key
from eryx.server._app import OPEN_ROUTES, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY, STORED = new_key("alice")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("description")
    settings = f"""
        store = "file://{folder}/store"
        [quota]
        sessions = 10000
        run_seconds = 1
        [[keys]]
        name = "alice"
        sha256 = "{STORED.sha256}"
        runs_per_minute = 100000
    """
    with serving(folder, settings) as server:
        yield server


def test_it_tells_all_routes(server: Server) -> None:
    document: dict[str, Any] = httpx.get(f"{server.url}/openapi.json").json()
    told = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    there = {
        (method, path.replace(":path", ""))
        for method, path, _ in [*OPEN_ROUTES, *ROUTES]
        if path != "/openapi.json"
    }
    assert told == there


def test_what_it_says_is_true(server: Server, tmp_path: Path) -> None:
    """Requests drawn from the description: no answer is of another kind, none is 500."""
    examples = os.environ.get("ERYX_TEST_EXAMPLES", "5")
    done = subprocess.run(
        [
            *(os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run"),
            *("--header", f"Authorization: Bearer {KEY}", "--max-examples", examples),
            *("--seed", "1", "--phases", "examples,coverage,fuzzing", "--no-color"),
            *("--exclude-checks", "unsupported_method,positive_data_acceptance"),
            *("--suppress-health-check", "filter_too_much"),  # paths without what ends them
            f"{server.url}/openapi.json",
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-8000:]
