"""Factories: sandboxes that start with packages, imports and variables that are there already."""

from __future__ import annotations

import json
import os
import time
from weakref import WeakSet

from eryx._annotations import late_annotations
from eryx._engine import Place, Recipe, shared_engine
from eryx._errors import EryxError, InitializationError, ResourceLimitError
from eryx._eryx import (
    EVENT_CALLBACK,
    EVENT_WAIT,
    RUN_PREPARE,
    RUN_SEAL,
    UNLIMITED,
    Core,
    Outcome,
    Packages,
)
from eryx._factory_contents import (
    Source,
    collect_contents,
    open_handles,
    stored_modules,
)
from eryx._factory_template import MOST_BYTES, SEAL, Template, open_template
from eryx._files import read_file, write_file
from eryx._limits import ResourceLimits, check_limits, core_limits
from eryx._options import Equipment
from eryx._origin import Origin
from eryx._sandbox import Sandbox
from eryx._sealed import check_key
from eryx._session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self, Unpack

    from eryx._callbacks import CallbackTable
    from eryx._option_types import Callbacks, PlaceOptions, SandboxOptions, SessionOptions
    from eryx._options import Request
    from eryx._pool import SandboxPool
    from eryx.native import NativeModule
    from eryx.packages import Lock

_NONE: Mapping[str, Any] = {}
_PAUSE_MS = 25

_MOST_MEMORY_BYTES = 2**30  # of a factory that is read, if nothing is said


