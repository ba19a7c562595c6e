"""Spans and metrics, as OpenTelemetry and Prometheus get them."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
from contextvars import ContextVar
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import prometheus_client
import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

import eryx
from eryx import NetConfig, ResourceLimits, Sandbox, Session
from eryx._observing import _hooks
from network_helpers import LOCAL
from observing_helpers import FETCH, OtlpReceiver, Told
from secret_helpers import GET, OTHER, VALUE, Guests, needles
from servers import HOST, HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAIN = {"eryx__sandbox__kind": "sandbox", "eryx__sandbox__isolation": "none"}


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as made:
        yield made


def nested(told: Told) -> Callable[[int], int]:
    """A callback that has a span of its own."""

    def double(n: int) -> int:
        with told.tracer.start_as_current_span("inside"):
            return 2 * n

    return double


class TestRuns:
    def test_a_run_is_a_span(self, told: Told) -> None:
        Sandbox(meter=True).execute("print('hello')")
        span = told.span("eryx.run")
        assert span.status.status_code == StatusCode.UNSET
        attributes = dict(span.attributes or {})
        assert attributes["eryx.run.outcome"] == "ok"
        assert attributes["eryx.sandbox.kind"] == "sandbox"
        assert attributes["eryx.sandbox.isolation"] == "none"
        fuel = attributes["eryx.run.fuel"]
        assert isinstance(fuel, int)
        assert fuel > 0
        assert told.value("eryx.run.fuel") == fuel
        assert told.value("eryx.run.duration", eryx__run__outcome="ok", **PLAIN) == 1
        assert told.value("eryx.run.active") == 0
        [peak] = told.points("eryx.run.memory.peak")
        assert peak.sum == attributes["eryx.run.memory.peak"]

    def test_it_is_below_the_span_of_the_caller(self, told: Told) -> None:
        with told.tracer.start_as_current_span("around") as around:
            Sandbox().execute("pass")
            assert trace.get_current_span() is around
        parent = told.span("eryx.run").parent
        assert parent is not None
        assert parent.span_id == around.get_span_context().span_id

    @pytest.mark.parametrize(
        ("code", "options", "outcome", "error"),
        [
            ("1 / 0", {}, "error", "ExecutionError"),
            ("while True: pass", {"execution_timeout_ms": 50}, "timeout", "TimeoutError"),
            ("while True: pass", {"max_fuel": 1000}, "limit", "ResourceLimitError"),
        ],
    )
    @pytest.mark.parametrize("how", ["sync", "async"])
    def test_how_it_ends(
        self,
        told: Told,
        code: str,
        options: dict[str, Any],
        outcome: str,
        error: str,
        how: str,
    ) -> None:
        sandbox = Sandbox(resource_limits=ResourceLimits(**options))

        def run() -> None:
            if how == "sync":
                sandbox.execute(code)
            else:
                asyncio.run(sandbox.execute_async(code))

        with pytest.raises(eryx.EryxError):
            run()
        span = told.span("eryx.run")
        attributes = dict(span.attributes or {})
        assert (attributes["eryx.run.outcome"], attributes["error.type"]) == (outcome, error)
        assert span.status.status_code == StatusCode.ERROR
        assert told.value("eryx.run.duration", eryx__run__outcome=outcome, error__type=error) == 1
        assert told.value("eryx.run.active") == 0

    def test_the_type_of_an_exception_is_told_and_not_its_text(self, told: Told) -> None:
        with pytest.raises(eryx.ExecutionError):
            Sandbox().execute("raise ValueError('some text')")
        attributes = dict(told.span("eryx.run").attributes or {})
        assert attributes["eryx.exception.type"] == "ValueError"
        assert "some text" not in told.everything()

    def test_one_that_is_cancelled(self, told: Told) -> None:
        sandbox = Sandbox()
        threading.Timer(0.2, sandbox.cancel).start()
        with pytest.raises(eryx.CancelledError):
            sandbox.execute("while True: pass")
        assert told.value("eryx.run.duration", eryx__run__outcome="cancelled") == 1

    def test_a_task_that_is_cancelled(self, told: Told) -> None:
        async def main() -> None:
            with told.tracer.start_as_current_span("around") as around:
                sandbox = Sandbox()
                task = asyncio.create_task(sandbox.execute_async("while True: pass"))
                await asyncio.sleep(0.1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert trace.get_current_span() is around

        asyncio.run(main())
        attributes = dict(told.span("eryx.run").attributes or {})
        assert attributes["eryx.run.outcome"] == "abandoned"
        assert attributes["error.type"] == "CancelledError"
        assert told.value("eryx.run.active") == 0

    def test_a_coroutine_that_is_closed_elsewhere(
        self, told: Told, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        coroutine = Sandbox().execute_async("while True: pass")

        async def begin() -> None:
            coroutine.send(None)

        asyncio.run(begin())
        coroutine.close()
        assert told.value("eryx.run.active") == 0
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

    def test_one_that_cannot_begin(self, told: Told) -> None:
        sandbox = Sandbox()
        with pytest.raises(TypeError):
            sandbox.execute(5)  # type: ignore[arg-type]
        sandbox.close()
        with pytest.raises(eryx.EryxError):
            sandbox.execute("pass")
        assert told.value("eryx.run.duration", eryx__run__outcome="refused") == 2

    def test_one_that_a_callback_suspends(self, told: Told) -> None:
        def stop() -> None:
            raise eryx.SuspendCallback("later")

        sandbox = Sandbox(callbacks=[stop])
        outcome = sandbox.execute_with_journal("await stop()")
        assert outcome.suspended
        assert told.value("eryx.run.duration", eryx__run__outcome="suspended") == 1

    def test_a_wait_for_a_thread(self, told: Told) -> None:
        async def main() -> None:
            sandboxes = [Sandbox() for _ in range(8)]
            await asyncio.gather(*(one.execute_async("sum(range(300_000))") for one in sandboxes))

        asyncio.run(main())
        queued = told.value("eryx.run.queue.duration")
        assert queued >= 1
        waits = told.spans("eryx.queue")
        assert len(waits) == queued
        runs = {run.context.span_id: run for run in told.spans("eryx.run")}
        for wait in waits:
            assert wait.parent is not None
            run = runs[wait.parent.span_id]
            assert wait.end_time is not None
            assert run.end_time is not None
            assert wait.end_time <= run.end_time

    def test_sessions_forks_and_pools(self, told: Told) -> None:
        with Session() as session, session.fork() as fork:
            session.execute("x = 1")
            fork.execute("x = 2")
        with eryx.SandboxPool() as pool, pool.acquire() as sandbox:
            sandbox.execute("x = 3")
        factory = eryx.SandboxFactory(setup_code="x = 4")
        factory.create_sandbox().execute("x")
        for kind, count in (("session", 2), ("pooled", 1), ("sandbox", 1)):
            assert told.value("eryx.run.duration", eryx__sandbox__kind=kind) == count

    def test_worker_processes(self, told: Told) -> None:
        gc.collect()
        others = told.value("eryx.worker.live")  # of tests that share this process
        with eryx.Workers(processes=1) as workers:
            session = workers.session()
            assert session.execute("x = 1; x").value == 1
            assert told.value("eryx.worker.live") == others + 1
            for pid in workers.pids:
                os.kill(pid, 9)
            with pytest.raises(eryx.WorkerCrashedError):
                session.execute("x = 2")
        labels = {"eryx__sandbox__kind": "session", "eryx__sandbox__isolation": "process"}
        ok = told.value("eryx.run.duration", eryx__run__outcome="ok", **labels)
        crashed = told.value("eryx.run.duration", eryx__run__outcome="crashed", **labels)
        assert (ok, crashed) == (1, 1)
        assert told.value("eryx.worker.start.duration") >= 1
        assert len(told.spans("eryx.worker.start")) >= 1
        assert told.value("eryx.worker.live") == others

    def test_events_of_a_run(self, told: Told) -> None:
        def pay(n: int) -> int:
            with told.tracer.start_as_current_span("inside"):
                return n

        async def main() -> None:
            async with Sandbox(callbacks=[pay]).start("await pay(n=1)") as going:
                async for _ in going:
                    pass

        asyncio.run(main())
        assert told.children(told.span("eryx.run")) == ["eryx.callback pay"]
        assert told.children(told.span("eryx.callback pay")) == ["inside"]

    def test_a_broken_observer_does_no_harm(
        self, told: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object, **named: object) -> None:
            raise RuntimeError("broken")

        from eryx._observing import _otel

        for name in ("begin", "record", "add"):
            monkeypatch.setattr(_otel.TelemetryObserver, name, fail)
        assert Sandbox().execute("print(1)").stdout == "1"


class TestCallbacks:
    def test_the_context_reaches_them(self, told: Told) -> None:
        Sandbox(callbacks=[nested(told)]).execute("print(await double(n=21))")
        run, callback = told.span("eryx.run"), told.span("eryx.callback double")
        assert told.children(run) == ["eryx.callback double"]
        assert told.children(callback) == ["inside"]
        assert told.value("eryx.callback.duration", eryx__callback__name="double") == 1

    @pytest.mark.parametrize("how", ["sync", "inside", "async"])
    @pytest.mark.parametrize("kind", ["plain", "async", "thread"])
    def test_all_kinds(self, told: Told, how: str, kind: str) -> None:
        async def wait(n: int) -> int:
            await asyncio.sleep(0.01)
            with told.tracer.start_as_current_span("inside"):
                await asyncio.sleep(0.01)
                return n

        def plain(n: int) -> int:
            with told.tracer.start_as_current_span("inside"):
                return n

        callback: dict[str, Any] = {"name": "f", "fn": wait if kind == "async" else plain}
        callback["thread"] = kind == "thread"
        sandbox = Sandbox(callbacks=[callback])
        code = "import asyncio; await asyncio.gather(*(f(n=i) for i in range(3)))"

        async def main() -> None:
            if how == "inside":
                sandbox.execute(code)
            else:
                await sandbox.execute_async(code)

        if how == "sync":
            sandbox.execute(code)
        else:
            asyncio.run(main())
        assert told.children(told.span("eryx.run")) == ["eryx.callback f"] * 3
        for span in told.spans("eryx.callback f"):
            assert told.children(span) == ["inside"]

    @pytest.mark.parametrize("is_async", [False, True])
    def test_one_that_fails(self, told: Told, is_async: bool) -> None:
        def fail() -> None:
            raise ValueError("some text")

        async def fail_later() -> None:
            await asyncio.sleep(0)
            raise ValueError("some text")

        callback = {"name": "f", "fn": fail_later if is_async else fail}
        with pytest.raises(eryx.ExecutionError):
            Sandbox(callbacks=[callback]).execute("await f()")
        span = told.span("eryx.callback f")
        assert dict(span.attributes or {})["error.type"] == "ValueError"
        assert span.status.status_code == StatusCode.ERROR
        assert told.value("eryx.callback.duration", error__type="ValueError") == 1
        assert "some text" not in told.everything()

    def test_one_that_is_too_late(self, told: Told) -> None:
        async def slow() -> None:
            await asyncio.sleep(60)

        limits = ResourceLimits(callback_timeout_ms=50)
        with pytest.raises(eryx.ExecutionError):
            Sandbox(callbacks=[slow], resource_limits=limits).execute("await slow()")
        span = told.span("eryx.callback slow")
        assert dict(span.attributes or {})["error.type"] == "CancelledError"

    def test_one_that_is_never_awaited(self, told: Told, recwarn: pytest.WarningsRecorder) -> None:
        """The run ends in the same moment in which the callback begins."""

        async def slow() -> None:
            await asyncio.sleep(60)

        code = """
            import asyncio
            asyncio.ensure_future(slow())
            await asyncio.sleep(0)
            raise SystemExit
        """
        for _ in range(20):
            Sandbox(callbacks=[slow]).execute(dedent(code))
        assert [str(warning.message) for warning in recwarn] == []
        assert told.value("eryx.run.active") == 0

    def test_threads_of_a_run_of_events_have_the_context(self) -> None:
        """Whether eryx is instrumented or not."""
        place: ContextVar[str] = ContextVar("place", default="lost")
        found: list[str] = []

        async def main() -> None:
            place.set("here")
            callback = {"name": "f", "fn": lambda: found.append(place.get()), "thread": True}
            async with Sandbox(callbacks=[callback]).start("await f()") as going:
                async for _ in going:
                    pass

        asyncio.run(main())
        assert found == ["here"]

    def test_a_run_in_a_callback_is_below_it(self, told: Told) -> None:
        def inner() -> str:
            return Session().execute("print(1)").stdout

        Sandbox(callbacks=[inner]).execute("await inner()")
        assert told.children(told.span("eryx.callback inner")) == ["eryx.run"]

    def test_names_are_bounded(self, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_hooks, "_names", set())
        callbacks = [{"name": f"f{i}", "fn": lambda: 1} for i in range(150)]
        code = "\n".join(f"await f{i}()" for i in range(150))
        Sandbox(callbacks=callbacks).execute(code)
        names = {
            dict(point.attributes)["eryx.callback.name"]
            for point in told.points("eryx.callback.duration")
        }
        assert len(names) == 101
        assert told.value("eryx.callback.duration", eryx__callback__name="_OTHER") == 50

    def test_those_that_are_refused(self, told: Told) -> None:
        sandbox = Sandbox(callbacks=[{"name": "there", "fn": lambda: 1}])
        sandbox.execute("import _eryx, time\n_eryx.call('gone', '{}')\ntime.sleep(0.01)")
        assert told.value("eryx.callback.refused") == 1
        assert "gone" not in told.everything()


class TestConnections:
    @pytest.mark.parametrize("how", ["sync", "async"])
    def test_one_is_a_span(self, told: Told, server: HttpServer, how: str) -> None:
        sandbox = Sandbox(network=LOCAL)
        arguments = [server.url + "/hello"]
        if how == "sync":
            sandbox.execute(FETCH, arguments=arguments)
        else:
            asyncio.run(sandbox.execute_async(FETCH, arguments=arguments))
        run, span = told.span("eryx.run"), told.span("eryx.connection")
        assert told.children(run)[-1:] == ["eryx.connection"]
        assert span.kind == SpanKind.CLIENT
        attributes = dict(span.attributes or {})
        assert attributes["server.address"] == HOST
        assert attributes["server.port"] == server.port
        assert attributes["network.peer.address"] == HOST
        assert attributes["eryx.connection.outcome"] == "connected"
        assert run.start_time is not None
        assert run.end_time is not None
        assert span.start_time is not None
        assert span.end_time is not None
        late = 50_000_000  # the clocks of the two are not read at the same moment
        assert run.start_time - late <= span.start_time <= span.end_time <= run.end_time + late
        assert told.value("eryx.connection.duration", eryx__connection__outcome="connected") == 1
        received = told.value("eryx.connection.io", network__io__direction="receive")
        assert received == attributes["eryx.connection.received"]
        assert received > 0

    def test_one_that_is_refused(self, told: Told) -> None:
        code = "import socket\ntry: socket.create_connection(('10.1.2.3', 80))\nexcept OSError: 0"
        Sandbox(network=NetConfig()).execute(code)
        span = told.span("eryx.connection")
        assert dict(span.attributes or {})["error.type"] == "refused"
        assert told.value("eryx.connection.duration", eryx__connection__outcome="refused") == 1

    def test_their_spans_are_bounded(self, told: Told) -> None:
        code = """
            import socket
            for _ in range(300):
                try: socket.create_connection(("10.1.2.3", 80))
                except OSError: pass
        """
        Sandbox(network=NetConfig()).execute(dedent(code))
        assert len(told.spans("eryx.connection")) == 128
        assert told.value("eryx.connection.duration", eryx__connection__outcome="refused") == 300
        assert dict(told.span("eryx.run").attributes or {})["eryx.run.connections"] == 300

    def test_when_they_began(self, server: HttpServer) -> None:
        code = "import time\ntime.sleep(0.2)\n" + FETCH
        done = Sandbox(network=LOCAL).execute(code, arguments=[server.url + "/hello"])
        [connection] = done.connections
        assert 200 <= connection.started_ms <= done.duration_ms


class TestWaits:
    @pytest.mark.parametrize("how", ["sync", "async"])
    def test_for_a_pool(self, told: Told, how: str) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            lease = pool.acquire()
            threading.Timer(0.1, lease.release).start()

            async def main() -> None:
                async with pool.acquire() as sandbox:
                    await sandbox.execute_async("pass")

            if how == "async":
                asyncio.run(main())
            else:
                with pool.acquire() as sandbox:
                    sandbox.execute("pass")
        assert told.value("eryx.pool.wait.duration") == 1
        span = told.span("eryx.pool.wait")
        assert span.end_time is not None
        assert span.start_time is not None
        assert span.end_time > span.start_time

    def test_in_vain(self, told: Told) -> None:
        with (
            eryx.SandboxPool(max_size=1) as pool,
            pool.acquire(),
            pytest.raises(eryx.PoolTimeoutError),
        ):
            pool.acquire(timeout_ms=20)
        assert told.value("eryx.pool.wait.duration", error__type="PoolTimeoutError") == 1


class TestSecrets:
    def test_no_value_is_told_to_anybody(
        self,
        told: Told,
        registry: prometheus_client.CollectorRegistry,
        guests: Guests,
        server: HttpServer,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """All spans, metrics and lines, of programs that do with a secret what they can."""
        caplog.set_level(logging.DEBUG)
        secrets = {
            "API_KEY": {"value": VALUE, "allowed_hosts": [HOST]},
            "OTHER": {"value": OTHER, "allowed_hosts": ["api.example.com"]},
        }
        callback = {"name": "take", "fn": lambda text: text}
        sandbox = guests.sandbox(secrets=secrets, callbacks=[callback])
        url = server.url + "/echo"
        with OtlpReceiver() as receiver:
            with receiver.instrumented():
                sandbox.execute(dedent(GET), arguments=[url])
                sandbox.execute(dedent(GET).replace("API_KEY", "OTHER"), arguments=[url])
                code = dedent(GET).replace("print(answer.read().decode())", "text = answer.read()")
                code += "await take(text=text.decode())\nraise ValueError(text)"
                with pytest.raises(eryx.ExecutionError):
                    sandbox.execute(code, arguments=[url])
                with pytest.raises(eryx.ExecutionError):
                    sandbox.execute(
                        "import os; raise type(os.environ['API_KEY'], (Exception,), {})"
                    )
            assert len(receiver.bodies) >= 2
            everything = b"".join(receiver.bodies)
        assert told.value("eryx.secret.requests", eryx__secret__outcome="used") == 2
        assert told.value("eryx.secret.requests", eryx__secret__outcome="refused") == 1
        names = [dict(span.attributes or {}) for span in told.spans("eryx.connection")]
        assert [each.get("eryx.secret.names") for each in names] == [
            ("API_KEY",),
            None,
            ("API_KEY",),
        ]
        everything += told.everything().encode()
        everything += prometheus_client.generate_latest(registry)
        for record in caplog.records:
            everything += repr(record.__dict__).encode() + record.getMessage().encode()
        wanted = [*needles(VALUE), *needles(OTHER)]
        assert [needle for needle in wanted if needle in everything] == []
        assert b"eryx_secret_" not in everything.replace(b"eryx_secret_requests", b"").replace(
            b"eryx_secret_outcome", b""
        )


class TestHandles:
    def test_all_is_as_before_afterwards(self) -> None:
        from eryx._callbacks import Callback
        from eryx._lease import PooledSandbox
        from eryx._processes import Process

        def methods() -> list[object]:
            return [
                *(Sandbox.__dict__[name] for name in ("_execute", "_execute_async", "_begin_with")),
                eryx.SandboxPool.__dict__["__init__"],
                Callback.__dict__["call"],
                *(PooledSandbox.__dict__[name] for name in ("_wait", "_wait_async")),
                Process.__dict__["__init__"],
            ]

        before = methods()
        with Told() as told:
            assert all(now is not then for now, then in zip(methods(), before, strict=True))
        assert all(now is then for now, then in zip(methods(), before, strict=True))
        Sandbox().execute("pass")
        assert told.spans() == []

    def test_uninstrument_ends_all(self) -> None:
        first, second = Told(), Told()
        with first, second:
            assert not first.handle.is_closed
            eryx.uninstrument()
            assert first.handle.is_closed
            assert second.handle.is_closed
            Sandbox().execute("pass")
            assert "closed" in repr(first.handle)
        eryx.uninstrument()
        assert first.spans() == second.spans() == []

    def test_two_are_both_told(self, registry: prometheus_client.CollectorRegistry) -> None:
        first, second = Told(), Told()
        with first:
            with second:
                Sandbox().execute("pass")
            Sandbox().execute("pass")
        assert (len(first.spans()), len(second.spans())) == (2, 1)
        assert (
            registry.get_sample_value(
                "eryx_run_active",
                {"eryx_sandbox_kind": "sandbox", "eryx_sandbox_isolation": "none"},
            )
            == 0
        )

    def test_a_run_that_goes_on_meanwhile(self) -> None:
        told = Told()
        with told:
            Sandbox(callbacks=[{"name": "end", "fn": told.handle.close}]).execute("await end()")
        assert Sandbox().execute("print(1)").stdout == "1"

    def test_the_same_twice_is_refused(
        self, told: Told, registry: prometheus_client.CollectorRegistry
    ) -> None:
        with pytest.raises(eryx.EryxError, match="instrumented for that already"):
            eryx.instrument(
                tracer_provider=told.tracer_provider, meter_provider=told.meter_provider
            )
        with pytest.raises(eryx.EryxError, match="instrumented for that already"):
            eryx.instrument(prometheus=registry)
        Sandbox().execute("pass")
        assert len(told.spans()) == 1

    def test_what_is_no_registry(self) -> None:
        with pytest.raises(TypeError, match="must be a CollectorRegistry"):
            eryx.instrument(prometheus="yes")  # type: ignore[arg-type]

    def test_both_at_once(self) -> None:
        made, told = prometheus_client.CollectorRegistry(), Told()
        with eryx.instrument(tracer_provider=told.tracer_provider, prometheus=made):
            Sandbox().execute("pass")
        assert len(told.spans("eryx.run")) == 1

    @pytest.mark.parametrize(
        ("package", "call", "extra"),
        [
            ("opentelemetry", "eryx.instrument()", "otel"),
            ("prometheus_client", "eryx.instrument(prometheus=True)", "prometheus"),
        ],
    )
    def test_without_the_package(
        self, child: Callable[[str], str], package: str, call: str, extra: str
    ) -> None:
        code = f"""
            import sys, eryx
            sys.modules["{package}"] = None
            for _ in range(2):
                try: {call}
                except eryx.EryxError as error: print(error)
            print(eryx.Sandbox().execute("print(1)").stdout)
        """
        first, second, output = child(code).splitlines()
        assert first == second
        assert f"pip install 'eryx-sandbox[{extra}]'" in first
        assert output == "1"

    def test_in_the_child_of_a_fork(self, child: Callable[[str], str]) -> None:
        code = """
            import os, eryx, prometheus_client
            registry = prometheus_client.CollectorRegistry()
            eryx.instrument(prometheus=registry)
            eryx.Sandbox().execute("pass")
            if os.fork() == 0:
                eryx.Sandbox().execute("pass")
                labels = {"eryx_sandbox_kind": "sandbox", "eryx_sandbox_isolation": "none",
                          "eryx_run_outcome": "ok", "error_type": ""}
                print(registry.get_sample_value("eryx_run_duration_seconds_count", labels))
                eryx.uninstrument()
                print(eryx.Sandbox().execute("print('whole')").stdout, flush=True)
                os._exit(0)
            assert os.wait()[1] == 0
        """
        assert child(code).split() == ["2.0", "whole"]
