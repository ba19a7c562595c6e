#include "tls/trust.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>

/* Where distributions keep all roots in one file. */
static const char *const usual_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo, Alpine */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL 7 and later */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* older RHEL, Amazon Linux */
    "/var/lib/ca-certificates/ca-bundle.pem",            /* openSUSE */
    "/etc/ssl/ca-bundle.pem",                            /* older openSUSE */
    "/etc/ssl/certs/ca-bundle.crt",                      /* NixOS */
    "/etc/ssl/cert.pem",                                 /* Alpine without ca-certificates */
};

/*
 * And in a directory of files that are named after the hash of their subject. That is better, as
 * only the roots that are needed are read: all of them take 40 ms.
 */
static const char *const usual_directories[] = {"/etc/ssl/certs", "/etc/pki/tls/certs",
                                                "/etc/pki/ca-trust/extracted/pem/directory-hash"};

/* More than any system has. */
#define MAX_FILE_BYTES ((off_t)64 << 20)

/* The certificates of a file, none if it can't be read. */
static STACK_OF(X509) * read_file(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > MAX_FILE_BYTES) {
        return NULL;
    }
    BIO *file = BIO_new_file(path, "rb");
    STACK_OF(X509) *certificates = sk_X509_new_null();
    while (file != NULL && certificates != NULL) {
        /* The trust that OpenSSL's own form adds to a certificate is read as well, and counts. */
        X509 *certificate = PEM_read_bio_X509_AUX(file, NULL, NULL, (void *)(uintptr_t)"");
        if (certificate == NULL) {
            break; /* the end, or what follows is not a certificate */
        }
        if (sk_X509_push(certificates, certificate) == 0) {
            X509_free(certificate);
            break;
        }
    }
    BIO_free(file);
    if (certificates != NULL && sk_X509_num(certificates) == 0) {
        sk_X509_free(certificates);
        certificates = NULL;
    }
    return certificates;
}

/* Whether a directory has a file that is named after a hash. */
static bool is_hashed(const char *path)
{
    DIR *directory = opendir(path);
    bool found = false;
    const struct dirent *entry;
    while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
        found =
            strspn(entry->d_name, "0123456789abcdef") == 8 && strcmp(entry->d_name + 8, ".0") == 0;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return found;
}

static bool reads_none;

void tls_trust_read_none(void)
{
    reads_none = true;
}

void tls_trust_read(tls_trust *out_trust)
{
    *out_trust = (tls_trust){NULL, NULL};
    if (reads_none) {
        return;
    }
    const char *file = secure_getenv("SSL_CERT_FILE");
    const char *directory = secure_getenv("SSL_CERT_DIR");
    bool has_file = file != NULL && *file != 0;
    bool has_directory = directory != NULL && *directory != 0;
    if (has_file) {
        out_trust->certificates = read_file(file);
    }
    if (has_directory) {
        out_trust->directory = strdup(directory);
    }
    if (has_file || has_directory) {
        return;
    }
    for (size_t i = 0; i < sizeof usual_directories / sizeof usual_directories[0]; i++) {
        if (is_hashed(usual_directories[i])) {
            out_trust->directory = strdup(usual_directories[i]);
            return;
        }
    }
    for (size_t i = 0; i < sizeof usual_files / sizeof usual_files[0]; i++) {
        out_trust->certificates = read_file(usual_files[i]);
        if (out_trust->certificates != NULL) {
            return;
        }
    }
}

void tls_trust_clear(tls_trust *trust)
{
    sk_X509_pop_free(trust->certificates, X509_free);
    free(trust->directory);
    *trust = (tls_trust){NULL, NULL};
}

bool tls_trust_add_to(const tls_trust *trust, X509_STORE *store)
{
    int count = trust->certificates != NULL ? sk_X509_num(trust->certificates) : 0;
    for (int i = 0; i < count; i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(trust->certificates, i)) != 1) {
            return false;
        }
    }
    return trust->directory == NULL || X509_STORE_load_path(store, trust->directory) == 1;
}
