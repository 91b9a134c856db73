/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "server/site/admin.h"
#include "server/site/api.h"
#include "site/report.h"

enum {
    CSV_MAX_BYTES = 64 * 1024 * 1024,
    LINK_MAX_BYTES = 1024,
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

/* Where the next page is. Cursors are of our own making: letters, digits, '-' and blanks. */
static int add_link(struct http_exchange *x, const char *name, const json_t *report)
{
    const char *next = json_string_value(json_object_get(report, "next"));
    OWN(buf_fini) struct buf link = BUF_INIT(LINK_MAX_BYTES);

    if (!next)
        return 0;
    buf_addf(&link, "</api/v1/reports/%s?format=csv&after=", name);
    for (; *next; next++) {
        if (*next == ' ')
            buf_adds(&link, "%20");
        else
            buf_add(&link, (struct bytes){(const uint8_t *)next, 1});
    }
    buf_adds(&link, ">; rel=\"next\"");
    return TRACE(http_add_header(x, "Link", buf_str(&link)));
}

static int reply_csv(struct http_exchange *x, const char *name, const json_t *report)
{
    OWN(buf_fini) struct buf text = BUF_INIT(CSV_MAX_BYTES);
    int r = add_link(x, name, report);

    report_put_csv(&text, report);
    if (r < 0 || text.failed)
        return r < 0 ? TRACE(r) : ERR(-ENOMEM);
    return TRACE(http_reply_bytes(x, 200, "text/csv; charset=utf-8", buf_bytes(&text)));
}

int admin_get_report(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *answer = NULL;
    struct report_query query = {
        .deployment = http_query(x, "deployment"),
        .device = http_query(x, "device"),
    };
    const char *format = http_query(x, "format");
    const char *days = http_query(x, "days");
    bool is_csv = format && strcmp(format, "csv") == 0;
    struct page page;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0 && format && !is_csv && strcmp(format, "json") != 0)
        r = refuse(api->site, REFUSAL_INVALID, "\"format\" must be json or csv.");
    if (r == 0 && days && !bytes_parse_u64(bytes_of(days), 1, DAYS_MAX, &query.days))
        r = refuse(api->site, REFUSAL_INVALID, "\"days\" must be a number from 1 to %d.", DAYS_MAX);
    if (r == 0)
        r = report_run(api->site, http_param(x, "name"), &query, &page, &answer);
    if (r == 0 && is_csv)
        return TRACE(reply_csv(x, http_param(x, "name"), answer));
    return api_finish(api, x, r, 200, r == 0 ? TAKE(answer) : NULL);
}
