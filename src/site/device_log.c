/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/cmtrace/cmtrace.h"

static const char *severity_of(enum cmtrace_type type)
{
    switch (type) {
    case CMTRACE_ERROR:
        return "error";
    case CMTRACE_WARNING:
        return "warning";
    case CMTRACE_INFORMATION:
    default:
        return "info";
    }
}

static int add_line(struct site *site,
                    const char *device_id,
                    const struct cmtrace_parsed *line,
                    struct bytes text)
{
    return TRACE(db_must(site->db,
                         SQL_DEVICE_LOG_ADD,
                         DB_ARGS(db_text(device_id),
                                 db_u64(site->now_us),
                                 db_u64(line->wall_us),
                                 db_text(line->component),
                                 db_text(severity_of(line->type)),
                                 db_bytes(text))));
}

/* What is no line of the format ends at the next line feed. */
static struct bytes take_foreign(struct bytes *src)
{
    const uint8_t *end = memchr(src->ptr, '\n', src->len);
    struct bytes line = {src->ptr, end ? (size_t)(end - src->ptr) : src->len};
    size_t skip = line.len + (end ? 1 : 0);

    src->ptr += skip;
    src->len -= skip;
    return line;
}

/* Its beginning, of whole UTF-8 characters. */
static struct bytes cut(struct bytes text)
{
    size_t len = DEVICE_LOG_LINE_MAX_BYTES;

    if (text.len <= len)
        return text;
    while (len > 0 && (text.ptr[len] & 0xc0) == 0x80)
        len--;
    return (struct bytes){text.ptr, len};
}

int device_log_add(struct site *site, const char *device_id, struct bytes text)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    while (r == 0 && text.len > 0) {
        struct cmtrace_parsed line = {.wall_us = site->now_us, .type = CMTRACE_INFORMATION};
        struct bytes message;

        if (!cmtrace_take(&text, &line, &message))
            message = take_foreign(&text);
        if (message.len > 0)
            r = add_line(site, device_id, &line, cut(message));
    }
    if (r < 0)
        return TRACE(r);
    r = db_must(
        site->db, SQL_DEVICE_LOG_TRIM, DB_ARGS(db_text(device_id), db_u64(DEVICE_LOG_LINES_MAX)));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}
