"""Output that is handed over while it is written."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

import eryx


class TestStreaming:
    def test_pieces_come_while_the_program_runs(self) -> None:
        arrived: list[tuple[str, float]] = []
        sandbox = eryx.Sandbox(on_stdout=lambda text: arrived.append((text, time.monotonic())))
        sandbox.execute("import time\nprint('a')\ntime.sleep(0.1)\nprint('b')")
        assert "".join(text for text, _ in arrived) == "a\nb\n"
        first = next(when for text, when in arrived if "a" in text)
        last = next(when for text, when in arrived if "b" in text)
        assert last - first >= 0.09

    def test_streams_are_apart_and_in_order(self) -> None:
        pieces: list[tuple[int, str]] = []
        sandbox = eryx.Sandbox(
            on_stdout=lambda text: pieces.append((1, text)),
            on_stderr=lambda text: pieces.append((2, text)),
        )
        result = sandbox.execute(
            "import sys\nfor i in range(3):\n"
            "    print(i, flush=True)\n    print(-i, file=sys.stderr, flush=True)"
        )
        assert "".join(text for stream, text in pieces if stream == 1) == "0\n1\n2\n"
        assert "".join(text for stream, text in pieces if stream == 2) == "0\n-1\n-2\n"
        assert [stream for stream, text in pieces if text.strip()] == [1, 2] * 3
        assert result.stdout == "0\n1\n2"

    def test_characters_are_never_split(self) -> None:
        pieces: list[str] = []
        text = "aé€\U0001f600" * 5000
        eryx.Sandbox(on_stdout=pieces.append).execute(
            "import sys\n"
            f"for byte in {text[:40]!r}.encode():\n"
            "    sys.stdout.buffer.write(bytes([byte])); sys.stdout.buffer.flush()\n"
            f"sys.stdout.write({text!r})"
        )
        assert "".join(pieces) == text[:40] + text

    def test_order_with_callbacks(self) -> None:
        seen: list[str] = []
        sandbox = eryx.Sandbox(
            on_stdout=lambda text: seen.extend(text.split()),
            callbacks=[{"name": "note", "fn": lambda what: seen.append(f"call {what}")}],
        )
        sandbox.execute("print('one', flush=True)\nawait note(1)\nprint('two', flush=True)")
        assert seen == ["one", "call 1", "two"]

    def test_async_handlers_are_awaited_in_order(self) -> None:
        seen: list[str] = []

        async def handler(text: str) -> None:
            await asyncio.sleep(0.005)
            seen.append(text)

        sandbox = eryx.Sandbox(on_stdout=handler)
        code = "import time\nfor i in range(20):\n    print(i, flush=True)\n    sum(range(50_000))"
        result = asyncio.run(sandbox.execute_async(code))
        assert "".join(seen).split() == [str(i) for i in range(20)]
        assert result.stdout.split() == [str(i) for i in range(20)]

    def test_async_handlers_need_execute_async(self) -> None:
        async def handler(text: str) -> None: ...

        class Handler:
            async def __call__(self, text: str) -> None: ...

        for each in (handler, Handler()):
            with pytest.raises(TypeError, match="execute_async"):
                eryx.Sandbox(on_stderr=each).execute("print(1)")

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_handler_that_fails_does_not_stop_the_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reported: list[Any] = []
        monkeypatch.setattr("sys.unraisablehook", lambda info: reported.append(info.exc_value))

        async def fail(text: str) -> None:
            raise ValueError(text)

        result = asyncio.run(eryx.Sandbox(on_stdout=fail).execute_async("print(1)\nprint(2)"))
        assert result.stdout == "1\n2"
        assert "".join(str(error) for error in reported) == "1\n2\n"

    def test_an_async_handler_may_not_use_the_sandbox(self) -> None:
        refused: list[str] = []

        async def handler(text: str) -> None:
            try:
                await sandbox.execute_async("print(2)")
            except eryx.EryxError as error:
                refused.append(str(error))

        sandbox = eryx.Sandbox(on_stdout=handler)
        assert asyncio.run(sandbox.execute_async("print(1)")).stdout == "1"
        assert len(refused) >= 1
