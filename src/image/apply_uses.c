/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_uses.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

struct apply_uses_blob {
    const uint8_t *sha1; /* borrows from the metadata */
    size_t first_use;
    size_t n_uses;
    bool is_found;
};

/* What is compared: qsort_r() takes nothing that is const. */
struct order {
    const struct metadata *image;
};

void apply_uses_fini(struct apply_uses *uses)
{
    free(uses->uses);
    free(uses->blobs);
    *uses = (struct apply_uses){0};
}

static int compare_uses(const void *a, const void *b, void *ctx)
{
    const struct apply_use *left = a;
    const struct apply_use *right = b;
    const struct metadata_stream *streams = ((const struct order *)ctx)->image->streams;
    int order = memcmp(streams[left->stream].sha1, streams[right->stream].sha1, SHA1_BYTES);

    if (order != 0)
        return order;
    return left->stream < right->stream ? -1 : left->stream > right->stream;
}

/* Every stream belongs to one inode, in the order of the inodes. */
static void collect(const struct metadata *image, struct apply_uses *uses)
{
    for (size_t i = 0; i < image->n_inodes; i++) {
        const struct metadata_inode *inode = &image->inodes[i];

        for (uint32_t k = 0; k < inode->n_streams; k++) {
            uint32_t stream = inode->first_stream + k;

            if (metadata_has_blob(&image->streams[stream]))
                uses->uses[uses->n_uses++] =
                    (struct apply_use){.inode = (uint32_t)i, .stream = stream};
        }
    }
}

static void group(struct apply_uses *uses)
{
    struct apply_uses_blob *blob = NULL;

    for (size_t i = 0; i < uses->n_uses; i++) {
        const uint8_t *sha1 = uses->image->streams[uses->uses[i].stream].sha1;

        if (!blob || memcmp(blob->sha1, sha1, SHA1_BYTES) != 0) {
            blob = &uses->blobs[uses->n_blobs++];
            *blob = (struct apply_uses_blob){.sha1 = sha1, .first_use = i};
        }
        blob->n_uses++;
    }
}

int apply_uses_init(const struct metadata *image, struct apply_uses *ret)
{
    OWN(apply_uses_fini) struct apply_uses uses = {.image = image};
    struct order order = {image};
    size_t n = image->n_streams > 0 ? image->n_streams : 1;

    uses.uses = calloc(n, sizeof(*uses.uses));
    uses.blobs = calloc(n, sizeof(*uses.blobs));
    if (!uses.uses || !uses.blobs)
        return ERR(-ENOMEM);
    collect(image, &uses);

    qsort_r(uses.uses, uses.n_uses, sizeof(*uses.uses), compare_uses, &order);
    group(&uses);
    *ret = uses;
    uses = (struct apply_uses){0};
    return 0;
}

static int compare_sha1(const void *key, const void *member)
{
    return memcmp(key, ((const struct apply_uses_blob *)member)->sha1, SHA1_BYTES);
}

int apply_uses_find(struct apply_uses *uses,
                    const uint8_t sha1[static SHA1_BYTES],
                    struct apply_blob *ret)
{
    struct apply_uses_blob *blob =
        bsearch(sha1, uses->blobs, uses->n_blobs, sizeof(*blob), compare_sha1);

    if (!blob)
        return APPLY_USES_E_UNUSED;
    if (blob->is_found)
        return APPLY_USES_E_TWICE;
    blob->is_found = true;
    uses->n_found++;
    ret->sha1 = blob->sha1;
    ret->uses = uses->uses + blob->first_use;
    ret->n_uses = blob->n_uses;
    return 0;
}

const struct apply_use *apply_uses_missing(const struct apply_uses *uses)
{
    for (size_t i = 0; i < uses->n_blobs && uses->n_found < uses->n_blobs; i++)
        if (!uses->blobs[i].is_found)
            return &uses->uses[uses->blobs[i].first_use];
    return NULL;
}
