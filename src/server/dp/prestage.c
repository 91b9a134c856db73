/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/prestage.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define PACKS     "packs/"
#define MANIFESTS "manifests/"

void prestage_name_put(enum prestage_kind kind,
                       const uint8_t sha256[static SHA256_BYTES],
                       char dst[static PRESTAGE_NAME_MAX])
{
    char text[SHA256_TEXT_MAX];

    assert(kind == PRESTAGE_PACK || kind == PRESTAGE_MANIFEST);
    hex_put(text, (struct bytes){sha256, SHA256_BYTES});
    if (kind == PRESTAGE_PACK)
        (void)snprintf(dst, PRESTAGE_NAME_MAX, PACKS "%.2s/%s", text, text);
    else
        (void)snprintf(dst, PRESTAGE_NAME_MAX, MANIFESTS "%s", text);
}

enum prestage_kind prestage_name_read(const char *name, uint8_t ret_sha256[static SHA256_BYTES])
{
    char again[PRESTAGE_NAME_MAX];
    const char *last = strrchr(name, '/');
    enum prestage_kind kind =
        strncmp(name, PACKS, sizeof(PACKS) - 1) == 0 ? PRESTAGE_PACK : PRESTAGE_MANIFEST;

    if (strcmp(name, PRESTAGE_HEAD_NAME) == 0)
        return PRESTAGE_HEAD;
    if (!last || !hex_parse(bytes_of(last + 1), SHA256_BYTES, ret_sha256))
        return PRESTAGE_OTHER;
    prestage_name_put(kind, ret_sha256, again);
    return strcmp(name, again) == 0 ? kind : PRESTAGE_OTHER;
}
