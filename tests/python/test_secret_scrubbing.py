"""Secrets: placeholders in what the guest writes."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import eryx
from eryx import ResourceLimits, Sandbox
from secret_helpers import PLACEHOLDER, READ, Guests, key
from servers import HOST

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("guests", "each_isolation")


class TestScrubbing:
    """Placeholders in what the guest writes."""

    def test_stdout_and_stderr(self, guests: Guests) -> None:
        code = """
            import os, sys
            print("a", os.environ["API_KEY"], "b")
            print(os.environ["API_KEY"], file=sys.stderr)
        """
        done = guests.sandbox(secrets=key(HOST)).execute(dedent(code))
        assert done.stdout == "a [REDACTED] b"
        assert done.stderr == "[REDACTED]"

    def test_it_can_be_turned_off(self, guests: Guests) -> None:
        code = (
            "import os, sys; print(os.environ['API_KEY']); sys.stderr.write(os.environ['API_KEY'])"
        )
        done = guests.sandbox(secrets=key(HOST), scrub_stdout=False).execute(code)
        assert PLACEHOLDER.fullmatch(done.stdout)
        assert done.stderr == "[REDACTED]"
        done = guests.sandbox(secrets=key(HOST), scrub_stderr=False).execute(code)
        assert PLACEHOLDER.fullmatch(done.stderr)
        assert done.stdout == "[REDACTED]"

    @pytest.mark.parametrize("step", [1, 3, 20, 44, 100])
    def test_streams(self, guests: Guests, step: int) -> None:
        chunks: list[str] = []
        code = f"""
            import os, sys
            text = "see " + os.environ["API_KEY"] + os.environ["API_KEY"][:20] + " é the e"
            for at in range(0, len(text), {step}):
                sys.stdout.write(text[at:at + {step}])
                sys.stdout.flush()
        """
        sandbox = guests.sandbox(secrets=key(HOST), on_stdout=chunks.append)
        done = sandbox.execute(dedent(code))
        assert re.fullmatch("see \\[REDACTED\\]eryx_secret_.{8} é the e", done.stdout)
        assert "".join(chunks) == done.stdout

    def test_what_is_held_back_is_not_lost_when_a_run_is_stopped(self, guests: Guests) -> None:
        sandbox = guests.sandbox(
            secrets=key(HOST), resource_limits=ResourceLimits(execution_timeout_ms=300)
        )
        with pytest.raises(eryx.TimeoutError) as caught:
            sandbox.execute("print('some', end='', flush=True)\nwhile True: pass")
        assert caught.value.stdout == "some"

    def test_exceptions(self, guests: Guests) -> None:
        code = "import os; raise ValueError('bad ' + os.environ['API_KEY'])"
        sandbox = guests.sandbox(secrets=key(HOST))
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute(code)
        assert "bad [REDACTED]" in str(caught.value)
        assert not PLACEHOLDER.search(repr(vars(caught.value)) + str(caught.value))

    def test_result(self, guests: Guests) -> None:
        code = "import os; result = {'k': [os.environ['API_KEY']]}"
        done = guests.sandbox(secrets=key(HOST)).execute(code)
        assert isinstance(done.result, dict)
        assert PLACEHOLDER.fullmatch(done.result["k"][0])
        done = guests.sandbox(secrets=key(HOST), scrub_result=True).execute(code)
        assert done.result == {"k": ["[REDACTED]"]}

    def test_callbacks(self, guests: Guests) -> None:
        seen: list[object] = []

        def tell(**arguments: object) -> object:
            seen.append(arguments)
            return foreign[0]

        foreign = [""]
        sandbox = guests.session(
            secrets=key(HOST),
            callbacks=[{"name": "tell", "fn": tell}],
        )
        foreign[0] = str(sandbox.execute(READ).result)
        done = sandbox.execute("result = await tell(text='x' + os.environ['API_KEY'], many=[1])")
        assert seen == [{"text": "x[REDACTED]", "many": [1]}]
        assert done.result == "[REDACTED]"

    def test_trace(self, guests: Guests) -> None:
        sandbox = guests.sandbox(secrets=key(HOST))
        code = "import os\ntry:\n    raise ValueError(os.environ['API_KEY'])\nexcept ValueError: 1"
        done = sandbox.execute(code, trace=True)
        assert done.trace
        assert not PLACEHOLDER.search(repr(done.trace))

    def test_files(self, guests: Guests, tmp_path: Path) -> None:
        code = """
            import os
            for place in ("/data/file", "/volume/file"):
                with open(place, "w") as file:
                    file.write("a" + os.environ["API_KEY"] + "b")
                assert os.path.getsize(place) == 46
                handle = os.open(place + "2", os.O_CREAT | os.O_RDWR)
                os.pwrite(handle, os.environ["API_KEY"].encode(), 3)
                os.close(handle)
        """
        expected = "[REDACTED]" + "*" * 34
        session = guests.session(secrets=key(HOST), volumes=[(str(tmp_path), "/volume", False)])
        session.execute(dedent(code))
        assert (tmp_path / "file").read_text() == f"a{expected}b"
        assert (tmp_path / "file2").read_text() == f"\0\0\0{expected}"
        assert session.execute("print(open('/data/file').read())").stdout == f"a{expected}b"
        other = guests.session(
            secrets=key(HOST), volumes=[(str(tmp_path), "/volume", False)], scrub_files=False
        )
        other.execute(dedent(code))
        assert PLACEHOLDER.search((tmp_path / "file").read_text())

    def test_without_secrets_nothing_is_changed(self) -> None:
        text = "eryx_secret_" + "0" * 32
        chunks: list[str] = []
        done = Sandbox(on_stdout=chunks.append, scrub_result=True).execute(
            f"print({text!r}); result = {text!r}"
        )
        assert done.stdout == text == done.result
        assert "".join(chunks) == text + "\n"
