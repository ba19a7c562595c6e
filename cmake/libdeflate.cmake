# libdeflate (unpacks zlib's format, in one piece), compiled into the host library.
# `python3 -m toolchain` brings its sources (toolchain/libdeflate.py).

set(ERYX_LIBDEFLATE_DIR "${ERYX_LIBRARIES_DIR}/libdeflate")
if(NOT EXISTS "${ERYX_LIBDEFLATE_DIR}/libdeflate.h")
    message(FATAL_ERROR "libdeflate is missing: run python3 -m toolchain first")
endif()

# Adds it to the sources of a target.
function(eryx_add_libdeflate target)
    set(sources adler32.c deflate_decompress.c utils.c zlib_decompress.c x86/cpu_features.c)
    list(TRANSFORM sources PREPEND "${ERYX_LIBDEFLATE_DIR}/lib/")
    target_sources(${target} PRIVATE ${sources})
    set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-w")
    target_include_directories(${target} SYSTEM PUBLIC "${ERYX_LIBDEFLATE_DIR}")
endfunction()
