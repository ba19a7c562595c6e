#include "tls/key.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/der.h"

/* An exponent with more takes long as well, and nobody has one. */
#define MAX_EXPONENT_BITS 64

/* A PEM file may hold other things before the key, such as the name of its curve. */
#define MAX_PEM_BLOCKS 8

typedef enum key_kind { KEY_REFUSED, KEY_RSA, KEY_EC, KEY_EDWARDS } key_kind;

typedef struct known_object {
    key_kind kind;
    uint8_t size;
    uint8_t bytes[12];
} known_object;

static const known_object algorithms[] = {
    {KEY_RSA, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}},
    {KEY_RSA, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}}, /* RSASSA-PSS */
    {KEY_EC, 7, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}},
    {KEY_EDWARDS, 3, {0x2b, 0x65, 0x70}}, /* Ed25519 */
    {KEY_EDWARDS, 3, {0x2b, 0x65, 0x71}}, /* Ed448 */
};

static const known_object curves[] = {
    {KEY_EC, 8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},       /* P-256 */
    {KEY_EC, 5, {0x2b, 0x81, 0x04, 0x00, 0x21}},                         /* P-224 */
    {KEY_EC, 5, {0x2b, 0x81, 0x04, 0x00, 0x22}},                         /* P-384 */
    {KEY_EC, 5, {0x2b, 0x81, 0x04, 0x00, 0x23}},                         /* P-521 */
    {KEY_EC, 9, {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07}}, /* brainpoolP256r1 */
    {KEY_EC, 9, {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b}}, /* brainpoolP384r1 */
    {KEY_EC, 9, {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d}}, /* brainpoolP512r1 */
};

static key_kind find_object(const known_object *known, size_t count, const der *object)
{
    for (size_t i = 0; i < count; i++) {
        if (known[i].size == object->size &&
            memcmp(known[i].bytes, object->data, object->size) == 0) {
            return known[i].kind;
        }
    }
    return KEY_REFUSED;
}

/* Whether parameters of EC are the name of a curve. */
static bool is_named_curve(der parameters)
{
    der name;
    return tls_der_take(&parameters, DER_OBJECT, &name) && parameters.size == 0 &&
           find_object(curves, sizeof curves / sizeof curves[0], &name) == KEY_EC;
}

/* The kind that an AlgorithmIdentifier names. */
static key_kind kind_of(der algorithm)
{
    der name;
    if (!tls_der_take(&algorithm, DER_OBJECT, &name)) {
        return KEY_REFUSED;
    }
    key_kind kind = find_object(algorithms, sizeof algorithms / sizeof algorithms[0], &name);
    return kind == KEY_EC && !is_named_curve(algorithm) ? KEY_REFUSED : kind;
}

static bool take_number(der *io, size_t max_bits, der *out_number)
{
    return tls_der_take(io, DER_INTEGER, out_number) && out_number->size > 0 &&
           out_number->size <= max_bits / 8 + 1;
}

/* ---- Public keys ----------------------------------------------------------------------------- */

/* Whether a SubjectPublicKeyInfo may be decoded. */
static bool is_quick_public_key(der info)
{
    der algorithm;
    der bits;
    if (!tls_der_take(&info, DER_SEQUENCE, &algorithm) ||
        !tls_der_take(&info, DER_BIT_STRING, &bits) || bits.size == 0) {
        return false;
    }
    const key_kind kind = kind_of(algorithm);
    if (kind != KEY_RSA) {
        return kind != KEY_REFUSED && bits.size <= 256;
    }
    der numbers;
    der number;
    return tls_der_only(bits.data + 1, bits.size - 1, DER_SEQUENCE, &numbers) &&
           take_number(&numbers, TLS_MAX_PUBLIC_RSA_BITS, &number) &&
           take_number(&numbers, MAX_EXPONENT_BITS, &number);
}

bool tls_key_is_quick_certificate(const uint8_t *data, size_t size)
{
    static const uint8_t before[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE,
                                     DER_SEQUENCE}; /* from serial to subject */
    der certificate;
    der signed_part;
    der skipped;
    der info;
    if (size > TLS_MAX_CERTIFICATE_BYTES || !tls_der_only(data, size, DER_SEQUENCE, &certificate) ||
        !tls_der_take(&certificate, DER_SEQUENCE, &signed_part) ||
        !tls_der_skip_optional(&signed_part, DER_CONTEXT_0)) {
        return false;
    }
    for (size_t i = 0; i < sizeof before; i++) {
        if (!tls_der_take(&signed_part, before[i], &skipped)) {
            return false;
        }
    }
    return tls_der_take(&signed_part, DER_SEQUENCE, &info) && is_quick_public_key(info);
}

X509 *tls_key_read_certificate(const uint8_t *data, size_t size)
{
    const uint8_t *end = data;
    return tls_key_is_quick_certificate(data, size) ? d2i_X509(NULL, &end, (long)size) : NULL;
}

/* ---- Private keys ---------------------------------------------------------------------------- */

