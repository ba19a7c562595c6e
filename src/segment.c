#include "segment.h"

#include <asm/prctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* AT_HWCAP2 bit 1: the kernel lets programs use RDGSBASE and WRGSBASE. */
enum { HWCAP2_FSGSBASE_BIT = 1 << 1 };

__attribute__((target("fsgsbase"))) static void *exchange_by_instruction(void *base)
{
    void *earlier = (void *)(uintptr_t)__builtin_ia32_rdgsbase64();
    __builtin_ia32_wrgsbase64((uintptr_t)base);
    return earlier;
}

static void *exchange_by_system_call(void *base)
{
    uintptr_t earlier = 0;
    syscall(SYS_arch_prctl, ARCH_GET_GS, &earlier);
    syscall(SYS_arch_prctl, ARCH_SET_GS, base);
    return (void *)earlier;
}

void *segment_exchange(void *base)
{
    bool by_instruction = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
    return by_instruction ? exchange_by_instruction(base) : exchange_by_system_call(base);
}
