# llhttp (HTTP/1.1 as bytes come), compiled into the host library. `python3 -m toolchain` brings its
# sources (toolchain/llhttp.py).

set(ERYX_LLHTTP_DIR "${ERYX_LIBRARIES_DIR}/llhttp")
if(NOT EXISTS "${ERYX_LLHTTP_DIR}/llhttp.c")
    message(FATAL_ERROR "llhttp is missing: run python3 -m toolchain first")
endif()

# Adds it to the sources of a target.
function(eryx_add_llhttp target)
    set(sources "${ERYX_LLHTTP_DIR}/llhttp.c" "${ERYX_LLHTTP_DIR}/api.c" "${ERYX_LLHTTP_DIR}/http.c")
    target_sources(${target} PRIVATE ${sources})
    set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-w")
    target_include_directories(${target} SYSTEM PUBLIC "${ERYX_LLHTTP_DIR}")
endfunction()
