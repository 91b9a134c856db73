/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/pin.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/digest.h"

enum {
    HOST_MAX_BYTES = 512,
};

DEFINE_FREEP(SSL_CTX *, SSL_CTX_free);
DEFINE_FREEP(BIO *, BIO_free_all);
DEFINE_FREEP(X509 *, X509_free);

static void der_freep(unsigned char **der)
{
    OPENSSL_free(*der);
}

/* "host:port" */
static void put_peer(struct buf *dst, const char *url)
{
    const char *host = url + strlen("https://");
    const char *behind = host[0] == '[' ? strchr(host, ']') : host;

    buf_adds(dst, host);
    if (!behind || !strchr(behind, ':'))
        buf_adds(dst, ":443");
}

static int digest_key(X509 *certificate, uint8_t ret[static SHA256_BYTES])
{
    OWN(der_freep) unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    if (len <= 0)
        return ERR(-EIO);
    return TRACE(digest_sha256((struct bytes){der, (size_t)len}, ret));
}

int pin_fetch(const char *url, uint8_t ret[static SHA256_BYTES])
{
    OWN(buf_fini) struct buf peer = BUF_INIT(HOST_MAX_BYTES);
    OWN(SSL_CTX_freep) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    OWN(BIO_free_allp) BIO *connection = context ? BIO_new_ssl_connect(context) : NULL;
    OWN(X509_freep) X509 *certificate = NULL;
    SSL *ssl = NULL;

    put_peer(&peer, url);
    if (!connection || peer.failed)
        return ERR(-ENOMEM);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    (void)BIO_get_ssl(connection, &ssl);
    if (BIO_set_conn_hostname(connection, peer.ptr) != 1)
        return ERR(-ENOMEM);
    if (!ssl || BIO_do_connect(connection) != 1 || BIO_do_handshake(connection) != 1)
        return PIN_E_UNREACHABLE;
    certificate = SSL_get1_peer_certificate(ssl);
    if (!certificate)
        return PIN_E_UNREACHABLE;
    return TRACE(digest_key(certificate, ret));
}
