"""Where sessions are while nobody uses them: a folder, Redis, or what fsspec knows.

A session has a name, ``holder/id``, a record (JSON, for lists) and its state, which only the same
build of eryx can go on from. A node that has a session live holds a lease on it, so that no other
one goes on from the same state; who does not renew it in time has lost it.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Store(Protocol):
        """What the service needs; called in threads, several at a time."""

        def write(self, name: str, record: bytes, state: bytes) -> None:
            """Puts a session there, in place of what was there of that name."""

        def read(self, name: str) -> tuple[bytes, bytes] | None:
            """Record and state; None if there is no such session."""

        def remove(self, name: str) -> None:
            """Forgets a session; no error if there is none."""

        def records(self, holder: str) -> dict[str, bytes]:
            """The records of all sessions of a holder, by id."""

        def claim(self, name: str, node: str, seconds: float) -> str:
            """Takes or renews the lease on a session. Gives the node that has it then."""

        def release(self, name: str, node: str) -> None:
            """Gives the lease back, if the node has it."""


_SEPARATOR = b"\n"  # JSON in one line comes first


def open_store(url: str) -> Store:
    """The store of a URL. Raises ValueError that names the package that is missing."""
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return FolderStore(Path(rest))
    if scheme in ("redis", "rediss", "unix"):
        return RedisStore(url)
    return FileSystemStore(url)


def _joined(record: bytes, state: bytes) -> bytes:
    return _SEPARATOR.join((record, state))


def _split(data: bytes) -> tuple[bytes, bytes]:
    record, _, state = data.partition(_SEPARATOR)
    return record, state


class FolderStore:
    """Files in a folder, which all nodes have: each is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder, for us alone."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def _path(self, name: str, suffix: str = ".session") -> Path:
        return self._folder / (name + suffix)

    def write(self, name: str, record: bytes, state: bytes) -> None:
        _replace(self._path(name), _joined(record, state))

    def read(self, name: str) -> tuple[bytes, bytes] | None:
        try:
            return _split(self._path(name).read_bytes())
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        for suffix in (".session", ".lease"):
            self._path(name, suffix).unlink(missing_ok=True)

    def records(self, holder: str) -> dict[str, bytes]:
        found = {}
        for path in self._folder.joinpath(holder).glob("*.session"):
            try:
                with open(path, "rb") as file:
                    found[path.stem] = file.readline().rstrip(_SEPARATOR)
            except FileNotFoundError:
                pass  # it was removed meanwhile
        return found

    def claim(self, name: str, node: str, seconds: float) -> str:
        path = self._path(name, ".lease")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        mine = f"{node} {time.time() + seconds}".encode()
        # Whoever makes the lock decides; one that is old was left by somebody who is gone.
        lock = path.with_suffix(".lock")
        with _Lock(lock, stale_seconds=5):
            try:
                holder, _, until = path.read_text().partition(" ")
            except FileNotFoundError:
                holder, until = node, "0"
            if holder != node and float(until or 0) > time.time():
                return holder
            _replace(path, mine)
        return node

    def release(self, name: str, node: str) -> None:
        path = self._path(name, ".lease")
        try:
            if path.read_text().partition(" ")[0] == node:
                path.unlink()
        except FileNotFoundError:
            pass


