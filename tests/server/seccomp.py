"""Filters of system calls, from Docker's profiles to what the kernel takes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pyseccomp

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

_COMPARISONS = {"SCMP_CMP_EQ": pyseccomp.EQ, "SCMP_CMP_MASKED_EQ": pyseccomp.MASKED_EQ}


def read(path: Path) -> dict[str, Any]:
    """A profile."""
    profile: dict[str, Any] = json.loads(path.read_text())
    return profile


def compiled(profile: dict[str, Any], without: Container[str] = ()) -> int:
    """The filter as a file in memory, at its start. without: calls to refuse in spite of it."""
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    made = pyseccomp.SyscallFilter(pyseccomp.ERRNO(profile["defaultErrnoRet"]))
    for rule in profile["syscalls"]:
        action = pyseccomp.ALLOW
        if rule["action"] == "SCMP_ACT_ERRNO":
            action = pyseccomp.ERRNO(rule["errnoRet"])
        for name in rule["names"]:
            if name not in without and known(name):
                made.add_rule(action, name, *map(_argument, rule.get("args", ())))
    file = os.memfd_create("filter", 0)
    with os.fdopen(os.dup(file), "wb") as writing:
        made.export_bpf(writing)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def known(name: str) -> bool:
    """Whether the library here has heard of that call."""
    try:
        return bool(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) >= 0)
    except ValueError:
        return False


def _argument(rule: dict[str, Any]) -> Any:
    compare = _COMPARISONS[rule["op"]]
    return pyseccomp.Arg(rule["index"], compare, rule["value"], rule.get("valueTwo", 0))
