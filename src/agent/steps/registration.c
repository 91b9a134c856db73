/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/registration.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "agent/steps/inside.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"

enum {
    FILE_MAX_BYTES = 64 * 1024,
};

static const char path[] = "etc/machine-info";

static bool is_of(const char *line, const char *key)
{
    size_t len = strlen(key);

    return strncmp(line, key, len) == 0 && line[len] == '=';
}

/* As a shell reads it. */
static void put_quoted(struct buf *dst, const char *value)
{
    buf_adds(dst, "\"");
    for (; *value; value++) {
        if (strchr("\"\\$`", *value))
            buf_adds(dst, "\\");
        if ((unsigned char)*value >= ' ')
            buf_addf(dst, "%c", *value);
    }
    buf_adds(dst, "\"\n");
}

int registration_write(int root, const char *key, const char *value)
{
    OWN(buf_fini) struct buf old = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf new = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, path, &old);

    if (r < 0)
        return TRACE(r);
    for (const char *line = r == 0 ? buf_str(&old) : ""; *line;) {
        size_t len = strcspn(line, "\n");

        if (!is_of(line, key)) {
            buf_add(&new, (struct bytes){(const uint8_t *)line, len});
            buf_adds(&new, "\n");
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    if (value[0] != '\0') {
        buf_addf(&new, "%s=", key);
        put_quoted(&new, value);
    }
    if (new.failed)
        return ERR(-ENOMEM);
    return TRACE(inside_write(root, path, buf_bytes(&new), (struct inside_mode){.bits = 0644}));
}

static void put_value(struct buf *dst, const char *text)
{
    bool is_quoted = text[0] == '"';

    for (text += is_quoted ? 1 : 0; *text && *text != '\n'; text++) {
        if (is_quoted && *text == '"')
            return;
        if (is_quoted && *text == '\\' && text[1] != '\0' && text[1] != '\n')
            text++;
        buf_addf(dst, "%c", *text);
    }
}

int registration_read(int root, const char *key, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, path, &text);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    for (const char *line = buf_str(&text); *line;) {
        size_t len = strcspn(line, "\n");

        if (is_of(line, key)) {
            put_value(ret, line + strlen(key) + 1);
            return 0;
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return 0;
}
