/* What libbz2 calls where its own state is wrong. */
#include <stdlib.h>

void bz_internal_error(int code);
void bz_internal_error(int code)
{
    (void)code;
    abort();
}
