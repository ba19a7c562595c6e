#include "tls/certificate.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/key.h"

/* What the bytes of a memory BIO are, as a string; frees it. NULL is allowed. */
static void add_printed(BIO *printed, tls_text *out)
{
    char *bytes = NULL;
    long size = printed != NULL ? BIO_get_mem_data(printed, &bytes) : 0;
    tls_text_string(out, size > 0 ? bytes : "", size > 0 ? (size_t)size : 0);
    BIO_free(printed);
}

static void add_asn1_string(const ASN1_STRING *value, tls_text *out)
{
    unsigned char *utf8 = NULL;
    int size = ASN1_STRING_to_UTF8(&utf8, value);
    if (size >= 0) {
        tls_text_string(out, (const char *)utf8, (size_t)size);
        OPENSSL_free(utf8);
    } else {
        tls_text_put(out, "\"\"");
    }
}

/* Bytes of a type that stands for ASCII. */
static void add_ia5_string(const ASN1_STRING *value, tls_text *out)
{
    int size = ASN1_STRING_length(value);
    tls_text_string(out, (const char *)ASN1_STRING_get0_data(value), size > 0 ? (size_t)size : 0);
}

static void add_object_name(const ASN1_OBJECT *object, bool as_number, tls_text *out)
{
    char name[128];
    int size = OBJ_obj2txt(name, sizeof name, object, as_number);
    if (size < 0) {
        size = 0;
    }
    tls_text_string(out, name, (size_t)size < sizeof name ? (size_t)size : sizeof name - 1);
}

/* [[[name, value], ...], ...]: the parts of a distinguished name, those that belong together
 * together. */
static void add_name(const X509_NAME *name, tls_text *out)
{
    int count = X509_NAME_entry_count(name);
    int group = -1;
    tls_text_put(out, "[");
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        bool is_new = i == 0 || X509_NAME_ENTRY_set(entry) != group;
        group = X509_NAME_ENTRY_set(entry);
        tls_text_put(out, i == 0 ? "[" : is_new ? "],[" : ",");
        tls_text_put(out, "[");
        add_object_name(X509_NAME_ENTRY_get_object(entry), false, out);
        tls_text_put(out, ",");
        add_asn1_string(X509_NAME_ENTRY_get_data(entry), out);
        tls_text_put(out, "]");
    }
    tls_text_put(out, count > 0 ? "]]" : "]");
}

static void add_time(const ASN1_TIME *time, tls_text *out)
{
    BIO *printed = BIO_new(BIO_s_mem());
    if (printed != NULL) {
        ASN1_TIME_print(printed, time);
    }
    add_printed(printed, out);
}

static void add_serial_number(X509 *certificate, tls_text *out)
{
    BIO *printed = BIO_new(BIO_s_mem());
    if (printed != NULL) {
        i2a_ASN1_INTEGER(printed, X509_get0_serialNumber(certificate));
    }
    add_printed(printed, out);
}

static void add_address(const ASN1_OCTET_STRING *address, tls_text *out)
{
    char text[64] = "<invalid>";
    const unsigned char *b = ASN1_STRING_get0_data(address);
    int size = ASN1_STRING_length(address);
    if (size == 4) {
        snprintf(text, sizeof text, "%d.%d.%d.%d", b[0], b[1], b[2], b[3]);
    } else if (size == 16) {
        size_t end = 0;
        for (int i = 0; i < 16; i += 2) {
            end += (size_t)snprintf(text + end, sizeof text - end, i > 0 ? ":%X" : "%X",
                                    (unsigned)b[i] << 8 | b[i + 1]);
        }
    }
    tls_text_string(out, text, strlen(text));
}

/* Names of rare kinds, as OpenSSL prints them: "kind:text". */
static void add_other_name(GENERAL_NAME *name, tls_text *out)
{
    BIO *printed = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long size = 0;
    if (printed != NULL && GENERAL_NAME_print(printed, name) == 1) {
        size = BIO_get_mem_data(printed, &bytes);
    }
    const char *colon = size > 0 ? memchr(bytes, ':', (size_t)size) : NULL;
    if (colon != NULL) {
        size_t kind = (size_t)(colon - bytes);
        tls_text_string(out, bytes, kind);
        tls_text_put(out, ",");
        tls_text_string(out, colon + 1, (size_t)size - kind - 1);
    } else {
        tls_text_put(out, "\"othername\",\"\"");
    }
    BIO_free(printed);
}

