/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/vars.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    TEXT_MAX = 4 * 1024 * 1024,
    MASKED_MIN = 4, /* shorter values are shown */
};

/* A line "NAME=VALUE", "!NAME=VALUE" for a secret. */
static void set_one(struct ts_vars *vars, char *line)
{
    bool is_secret = line[0] == '!';
    char *name = line + is_secret;
    char *value = strchr(name, '=');

    if (!value)
        return;
    *value++ = '\0';

    int r = ts_vars_set(vars, name, value, TS_BY_SITE);

    if (r < 0 || (is_secret && r == 0 && ts_vars_set_secret(vars, name) != 0))
        abort();
    if (r == 0 && strcmp(ts_vars_get(vars, name), value) != 0)
        abort();
    if (r == 0 && name[0] == '_') /* the engine's */
        abort();
}

/* Of a text that goes on, the same is shown as of all of it, up to where a secret may begin. */
static void check_part(const struct ts_vars *vars, const char *text, const struct buf *masked)
{
    OWN(buf_fini) struct buf part = BUF_INIT(TEXT_MAX);
    size_t n_done = ts_vars_mask_part(vars, text, &part);

    if (n_done > strlen(text) || strlen(text) - n_done >= TS_VAR_VALUE_MAX)
        abort();
    if (!part.failed && !masked->failed && strncmp(buf_str(masked), buf_str(&part), part.len) != 0)
        abort();
}

/* Nothing that is shown holds a secret. A secret with '*' in it may come out of other text beside a mask. */
static void check_masked(const struct ts_vars *vars, const char *text)
{
    OWN(buf_fini) struct buf masked = BUF_INIT(TEXT_MAX);
    const char *name;
    const char *value;
    bool is_secret;

    ts_vars_mask(vars, text, &masked);
    check_part(vars, text, &masked);
    for (size_t i = 0; !masked.failed && ts_vars_at(vars, i, &name, &value, &is_secret); i++)
        if (is_secret && strlen(value) >= MASKED_MIN && !strchr(value, '*') &&
            strstr(buf_str(&masked), value))
            abort();
}

/* Lines of variables, an empty line, and a text: it is expanded once, and masked for logs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf input = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf none = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf expanded = BUF_INIT(TEXT_MAX);
    OWN(ts_vars_freep) struct ts_vars *nothing = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(freep) char *lines = NULL;

    buf_add(&input, (struct bytes){data, size});
    if (ts_vars_new(&vars) != 0 || ts_vars_new(&nothing) != 0)
        abort();

    const char *text = strstr(buf_str(&input), "\n\n");

    lines = strndup(buf_str(&input), text ? (size_t)(text - buf_str(&input)) : input.len);
    text = text ? text + 2 : "";
    for (char *line = lines, *end; line && *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        set_one(vars, line);
    }
    if (ts_vars_expand(nothing, text, &none) || strcmp(buf_str(&none), text) != 0)
        abort();
    (void)ts_vars_expand(vars, text, &expanded);
    if (!strchr(text, '%') && strcmp(buf_str(&expanded), text) != 0)
        abort();
    if (!expanded.failed)
        check_masked(vars, buf_str(&expanded));
    return 0;
}
