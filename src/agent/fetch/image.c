/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "base/err.h"
#include "base/own.h"
#include "format/manifest/manifest.h"
#include "plat/file.h"

enum {
    FILE_MODE = 0644,
};

struct image_file {
    int fd;
    bool is_full;
};

static int write_run(void *ctx, const struct transfer_piece *piece)
{
    struct image_file *f = ctx;
    int r = fd_write_if_room(f->fd, piece->plain);

    f->is_full = r == FILE_E_FULL;
    return r < 0 ? TRACE(r) : r;
}

static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (!slash)
        return TRACE(dir_sync("."));
    if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >= (int)sizeof(folder))
        return ERR(-ENAMETOOLONG);
    return TRACE(dir_sync(folder[0] != '\0' ? folder : "/"));
}

/* Return: 0, FETCH_E_FULL, an outcome of a transfer, or -errno. */
static int write_image(struct transfer *transfer, const uint8_t *id, struct image_file *file)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    int r = transfer_get_manifest(transfer, id, &manifest);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    transfer_set_total(transfer, manifest.size_bytes);
    r = transfer_packs(transfer,
                       &(struct transfer_job){.packs = manifest.packs,
                                              .n_packs = manifest.n_packs,
                                              .runs = manifest.runs,
                                              .n_runs = manifest.n_runs,
                                              .take = write_run,
                                              .ctx = file});
    if (r == TRANSFER_E_CONSUMER)
        return FETCH_E_FULL;
    if (r == 0)
        r = fd_sync_if_room(file->fd) == FILE_E_FULL ? FETCH_E_FULL : 0;
    return r < 0 ? TRACE(r) : r;
}

int fetch_image_file(const struct transfer_options *options,
                     const uint8_t manifest[static SHA256_BYTES],
                     const char *target,
                     struct transfer_report *ret)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    char aside[PATH_MAX];
    int n = snprintf(aside, sizeof(aside), "%s.part", target);
    int r = transfer_new(options, ret, &transfer);

    if (r < 0)
        return TRACE(r);
    if (n < 0 || (size_t)n >= sizeof(aside))
        return ERR(-ENAMETOOLONG);

    OWN(fd_closep) int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    struct image_file file = {.fd = fd};

    if (fd < 0)
        return ERR(-errno);
    r = write_image(transfer, manifest, &file);
    if (r == 0 && rename(aside, target) < 0)
        r = ERR(-errno);
    if (r == 0)
        r = sync_folder(target);
    else
        (void)unlink(aside);
    return r < 0 ? TRACE(r) : r;
}
