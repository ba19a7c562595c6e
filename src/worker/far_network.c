#include "worker/far_network.h"

static bool ask(void *self, const net_far_question *question, net_far_answer *out_answer)
{
    message_reader reader;
    net_far_question sent = *question;
    sent.room = sent.room < SERVICE_DATA_MAX ? sent.room : SERVICE_DATA_MAX;
    if (sent.size > SERVICE_DATA_MAX) {
        return false; /* no caller has so much */
    }
    service_put_question(asking_begin(self, SERVICE_NETWORK), &sent);
    if (!asking_get(self, &reader) || !service_get_answer(&reader, out_answer)) {
        return false;
    }
    out_answer->file = asking_take_file(self);
    return true;
}

static void destroy(void *self)
{
    asking_release(self);
}

net_far far_network(asking *asks)
{
    return (net_far){.self = asks, .ask = ask, .destroy = destroy};
}
