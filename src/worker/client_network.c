/* What a client has to do with a network, which is here (served_network.c). */
#include <stdio.h>
#include <unistd.h>

#include "worker/client_internal.h"

eryx_status worker_client_tell_network(worker_client *client, worker_servant *servant,
                                       eryx_error *out_error)
{
    int ends[2] = {-1, -1};
    worker_answer answer;
    eryx_status status = ERYX_OK;
    served_use(client->network);
    const served_network *network = client->network->network;
    if (served_network_is_asked(network)) {
        if (!worker_client_make_sockets(ends, out_error)) {
            return ERYX_INITIALIZATION;
        }
        status = worker_servant_add(servant, client->network, ends[0], out_error);
    }
    if (status == ERYX_OK) {
        served_network_describe(network, worker_client_ask(client, WORKER_NETWORK));
        status = worker_client_get_answer(client, ends[1], &answer, out_error);
    }
    if (ends[1] >= 0) {
        close(ends[1]);
    }
    return status;
}

/* The network, with its lock; NULL, without, if there is none any more. */
static served_network *lock(worker_client *client)
{
    if (client->network == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&client->network->lock);
    if (client->network->network == NULL) {
        pthread_mutex_unlock(&client->network->lock);
        return NULL;
    }
    return client->network->network;
}

static void unlock(worker_client *client)
{
    pthread_mutex_unlock(&client->network->lock);
}

bool worker_client_renew_network(worker_client *client, message_writer *writer)
{
    served_network *network = lock(client);
    if (network != NULL) {
        served_network_renew(network, writer);
        unlock(client);
    }
    return network != NULL;
}

void worker_client_begin_network(worker_client *client)
{
    served_network *network = lock(client);
    client->asks_to_connect = false;
    if (network != NULL) {
        served_network_begin_run(network);
        unlock(client);
    }
}

void worker_client_end_network(worker_client *client)
{
    served_network *network = lock(client);
    if (network != NULL) {
        served_network_end_run(network);
        served_network_list(network, &client->left.result);
        unlock(client);
    }
}

bool worker_client_take_connect(worker_client *client, eryx_event *out_event)
{
    served_network *network = lock(client);
    if (network == NULL) {
        return false;
    }
    eryx_event event;
    const bool asks = !client->asks_to_connect && served_network_asks(network, &event);
    if (asks) {
        snprintf(client->connect_host, sizeof client->connect_host, "%s", event.as.connect.host);
        snprintf(client->connect_address, sizeof client->connect_address, "%s",
                 event.as.connect.address);
        event.as.connect.host = client->connect_host;
        event.as.connect.address = client->connect_address;
        *out_event = event;
        client->asks_to_connect = true;
        client->holds_guest = true;
    }
    unlock(client);
    return asks;
}

eryx_status worker_client_connect_answer(worker_client *client, bool allow)
{
    served_network *network = client->asks_to_connect ? lock(client) : NULL;
    if (network == NULL) {
        return ERYX_INVALID_ARGUMENT;
    }
    client->asks_to_connect = false;
    (void)served_network_answer(network, allow); /* unless the worker has closed it meanwhile */
    unlock(client);
    message_put_u8(worker_client_begin_message(client, WORKER_MAY_CONNECT, client->run), allow);
    return worker_client_leave_message(client);
}
