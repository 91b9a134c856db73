/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/program_output.h"

#include <string.h>

#include "agent/steps/program.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/vars.h"

enum {
    LINE_MAX_BYTES = 1024,                              /* longer ones are cut into several */
    HELD_MAX_BYTES = TS_VAR_VALUE_MAX + LINE_MAX_BYTES, /* more than a secret that has only begun */
    MASKED_MAX_BYTES = 3 * HELD_MAX_BYTES,              /* each byte may have been a secret */
    LINE_OVERHEAD_BYTES = 160, /* what a line of the log is beside its text, about */
    /* twice what is told, so that a secret at its beginning is whole when it is masked */
    TAIL_MIN_BYTES = 2 * PROGRAM_OUTPUT_TOLD_MAX,
    TAIL_MAX_BYTES = 16 * TAIL_MIN_BYTES,
};

void program_output_begin(struct program_output *out, struct step_context *c, bool is_silent)
{
    *out = (struct program_output){
        .c = c,
        .is_silent = is_silent,
        .line = BUF_INIT(HELD_MAX_BYTES),
        .tail = BUF_INIT(TAIL_MAX_BYTES),
    };
}

/* Text as it is, the rest as '?'. */
static void add_text(struct buf *dst, struct bytes src)
{
    while (src.len > 0) {
        size_t n = utf8_len(src);
        bool is_text = n > 1 || (n == 1 && (src.ptr[0] >= ' ' || strchr("\t\n", src.ptr[0])) &&
                                 src.ptr[0] != '\0' && src.ptr[0] != 0x7f);

        if (is_text)
            buf_add(dst, (struct bytes){src.ptr, n});
        else if (src.ptr[0] != '\r')
            buf_adds(dst, "?");
        n = n > 0 ? n : 1;
        src.ptr += n;
        src.len -= n;
    }
}

static void log_piece(struct program_output *out, const char *text, size_t len)
{
    if (len == 0 || out->is_silent || out->is_full)
        return;
    out->n_logged += len + LINE_OVERHEAD_BYTES;
    out->is_full = out->n_logged > PROGRAM_OUTPUT_LOG_MAX;
    if (out->is_full)
        out->c->log(out->c->ctx, "The rest of the output is not logged: there is too much of it");
    else
        out->c->log(out->c->ctx, "%.*s", (int)len, text);
}

/* Text without secrets, which may be cut. */
static void log_text(struct program_output *out, const struct buf *text)
{
    size_t at = 0;

    while (at < text->len) {
        size_t n = text->len - at;

        if (n > LINE_MAX_BYTES) {
            n = LINE_MAX_BYTES;
            while (((uint8_t)text->ptr[at + n] & 0xc0) == 0x80) /* not within a character */
                n--;
        }
        log_piece(out, text->ptr + at, n);
        at += n;
    }
}

static void log_line(struct program_output *out)
{
    OWN(buf_fini) struct buf text = BUF_INIT(HELD_MAX_BYTES);
    OWN(buf_fini) struct buf masked = BUF_INIT(MASKED_MAX_BYTES);

    add_text(&text, buf_bytes(&out->line));
    buf_clear(&out->line);
    ts_vars_mask(out->c->vars, buf_str(&text), &masked);
    log_text(out, &masked);
}

/* The last bytes that make no whole character yet wait for the next line. */
static size_t whole_characters(const struct buf *line)
{
    size_t n = line->len;

    for (size_t back = 1; back <= 3 && back <= n; back++) {
        uint8_t c = (uint8_t)line->ptr[n - back];

        if (c < 0x80)
            return n;
        if (c >= 0xc0)
            return n - back > 0 ? n - back : n;
    }
    return n;
}

/* What may be the beginning of a secret waits for the next piece. */
static void cut_long_line(struct program_output *out)
{
    OWN(buf_fini) struct buf rest = BUF_INIT(HELD_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(HELD_MAX_BYTES);
    OWN(buf_fini) struct buf masked = BUF_INIT(MASKED_MAX_BYTES);
    size_t n = whole_characters(&out->line);
    size_t n_done;

    add_text(&text, (struct bytes){(const uint8_t *)out->line.ptr, n});
    n_done = ts_vars_mask_part(out->c->vars, buf_str(&text), &masked);
    log_text(out, &masked);
    buf_adds(&rest, buf_str(&text) + n_done);
    buf_add(&rest, (struct bytes){(const uint8_t *)out->line.ptr + n, out->line.len - n});
    buf_clear(&out->line);
    buf_add(&out->line, buf_bytes(&rest));
}

static void keep_tail(struct buf *tail, struct bytes piece)
{
    if (piece.len > TAIL_MAX_BYTES)
        piece = (struct bytes){piece.ptr + piece.len - TAIL_MAX_BYTES, TAIL_MAX_BYTES};
    if (tail->len + piece.len > tail->max) {
        size_t drop = tail->len > TAIL_MIN_BYTES ? tail->len - TAIL_MIN_BYTES : 0;

        if (tail->len - drop + piece.len > tail->max)
            drop = tail->len;
        memmove(tail->ptr, tail->ptr + drop, tail->len - drop);
        tail->len -= drop;
        tail->ptr[tail->len] = '\0';
    }
    buf_add(tail, piece);
}

void program_output_feed(struct program_output *out, struct bytes piece)
{
    keep_tail(&out->tail, piece);
    while (piece.len > 0 && !out->is_full) {
        const uint8_t *end = memchr(piece.ptr, '\n', piece.len);
        size_t n = end ? (size_t)(end - piece.ptr) : piece.len;
        size_t room = out->line.max - out->line.len;
        bool is_whole = end && n <= room;

        if (n > room)
            n = room;
        buf_add(&out->line, (struct bytes){piece.ptr, n});
        piece.ptr += n + (is_whole ? 1 : 0);
        piece.len -= n + (is_whole ? 1 : 0);
        if (is_whole)
            log_line(out);
        else if (out->line.len == out->line.max)
            cut_long_line(out);
    }
}

void program_output_end(struct program_output *out)
{
    log_line(out);
}

void program_output_fini(struct program_output *out)
{
    buf_fini(&out->line);
    buf_fini(&out->tail);
}

void program_output_copy(const struct program_output *out, struct buf *dst)
{
    add_text(dst, buf_bytes(&out->tail));
}

const char *program_output_tail(struct program_output *out)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TAIL_MAX_BYTES);
    size_t start;
    size_t n = 0;

    add_text(&text, buf_bytes(&out->tail));
    while (text.len > 0 && strchr("\n\r", text.ptr[text.len - 1]))
        text.ptr[--text.len] = '\0';
    for (start = text.len; start > 0 && n < PROGRAM_OUTPUT_VARIABLE_CHARS; start--)
        if (((uint8_t)text.ptr[start - 1] & 0xc0) != 0x80)
            n++;
    buf_clear(&out->tail);
    buf_adds(&out->tail, buf_str(&text) + start);
    return buf_str(&out->tail);
}
