"""Journals: the answers of callbacks, to run a program again without calling them again."""

from __future__ import annotations

import hashlib
import json
from collections import deque

from eryx._annotations import late_annotations
from eryx._errors import ResourceLimitError, SuspendCallback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx._errors import EryxError
    from eryx._result import ExecuteResult

_VERSION = 1
_MAX_BYTES = 64 * 1024 * 1024  # of what a journal holds as Python objects, by estimate
_BYTES_PER_CHARACTER = 8  # of JSON that came from a function of the caller


class ReplayOutcome:
    """What `Sandbox.execute_with_journal` gives."""

    __module__ = "eryx"
    __slots__ = (
        "error",
        "journal",
        "replayed_callbacks",
        "result",
        "suspend_reason",
        "suspended",
    )

    result: ExecuteResult | None
    """What a run that succeeded left."""
    error: EryxError | None
    """What `Sandbox.execute` would have raised for the run."""
    journal: dict[str, Any]
    """The answers of the run's callbacks, old and new; can be stored as JSON."""
    replayed_callbacks: int
    """How many callbacks were answered from the journal."""
    suspended: bool
    """Whether a callback ended the run with `SuspendCallback`; result and error are then None."""
    suspend_reason: str | None
    """What the callback gave as the reason."""

    def __init__(
        self,
        recording: Recording,
        result: ExecuteResult | None = None,
        error: EryxError | None = None,
        suspend_reason: str | None = None,
    ) -> None:
        """Outcomes are made by the package only."""
        self.result = result
        self.error = error
        self.journal = recording.journal()
        self.replayed_callbacks = recording.replayed
        self.suspended = suspend_reason is not None
        self.suspend_reason = suspend_reason

    def __eq__(self, other: object) -> bool:
        """Equal if all attributes are; exceptions are if they are of one type and say the same."""
        if not isinstance(other, ReplayOutcome):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # they can be changed

    def _values(self) -> tuple[object, ...]:
        error = self.error
        described = None if error is None else (type(error), error.args, vars(error))
        return described, *(getattr(self, name) for name in self.__slots__ if name != "error")

    def __repr__(self) -> str:
        """How the run went."""
        if self.suspended:
            how = f"suspended={self.suspend_reason!r}"
        else:
            how = f"result={self.result!r}" if self.error is None else f"error={self.error!r}"
        return (
            f"ReplayOutcome({how}, replayed_callbacks={self.replayed_callbacks}, "
            f"journal of {len(self.journal['entries'])} entries)"
        )


class Recording:
    """The journal that a run reads and the one that it writes.

    An entry answers the first call of that name with equal arguments. From the first call that has
    no entry on, all calls are made.
    """

    __slots__ = ("_code", "_entries", "_left", "_size", "replayed")

    def __init__(self, code: str, journal: dict[str, Any] | None) -> None:
        """Raises TypeError and ValueError if the journal is none, or one of another program."""
        self._code = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
        self._entries: list[dict[str, Any]] = []
        self._size = 0
        self._left: dict[tuple[str, str], deque[dict[str, Any]]] | None = None
        self.replayed = 0
        if journal is not None:
            self._left = {}
            for entry in _checked(journal, self._code):
                key = (entry["name"], _canonical(entry["arguments"]))
                self._left.setdefault(key, deque()).append(entry)

    def next(
        self, name: str, arguments: dict[str, Any], memory_bytes: int
    ) -> tuple[int | None, dict[str, Any] | None]:
        """The place of a call in the new journal, and its old entry if there is one.

        memory_bytes: what the arguments take. Raises ResourceLimitError if the journal is full.
        """
        if self._left is not None:
            entries = self._left.get((name, _canonical(arguments)))
            if entries:
                entry = entries.popleft()
                self._entries.append(entry)
                self.replayed += 1
                return None, entry
            self._left = None
        if self._size + memory_bytes > _MAX_BYTES:
            raise ResourceLimitError(f"the journal would be larger than {_MAX_BYTES >> 20} MiB")
        self._size += memory_bytes
        # A copy: the function may change what it is given.
        self._entries.append({"name": name, "arguments": json.loads(json.dumps(arguments))})
        return len(self._entries) - 1, None

    def note_value(self, slot: int, text: str) -> None:
        """The call has returned."""
        self._size += len(text) * _BYTES_PER_CHARACTER
        self._entries[slot]["value"] = json.loads(text)

    def note_exception(self, slot: int, type_name: str, message: str) -> None:
        """The call has raised."""
        self._entries[slot]["exception"] = {"type": type_name, "message": message}

    def journal(self) -> dict[str, Any]:
        """The new journal: what was answered."""
        return {
            "version": _VERSION,
            "code_sha256": self._code,
            "entries": [
                entry for entry in self._entries if "value" in entry or "exception" in entry
            ],
        }


def ended_by(error: EryxError, recording: Recording) -> ReplayOutcome:
    """The outcome of a run that did not succeed."""
    if isinstance(error, SuspendCallback):
        return ReplayOutcome(recording, suspend_reason=error.reason)
    return ReplayOutcome(recording, error=error)


def _canonical(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"))


def _checked(journal: dict[str, Any], code: str) -> list[dict[str, Any]]:
    """The entries of a journal that came from who knows where."""
    if not isinstance(journal, dict):
        raise TypeError(f"journal must be a dict or None, not {type(journal).__name__}")
    if journal.get("version") != _VERSION:
        raise ValueError(f"journal has the unknown version {journal.get('version')!r}")
    if journal.get("code_sha256") not in (None, code):
        raise ValueError("journal belongs to another program: its code_sha256 differs")
    entries = journal.get("entries")
    if not isinstance(entries, list):
        raise ValueError("journal has no list of entries")
    for number, entry in enumerate(entries):
        if not _is_entry(entry):
            raise ValueError(f"entry {number} of the journal is malformed")
    return list(entries)


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return False
    if not isinstance(entry.get("arguments"), dict):
        return False
    if "exception" not in entry:
        return "value" in entry
    exception = entry["exception"]
    return (
        isinstance(exception, dict)
        and isinstance(exception.get("type"), str)
        and isinstance(exception.get("message"), str)
    )


late_annotations(globals(), ReplayOutcome)
