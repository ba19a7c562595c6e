"""Runs that can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from eryx._annotations import late_annotations

_NS_PER_SECOND = 1_000_000_000
_SEED_BITS = 64
_LATEST_NS = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deterministic:
    """A clock and random numbers that are the same each time.

    Given to `Sandbox`, `Session`, and what factories and pools make, it has a program do the same
    in each run, in any process: with the same inputs and the same answers to its calls it writes
    the same bytes.

    seed: of `random`, ``os.urandom``, `secrets` and `uuid`; 0 to 2**64 - 1. The hashes of strings
        are the same whatever it is.
    start: the time at which the wall clock begins: a text in ISO 8601, a `datetime`, or seconds
        since 1970. Without a time zone it is in UTC.
    tick: nanoseconds that pass with each unit of fuel; 5, which is about what it takes. 0: the
        clocks stand still but for sleeps and `Sandbox.advance_clock`.

    >>> import eryx
    >>> code = "import random, time; print(random.random(), time.time())"
    >>> fixed = eryx.Deterministic(seed=1)
    >>> first, second = (eryx.Sandbox(deterministic=fixed).execute(code) for _ in range(2))
    >>> first.stdout == second.stdout
    True
    """

    seed: int = 0
    start: str | datetime | float = "2026-01-01T00:00:00Z"
    tick: int = 5

    def __post_init__(self) -> None:
        """Raises TypeError and ValueError for what is no seed, time or tick."""
        for name in ("seed", "tick"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
        if not 0 <= self.seed < 1 << _SEED_BITS:
            raise ValueError(f"seed must be from 0 to 2**{_SEED_BITS} - 1, not {self.seed}")
        if not 0 <= self.tick <= _NS_PER_SECOND:
            raise ValueError(f"tick must be from 0 to {_NS_PER_SECOND}, not {self.tick}")
        if not 0 <= _nanoseconds(self.start) <= _LATEST_NS:
            raise ValueError(f"start must be from 1970 to 2116, not {self.start!r}")


Deterministic.__module__ = "eryx"
late_annotations(globals(), Deterministic)


def _nanoseconds(start: object) -> int:
    """Since 1970."""
    if isinstance(start, str):
        try:
            start = datetime.fromisoformat(start)
        except ValueError:
            raise ValueError(f"start must be a time in ISO 8601, not {start!r}") from None
    if isinstance(start, datetime):
        since = (start if start.tzinfo else start.replace(tzinfo=UTC)) - _EPOCH
        return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
    if isinstance(start, int | float) and not isinstance(start, bool):
        if not -_LATEST_NS < start * _NS_PER_SECOND < 2 * _LATEST_NS:  # false for NaN as well
            raise ValueError(f"start must be from 1970 to 2116, not {start!r}")
        return round(start * _NS_PER_SECOND)
    wrong = type(start).__name__
    raise TypeError(f"start must be a str, a datetime or a number of seconds, not {wrong}")


def core_deterministic(given: object) -> tuple[int, int, int]:
    """What Core takes: seed, start and tick, in nanoseconds."""
    if not isinstance(given, Deterministic):
        raise TypeError(f"deterministic must be Deterministic or None, not {type(given).__name__}")
    return (given.seed, _nanoseconds(given.start), given.tick)
