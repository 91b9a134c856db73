/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/unnamed.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "rt/http_client.h"

enum {
    PATH_MAX_BYTES = 4096,
    FILE_MAX_BYTES = 16 * 1024 * 1024,
    FILE_MODE = 0600,
    ASK_MAX = 512, /* names in one question */
    HTTP_OK = 200,
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* A question on its way. */
struct asking {
    struct http_client *site;
    json_t *names;   /* owned; what is asked about next */
    json_t *unnamed; /* owned; {"<sha256>": …} that the site does not know */
};

static void asking_fini(struct asking *asking)
{
    json_decref(asking->names);
    json_decref(asking->unnamed);
}

/* Return: 0, UNNAMED_E_AWAY, or -ENOMEM. */
static int ask(struct asking *asking)
{
    OWN(json_decrefp) json_t *body = json_pack("{s:O}", "manifests", asking->names);
    OWN(json_decrefp) json_t *answer = NULL;
    const json_t *unnamed;
    unsigned status = 0;

    if (!body)
        return ERR(-ENOMEM);
    if (http_client_json(asking->site,
                         "POST",
                         "/api/v1/internal/dp/manifests:unnamed",
                         body,
                         &status,
                         &answer) != 0 ||
        status != HTTP_OK)
        return UNNAMED_E_AWAY;
    unnamed = json_object_get(answer, "unnamed");
    for (size_t i = 0; i < json_array_size(unnamed); i++) {
        const char *name = json_string_value(json_array_get(unnamed, i));

        if (name && json_object_set_new(asking->unnamed, name, json_null()) < 0)
            return ERR(-ENOMEM);
    }
    return json_array_clear(asking->names) == 0 ? 0 : ERR(-ENOMEM);
}

/* Ask about every manifest that is there. */
static int ask_all(struct asking *asking, const char *folder)
{
    OWN(closedirp) DIR *dir = opendir(folder);
    uint8_t id[SHA256_BYTES];
    int r = 0;

    while (dir && r == 0) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            break;
        if (!hex_parse(bytes_of(entry->d_name), SHA256_BYTES, id))
            continue;
        if (json_array_append_new(asking->names, json_string(entry->d_name)) < 0)
            return ERR(-ENOMEM);
        if (json_array_size(asking->names) == ASK_MAX)
            r = ask(asking);
    }
    if (r == 0 && json_array_size(asking->names) > 0)
        r = ask(asking);
    return TRACE(r);
}

/* What was known before; nothing if it cannot be read. */
static json_t *load(const char *path)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

    if (file_read(path, &text) != 0)
        return NULL;
    return json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
}

static int save(const char *path, const json_t *known)
{
    OWN(freep) char *text = json_dumps(known, JSON_COMPACT);

    if (!text)
        return ERR(-ENOMEM);
    return TRACE(file_write(path, bytes_of(text), FILE_MODE));
}

/* @known: since when; a time to come, of a clock that was wrong, begins anew. */
static uint64_t since(const json_t *known, const char *name, uint64_t now_s)
{
    const json_t *at = json_object_get(known, name);

    if (!json_is_integer(at) || json_integer_value(at) < 0 ||
        (uint64_t)json_integer_value(at) > now_s)
        return now_s;
    return (uint64_t)json_integer_value(at);
}

/* @unnamed: gets the times. @ret: the names that are old enough. */
static int sort_out(json_t *unnamed, const json_t *known, uint64_t now_s, json_t *ret)
{
    for (void *at = json_object_iter(unnamed); at; at = json_object_iter_next(unnamed, at)) {
        const char *name = json_object_iter_key(at);
        uint64_t since_s = since(known, name, now_s);

        if (json_object_iter_set_new(unnamed, at, json_integer((json_int_t)since_s)) < 0)
            return ERR(-ENOMEM);
        if (now_s - since_s >= UNNAMED_AGE_S && json_array_size(ret) < UNNAMED_MAX &&
            json_array_append_new(ret, json_string(name)) < 0)
            return ERR(-ENOMEM);
    }
    return 0;
}

int unnamed_find(const char *state_folder, struct http_client *site, uint64_t now_s, json_t **ret)
{
    OWN(asking_fini)
    struct asking asking = {.site = site, .names = json_array(), .unnamed = json_object()};
    OWN(json_decrefp) json_t *known = NULL;
    OWN(json_decrefp) json_t *due = json_array();
    char folder[PATH_MAX_BYTES];
    char path[PATH_MAX_BYTES];
    int r;

    if (!asking.names || !asking.unnamed || !due)
        return ERR(-ENOMEM);
    if (snprintf(folder, sizeof(folder), "%s/dp/content/manifests", state_folder) >=
            (int)sizeof(folder) ||
        snprintf(path, sizeof(path), "%s/" UNNAMED_FILE, state_folder) >= (int)sizeof(path))
        return ERR(-ENAMETOOLONG);
    r = ask_all(&asking, folder);
    if (r != 0)
        return TRACE(r);
    known = load(path);
    r = sort_out(asking.unnamed, known, now_s, due);
    if (r == 0 && (known || json_object_size(asking.unnamed) > 0))
        r = save(path, asking.unnamed);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(due);
    return 0;
}
