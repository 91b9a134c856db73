/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/wim_put.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/utf16.h"

enum {
    VERSION = 0x10d00,
    GUID_BYTES = 16,
    FLAGS_SHIFT = 56,
    XML_MAX_BYTES = 16 * 1024, /* as UTF-8 */
};

#define MAGIC_WIM      UINT64_C(0x4d57504c57)
#define MAGIC_RESOURCE UINT64_C(0x2b9b9ba2443db9d8)

/* Another one each time would only make chunks new ones. */
static const char guid[GUID_BYTES] = "Slipway\0OS image";

static void put_place(struct sink *dst, const struct wim_place *place, unsigned flags)
{
    sink_u64le(dst, place->size_bytes | (uint64_t)flags << FLAGS_SHIFT);
    sink_u64le(dst, place->offset);
    sink_u64le(dst, place->size_bytes);
}

void wim_put_header(struct sink *dst, const struct wim_place *table, const struct wim_place *xml)
{
    size_t begin = dst->len;

    sink_u64le(dst, MAGIC_WIM);
    sink_u32le(dst, WIM_HEADER_BYTES);
    sink_u32le(dst, VERSION);
    sink_u32le(dst, 0); /* flags: no compression */
    sink_u32le(dst, 0); /* bytes of a compressed piece */
    sink_bytes(dst, (struct bytes){(const uint8_t *)guid, GUID_BYTES});
    sink_u16le(dst, 1); /* this part */
    sink_u16le(dst, 1); /* of so many */
    sink_u32le(dst, 1); /* images */
    if (table && xml) {
        put_place(dst, table, WIM_RESOURCE_METADATA);
        put_place(dst, xml, WIM_RESOURCE_METADATA);
    }
    if (!dst->full)
        sink_zero(dst, begin + WIM_HEADER_BYTES - dst->len);
}

void wim_put_resource_header(struct sink *dst,
                             uint64_t size_bytes,
                             const uint8_t sha1[static SHA1_BYTES],
                             unsigned flags)
{
    sink_u64le(dst, MAGIC_RESOURCE);
    sink_u64le(dst, size_bytes);
    sink_bytes(dst, (struct bytes){sha1, SHA1_BYTES});
    sink_u32le(dst, flags);
}

void wim_put_table_row(struct sink *dst,
                       const struct wim_place *place,
                       const uint8_t sha1[static SHA1_BYTES],
                       unsigned flags,
                       uint32_t n_refs)
{
    put_place(dst, place, flags);
    sink_u16le(dst, 1); /* part */
    sink_u32le(dst, n_refs);
    sink_bytes(dst, (struct bytes){sha1, SHA1_BYTES});
}

static int add_escaped(struct buf *xml, const char *text)
{
    if (strlen(text) > WIM_NAME_MAX_BYTES)
        return WIM_PUT_E_NAME;
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            return WIM_PUT_E_NAME;
        if (*text == '&' || *text == '<' || *text == '>')
            buf_addf(xml, "&#%d;", *text);
        else
            buf_add(xml, (struct bytes){(const uint8_t *)text, 1});
    }
    return 0;
}

static void add_time(struct buf *xml, const char *name, uint64_t time)
{
    buf_addf(xml,
             "<%s><HIGHPART>0x%08" PRIX32 "</HIGHPART><LOWPART>0x%08" PRIX32 "</LOWPART></%s>",
             name,
             (uint32_t)(time >> 32),
             (uint32_t)time,
             name);
}

int wim_put_xml(const struct wim_info *info, struct buf *ret)
{
    static const uint8_t mark[] = {0xff, 0xfe}; /* of the byte order */
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX_BYTES);

    buf_adds(&xml, "<WIM><IMAGE INDEX=\"1\"><NAME>");
    if (add_escaped(&xml, info->name) != 0)
        return WIM_PUT_E_NAME;
    buf_addf(&xml,
             "</NAME><DIRCOUNT>%" PRIu64 "</DIRCOUNT><FILECOUNT>%" PRIu64
             "</FILECOUNT><TOTALBYTES>%" PRIu64 "</TOTALBYTES><HARDLINKBYTES>%" PRIu64
             "</HARDLINKBYTES>",
             info->n_folders,
             info->n_files,
             info->total_bytes,
             info->hard_link_bytes);
    add_time(&xml, "CREATIONTIME", info->created);
    add_time(&xml, "LASTMODIFICATIONTIME", info->created);
    buf_adds(&xml, "</IMAGE>");
    if (info->wim_bytes > 0)
        buf_addf(&xml, "<TOTALBYTES>%" PRIu64 "</TOTALBYTES>", info->wim_bytes);
    buf_adds(&xml, "</WIM>\n");
    if (xml.failed)
        return ERR(-ENOMEM);
    buf_add(ret, (struct bytes){mark, sizeof(mark)});
    if (!utf16_put(ret, buf_bytes(&xml)) && !ret->failed)
        return WIM_PUT_E_NAME;
    return ret->failed ? ERR(-ENOMEM) : 0;
}
