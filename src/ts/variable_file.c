/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/variable_file.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/vars.h"

enum {
    E_NOT_UTF8 = TS_VARS_E_LIMIT + 1, /* beside the outcomes of ts_vars_set() */
};

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* The next line, without its end; @text begins behind it then. */
static struct bytes take_line(struct bytes *text)
{
    const uint8_t *end = memchr(text->ptr, '\n', text->len);
    struct bytes line = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
    size_t n = line.len + (end ? 1 : 0);

    *text = (struct bytes){text->ptr + n, text->len - n};
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* A text that ends where it should: no NUL within. */
static bool to_text(struct bytes part, struct buf *ret)
{
    buf_add(ret, part);
    return !ret->failed && !memchr(part.ptr, '\0', part.len);
}

static const char *reason_of(int outcome)
{
    switch (outcome) {
    case TS_VARS_E_READ_ONLY:
        return "names that begin with '_' are read-only";
    case TS_VARS_E_LIMIT:
        return "the value is too long";
    case E_NOT_UTF8:
        return "it is not UTF-8";
    default:
        return "not NAME=VALUE with the name of a variable";
    }
}

/* Return: 0, an outcome of ts_vars_set(), E_NOT_UTF8, or -ENOMEM. */
static int apply_line(struct bytes line,
                      struct ts_vars *vars,
                      void (*told)(void *ctx, const char *name, const char *value),
                      void *ctx)
{
    const uint8_t *equals = memchr(line.ptr, '=', line.len);
    OWN(buf_fini) struct buf name = BUF_INIT(TS_VAR_NAME_MAX + 1);
    OWN(buf_fini) struct buf value = BUF_INIT(TS_VARIABLE_FILE_MAX_BYTES);
    size_t len = equals ? (size_t)(equals - line.ptr) : 0;
    int r;

    if (!equals || !to_text((struct bytes){line.ptr, len}, &name) ||
        !to_text((struct bytes){equals + 1, line.len - len - 1}, &value))
        return TS_VARS_E_NAME;
    if (!text_is_utf8(line))
        return E_NOT_UTF8; /* neither the state nor a status could hold it */
    r = ts_vars_set_heard(vars, buf_str(&name), buf_str(&value));
    if (r == 0 && told)
        told(
            ctx, buf_str(&name), ts_vars_is_secret(vars, buf_str(&name)) ? "***" : buf_str(&value));
    return r < 0 ? TRACE(r) : r;
}

int ts_variable_file_apply(struct bytes text,
                           struct ts_vars *vars,
                           void (*told)(void *ctx, const char *name, const char *value),
                           void *ctx,
                           struct buf *why)
{
    int outcome = 0;

    if (text.len > TS_VARIABLE_FILE_MAX_BYTES) {
        buf_addf(why, "it has more than %d bytes", (int)TS_VARIABLE_FILE_MAX_BYTES);
        return TS_VARIABLE_FILE_E_REFUSED;
    }
    if (text.len >= sizeof(byte_order_mark) - 1 &&
        memcmp(text.ptr, byte_order_mark, sizeof(byte_order_mark) - 1) == 0)
        text = (struct bytes){text.ptr + sizeof(byte_order_mark) - 1,
                              text.len - (sizeof(byte_order_mark) - 1)};
    for (size_t number = 1; text.len > 0; number++) {
        struct bytes line = take_line(&text);
        int r = 0;

        if (line.len > 0 && line.ptr[0] != '#')
            r = apply_line(line, vars, told, ctx);
        if (r < 0)
            return TRACE(r);
        if (r > 0 && outcome == 0) {
            outcome = TS_VARIABLE_FILE_E_REFUSED;
            buf_addf(why, "line %zu: %s", number, reason_of(r)); /* never what is in it */
        }
    }
    return outcome;
}
