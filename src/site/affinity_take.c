/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a task sequence wants of primary users, when it has succeeded
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/affinity.h"
#include "site/fields.h"
#include "site/order_state.h"
#include "site/variable.h"

#define MODE_VARIABLE  "SMSTSAssignUsersMode"
#define USERS_VARIABLE "SMSTSUDAUsers"

enum {
    MODE_MAX = 16,
    USERS_MAX = 8 * 1024,
};

struct wish {
    char mode[MODE_MAX];
    char users[USERS_MAX];
};

/* Names of variables are the same in upper and lower case. */
static const char *find_variable(const json_t *state, const char *name)
{
    json_t *variables = json_object_get(state, "variables");
    const char *key;
    json_t *value;

    json_object_foreach(
        variables, key, value) if (strcasecmp(key, name) == 0 &&
                                   json_is_string(value)) return json_string_value(value);
    return "";
}

/* What the device told last; or, if it told nothing, what it was given. */
static int
read_wish(struct site *site, const char *order_id, const char *device_id, struct wish *ret)
{
    OWN(json_freep) json_t *state = NULL;
    int r = order_state_load(site, order_id, &state);

    *ret = (struct wish){0};
    if (r < 0)
        return TRACE(r);
    if (state) {
        (void)snprintf(ret->mode, sizeof(ret->mode), "%s", find_variable(state, MODE_VARIABLE));
        (void)snprintf(ret->users, sizeof(ret->users), "%s", find_variable(state, USERS_VARIABLE));
        return 0;
    }
    r = variable_find(site, device_id, MODE_VARIABLE, ret->mode, sizeof(ret->mode));
    if (r == 0)
        r = variable_find(site, device_id, USERS_VARIABLE, ret->users, sizeof(ret->users));
    return TRACE(r);
}

/* @ret: "deployment": at once, "request", or NULL: nothing. */
static int find_way(struct site *site, const char *wanted, const char **ret)
{
    OWN(json_freep) json_t *row = NULL;
    bool is_auto = strcasecmp(wanted, "Auto") == 0;
    const char *allowed;
    int r = affinity_mode_get(site, NULL, &row);

    *ret = NULL;
    if (r < 0)
        return TRACE(r);
    allowed = field_text(row, "mode", "none");
    if (strcmp(allowed, "none") == 0 || (!is_auto && strcasecmp(wanted, "Pending") != 0))
        return 0;
    *ret = is_auto && strcmp(allowed, "automatic") == 0 ? "deployment" : "request";
    return 0;
}

struct taking {
    struct site *site;
    const char *device_id;
    char deployment_id[SITE_ID_MAX];
    const char *way;
};

static int take_one(const struct taking *t, const char *user)
{
    bool is_request = strcmp(t->way, "request") == 0;
    uint64_t n = 0;
    int r;

    if (is_request)
        r = db_run(t->site->db,
                   SQL_DEVICE_USER_REQUEST_ADD,
                   DB_ARGS(db_text(t->device_id),
                           db_text(user),
                           db_text(t->deployment_id),
                           db_u64(t->site->now_us)),
                   &n);
    else
        r = db_run(t->site->db,
                   SQL_DEVICE_USER_ADD,
                   DB_ARGS(db_text(t->device_id),
                           db_text(user),
                           db_text("deployment"),
                           db_u64(t->site->now_us)),
                   &n);
    if (r != 0 || n == 0)
        return r > 0 ? ERR(-EIO) : TRACE(r);
    return TRACE(site_audit(t->site,
                            t->deployment_id,
                            is_request ? "affinity.ask" : "device.add-user",
                            t->device_id,
                            user));
}

/* Without the blanks at its ends. */
static void trim(struct bytes part, char *ret, size_t cap)
{
    while (part.len > 0 && part.ptr[0] == ' ')
        part = (struct bytes){part.ptr + 1, part.len - 1};
    while (part.len > 0 && part.ptr[part.len - 1] == ' ')
        part.len--;
    (void)snprintf(ret, cap, "%.*s", (int)part.len, (const char *)part.ptr);
}

static int take_all(const struct taking *t, const char *users)
{
    char user[AFFINITY_USER_MAX_BYTES + 2]; /* one more, so that what is too long is seen */
    unsigned n = 0;
    int r = 0;

    for (const char *p = users; r == 0 && *p && n < AFFINITY_DEPLOYMENT_MAX;) {
        size_t len = strcspn(p, ",");

        trim((struct bytes){(const uint8_t *)p, len}, user, sizeof(user));
        p += len + (p[len] == ',' ? 1 : 0);
        if (!affinity_user_is_good(user))
            continue;
        n++;
        r = take_one(t, user);
    }
    return TRACE(r);
}

static int find_deployment(struct site *site, const char *order_id, char *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_AFFINITY_ORDER, DB_ARGS(db_text(order_id)), &rows);

    if (r == DB_ROW)
        (void)snprintf(ret, SITE_ID_MAX, "%s", db_get_text(&rows, 0));
    return r == DB_ROW ? 0 : r < 0 ? TRACE(r) : ERR(-EIO);
}

int affinity_take(struct site *site, const char *order_id, const char *device_id)
{
    struct taking taking = {.site = site, .device_id = device_id};
    struct wish wish;
    int r = read_wish(site, order_id, device_id, &wish);

    if (r == 0)
        r = find_way(site, wish.mode, &taking.way);
    if (r == 0 && taking.way)
        r = find_deployment(site, order_id, taking.deployment_id);
    if (r != 0 || !taking.way)
        return TRACE(r);
    return TRACE(take_all(&taking, wish.users));
}
