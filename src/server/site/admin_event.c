/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_event.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "server/site/api.h"
#include "server/site/event_hub.h"
#include "site/event.h"

#define LAST_ID "Last-Event-ID"

enum {
    RETRY_AFTER_S = 5,
};

/* What an interrupted one says counts before what its address says, which a browser asks for again. */
static int read_place(struct api *api, struct http_exchange *x, struct event_start *ret)
{
    const char *last = http_header(x, LAST_ID);
    const char *since = http_query(x, "since");

    ret->has_place = (last && last[0] != '\0') || since;
    if (!ret->has_place)
        return 0;
    if (last && last[0] != '\0')
        return bytes_parse_u64(bytes_of(last), 0, INT64_MAX, &ret->place)
                   ? 0
                   : refuse_header(api->site, LAST_ID, LAST_ID " is no number of an event.");
    if (bytes_parse_u64(bytes_of(since), 0, INT64_MAX, &ret->place))
        return 0;
    return refuse_parameter(api->site, "since", "\"since\" is no number of an event.");
}

static int refuse_full(struct api *api)
{
    int r = refuse(
        api->site,
        REFUSAL_STREAMS,
        "There are %d streams of events already at this site server, or %d of yours. End some.",
        EVENT_FOLLOWERS_MAX,
        EVENT_FOLLOWERS_OF_ONE_MAX);

    api->site->refusal.retry_after_s = RETRY_AFTER_S;
    return r;
}

int admin_follow_events(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct event_start start = {.who = &api->site->principal};
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = event_topics(api->site, http_query(x, "topics"), &start.topics);
    if (r == 0)
        r = read_place(api, x, &start);
    /* a proxy that collects before it passes on would keep events from who waits for them */
    if (r == 0)
        r = http_add_header(x, "X-Accel-Buffering", "no");
    if (r == 0)
        r = event_hub_follow(api->event_hub, x, &start);
    if (r == EVENT_HUB_E_FULL)
        r = refuse_full(api);
    return r == 0 ? 0 : TRACE(api_finish(api, x, r, 200, NULL));
}
