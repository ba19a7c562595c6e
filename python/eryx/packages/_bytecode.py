"""Compiles modules to bytecode inside a sandbox: no other Python has the same format.

The results are kept by the contents of the sources, in memory and, if wanted, on disk. Those of
packages of eryx-science come with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading

from eryx._cache_folder import cache_folder, is_private
from eryx._errors import EryxError
from eryx._eryx import BUILD_ID, IN_MAIN_INTERPRETER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from eryx._session import Session

Bytecode = dict[str, bytes]  # by the path of the source

_PLACE = "/site-packages"  # where sandboxes will see the sources

_MAX_KEPT_BYTES = 64 * 1024 * 1024  # in memory
_MAX_DISK_BYTES = 512 * 1024 * 1024
_MAX_THREADS = 4
_FILES_PER_THREAD = 40  # below that, a second sandbox costs more than it saves

# Per sandbox, for sources that were made to be hard to compile.
_TIMEOUT_MS = 300_000
_MEMORY_BYTES = 1024 * 1024 * 1024
_STORAGE_BYTES = 4 * _MEMORY_BYTES

_kept: dict[str, Bytecode] = {}  # in the order of their last use
_kept_lock = threading.Lock()

# Runs in the guest, which runs nothing of the packages by compiling them. What does not compile is
# left to the import that wants it.
_PROGRAM = """
import os, warnings
from importlib import _bootstrap_external as external
from importlib.util import source_hash

warnings.simplefilter("ignore")
with open("/work/paths") as stream:
    paths = stream.read().split("\\n")
for number, path in enumerate(paths):
    with open(f"/work/{number}.py", "rb") as stream:
        source = stream.read()
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        data = external._code_to_hash_pyc(code, source_hash(source), False)
    except Exception:
        continue
    with open("/work/part", "wb") as stream:  # a stop may come at any time
        stream.write(data)
    os.replace("/work/part", f"/work/{number}.pyc")
