# The C library as others use it: liberyx.so and liberyx.a, and their installation with the data, the
# header, pkg-config's and CMake's descriptions, the licences and the bill of materials.

include(CMakePackageConfigHelpers)

# Before 1.0 each minor version is an ABI of its own (docs/c.md).
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(ERYX_SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
else()
    set(ERYX_SOVERSION "${PROJECT_VERSION_MAJOR}")
endif()
set(ERYX_SYSTEM_LIBRARIES ${CMAKE_DL_LIBS} pthread m)

# ---- The libraries --------------------------------------------------------------------------------

add_library(eryx_shared SHARED $<TARGET_OBJECTS:eryx_objects>)
set_target_properties(eryx_shared PROPERTIES
    OUTPUT_NAME eryx EXPORT_NAME eryx VERSION ${PROJECT_VERSION} SOVERSION ${ERYX_SOVERSION})
target_link_libraries(eryx_shared
    PRIVATE "${ERYX_GUEST_DIR}/libguest.a" eryx_openssl eryx_cares ${ERYX_SYSTEM_LIBRARIES})
eryx_export_only(eryx_shared "${CMAKE_CURRENT_SOURCE_DIR}/cmake/liberyx.map")

# One object that holds host, guest and the libraries that they need, and shows the API alone: a
# program may have an OpenSSL of its own.
file(GLOB ERYX_HEADERS CONFIGURE_DEPENDS include/eryx/*.h)
foreach(header IN LISTS ERYX_HEADERS)
    file(STRINGS "${header}" lines REGEX "^ERYX_API ")
    string(REGEX MATCHALL "eryx_[a-z0-9_]+\\(" functions "${lines}")
    list(APPEND ERYX_FUNCTIONS ${functions})
endforeach()
string(REPLACE "(;" "\n" ERYX_FUNCTIONS "${ERYX_FUNCTIONS};")
set(ERYX_FUNCTION_LIST "${CMAKE_CURRENT_BINARY_DIR}/functions.txt")
file(GENERATE OUTPUT "${ERYX_FUNCTION_LIST}" CONTENT "${ERYX_FUNCTIONS}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ERYX_HEADERS})

set(ERYX_ONE_OBJECT "${CMAKE_CURRENT_BINARY_DIR}/eryx_all.o")
add_custom_command(OUTPUT "${ERYX_ONE_OBJECT}"
    COMMAND "${CMAKE_LINKER}" -r -d -o "${ERYX_ONE_OBJECT}"
        --whole-archive $<TARGET_FILE:eryx_host> --no-whole-archive
        --start-group "${ERYX_GUEST_DIR}/libguest.a" "${ERYX_LIBSSL}" "${ERYX_LIBCRYPTO}"
        "${ERYX_LIBCARES}" --end-group
    COMMAND "${CMAKE_OBJCOPY}" "--keep-global-symbols=${ERYX_FUNCTION_LIST}"
        $<$<CONFIG:Release>:--strip-unneeded> "${ERYX_ONE_OBJECT}"
    DEPENDS eryx_host "${ERYX_FUNCTION_LIST}" "${ERYX_GUEST_DIR}/libguest.a" "${ERYX_LIBSSL}" "${ERYX_LIBCRYPTO}"
        "${ERYX_LIBCARES}"
    COMMAND_EXPAND_LISTS VERBATIM)
add_library(eryx_static STATIC "${ERYX_ONE_OBJECT}")
set_target_properties(eryx_static PROPERTIES OUTPUT_NAME eryx LINKER_LANGUAGE C)
target_compile_definitions(eryx_static INTERFACE ERYX_STATIC)
target_link_libraries(eryx_static INTERFACE ${ERYX_SYSTEM_LIBRARIES})

foreach(library IN ITEMS eryx_shared eryx_static)
    target_include_directories(${library} INTERFACE
        $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

# ---- Where they find the data ---------------------------------------------------------------------

set(ERYX_INSTALL_DATADIR "${CMAKE_INSTALL_DATADIR}/eryx")
file(RELATIVE_PATH ERYX_DATA_FROM_LIBRARY
    "${CMAKE_INSTALL_FULL_LIBDIR}" "${CMAKE_INSTALL_FULL_DATADIR}/eryx")
set(ERYX_LOOKS_FOR_DATA ${ERYX_SOURCES})
list(FILTER ERYX_LOOKS_FOR_DATA INCLUDE REGEX "/data_folder\\.c$")
set_property(SOURCE ${ERYX_LOOKS_FOR_DATA} APPEND PROPERTY COMPILE_DEFINITIONS
    "ERYX_DATA_FROM_LIBRARY=\"${ERYX_DATA_FROM_LIBRARY}\""
    "ERYX_DATA_INSTALLED=\"${CMAKE_INSTALL_FULL_DATADIR}/eryx\"")

# ---- Installation ---------------------------------------------------------------------------------

set(ERYX_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/eryx")
install(TARGETS eryx_shared eryx_static EXPORT eryxTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES ${ERYX_HEADERS} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/eryx")
install(FILES "${ERYX_GUEST_DIR}/image.bin" "${ERYX_GUEST_DIR}/stdlib.bin"
        "${ERYX_GUEST_DIR}/seeds.bin"
    DESTINATION "${ERYX_INSTALL_DATADIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
file(GLOB licences CONFIGURE_DEPENDS LICENSES/*)
install(FILES ${licences} DESTINATION "${CMAKE_INSTALL_DOCDIR}/LICENSES")

# For CMake: find_package(eryx) gives eryx::eryx and eryx::eryx_static.
install(EXPORT eryxTargets NAMESPACE eryx:: DESTINATION "${ERYX_INSTALL_CMAKEDIR}")
configure_package_config_file(cmake/eryxConfig.cmake.in eryxConfig.cmake
    INSTALL_DESTINATION "${ERYX_INSTALL_CMAKEDIR}" PATH_VARS ERYX_INSTALL_DATADIR)
write_basic_package_version_file(eryxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/eryxConfig.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/eryxConfigVersion.cmake"
    DESTINATION "${ERYX_INSTALL_CMAKEDIR}")

# For pkg-config. Its files say where things are as seen from where they lie, so that the whole
# installation can be moved; only a folder that was given as an absolute path stays where it is.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(ERYX_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
    file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(ERYX_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(folder IN ITEMS LIBDIR INCLUDEDIR DATADIR)
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
        set(ERYX_PC_${folder} "${CMAKE_INSTALL_${folder}}")
    else()
        set(ERYX_PC_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
    endif()
endforeach()
list(TRANSFORM ERYX_SYSTEM_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE ERYX_PC_SYSTEM_LIBRARIES)
list(JOIN ERYX_PC_SYSTEM_LIBRARIES " " ERYX_PC_SYSTEM_LIBRARIES)
foreach(name IN ITEMS eryx eryx-static)
    configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

# Made of the files as they were installed, which may have been stripped on the way.
if(NOT Python_FOUND)
    find_package(Python 3.11 REQUIRED COMPONENTS Interpreter)
endif()
configure_file(cmake/install_sbom.cmake.in install_sbom.cmake @ONLY)
install(SCRIPT "${CMAKE_CURRENT_BINARY_DIR}/install_sbom.cmake")
