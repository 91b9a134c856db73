/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Packs that are written to a folder as they arrive: hashed and written while they are in the processor's cache
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/transfer/engine.h"

enum {
    NAME_MAX_BYTES = 32,
    FILE_MODE = 0600,
};

static void
put_name(const struct engine *e, const struct lane *lane, char ret[static NAME_MAX_BYTES])
{
    (void)snprintf(ret, NAME_MAX_BYTES, ".part-%u", (unsigned)(lane - e->lanes));
}

int keep_begin(const struct engine *e, struct lane *lane)
{
    char name[NAME_MAX_BYTES];
    int r = lane->sum ? 0 : checksum_new(&lane->sum);

    if (r < 0)
        return TRACE(r);
    checksum_begin(lane->sum);
    lane->error = 0;
    fd_closep(&lane->fd); /* what was broken off */
    put_name(e, lane, name);
    lane->fd = openat(
        e->keeping->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    return lane->fd < 0 ? ERR(-errno) : 0;
}

int keep_add(struct lane *lane, struct bytes piece)
{
    checksum_add(lane->sum, piece);
    return TRACE(fd_write_all(lane->fd, piece));
}

int keep_end(const struct engine *e, struct lane *lane, const struct manifest_pack *pack)
{
    uint8_t is[CHECKSUM_BYTES];
    char part[NAME_MAX_BYTES];
    char name[SHA256_TEXT_MAX];

    checksum_end(lane->sum, is);
    if (memcmp(is, pack->check, sizeof(is)) != 0)
        return 1;
    fd_closep(&lane->fd);
    put_name(e, lane, part);
    hex_put(name, (struct bytes){pack->sha256, SHA256_BYTES});
    if (renameat(e->keeping->folder, part, e->keeping->folder, name) < 0)
        return ERR(-errno);
    return 0;
}

void keep_fini(const struct engine *e, struct lane *lane)
{
    char part[NAME_MAX_BYTES];

    checksum_free(lane->sum);
    if (lane->fd < 0)
        return;
    fd_closep(&lane->fd);
    put_name(e, lane, part);
    (void)unlinkat(e->keeping->folder, part, 0);
}
