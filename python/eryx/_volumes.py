"""The volumes of a sandbox as objects: what an overlay holds, and writing it to the host."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat

from eryx._annotations import late_annotations
from eryx._copying import OneOfAKind
from eryx._errors import EryxError
from eryx._run_files import RunFiles, read_at
from eryx._storage import OVERLAY, check_writable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from eryx._eryx import Core
    from eryx._run_files import FileChange
    from eryx._sandbox import Sandbox

_MODE_NAMES: tuple[Literal["rw", "ro", "overlay"], ...] = ("rw", "ro", "overlay")


class MountedVolume(OneOfAKind):
    """A directory or file of the host that a sandbox sees; see `Sandbox.volumes`.

    >>> import tempfile, eryx
    >>> folder = tempfile.TemporaryDirectory()
    >>> session = eryx.Session(volumes=[(folder.name, "/work", "overlay")])
    >>> _ = session.execute("open('/work/out.txt', 'w').write('done')")
    >>> volume = session.volumes[0]
    >>> [(change.kind, change.path) for change in volume.changes()]
    [('made', 'out.txt')]
    >>> _ = volume.apply()
    >>> import os
    >>> os.listdir(folder.name), volume.changes()
    (['out.txt'], [])
    >>> folder.cleanup()
    """

    __module__ = "eryx"
    __slots__ = ("_sandbox", "guest", "host", "mode")

    _why = "it is one of a sandbox"
    _instead = "`changes` and `read` give what is in it"

    host: str
    """Its path on the host."""
    guest: str
    """Where the guest sees it."""
    mode: Literal["rw", "ro", "overlay"]
    """What becomes of what the guest writes: the host has it, it is refused, it stays in memory."""

    def __init__(self, sandbox: Sandbox, host: bytes, guest: str, mode: int) -> None:
        """Made by `Sandbox.volumes`."""
        self._sandbox = sandbox
        self.host = os.fsdecode(host)
        self.guest = guest
        self.mode = _MODE_NAMES[mode]

    def changes(self) -> list[FileChange]:
        """What an overlay has in memory that is not so on the host, sorted by path.

        Paths count from the top of the volume. What lies in a removed directory is not listed, nor
        are times and permissions. Waits for a run that goes on.

        Raises EryxError if the volume is no overlay or the sandbox is closed.
        """
        return self._find().changes

    def read(self, path: str) -> bytes:
        """What a file of `changes` holds, or the target of a link.

        Raises FileNotFoundError if it is not in `changes` or was removed, IsADirectoryError.
        """
        return read_at(self._find(), path.strip("/"), path)

    def apply(self) -> list[FileChange]:
        """Writes the changes of an overlay to the host's folder and forgets them then; gives them.

        Files appear with all their contents, each at once; all of them are written to a hidden
        folder beside them first. No link is followed, so that nothing is written outside of the
        folder. What has been changed there meanwhile is overwritten. If something fails its OSError
        is raised, what is in its place stays, and so does all that is in memory.

        Raises EryxError as `changes` does, and if there are more changes than `changes` can list.
        """
        with _Turn(self._sandbox) as core:
            files = self._of(core)
            if files.truncated:
                raise EryxError("there are more changes than can be written")
            check_writable(os.fsencode(self.host))
            changes = files.changes
            root = os.open(self.host, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _Writer(root, files, changes).write()
            finally:
                os.close(root)
            core.volume_discard(self.guest)
        return changes

    def discard(self) -> None:
        """Forgets what an overlay has in memory: all is as on the host again."""
        with _Turn(self._sandbox) as core:
            self._of(core)
            core.volume_discard(self.guest)

    def _find(self) -> RunFiles:
        with _Turn(self._sandbox) as core:
            return self._of(core)

    def _of(self, core: Core) -> RunFiles:
        if self.mode != _MODE_NAMES[OVERLAY]:
            raise EryxError(f"the volume at {self.guest} is no overlay, so it keeps no changes")
        return RunFiles(core.volume_changes(self.guest))

    def __repr__(self) -> str:
        """Where it is."""
        return f"MountedVolume({self.host!r}, {self.guest!r}, {self.mode!r})"


class _Turn:
    """Has the turn of an open sandbox for the length of a with statement."""

    __slots__ = ("_sandbox",)

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __enter__(self) -> Core:
        self._sandbox._turn.acquire()
        try:
            self._sandbox._check()
        except BaseException:
            self._sandbox._turn.release()
            raise
        return self._sandbox._core

    def __exit__(self, *error: object) -> None:
        self._sandbox._turn.release()


class _Writer:
    """Writes changes under a folder, from its descriptor down and without following links.

    All contents are written to a folder of their own first, so that most of what can fail does so
    before anything is changed, and files may have changed places.
    """

    def __init__(self, root: int, files: RunFiles, changes: list[FileChange]) -> None:
        self._root = root
        self._files = files
        self._changes = changes

    def write(self) -> None:
        name = f".eryx-{secrets.token_hex(8)}"
        os.mkdir(name, 0o700, dir_fd=self._root)
        try:
            stage = os.open(name, _DIRECTORY, dir_fd=self._root)
            try:
                self._write_from(stage)
            finally:
                os.close(stage)
        finally:
            _remove_any(self._root, name)

    def _write_from(self, stage: int) -> None:
        made = [
            (index, change)
            for index, change in enumerate(self._changes)
            if change.kind != "removed"
        ]
        for index, change in made:
            if change.type == "link":
                os.symlink(os.fsdecode(self._files.read(index)), str(index), dir_fd=stage)
            elif change.type == "file":
                _write(stage, str(index), self._files.read(index))
        for change in reversed(self._changes):
            if change.kind == "removed":
                self._remove(change.path)
        for index, change in made:
            directory, name = self._directory_of(change.path)
            try:
                if change.type == "directory":
                    _make_directory(directory, name)
                else:
                    _put(stage, str(index), directory, name)
            finally:
                os.close(directory)

    def _directory_of(self, path: str) -> tuple[int, str]:
        """The directory that something lies in, open, and its name there."""
        *directories, name = path.split("/")
        current = os.dup(self._root)
        try:
            for directory in directories:
                following = os.open(directory, _DIRECTORY, dir_fd=current)
                os.close(current)
                current = following
        except BaseException:
            os.close(current)
            raise
        return current, name

    def _remove(self, path: str) -> None:
        try:
            directory, name = self._directory_of(path)
        except FileNotFoundError:
            return
        try:
            _remove_any(directory, name)
        finally:
            os.close(directory)


_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _make_directory(directory: int, name: str) -> None:
    there = _status(directory, name)
    if there is not None and not stat.S_ISDIR(there.st_mode):
        _remove_any(directory, name)
        there = None
    if there is None:
        os.mkdir(name, dir_fd=directory)


def _put(stage: int, staged: str, directory: int, name: str) -> None:
    """Moves a file or link to its place; a file that is replaced gives its permissions."""
    there = _status(directory, name)
    if there is not None and stat.S_ISDIR(there.st_mode):
        _remove_any(directory, name)
    elif there is not None and stat.S_ISREG(there.st_mode) and _is_regular(stage, staged):
        os.chmod(staged, there.st_mode & 0o777, dir_fd=stage)
    try:
        os.replace(staged, name, src_dir_fd=stage, dst_dir_fd=directory)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(stage, staged, directory, name)  # something else is mounted there


def _copy(stage: int, staged: str, directory: int, name: str) -> None:
    there = _status(stage, staged)
    temporary = f".eryx-{secrets.token_hex(8)}"
    try:
        if there is not None and stat.S_ISLNK(there.st_mode):
            os.symlink(os.readlink(staged, dir_fd=stage), temporary, dir_fd=directory)
        else:
            with os.fdopen(os.open(staged, os.O_RDONLY | os.O_CLOEXEC, dir_fd=stage), "rb") as file:
                _write(directory, temporary, file.read())
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        _remove_any(directory, temporary)
        raise


def _status(directory: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_regular(directory: int, name: str) -> bool:
    there = _status(directory, name)
    return there is not None and stat.S_ISREG(there.st_mode)


def _write(directory: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o666, dir_fd=directory), "wb") as file:
        file.write(data)


def _remove_any(directory: int, name: str) -> None:
    """Removes a file, a link, or a directory with all that is in it."""
    there = _status(directory, name)
    if there is None:
        return
    if stat.S_ISDIR(there.st_mode):
        if not shutil.rmtree.avoids_symlink_attacks:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), name)
        shutil.rmtree(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)


def volumes_of(sandbox: Sandbox) -> tuple[MountedVolume, ...]:
    """The volumes of a sandbox, in the order in which they were given."""
    return tuple(MountedVolume(sandbox, *volume) for volume in sandbox._equipment.volumes)


late_annotations(globals(), MountedVolume)
