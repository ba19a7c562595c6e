"""The command eryx."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import eryx

COMMAND = [sys.executable, "-m", "eryx"]


def cli(*arguments: str, stdin: str | bytes | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command; without stdin it gets an empty pipe."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*COMMAND, *arguments], input=data or b"", capture_output=True, timeout=60, check=False
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


class TestPrograms:
    def test_code(self) -> None:
        done = cli("-c", "print('hello')")
        assert (done.stdout, done.stderr, done.returncode) == ("hello\n", "", 0)

    def test_empty_code(self) -> None:
        done = cli("-c", "")
        assert (done.stdout, done.returncode) == ("", 0)

    def test_file(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_text("import sys\nprint('füle', sys.argv[1:])")
        done = cli(str(script), "--", "a", "-b", "--", "--json")
        assert done.stdout == "füle ['a', '-b', '--', '--json']\n"
        assert done.returncode == 0

    def test_file_with_a_byte_order_mark(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_bytes(b"\xef\xbb\xbfprint(1)")
        assert cli(str(script)).stdout == "1\n"

    def test_file_that_is_no_text(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_bytes(b"x = '\xff'")
        done = cli(str(script))
        assert done.returncode == 1
        assert "Error" in done.stderr

    @pytest.mark.parametrize("arguments", [[], ["-"]])
    def test_piped_program(self, arguments: list[str]) -> None:
        done = cli(*arguments, stdin="print('piped')")
        assert (done.stdout, done.returncode) == ("piped\n", 0)

    def test_piped_program_with_arguments(self) -> None:
        done = cli("-", "--", "x", stdin="import sys; print(sys.argv[1:])")
        assert done.stdout == "['x']\n"

    def test_empty_pipe_prints_help(self) -> None:
        done = cli()
        assert done.returncode == 0
        assert done.stdout.startswith("usage: eryx")

    def test_terminal_without_program_prints_help(self) -> None:
        primary, secondary = pty.openpty()
        try:
            done = subprocess.run(
                COMMAND, stdin=secondary, capture_output=True, text=True, timeout=60, check=False
            )
        finally:
            os.close(primary)
            os.close(secondary)
        assert done.returncode == 0
        assert done.stdout.startswith("usage: eryx")

    def test_missing_file(self) -> None:
        done = cli("/nonexistent/script.py")
        assert done.returncode == 1
        assert "No such file" in done.stderr

    def test_directory(self, tmp_path: Path) -> None:
        done = cli(str(tmp_path))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr

    def test_installed_command(self) -> None:
        command = Path(sys.executable).with_name("eryx")
        if not command.exists():
            pytest.skip("the package is used from the build tree")
        done = subprocess.run(
            [command, "-c", "print(1)"], capture_output=True, text=True, check=True
        )
        assert done.stdout == "1\n"


class TestUsage:
    def test_version(self) -> None:
        done = cli("--version")
        assert (done.stdout, done.returncode) == (f"eryx {eryx.__version__}\n", 0)

    def test_help(self) -> None:
        done = cli("-h")
        assert done.returncode == 0
        for option in ("--timeout", "--max-memory", "--max-output", "--fuel", "--meter"):
            assert option in done.stdout
        assert "--json" in done.stdout
        assert "--result" in done.stdout

    @pytest.mark.parametrize(
        "arguments",
        [
            ["-c", "pass", "script.py"],
            ["--no-such-option"],
            ["--timeout", "soon", "-c", ""],
            ["--timeout", "-1", "-c", ""],
            ["--fuel", str(2**63), "-c", ""],
            ["-c"],
        ],
    )
    def test_wrong_usage(self, arguments: list[str]) -> None:
        done = cli(*arguments)
        assert done.returncode == 2
        assert "usage: eryx" in done.stderr


class TestExitCodes:
    def test_exception(self) -> None:
        done = cli("-c", "print('x')\n1/0")
        assert done.returncode == 1
        assert done.stdout == "x\n"
        assert done.stderr.startswith("Traceback")
        assert done.stderr.count("ZeroDivisionError") == 1

    @pytest.mark.parametrize(("code", "expected"), [("3", 3), ("0", 0), ("'text'", 1), ("256", 1)])
    def test_exit(self, code: str, expected: int) -> None:
        assert cli("-c", f"import sys; sys.exit({code})").returncode == expected

    def test_hard_exit(self) -> None:
        assert cli("-c", "import os; os._exit(7)").returncode == 7

    def test_timeout(self) -> None:
        done = cli("--timeout", "200", "-c", "print('x', flush=True)\nwhile True: pass")
        assert done.returncode == 1
        assert done.stdout == "x\n"
        assert done.stderr.count("Traceback") == 1
        assert re.search(r"\neryx: timeout: stopped after \d+ ms\n$", done.stderr)
        stubborn = "while True:\n try:\n  while True: pass\n except BaseException: pass"
        done = cli("--timeout", "200", "-c", stubborn)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(r"eryx: timeout: stopped after \d+ ms\n", done.stderr)

    def test_meter(self) -> None:
        done = cli("--json", "--meter", "-c", "pass")
        assert json.loads(done.stdout)["fuel_consumed"] > 0

    def test_fuel(self) -> None:
        done = cli("--fuel", "2000000", "-c", "while True: pass")
        assert done.returncode == 1
        assert "fuel" in done.stderr

    def test_memory(self) -> None:
        done = cli("--max-memory", str(64 << 20), "-c", "x = bytearray(100_000_000)")
        assert done.returncode == 1
        assert "MemoryError" in done.stderr

    def test_crash(self) -> None:
        done = cli("-c", "import os; os.abort()")
        assert done.returncode != 0
        assert done.stderr != ""

    def test_interrupt(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "-c", "print('ready', flush=True)\nwhile True: pass"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 130
        assert "Traceback" not in errors

    def test_closed_output(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "-c", "while True: print('x')"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "x\n"
        process.stdout.close()
        assert process.wait(timeout=20) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stderr.close()


class TestOutput:
    def test_is_streamed(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "-c", "import time\nprint('early', flush=True)\ntime.sleep(20)"],
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], 15)
            assert ready
            assert process.stdout.readline() == b"early\n"
            assert process.poll() is None
        finally:
            process.kill()
            process.communicate()

    def test_is_exact(self) -> None:
        done = subprocess.run(
            [
                *COMMAND,
                "-c",
                r"import os; os.write(1, b'\xff\x00\x1b[31m\n\n'); os.write(2, b'\xfe')",
            ],
            capture_output=True,
            check=True,
        )
        assert done.stdout == b"\xff\x00\x1b[31m\n\n"
        assert done.stderr == b"\xfe"

    def test_terminal_is_not_commanded(self) -> None:
        primary, secondary = pty.openpty()
        code = r"import os; os.write(1, '\x1b]0;owned\x07\x9b31mäb\ttab\n'.encode())"
        try:
            subprocess.run([*COMMAND, "-c", code], stdout=secondary, timeout=60, check=True)
            time.sleep(0.1)
            output = os.read(primary, 65536).decode()
        finally:
            os.close(primary)
            os.close(secondary)
        assert "\x1b" not in output
        assert "\x07" not in output
        assert "\x9b" not in output
        assert r"\x1b]0;owned\x07\x9b31mäb" in output

    def test_result(self) -> None:
        done = cli("--result", "-c", "print('x'); result = {'a': [1, 'é']}")
        first, second = done.stdout.splitlines()
        assert first == "x"
        assert json.loads(second) == {"a": [1, "é"]}

    def test_result_that_json_cannot_hold(self) -> None:
        done = cli("--result", "-c", "result = object()")
        assert done.returncode == 1
        assert "JSON" in done.stderr

    def test_no_result(self) -> None:
        done = cli("--result", "-c", "pass")
        assert (done.stdout, done.returncode) == ("", 0)

    def test_json(self) -> None:
        done = cli(
            "--json", "-c", "import sys; print('o'); print('e', file=sys.stderr); result = 1"
        )
        assert (done.stderr, done.returncode) == ("", 0)
        document = json.loads(done.stdout)
        assert (document["stdout"], document["stderr"], document["result"]) == ("o", "e", 1)
        assert document["error"] is None
        assert document["fuel_consumed"] is None
        assert document["duration_ms"] > 0
        assert document["peak_memory_bytes"] > 0
        assert document["stdout_truncated"] is False

    def test_json_of_an_exception(self) -> None:
        done = cli("--json", "-c", "print('o')\nraise KeyError('k')")
        assert done.returncode == 1
        document = json.loads(done.stdout)
        assert document["stdout"] == "o"
        assert document["error"]["type"] == "ExecutionError"
        assert document["error"]["exc_type"] == "KeyError"
        assert document["error"]["traceback"].startswith("Traceback")

    def test_json_of_a_timeout(self) -> None:
        done = cli("--json", "--timeout", "100", "-c", "while True: pass")
        assert done.returncode == 1
        assert json.loads(done.stdout)["error"]["type"] == "TimeoutError"

    def test_output_limit(self) -> None:
        done = cli("--json", "--max-output", "100", "-c", "print('x' * 1000)")
        document = json.loads(done.stdout)
        assert document["stdout_truncated"] is True
        assert len(document["stdout"]) <= 100
