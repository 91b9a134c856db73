/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    N_TEXTS = 4,
};

static size_t size_of(const struct connection *one)
{
    return strlen(one->path) + strlen(one->target) + strlen(one->account) + strlen(one->password) +
           N_TEXTS;
}

static void forget(struct connections *c, size_t i)
{
    explicit_bzero(c->texts[i], size_of(&c->list[i]));
    free(c->texts[i]);
}

void connections_fini(struct connections *c)
{
    for (size_t i = 0; i < c->n; i++)
        forget(c, i);
    c->n = 0;
}

static const char *copy(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *ret = memcpy(*at, text, size);

    *at += size;
    return ret;
}

static size_t find(const struct connections *c, const char *target)
{
    size_t i = 0;

    while (i < c->n && strcmp(c->list[i].target, target) != 0)
        i++;
    return i;
}

int connections_keep(struct connections *c, const struct connection *one)
{
    size_t i = find(c, one->target);
    char *text;
    char *at;

    if (i == CONNECTIONS_MAX)
        return CONNECTIONS_E_TOO_MANY;
    text = at = malloc(size_of(one));
    if (!text)
        return ERR(-ENOMEM);

    const struct connection kept = {.path = copy(&at, one->path),
                                    .target = copy(&at, one->target),
                                    .account = copy(&at, one->account),
                                    .password = copy(&at, one->password)};

    if (i < c->n)
        forget(c, i);
    else
        c->n++;
    c->texts[i] = text;
    c->list[i] = kept;
    return 0;
}

bool connections_want_password(const struct connections *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].account[0] != '\0' && c->list[i].password[0] == '\0')
            return true;
    return false;
}

/* A field that is missing is ""; NULL: it is no text that one may be. */
static const char *text_of(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!value || json_is_null(value))
        return "";
    return text && len < CONNECTION_TEXT_MAX && strlen(text) == len ? text : NULL;
}

int connections_read(const json_t *json, struct connections *c)
{
    if (!json || json_is_null(json))
        return 0;
    if (!json_is_array(json) || json_array_size(json) > CONNECTIONS_MAX)
        return CONNECTIONS_E_MALFORMED;
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        const struct connection one = {.path = text_of(item, "path"),
                                       .target = text_of(item, "target"),
                                       .account = text_of(item, "account"),
                                       .password = text_of(item, "password")};

        if (!one.path || !one.target || !one.account || !one.password || one.path[0] == '\0' ||
            one.target[0] != '/')
            return CONNECTIONS_E_MALFORMED;

        int r = connections_keep(c, &one);

        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

json_t *connections_json(const struct connections *c, bool has_passwords)
{
    json_t *ret = json_array();

    for (size_t i = 0; i < c->n; i++) {
        const struct connection *one = &c->list[i];

        (void)json_array_append_new(
            ret,
            json_pack("{s:s, s:s, s:s, s:s?}",
                      "path",
                      one->path,
                      "target",
                      one->target,
                      "account",
                      one->account,
                      "password",
                      has_passwords && one->password[0] != '\0' ? one->password : NULL));
    }
    return ret;
}
