/*
 * What a certificate says, as CPython's getpeercert() shows it.
 */
#ifndef ERYX_TLS_CERTIFICATE_H
#define ERYX_TLS_CERTIFICATE_H

#include <openssl/x509.h>

#include "tls/text.h"

/*
 * Adds the JSON object that getpeercert() gives, with arrays for its tuples: subject, issuer,
 * version, serialNumber, notBefore, notAfter and, if the certificate has them, subjectAltName,
 * OCSP, caIssuers, crlDistributionPoints. A field that can't be decoded is left out.
 */
void tls_certificate_describe(X509 *certificate, tls_text *out_text);

/* The same for DER. False, and nothing is added, if it is not one certificate. */
bool tls_certificate_describe_der(const uint8_t *der, size_t size, tls_text *out_text);

/* Appends all certificates of a stack in DER: each with its size as four bytes, little-endian, in
 * front. */
void tls_certificate_append_all(const STACK_OF(X509) * certificates, tls_text *out_bytes);

#endif
