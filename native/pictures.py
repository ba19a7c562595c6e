"""Libraries for pictures and the text in them: zlib, libjpeg-turbo, qhull, FreeType, Raqm."""

from __future__ import annotations

import shutil
from pathlib import Path

from native.kit import Kit, archive_of, compiled
from toolchain.process import run_tool


def _headers(folder: Path, output: Path, pattern: str = "*.h") -> None:
    output.mkdir(parents=True, exist_ok=True)
    for header in folder.glob(pattern):
        shutil.copy(header, output)


# ---- zlib ----------------------------------------------------------------------------------------

_ZLIB = ("adler32", "compress", "crc32", "deflate", "inffast", "inflate", "inftrees", "trees")


def zlib(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """zlib without its functions for files."""
    tree = work / "source0"
    files = [tree / f"{name}.c" for name in (*_ZLIB, "infback", "uncompr", "zutil")]
    objects = compiled(files, work, kit, "-DHAVE_UNISTD_H=1")
    archive_of(objects, output / "lib" / "libz.a", kit, work / "archive.log")
    _headers(tree, output / "include", "z*.h")


# ---- libjpeg-turbo -------------------------------------------------------------------------------


def jpeg(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """libjpeg-turbo, whose vectors are in assembly for other machines."""
    build = work / "build"
    options = {
        "CMAKE_MAKE_PROGRAM": kit.ninja,
        "CMAKE_SYSTEM_NAME": "Generic",
        "CMAKE_SYSTEM_PROCESSOR": "wasm32",
        "CMAKE_C_COMPILER": kit.tool(work / "cc", *kit.compile, behind=("-w",)),
        "CMAKE_AR": kit.tool(work / "ar", str(kit.zig), "ar"),
        "CMAKE_RANLIB": kit.tool(work / "ranlib", str(kit.zig), "ranlib"),
        "CMAKE_TRY_COMPILE_TARGET_TYPE": "STATIC_LIBRARY",
        "CMAKE_BUILD_TYPE": "Release",
        "ENABLE_SHARED": 0,
        "WITH_SIMD": 0,
        "WITH_TURBOJPEG": 0,
        "WITH_TOOLS": 0,
        "WITH_TESTS": 0,
        "FORCE_INLINE": 1,
    }
    run_tool(
        [
            *("cmake", "-G", "Ninja", "-S", str(work / "source0"), "-B", str(build)),
            *(f"-D{name}={value}" for name, value in options.items()),
        ],
        log=work / "configure.log",
        environment=kit.environment,
    )
    run_tool(
        [str(kit.ninja), "-C", str(build), f"-j{kit.jobs}", "jpeg-static"],
        log=work / "build.log",
        environment=kit.environment,
    )
    shutil.copy(build / "libjpeg.a", output / "lib")
    for name in ("jpeglib.h", "jmorecfg.h", "jerror.h"):
        shutil.copy(work / "source0" / "src" / name, output / "include")
    shutil.copy(build / "jconfig.h", output / "include")


# ---- Text ----------------------------------------------------------------------------------------

# As FreeType's own list of files to compile has them; modules.cfg names the same.
_FREETYPE = (
    *("autofit/autofit", "bdf/bdf", "cache/ftcache", "cff/cff", "cid/type1cid", "gzip/ftgzip"),
    *("lzw/ftlzw", "pcf/pcf", "pfr/pfr", "psaux/psaux", "pshinter/pshinter", "psnames/psnames"),
    *("raster/raster", "sdf/sdf", "sfnt/sfnt", "smooth/smooth", "svg/svg", "truetype/truetype"),
    *("type1/type1", "type42/type42", "winfonts/winfnt"),
)
_FREETYPE_BASE = (
    *("base", "bbox", "bitmap", "cid", "debug", "fstype", "gasp", "glyph", "gxval", "init", "mm"),
    *("otval", "patent", "pfr", "stroke", "synth", "system", "type1", "winfnt"),
)


def text(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """FreeType, which has HarfBuzz to find out what glyphs belong together; and Raqm over it, with
    HarfBuzz and SheenBidi, which lays out lines. Each archive has all that it needs."""
    freetype, harfbuzz, bidi, raqm = (work / f"source{number}" for number in range(4))
    include = output / "include"
    _headers(freetype / "include", include)
    shutil.copytree(freetype / "include" / "freetype", include / "freetype")
    _headers(harfbuzz / "src", include, "hb*.h")
    shutil.copytree(bidi / "Headers" / "SheenBidi", include / "SheenBidi")
    shutil.copy(raqm / "src" / "raqm.h", include)
    version = (raqm / "src" / "raqm-version.h.in").read_text()
    found = _version_of(raqm / "meson.build").split(".")
    for word, number in zip(("MAJOR", "MINOR", "MICRO"), found, strict=True):
        version = version.replace(f"@RAQM_VERSION_{word}@", number)
    version = version.replace("@RAQM_VERSION@", ".".join(found))
    (include / "raqm-version.h").write_text(version)
    includes = f"-I{include}"
    shaping = compiled(
        [harfbuzz / "src" / "harfbuzz.cc"],
        work,
        kit,
        *(includes, "-DHAVE_FREETYPE=1", "-DHB_NO_MT", "-DHB_NO_MMAP", "-DHB_NO_GETENV"),
        *("-DHB_NO_PRAGMA_GCC_DIAGNOSTIC_ERROR", "-fno-rtti", "-fno-threadsafe-statics"),
        *("-DHAVE_FT_GET_VAR_BLEND_COORDINATES=1", "-DHAVE_FT_SET_VAR_BLEND_COORDINATES=1"),
        *("-DHAVE_FT_DONE_MM_VAR=1", "-DHAVE_FT_GET_TRANSFORM=1", "-std=c++17"),
        cxx=True,
    )
    files = [freetype / "src" / f"{name}.c" for name in _FREETYPE]
    files += [freetype / "src" / "base" / f"ft{name}.c" for name in _FREETYPE_BASE]
    defines = ("-DFT2_BUILD_LIBRARY", "-DFT_CONFIG_OPTION_USE_HARFBUZZ")
    objects = compiled(files, work, kit, includes, *defines)
    archive_of([*objects, *shaping], output / "lib" / "libfreetype.a", kit, work / "archive.log")
    objects = compiled(
        [bidi / "Source" / "SheenBidi.c"],
        work,
        kit,
        *(includes, f"-I{bidi / 'Source'}", "-DSB_CONFIG_UNITY"),
    )
    defines = ("-DRAQM_SHEENBIDI", "-DRAQM_SHEENBIDI_GT_2_9")
    objects += compiled([raqm / "src" / "raqm.c"], work, kit, includes, *defines)
    archive_of([*objects, *shaping], output / "lib" / "libraqm.a", kit, work / "archive.log")


def _version_of(meson: Path) -> str:
    """What a meson.build says that the version is."""
    return meson.read_text().partition("version: '")[2].partition("'")[0]


# ---- qhull ---------------------------------------------------------------------------------------


def qhull(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """Its library that can be used by several at a time."""
    folder = work / "source0" / "src" / "libqhull_r"
    objects = compiled(sorted(folder.glob("*_r.c")), work, kit)
    archive_of(objects, output / "lib" / "libqhull_r.a", kit, work / "archive.log")
    _headers(folder, output / "include" / "libqhull_r")
