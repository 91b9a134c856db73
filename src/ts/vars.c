/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/vars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/step_types.h"

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    MASK_ANYWHERE_BYTES =
        4, /* a shorter value would tear holes into unrelated words: only as a word of its own */
    MASK_LINE_BYTES =
        8, /* a shorter line of a longer value says little, and stands elsewhere too */
};

struct var {
    char *name;
    char *value; /* "" if it does not exist */
    bool is_secret;
};

struct ts_vars {
    struct var *items; /* sorted by nothing: in the order they were first set */
    size_t n;
    size_t total_bytes;
};

int ts_vars_new(struct ts_vars **ret)
{
    struct ts_vars *vars = calloc(1, sizeof(*vars));

    if (!vars)
        return ERR(-ENOMEM);
    *ret = vars;
    return 0;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

int ts_vars_copy(const struct ts_vars *vars, struct ts_vars **ret)
{
    OWN(ts_vars_freep) struct ts_vars *copy = calloc(1, sizeof(*copy));

    if (copy)
        copy->items = calloc(vars->n + 1, sizeof(*copy->items));
    if (!copy || !copy->items)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < vars->n; i++) {
        const struct var *var = &vars->items[i];

        copy->n++;
        copy->items[i] = (struct var){copy_text(var->name), copy_text(var->value), var->is_secret};
        if (!copy->items[i].name || !copy->items[i].value)
            return ERR(-ENOMEM);
    }
    copy->total_bytes = vars->total_bytes;
    *ret = TAKE(copy);
    return 0;
}

/* Values may be passwords: do not leave them in freed memory. */
static void wipe_free(char *text)
{
    if (text) {
        volatile char *p = text;

        for (size_t n = strlen(text); n > 0; n--)
            *p++ = '\0';
    }
    free(text);
}

void ts_vars_free(struct ts_vars *vars)
{
    if (!vars)
        return;
    for (size_t i = 0; i < vars->n; i++) {
        free(vars->items[i].name);
        wipe_free(vars->items[i].value);
    }
    free(vars->items);
    free(vars);
}

static struct var *find(const struct ts_vars *vars, struct bytes name)
{
    for (size_t i = 0; i < vars->n; i++)
        if (bytes_eq_nocase(name, vars->items[i].name))
            return &vars->items[i];
    return NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ts_vars_is_name(const char *name, enum ts_who who)
{
    size_t len = strlen(name);

    if (len == 0 || len > TS_VAR_NAME_MAX || !(is_letter(name[0]) || name[0] == '_'))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9') &&
            !strchr(who == TS_BY_ENGINE ? "_-." : "_-", name[i]))
            return false;
    return true;
}

/* The variable of that name, made if there is none; NULL without memory. */
static struct var *obtain(struct ts_vars *vars, const char *name)
{
    struct var *var = find(vars, bytes_of(name));

    if (var)
        return var;

    struct var *grown = realloc(vars->items, (vars->n + 1) * sizeof(*grown));

    if (!grown)
        return NULL;
    vars->items = grown;

    OWN(freep) char *copy = copy_text(name);
    OWN(freep) char *empty = copy_text("");

    if (!copy || !empty)
        return NULL;
    var = &vars->items[vars->n++];
    *var = (struct var){TAKE(copy), TAKE(empty), ts_name_is_secret(name)};
    vars->total_bytes += strlen(name);
    return var;
}

/* Bytes in names and values of the variables that are not the engine's. */
static size_t environment_bytes(const struct ts_vars *vars)
{
    size_t n = 0;

    for (size_t i = 0; i < vars->n; i++)
        if (vars->items[i].name[0] != '_' && vars->items[i].value[0] != '\0')
            n += strlen(vars->items[i].name) + strlen(vars->items[i].value);
    return n;
}

/* Whether a step may put @value where @var is now (NULL: nothing). Getting smaller is always possible. */
static bool is_within_documented(const struct ts_vars *vars,
                                 const struct var *var,
                                 const char *name,
                                 const char *value)
{
    size_t old = var && var->value[0] != '\0' ? strlen(name) + strlen(var->value) : 0;
    size_t wanted = value[0] != '\0' ? strlen(name) + strlen(value) : 0;

    if (text_count_characters(value) > TS_VAR_SEQUENCE_VALUE_MAX)
        return false;
    return wanted <= old || environment_bytes(vars) - old + wanted <= TS_VARS_ENVIRONMENT_MAX;
}

