/*
 * eryx-worker CONTROL_FD IMAGE STDLIB: runs sandboxes for the process that started it, and may do
 * nothing else (docs/workers.md). Started by the package, not by people.
 */
#include <stdio.h>
#include <stdlib.h>

#include "worker/server.h"

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "eryx-worker is started by eryx itself\n");
        return EXIT_FAILURE;
    }
    return worker_serve(atoi(argv[1]), argv[2], argv[3]);
}
