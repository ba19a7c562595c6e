"""CMake: a toolchain file, which it finds by itself wherever a build calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
set(PYTHON_INCLUDE_DIR "{include}" CACHE PATH "" FORCE)
set(PYTHON_INCLUDE_DIRS "{include}" CACHE PATH "" FORCE)
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

# In place of CMake's own FindPython and FindPython3, which want the version of the interpreter that
# they run to be that of the headers.
_FIND_PYTHON = """\
set(_prefix ${CMAKE_FIND_PACKAGE_NAME})
set(${_prefix}_EXECUTABLE "@program@")
set(${_prefix}_INTERPRETER_ID Python)
set(${_prefix}_INCLUDE_DIRS "@include@")
set(${_prefix}_INCLUDE_DIR "@include@")
set(${_prefix}_LIBRARIES "")
set(${_prefix}_SOABI "@soabi@")
set(${_prefix}_SOSABI "abi3")
set(${_prefix}_VERSION "@version@")
string(REPLACE "." ";" _version "@version@")
list(GET _version 0 ${_prefix}_VERSION_MAJOR)
list(GET _version 1 ${_prefix}_VERSION_MINOR)
list(GET _version 2 ${_prefix}_VERSION_PATCH)
foreach(_part Interpreter Development Development.Module Development.SABIModule)
  set(${_prefix}_${_part}_FOUND TRUE)
endforeach()
if(NOT TARGET ${_prefix}::Interpreter)
  add_executable(${_prefix}::Interpreter IMPORTED)
  set_property(TARGET ${_prefix}::Interpreter PROPERTY IMPORTED_LOCATION "@program@")
  foreach(_part Module SABIModule Python)
    add_library(${_prefix}::${_part} INTERFACE IMPORTED)
    target_include_directories(${_prefix}::${_part} INTERFACE "@include@")
  endforeach()
endif()
if(NumPy IN_LIST ${_prefix}_FIND_COMPONENTS)
  execute_process(
    COMMAND "@program@" -c "import numpy; print(numpy.get_include()); print(numpy.__version__)"
    OUTPUT_VARIABLE _numpy OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _result)
  if(_result EQUAL 0)
    string(REPLACE "\\n" ";" _numpy "${_numpy}")
    list(GET _numpy 0 ${_prefix}_NumPy_INCLUDE_DIRS)
    list(GET _numpy 1 ${_prefix}_NumPy_VERSION)
    set(${_prefix}_NumPy_INCLUDE_DIR "${${_prefix}_NumPy_INCLUDE_DIRS}")
    set(${_prefix}_NumPy_FOUND TRUE)
    if(NOT TARGET ${_prefix}::NumPy)
      add_library(${_prefix}::NumPy INTERFACE IMPORTED)
      target_include_directories(
        ${_prefix}::NumPy INTERFACE "@include@" "${${_prefix}_NumPy_INCLUDE_DIRS}")
    endif()
  endif()
endif()
function(eryx_add_python_library name)
  cmake_parse_arguments(PARSE_ARGV 1 given "STATIC;SHARED;MODULE;WITH_SOABI" "USE_SABI" "")
  set(kind MODULE)
  if(given_SHARED)
    set(kind SHARED)
  elseif(given_STATIC)
    set(kind STATIC)
  endif()
  add_library(${name} ${kind} ${given_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE "@include@")
  if(given_USE_SABI)
    string(REGEX MATCH "^([0-9]+)[.]([0-9]+)" _ "${given_USE_SABI}")
    math(EXPR limited "(${CMAKE_MATCH_1} << 24) | (${CMAKE_MATCH_2} << 16)")
    target_compile_definitions(${name} PRIVATE Py_LIMITED_API=${limited})
  endif()
  if(kind STREQUAL "MODULE")
    set_property(TARGET ${name} PROPERTY PREFIX "")
    if(given_WITH_SOABI AND given_USE_SABI)
      set_property(TARGET ${name} PROPERTY SUFFIX ".abi3.so")
    elseif(given_WITH_SOABI)
      set_property(TARGET ${name} PROPERTY SUFFIX ".@soabi@.so")
    endif()
  endif()
endfunction()
function(${_prefix}_add_library name)
  eryx_add_python_library(${name} ${ARGN})
endfunction()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  ${_prefix} REQUIRED_VARS ${_prefix}_EXECUTABLE ${_prefix}_INCLUDE_DIRS
  VERSION_VAR ${_prefix}_VERSION HANDLE_COMPONENTS)
"""


def environment(
    work: Path, program: str, configuration: Mapping[str, object], roots: Sequence[Path]
) -> dict[str, str]:
    """Writes the toolchain file into work, beside the compilers, tools and headers.

    program: the Python that builds; configuration: of the guest's Python; roots: where headers and
    libraries are looked for.
    Gives the variables of the environment that CMake finds it by.
    """
    folder = work / "cmake"
    (folder / "Platform").mkdir(parents=True)
    (folder / "Platform" / "WASI.cmake").write_text(_PLATFORM)
    include = work / "include"
    suffix = str(configuration["EXT_SUFFIX"])
    version = f"{configuration['py_version_short']}.0"
    found = _FIND_PYTHON
    for name, value in {
        "program": program,
        "include": str(include),
        "soabi": suffix.removeprefix(".").removesuffix(".so"),
        "version": version,
    }.items():
        found = found.replace(f"@{name}@", value)
    for name in ("FindPython.cmake", "FindPython3.cmake"):
        (folder / name).write_text(found)
    quoted = " ".join(f'"{root}"' for root in roots)
    toolchain = work / "wasi.cmake"
    toolchain.write_text(_TOOLCHAIN.format(work=work, include=include, suffix=suffix, roots=quoted))
    return {"CMAKE_TOOLCHAIN_FILE": str(toolchain)}