"""


def cache_path(source: str) -> str:
    """Where Python looks for the bytecode of a module."""
    directory, slash, name = source.rpartition("/")
    return f"{directory}{slash}__pycache__/{name.removesuffix('.py')}.cpython-314.pyc"


def bytecode_of(files: Mapping[str, bytes], *, cache: bool) -> Bytecode:
    """The bytecode of all modules among files that compile, by the paths of the sources.

    cache: whether to look on disk for it, and to leave it there.
    """
    sources = _modules(files)
    if not sources:
        return {}
    key = key_of(sources)
    with _kept_lock:
        found = _kept.get(key)
    if found is None and cache:
        found = _load(key)
    if found is None:
        found = _prebuilt(key)
    if found is None:
        found = _compile_all(sources)
        if cache:
            _store(key, found)
    with _kept_lock:
        _kept.pop(key, None)
        _kept[key] = found
        total = sum(_size(kept) for kept in _kept.values())
        while total > _MAX_KEPT_BYTES and len(_kept) > 1:
            total -= _size(_kept.pop(next(iter(_kept))))
    return found


def _size(bytecode: Bytecode) -> int:
    return sum(map(len, bytecode.values()))


def _modules(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path.endswith(".py")}


def key_of(files: Mapping[str, bytes]) -> str:
    """A hash of all that the bytecode of the modules among files is made of."""
    digest = hashlib.sha256(BUILD_ID.encode())
    for path, data in sorted(_modules(files).items()):
        digest.update(f"{len(path.encode())} {len(data)} ".encode())
        digest.update(path.encode())
        digest.update(data)
    return digest.hexdigest()


def pack(bytecode: Bytecode) -> bytes:
    """Bytecode in one piece."""
    index = json.dumps([(path, len(data)) for path, data in bytecode.items()]).encode()
    return len(index).to_bytes(8, "little") + index + b"".join(bytecode.values())


def _unpack(data: bytes) -> Bytecode:
    """The reverse. Raises ValueError or TypeError if it is none."""
    index_size = int.from_bytes(data[:8], "little")
    found: Bytecode = {}
    position = 8 + index_size
    for name, size in json.loads(data[8:position]):
        found[name] = data[position : position + size]
        position += size
    return found


def _prebuilt(key: str) -> Bytecode | None:
    """What eryx-science has."""
    from eryx.native._prebuilt import undamaged

    science = undamaged()
    data = None if science is None else science.bytecode(key)
    return None if data is None else _unpack(data)


# ---- Compiling -----------------------------------------------------------------------------------


def _compile_all(sources: Mapping[str, bytes]) -> Bytecode:
    """Deals the sources out to a few sandboxes, the largest first, and lets them work."""
    most = min(_MAX_THREADS, os.cpu_count() or 1) if IN_MAIN_INTERPRETER else 1
    wanted = max(1, min(most, len(sources) // _FILES_PER_THREAD))
    shares: list[list[str]] = [[] for _ in range(wanted)]
    sizes = [0] * wanted
    for path in sorted(sources, key=lambda path: len(sources[path]), reverse=True):
        least = sizes.index(min(sizes))
        shares[least].append(path)
        sizes[least] += len(sources[path]) + 1000
    done: Bytecode = {}
    if wanted == 1:
        _compile_share(sources, shares[0], done, [])
        return done
    sessions: list[Session] = []
    errors: list[BaseException] = []

    def work(share: list[str]) -> None:
        try:
            _compile_share(sources, share, done, sessions)
        except BaseException as error:  # shown in the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=work, args=(share,), daemon=True) for share in shares]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        for session in sessions:
            session.cancel()
        raise
    if errors:
        raise errors[0]
    return done


def _compile_share(
    sources: Mapping[str, bytes], share: Iterable[str], done: Bytecode, sessions: list[Session]
) -> None:
    """Compiles some of the sources. Those that a stop comes before are left out."""
    from eryx._limits import ResourceLimits
    from eryx._session import Session
    from eryx._storage import VfsStorage

    paths = list(share)
    storage = VfsStorage(max_bytes=_STORAGE_BYTES, max_entries=2 * len(paths) + 16)
    storage.write_bytes("paths", "\n".join(f"{_PLACE}/{path}" for path in paths).encode())
    for number, path in enumerate(paths):
        storage.write_bytes(f"{number}.py", sources[path])
    limits = ResourceLimits(
        execution_timeout_ms=_TIMEOUT_MS, max_memory_bytes=_MEMORY_BYTES, max_output_bytes=4096
    )
    session = Session(vfs=storage, vfs_mount_path="/work", resource_limits=limits)
    sessions.append(session)
    try:
        session.execute(_PROGRAM)
    except EryxError:
        pass  # of one source too many; the others need not suffer
    finally:
        session.close()
    written = set(storage.list())
    for number, path in enumerate(paths):
        if f"{number}.pyc" in written:
            done[path] = storage.read_bytes(f"{number}.pyc")


# ---- On disk -------------------------------------------------------------------------------------


def _load(key: str) -> Bytecode | None:
    """What was stored, if it is intact."""
    directory = cache_folder("packages")
    path = os.path.join(directory, key)
    try:
        if not is_private(directory):
            return None
        with open(path, "rb") as stream:
            digest, data = stream.read(32), stream.read()
        if hashlib.sha256(data).digest() != digest:
            return None
        found = _unpack(data)
        os.utime(path)
    except (OSError, ValueError, TypeError):
        return None
    return found


def _store(key: str, bytecode: Bytecode) -> None:
    """Stores bytecode; a disk that is full or read-only is no reason to fail."""
    data = pack(bytecode)
    directory = cache_folder("packages")
    part = os.path.join(directory, f".{key}.{os.getpid()}.{threading.get_ident()}")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        if not is_private(directory):
            return
        with open(part, "xb") as stream:
            stream.write(hashlib.sha256(data).digest())
            stream.write(data)
        os.replace(part, os.path.join(directory, key))
        _prune(directory)
    except OSError:
        try:
            os.unlink(part)
        except OSError:
            pass


def _prune(directory: str) -> None:
    """Removes what was not used for longest, as far as there is too much."""
    with os.scandir(directory) as scan:
        entries = [(entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in scan]
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= _MAX_DISK_BYTES:
            break
        os.unlink(path)
        total -= size
