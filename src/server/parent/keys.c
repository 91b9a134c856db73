/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/random.h"

enum {
    PEM_MAX_BYTES = 16 * 1024,
    NAMES_MAX_BYTES = 4 * 1024,
    SERIAL_BYTES = 16,
    COMMON_NAME_MAX = 64,             /* RFC 5280, ub-common-name */
    VALID_FROM_S = -2 * 24 * 60 * 60, /* clocks of devices are wrong; nobody checks but browsers */
    VALID_DAYS = 20 * 365,
};

/* Outcome of check_certificate() beside those of keys.h: it is one of an older version */
#define CERTIFICATE_IS_OLD 2

DEFINE_FREEP(BIO *, BIO_free_all);
DEFINE_FREEP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_FREEP(X509 *, X509_free);
DEFINE_FREEP(X509_EXTENSION *, X509_EXTENSION_free);

static bool put_path(char dst[static PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX;
}

static int pin_of(EVP_PKEY *key, uint8_t ret[static SHA256_BYTES])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    int r;

    if (len <= 0)
        return ERR(-EIO);
    r = digest_sha256((struct bytes){der, (size_t)len}, ret);
    OPENSSL_free(der);
    return TRACE(r);
}

/* "IP:10.77.0.1,DNS:deploy.example", as X509V3_EXT_conf_nid() wants it. */
static void put_names(const char *addresses, struct buf *dst)
{
    buf_adds(dst, "DNS:" KEYS_SITE_NAME);
    for (const char *at = addresses; *at != '\0';) {
        char name[256];
        size_t len = strcspn(at, " ");
        struct in_addr ignored;

        if (len < sizeof(name)) {
            memcpy(name, at, len);
            name[len] = '\0';
            buf_addf(dst, ",%s:%s", inet_pton(AF_INET, name, &ignored) == 1 ? "IP" : "DNS", name);
        }
        at += len;
        at += strspn(at, " ");
    }
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;
    OWN(X509_EXTENSION_freep) X509_EXTENSION *extension = NULL;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    return extension && X509_add_ext(cert, extension, -1) == 1;
}

static bool set_serial(X509 *cert)
{
    uint8_t serial[SERIAL_BYTES];
    BIGNUM *number;
    bool is_set;

    random_bytes(serial, sizeof(serial));
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and never shorter */
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return is_set;
}

static bool set_subject(X509 *cert, const char *site_name)
{
    X509_NAME *name = X509_get_subject_name(cert);
    char common[COMMON_NAME_MAX + 1];
    int n = snprintf(common, sizeof(common), "Slipway site %s", site_name);

    if (n < 0)
        return false;
    return X509_NAME_add_entry_by_txt(
               name, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, name) == 1;
}

static int make_certificate(EVP_PKEY *key, const struct keys_options *options, X509 **ret)
{
    OWN(X509_freep) X509 *cert = X509_new();
    OWN(buf_fini) struct buf names = BUF_INIT(NAMES_MAX_BYTES);

    put_names(options->addresses, &names);
    if (!cert || names.failed || names.len == 0)
        return ERR(-ENOMEM);
    if (X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
        !X509_gmtime_adj(X509_getm_notBefore(cert), VALID_FROM_S) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), VALID_DAYS, 0, NULL) ||
        X509_set_pubkey(cert, key) != 1 || !set_subject(cert, options->site_name))
        return ERR(-EIO);
    if (!add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(cert, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(cert, NID_ext_key_usage, "serverAuth") ||
        !add_extension(cert, NID_subject_alt_name, buf_str(&names)))
        return ERR(-EIO);
    if (X509_sign(cert, key, EVP_sha256()) == 0)
        return ERR(-EIO);
    *ret = TAKE(cert);
    return 0;
}

static int write_pem(BIO *pem, const char *path, unsigned mode)
{
    char *text = NULL;
    long len = BIO_get_mem_data(pem, &text);

    if (len <= 0)
        return ERR(-EIO);
    return TRACE(file_write(path, (struct bytes){(const uint8_t *)text, (size_t)len}, mode));
}

