/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/smbios/smbios.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t cap)
{
    const char *end = memchr(text, 0, cap);
    size_t len = end ? (size_t)(end - text) : cap;

    if (!end || (len > 0 && (text[0] == ' ' || text[len - 1] == ' ')))
        abort();
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            abort();
    if (len > 0 && smbios_is_filler(text))
        abort();
}

/* Whatever the firmware says: printable, trimmed, never filler, and a UUID that can be read back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smbios got;
    uint8_t uuid[UUID_BYTES];

    smbios_parse((struct bytes){data, size}, (struct bytes){data, size}, &got);
    check_text(got.manufacturer, sizeof(got.manufacturer));
    check_text(got.model, sizeof(got.model));
    check_text(got.serial, sizeof(got.serial));
    check_text(got.asset_tag, sizeof(got.asset_tag));
    if (got.uuid[0] != '\0' && !uuid_parse(bytes_of(got.uuid), uuid))
        abort();
    return 0;
}
