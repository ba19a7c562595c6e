/* What clang calls for 128-bit products; of all its library CPython needs nothing else. */
#include <stdint.h>

__int128 __multi3(__int128 left, __int128 right);

__int128 __multi3(__int128 left, __int128 right)
{
    uint64_t a = (uint64_t)left;
    uint64_t b = (uint64_t)right;
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    uint64_t other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);
    uint64_t high = (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
    high += (uint64_t)(left >> 64) * b + a * (uint64_t)(right >> 64);
    return (__int128)(((unsigned __int128)high << 64) | (other << 32) | (low & UINT32_MAX));
}
