/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/digest.h"
#include "server/site/guard.h"
#include "site/idempotency.h"

#define IF_MATCH "If-Match"
#define KEY      "Idempotency-Key"
#define REPLAYED "Idempotency-Replayed"

enum {
    ETAG_BYTES = 16,
    ETAG_TEXT_MAX = 2 * ETAG_BYTES + 3, /* with quotes */
    TARGET_MAX_BYTES = 32 * 1024,
};

/* One of the members that do not count: what changes by itself would make every change fail. */
static bool is_without(const struct permission *permission, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = strstr(permission->etag_without, name); at; at = strstr(at + 1, name))
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

/* One thing without the members that do not count; owned by the caller. */
static json_t *without(const struct permission *permission, json_t *value)
{
    OWN(json_freep) json_t *copy = json_copy(value);
    const char *name;
    json_t *member;
    void *next;

    json_object_foreach_safe(copy, next, name, member)
    {
        if (is_without(permission, name))
            (void)json_object_del(copy, name);
    }
    return TAKE(copy);
}

/* What counts of what a GET shows, one thing or a list of them; owned by the caller. */
static json_t *what_counts(const struct permission *permission, json_t *value)
{
    const json_t *items = json_object_get(value, "items");
    OWN(json_freep) json_t *list = items ? json_array() : without(permission, value);
    size_t i;
    json_t *item;

    json_array_foreach(items, i, item)
    {
        if (!list || json_array_append_new(list, without(permission, item)) < 0)
            return NULL;
    }
    return TAKE(list);
}

static int
put_etag(const struct permission *permission, json_t *value, char ret[static ETAG_TEXT_MAX])
{
    OWN(json_freep) json_t *counting = what_counts(permission, value);
    OWN(freep) char *text = counting ? json_dumps(counting, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    uint8_t digest[SHA256_BYTES];
    int r;

    if (!text)
        return ERR(-ENOMEM);
    r = digest_sha256(bytes_of(text), digest);
    if (r < 0)
        return TRACE(r);
    ret[0] = '"';
    hex_put(ret + 1, (struct bytes){digest, ETAG_BYTES});
    ret[ETAG_TEXT_MAX - 2] = '"';
    ret[ETAG_TEXT_MAX - 1] = '\0';
    return 0;
}

int change_add_etag(struct http_exchange *x, const struct permission *permission, json_t *value)
{
    char etag[ETAG_TEXT_MAX];
    int r = put_etag(permission, value, etag);

    return r < 0 ? TRACE(r) : TRACE(http_add_header(x, "ETag", etag));
}

int change_show(struct api *api,
                struct http_exchange *x,
                const struct http_route *route,
                const struct permission *permission)
{
    struct api_capture capture = {.after = "", .limit = ROWS_LIMIT_MAX};
    OWN(json_freep) json_t *value = NULL;
    int r = api_capture(api, x, route->handle, &capture);

    value = capture.value;
    if (capture.r == API_CAPTURE_NOTHING)
        return r < 0 ? TRACE(r) : ERR(-ENOMSG);
    if (r == 0 && capture.r == 0)
        r = change_add_etag(x, permission, value);
    return r < 0 ? TRACE(r)
                 : TRACE(api_finish(api, x, capture.r, capture.status, value ? TAKE(value) : NULL));
}

static const struct http_route *find_get(const char *pattern)
{
    for (const struct http_route *route = api_routes; route->method; route++)
        if (strcmp(route->method, "GET") == 0 && strcmp(route->pattern, pattern) == 0)
            return route;
    return NULL;
}

/* Whether a list of ETags, or "*", has this one. Weak ones never fit. */
static bool has_etag(const char *list, const char *etag)
{
    size_t n = strlen(etag);

    while (*list) {
        size_t len;

        list += strspn(list, " \t,");
        len = strcspn(list, ",");
        while (len > 0 && (list[len - 1] == ' ' || list[len - 1] == '\t'))
            len--;
        if ((len == 1 && *list == '*') || (len == n && memcmp(list, etag, n) == 0))
            return true;
        list += len;
    }
    return false;
}

/* What the change is based on, as it is now. Return: 0, SITE_E_REFUSED, API_E_ANSWERED or -errno. */
static int look(struct api *api,
                struct http_exchange *x,
                const struct permission *permission,
                char ret[static ETAG_TEXT_MAX])
{
    const struct http_route *route = find_get(permission->shown_by);
    const struct permission *of_get = permission_of_route("GET", permission->shown_by);
    struct api_capture capture = {.after = "", .limit = ROWS_LIMIT_MAX};
    OWN(json_freep) json_t *value = NULL;
    int r;

    if (!route || !of_get)
        return ERR(-ENOENT);
    r = guard_check(api, x, of_get);
    if (r == 0)
        r = api_capture(api, x, route->handle, &capture);
    value = capture.value;
    if (r == 0)
        r = capture.r;
    return r == 0 ? TRACE(put_etag(permission, value, ret)) : TRACE(r);
}

/* Nobody else may change it between our look and our change. */
static int
check_match(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    const char *wanted = http_header(x, IF_MATCH);
    OWN(db_rollbackp) struct db *tx = NULL;
    char etag[ETAG_TEXT_MAX];
    int r;

    if (!wanted)
        return 0;
    if (!permission->shown_by)
        return refuse_header(
            api->site, IF_MATCH, "This change is based on nothing that has an ETag.");
    r = db_begin(api->site->db, &tx);
    if (r == 0)
        r = look(api, x, permission, etag);
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0 || has_etag(wanted, etag))
        return TRACE(r);
    (void)http_add_header(x, "ETag", etag);
    return refuse(
        api->site,
        REFUSAL_CHANGED,
        "Somebody has changed it since you looked. Look at it again, and decide whether you still want this.");
}

