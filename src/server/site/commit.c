/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/commit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "db/db.h"
#include "rt/log.h"
#include "server/site/api.h"
#include "server/site/event_hub.h"

#define RETRY_AFTER_S "1"

struct failure {
    int r;
    unsigned status;
    const char *error_id;
    const char *title;
    const char *detail;
};

#define NOTHING_KEPT \
    503, "SLW-0021", "The database is not ready", \
        "Nothing was changed: the database could not take it in time. Send the request again."

static const struct failure failures[] = {
    {-ENOSPC,
     507,
     "SLW-0013",
     "Disk full",
     "Nothing was changed: there is no space left on the server for its database."},
    {-EAGAIN, NOTHING_KEPT},
    {-EBUSY, NOTHING_KEPT},
    {-ETIMEDOUT, NOTHING_KEPT},
    {-ECONNRESET, NOTHING_KEPT},
    {-ECONNREFUSED, NOTHING_KEPT},
    {-ECANCELED, NOTHING_KEPT},
    {-ECONNABORTED,
     503,
     "SLW-0022",
     "It is not known whether it was done",
     "The database went while it was told to keep the change. Look whether it is there before you "
     "send the request again."},
};

static const struct failure *find(int r)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].r == r)
            return &failures[i];
    return NULL;
}

bool commit_is_known(int r)
{
    return find(r) != NULL;
}

int commit_reply(struct http_exchange *x, int r)
{
    const struct failure *failure = find(r);
    int added;

    if (!failure)
        return ERR(r);
    added = failure->status == 503 ? http_add_header(x, "Retry-After", RETRY_AFTER_S) : 0;
    if (added < 0)
        return TRACE(added);
    return TRACE(http_reply_problem(
        x, failure->status, failure->error_id, failure->title, "%s", failure->detail));
}

static void begin(void *ctx)
{
    struct api *api = ctx;

    db_batch_begin(api->site->db);
}

static bool is_open(void *ctx)
{
    struct api *api = ctx;

    return db_batch_has_changes(api->site->db);
}

static int commit(void *ctx)
{
    struct api *api = ctx;
    bool is_news = db_batch_has_changes(api->site->db);
    int r = db_batch_commit(api->site->db);

    if (r == 0 && is_news)
        event_hub_wake(api->event_hub);

    if (r < 0)
        log_error("what was changed could not be made durable",
                  "why=\"%s: %s\"",
                  strerrordesc_np(-r),
                  db_why(api->site->db));
    return TRACE(r);
}

static int refuse_changes(void *ctx, struct http_exchange *x, int r)
{
    (void)ctx;
    return TRACE(commit_reply(x, r));
}

const struct http_batch commit_batch = {
    .begin = begin,
    .is_open = is_open,
    .commit = commit,
    .refuse = refuse_changes,
};