int ts_vars_set(struct ts_vars *vars, const char *name, const char *value, enum ts_who who)
{
    size_t len = strlen(value);

    if (!ts_vars_is_name(name, who))
        return TS_VARS_E_NAME;
    if (name[0] == '_' && who != TS_BY_ENGINE)
        return TS_VARS_E_READ_ONLY;

    struct var *var = find(vars, bytes_of(name));

    if (!var && len == 0)
        return 0;

    size_t old = var ? strlen(var->value) : 0;
    size_t others = vars->total_bytes - old + (var ? 0 : strlen(name));

    if (len > TS_VAR_VALUE_MAX || (!var && vars->n == TS_VARS_MAX) ||
        others + len > TS_VARS_TOTAL_MAX)
        return TS_VARS_E_LIMIT;
    if (who == TS_BY_SEQUENCE && !is_within_documented(vars, var, name, value))
        return TS_VARS_E_LIMIT;

    OWN(freep) char *copy = copy_text(value);

    if (!var)
        var = obtain(vars, name);
    if (!var || !copy)
        return ERR(-ENOMEM);
    wipe_free(var->value);
    var->value = TAKE(copy);
    vars->total_bytes = vars->total_bytes - old + len;
    return 0;
}

int ts_vars_set_secret(struct ts_vars *vars, const char *name)
{
    if (!ts_vars_is_name(name, TS_BY_ENGINE))
        return TS_VARS_E_NAME;
    if (!find(vars, bytes_of(name)) && vars->n == TS_VARS_MAX)
        return TS_VARS_E_LIMIT;

    struct var *var = obtain(vars, name);

    if (!var)
        return ERR(-ENOMEM);
    var->is_secret = true;
    return 0;
}

bool ts_vars_is_secret(const struct ts_vars *vars, const char *name)
{
    const struct var *var = find(vars, bytes_of(name));

    return var ? var->is_secret : ts_name_is_secret(name);
}

const char *ts_vars_get(const struct ts_vars *vars, const char *name)
{
    const struct var *var = find(vars, bytes_of(name));

    return var ? var->value : "";
}

/* The value of the variable whose name @name holds; "" if that did not fit either. */
static const char *get_built(const struct ts_vars *vars, const struct buf *name)
{
    return name->failed ? "" : ts_vars_get(vars, buf_str(name));
}

const char *ts_vars_list(const struct ts_vars *vars, const char *base, unsigned digits, size_t i)
{
    for (size_t k = 0; k <= i; k++) {
        OWN(buf_fini) struct buf name = BUF_INIT(TS_VAR_NAME_MAX);

        buf_addf(&name, "%s%0*zu", base, (int)digits, k + 1);
        if (k == i || get_built(vars, &name)[0] == '\0')
            return get_built(vars, &name);
    }
    return "";
}

const char *
ts_vars_array(const struct ts_vars *vars, const char *base, size_t i, const char *property)
{
    OWN(buf_fini) struct buf name = BUF_INIT(TS_VAR_NAME_MAX);

    buf_addf(&name, "%s%zu%s", base, i, property);
    return get_built(vars, &name);
}

bool ts_vars_is_true(const struct ts_vars *vars, const char *name)
{
    struct bytes value = bytes_of(ts_vars_get(vars, name));

    return bytes_eq_nocase(value, "true") || bytes_eq_nocase(value, "yes") ||
           bytes_eq_nocase(value, "1");
}

bool ts_vars_at(const struct ts_vars *vars,
                size_t i,
                const char **ret_name,
                const char **ret_value,
                bool *ret_is_secret)
{
    if (i >= vars->n)
        return false;
    *ret_name = vars->items[i].name;
    *ret_value = vars->items[i].value;
    if (ret_is_secret)
        *ret_is_secret = vars->items[i].is_secret;
    return true;
}

bool ts_vars_has_reference(const char *text)
{
    for (text = strchr(text, '%'); text; text = strchr(text + 1, '%')) {
        size_t n = 1;

        while (is_letter(text[n]) || (text[n] != '\0' && strchr("0123456789_-.", text[n])))
            n++;
        if (n > 1 && text[n] == '%')
            return true;
    }
    return false;
}

