"""The kernel."""

from __future__ import annotations

import argparse
from typing import Any

from ipykernel.kernelbase import Kernel

import eryx
from eryx import EryxError, Session, _cli_factory, _cli_files, _cli_options
from eryx.ext.jupyter import _cells, _questions


class EryxKernel(Kernel):
    """A kernel of Jupyter with one session of `eryx.Session`.

    >>> EryxKernel.language_info["name"]
    'python'
    """

    implementation = "eryx"
    implementation_version = eryx.__version__
    language_info = {  # noqa: RUF012  (as the base has it)
        "name": "python",
        "version": "3.14.7",
        "mimetype": "text/x-python",
        "file_extension": ".py",
        "pygments_lexer": "ipython3",
        "codemirror_mode": {"name": "ipython", "version": 3},
    }
    banner = f"eryx {eryx.__version__}: Python 3.14 in a sandbox"

    environment: dict[str, str] = {}  # noqa: RUF012
    """Variables of each run."""

    out: str | None = None
    """Folder for the files that cells leave in ``/data``; None for none."""

    def __init__(self, **traits: Any) -> None:
        """Makes a kernel and its session. traits: as of the base."""
        super().__init__(**traits)
        self._session = self.make_session()

    def make_session(self) -> Session:
        """The session that cells run in; for classes with options of their own."""
        return Session()

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, str] | None = None,
        allow_stdin: bool = False,
        *,
        cell_meta: Any = None,
        cell_id: str | None = None,
    ) -> dict[str, Any]:
        """Runs a cell. While it does, this thread does nothing else, as in Python's own kernel."""
        self._allow_stdin = allow_stdin
        ending = _cells.run(
            self._session,
            code,
            write=lambda stream, text: None if silent else self._stream(stream, text),
            ask=self.raw_input if allow_stdin else None,
            env=self.environment,
            filename=f"<cell {self.execution_count}>",
        )
        if self.out is not None:
            _cli_files.keep(ending, self.out)
        if not silent:
            self._show(ending)
        if isinstance(ending, EryxError):
            name, text, lines = _cells.error_of(ending)
            reply = {"ename": name, "evalue": text, "traceback": lines}
            if not silent:
                self.send_response(self.iopub_socket, "error", reply)
            return {"status": "error", "execution_count": self.execution_count, **reply}
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }

    def _stream(self, name: str, text: str) -> None:
        self.send_response(self.iopub_socket, "stream", {"name": name, "text": text})

    def _show(self, ending: Any) -> None:
        """Sends displays, and the value."""
        displays = list(ending.display)
        value = None
        if isinstance(ending, eryx.ExecuteResult):
            value = _cells.value_of(ending)
            if _cells.has_rich_value(ending):
                displays.pop()
        for display in displays:
            content = {"data": display.mime, "metadata": display.metadata, "transient": {}}
            self.send_response(self.iopub_socket, "display_data", content)
        if ending.display_truncated:
            self._stream("stderr", "Some displays are left out: they are too large.\n")
        if value is not None:
            content = {"execution_count": self.execution_count}
            content |= {"data": value[0], "metadata": value[1]}
            self.send_response(self.iopub_socket, "execute_result", content)

    async def do_complete(self, code: str, cursor_pos: int) -> dict[str, Any]:
        """How the word at the cursor can go on, by the names of the session."""
        line = code[:cursor_pos].rpartition("\n")[2]
        begin, names = _questions.completions(self._session, line)
        return {
            "status": "ok",
            "matches": names,
            "cursor_start": cursor_pos - len(line) + begin,
            "cursor_end": cursor_pos,
            "metadata": {},
        }

    async def do_inspect(
        self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()
    ) -> dict[str, Any]:
        """Type, signature and documentation of what stands at the cursor."""
        text = _questions.inspection(self._session, code, cursor_pos, detail_level)
        return {
            "status": "ok",
            "found": text is not None,
            "data": {} if text is None else {"text/plain": text},
            "metadata": {},
        }

    async def do_is_complete(self, code: str) -> dict[str, Any]:
        """Whether a cell can be run as it is."""
        status = _questions.is_complete(code)
        if status != "incomplete":
            return {"status": status}
        last = code.rpartition("\n")[2]
        deeper = "    " if last.rstrip().endswith(":") else ""
        return {"status": status, "indent": last[: len(last) - len(last.lstrip())] + deeper}

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """Closes the session."""
        self._session.close()
        return {"status": "ok", "restart": restart}


def kernel_class(options: argparse.Namespace) -> type[EryxKernel]:
    """The kernel with options of the command line."""

    class ConfiguredKernel(EryxKernel):
        environment = _cli_options.environment(options)
        out = options.out

        def make_session(self) -> Session:
            factory = _cli_factory.factory_of(options)
            make = Session if factory is None else factory.create_session
            return make(**_cli_options.sandbox_options(options))

    return ConfiguredKernel
