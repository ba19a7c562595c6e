# What all targets of this project have in common.

# Warnings, language options and, when asked for, the sanitizers.
function(eryx_use_options target)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_compile_options(${target} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Werror>
        $<$<COMPILE_LANGUAGE:C>:-fno-strict-aliasing -fstack-protector-strong>
        $<$<COMPILE_LANGUAGE:C>:-fno-sanitize=all>)
    if(ERYX_SANITIZE)
        target_compile_options(${target} PRIVATE
            $<$<COMPILE_LANGUAGE:C>:-fsanitize=address,undefined -fno-sanitize-recover=all>
            $<$<COMPILE_LANGUAGE:C>:-fno-omit-frame-pointer -g>)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
endfunction()

# Links a shared object so that it shows nothing but the symbols of a version script, and stripped:
# the guest alone has ten thousand local names.
function(eryx_export_only target map)
    target_link_options(${target} PRIVATE
        "LINKER:--version-script=${map}" "LINKER:-z,relro" "LINKER:-z,now" "LINKER:-z,noexecstack"
        $<$<CONFIG:Release>:LINKER:--strip-all>)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${map}")
endfunction()

# A target that joins several archives into one.
function(eryx_merge_archives target output)
    set(script "CREATE ${output}\n")
    foreach(archive IN LISTS ARGN)
        string(APPEND script "ADDLIB ${archive}\n")
    endforeach()
    string(APPEND script "SAVE\nEND\n")
    file(GENERATE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${target}.mri" CONTENT "${script}")
    add_custom_command(OUTPUT "${output}"
        COMMAND ${CMAKE_COMMAND} -E rm -f "${output}"
        COMMAND ${CMAKE_AR} -M < "${CMAKE_CURRENT_BINARY_DIR}/${target}.mri"
        DEPENDS ${ARGN} "${CMAKE_CURRENT_BINARY_DIR}/${target}.mri")
    add_custom_target(${target} DEPENDS "${output}")
endfunction()
