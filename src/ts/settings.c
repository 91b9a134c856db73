/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/vars.h"

/* Whether @a is to be applied before @b, which stands behind it. */
static bool is_in_order(const struct ts_setting *a, const struct ts_setting *b)
{
    if (a->source != b->source)
        return a->source < b->source;
    return a->source != TS_FROM_COLLECTION || a->priority <= b->priority;
}

/* By insertion: stable, and the arrays are short and nearly in order. */
static void sort(const struct ts_setting **items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct ts_setting *item = items[i];
        size_t k = i;

        for (; k > 0 && !is_in_order(items[k - 1], item); k--)
            items[k] = items[k - 1];
        items[k] = item;
    }
}

static int apply(const struct ts_setting *setting, struct ts_vars *vars)
{
    int r = ts_vars_set(vars, setting->name, setting->value, TS_BY_SITE);

    if (r == 0 && setting->is_secret)
        r = ts_vars_set_secret(vars, setting->name);
    return r;
}

int ts_settings_apply(const struct ts_setting *settings,
                      size_t n,
                      struct ts_vars *vars,
                      const struct ts_setting **ret_refused)
{
    OWN(freep) const struct ts_setting **sorted = calloc(n + 1, sizeof(const struct ts_setting *));

    *ret_refused = NULL;
    if (!sorted)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &settings[i];
    sort(sorted, n);
    for (size_t i = 0; i < n; i++) {
        int r = apply(sorted[i], vars);

        if (r < 0)
            return TRACE(r);
        if (r > 0 && !*ret_refused)
            *ret_refused = sorted[i];
    }
    return 0;
}

enum {
    EXPAND_PASSES = 8, /* variables within variables */
};

/* Return: whether it changed, or -ENOMEM. */
static int expand_one(struct ts_vars *vars, const char *name, const char *value)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_VAR_VALUE_MAX);
    bool has_secret = ts_vars_expand(vars, value, &text);
    int r = 0;

    if (text.failed || strcmp(buf_str(&text), value) == 0)
        return 0;
    if (has_secret)
        r = ts_vars_set_secret(vars, name);
    if (r == 0)
        r = ts_vars_set(vars, name, buf_str(&text), TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : r == 0;
}

int ts_settings_expand(struct ts_vars *vars)
{
    int n_changed = 1;

    for (int pass = 0; pass < EXPAND_PASSES && n_changed > 0; pass++) {
        const char *name;
        const char *value;

        n_changed = 0;
        for (size_t i = 0; ts_vars_at(vars, i, &name, &value, NULL); i++) {
            int r = name[0] != '_' && strchr(value, '%') ? expand_one(vars, name, value) : 0;

            if (r < 0)
                return TRACE(r);
            n_changed += r;
        }
    }
    return 0;
}