class SandboxFactory(Origin):
    """Makes sandboxes that start with packages, imported modules and variables in place.

    What is imported and set up is done once, in a sandbox whose memory is then frozen. All
    sandboxes of the factory share that memory until they write to it, so that making one takes as
    long as making a `Sandbox`. They are isolated from each other and from the factory, and live on
    without it.

    >>> factory = SandboxFactory(
    ...     imports=["decimal"],
    ...     setup_code="from decimal import Decimal; rate = Decimal('1.19')",
    ... )
    >>> factory.create_sandbox().execute("print(rate * 100)").stdout
    '119.00'
    """

    __module__ = "eryx"
    __slots__ = (
        "__weakref__",
        "_description",
        "_extended_last",
        "_most_memory",
        "_plain",
        "_sealed",
    )

    _why = "it shares memory with its sandboxes"
    _instead = "threads may share one, and `to_bytes` gives what another process can read"

    def __init__(
        self,
        *,
        site_packages: str | os.PathLike[str] | None = None,
        packages: Iterable[Source] | None = None,
        imports: Iterable[str] | None = None,
        setup_code: str | None = None,
        callbacks: Callbacks | None = None,
        cache: bool | str | os.PathLike[str] = False,
        resource_limits: ResourceLimits | None = None,
        native_modules: Iterable[NativeModule] = (),
        requirements: Iterable[str] | None = None,
        lock: Lock | str | os.PathLike[str] | None = None,
    ) -> None:
        """Builds a factory.

        site_packages: a folder of installed packages, all of which the sandboxes get.
        packages: wheels, source archives and folders with packages for the sandbox; see
            docs/packages.md. Dependencies are not fetched. Native modules in them are translated,
            which takes ``eryx-sandbox[native]`` unless it was done before; see docs/native.md.
        imports: names of modules that are imported now, so that no sandbox has to.
        setup_code: a program that runs after the imports. Its variables are there in every program
            of the sandboxes.
        callbacks: functions that the sandboxes may call; see `Sandbox`. Set-up code cannot.
        cache: whether to keep the factory on disk, so that making it again is quick: True for the
            folder ``eryx`` in the user's cache folder, or the path of a folder.
        resource_limits: of the imports and the set-up code; None for 60 seconds and 1 GiB.
        native_modules: modules that are translated already; those of the packages among them are
            not translated again.
        requirements: names of packages, such as ``jinja2>=3``, which are looked up with all their
            dependencies where pip would look, and fetched. Takes ``eryx-sandbox[install]``.
        lock: a file that ``eryx lock`` has made (``pylock.toml``), or a `packages.Lock`: its files
            are taken, by their hashes, and nothing is looked up. It must fit the requirements.

        Raises InitializationError, with the traceback of the guest, if an import or the set-up code
        fails, and if a package cannot be read or its native modules cannot be translated.
        """
        names = _names("imports", imports)
        if setup_code is not None and not isinstance(setup_code, str):
            raise TypeError(f"setup_code must be a str or None, not {type(setup_code).__name__}")
        limits = _build_limits(resource_limits)
        most_memory = _most_memory(limits)
        table = _table(callbacks)
        if requirements is not None or lock is not None:
            from eryx.packages._remembered import by_name

            named = by_name(requirements or (), lock, remember=cache is not False)
            packages = [*_sources(packages), *named]
        given = tuple(native_modules)
        contents = collect_contents(site_packages, packages, given)
        handles = open_handles(contents.modules)
        description = {
            "imports": list(names),
            "packages": contents.listed,
            "files": contents.digest,
            "native_files": contents.native_files,
            "setup": setup_code is not None,
            "callbacks": None if table is None else table.declarations,
        }
        cached = None
        if cache is not False:
            from eryx._factory_cache import CachedFactory

            cached = CachedFactory(cache, description, setup_code)
        if isinstance(cache, bool) and contents.modules and not given and resource_limits is None:
            from eryx._factory_cache import ready_memory

            ready = ready_memory(description, setup_code)
            if ready is not None:
                made = Template(description, contents.archive(is_cached=cache), ready)
                try:
                    self._take(made, table, handles, None, most_memory)
                    return
                except InitializationError:
                    pass  # of another image: it is made anew
        if cached is not None:
            stored = cached.load(MOST_BYTES)
            if stored is not None:
                try:
                    template = open_template(stored, None, None)
                    if template.description == description:
                        self._take(template, table, handles, stored, most_memory)
                        return
                except InitializationError:
                    pass  # damaged, or of another build: it is made anew
        archive = contents.archive(is_cached=cache is True)
        packages_here = Packages(archive) if archive else None
        place = Place(shared_engine(), packages_here, handles)
        core = place.new_core(core_limits(limits), Equipment())
        core.fix_hash_seed()  # the image that every process has at hand
        frozen = _build(core, description, setup_code, contents.hint)
        self._take(Template(description, archive, frozen), table, handles, None, most_memory)
        if cached is not None:
            cached.save(self.to_bytes())

    def _take(
        self,
        template: Template,
        table: CallbackTable | None,
        native_modules: tuple[object, ...],
        sealed: bytes | None,
        most_memory: int,
    ) -> None:
        """Becomes the factory of a template.

        native_modules: handles of those that it has.
        most_memory: bytes that its sandboxes may begin with.
        """
        packages = Packages(template.archive) if template.archive else None
        engine = shared_engine().derive(template.frozen, packages, most_memory)
        self._most_memory = most_memory
        recipe = Recipe(template if sealed is None else sealed, most_memory)
        place = Place(engine, None, native_modules, recipe, _listed(template.description))
        self._set_origin(place, table)
        self._description = template.description
        # The packages of a folder that were added to those of the factory last, and what that gave.
        self._extended_last: tuple[str, Place] | None = None
        self._sealed = sealed
        self._plain: Template | None = template if sealed is None else None
        _factories.add(self)

    # ---- Sandboxes ----

    def create_sandbox(
        self,
        *,
        site_packages: str | os.PathLike[str] | None = None,
        **options: Unpack[SandboxOptions],
    ) -> Sandbox:
        """Makes a sandbox that starts where the factory was frozen.

        site_packages: a folder with more packages for this sandbox; they come before those of the
            factory.
        options: as of `Sandbox`. The callbacks are added to those of the factory; one of the same
            name takes its place.
        """
        place = self._place_with(site_packages)
        if not options:
            return _FactorySandbox(place, request=self._usual)
        return _FactorySandbox(place, self._with_callbacks(options))

    def create_session(
        self,
        *,
        site_packages: str | os.PathLike[str] | None = None,
        **options: Unpack[SessionOptions],
    ) -> Session:
        """Makes a session that starts where the factory was frozen.

        site_packages: as of `create_sandbox`.
        options: as of `Session`; callbacks as of `create_sandbox`.

        >>> factory = SandboxFactory(setup_code="seen = []")
        >>> session = factory.create_session()
        >>> _ = session.execute("seen.append(1)")
        >>> session.execute("print(seen)").stdout
        '[1]'
        """
        return _FactorySession(self._place_with(site_packages), self._with_callbacks(options))

    def create_pool(
        self,
        *,
        max_size: int = 10,
        min_idle: int = 1,
        acquire_timeout_ms: int | None = 30_000,
        idle_timeout_ms: int | None = 300_000,
        **options: Unpack[PlaceOptions],
    ) -> SandboxPool:
        """Makes a pool of sandboxes of this factory; the parameters are those of `SandboxPool`."""
        from eryx._pool import SandboxPool

        return SandboxPool(
            factory=self,
            max_size=max_size,
            min_idle=min_idle,
            acquire_timeout_ms=acquire_timeout_ms,
            idle_timeout_ms=idle_timeout_ms,
            **options,
        )

    def _place_with(self, site_packages: str | os.PathLike[str] | None) -> Place:
        """Where sandboxes start that have the packages of a folder as well."""
        if site_packages is None:
            return self._place
        from eryx._archive import pack, unpack

        contents = collect_contents(site_packages, None)
        last = self._extended_last
        if last is None or last[0] != contents.digest:
            template = self._template()
            archive = pack({**unpack(template.archive), **unpack(contents.archive())})
            handles = (*self._place.native_modules, *open_handles(contents.modules))
            extended = Template(template.description, archive, template.frozen)
            recipe = Recipe(extended, self._most_memory)
            names = (*self._place.names, *(name for name, _ in contents.listed))
            place = Place(self._place.engine, Packages(archive), handles, recipe, names)
            last = self._extended_last = contents.digest, place
        return last[1]

    # ---- Files ----

    def save(self, path: str | os.PathLike[str], *, key: bytes | None = None) -> None:
        """Writes the factory to a file, which appears under its name when it is complete.

        key: protects the file from being altered; the same one is needed to load it.
        """
        check_key(key)
        write_file(path, self._seal(key))

    def to_bytes(self, *, key: bytes | None = None) -> bytes:
        """The factory as bytes, which `from_bytes` and `load` read."""
        check_key(key)
        return self._seal(key)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        site_packages: str | os.PathLike[str] | None = None,
        callbacks: Callbacks | None = None,
        cache: bool = False,
        key: bytes | None = None,
        native_modules: Iterable[NativeModule] = (),
        max_memory_bytes: int | None = _MOST_MEMORY_BYTES,
    ) -> Self:
        """Reads a factory that `save` has written with the same build of eryx.

        site_packages: a folder with more packages; they come before those in the file.
        callbacks: the functions, since these are not in the file. What was declared and gets no
            function here or in `create_sandbox` is not there for the guest.
        cache: not needed, since loading takes little time; accepted as of `SandboxFactory`.
        key: the one that it was saved with.
        native_modules: those of its packages, which are not in the file; what is not given has to
            be among those that were translated before, for nothing is translated here.
        max_memory_bytes: the most memory that a sandbox may begin with, and that the file may take
            when it is unpacked; None for no limit but that of 2 GiB.

        Magic number, format, build and checksum (with a key: HMAC) are checked before anything else
        is looked at. The file holds data only: whoever made it can do in the sandboxes what a
        program can do there, and no more.

        Raises InitializationError that names the file if it is missing, damaged, altered, or of
        another build, or spread over far more memory than it has contents. Raises
        ResourceLimitError if it needs more than ``max_memory_bytes``.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     SandboxFactory(setup_code="x = 42").save(f"{directory}/factory")
        ...     factory = SandboxFactory.load(f"{directory}/factory")
        >>> factory.create_sandbox().execute("print(x)").stdout
        '42'
        """
        check_key(key)
        if not isinstance(cache, bool):
            raise TypeError(f"cache must be a bool, not {type(cache).__name__}")
        table = _table(callbacks)
        sealed = read_file(path, MOST_BYTES)
        what = f"{os.fspath(path)}: the factory cannot be loaded"
        most_memory = _check_most_memory(max_memory_bytes)
        loaded = cls._loaded(sealed, key, what, table, native_modules, most_memory)
        return loaded._extended(site_packages)

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        *,
        callbacks: Callbacks | None = None,
        key: bytes | None = None,
        native_modules: Iterable[NativeModule] = (),
        max_memory_bytes: int | None = _MOST_MEMORY_BYTES,
    ) -> Self:
        """Makes a factory of what `to_bytes` gave; the rest is as of `load`."""
        check_key(key)
        if not isinstance(data, bytes):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        most_memory = _check_most_memory(max_memory_bytes)
        return cls._loaded(data, key, None, _table(callbacks), native_modules, most_memory)

    @property
    def size_bytes(self) -> int:
        """Length of `to_bytes` without a key, and of the file."""
        return len(self._seal(None))

    @property
    def imports(self) -> tuple[str, ...]:
        """Modules that were asked to be imported."""
        return tuple(self._description["imports"])

    @property
    def packages(self) -> tuple[tuple[str, str], ...]:
        """Names and versions of the packages."""
        return tuple((name, version) for name, version in self._description["packages"])

    @property
    def has_setup_code(self) -> bool:
        """Whether set-up code has run."""
        return bool(self._description["setup"])

    @property
    def callback_names(self) -> tuple[str, ...]:
        """Names of the functions that were declared; loaded from a file they may lack functions."""
        declared = self._description["callbacks"]
        return () if declared is None else tuple(each["name"] for each in json.loads(declared))

    def __repr__(self) -> str:
        """What is in it."""
        parts = [f"packages={[name for name, _ in self.packages]!r}"] if self.packages else []
        parts += [f"imports={list(self.imports)!r}"] if self.imports else []
        parts += ["setup_code=..."] if self._description["setup"] else []
        if self._callbacks is not None:
            parts.append(f"callbacks={list(self._callbacks.by_name)!r}")
        return f"SandboxFactory({', '.join(parts)})"

    @classmethod
    def _loaded(
        cls,
        sealed: bytes,
        key: bytes | None,
        what: str | None,
        table: CallbackTable | None,
        native_modules: Iterable[NativeModule],
        most_memory: int,
    ) -> Self:
        made = cls.__new__(cls)
        try:
            template = open_template(sealed, key, what, min(most_memory, MOST_BYTES))
            handles = open_handles(stored_modules(template, tuple(native_modules)))
            made._take(template, table, handles, sealed if key is None else None, most_memory)
        except (InitializationError, ResourceLimitError) as error:
            if what is None or str(error).startswith(what):
                raise
            raise type(error)(f"{what}: {error}") from None
        return made

    def _extended(self, site_packages: str | os.PathLike[str] | None) -> Self:
        """With the packages of a folder as well."""
        if site_packages is None:
            return self
        from eryx._archive import pack, unpack

        contents = collect_contents(site_packages, None)
        template = self._template()
        files = {**unpack(template.archive), **unpack(contents.archive())}
        description = {**template.description}
        description["packages"] = template.description["packages"] + contents.listed
        native_files = {*template.description["native_files"], *contents.native_files}
        description["native_files"] = sorted(native_files)
        extended = Template(description, pack(files), template.frozen)
        handles = (*self._place.native_modules, *open_handles(contents.modules))
        self._take(extended, self._callbacks, handles, None, self._most_memory)
        return self

    def _template(self) -> Template:
        plain = self._plain  # another thread may be packing it
        if plain is not None:
            return plain
        assert self._sealed is not None
        return open_template(self._sealed, None, None)

    def _seal(self, key: bytes | None) -> bytes:
        if self._sealed is None:
            plain = self._template()
            self._sealed = SEAL.seal(plain.pack(), None)
            self._plain = None
            if self._place.recipe is not None:
                self._place.recipe.hold(self._sealed)
        if key is None:
            return self._sealed
        return SEAL.seal(bytes(SEAL.open(self._sealed, None, MOST_BYTES)), key)


