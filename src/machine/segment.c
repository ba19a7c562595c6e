#include "machine/segment.h"

#include <asm/prctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
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

/* Some systems (gVisor) answer EINVAL. What was set is read back, too: all of the boundary rests on
 * it. */
static bool exchange_by_system_call(void *base, void **out_earlier)
{
    uintptr_t earlier = 0;
    uintptr_t now = 0;
    if (syscall(SYS_arch_prctl, ARCH_GET_GS, &earlier) != 0 ||
        syscall(SYS_arch_prctl, ARCH_SET_GS, base) != 0 ||
        syscall(SYS_arch_prctl, ARCH_GET_GS, &now) != 0 || now != (uintptr_t)base) {
        return false;
    }
    *out_earlier = (void *)earlier;
    return true;
}

bool segment_exchange(void *base, void **out_earlier)
{
    if ((getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) == 0) {
        return exchange_by_system_call(base, out_earlier);
    }
    *out_earlier = exchange_by_instruction(base);
    return true;
}

bool segment_works(void)
{
    static const uint8_t probe[8] = {0x5e, 0x67, 0x6d, 0x65, 0x6e, 0x74, 0x47, 0x53};
    void *earlier;
    if (!segment_exchange((void *)(uintptr_t)probe, &earlier)) {
        return false;
    }
    uint64_t seen;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(seen));
    bool works = memcmp(&seen, probe, sizeof seen) == 0;
    void *ours;
    return segment_exchange(earlier, &ours) && ours == (void *)(uintptr_t)probe && works;
}
