/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/iso_import.h"

#include "base/err.h"

int iso_import(const char *path,
               const char *spool_folder,
               const struct tree_sink *sink,
               struct buf *why)
{
    int r = iso_import_udf(path, sink, why);

    if (r != TREE_E_UNKNOWN)
        return TRACE(r);
    buf_clear(why);
    r = iso_import_9660(path, spool_folder, sink, why);
    if (r == TREE_E_UNKNOWN) {
        buf_clear(why);
        buf_adds(why, "it holds neither UDF nor ISO 9660");
    }
    return TRACE(r);
}
