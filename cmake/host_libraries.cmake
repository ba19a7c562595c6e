# OpenSSL and c-ares, linked as static archives, so that a wheel carries them and they disturb no other
# copy in the process. `python3 -m toolchain` builds them (toolchain/host_libraries.py).

set(ERYX_LIBRARIES_DIR "${CMAKE_CURRENT_SOURCE_DIR}/build/libraries" CACHE PATH
    "Where OpenSSL and c-ares are: include/ and lib/")
foreach(name IN ITEMS ssl crypto cares)
    string(TOUPPER "ERYX_LIB${name}" variable)
    set(${variable} "${ERYX_LIBRARIES_DIR}/lib/lib${name}.a")
    if(NOT EXISTS "${${variable}}")
        message(FATAL_ERROR "${${variable}} is missing: run python3 -m toolchain first")
    endif()
endforeach()

add_library(eryx_openssl INTERFACE)
target_include_directories(eryx_openssl SYSTEM INTERFACE "${ERYX_LIBRARIES_DIR}/include")
target_link_libraries(eryx_openssl INTERFACE "${ERYX_LIBSSL}" "${ERYX_LIBCRYPTO}" pthread)

add_library(eryx_cares INTERFACE)
target_compile_definitions(eryx_cares INTERFACE CARES_STATICLIB CARES_NO_DEPRECATED)
target_include_directories(eryx_cares SYSTEM INTERFACE "${ERYX_LIBRARIES_DIR}/include")
target_link_libraries(eryx_cares INTERFACE "${ERYX_LIBCARES}")