class _Lock:
    """A file that only one can make."""

    def __init__(self, path: Path, stale_seconds: float) -> None:
        self._path = path
        self._stale = stale_seconds

    def __enter__(self) -> None:
        while True:
            try:
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                return
            except FileExistsError:
                self._wait()

    def _wait(self) -> None:
        try:
            if time.time() - self._path.stat().st_mtime > self._stale:
                self._path.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        time.sleep(0.002)

    def __exit__(self, *error: object) -> None:
        self._path.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """Writes a file that is either the old one or the new one, whatever happens."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    work = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(work, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    except BaseException:
        work.unlink(missing_ok=True)
        raise


class RedisStore:
    """Keys of a Redis server."""

    # Renews or takes a lease that nobody else has.
    _CLAIM = """
    local holder = redis.call('GET', KEYS[1])
    if holder and holder ~= ARGV[1] then return holder end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return ARGV[1]
    """
    _RELEASE = """
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError if the package redis is not there."""
        try:
            import redis
        except ModuleNotFoundError:
            raise ValueError(
                f"the store {url.partition('://')[0]}:// needs redis: "
                "`pip install 'eryx-sandbox[server]' redis`"
            ) from None
        self._redis: Any = redis.Redis.from_url(url)
        self._claim = self._redis.register_script(self._CLAIM)
        self._release = self._redis.register_script(self._RELEASE)

    def write(self, name: str, record: bytes, state: bytes) -> None:
        holder, _, identity = name.partition("/")
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(f"eryx:state:{name}", state)
            pipeline.hset(f"eryx:records:{holder}", identity, record)
            pipeline.execute()

    def read(self, name: str) -> tuple[bytes, bytes] | None:
        holder, _, identity = name.partition("/")
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hget(f"eryx:records:{holder}", identity)
            pipeline.get(f"eryx:state:{name}")
            record, state = pipeline.execute()
        return None if record is None or state is None else (record, state)

    def remove(self, name: str) -> None:
        holder, _, identity = name.partition("/")
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hdel(f"eryx:records:{holder}", identity)
            pipeline.delete(f"eryx:state:{name}", f"eryx:lease:{name}")
            pipeline.execute()

    def records(self, holder: str) -> dict[str, bytes]:
        found = self._redis.hgetall(f"eryx:records:{holder}")
        return {key.decode(): value for key, value in found.items()}

    def claim(self, name: str, node: str, seconds: float) -> str:
        holder: bytes = self._claim(
            keys=[f"eryx:lease:{name}"], args=[node, max(1, int(seconds * 1000))]
        )
        return holder.decode()

    def release(self, name: str, node: str) -> None:
        self._release(keys=[f"eryx:lease:{name}"], args=[node])


class FileSystemStore:
    """Objects of what fsspec knows, such as a bucket of S3.

    Object stores have no lock that all of them know. The lease is an object that is written and
    then read again, which two nodes that come within the same second may both take for theirs: the
    requests of one session should go to one node.
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError if there is no such store, or its package is missing."""
        try:
            import fsspec
        except ModuleNotFoundError:
            raise ValueError(
                f"the store {url} needs fsspec: `pip install 'eryx-sandbox[server]' fsspec`"
            ) from None
        try:
            self._files: Any
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ValueError(f"the store {url}: {error}") from None

    def _path(self, name: str, suffix: str = ".session") -> str:
        return f"{self._root}/{name}{suffix}"

    def write(self, name: str, record: bytes, state: bytes) -> None:
        self._write(self._path(name), _joined(record, state))

    def _write(self, path: str, data: bytes) -> None:
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path, data)

    def read(self, name: str) -> tuple[bytes, bytes] | None:
        try:
            return _split(self._files.cat_file(self._path(name)))
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        for suffix in (".session", ".lease"):
            try:
                self._files.rm_file(self._path(name, suffix))
            except FileNotFoundError:
                pass

    def records(self, holder: str) -> dict[str, bytes]:
        found = {}
        for path in self._files.glob(f"{self._root}/{holder}/*.session"):
            try:
                with self._files.open(path, "rb") as file:
                    record = file.readline().rstrip(_SEPARATOR)
            except FileNotFoundError:
                continue
            found[path.rpartition("/")[2].removesuffix(".session")] = record
        return found

    def claim(self, name: str, node: str, seconds: float) -> str:
        path = self._path(name, ".lease")
        holder, until = self._lease(path)
        if holder not in ("", node) and until > time.time():
            return holder
        self._write(path, f"{node} {time.time() + seconds}".encode())
        return self._lease(path)[0] or node

    def _lease(self, path: str) -> tuple[str, float]:
        try:
            holder, _, until = self._files.cat_file(path).decode().partition(" ")
        except FileNotFoundError:
            return "", 0.0
        return holder, float(until or 0)

    def release(self, name: str, node: str) -> None:
        path = self._path(name, ".lease")
        if self._lease(path)[0] == node:
            try:
                self._files.rm_file(path)
            except FileNotFoundError:
                pass
