/*
 * Which keys OpenSSL is given to decode. It decodes kinds that take it a minute (DSA and DH compute
 * the public key), curves that somebody made up, and numbers of any size; so the kind and the sizes
 * are looked at in the DER before it.
 *
 * Decoded are RSA with two primes, named curves, Ed25519 and Ed448.
 */
#ifndef ERYX_TLS_KEY_H
#define ERYX_TLS_KEY_H

#include "tls/library.h"

/* A signature with a larger private key takes the host too long; to verify one is quick. */
#define TLS_MAX_PRIVATE_RSA_BITS 4096
#define TLS_MAX_PUBLIC_RSA_BITS 8192

/* Most bytes of PEM that are looked at. */
#define TLS_MAX_KEY_PEM_BYTES ((size_t)16 << 10)

/*
 * Reads the private key in PEM: PKCS#8, or the older forms of RSA and EC. An encrypted one is
 * refused: how long it takes to decrypt is up to whoever made it.
 *
 * Returns a key that the caller frees; NULL, and out_error is set.
 */
EVP_PKEY *tls_key_read(const char *pem, size_t size, tls_error *out_error);

/* Largest certificate that is decoded: one may have thousands of names and extensions. */
#define TLS_MAX_CERTIFICATE_BYTES ((size_t)32 << 10)

/* Whether the bytes are a certificate in DER, as far as its public key, and neither it nor that is
 * too large, nor of another kind than those above. */
bool tls_key_is_quick_certificate(const uint8_t *data, size_t size);

/* Reads such a certificate. NULL if it is none or is malformed, or without memory. */
X509 *tls_key_read_certificate(const uint8_t *data, size_t size);

#endif