/* ["DNS","example.com"] */
static void add_general_name(GENERAL_NAME *name, tls_text *out)
{
    tls_text_put(out, "[");
    switch (name->type) {
    case GEN_DIRNAME:
        tls_text_put(out, "\"DirName\",");
        add_name(name->d.directoryName, out);
        break;
    case GEN_EMAIL:
        tls_text_put(out, "\"email\",");
        add_ia5_string(name->d.rfc822Name, out);
        break;
    case GEN_DNS:
        tls_text_put(out, "\"DNS\",");
        add_ia5_string(name->d.dNSName, out);
        break;
    case GEN_URI:
        tls_text_put(out, "\"URI\",");
        add_ia5_string(name->d.uniformResourceIdentifier, out);
        break;
    case GEN_RID:
        tls_text_put(out, "\"Registered ID\",");
        add_object_name(name->d.registeredID, true, out);
        break;
    case GEN_IPADD:
        tls_text_put(out, "\"IP Address\",");
        add_address(name->d.iPAddress, out);
        break;
    default:
        add_other_name(name, out);
        break;
    }
    tls_text_put(out, "]");
}

static void add_alternative_names(X509 *certificate, tls_text *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    for (int i = 0; i < count; i++) {
        tls_text_put(out, i == 0 ? ",\"subjectAltName\":[" : ",");
        add_general_name(sk_GENERAL_NAME_value(names, i), out);
    }
    tls_text_put(out, count > 0 ? "]" : "");
    GENERAL_NAMES_free(names);
}

/* URIs of one method of the authority information access. */
static void add_access(X509 *certificate, int method, const char *field, tls_text *out)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    int count = access != NULL ? sk_ACCESS_DESCRIPTION_num(access) : 0;
    bool any = false;
    for (int i = 0; i < count; i++) {
        const ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(entry->method) == method && entry->location->type == GEN_URI) {
            tls_text_put(out, any ? "," : field);
            add_ia5_string(entry->location->d.uniformResourceIdentifier, out);
            any = true;
        }
    }
    tls_text_put(out, any ? "]" : "");
    AUTHORITY_INFO_ACCESS_free(access);
}

static void add_revocation_lists(X509 *certificate, tls_text *out)
{
    CRL_DIST_POINTS *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    int count = points != NULL ? sk_DIST_POINT_num(points) : 0;
    bool any = false;
    for (int i = 0; i < count; i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);
        if (point->distpoint == NULL || point->distpoint->type != 0) {
            continue; /* no point, or a name that is relative to the issuer's */
        }
        const GENERAL_NAMES *names = point->distpoint->name.fullname;
        for (int j = 0; j < sk_GENERAL_NAME_num(names); j++) {
            const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);
            if (name->type == GEN_URI) {
                tls_text_put(out, any ? "," : ",\"crlDistributionPoints\":[");
                add_ia5_string(name->d.uniformResourceIdentifier, out);
                any = true;
            }
        }
    }
    tls_text_put(out, any ? "]" : "");
    CRL_DIST_POINTS_free(points);
}

void tls_certificate_describe(X509 *certificate, tls_text *out_text)
{
    tls_text_put(out_text, "{\"subject\":");
    add_name(X509_get_subject_name(certificate), out_text);
    tls_text_put(out_text, ",\"issuer\":");
    add_name(X509_get_issuer_name(certificate), out_text);
    tls_text_put(out_text, ",\"version\":");
    tls_text_number(out_text, X509_get_version(certificate) + 1);
    tls_text_put(out_text, ",\"serialNumber\":");
    add_serial_number(certificate, out_text);
    tls_text_put(out_text, ",\"notBefore\":");
    add_time(X509_get0_notBefore(certificate), out_text);
    tls_text_put(out_text, ",\"notAfter\":");
    add_time(X509_get0_notAfter(certificate), out_text);
    add_alternative_names(certificate, out_text);
    add_access(certificate, NID_ad_OCSP, ",\"OCSP\":[", out_text);
    add_access(certificate, NID_ad_ca_issuers, ",\"caIssuers\":[", out_text);
    add_revocation_lists(certificate, out_text);
    tls_text_put(out_text, "}");
    ERR_clear_error();
}

bool tls_certificate_describe_der(const uint8_t *der, size_t size, tls_text *out_text)
{
    X509 *certificate = tls_key_read_certificate(der, size);
    bool good = certificate != NULL;
    if (good) {
        tls_certificate_describe(certificate, out_text);
    }
    X509_free(certificate);
    ERR_clear_error();
    return good;
}

static void append(X509 *certificate, tls_text *out_bytes)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    if (size < 0) {
        out_bytes->failed = true;
        return;
    }
    const char prefix[4] = {(char)size, (char)(size >> 8), (char)(size >> 16), (char)(size >> 24)};
    tls_text_add(out_bytes, prefix, sizeof prefix);
    tls_text_add(out_bytes, (const char *)der, (size_t)size);
    OPENSSL_free(der);
}

void tls_certificate_append_all(const STACK_OF(X509) * certificates, tls_text *out_bytes)
{
    int count = certificates != NULL ? sk_X509_num(certificates) : 0;
    for (int i = 0; i < count; i++) {
        append(sk_X509_value(certificates, i), out_bytes);
    }
}
