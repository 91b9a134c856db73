/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fetch/shelf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/digest.h"

/* Return: 0; SHELF_E_WRONG, and it is gone; or -errno. @room: PACK_MAX_BYTES */
static int verify_pack(struct shelf *shelf, const struct manifest_pack *pack, uint8_t *room)
{
    uint8_t is[SHA256_BYTES];
    int r;

    if (!shelf_find(shelf, pack, room))
        return SHELF_E_WRONG;
    r = digest_sha256((struct bytes){room, pack->plain_bytes}, is);
    if (r < 0)
        return TRACE(r);
    if (memcmp(is, pack->sha256, sizeof(is)) == 0)
        return 0;
    shelf_drop(shelf, pack);
    return SHELF_E_WRONG;
}

int shelf_verify(struct shelf *shelf,
                 const uint8_t id[static SHA256_BYTES],
                 const struct manifest *manifest,
                 bool (*tell)(void *ctx, uint64_t done_bytes),
                 void *ctx)
{
    OWN(freep) uint8_t *room = malloc(PACK_MAX_BYTES);
    uint64_t done_bytes = 0;
    bool is_wrong = false;

    if (!room)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < manifest->n_packs; i++) {
        int r = verify_pack(shelf, &manifest->packs[i], room);

        if (r < 0)
            return TRACE(r);
        is_wrong = is_wrong || r > 0;
        done_bytes += manifest->packs[i].plain_bytes;
        if (tell && !tell(ctx, done_bytes))
            return TRANSFER_E_CANCELLED;
    }
    if (!is_wrong)
        return 0;

    int r = shelf_unseal(shelf, id);

    return r < 0 ? TRACE(r) : SHELF_E_WRONG;
}
