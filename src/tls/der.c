#include "tls/der.h"

/* The length at the start of data: how many bytes it has itself, 0 if it is malformed. */
static size_t read_length(const uint8_t *data, size_t size, size_t *out_length)
{
    if (size == 0) {
        return 0;
    }
    if (data[0] < 0x80) {
        *out_length = data[0];
        return 1;
    }
    const size_t count = data[0] & 0x7fu;
    if (count == 0 || count > 4 || size < 1 + count) {
        return 0;
    }
    size_t length = 0;
    for (size_t i = 1; i <= count; i++) {
        length = length << 8 | data[i];
    }
    *out_length = length;
    return 1 + count;
}

bool tls_der_take(der *io, uint8_t tag, der *out_contents)
{
    if (io->size == 0 || io->data[0] != tag) {
        return false;
    }
    size_t length = 0;
    const size_t prefix = read_length(io->data + 1, io->size - 1, &length);
    if (prefix == 0 || length > io->size - 1 - prefix) {
        return false;
    }
    *out_contents = (der){io->data + 1 + prefix, length};
    io->data += 1 + prefix + length;
    io->size -= 1 + prefix + length;
    return true;
}

bool tls_der_skip_optional(der *io, uint8_t tag)
{
    der ignored;
    return io->size == 0 || io->data[0] != tag || tls_der_take(io, tag, &ignored);
}

bool tls_der_only(const uint8_t *data, size_t size, uint8_t tag, der *out_contents)
{
    der all = {data, size};
    return tls_der_take(&all, tag, out_contents) && all.size == 0;
}
