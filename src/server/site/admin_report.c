/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/bytes.h"
#include "server/site/admin.h"
#include "server/site/api.h"
#include "site/report.h"

enum {
    DAYS_MAX = 3650,
};

int admin_list_reports(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = report_names(&answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_get_report(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    struct report_query query = {
        .deployment = http_query(x, "deployment"),
        .device = http_query(x, "device"),
    };
    const char *days = http_query(x, "days");
    struct page page;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0 && days && !bytes_parse_u64(bytes_of(days), 1, DAYS_MAX, &query.days))
        r = refuse_parameter(
            api->site, "days", "\"days\" must be a number from 1 to %d.", DAYS_MAX);
    if (r == 0)
        r = report_run(api->site, http_param(x, "name"), &query, &page, &answer);
    return api_finish(api, x, r, 200, answer);
}
