/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    FILE_MAX_BYTES = 16 * 1024,
    PATH_MAX_BYTES = 4096,
};

static void json_freep(json_t **value)
{
    json_decref(*value);
}

static const char *env_get(const char *name)
{
    const char *value = secure_getenv(name);

    return value && value[0] ? value : NULL;
}

struct credentials_env credentials_env(void)
{
    return (struct credentials_env){
        .config_home = env_get("XDG_CONFIG_HOME"),
        .home = env_get("HOME"),
        .url = env_get("SLIPWAY_URL"),
        .pin = env_get("SLIPWAY_PIN"),
        .token = env_get("SLIPWAY_TOKEN"),
    };
}

void credentials_fini(struct credentials *c)
{
    if (c->token)
        explicit_bzero(c->token, strlen(c->token));
    free(c->url);
    free(c->token);
    *c = (struct credentials){0};
}

bool credentials_path(const struct credentials_env *env, struct buf *ret)
{
    buf_clear(ret);
    if (env->config_home)
        buf_addf(ret, "%s/slipway/credentials.json", env->config_home);
    else if (env->home)
        buf_addf(ret, "%s/.config/slipway/credentials.json", env->home);
    return ret->len > 0 && !ret->failed;
}

bool credentials_url_is_fit(const char *url)
{
    static const char https[] = "https://";

    if (strncmp(url, "unix:/", strlen("unix:/")) == 0)
        return true;
    if (strncmp(url, https, strlen(https)) != 0)
        return false;
    url += strlen(https);
    for (const char *at = url; *at; at++) {
        if (*at <= ' ' || *at == 0x7f || strchr("/?#@\\\"", *at))
            return false;
    }
    return url[0] != '\0';
}

/* Replace an owned text. */
static int set_text(char **dst, const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return ERR(-ENOMEM);
    free(*dst);
    *dst = copy;
    return 0;
}

static int parse_file(struct bytes text, struct credentials *ret)
{
    OWN(json_freep)
    json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *url = json_string_value(json_object_get(root, "url"));
    const char *pin = json_string_value(json_object_get(root, "pin"));
    const char *token = json_string_value(json_object_get(root, "token"));
    int r;

    if (!url || !credentials_url_is_fit(url))
        return CREDENTIALS_E_BROKEN;
    if (pin) {
        if (!hex_parse(bytes_of(pin), SHA256_BYTES, ret->pin))
            return CREDENTIALS_E_BROKEN;
        ret->has_pin = true;
    }
    r = set_text(&ret->url, url);
    if (r == 0)
        r = set_text(&ret->token, token);
    return TRACE(r);
}

static int load_file(const struct credentials_env *env, struct credentials *ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r;

    if (!credentials_path(env, &path))
        return CREDENTIALS_E_MISSING;
    r = file_read(buf_str(&path), &text);
    if (r < 0)
        return TRACE(r);
    if (r == FILE_E_MISSING)
        return CREDENTIALS_E_MISSING;
    if (r != 0)
        return CREDENTIALS_E_BROKEN;
    r = parse_file(buf_bytes(&text), ret);
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    return r;
}

static int apply_env(const struct credentials_env *env, struct credentials *ret)
{
    int r = 0;

    if (env->url && (!ret->url || strcmp(env->url, ret->url) != 0)) {
        credentials_fini(ret);
        r = set_text(&ret->url, env->url);
    }
    if (r == 0 && env->token)
        r = set_text(&ret->token, env->token);
    if (r < 0)
        return TRACE(r);
    if (env->pin) {
        if (!hex_parse(bytes_of(env->pin), SHA256_BYTES, ret->pin))
            return CREDENTIALS_E_PIN;
        ret->has_pin = true;
    }
    return 0;
}

int credentials_load(const struct credentials_env *env, struct credentials *ret)
{
    int r = load_file(env, ret);

    if (r < 0)
        return TRACE(r);
    if (r == CREDENTIALS_E_BROKEN && !env->url)
        return CREDENTIALS_E_BROKEN;
    if (r == CREDENTIALS_E_BROKEN)
        credentials_fini(ret);
    if (r == CREDENTIALS_E_MISSING && !env->url)
        return CREDENTIALS_E_MISSING;
    r = apply_env(env, ret);
    return r < 0 ? TRACE(r) : r;
}

int credentials_save(const struct credentials_env *env, const struct credentials *c)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(json_freep) json_t *root = json_object();
    OWN(freep) char *text = NULL;
    char hex[SHA256_TEXT_MAX];
    int r;

    if (!credentials_path(env, &path))
        return ERR(-ENOENT);
    hex_put(hex, (struct bytes){c->pin, SHA256_BYTES});
    if (json_object_set_new(root, "url", json_string(c->url)) < 0)
        return ERR(-ENOMEM);
    if (c->has_pin && json_object_set_new(root, "pin", json_string(hex)) < 0)
        return ERR(-ENOMEM);
    if (c->token && json_object_set_new(root, "token", json_string(c->token)) < 0)
        return ERR(-ENOMEM);
    text = json_dumps(root, JSON_INDENT(2));
    if (!text)
        return ERR(-ENOMEM);

    *strrchr(path.ptr, '/') = '\0';
    r = dir_make(path.ptr, 0700);
    path.ptr[strlen(path.ptr)] = '/';
    if (r == 0)
        r = file_write(path.ptr, bytes_of(text), 0600);
    explicit_bzero(text, strlen(text));
    return TRACE(r);
}