static int read_flag(struct api *api, struct http_exchange *x, const char *name, bool *ret)
{
    const char *value = http_query(x, name);

    *ret = value && strcmp(value, "true") == 0;
    if (!value || *ret || strcmp(value, "false") == 0)
        return 0;
    return refuse_parameter(api->site, name, "\"%s\" must be true or false.", name);
}

static void put_target(struct http_exchange *x, struct buf *dst)
{
    const char *name;

    buf_adds(dst, http_path(x));
    for (size_t i = 0; (name = http_query_name(x, i)); i++)
        buf_addf(dst, "\n%s=%s", name, http_query(x, name));
}

/* Do it, and keep its answer with what it did. Nothing is kept of what was refused: nothing was changed by it. */
static int do_once(struct api *api,
                   struct http_exchange *x,
                   const struct http_route *route,
                   const struct idempotency_request *request)
{
    struct api_capture capture = {.after = ""};
    OWN(json_freep) json_t *value = NULL;
    int r = api_capture(api, x, route->handle, &capture);

    value = capture.value;
    if (r < 0 || capture.r == API_CAPTURE_NOTHING)
        return TRACE(r); /* it waits for something, or has answered by itself */
    if (capture.r == 0)
        r = idempotency_keep(api->site, request, capture.status, value);
    return TRACE(
        api_finish(api, x, r < 0 ? r : capture.r, capture.status, value ? TAKE(value) : NULL));
}

/* What was done already is answered as it was then: that it is another thing since is its own doing. */
static int handle_named(struct api *api,
                        struct http_exchange *x,
                        const struct http_route *route,
                        const struct permission *permission)
{
    OWN(buf_fini) struct buf target = BUF_INIT(TARGET_MAX_BYTES);
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *answer = NULL;
    struct idempotency_request request = {
        .key = http_header(x, KEY), .method = http_method(x), .body = http_body(x)};
    unsigned status = 0;
    int r = db_begin(api->site->db, &tx); /* from here on nobody else does the same */

    put_target(x, &target);
    request.target = buf_str(&target);
    if (r == 0 && target.failed)
        r = ERR(-ENOMEM);
    if (r == 0)
        r = idempotency_find(api->site, &request, &status, &answer);
    if (r == IDEMPOTENCY_E_DONE)
        r = http_add_header(x, REPLAYED, "true");
    else if (r == 0)
        r = db_commit(&tx);
    if (r != 0 || status != 0)
        return TRACE(api_finish(api, x, r, status, r == 0 && answer ? TAKE(answer) : NULL));
    r = check_match(api, x, permission);
    if (r != 0)
        return TRACE(api_finish(api, x, r, 0, NULL));
    return TRACE(do_once(api, x, route, &request));
}

int change_handle(struct api *api,
                  struct http_exchange *x,
                  const struct http_route *route,
                  const struct permission *permission)
{
    bool is_tried = false;
    int r = read_flag(api, x, "validate_only", &is_tried);

    if (r == 0 && !is_tried && permission->has_key && http_header(x, KEY))
        return TRACE(handle_named(api, x, route, permission));
    if (r == 0)
        r = check_match(api, x, permission);
    if (r != 0)
        return TRACE(api_finish(api, x, r, 0, NULL));
    api->is_tried = is_tried;
    r = route->handle(api, x);
    api->is_failed |= is_tried;
    return TRACE(r);
}
