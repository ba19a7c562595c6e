"""What a result and the exception of a run that failed have in common."""

from __future__ import annotations

from eryx._annotations import late_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._display import Display, Shown
    from eryx._eryx import Outcome
    from eryx._run_files import FileChange, RunFiles


class Left:
    """Displays and files that a run has left; None for both in most runs."""

    __slots__ = ()

    if TYPE_CHECKING:
        _shown: Shown | None
        _files: RunFiles | None

        def to_text(self, max_chars: int = 20_000) -> str:
            """The run as a language model should see it."""

    @property
    def display(self) -> list[Display]:
        """What the program has shown with ``display()``, in order.

        That of the last expression comes last, if there is more to it than text.
        """
        return [] if self._shown is None else self._shown.display

    @property
    def display_truncated(self) -> bool:
        """Whether displays are missing because of `ResourceLimits.max_display_bytes`."""
        return self._shown is not None and self._shown.dropped > 0

    @property
    def files(self) -> list[FileChange]:
        """What the run made, changed and removed under ``/data``, ``/tmp`` and in storages.

        Sorted by path. The contents are those at the end of the run, see `read`.
        """
        return [] if self._files is None else self._files.changes

    @property
    def files_truncated(self) -> bool:
        """Whether files are missing in `files`, because there are too many or too long paths."""
        return self._files is not None and self._files.truncated

    def read(self, path: str) -> bytes:
        """What a file of `files` held at the end of the run.

        It is kept with the result, whatever later runs do and whether the sandbox is still there.

        path: absolute, or from ``/data`` on.

        Raises FileNotFoundError if it is not in `files` or was removed, IsADirectoryError if it
        is a directory. Of a link it is where that leads.

        >>> import eryx
        >>> done = eryx.Sandbox().execute("open('report.txt', 'w').write('sunny')")
        >>> done.files
        [FileChange(path='/data/report.txt', kind='made', type='file', size=5)]
        >>> done.read("report.txt")
        b'sunny'
        """
        from eryx._run_files import read

        return read(self._files, path)

    @property
    def text(self) -> str:
        """What `to_text` gives."""
        return self.to_text()


def shown_of(outcome: Outcome) -> Shown | None:
    """Value and displays of a run; most have none and need not import anything for it."""
    if outcome.value_repr is None and outcome.displays is None and not outcome.displays_dropped:
        return None
    from eryx._display import Shown

    return Shown(outcome)


def files_of(outcome: Outcome) -> RunFiles | None:
    """The files of a run; most change none and need not import anything for it."""
    if outcome.changes is None:
        return None
    from eryx._run_files import RunFiles

    return RunFiles(outcome.changes)


late_annotations(globals(), Left)
