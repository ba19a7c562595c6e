# OpenSSL, linked as static archives, so that a wheel carries it and disturbs no other in the process.
#
# Its headers are copied: the folder that they are in has those of the system's libc as well, which
# are wrong for a build against an older one (zig).

find_path(ERYX_OPENSSL_INCLUDE openssl/ssl.h PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH)
find_path(ERYX_OPENSSL_CONFIGURATION openssl/configuration.h
    HINTS "${ERYX_OPENSSL_INCLUDE}"
    PATHS /usr/include /usr/include/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu /usr/local/include
    NO_CMAKE_FIND_ROOT_PATH)
foreach(part IN ITEMS ssl crypto)
    string(TOUPPER "ERYX_LIB${part}" variable)
    find_library(${variable} lib${part}.a
        PATHS /usr/lib /usr/lib64 /usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu /usr/local/lib
              /usr/local/lib64
        NO_CMAKE_FIND_ROOT_PATH)
    if(NOT ${variable})
        message(FATAL_ERROR "lib${part}.a is missing: install libssl-dev (python3 -m toolchain.setup)")
    endif()
endforeach()
if(NOT ERYX_OPENSSL_INCLUDE OR NOT ERYX_OPENSSL_CONFIGURATION)
    message(FATAL_ERROR
        "OpenSSL's headers are missing: install libssl-dev (python3 -m toolchain.setup)")
endif()

set(ERYX_OPENSSL_HEADERS "${CMAKE_CURRENT_BINARY_DIR}/openssl")
file(COPY "${ERYX_OPENSSL_INCLUDE}/openssl" "${ERYX_OPENSSL_CONFIGURATION}/openssl"
    DESTINATION "${ERYX_OPENSSL_HEADERS}")

add_library(eryx_openssl INTERFACE)
target_include_directories(eryx_openssl SYSTEM INTERFACE "${ERYX_OPENSSL_HEADERS}")
target_link_libraries(eryx_openssl
    INTERFACE "${ERYX_LIBSSL}" "${ERYX_LIBCRYPTO}" ${CMAKE_DL_LIBS} pthread)
