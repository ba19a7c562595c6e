"""Metrics, as Prometheus and a collector get them, and how much of it there is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

import eryx
from eryx import NetConfig, Sandbox, Session
from eryx._observing import _instruments
from network_helpers import LOCAL
from observing_helpers import FETCH, OtlpReceiver, Told
from servers import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as made:
        yield made


def samples(registry: prometheus_client.CollectorRegistry) -> dict[str, float]:
    """What a server of Prometheus would read, by name and labels."""
    text = prometheus_client.generate_latest(registry).decode()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestWhatThereIs:
    def test_sandboxes(self, child: Callable[[str], str]) -> None:
        """Those that were there before as well; not those of a parent."""
        code = """
            import os, eryx, prometheus_client
            before = [eryx.Session(), eryx.Sandbox(), eryx.SandboxPool(min_idle=2)]
            registry = prometheus_client.CollectorRegistry()
            eryx.instrument(prometheus=registry)
            after = eryx.Session()
            fork = after.fork()
            lease = before[2].acquire()
            closed = eryx.Session()
            closed.close()
            def told():
                live = "eryx_sandbox_live"
                kinds = [{"eryx_sandbox_kind": kind, "eryx_sandbox_isolation": "none"}
                         for kind in ("sandbox", "session", "pooled")]
                pools = [{"eryx_pool_state": state} for state in ("idle", "in_use")]
                found = [registry.get_sample_value(live, labels) for labels in kinds]
                found += [registry.get_sample_value("eryx_pool_sandboxes", l) for l in pools]
                return [int(value) for value in found]
            print(told(), flush=True)
            if os.fork() == 0:
                print(told(), flush=True)
                os._exit(0)
            os.wait()
            lease.release()
            del fork, before, lease
            print(told())
        """
        lines = child(code).splitlines()
        assert lines[:2] == ["[1, 3, 1, 1, 1]", "[0, 0, 0, 0, 0]"]
        assert lines[2] == "[0, 1, 0, 0, 0]"

    def test_memory(self, told: Told) -> None:
        session = Session()
        session.execute("data = bytearray(b'x') * 4_000_000")
        time.sleep(0)
        states = {
            dict(point.attributes)["eryx.memory.state"]: point.value
            for point in told.points("eryx.memory.usage")
        }
        assert set(states) == {"private", "shared", "reserved", "workers"}
        assert states["reserved"] > states["private"]

    def test_runs_that_go_on(self, told: Told) -> None:
        found: list[float] = []
        Sandbox(
            callbacks=[{"name": "look", "fn": lambda: found.append(told.value("eryx.run.active"))}]
        ).execute("await look()")
        assert found == [1]


class TestPrometheus:
    def test_what_a_server_reads(
        self, registry: prometheus_client.CollectorRegistry, server: HttpServer
    ) -> None:
        Sandbox(meter=True).execute("print(1)")
        with pytest.raises(eryx.ExecutionError):
            Session().execute("1 / 0")
        Sandbox(network=LOCAL).execute(FETCH, arguments=[server.url + "/hello"])
        found = samples(registry)
        labels = [
            ("error_type", ""),
            ("eryx_run_outcome", "ok"),
            ("eryx_sandbox_isolation", "none"),
            ("eryx_sandbox_kind", "sandbox"),
        ]
        assert found[f"eryx_run_duration_seconds_count{labels}"] == 2
        labels[0], labels[1] = ("error_type", "ExecutionError"), ("eryx_run_outcome", "error")
        labels[3] = ("eryx_sandbox_kind", "session")
        assert found[f"eryx_run_duration_seconds_count{labels}"] == 1
        assert found["eryx_run_fuel_total[]"] > 0
        connected = [("eryx_connection_outcome", "connected")]
        assert found[f"eryx_connection_duration_seconds_count{connected}"] == 1
        assert found[f"eryx_memory_usage_bytes{[('eryx_memory_state', 'reserved')]}"] > 0

    def test_all_instruments_are_there_in_both(
        self, told: Told, registry: prometheus_client.CollectorRegistry
    ) -> None:
        text = prometheus_client.generate_latest(registry).decode()
        families = {family.name for family in text_string_to_metric_families(text)}
        for each in _instruments.INSTRUMENTS:
            name = each.name.replace(".", "_")
            units = {"s": "_seconds", "By": "_bytes"}
            assert name + units.get(each.unit, "") in families, name

    def test_labels_are_few_whatever_programs_do(
        self, registry: prometheus_client.CollectorRegistry
    ) -> None:
        """No text that a program chose is in any."""
        sandbox = Sandbox(network=NetConfig(), callbacks=[{"name": "f", "fn": lambda: 1}])
        before = len(samples(registry))
        for number in range(10):
            code = f"""
                import socket, _eryx
                try: socket.getaddrinfo("name{number}.invalid.example", 80)
                except OSError: pass
                _eryx.call("gone{number}", "{{}}")
                await f()
                raise type("Type{number}", (Exception,), {{}})("text{number}")
            """
            with pytest.raises(eryx.ExecutionError):
                sandbox.execute(dedent(code))
            if number == 0:
                before = len(samples(registry))
        text = prometheus_client.generate_latest(registry).decode()
        assert len(samples(registry)) == before
        for word in ("gone", "Type1", "text1", "name1"):
            assert word not in text

    def test_the_registry_of_the_process(self, child: Callable[[str], str]) -> None:
        code = """
            import eryx, prometheus_client
            with eryx.instrument(prometheus=True):
                eryx.Sandbox().execute("pass")
                print(b"eryx_run_duration_seconds" in prometheus_client.generate_latest())
            print(b"eryx_run_duration_seconds" in prometheus_client.generate_latest())
        """
        assert child(code).split() == ["True", "False"]


class TestCollector:
    def test_over_otlp(self, server: HttpServer) -> None:
        """The SDK's own exporters, and what a collector would decode."""
        with OtlpReceiver() as receiver:
            with receiver.instrumented():
                sandbox = Sandbox(network=LOCAL, callbacks=[{"name": "f", "fn": lambda: 1}])
                code = FETCH + "await f()"
                sandbox.execute(code, arguments=[server.url + "/hello"])
            spans = {span.name: span for span in receiver.spans()}
            assert set(spans) == {"eryx.run", "eryx.callback f", "eryx.connection"}
            for name in ("eryx.callback f", "eryx.connection"):
                assert spans[name].parent_span_id == spans["eryx.run"].span_id
                assert spans[name].trace_id == spans["eryx.run"].trace_id
            names = receiver.metric_names()
            assert {"eryx.run.duration", "eryx.callback.duration", "eryx.sandbox.live"} <= names
            assert names <= {each.name for each in _instruments.INSTRUMENTS}

    def test_the_command_that_instruments_programs(self, tmp_path: Path) -> None:
        """opentelemetry-instrument, as for any package that has the entry point."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        [(name, place)] = project["entry-points"]["opentelemetry_instrumentor"].items()
        folder = tmp_path / "eryx_sandbox-0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: eryx-sandbox\nVersion: 0\n")
        (folder / "entry_points.txt").write_text(
            f"[opentelemetry_instrumentor]\n{name} = {place}\n"
        )
        paths = [str(tmp_path), str(Path(eryx.__file__).parents[1])]
        with OtlpReceiver() as receiver:
            done = subprocess.run(
                [
                    os.path.join(os.path.dirname(sys.executable), "opentelemetry-instrument"),
                    *(
                        sys.executable,
                        "-c",
                        "import eryx; print(eryx.Sandbox().execute('print(1)'))",
                    ),
                ],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(paths),
                    "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
                    "OTEL_TRACES_EXPORTER": "otlp_proto_http",
                    "OTEL_METRICS_EXPORTER": "otlp_proto_http",
                    "OTEL_LOGS_EXPORTER": "none",
                    "OTEL_SERVICE_NAME": "tests",
                },
            )
            assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
            assert [span.name for span in receiver.spans()] == ["eryx.run"]
            assert "eryx.run.duration" in receiver.metric_names()
