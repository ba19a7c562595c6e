/* The program of a worker with the hole of planted_bug.c, all in one piece. */
#include <stdlib.h>

#include "worker/server.h"

int main(int argc, char **argv)
{
    /* The module of the package, which is argv[6], is not needed: the library is in this program.
     */
    if (argc < 7) {
        return EXIT_FAILURE;
    }
    const worker_files files = {argv[2], argv[3], argv[4], argv[5][0] != '\0' ? argv[5] : NULL};
    return worker_serve(atoi(argv[1]), &files, argv + 7, argc - 7);
}
