/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sse.h"

#include <stdio.h>
#include <string.h>

enum {
    RETRY_MAX_MS = 60 * 1000,
};

void sse_init(struct sse *sse)
{
    *sse = (struct sse){.line = BUF_INIT(SSE_LINE_MAX), .data = BUF_INIT(SSE_DATA_MAX)};
}

void sse_fini(struct sse *sse)
{
    buf_fini(&sse->line);
    buf_fini(&sse->data);
}

static void forget_event(struct sse *sse)
{
    buf_clear(&sse->data);
    sse->has_data = false;
    sse->name[0] = '\0';
}

void sse_restart(struct sse *sse)
{
    buf_clear(&sse->line);
    sse->is_after_cr = false;
    forget_event(sse);
}

/* One that is too long, or has a NUL in it, is none. */
static void keep(char *dst, size_t max, struct bytes value)
{
    if (value.len >= max || memchr(value.ptr, '\0', value.len))
        return;
    memcpy(dst, value.ptr, value.len);
    dst[value.len] = '\0';
}

static void take_field(struct sse *sse, struct bytes name, struct bytes value)
{
    if (bytes_eq(name, bytes_of("data"))) {
        if (sse->has_data)
            buf_adds(&sse->data, "\n");
        buf_add(&sse->data, value);
        sse->has_data = true;
    } else if (bytes_eq(name, bytes_of("id"))) {
        keep(sse->id, sizeof(sse->id), value);
    } else if (bytes_eq(name, bytes_of("event"))) {
        keep(sse->name, sizeof(sse->name), value);
    } else if (bytes_eq(name, bytes_of("retry"))) {
        (void)bytes_parse_u64(value, 0, RETRY_MAX_MS, &sse->retry_ms);
    }
}

static void take_line(struct sse *sse, struct bytes line)
{
    const uint8_t *colon = memchr(line.ptr, ':', line.len);
    struct bytes name = {line.ptr, colon ? (size_t)(colon - line.ptr) : line.len};
    struct bytes value = {line.ptr + line.len, 0};

    if (colon)
        value = (struct bytes){colon + 1, line.len - name.len - 1};
    if (value.len > 0 && value.ptr[0] == ' ')
        value = (struct bytes){value.ptr + 1, value.len - 1};
    if (name.len > 0)
        take_field(sse, name, value);
}

/* A line has ended. Return: false: enough. */
static bool
end_line(struct sse *sse, bool (*take)(void *ctx, const struct sse_event *event), void *ctx)
{
    bool is_wanted = true;

    if (sse->line.failed) {
        buf_clear(&sse->line);
        return true;
    }
    if (sse->line.len > 0) {
        take_line(sse, buf_bytes(&sse->line));
        buf_clear(&sse->line);
        return true;
    }
    if (sse->has_data && !sse->data.failed) {
        struct sse_event event = {
            .id = sse->id,
            .name = sse->name[0] ? sse->name : "message",
            .data = buf_str(&sse->data),
        };

        is_wanted = take(ctx, &event);
    }
    forget_event(sse);
    return is_wanted;
}

bool sse_feed(struct sse *sse,
              struct bytes piece,
              bool (*take)(void *ctx, const struct sse_event *event),
              void *ctx)
{
    while (piece.len > 0) {
        size_t n = 0;
        bool is_second = sse->is_after_cr && piece.ptr[0] == '\n';

        sse->is_after_cr = false;
        if (is_second) { /* of a CR LF */
            piece = (struct bytes){piece.ptr + 1, piece.len - 1};
            continue;
        }
        while (n < piece.len && piece.ptr[n] != '\n' && piece.ptr[n] != '\r')
            n++;
        buf_add(&sse->line, (struct bytes){piece.ptr, n});
        if (n == piece.len)
            return true;
        sse->is_after_cr = piece.ptr[n] == '\r';
        piece = (struct bytes){piece.ptr + n + 1, piece.len - n - 1};
        if (!end_line(sse, take, ctx))
            return false;
    }
    return true;
}
