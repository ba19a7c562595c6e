"""The kernel, by Jupyter's own clients."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from conftest import SECONDS, Frontend, has_matplotlib

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5E"
    "rkJggg=="
)
PLOT = f"""
import base64

class Plot:
    def _repr_png_(self):
        return base64.b64decode("{PNG}")

Plot()
"""
TABLE = """
class Table:
    def _repr_html_(self):
        return "<table><tr><td>1</td></tr></table>"

display(Table())
"""


class TestNotebook:
    def run(self, *cells: str, kernel: str = "eryx") -> Any:
        notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
        NotebookClient(
            notebook, kernel_name=kernel, allow_errors=True, startup_timeout=SECONDS
        ).execute()
        nbformat.validate(notebook)
        return [cell.outputs for cell in notebook.cells]

    def test_text_table_plot_error_and_await(self, jupyter_path: Path) -> None:
        text, table, plot, error, awaited = self.run(
            "print('hello')\nx = 20\nx + 22",
            TABLE,
            PLOT,
            "x / 0",
            "import asyncio\nawait asyncio.sleep(0, x)",
        )
        assert [output.output_type for output in text] == ["stream", "execute_result"]
        assert text[0].text == "hello\n"
        assert text[1].data == {"text/plain": "42"}
        assert table[0].output_type == "display_data"
        assert table[0].data["text/html"].startswith("<table>")
        assert plot[0].output_type == "execute_result"
        assert base64.b64decode(plot[0].data["image/png"]) == base64.b64decode(PNG)
        assert error[0].ename == "ZeroDivisionError"
        assert '  File "<cell 4>", line 1, in <module>' in error[0].traceback
        assert awaited[0].data == {"text/plain": "20"}

    @pytest.mark.skipif(not has_matplotlib(), reason="eryx-science has no matplotlib: make science")
    def test_matplotlib(self, jupyter_path: Path) -> None:
        shown, left_open, value = self.run(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
            "figure, axes = plt.subplots()\nprint('drawn')",
            "figure",
            kernel="plots",
        )
        assert [output.output_type for output in shown] == ["display_data"]
        assert [output.output_type for output in left_open] == ["stream", "display_data"]
        assert [output.output_type for output in value] == ["execute_result"]
        for output in (shown[0], left_open[1], value[0]):
            picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
            assert picture.size > (400, 300)
            picture.load()


class TestExecution:
    def test_output_comes_while_a_cell_runs(self, frontend: Frontend) -> None:
        """The cell would not end if what it prints came at its end."""

        def stop(message: dict[str, Any]) -> None:
            if message["content"].get("text") == "begun\n":
                frontend.manager.interrupt_kernel()

        code = "print('begun')\nwhile True: pass"
        reply = frontend.client.execute_interactive(code, timeout=SECONDS, output_hook=stop)
        assert reply["content"]["ename"] == "KeyboardInterrupt"

    def test_stderr_is_a_stream_of_its_own(self, frontend: Frontend) -> None:
        _, outputs = frontend.execute("import sys\nprint('bad', file=sys.stderr)")
        assert outputs == [{"type": "stream", "name": "stderr", "text": "bad\n"}]

    def test_an_error_is_told_once(self, frontend: Frontend) -> None:
        reply, outputs = frontend.execute("1 / 0")
        assert reply["status"] == "error"
        assert [output["type"] for output in outputs] == ["error"]

    def test_a_silent_cell_shows_nothing(self, frontend: Frontend) -> None:
        reply, outputs = frontend.execute("silent = 1\nprint(2)\n3", silent=True)
        assert (reply["status"], outputs) == ("ok", [])
        assert frontend.execute("silent")[1][0]["data"] == {"text/plain": "1"}

    def test_input_asks_the_frontend(self, frontend: Frontend) -> None:
        def answer(message: dict[str, Any]) -> None:
            frontend.client.input("Ada")

        seen: list[dict[str, Any]] = []
        frontend.client.execute_interactive(
            "name = input('Name? ')\nname * 2",
            timeout=SECONDS,
            allow_stdin=True,
            stdin_hook=answer,
            output_hook=seen.append,
        )
        texts = [message["content"].get("text") for message in seen]
        values = [message["content"].get("data") for message in seen]
        assert "Name? " in texts
        assert {"text/plain": "'AdaAda'"} in values

    def test_input_without_a_frontend_that_can_ask(self, frontend: Frontend) -> None:
        reply, _ = frontend.execute("input()", allow_stdin=False)
        assert reply["ename"] == "EOFError"

    @pytest.mark.parametrize(
        "code",
        ["while True: pass", "import time\ntime.sleep(60)", "sum(range(10**12))"],
        ids=["computing", "waiting", "in C"],
    )
    def test_interrupt_ends_the_cell_and_keeps_the_state(
        self, frontend: Frontend, code: str
    ) -> None:
        frontend.execute("kept = 41")

        def stop(message: dict[str, Any]) -> None:
            if message["content"].get("text") == "begun\n":
                threading.Timer(0.2, frontend.manager.interrupt_kernel).start()

        reply = frontend.client.execute_interactive(
            f"kept += 1\nprint('begun')\n{code}", timeout=SECONDS, output_hook=stop
        )["content"]
        assert reply["ename"] == "KeyboardInterrupt"
        # A cell that had to be stopped in the middle of C code is undone.
        kept = frontend.execute("kept")[1][0]["data"]["text/plain"]
        assert kept == "42" or (kept == "41" and code.startswith("sum"))

    def test_interrupt_while_a_cell_waits_for_input(self, frontend: Frontend) -> None:
        frontend.execute("kept = 42")
        reply = frontend.client.execute_interactive(
            "input()",
            timeout=SECONDS,
            allow_stdin=True,
            stdin_hook=lambda message: frontend.manager.interrupt_kernel(),
        )["content"]
        assert reply["ename"] == "KeyboardInterrupt"
        assert frontend.execute("kept")[1][0]["data"] == {"text/plain": "42"}


class TestQuestions:
    def test_completion(self, frontend: Frontend) -> None:
        frontend.execute("alphabet = 'abc'")
        code = "x = 1\nprint(alphab"
        reply = frontend.ask("complete", code, len(code))
        assert reply["matches"] == ["alphabet"]
        assert code[reply["cursor_start"] : reply["cursor_end"]] == "alphab"
        code = "alphabet.spl"
        assert "alphabet.split(" in [
            match.rstrip("(") + "("
            for match in frontend.ask("complete", code, len(code))["matches"]
        ]

    def test_inspection(self, frontend: Frontend) -> None:
        frontend.execute('def double(n: int) -> int:\n    """Twice as much."""\n    return 2 * n')
        for code, place in (("double", 3), ("double(", 7), ("x = double", 10)):
            reply = frontend.ask("inspect", code, place)
            assert reply["found"]
            text = reply["data"]["text/plain"]
            assert "Signature: double(n: int) -> int" in text
            assert "Twice as much." in text
        assert "return 2 * n" in frontend.ask("inspect", "double", 6, 1)["data"]["text/plain"]
        assert not frontend.ask("inspect", "no_such_name", 3)["found"]
        assert not frontend.ask("inspect", "1 + 2", 2)["found"]

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("x = 1", "complete"),
            ("def f():", "incomplete"),
            ("x = = 1", "invalid"),
            ("await f()", "complete"),
        ],
    )
    def test_is_complete(self, frontend: Frontend, code: str, status: str) -> None:
        reply = frontend.ask("is_complete", code)
        assert reply["status"] == status
        assert status != "incomplete" or reply["indent"] == "    "

    def test_kernel_info(self, frontend: Frontend) -> None:
        reply = frontend.ask("kernel_info")
        assert reply["implementation"] == "eryx"
        assert reply["language_info"]["name"] == "python"


class TestInstallation:
    def test_options_of_eryx_are_those_of_the_sessions(
        self, jupyter_path: Path, tmp_path: Path
    ) -> None:
        command = [sys.executable, "-m", "eryx", "kernel", "install", "--prefix", str(tmp_path)]
        options = ["--name", "small", "--display-name", "Small", "--timeout", "300ms"]
        options += ["-e", "WHERE=here", "--out", str(tmp_path / "out")]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        folder = tmp_path / "share" / "jupyter" / "kernels" / "small"
        specification = json.loads((folder / "kernel.json").read_text())
        assert specification["display_name"] == "Small"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
            cells = [
                "import os\nos.environ['WHERE']",
                "while True: pass",
                "open('report.txt', 'w').write('done')",
            ]
            notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
            NotebookClient(
                notebook, kernel_name="small", allow_errors=True, startup_timeout=SECONDS
            ).execute()
        assert notebook.cells[0].outputs[0].data == {"text/plain": "'here'"}
        assert notebook.cells[1].outputs[0].ename == "TimeoutError"
        assert (tmp_path / "out" / "report.txt").read_text() == "done"

    def test_wrong_options_are_refused_at_once(self) -> None:
        command = [sys.executable, "-m", "eryx", "kernel", "install", "--memory", "much"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "--memory" in done.stderr

    def test_remove(self, tmp_path: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(tmp_path))
            patch.delenv("JUPYTER_PATH", raising=False)
            for words in (["install", "--user"], ["remove"]):
                command = [sys.executable, "-m", "eryx", "kernel", *words]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr
            again = subprocess.run(command, capture_output=True, text=True, check=False)
        assert again.returncode == 1
        assert "there is no kernel eryx" in again.stderr
