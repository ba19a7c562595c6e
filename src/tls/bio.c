#include "tls/bio.h"

#include <pthread.h>

#include "tls/session.h"

/* Records are 16 KiB and a little; a handshake's flight with a large client certificate is more. */
#define MAX_OUTPUT_BYTES (TLS_MAX_QUEUED_BYTES + ((size_t)256 << 10))

void tls_wire_init(tls_wire *wire, const net_transport *below)
{
    wire->is_fed = below == NULL;
    if (below != NULL) {
        wire->below = *below;
    }
}

void tls_wire_clear(tls_wire *wire)
{
    tls_queue_clear(&wire->input);
    tls_queue_clear(&wire->output);
}

void tls_wire_cut(tls_wire *wire)
{
    wire->below = (net_transport){NULL, NULL, NULL};
    wire->trouble = NET_IO_FAILED;
    tls_wire_clear(wire);
}

void tls_wire_begin_step(tls_wire *wire)
{
    wire->may_take = TLS_MAX_TAKEN_BYTES;
}

bool tls_wire_flush(tls_wire *wire)
{
    tls_queue *output = &wire->output;
    if (wire->is_fed) {
        return tls_queue_size(output) < TLS_MAX_QUEUED_BYTES;
    }
    while (tls_queue_size(output) > 0 && wire->trouble == NET_IO_OK) {
        size_t sent = 0;
        net_io io = wire->below.write(wire->below.self, output->data + output->begin,
                                      tls_queue_size(output), &sent);
        if (io == NET_IO_AGAIN) {
            return false;
        }
        if (io != NET_IO_OK) {
            wire->trouble = io;
            return false;
        }
        tls_queue_drop(output, sent);
    }
    return wire->trouble == NET_IO_OK;
}

bool tls_wire_is_flushed(const tls_wire *wire)
{
    return tls_queue_size(&wire->output) == 0;
}

bool tls_wire_has_room(const tls_wire *wire)
{
    return tls_queue_size(&wire->output) < TLS_MAX_QUEUED_BYTES;
}

size_t tls_wire_feed(tls_wire *wire, const uint8_t *data, size_t size)
{
    size_t waiting = tls_queue_size(&wire->input);
    size_t room = waiting < TLS_MAX_QUEUED_BYTES ? TLS_MAX_QUEUED_BYTES - waiting : 0;
    size_t taken = size < room ? size : room;
    if (!wire->is_fed || wire->input_ended || !tls_queue_append(&wire->input, data, taken)) {
        return 0;
    }
    return taken;
}

size_t tls_wire_drain(tls_wire *wire, uint8_t *buffer, size_t room)
{
    return wire->is_fed ? tls_queue_take(&wire->output, buffer, room) : 0;
}

/* ---- The BIO --------------------------------------------------------------------------------- */

static int bio_write(BIO *bio, const char *data, size_t size, size_t *out_written)
{
    tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (wire->trouble != NET_IO_OK || size > MAX_OUTPUT_BYTES ||
        tls_queue_size(&wire->output) > MAX_OUTPUT_BYTES - size ||
        !tls_queue_append(&wire->output, (const uint8_t *)data, size)) {
        wire->trouble = wire->trouble != NET_IO_OK ? wire->trouble : NET_IO_FAILED;
        return 0;
    }
    *out_written = size;
    return 1;
}

/* From the queue of a fed session: NET_IO_AGAIN or NET_IO_CLOSED if it is empty. */
static net_io take_input(tls_wire *wire, uint8_t *buffer, size_t room, size_t *out_size)
{
    *out_size = tls_queue_take(&wire->input, buffer, room);
    if (*out_size > 0) {
        return NET_IO_OK;
    }
    return wire->input_ended ? NET_IO_CLOSED : NET_IO_AGAIN;
}

static int bio_read(BIO *bio, char *buffer, size_t room, size_t *out_read)
{
    tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t share = room < wire->may_take ? room : wire->may_take;
    net_io io = wire->trouble;
    if (io == NET_IO_OK && share == 0) {
        io = NET_IO_AGAIN;
    } else if (io == NET_IO_OK) {
        io = wire->is_fed ? take_input(wire, (uint8_t *)buffer, share, out_read)
                          : wire->below.read(wire->below.self, (uint8_t *)buffer, share, out_read);
    }
    switch (io) {
    case NET_IO_OK:
        wire->may_take -= *out_read;
        return 1;
    case NET_IO_AGAIN:
        BIO_set_retry_read(bio);
        return 0;
    case NET_IO_CLOSED:
        wire->input_ended = true;
        return 0;
    default:
        wire->trouble = io;
        return 0;
    }
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    const tls_wire *wire = BIO_get_data(bio);
    (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1; /* done after the step */
    case BIO_CTRL_EOF:
        return wire->input_ended && tls_queue_size(&wire->input) == 0;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method; /* for the life of the process */

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "eryx wire");
    if (made != NULL && BIO_meth_set_write_ex(made, bio_write) == 1 &&
        BIO_meth_set_read_ex(made, bio_read) == 1 && BIO_meth_set_ctrl(made, bio_control) == 1 &&
        BIO_meth_set_create(made, bio_create) == 1) {
        method = made;
    } else {
        BIO_meth_free(made);
    }
}

BIO *tls_bio_new(tls_wire *wire)
{
    pthread_once(&method_once, make_method);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio != NULL) {
        BIO_set_data(bio, wire);
    }
    return bio;
}
