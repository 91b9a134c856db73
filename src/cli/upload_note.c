/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/upload_note.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    NAME_MAX_BYTES = 4096,
};

static void put_folder(struct buf *dst)
{
    const char *cache = secure_getenv("XDG_CACHE_HOME");
    const char *home = secure_getenv("HOME");

    if (cache && cache[0])
        buf_addf(dst, "%s/slipway/uploads", cache);
    else if (home && home[0])
        buf_addf(dst, "%s/.cache/slipway/uploads", home);
}

void upload_note_init_key(struct upload_note *note, const char *key)
{
    OWN(buf_fini) struct buf folder = BUF_INIT(UPLOAD_NOTE_PATH_MAX / 2);
    uint8_t hash[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];

    *note = (struct upload_note){0};
    put_folder(&folder);
    if (folder.len == 0 || folder.failed)
        return;
    if (digest_sha256(bytes_of(key), hash) != 0)
        return;
    hex_put(hex, (struct bytes){hash, sizeof(hash)});
    (void)snprintf(note->path, sizeof(note->path), "%s/%s", buf_str(&folder), hex);
}

void upload_note_init(struct upload_note *note, const char *url, const struct stat *file)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);

    *note = (struct upload_note){0};
    buf_addf(&name,
             "%s\n%" PRIuMAX " %" PRIuMAX " %" PRIdMAX " %" PRIdMAX " %ld",
             url,
             (uintmax_t)file->st_dev,
             (uintmax_t)file->st_ino,
             (intmax_t)file->st_size,
             (intmax_t)file->st_mtim.tv_sec,
             file->st_mtim.tv_nsec);
    if (!name.failed)
        upload_note_init_key(note, buf_str(&name));
}

bool upload_note_load(struct upload_note *note)
{
    OWN(buf_fini) struct buf text = BUF_INIT(UPLOAD_NOTE_ID_MAX - 1);

    if (!note->path[0] || file_read(note->path, &text) != 0 || text.len == 0)
        return false;
    (void)snprintf(note->id, sizeof(note->id), "%s", buf_str(&text));
    return true;
}

void upload_note_set(struct upload_note *note, const char *id)
{
    char *slash = strrchr(note->path, '/');

    (void)snprintf(note->id, sizeof(note->id), "%s", id);
    if (!slash)
        return;
    *slash = '\0';
    if (dir_make(note->path, 0700) == 0) {
        *slash = '/';
        (void)file_write(note->path, bytes_of(note->id), 0600);
    }
    *slash = '/';
}

void upload_note_remove(const struct upload_note *note)
{
    if (note->path[0])
        (void)unlink(note->path);
}
