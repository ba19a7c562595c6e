/* The program of a worker with the hole of planted_bug.c, all in one piece. */
#include <stdlib.h>

#include "worker/server.h"

int main(int argc, char **argv)
{
    /* The module of the package, which is argv[4], is not needed: the library is in this program.
     */
    return argc < 5 ? EXIT_FAILURE
                    : worker_serve(atoi(argv[1]), argv[2], argv[3], argv + 5, argc - 5);
}
