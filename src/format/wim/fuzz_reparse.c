/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/reparse.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"
#include "format/wim/metadata.h"
#include "format/wim/utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target that Linux can have, without a backslash, comes back as it was. */
static void check_round_trip(struct bytes target)
{
    OWN(buf_fini) struct buf data = BUF_INIT(REPARSE_DATA_MAX);
    OWN(buf_fini) struct buf again = BUF_INIT(REPARSE_TARGET_MAX);
    bool has_drive = target.len > 2 && target.ptr[1] == ':' && target.ptr[2] == '/';

    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] == '\\')
            return;
    if (reparse_put_symlink(target, &data) != 0 || has_drive)
        return;
    if (reparse_target(METADATA_TAG_SYMLINK, buf_bytes(&data), &again) != 0)
        abort();
    if (!bytes_eq(buf_bytes(&again), target))
        abort();
}

/* What is UTF-16 is the same after it was UTF-8. */
static void check_utf16(struct bytes src)
{
    char text[3 * REPARSE_DATA_MAX + 1];
    OWN(buf_fini) struct buf again = BUF_INIT(REPARSE_DATA_MAX);

    if (src.len > REPARSE_DATA_MAX || !utf16_to_utf8(src, text, sizeof(text)))
        return;
    if (!utf16_put(&again, bytes_of(text)) || !bytes_eq(buf_bytes(&again), src))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t tags[] = {
        METADATA_TAG_SYMLINK, METADATA_TAG_JUNCTION, REPARSE_TAG_LX_SYMLINK};
    struct bytes src = {data, size};

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        OWN(buf_fini) struct buf target = BUF_INIT(REPARSE_TARGET_MAX);

        if (reparse_target(tags[i], src, &target) == 0 && target.len == 0 && size == 0)
            abort();
    }
    check_utf16(src);
    check_round_trip(src);
    return 0;
}
