"""The command ``eryx doctor``: what this machine has of what eryx can use."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import resource
import shutil
import sys
import time

import eryx
from eryx._cache_folder import cache_folder
from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Of each extra a package by which it is known, and what it is for.
_EXTRAS = {
    "autogen": ("autogen-core", "agents of AutoGen"),
    "check": ("ty", "Sandbox.check()"),
    "completion": ("shtab", "eryx completion"),
    "dask": ("distributed", "clusters of Dask"),
    "dspy": ("dspy", "modules of DSPy"),
    "google-adk": ("google-adk", "agents of the Google ADK"),
    "inspect-ai": ("inspect-ai", "evaluations with Inspect"),
    "install": ("unearth", "packages by name, eryx lock, --with"),
    "jupyter": ("ipykernel", "notebooks"),
    "langchain": ("langchain", "agents of LangChain"),
    "llama-index": ("llama-index-core", "agents of LlamaIndex"),
    "mcp": ("mcp", "eryx serve --mcp, --mcp, MCPManager"),
    "native": ("ziglang", "native modules"),
    "openai-agents": ("openai-agents", "agents of the OpenAI SDK"),
    "otel": ("opentelemetry-api", "traces of instrument()"),
    "prometheus": ("prometheus-client", "figures of instrument()"),
    "pydantic-ai": ("pydantic-ai-slim", "agents of pydantic-ai"),
    "ray": ("ray", "clusters of Ray"),
    "repl": ("prompt-toolkit", "editing of whole statements at the prompt"),
    "server": ("uvicorn", "eryx serve"),
    "smolagents": ("smolagents", "agents of smolagents"),
}

_FLAGS = ("avx2", "bmi2", "fma", "pku", "sha_ni")
_GIB = 1 << 30
_LANDLOCK_CREATE_RULESET = 444  # the number of the system call
_SPACE = 8 * _GIB  # of addresses that a sandbox reserves


class Finding:
    """One thing that was looked at."""

    __slots__ = ("about", "good", "name", "text")

    def __init__(self, about: str, name: str, text: str, good: bool | None = True) -> None:
        """good: False if something does not work because of it, None if it is only slower."""
        self.about = about
        self.name = name
        self.text = text
        self.good = good


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = "Exit codes: 0 if sandboxes can run here, 1 otherwise."
    parser.add_argument("--json", action="store_true", help="print it as one JSON object")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    findings = list(_findings())
    if options.json:
        document: dict[str, dict[str, object]] = {}
        for finding in findings:
            entry = {"text": finding.text, "good": finding.good}
            document.setdefault(finding.about, {})[finding.name] = entry
        print(json.dumps(document))
    else:
        about = ""
        for finding in findings:
            if finding.about != about:
                about = finding.about
                print(about)
            mark = {True: "ok", False: "NO", None: "--"}[finding.good]
            print(f"  {mark}  {finding.name:<18} {finding.text}")
    return 0 if all(finding.good is not False for finding in findings) else 1


def _findings() -> Iterator[Finding]:
    yield from _itself()
    yield from _processor()
    yield from _kernel()
    yield from _memory()
    yield from _disk()
    yield from _programs()
    yield from _extras()


def _itself() -> Iterator[Finding]:
    about = "eryx"
    yield Finding(about, "version", f"{eryx.__version__}, in {os.path.dirname(eryx.__file__)}")
    python = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    yield Finding(about, "Python here", python)
    try:
        begun = time.perf_counter()
        inside = eryx.Sandbox().execute("import platform; platform.python_version()").value
        first = time.perf_counter()
        eryx.Sandbox().execute("1")
        second = time.perf_counter()
    except (EryxError, MemoryError, OSError) as error:
        yield Finding(about, "sandbox", f"{type(error).__name__}: {error}", False)
        return
    text = f"Python {inside}, {(first - begun) * 1e3:.0f} ms for the first"
    yield Finding(about, "sandbox", f"{text}, {(second - first) * 1e3:.1f} ms for the next")


def _processor() -> Iterator[Finding]:
    about = "processor"
    name, flags = platform.machine(), set()
    for line in _lines("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() in ("flags", "Features"):
            flags = set(value.split())
            break
    yield Finding(about, "model", name)
    count = len(os.sched_getaffinity(0))
    quota = _quota()
    text = f"{count} of {os.cpu_count()}"
    yield Finding(about, "processors", text if quota is None else f"{text}, {quota:g} by cgroup")
    found = [flag for flag in _FLAGS if flag in flags]
    yield Finding(about, "features", " ".join(found) or "none of those that matter")


def _quota() -> float | None:
    """Processors that the control group may use."""
    for line in _lines("/sys/fs/cgroup/cpu.max"):
        quota, _, period = line.strip().partition(" ")
        if quota != "max" and period:
            return int(quota) / int(period)
    return None


def _kernel() -> Iterator[Finding]:
    about = "kernel"
    yield Finding(about, "release", platform.release())
    try:
        os.close(os.memfd_create("eryx", 0))
        yield Finding(about, "memfd_create", "memory that forks share")
    except OSError as error:
        yield Finding(about, "memfd_create", f"{error.strerror}: no factories and forks", False)
    yield from _workers()
    overcommit = "".join(_lines("/proc/sys/vm/overcommit_memory")).strip()
    strict = overcommit == "2"
    text = "strict: address space counts as memory" if strict else "address space is free"
    yield Finding(about, "overcommit", text, None if strict else True)
    pressure = os.path.exists("/proc/pressure/memory")
    text = "kept memory is given back when memory is short" if pressure else "not known"
    yield Finding(about, "memory pressure", text, pressure or None)


def _workers() -> Iterator[Finding]:
    """Whether sandboxes can be in processes of their own, and what those are locked up with."""
    about = "kernel"
    actions = "".join(_lines("/proc/sys/kernel/seccomp/actions_avail")).split()
    yield Finding(about, "seccomp", "there" if actions else "not there", bool(actions) or None)
    version = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1)
    text = f"version {version}" if version > 0 else "not there"
    yield Finding(about, "Landlock", text, version > 0 or None)
    try:
        eryx.Sandbox(isolation="process").execute("1")
    except (EryxError, MemoryError, OSError) as error:
        yield Finding(about, "worker processes", f"{type(error).__name__}: {error}", None)
    else:
        yield Finding(about, "worker processes", "sandboxes can have processes of their own")


def _memory() -> Iterator[Finding]:
    about = "memory"
    known = {}
    for line in _lines("/proc/meminfo"):
        key, _, value = line.partition(":")
        known[key] = int(value.split()[0]) * 1024
    if "MemTotal" in known:
        total, free = known["MemTotal"], known.get("MemAvailable", 0)
        yield Finding(about, "machine", f"{_size(total)}, {_size(free)} available")
    limit = "".join(_lines("/sys/fs/cgroup/memory.max")).strip()
    if limit.isdecimal():
        yield Finding(about, "control group", f"{_size(int(limit))} at most")
    for name, kind in (("RLIMIT_AS", resource.RLIMIT_AS), ("RLIMIT_DATA", resource.RLIMIT_DATA)):
        most = resource.getrlimit(kind)[0]
        if most == resource.RLIM_INFINITY:
            yield Finding(about, name, "no limit")
        else:
            few = name == "RLIMIT_AS" and most < 2 * _SPACE
            text = f"{_size(most)}: a sandbox reserves {_size(_SPACE)} of addresses"
            yield Finding(about, name, text, None if few else True)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield Finding(about, "RLIMIT_NOFILE", f"{files} descriptors", None if files < 256 else True)


def _disk() -> Iterator[Finding]:
    folder = cache_folder("")
    existing = folder
    while not os.path.exists(existing):
        existing = os.path.dirname(existing)
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    text = f"{folder.rstrip('/')}, {_size(free)} free" if writable else f"{folder} cannot be used"
    yield Finding("cache", "folder", text, True if writable else None)


def _programs() -> Iterator[Finding]:
    """What only some things take, so that none of it has to be there."""
    from eryx.native import _compile

    try:
        words = _compile._compiler()
        text = f"{words[0]}, which translates native modules for this machine"
        yield Finding("programs", "compiler", text)
    except EryxError as error:
        yield Finding("programs", "compiler", str(error), None)
    path = shutil.which("node")
    yield Finding("programs", "node", path or "not found; for many MCP servers", bool(path) or None)


def _extras() -> Iterator[Finding]:
    from importlib import metadata

    for name, (package, purpose) in _EXTRAS.items():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            text = f"for {purpose}: pip install 'eryx-sandbox[{name}]'"
            yield Finding("extras", name, text, None)
        else:
            yield Finding("extras", name, f"{package} {version}, for {purpose}")
    yield _science()


def _science() -> Finding:
    from eryx.native._prebuilt import INSTALL, installed

    about, name = "extras", "eryx-science"
    try:
        found = installed()
    except EryxError as error:
        return Finding(about, name, str(error), None)
    if found is None:
        return Finding(about, name, f"for numpy, pandas and others: {INSTALL}", None)
    return Finding(about, name, f"{len(found.wheels)} packages that are ready to run")


def _lines(path: str) -> list[str]:
    """The lines of a file of the system; none where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20).splitlines()
    except OSError:
        return []


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / (1 << 20):.0f} MiB"
