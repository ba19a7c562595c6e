"""For the tests of eryx.ext.jupyter: they run in an environment of toolchain/environments.py."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import eryx
from eryx import science

SECONDS = 180


def has_matplotlib() -> bool:
    """Whether eryx-science was built for this eryx, and with matplotlib."""
    try:
        return science.find("matplotlib") is not None
    except eryx.InitializationError:
        return False


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: takes Chromium and its driver")


@pytest.fixture(scope="session")
def jupyter_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder where `eryx kernel install` has put kernels, and where Jupyter looks.

    They are ``eryx``, and ``plots`` with matplotlib if eryx-science has it.
    """
    prefix = tmp_path_factory.mktemp("prefix")
    command = [sys.executable, "-m", "eryx", "kernel", "install", "--prefix", str(prefix)]
    plots = ["--name", "plots", "--package", "matplotlib", "--cache"]
    for options in ([], plots) if has_matplotlib() else ([],):
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    folder = prefix / "share" / "jupyter"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield folder


class Frontend:
    """A running kernel, and what a frontend asks of it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def execute(self, code: str, **options: object) -> tuple[dict, list[dict]]:
        """The reply, and what came meanwhile."""
        seen: list[dict] = []
        reply = self.client.execute_interactive(
            code, timeout=SECONDS, output_hook=seen.append, **options
        )
        return reply["content"], [
            {"type": message["msg_type"], **message["content"]}
            for message in seen
            if message["msg_type"] not in ("status", "execute_input")
        ]

    def ask(self, request: str, *arguments: object) -> dict:
        """The reply to another request."""
        message = getattr(self.client, request)(*arguments)
        return self._reply(message)

    def _reply(self, message: str) -> dict:
        while True:
            reply = self.client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]


@pytest.fixture(scope="module")
def frontend(jupyter_path: Path) -> Iterator[Frontend]:
    manager = KernelManager(kernel_name="eryx")
    manager.start_kernel(env=dict(os.environ))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)
    yield Frontend(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
