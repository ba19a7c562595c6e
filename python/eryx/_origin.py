"""What sandboxes have from the factory that makes them."""

from __future__ import annotations

from eryx._copying import OneOfAKind
from eryx._options import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from eryx._callbacks import CallbackTable
    from eryx._engine import Place
    from eryx._limits import ResourceLimits


class Origin(OneOfAKind):
    """Base of the factory: as much of it as a pool needs."""

    __slots__ = ("_callbacks", "_native_limits", "_place", "_usual")

    def _set_origin(self, place: Place, callbacks: CallbackTable | None) -> None:
        self._place = place  # where they start
        self._callbacks = callbacks
        self._native_limits: ResourceLimits | None = None  # of who says nothing; never handed out
        if place.native_modules:
            from eryx._limits import native_limits

            self._native_limits = native_limits(None)
        # What sandboxes that are given no options ask for; most do.
        self._usual = Request(**self._with_callbacks({}))

    def _with_callbacks(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options with the functions of the factory, and the memory that its modules want."""
        merged = dict(options)
        if self._place.native_modules:
            from eryx._limits import check_limits, native_limits

            limits = merged.get("resource_limits")
            check_limits(limits)
            merged["resource_limits"] = (
                self._native_limits if limits is None else native_limits(limits)
            )
        if self._callbacks is not None:
            given = merged.get("callbacks")
            merged["callbacks"] = self._callbacks if given is None else self._merged(given)
        return merged

    def _merged(self, callbacks: object) -> CallbackTable:
        from eryx._callbacks import CallbackTable, collect

        assert self._callbacks is not None
        added = CallbackTable(collect(callbacks)).by_name
        return CallbackTable(list({**self._callbacks.by_name, **added}.values()))
