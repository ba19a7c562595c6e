/* The program of a worker with the hole of planted_bug.c, all in one piece. */
#include <stdlib.h>

#include "worker/server.h"

int main(int argc, char **argv)
{
    return argc < 4 ? EXIT_FAILURE : worker_serve(atoi(argv[1]), argv[2], argv[3]);
}
