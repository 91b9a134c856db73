/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/digest.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/err.h"
#include "base/own.h"

struct digest {
    EVP_MD_CTX *md;     /* owned */
    const EVP_MD *kind; /* of OpenSSL, for ever */
};

DEFINE_FREEP(struct digest *, digest_free);

static int make(const EVP_MD *kind, struct digest **ret)
{
    OWN(digest_freep) struct digest *d = calloc(1, sizeof(*d));

    if (!d)
        return ERR(-ENOMEM);
    d->md = EVP_MD_CTX_new();
    if (!d->md)
        return ERR(-ENOMEM);
    d->kind = kind;
    if (EVP_DigestInit_ex(d->md, kind, NULL) != 1)
        return ERR(-EIO);
    *ret = TAKE(d);
    return 0;
}

int digest_new(struct digest **ret)
{
    return TRACE(make(EVP_sha256(), ret));
}

int digest_new_sha1(struct digest **ret)
{
    return TRACE(make(EVP_sha1(), ret));
}

void digest_free(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->md);
    free(d);
}

int digest_add(struct digest *d, struct bytes src)
{
    if (EVP_DigestUpdate(d->md, src.ptr, src.len) != 1)
        return ERR(-EIO);
    return 0;
}

int digest_end(struct digest *d, uint8_t ret[static SHA256_BYTES])
{
    if (EVP_DigestFinal_ex(d->md, ret, NULL) != 1 || EVP_DigestInit_ex(d->md, d->kind, NULL) != 1)
        return ERR(-EIO);
    return 0;
}

int digest_sha256(struct bytes src, uint8_t ret[static SHA256_BYTES])
{
    if (EVP_Digest(src.ptr, src.len, ret, NULL, EVP_sha256(), NULL) != 1)
        return ERR(-EIO);
    return 0;
}

int digest_sha1(struct bytes src, uint8_t ret[static SHA1_BYTES])
{
    if (EVP_Digest(src.ptr, src.len, ret, NULL, EVP_sha1(), NULL) != 1)
        return ERR(-EIO);
    return 0;
}
