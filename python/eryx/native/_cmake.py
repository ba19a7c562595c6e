"""CMake: a toolchain file, which it finds by itself wherever a build calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# What checks would find wrong: programs are linked without threads, and what pybind11 asks Python
# is answered by the one that builds.
_TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_VERSION 1)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
list(PREPEND CMAKE_MODULE_PATH "{work}/cmake")
set(CMAKE_C_COMPILER "{work}/cc")
set(CMAKE_CXX_COMPILER "{work}/c++")
set(CMAKE_AR "{work}/ar" CACHE FILEPATH "" FORCE)
set(CMAKE_RANLIB "{work}/ranlib" CACHE FILEPATH "" FORCE)
set(CMAKE_STRIP "{work}/strip" CACHE FILEPATH "" FORCE)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)
set(CMAKE_FIND_ROOT_PATH {roots})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
set(CMAKE_HAVE_LIBC_PTHREAD TRUE CACHE BOOL "" FORCE)
foreach(name PYTHON Python Python3)
  set(${{name}}_INCLUDE_DIR "{include}" CACHE PATH "" FORCE)
  set(${{name}}_INCLUDE_DIRS "{include}" CACHE PATH "" FORCE)
endforeach()
set(PYTHONLIBS_FOUND TRUE)
set(PYTHON_MODULE_EXTENSION "{suffix}")
set(PYTHON_MODULE_DEBUG_POSTFIX "")
set(PYTHON_IS_DEBUG 0)
"""

_PLATFORM = """\
set(WASI 1)
set(UNIX 1)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS TRUE)
set(CMAKE_DL_LIBS "")
set(CMAKE_SHARED_LIBRARY_PREFIX "lib")
set(CMAKE_SHARED_LIBRARY_SUFFIX ".so")
set(CMAKE_SHARED_MODULE_PREFIX "lib")
set(CMAKE_SHARED_MODULE_SUFFIX ".so")
foreach(language C CXX)
  set(CMAKE_SHARED_LIBRARY_${language}_FLAGS "-fPIC")
  set(CMAKE_SHARED_LIBRARY_CREATE_${language}_FLAGS "-shared")
  set(CMAKE_SHARED_MODULE_CREATE_${language}_FLAGS "-shared")
  set(CMAKE_${language}_COMPILE_OPTIONS_PIC "-fPIC")
endforeach()
"""


def environment(work: Path, include: Path, suffix: str, roots: Sequence[Path]) -> dict[str, str]:
    """Writes the toolchain file into work, beside the compilers and tools.

    include: CPython's headers; suffix: of modules; roots: where headers and libraries are looked
    for.
    Gives the variables of the environment that CMake finds it by.
    """
    modules = work / "cmake" / "Platform"
    modules.mkdir(parents=True)
    (modules / "WASI.cmake").write_text(_PLATFORM)
    quoted = " ".join(f'"{root}"' for root in roots)
    text = _TOOLCHAIN.format(work=work, include=include, suffix=suffix, roots=quoted)
    toolchain = work / "wasi.cmake"
    toolchain.write_text(text)
    return {"CMAKE_TOOLCHAIN_FILE": str(toolchain)}