/* RSAPrivateKey: every number counts, as a signature takes as long as the largest of them lets
 * it. */
static bool is_quick_rsa(const uint8_t *data, size_t size)
{
    der key;
    der number;
    if (!tls_der_only(data, size, DER_SEQUENCE, &key) ||
        !tls_der_take(&key, DER_INTEGER, &number) || number.size != 1 || number.data[0] != 0 ||
        !take_number(&key, TLS_MAX_PRIVATE_RSA_BITS, &number) ||
        !take_number(&key, MAX_EXPONENT_BITS, &number)) {
        return false;
    }
    /* The private exponent, then what belongs to the two primes, each half as long. */
    if (!take_number(&key, TLS_MAX_PRIVATE_RSA_BITS, &number)) {
        return false;
    }
    for (int i = 0; i < 5; i++) {
        if (!take_number(&key, TLS_MAX_PRIVATE_RSA_BITS / 2, &number)) {
            return false;
        }
    }
    return key.size == 0;
}

/* ECPrivateKey: the curve in it would count, so it must be a known one; it may be missing if the
 * algorithm has it. */
static bool is_quick_ec(const uint8_t *data, size_t size, bool needs_curve)
{
    der key;
    der part;
    if (!tls_der_only(data, size, DER_SEQUENCE, &key) || !tls_der_take(&key, DER_INTEGER, &part) ||
        !tls_der_take(&key, DER_OCTET_STRING, &part) || part.size > 128) {
        return false;
    }
    if (tls_der_take(&key, DER_CONTEXT_0, &part)) {
        return is_named_curve(part) && key.size <= 256;
    }
    return !needs_curve && key.size <= 256;
}

/* PKCS#8. */
static bool is_quick_private_key(const uint8_t *data, size_t size)
{
    der info;
    der version;
    der algorithm;
    der key;
    if (!tls_der_only(data, size, DER_SEQUENCE, &info) ||
        !tls_der_take(&info, DER_INTEGER, &version) ||
        !tls_der_take(&info, DER_SEQUENCE, &algorithm) ||
        !tls_der_take(&info, DER_OCTET_STRING, &key)) {
        return false;
    }
    switch (kind_of(algorithm)) {
    case KEY_RSA:
        return is_quick_rsa(key.data, key.size);
    case KEY_EC:
        return is_quick_ec(key.data, key.size, false);
    case KEY_EDWARDS:
        return key.size <= 128;
    case KEY_REFUSED:
        break;
    }
    return false;
}

static EVP_PKEY *decode_pkcs8(const uint8_t *data, long size)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &data, size);
    EVP_PKEY *key = info != NULL ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

/* One block of PEM. False if it is not a key; out_key is NULL, and out_error set, if it can't be
 * used. */
static bool decode_block(const char *name, const char *header, const uint8_t *data, long size,
                         EVP_PKEY **out_key, tls_error *out_error)
{
    const bool is_pkcs8 = strcmp(name, PEM_STRING_PKCS8INF) == 0;
    const bool is_rsa = strcmp(name, PEM_STRING_RSA) == 0;
    const bool is_ec = strcmp(name, PEM_STRING_ECPRIVATEKEY) == 0;
    const char *kind = strstr(name, "PRIVATE KEY");
    if (kind == NULL) {
        return false;
    }
    *out_key = NULL;
    if (strcmp(name, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL) {
        tls_error_set(out_error, "an encrypted private key can't be used in a sandbox");
        return true;
    }
    bool is_quick = is_pkcs8 ? is_quick_private_key(data, (size_t)size)
                    : is_rsa ? is_quick_rsa(data, (size_t)size)
                             : is_ec && is_quick_ec(data, (size_t)size, true);
    if (!is_quick) {
        tls_error_set(out_error, "a private key of this kind or size can't be used in a sandbox");
        return true;
    }
    *out_key = is_pkcs8 ? decode_pkcs8(data, size)
                        : d2i_PrivateKey(is_rsa ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &data, size);
    if (*out_key == NULL) {
        tls_error_set(out_error, "the private key can't be read: it is malformed");
    }
    return true;
}

EVP_PKEY *tls_key_read(const char *pem, size_t size, tls_error *out_error)
{
    if (size > TLS_MAX_KEY_PEM_BYTES) {
        tls_error_set(out_error, "the private key is too large");
        return NULL;
    }
    EVP_PKEY *key = NULL;
    BIO *text = BIO_new_mem_buf(pem, (int)size);
    bool found = false;
    for (int i = 0; text != NULL && !found && i < MAX_PEM_BLOCKS; i++) {
        char *name = NULL;
        char *header = NULL;
        unsigned char *data = NULL;
        long data_size = 0;
        if (PEM_read_bio(text, &name, &header, &data, &data_size) != 1) {
            break;
        }
        found = decode_block(name, header, data, data_size, &key, out_error);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)data_size);
    }
    BIO_free(text);
    if (!found) {
        tls_error_set(out_error, "the private key can't be read: it is not one in PEM");
    }
    ERR_clear_error();
    return key;
}
