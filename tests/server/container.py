"""What deploy/Dockerfile makes, started as an ordinary user by bubblewrap in place of an engine.

The user has no rights on this machine; inside, the service is user 10001 and process 1, sees the
root directory read-only, has no capabilities, and a filter of system calls from deploy/.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import processes
import seccomp

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NOBODY = 65534
MADE = Path(os.environ.get("ERYX_CONTAINER", ""))  # by toolchain/container.py


class Image:
    """The root directory where everybody can read it, and what is to be started in it."""

    def __init__(self, folder: Path) -> None:
        """folder: for the root directory, which is linked or copied there."""
        self._folder = folder
        self.root = folder / "root"
        subprocess.run(
            [
                *("sh", "-c", 'cp -al "$0" "$1" 2>/dev/null || cp -a "$0" "$1"'),
                *(str(MADE), str(self.root)),
            ],
            check=True,
        )
        self.settings: dict[str, Any] = json.loads((MADE.parent / "image.json").read_text())

    def new_folder(self) -> Path:
        """A folder that everybody may enter."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        folder.chmod(0o755)
        return folder


@contextmanager
def image() -> Iterator[Image]:
    """For a while."""
    folder = Path(tempfile.mkdtemp(prefix="eryx-container-"))
    folder.chmod(0o755)
    try:
        yield Image(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Container(processes.Server):
    """The service in a container; its signals go to process 1 in there."""

    def __init__(
        self,
        image: Image,
        folder: Path,
        settings: str,
        *,
        memory: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        """folder: of its volumes and log; memory: a control group that it is to be in."""
        self.image = image
        self.ports = (processes.free_port(),)
        self.url = f"http://127.0.0.1:{self.ports[0]}"
        self.log = folder / "container.log"
        configuration, state = folder / "etc", folder / "state"
        configuration.mkdir(exist_ok=True)
        state.mkdir(exist_ok=True)
        os.chown(state, NOBODY, NOBODY)
        configuration.joinpath("settings.toml").write_text(settings)
        self._filter = seccomp.compiled(seccomp.read(ROOT / "deploy" / "seccomp.json"))
        told, tell = os.pipe()
        self._memory = memory
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self._command(configuration, state, tell, environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[self._filter, tell],
                preexec_fn=self._join,
            )
        os.close(tell)
        with os.fdopen(told) as answer:
            told_text = answer.read()
        assert told_text, self.log.read_text()
        self.pid: int = json.loads(told_text)["child-pid"]

    def _join(self) -> None:
        """In the child, while it is still root: its memory is counted from here on."""
        if self._memory is not None:
            self._memory.joinpath("cgroup.procs").write_text("0")

    def _command(
        self, configuration: Path, state: Path, tell: int, environment: dict[str, str]
    ) -> list[str]:
        settings = self.image.settings
        user, group = settings["user"]
        variables = {**settings["environment"], **environment}
        command = [str(self.ports[0]) if word == "8000" else word for word in settings["command"]]
        command = [word.replace(":8000", f":{self.ports[0]}") for word in command]
        return [
            *("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
            *("--no-new-privs", "--bounding-set=-all"),
            *("bwrap", "--unshare-all", "--share-net", "--as-pid-1", "--die-with-parent"),
            *("--new-session", "--info-fd", str(tell), "--seccomp", str(self._filter)),
            *("--uid", str(user), "--gid", str(group), "--cap-drop", "ALL"),
            *("--ro-bind", str(self.image.root), "/", "--proc", "/proc", "--dev", "/dev"),
            *self._own_null(),
            *("--tmpfs", "/tmp", "--bind", str(state), "/var/lib/eryx"),
            *("--ro-bind", str(configuration), "/etc/eryx", "--chdir", settings["folder"]),
            "--clearenv",
            *(word for pair in variables.items() for word in ("--setenv", *pair)),
            "--",
            *settings["entrypoint"],
            *command,
        ]

    def _own_null(self) -> list[str]:
        """The image's own /dev/null, where that of this machine is not for everybody."""
        if os.stat(os.devnull).st_mode & 0o006 == 0o006:
            return []
        null = str(self.image.root / "dev" / "null")
        return ["--dev-bind", null, os.devnull]

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in its namespaces, as an engine would its health check."""
        entered = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net", "--user"]
        variables = self.image.settings["environment"]
        return subprocess.run(
            [*entered, "--preserve-credentials", "--", *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=variables,
        )

    def healthy(self) -> bool:
        """What the image's own health check says."""
        command = [
            word.replace(":8000", f":{self.ports[0]}") for word in self.image.settings["health"]
        ]
        return self.inside(*command).returncode == 0

    def status(self, name: str) -> str:
        """A line of its /proc/PID/status."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return line.partition(":")[2].strip()
        raise KeyError(name)

    def end(self, number: int = 15) -> int:
        """Sends a signal to process 1 and gives the exit code."""
        os.kill(self.pid, number)
        return self.process.wait(60)


@contextmanager
def running(image: Image, folder: Path, settings: str, **options: Any) -> Iterator[Container]:
    """A container that answers, for a while."""
    made = Container(image, folder, settings, **options)
    try:
        made.wait()
        yield made
    finally:
        os.close(made._filter)
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
