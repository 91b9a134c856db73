/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "rt/log.h"
#include "server/site/api.h"
#include "server/site/change.h"
#include "server/site/limit.h"
#include "server/site/list.h"
#include "server/site/readers.h"
#include "site/audit.h"
#include "site/collection.h"
#include "site/object.h"
#include "site/permission.h"

#define REAL_IP "X-Real-IP"
#define CSRF    "X-CSRF-Token"
#define HTTPS   "https://"
#define COOKIE  API_SESSION_COOKIE "="

enum {
    PATH_MAX_BYTES = 512,
};

static bool is_class(const struct permission *permission, const char *class)
{
    return strcmp(permission->class, class) == 0;
}

/* Who has a token or session of an administrator is not needed, or is somebody else. */
static bool is_open(const struct permission *permission)
{
    return is_class(permission, "public") || is_class(permission, "internal") ||
           is_class(permission, "client");
}

static bool is_reading(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* The value of our cookie. Return: whether there is one that fits. */
static bool find_cookie(struct http_exchange *x, char ret[static TOKEN_TEXT_MAX])
{
    const char *header = http_header(x, "Cookie");
    const char *at = header ? strstr(header, COOKIE) : NULL;
    size_t n;

    if (!at || (at != header && at[-1] != ' ' && at[-1] != ';'))
        return false;
    at += strlen(COOKIE);
    n = strcspn(at, "; ");
    if (n >= TOKEN_TEXT_MAX)
        return false;
    memcpy(ret, at, n);
    ret[n] = '\0';
    return true;
}

/* A browser says from whose page a request comes; a change from another one is not wanted. */
static bool is_origin_ours(struct http_exchange *x)
{
    const char *origin = http_header(x, "Origin");
    const char *host = http_header(x, "Host");

    return origin && host && strncmp(origin, HTTPS, strlen(HTTPS)) == 0 &&
           strcmp(origin + strlen(HTTPS), host) == 0;
}

static int check_cookie(struct api *api, struct http_exchange *x, struct principal *ret)
{
    char secret[TOKEN_TEXT_MAX];
    bool is_change = !is_reading(http_method(x));

    if (!find_cookie(x, secret))
        return TRACE(access_check_admin(api->site, NULL, ret));
    if (is_change && !is_origin_ours(x))
        return refuse(api->site,
                      REFUSAL_CSRF,
                      "What changes something in a browser's session must come from this site's "
                      "own pages.");
    return TRACE(access_check_session(api->site, secret, http_header(x, CSRF), is_change, ret));
}

/* From where the request comes, and what it is called. */
static void note_request(struct http_exchange *x, struct principal *ret)
{
    const char *address = http_header(x, REAL_IP);

    (void)snprintf(ret->address, sizeof(ret->address), "%s", address ? address : "");
    (void)snprintf(ret->request_id, sizeof(ret->request_id), "%s", http_request_id(x));
}

static int authenticate(struct api *api, struct http_exchange *x, struct principal *ret)
{
    const char *token = api_bearer(x);
    int r = token ? access_check_admin(api->site, token, ret) : check_cookie(api, x, ret);

    if (r != 0)
        return TRACE(r);
    note_request(x, ret);
    (void)snprintf(api->who, sizeof(api->who), "%s", ret->name);
    return 0;
}

static int check_also(struct api *api, struct http_exchange *x, const struct permission_also *also)
{
    OWN(json_freep) json_t *body = NULL;
    const char *which = also->param ? http_param(x, also->param) : NULL;
    int r;

    if (also->member) {
        r = api_body(x, &body);
        if (r != 0)
            return r;
        which = json_string_value(json_object_get(body, also->member));
    }
    r = principal_check(api->site, also->class, also->verb);
    if (r != 0 || !which)
        return TRACE(r);
    return TRACE(principal_check_object(api->site, also->class, also->verb, also->class, which));
}

/* nginx asks for whoever sends something; a device that captures is known by its own token, and its handler judges it. */
static bool is_also_for_devices(const struct permission *permission)
{
    return strcmp(permission->operation, "internalAuthorize") == 0;
}

/* Nothing of this class is hidden from whoever has all devices. */
static bool sees_all(struct api *api, const struct permission *permission)
{
    return principal_check_object(api->site,
                                  permission->class,
                                  permission->verb,
                                  "collection",
                                  COLLECTION_ALL_SYSTEMS) == 0;
}

static int
check_object(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    const char *which;
    bool is_missing;
    int r;

    if (!permission->object_class)
        return 0;
    which = http_param(x, permission->object_param);
    r = principal_check_object(
        api->site, permission->class, permission->verb, permission->object_class, which);
    is_missing = r == SITE_E_REFUSED && api->site->refusal.id == REFUSAL_MISSING;
    if (!is_missing || !permission->is_of_unseen)
        return TRACE(r);
    if (sees_all(api, permission))
        return 0; /* the rule says what is known of it */
    return TRACE(principal_check_object(
        api->site, permission->class, permission->verb, permission->object_class, which));
}

/* First in general, so that who may never gets to know what there is. */
int guard_check(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    const char *class = permission->class;
    int r = is_class(permission, "own") ? 0 : principal_check(api->site, class, permission->verb);

    if (r == 0)
        r = check_object(api, x, permission);
    for (size_t i = 0; r == 0 && i < PERMISSION_ALSO_MAX && permission->also[i].class; i++)
        r = check_also(api, x, &permission->also[i]);
    return r;
}

static int refuse_rate(struct api *api, const char *who)
{
    return refuse(api->site,
                  REFUSAL_RATE,
                  "%s made more requests than the site allows in a second. Wait a little.",
                  who);
}

/* Who comes through nginx, signed in or not; nginx says from where. */
static int check_address(struct api *api, struct http_exchange *x)
{
    const char *address = http_header(x, REAL_IP);

    if (!address || limit_take(api->address_limit, address, clock_monotonic_us()))
        return 0;
    return refuse_rate(api, "This address has");
}

/* Nobody's page but ours signs somebody in: what a form of another one sends has its origin. */
static int check_page(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    if (!is_class(permission, "public") || is_reading(http_method(x)) ||
        !http_header(x, "Origin") || is_origin_ours(x))
        return 0;
    return refuse(api->site, REFUSAL_CSRF, "This site signs in only who comes from its own pages.");
}

static int authorize(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    struct principal principal = {.operation = NULL};
    int r;

    if (is_open(permission)) {
        note_request(x, &principal);
        principal_set(api->site, &principal);
        return TRACE(check_page(api, x, permission));
    }
    r = is_also_for_devices(permission) ? 0 : check_address(api, x);
    if (r == 0)
        r = authenticate(api, x, &principal);
    if (r == SITE_E_REFUSED && is_also_for_devices(permission))
        return 0; /* api->who stays empty: it is no administrator */
    if (r != 0)
        return TRACE(r);
    principal.operation = permission;
    principal_set(api->site, &principal);
    /* nginx makes 500 of what is neither yes nor no, and an upload has many parts */
    if (!is_also_for_devices(permission) &&
        !limit_take(api->limit, principal.id, clock_monotonic_us()))
        return refuse_rate(api, "You have");
    return guard_check(api, x, permission);
}

/* What a change is about, for the audit log: an id or name; of an administrator, role or scope it is looked up here. */
static int
note_before(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    const char *class = permission->object_class;
    char id[PRINCIPAL_OBJECT_MAX];
    int r;

    if (is_reading(http_method(x)) || is_open(permission) || !class)
        return 0;
    r = object_find_any(api->site, class, http_param(x, permission->object_param), id);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0; /* the rule will say it */
    return TRACE(audit_before(api->site, class, id));
}

static void leave(struct api *api)
{
    db_set_read_only(api->site->db, false);
    principal_clear(api->site);
    api->who[0] = '\0';
    api->capture = NULL;
    api->is_failed = false;
    api->is_tried = false;
}

/* What the contract does not know is a mistake that should not go unseen. */
static int
check_queries(struct api *api, struct http_exchange *x, const struct permission *permission)
{
    const char *name;

    for (size_t i = 0; permission->queries && (name = http_query_name(x, i)); i++) {
        const char *const *known = permission->queries;

        while (*known && strcmp(*known, name) != 0)
            known++;
        if (!*known)
            return refuse_parameter(
                api->site, name, "The parameter \"%.64s\" is not known here.", name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(http_query_name(x, j), name) == 0)
                return refuse_parameter(
                    api->site, name, "The parameter \"%.64s\" is given twice.", name);
    }
    return 0;
}

/* By what the contract says of it. */
static int call(struct api *api,
                struct http_exchange *x,
                const struct http_route *route,
                const struct permission *permission)
{
    if (is_open(permission))
        return TRACE(route->handle(api, x));
    if (!is_reading(route->method))
        return TRACE(change_handle(api, x, route, permission));
    if (permission->list)
        return TRACE(list_handle(api, x, route, permission));
    return permission->shown_by ? TRACE(change_show(api, x, route, permission))
                                : TRACE(route->handle(api, x));
}

static int handle(struct api *api,
                  struct http_exchange *x,
                  const struct http_route *route,
                  const struct permission *permission)
{
    int r = authorize(api, x, permission);

    if (r == 0)
        r = check_queries(api, x, permission);
    if (r == 0)
        r = note_before(api, x, permission);
    if (r != 0)
        return TRACE(api_finish(api, x, r, 0, NULL));
    /* what a device or a role asks is a sign of life, which is noted */
    db_set_read_only(api->site->db, is_reading(http_method(x)) && !is_open(permission));
    return TRACE(call(api, x, route, permission));
}

/* A reader answers from one moment, and leaves what it would note to the writer. */
static int handle_as_reader(struct api *api,
                            struct http_exchange *x,
                            const struct http_route *route,
                            const struct permission *permission)
{
    int r = db_snapshot_begin(api->site->db);

    if (r < 0)
        return ERR(-EAGAIN); /* the writer may fare better */
    r = handle(api, x, route, permission);
    db_snapshot_end(api->site->db);
    readers_keep_use(api->readers, api->site);
    return TRACE(r);
}

/* What a change is decided by is not changed by another site server between the two. */
static int handle_as_writer(struct api *api,
                            struct http_exchange *x,
                            const struct http_route *route,
                            const struct permission *permission)
{
    int r = is_reading(http_method(x)) ? 0 : db_batch_lock(api->site->db);

    return r < 0 ? TRACE(r) : TRACE(handle(api, x, route, permission));
}

int guard_handle(void *ctx, struct http_exchange *x, const struct http_route *route)
{
    struct api *api = ctx;
    const struct permission *permission = permission_of_route(route->method, route->pattern);
    int ended;
    int r;

    if (!permission) {
        log_error("the contract does not know a route", "pattern=%s", route->pattern);
        return ERR(-EPERM);
    }
    leave(api);
    (void)api_begin(api);
    db_part_begin(api->site->db);
    if (api->is_reader)
        r = handle_as_reader(api, x, route, permission);
    else
        r = handle_as_writer(api, x, route, permission);
    ended = db_part_end(api->site->db, r >= 0 && !api->is_failed);
    leave(api);
    return r < 0 ? TRACE(r) : TRACE(ended);
}

bool guard_is_for_administrators(const struct http_route *route)
{
    const struct permission *permission = permission_of_route(route->method, route->pattern);

    /* nginx waits for it with an upload or a capture, which long lists are not to stop */
    return permission && !is_open(permission) && !is_also_for_devices(permission);
}

int guard_authorize(struct api *api, const char *method, const char *path)
{
    char text[PATH_MAX_BYTES];
    const struct permission *permission;

    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(path, "?"), path);
    permission = permission_of_path(method, text);
    if (!permission || is_open(permission))
        return refuse(api->site, REFUSAL_FORBIDDEN, "There is nothing to be served.");
    return TRACE(principal_check(api->site, permission->class, permission->verb));
}
