/* What the guest's C library has otherwise than zig's headers for WASI. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

char *inet_ntoa(struct in_addr address);

#undef h_errno
extern int h_errno;
