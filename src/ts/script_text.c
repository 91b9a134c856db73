/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/script_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/encoding.h"

static bool is_text(const struct buf *text)
{
    return !text->failed && strlen(buf_str(text)) == text->len && text_is_utf8(buf_bytes(text));
}

bool ts_script_text(const char *source, struct buf *ret)
{
    OWN(buf_fini) struct buf bytes = BUF_INIT(ret->max);
    OWN(buf_fini) struct buf text = BUF_INIT(ret->max);

    if (!base64_parse(bytes_of(source), &bytes) || bytes.len == 0)
        return false;
    ts_to_utf8(buf_bytes(&bytes), &text);
    if (!is_text(&text))
        return false;
    buf_add(ret, buf_bytes(&text));
    return !ret->failed;
}

/* One character of UTF-8. Return: its bytes; 0 if it is none. */
static size_t take_character(const unsigned char *text, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char head = text[0];
    const size_t n = head < 0x80 ? 1 : head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4;

    *ret = n == 1 ? head : head & (0xffU >> (n + 1));
    if (head >= 0x80 && head < 0xc0)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *ret = *ret << 6 | (text[i] & 0x3fU);
    }
    return *ret >= least[n] && *ret <= 0x10ffff && (*ret < 0xd800 || *ret > 0xdfff) ? n : 0;
}

static void put_unit(struct buf *dst, uint32_t unit)
{
    const uint8_t bytes[] = {(uint8_t)(unit & 0xff), (uint8_t)(unit >> 8)};

    buf_add(dst, (struct bytes){bytes, sizeof(bytes)});
}

bool ts_script_source(const char *text, struct buf *ret)
{
    OWN(buf_fini) struct buf units = BUF_INIT(ret->max);
    uint32_t c;

    put_unit(&units, 0xfeff);
    while (*text) {
        size_t n = take_character((const unsigned char *)text, &c);

        if (n == 0 || units.failed)
            return false;
        if (c > 0xffff)
            put_unit(&units, 0xd800 + ((c - 0x10000) >> 10));
        put_unit(&units, c > 0xffff ? 0xdc00 + (c & 0x3ff) : c);
        text += n;
    }
    base64_put(ret, buf_bytes(&units));
    return !ret->failed;
}

/* The lines of a text that are not the same at both ends of both. */
struct lines {
    struct bytes *items; /* owned */
    size_t n;
};

static size_t count_lines(const char *text)
{
    size_t n = text[0] != '\0' ? 1 : 0;

    for (; *text; text++)
        n += text[0] == '\n' && text[1] != '\0';
    return n;
}

static bool split(const char *text, struct lines *ret)
{
    ret->n = count_lines(text);
    ret->items = calloc(ret->n + 1, sizeof(*ret->items));
    for (size_t i = 0; ret->items && i < ret->n; i++) {
        size_t len = strcspn(text, "\n");

        ret->items[i] =
            (struct bytes){(const uint8_t *)text, len - (len > 0 && text[len - 1] == '\r' ? 1 : 0)};
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    return ret->items != NULL;
}

/* What there is of two lists of lines between @first and the ends. */
struct texts {
    struct lines before;
    struct lines after;
    size_t first;  /* so many are the same at the beginning, */
    size_t n_last; /* and so many at the end */
    uint16_t
        *same; /* owned; [i * (n + 1) + k]: how many can be matched from there on; NULL: too many */
};

static void texts_fini(struct texts *t)
{
    free(t->before.items);
    free(t->after.items);
    free(t->same);
}

static void trim(struct texts *t)
{
    size_t n = t->before.n < t->after.n ? t->before.n : t->after.n;

    while (t->first < n && bytes_eq(t->before.items[t->first], t->after.items[t->first]))
        t->first++;
    while (t->n_last < n - t->first && bytes_eq(t->before.items[t->before.n - 1 - t->n_last],
                                                t->after.items[t->after.n - 1 - t->n_last]))
        t->n_last++;
}

static bool is_same(const struct texts *t, size_t i, size_t k)
{
    return bytes_eq(t->before.items[t->first + i], t->after.items[t->first + k]);
}

/* The longest common subsequence, from the end. */
static void match(struct texts *t, size_t n_before, size_t n_after)
{
    size_t width = n_after + 1;

    if (n_before > TS_SCRIPT_LINES_MAX || n_after > TS_SCRIPT_LINES_MAX)
        return;
    t->same = calloc((n_before + 1) * width, sizeof(*t->same));
    for (size_t i = n_before; t->same && i-- > 0;)
        for (size_t k = n_after; k-- > 0;) {
            uint16_t down = t->same[(i + 1) * width + k];
            uint16_t right = t->same[i * width + k + 1];

            t->same[i * width + k] = is_same(t, i, k)
                                         ? (uint16_t)(t->same[(i + 1) * width + k + 1] + 1)
                                     : down > right ? down
                                                    : right;
        }
}

static void put_line(char sign, struct bytes line, struct buf *ret)
{
    buf_addf(ret, "%c ", sign);
    buf_add(ret, line);
    buf_adds(ret, "\n");
}

struct place {
    size_t i;        /* of the lines before, */
    size_t k;        /* and after */
    size_t n_same;   /* lines in a row that stayed */
    bool has_change; /* something was told */
};

/* A line that stayed: told if it is right behind a change. */
static void pass(const struct texts *t, struct place *p, struct buf *ret)
{
    if (p->has_change && p->n_same == 0)
        put_line(' ', t->before.items[t->first + p->i], ret);
    p->n_same++;
    p->i++;
    p->k++;
}

/* Before a change: the line before it, and that there are others. */
static void lead(const struct texts *t, struct place *p, struct buf *ret)
{
    size_t n_told = p->has_change ? 2 : 1;

    if (p->n_same > n_told || (!p->has_change && t->first + p->i > 1))
        buf_adds(ret, "...\n");
    if (t->first + p->i > 0 && (p->has_change ? p->n_same > 1 : true))
        put_line(' ', t->before.items[t->first + p->i - 1], ret);
    p->n_same = 0;
    p->has_change = true;
}

static void put_changes(const struct texts *t, size_t n_before, size_t n_after, struct buf *ret)
{
    struct place p = {0};
    size_t width = n_after + 1;

    while (p.i < n_before || p.k < n_after) {
        bool is_gone =
            p.i < n_before && (p.k == n_after || !t->same ||
                               t->same[(p.i + 1) * width + p.k] >= t->same[p.i * width + p.k + 1]);

        if (t->same && p.i < n_before && p.k < n_after && is_same(t, p.i, p.k)) {
            pass(t, &p, ret);
            continue;
        }
        if (!p.has_change || p.n_same > 0)
            lead(t, &p, ret);
        if (is_gone)
            put_line('-', t->before.items[t->first + p.i++], ret);
        else
            put_line('+', t->after.items[t->first + p.k++], ret);
    }
    if (t->n_last > 0 && p.has_change)
        put_line(' ', t->before.items[t->before.n - t->n_last], ret);
    if (t->n_last > 1)
        buf_adds(ret, "...\n");
}

void ts_script_put_diff(const char *before, const char *after, struct buf *ret)
{
    OWN(texts_fini) struct texts t = {0};
    size_t n_before;
    size_t n_after;

    if (!split(before, &t.before) || !split(after, &t.after)) {
        ret->failed = true;
        return;
    }
    trim(&t);
    n_before = t.before.n - t.first - t.n_last;
    n_after = t.after.n - t.first - t.n_last;
    if (n_before + n_after == 0)
        return;
    match(&t, n_before, n_after);
    put_changes(&t, n_before, n_after, ret);
}
