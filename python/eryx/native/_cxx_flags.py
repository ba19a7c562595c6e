"""How C++ for native modules is compiled: the library that they share, and they themselves alike.

The toolchain loads this file by its path: it imports nothing of the package.
"""

from __future__ import annotations

# Exceptions of WebAssembly, in the encoding that wasm2c takes best.
EXCEPTIONS = ("-fexceptions", "-fwasm-exceptions", "-mexception-handling")

# setjmp() and longjmp() are made of the same.
LONG_JUMPS = ("-mexception-handling", "-mllvm", "-wasm-enable-sjlj")

# zig's own library has no threads, which is to say neither std::mutex nor std::thread. Types are
# compared by name: modules have each their own copy of what describes them.
SETTINGS = (
    *("-U_LIBCPP_HAS_THREADS", "-D_LIBCPP_HAS_THREADS=1", "-D_LIBCPP_HAS_THREAD_API_PTHREAD=1"),
    *("-U_LIBCPP_HAS_FILESYSTEM", "-D_LIBCPP_HAS_FILESYSTEM=0"),
    *("-U_LIBCPP_ABI_VERSION", "-D_LIBCPP_ABI_VERSION=1"),
    *("-U_LIBCPP_ABI_NAMESPACE", "-D_LIBCPP_ABI_NAMESPACE=__1"),
    *("-U_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS", "-U_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS"),
    "-D_LIBCPP_TYPEINFO_COMPARISON_IMPLEMENTATION=2",
)

FLAGS = (*EXCEPTIONS, *SETTINGS)
