"""``/metrics`` of the service, as a server of Prometheus reads it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from processes import Server, serving
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from eryx.server import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

KEY, STORED = new_key("alice")
SECOND = f"""
[[keys]]
name = "alice"
sha256 = "{STORED.sha256}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("metrics")
    with serving(folder, f'store = "file://{folder}/store"\n{SECOND}') as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client(KEY) as client:
        yield client


def read(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(
    found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **some: str
) -> float:
    """The sum over what has those labels."""
    return sum(
        number
        for (there, labels), number in found.items()
        if there == name and some.items() <= dict(labels).items()
    )


def test_runs_and_sessions(client: httpx.Client) -> None:
    before = read(client)
    session = client.post("/v1/sessions").headers["location"]
    for code in ("x = 1", "1 / 0"):
        assert client.post(f"{session}/runs", json={"code": code}).status_code == 200
    client.post("/v1/runs", json={"code": "print(1)"})
    assert client.get(f"{session}x").status_code == 404
    after = read(client)
    name = "eryx_run_duration_seconds_count"
    for kind, outcome in (("session", "ok"), ("session", "error"), ("sandbox", "ok")):
        labels = {"eryx_sandbox_kind": kind, "eryx_run_outcome": outcome}
        assert value(after, name, **labels) - value(before, name, **labels) == 1
    assert value(after, "eryx_server_sessions") == 1
    assert value(after, "eryx_sandbox_live", eryx_sandbox_kind="session") == 1
    reserved = {"name": "eryx_memory_usage_bytes", "eryx_memory_state": "reserved"}
    deadline = time.monotonic() + 30  # memory is not looked at each time
    while value(read(client), **reserved) < 8 << 30:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    requests = "http_server_request_duration_seconds_count"
    route = "/v1/sessions/{session}/runs"
    labels = {"http_route": route, "http_request_method": "POST"}
    assert value(after, requests, http_response_status_code="200", **labels) == 2
    route = "/v1/sessions/{session}"
    assert value(after, requests, http_route=route, http_response_status_code="404") == 1
    client.delete(session)
    assert value(read(client), "eryx_server_sessions") == 0


def test_it_wants_a_key(server: Server) -> None:
    with server.client() as stranger:
        assert stranger.get("/metrics").status_code == 401


def test_what_nobody_knows_makes_no_labels(client: httpx.Client) -> None:
    for number in range(20):
        client.request(f"WORD{number}", f"/path-{number}")
    text = client.get("/metrics").text
    assert "WORD" not in text
    assert "path-" not in text


def test_open_metrics(client: httpx.Client) -> None:
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = client.get("/metrics", headers=headers)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in open_metrics_families(answer.text)}
    assert "eryx_run_duration_seconds" in names
