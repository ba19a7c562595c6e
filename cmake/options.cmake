# What all targets of this project have in common.

include(CheckCCompilerFlag)

# What makes faults of our own code harder to use. toolchain/host_libraries.py has the same for OpenSSL
# and c-ares. Indirect jumps are checked, but shadow stacks are not promised: a guest has a stack of its own.
set(ERYX_HARDENING -fstack-protector-strong)
foreach(flag IN ITEMS -fstack-clash-protection -fcf-protection=branch -ftrivial-auto-var-init=zero)
    string(MAKE_C_IDENTIFIER "ERYX_HAS${flag}" variable)
    check_c_compiler_flag("${flag}" ${variable})
    if(${variable})
        list(APPEND ERYX_HARDENING "${flag}")
    else()
        message(STATUS "Built without ${flag}, which this compiler does not know")
    endif()
endforeach()

# Warnings, language options, hardening and, when asked for, the sanitizers.
function(eryx_use_options target)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_compile_options(${target} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Werror>
        $<$<COMPILE_LANGUAGE:C>:-fno-strict-aliasing>
        "$<$<COMPILE_LANGUAGE:C>:${ERYX_HARDENING}>"
        $<$<COMPILE_LANGUAGE:C>:-fno-sanitize=all>
        # __FILE__, which OpenSSL's macros use, is not to tell where this was built.
        "$<$<COMPILE_LANGUAGE:C>:-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=>")
    if(ERYX_ASSERTIONS)
        target_compile_definitions(${target} PRIVATE ERYX_ASSERTIONS)
    endif()
    if(ERYX_SANITIZE OR ERYX_SANITIZE_THREADS)
        # What the sanitizers do is not on the list of system calls (src/worker/lockdown.c).
        target_compile_definitions(${target} PRIVATE ERYX_WORKER_UNCONFINED)
    endif()
    if(ERYX_SANITIZE)
        target_compile_options(${target} PRIVATE
            $<$<COMPILE_LANGUAGE:C>:-fsanitize=address,undefined -fno-sanitize-recover=all>
            $<$<COMPILE_LANGUAGE:C>:-fno-omit-frame-pointer -g>)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
    if(ERYX_SANITIZE_THREADS)
        target_compile_options(${target} PRIVATE
            $<$<COMPILE_LANGUAGE:C>:-fsanitize=thread>
            $<$<COMPILE_LANGUAGE:C>:-fno-omit-frame-pointer -g>)
        target_link_options(${target} PUBLIC -fsanitize=thread)
    endif()
endfunction()

# Lets the C library check the sizes that its functions are called with, in what is shipped. The
# sanitizers see more by themselves, and without optimisation it does nothing but warn.
function(eryx_fortify target)
    if(NOT ERYX_SANITIZE AND NOT ERYX_SANITIZE_THREADS)
        target_compile_options(${target} PRIVATE
            "$<$<AND:$<COMPILE_LANGUAGE:C>,$<NOT:$<CONFIG:Debug>>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
    endif()
endfunction()

# Links a shared object so that it shows nothing but the symbols of a version script, and stripped:
# the guest alone has ten thousand local names. It stays when it is closed: handlers of signals, of
# forks and of ending threads are in it.
function(eryx_export_only target map)
    target_link_options(${target} PRIVATE
        "LINKER:--version-script=${map}" "LINKER:-z,relro" "LINKER:-z,now" "LINKER:-z,noexecstack"
        "LINKER:-z,nodelete"
        $<$<CONFIG:Release>:LINKER:--strip-all>)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${map}")
endfunction()

# Links a program that lies at another place each time, whose addresses of functions are read-only once
# it runs, and stripped.
function(eryx_protect target)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_options(${target} PRIVATE -pie "LINKER:-z,relro" "LINKER:-z,now" "LINKER:-z,noexecstack"
        $<$<CONFIG:Release>:LINKER:--strip-all>)
endfunction()