_factories: WeakSet[SandboxFactory] = WeakSet()


def trim() -> None:
    """Gives the memory back that factories keep for their next sandboxes."""
    for factory in list(_factories):
        factory._place.engine.trim()


class _FactorySandbox(Sandbox):
    """A sandbox of a factory."""

    __slots__ = ()

    _place: Place

    def __init__(
        self, place: Place, options: Mapping[str, Any] = _NONE, *, request: Request | None = None
    ) -> None:
        """request: in place of the options, checked already."""
        self._place = place
        if request is None:
            super().__init__(**options)
        else:
            self._make(request, Equipment.shared)

    def _new_core(self, equipment: Equipment) -> Core:
        return self._place.new_core(self._request.core_limits, equipment, self._mounts())


class _FactorySession(_FactorySandbox, Session):
    """A session of a factory."""

    __slots__ = ()


def _listed(description: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the packages that a description lists."""
    return tuple([str(name) for name, _ in description["packages"]])


# ---- Parameters ----------------------------------------------------------------------------------


def _names(parameter: str, names: Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    if isinstance(names, str | bytes):
        raise TypeError(f"{parameter} must be a list of names, not {type(names).__name__}")
    result = tuple(names)
    for name in result:
        if not isinstance(name, str):
            raise TypeError(f"{parameter} must be names, not {type(name).__name__}")
        if not name or not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(f"{parameter}: {name!r} is no name of a module")
    return result


def _sources(packages: Iterable[Source] | None) -> Iterable[Source]:
    if isinstance(packages, str | bytes):
        raise TypeError(f"packages must be a list, not {type(packages).__name__}")
    return () if packages is None else packages


def _check_most_memory(max_memory_bytes: int | None) -> int:
    """The bytes, if that is a limit."""
    return _most_memory(ResourceLimits(max_memory_bytes=max_memory_bytes))


def _most_memory(limits: ResourceLimits) -> int:
    return UNLIMITED if limits.max_memory_bytes is None else limits.max_memory_bytes


def _build_limits(limits: ResourceLimits | None) -> ResourceLimits:
    check_limits(limits)
    return limits or ResourceLimits(
        execution_timeout_ms=60_000, max_memory_bytes=_MOST_MEMORY_BYTES
    )


def _table(callbacks: object) -> CallbackTable | None:
    if callbacks is None:
        return None
    from eryx._callbacks import table_of

    return table_of(callbacks)


# ---- Building ------------------------------------------------------------------------------------


def _build(core: Core, description: dict[str, Any], setup_code: str | None, hint: str) -> bytes:
    """Imports and sets up in a sandbox, and gives its state."""
    request = {
        "imports": description["imports"],
        "callbacks": description["callbacks"],
        "setup": setup_code,
    }
    for command, source in ((RUN_PREPARE, json.dumps(request).encode()), (RUN_SEAL, b"")):
        try:
            core.begin_command(command, source, _PAUSE_MS)
        except InitializationError:
            problem = "the set-up code ended its interpreter"
            raise InitializationError(f"the factory could not be built: {problem}") from None
        outcome = _run(core)
        if outcome.status != 0:
            raise _build_error(outcome, hint)
    try:
        return core.freeze()
    except ValueError as error:
        raise InitializationError(f"the factory could not be built: {error}") from None


def _run(core: Core) -> Outcome:
    while True:
        event = core.step(0)
        if event is None:
            return core.outcome()
        if isinstance(event, tuple):
            if event[0] == EVENT_CALLBACK:
                core.callback_raise(event[1], b"RuntimeError", b"set-up code cannot call callbacks")
            elif event[0] == EVENT_WAIT:
                _sleep_until(event[1])
        elif event:
            _sleep_until(event)


def _sleep_until(wake_ns: int) -> None:
    time.sleep(max(0.0, (wake_ns - time.monotonic_ns()) / 1e9))


def _build_error(outcome: Outcome, hint: str) -> EryxError:
    """Why a factory could not be built, with what the guest has printed of it."""
    from eryx._result import finish

    try:
        finish(outcome)
    except EryxError as error:
        text = (outcome.traceback or "").strip()
        if not text.startswith(outcome.message):  # there is more than the exception
            text = f"{outcome.message}\n{text}"
        text = f"the factory could not be built: {text.rstrip()}\n{hint}".rstrip()
        problem = InitializationError(text)
        problem.stdout, problem.stderr = error.stdout, error.stderr
        problem.__cause__ = error
        return problem
    return InitializationError("the factory could not be built")


late_annotations(globals(), SandboxFactory)