static bool expand(const struct ts_vars *vars, const char *text, bool masks, struct buf *ret)
{
    bool has_secret = false;

    while (*text) {
        const char *end = *text == '%' ? strchr(text + 1, '%') : NULL;
        const struct var *var = NULL;

        if (end && end - text - 1 <= TS_VAR_NAME_MAX)
            var = find(vars, (struct bytes){(const uint8_t *)text + 1, (size_t)(end - text - 1)});
        if (var && var->value[0] != '\0') {
            buf_adds(ret, masks && var->is_secret ? "***" : var->value);
            has_secret |= var->is_secret;
            text = end + 1;
            continue;
        }

        size_t plain = 1 + strcspn(text + 1, "%");

        buf_add(ret, (struct bytes){(const uint8_t *)text, plain});
        text += plain;
    }
    return has_secret;
}

bool ts_vars_expand(const struct ts_vars *vars, const char *text, struct buf *ret)
{
    return expand(vars, text, false, ret);
}

void ts_vars_expand_shown(const struct ts_vars *vars, const char *text, struct buf *ret)
{
    (void)expand(vars, text, true, ret);
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || ((unsigned char)c & 0x80) != 0;
}

/* Whether the secret that @text begins with, with @before in front of it, is not a part of another word by chance. */
static bool is_alone(const char *text, char before, size_t len)
{
    return len >= MASK_ANYWHERE_BYTES || ((!is_word(before) || !is_word(text[0])) &&
                                          (!is_word(text[len]) || !is_word(text[len - 1])));
}

/* What is not to be seen of a secret: all of it, and each longer line of several. @at: NULL at first. */
static bool next_secret(const struct var *var, const char **at, struct bytes *ret)
{
    if (!*at) {
        *at = strchr(var->value, '\n') ? var->value : "";
        *ret = bytes_of(var->value);
        return ret->len > 0;
    }
    while (**at) {
        size_t len = strcspn(*at, "\r\n");

        *ret = (struct bytes){(const uint8_t *)*at, len};
        *at += len + ((*at)[len] != '\0' ? 1 : 0);
        if (len >= MASK_LINE_BYTES)
            return true;
    }
    return false;
}

/* Length of the longest secret that @text begins with; 0: none. @ret_is_open: it may be the beginning of a longer one. */
static size_t
secret_here(const struct ts_vars *vars, const char *text, char before, bool *ret_is_open)
{
    size_t longest = 0;

    for (size_t i = 0; i < vars->n; i++) {
        const char *at = NULL;
        struct bytes secret;

        while (vars->items[i].is_secret && next_secret(&vars->items[i], &at, &secret)) {
            size_t same = 0;

            while (same < secret.len && text[same] == (char)secret.ptr[same])
                same++;
            *ret_is_open |= same < secret.len && text[same] == '\0';
            if (same == secret.len && same > longest && is_alone(text, before, same))
                longest = same;
        }
    }
    return longest;
}

static size_t mask(const struct ts_vars *vars, const char *text, bool is_part, struct buf *ret)
{
    const char *at = text;
    char before = '\0';

    while (*at) {
        bool is_open = false;
        size_t len = secret_here(vars, at, before, &is_open);

        if (is_open && is_part)
            break;
        if (len > 0)
            buf_adds(ret, "***");
        else
            buf_add(ret, (struct bytes){(const uint8_t *)at, 1});
        at += len > 0 ? len : 1;
        before = at[-1];
    }
    return (size_t)(at - text);
}

void ts_vars_mask(const struct ts_vars *vars, const char *text, struct buf *ret)
{
    (void)mask(vars, text, false, ret);
}

static bool has_secret(const struct ts_vars *vars, const char *text)
{
    char before = '\0';

    for (const char *at = text; *at; at++) {
        bool is_open = false;

        if (secret_here(vars, at, before, &is_open) > 0)
            return true;
        before = *at;
    }
    return false;
}

int ts_vars_set_heard(struct ts_vars *vars, const char *name, const char *value)
{
    bool is_secret = has_secret(vars, value);
    int r = ts_vars_set(vars, name, value, TS_BY_SEQUENCE);

    if (r == 0 && is_secret)
        r = ts_vars_set_secret(vars, name);
    return r < 0 ? TRACE(r) : r;
}

size_t ts_vars_mask_part(const struct ts_vars *vars, const char *text, struct buf *ret)
{
    return mask(vars, text, true, ret);
}
