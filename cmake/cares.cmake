# c-ares (names to addresses without blocking), a static archive like OpenSSL; see openssl.cmake for why the
# headers are copied.

find_path(ERYX_CARES_INCLUDE ares.h PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH)
find_library(ERYX_LIBCARES NAMES libcares.a libcares_static.a
    PATHS /usr/lib /usr/lib64 /usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu /usr/local/lib /usr/local/lib64
    NO_CMAKE_FIND_ROOT_PATH)
if(NOT ERYX_LIBCARES OR NOT ERYX_CARES_INCLUDE)
    message(FATAL_ERROR "c-ares is missing: install libc-ares-dev (python3 -m toolchain.setup)")
endif()

set(ERYX_CARES_HEADERS "${CMAKE_CURRENT_BINARY_DIR}/cares")
file(GLOB ERYX_CARES_FILES "${ERYX_CARES_INCLUDE}/ares*.h"
    "${ERYX_CARES_INCLUDE}/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu/ares*.h")
file(COPY ${ERYX_CARES_FILES} DESTINATION "${ERYX_CARES_HEADERS}")

add_library(eryx_cares INTERFACE)
target_include_directories(eryx_cares SYSTEM INTERFACE "${ERYX_CARES_HEADERS}")
target_link_libraries(eryx_cares INTERFACE "${ERYX_LIBCARES}")
