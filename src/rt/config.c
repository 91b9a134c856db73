/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/log.h"

enum {
    KEYS_MAX = 64,
    SHOWN_MAX = 128, /* of a wrong value, in a message */
    LIST_MAX_BYTES = 64 * 1024,
};

struct reader {
    const struct config_key *keys;
    const char *file;
    uint8_t *dst;
    struct buf *why;
    unsigned line;
    struct bytes section;
    bool seen[KEYS_MAX];
};

static struct bytes trim(struct bytes s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 &&
           (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

static const char *shown(char dst[static SHOWN_MAX], struct bytes value)
{
    return log_escape(dst, SHOWN_MAX, (const char *)value.ptr, value.len);
}

/* The text of @dst, exactly as CONFIG_TEXT and CONFIG_LIST keep it. */
static int store_text(const struct config_key *key, uint8_t *dst, struct buf *text)
{
    char *made = buf_take(text);

    if (!made)
        return ERR(-ENOMEM);

    char **at = (char **)(void *)(dst + key->offset);

    free(*at);
    *at = made;
    return 0;
}

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == '\t' || c == ',';
}

static void put_list(struct bytes value, struct buf *ret)
{
    for (size_t i = 0; i < value.len;) {
        size_t start;

        while (i < value.len && is_separator(value.ptr[i]))
            i++;
        start = i;
        while (i < value.len && !is_separator(value.ptr[i]))
            i++;
        if (i == start)
            return;
        if (ret->len > 0)
            buf_adds(ret, " ");
        buf_add(ret, (struct bytes){value.ptr + start, i - start});
    }
}

static int set_text(const struct config_key *key, struct bytes value, uint8_t *dst)
{
    OWN(buf_fini) struct buf text = BUF_INIT(LIST_MAX_BYTES);

    if (key->type == CONFIG_LIST)
        put_list(value, &text);
    else
        buf_add(&text, value);
    if (text.len < key->min || (key->max > 0 && text.len > key->max))
        return 1;
    if (memchr(buf_str(&text), '\0', text.len))
        return 1;
    return TRACE(store_text(key, dst, &text));
}

static bool set_choice(const struct config_key *key, struct bytes value, uint8_t *dst)
{
    unsigned index = 0;

    for (const char *at = key->choices;; index++) {
        size_t len = strcspn(at, "|");

        if (bytes_eq(value, (struct bytes){(const uint8_t *)at, len})) {
            memcpy(dst + key->offset, &index, sizeof(index));
            return true;
        }
        if (at[len] == '\0')
            return false;
        at += len + 1;
    }
}

static bool set_bool(const struct config_key *key, struct bytes value, uint8_t *dst)
{
    bool is_yes = bytes_eq(value, bytes_of("yes"));

    if (!is_yes && !bytes_eq(value, bytes_of("no")))
        return false;
    memcpy(dst + key->offset, &is_yes, sizeof(is_yes));
    return true;
}

/* Return: 0, 1 if @value is not allowed, or -ENOMEM. */
static int set_value(const struct config_key *key, struct bytes value, uint8_t *dst)
{
    uint64_t n;

    switch (key->type) {
    case CONFIG_BOOL:
        return set_bool(key, value, dst) ? 0 : 1;
    case CONFIG_U64:
        if (!bytes_parse_u64(value, key->min, key->max, &n))
            return 1;
        memcpy(dst + key->offset, &n, sizeof(n));
        return 0;
    case CONFIG_CHOICE:
        return set_choice(key, value, dst) ? 0 : 1;
    case CONFIG_TEXT:
    case CONFIG_LIST:
        return TRACE(set_text(key, value, dst));
    default:
        return ERR(-EINVAL);
    }
}

static void explain_size(const struct config_key *key, const char *what, struct buf *why)
{
    if (key->max > 0)
        buf_addf(why, "%s of %" PRIu64 " to %" PRIu64 " bytes", what, key->min, key->max);
    else
        buf_addf(why, "%s of at least %" PRIu64 " bytes", what, key->min);
}

/* "a number from 1 to 65535" */
static void explain_allowed(const struct config_key *key, struct buf *why)
{
    switch (key->type) {
    case CONFIG_BOOL:
        buf_adds(why, "yes or no");
        break;
    case CONFIG_U64:
        buf_addf(why, "a number from %" PRIu64 " to %" PRIu64, key->min, key->max);
        break;
    case CONFIG_CHOICE:
        buf_addf(why, "one of %s", key->choices);
        break;
    case CONFIG_LIST:
        explain_size(key, "a list", why);
        break;
    case CONFIG_TEXT:
    default:
        explain_size(key, "a text", why);
        break;
    }
}

static int refuse(struct reader *in, const char *what, struct bytes which)
{
    char text[SHOWN_MAX];

    buf_addf(in->why, "%s:%u: %s: %s", in->file, in->line, what, shown(text, which));
    return 1;
}

static bool is_section_known(const struct reader *in, struct bytes name)
{
    for (const struct config_key *key = in->keys; key->name; key++)
        if (bytes_eq(name, bytes_of(key->section)))
            return true;
    return false;
}

/* "; it has name, address", or the sections that there are. */
static void list_allowed(const struct reader *in, struct bytes section, struct buf *why)
{
    const char *before = section.len > 0 ? "; it has " : "; there are ";
    const char *last = "";

    for (const struct config_key *key = in->keys; key->name; key++) {
        if (section.len > 0 && !bytes_eq(section, bytes_of(key->section)))
            continue;
        if (section.len == 0 && strcmp(key->section, last) == 0)
            continue;
        last = key->section;
        buf_addf(
            why, section.len > 0 ? "%s%s" : "%s[%s]", before, section.len > 0 ? key->name : last);
        before = ", ";
    }
}

static int read_section(struct reader *in, struct bytes line)
{
    if (line.ptr[line.len - 1] != ']')
        return refuse(in, "a section is written [name]", line);

    struct bytes name = trim((struct bytes){line.ptr + 1, line.len - 2});

    if (!is_section_known(in, name)) {
        (void)refuse(in, "there is no such section", line);
        list_allowed(in, (struct bytes){0}, in->why);
        return 1;
    }
    in->section = name;
    return 0;
}

static int read_setting(struct reader *in, struct bytes line)
{
    char text[SHOWN_MAX];
    const uint8_t *equals = memchr(line.ptr, '=', line.len);

    if (!equals)
        return refuse(in, "a setting is written key = value", line);

    size_t at = (size_t)(equals - line.ptr);
    struct bytes name = trim((struct bytes){line.ptr, at});
    struct bytes value = trim((struct bytes){equals + 1, line.len - at - 1});

    if (in->section.len == 0)
        return refuse(in, "a setting must stand below a [section]", name);
    for (size_t i = 0; in->keys[i].name; i++) {
        const struct config_key *key = &in->keys[i];

        if (!bytes_eq(in->section, bytes_of(key->section)) || !bytes_eq(name, bytes_of(key->name)))
            continue;
        if (in->seen[i])
            return refuse(in, "given twice", name);
        in->seen[i] = true;

        int r = set_value(key, value, in->dst);

        if (r == 1) {
            buf_addf(in->why,
                     "%s:%u: [%s] %s: %s is not allowed: ",
                     in->file,
                     in->line,
                     key->section,
                     key->name,
                     shown(text, value));
            explain_allowed(key, in->why);
        }
        return TRACE(r);
    }
    buf_addf(in->why,
             "%s:%u: [%.*s] has no setting: %s",
             in->file,
             in->line,
             (int)in->section.len,
             (const char *)in->section.ptr,
             shown(text, name));
    list_allowed(in, in->section, in->why);
    return 1;
}

static int set_defaults(const struct config_key *keys, uint8_t *dst)
{
    for (const struct config_key *key = keys; key->name; key++) {
        if (!key->fallback && key->type != CONFIG_TEXT && key->type != CONFIG_LIST)
            continue;

        struct config_key any_size = *key; /* "not given" need not fit the limits */

        any_size.min = key->type == CONFIG_U64 ? key->min : 0;

        int r = set_value(&any_size, bytes_of(key->fallback ? key->fallback : ""), dst);

        if (r != 0)
            return r < 0 ? TRACE(r) : ERR(-EINVAL); /* the table is wrong */
    }
    return 0;
}

static int read_line(struct reader *in, struct bytes line)
{
    line = trim(line);
    if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
        return 0;
    if (line.ptr[0] == '[')
        return TRACE(read_section(in, line));
    return TRACE(read_setting(in, line));
}

int config_parse(
    const struct config_key *keys, const char *file, struct bytes text, void *dst, struct buf *why)
{
    struct reader in = {.keys = keys, .file = file, .dst = dst, .why = why};
    size_t n_keys = 0;
    int r;

    while (keys[n_keys].name)
        n_keys++;
    if (n_keys > KEYS_MAX)
        return ERR(-EINVAL);
    r = set_defaults(keys, dst);
    if (r < 0)
        return TRACE(r);

    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        size_t step = end ? len + 1 : len;

        in.line++;
        r = read_line(&in, (struct bytes){text.ptr, len});
        if (r != 0)
            return TRACE(r);
        text.ptr += step;
        text.len -= step;
    }
    return 0;
}

void config_fini(const struct config_key *keys, void *dst)
{
    uint8_t *base = dst;

    for (const struct config_key *key = keys; key->name; key++) {
        if (key->type != CONFIG_TEXT && key->type != CONFIG_LIST)
            continue;

        char **at = (char **)(void *)(base + key->offset);

        free(*at);
        *at = NULL;
    }
}
