"""Follows deploy/Dockerfile without a container engine: ``python3 -m toolchain.container``.

As root, with debootstrap for what it starts from and chroot for its commands. Prints the folder of
the finished root directory; next to it ``image.json`` says what a container is started with. What
an instruction has added lies in the cache of the build, under the hash of all that led to it.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.cache import default_root
from toolchain.command import exit_status
from toolchain.debian import mirror
from toolchain.errors import BuildError
from toolchain.setup import install_system_packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
# Programs and the Debian packages that have them; tests start the container with bwrap.
PROGRAMS = {"debootstrap": "debootstrap", "bwrap": "bubblewrap"}
KEPT = 40  # layers

# What commands need of this machine while they run, to fetch packages.
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_FROM_HERE = ("/etc/hosts", "/etc/resolv.conf")

# For apt, as images have it: no files that only this once are of use.
_KEEP_NOTHING = 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'


@dataclass
class Image:
    """What the instructions so far have made."""

    layers: list[Path] = field(default_factory=list)
    key: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    configuration: dict[str, object] = field(default_factory=dict)


def instructions(path: Path) -> list[tuple[str, str]]:
    """Word and rest of each instruction of a Dockerfile."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n", "", "\n".join(lines))
    words = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in words]


class Builder:
    """Follows a Dockerfile whose context is the folder of the project."""

    def __init__(self, folder: Path) -> None:
        """folder: where the layers are kept."""
        self._folder = folder
        self._stages: dict[str, Image] = {}
        self._image = Image()

    def build(self, path: Path) -> Image:
        """Gives the last stage. Raises BuildError."""
        for word, rest in instructions(path):
            follow = getattr(self, f"do_{word.lower()}", None)
            if follow is None:
                raise BuildError(f"{path}: nothing here follows {word}")
            follow(rest)
        return self._image

    # ---- What adds a layer ----

    def do_from(self, rest: str) -> None:
        name, _, stage = rest.partition(" AS ")
        found = re.fullmatch(r"debian:([a-z]+)-slim", name)
        if found is None:
            raise BuildError(f"FROM {name}: only releases of Debian can be had here")
        self._image = Image(environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        self._stages[stage] = self._image
        suite = found.group(1)
        self._layer(f"FROM {suite} {_KEEP_NOTHING}", lambda new: _make_debian(suite, new))

    def do_run(self, rest: str) -> None:
        self._layer(f"RUN {rest}", lambda new: self._in_image(new, rest))

    def do_copy(self, rest: str) -> None:
        *sources, target = shlex.split(rest)
        if sources[0].startswith("--from="):
            stage = self._stages[sources.pop(0).partition("=")[2]]
            self._layer(
                f"COPY {rest} {stage.key}", lambda new: _copy_out(stage, sources, new, target)
            )
            return
        files = [Path(name) for source in sources for name in sorted(glob.glob(str(ROOT / source)))]
        if not files:
            raise BuildError(f"COPY {rest}: there is no such file (`make wheel` makes the wheel)")
        hashes = " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)

        def copy(new: Path) -> None:
            into = new / target.lstrip("/")
            into.mkdir(parents=True)
            for file in files:
                shutil.copy(file, into)

        self._layer(f"COPY {rest} {hashes}", copy)

    def _layer(self, what: str, make: Callable[[Path], object]) -> None:
        image = self._image
        image.key = hashlib.sha256(f"{image.key}\n{what}".encode()).hexdigest()
        layer = self._folder / image.key[:40]
        if not layer.exists():
            print(what[:100], file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
                new = Path(scratch, "new")
                new.mkdir(mode=0o755)
                make(new)
                new.rename(layer)
        os.utime(layer)
        image.layers.append(layer)

    def _in_image(self, new: Path, command: str) -> None:
        """Runs a command over the layers so far; what it writes goes into the new one."""
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            work, root = Path(scratch, "work"), Path(scratch, "root")
            work.mkdir()
            root.mkdir()
            lower = ":".join(map(str, reversed(self._image.layers)))
            layers = f"lowerdir={lower},upperdir={new},workdir={work}"
            steps = [
                f"mount -t overlay overlay -o {layers} {root}",
                *(f"touch {root}{file}; mount --bind {file} {root}{file}" for file in _FROM_HERE),
                f"mount -t proc proc {root}/proc",
                f"mount -t tmpfs tmpfs {root}/run",
                f"cp {_CERTIFICATES} {root}/run/certificates",
                f"exec chroot {root} sh -c {shlex.quote(command)}",
            ]
            environment = {
                **{name: value for name, value in os.environ.items() if name.endswith("_proxy")},
                **self._image.environment,
                "DEBIAN_FRONTEND": "noninteractive",
                "PIP_CERT": "/run/certificates",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            }
            _run("unshare", "--mount", "sh", "-ec", "\n".join(steps), environment=environment)

    # ---- What is remembered of it ----

    def do_env(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self._image.environment[name] = value

    def _remember(self, name: str, value: object) -> None:
        self._image.configuration[name] = value

    def do_user(self, rest: str) -> None:
        self._remember("user", [int(part) for part in rest.split(":")])

    def do_workdir(self, rest: str) -> None:
        self._remember("folder", rest)

    def do_entrypoint(self, rest: str) -> None:
        self._remember("entrypoint", json.loads(rest))

    def do_cmd(self, rest: str) -> None:
        self._remember("command", json.loads(rest))

    def do_healthcheck(self, rest: str) -> None:
        self._remember("health", json.loads(rest.partition(" CMD ")[2]))

    def do_expose(self, rest: str) -> None:
        self._remember("port", int(rest))

    def do_stopsignal(self, rest: str) -> None:
        self._remember("signal", rest)


def _make_debian(suite: str, new: Path) -> None:
    """Like the slim image of a release, with a little more that nobody reads."""
    _run("debootstrap", "--variant=minbase", suite, str(new), mirror())
    for kept in new.glob("var/cache/apt/**/*.*"):
        kept.unlink()
    (new / "etc/apt/apt.conf.d/keep-nothing").write_text(_KEEP_NOTHING)


def _copy_out(stage: Image, sources: list[str], new: Path, target: str) -> None:
    """Copies what the layers of another stage show together."""
    with tempfile.TemporaryDirectory(dir=new.parent) as root:
        into = new / target.lstrip("/")
        into.mkdir(parents=True)
        lower = ":".join(map(str, reversed(stage.layers)))
        steps = [f"mount -t overlay overlay -o lowerdir={lower} {root}"]
        steps += [f"cp -a {root}{source}/. {into}/" for source in sources]
        _run("unshare", "--mount", "sh", "-ec", "\n".join(steps))


def _run(*command: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        raise BuildError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def prepare() -> Path:
    """Makes the root directory, if it is not there; gives it. As root. Raises BuildError."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing:
        install_system_packages(missing, ROOT / "build" / "log" / "apt.log")
    folder = default_root() / "container"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        image = Builder(folder).build(DOCKERFILE)
        described = json.dumps({**image.configuration, "environment": image.environment})
        finished = ROOT / "build" / "container"
        if _is(finished, image.key):
            return finished / "root"
        shutil.rmtree(finished, ignore_errors=True)
        finished.mkdir(parents=True)
        _copy_out(image, [""], finished, "root")
        (finished / "image.json").write_text(described)
        (finished / "key").write_text(image.key)
        _prune(folder)
    return finished / "root"


def _is(finished: Path, key: str) -> bool:
    try:
        return (finished / "key").read_text() == key
    except FileNotFoundError:
        return False


def _prune(folder: Path) -> None:
    """Removes all but the layers that were used last."""
    layers = [path for path in folder.iterdir() if path.is_dir()]
    for layer in sorted(layers, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(layer, ignore_errors=True)


def main() -> int:
    if os.geteuid() != 0:
        print("no container: following a Dockerfile takes root", file=sys.stderr)
        return 0  # tests then say that they go without
    return exit_status(lambda: print(prepare()))


if __name__ == "__main__":
    sys.exit(main())
