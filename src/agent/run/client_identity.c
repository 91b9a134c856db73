/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/client_identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/state.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    VERSION = 1,
    FILE_MAX_BYTES = 16 * 1024,
    FILE_MODE = 0600,
    FOLDER_MODE = 0700,
    PATH_MAX_BYTES = 4096,
};

void client_identity_fini(struct client_identity *identity)
{
    explicit_bzero(identity->key, sizeof(identity->key));
}

static bool copy_text(const json_t *object, const char *field, char *dst, size_t cap)
{
    const char *text = json_string_value(json_object_get(object, field));

    if (!text || text[0] == '\0' || strlen(text) >= cap)
        return false;
    memcpy(dst, text, strlen(text) + 1);
    return true;
}

static bool parse(const json_t *json, struct client_identity *ret)
{
    struct state state = {0};
    bool is_good = json_integer_value(json_object_get(json, "version")) == VERSION &&
                   state_read_site(json_object_get(json, "site"), &state) && state.has_key &&
                   copy_text(json, "device_id", ret->device_id, sizeof(ret->device_id)) &&
                   copy_text(json, "device_name", ret->device_name, sizeof(ret->device_name));

    ret->site = state.site;
    memcpy(ret->key, state.key, sizeof(ret->key));
    explicit_bzero(state.key, sizeof(state.key));
    return is_good;
}

int client_identity_read(const char *root, struct client_identity *ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    OWN(json_decrefp) json_t *json = NULL;
    int r;

    *ret = (struct client_identity){0};
    buf_addf(&path, "%s/" CLIENT_FILE, root);
    r = file_read(buf_str(&path), &text);
    if (r != 0)
        return r == FILE_E_MISSING     ? CLIENT_E_NONE
               : r == FILE_E_TOO_LARGE ? CLIENT_E_MALFORMED
                                       : TRACE(r);
    json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (text.len > 0)
        explicit_bzero(text.ptr, text.len);
    return json && parse(json, ret) ? 0 : CLIENT_E_MALFORMED;
}

int client_identity_write(const char *root, const struct client_identity *identity)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(json_decrefp) json_t *json = NULL;
    OWN(freep) char *text = NULL;
    struct state state = {.site = identity->site, .has_key = true};
    int r;

    memcpy(state.key, identity->key, sizeof(state.key));
    json = json_pack("{s:i, s:s, s:s, s:o}",
                     "version",
                     VERSION,
                     "device_id",
                     identity->device_id,
                     "device_name",
                     identity->device_name,
                     "site",
                     state_site_json(&state));
    explicit_bzero(state.key, sizeof(state.key));
    text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    if (!text)
        return ERR(-ENOMEM);
    buf_addf(&path, "%s/" CLIENT_FOLDER, root);
    r = dir_make(buf_str(&path), FOLDER_MODE);
    buf_clear(&path);
    buf_addf(&path, "%s/" CLIENT_FILE, root);
    if (r == 0)
        r = file_write(buf_str(&path), bytes_of(text), FILE_MODE);
    explicit_bzero(text, strlen(text));
    return TRACE(r);
}

int client_identity_remove(const char *root)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&path, "%s/" CLIENT_FILE, root);
    return unlink(buf_str(&path)) == 0 || errno == ENOENT ? 0 : ERR(-errno);
}