static int make_key(const char *path, EVP_PKEY **ret)
{
    OWN(EVP_PKEY_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    OWN(BIO_free_allp) BIO *pem = BIO_new(BIO_s_secmem());
    int r;

    if (!key || !pem)
        return ERR(-ENOMEM);
    if (PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1)
        return ERR(-EIO);
    r = write_pem(pem, path, 0400);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(key);
    return 0;
}

static int open_pem(const char *path, BIO **ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PEM_MAX_BYTES);
    OWN(BIO_free_allp) BIO *pem = NULL;
    int r = file_read(path, &text);

    if (r < 0)
        return TRACE(r);
    if (r == FILE_E_TOO_LARGE)
        return KEYS_E_DAMAGED;
    pem = BIO_new(BIO_s_mem());
    if (!pem || BIO_write(pem, buf_str(&text), (int)text.len) != (int)text.len)
        return ERR(-ENOMEM);
    explicit_bzero(text.ptr, text.len);
    *ret = TAKE(pem);
    return 0;
}

static int load_key(const char *path, EVP_PKEY **ret)
{
    OWN(BIO_free_allp) BIO *pem = NULL;
    int r = open_pem(path, &pem);

    if (r != 0)
        return TRACE(r);
    *ret = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
    return *ret ? 0 : KEYS_E_DAMAGED;
}

/* Whether the certificate at @path is one of @key. */
static int check_certificate(const char *path, EVP_PKEY *key)
{
    OWN(BIO_free_allp) BIO *pem = NULL;
    OWN(X509_freep) X509 *cert = NULL;
    int r = open_pem(path, &pem);

    if (r != 0)
        return TRACE(r);
    cert = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    if (!cert || X509_check_private_key(cert, key) != 1)
        return KEYS_E_DAMAGED;
    return X509_check_host(cert, KEYS_SITE_NAME, 0, 0, NULL) == 1 ? 0 : CERTIFICATE_IS_OLD;
}

int keys_pin_of_certificate(struct bytes pem, uint8_t ret_pin[static SHA256_BYTES])
{
    OWN(BIO_free_allp) BIO *bio = NULL;
    OWN(X509_freep) X509 *cert = NULL;

    if (pem.len > PEM_MAX_BYTES)
        return KEYS_E_DAMAGED;
    bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    if (!bio)
        return ERR(-ENOMEM);
    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!cert || !X509_get0_pubkey(cert))
        return KEYS_E_DAMAGED;
    return TRACE(pin_of(X509_get0_pubkey(cert), ret_pin));
}

static int write_certificate(const struct keys_options *options, const char *path, EVP_PKEY *key)
{
    OWN(X509_freep) X509 *cert = NULL;
    OWN(BIO_free_allp) BIO *pem = BIO_new(BIO_s_mem());
    int r = make_certificate(key, options, &cert);

    if (r < 0)
        return TRACE(r);
    if (!pem || PEM_write_bio_X509(pem, cert) != 1)
        return ERR(-ENOMEM);
    return TRACE(write_pem(pem, path, 0444));
}

static int write_pin(const char *folder, const uint8_t pin[static SHA256_BYTES])
{
    char path[PATH_MAX];
    char text[SHA256_TEXT_MAX + 1];

    if (!put_path(path, folder, "pin"))
        return ERR(-ENAMETOOLONG);
    hex_put(text, (struct bytes){pin, SHA256_BYTES});
    text[SHA256_TEXT_MAX - 1] = '\n';
    text[SHA256_TEXT_MAX] = '\0';
    return TRACE(file_write(path, bytes_of(text), 0444));
}

static int ensure_key(const struct keys_options *options, EVP_PKEY **ret)
{
    char path[PATH_MAX];
    int r;

    if (!put_path(path, options->folder, "site.key"))
        return ERR(-ENAMETOOLONG);
    r = file_exists(path) ? load_key(path, ret) : make_key(path, ret);
    if (r != 0)
        return TRACE(r);
    if (lchown(path, options->owner_uid, options->owner_gid) != 0)
        return ERR(-errno);
    return 0;
}

int keys_ensure(const struct keys_options *options, uint8_t ret_pin[static SHA256_BYTES])
{
    OWN(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    char path[PATH_MAX];
    int r = ensure_key(options, &key);

    if (r != 0)
        return TRACE(r);
    if (!put_path(path, options->folder, "site.crt"))
        return ERR(-ENAMETOOLONG);
    r = file_exists(path) ? check_certificate(path, key) : CERTIFICATE_IS_OLD;
    if (r == CERTIFICATE_IS_OLD) /* the pin is of the key, so nobody minds a new one */
        r = write_certificate(options, path, key);
    if (r != 0)
        return TRACE(r);
    r = pin_of(key, ret_pin);
    if (r < 0)
        return TRACE(r);
    return TRACE(write_pin(options->folder, ret_pin));
}
