/* The network of a sandbox in a worker, whose connections its parent has (net/far.h). */
#ifndef ERYX_WORKER_FAR_NETWORK_H
#define ERYX_WORKER_FAR_NETWORK_H

#include "net/far.h"
#include "worker/asking.h"

/* Asks over a socket. asks: taken over. */
net_far far_network(asking *asks);

#endif
