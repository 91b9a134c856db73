/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Back to the list, when what was chosen cannot begin and nothing was written yet */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/link.h"
#include "agent/run/order.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/err.h"
#include "base/own.h"

DEFINE_FREEP(struct report *, report_free);

enum {
    HTTP_OK = 200,
};

#define MISSING_ID     "SLW-0475"
#define MISSING_REMEDY "distribute it to a distribution point that this computer may use"

/* The first content that nobody has for this computer; NULL: all can be had. The boot image is here. */
static const struct order_content *find_missing(const struct order *order)
{
    const char *const *sources;

    for (size_t i = 0; i < order->n_content; i++)
        if (strcmp(order->content[i].kind, "boot-image") != 0 &&
            order_sources_of(order, &order->content[i], &sources) == 0)
            return &order->content[i];
    return NULL;
}

/* The order is over, so that another may begin. */
static int tell_missing(struct runner *rn, const struct order *order, const char *message)
{
    OWN(report_freep) struct report *report = NULL;
    const struct report_status status = {
        .state = "failed",
        .step_name = "",
        .step_type = "",
        .percent = 0,
        .error_id = MISSING_ID,
        .message = message,
    };
    int r = report_new(rn->link, rn->journal, order->order_id, 1, &report);

    if (r == 0)
        r = report_add(report, &status);
    if (r == 0)
        (void)report_drain(report, rn->platform->patience_us);
    return TRACE(r);
}

/* The site asks what it asked at the registration. */
static int reopen(struct runner *rn)
{
    OWN(json_decrefp) json_t *body = json_pack("{s:s}", "boot_image", rn->options->boot_image);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r;

    if (!body)
        return ERR(-ENOMEM);
    r = link_json(rn->link, "POST", "/api/v1/client/choice", body, &status, &answer);
    if (r < 0)
        return TRACE(r);
    return r == 0 && status == HTTP_OK ? 0 : RUNNER_E_RESTART;
}

void runner_go_back(struct runner *rn)
{
    screen_set(rn->screen, SCREEN_SEQUENCE, "%s", "");
    screen_set(rn->screen, SCREEN_PROBLEM, "%s", "");
    screen_set(rn->screen, SCREEN_REMEDY, "%s", "");
    rn->has_chosen = false;
    rn->choose_until_us = UINT64_MAX; /* somebody is there */
}

int runner_check_content(struct runner *rn, const struct order *order, bool *ret_is_refused)
{
    const struct order_content *missing = find_missing(order);
    char message[PROBLEM_MAX];
    int r;

    *ret_is_refused = !order->is_required && order->attempt == 1 && missing;
    if (!*ret_is_refused)
        return 0;
    (void)snprintf(
        message,
        sizeof(message),
        "no distribution point has \"%.255s\" (%.64s) for this computer; nothing was written",
        missing->name,
        missing->package_id);
    screen_set(rn->screen, SCREEN_SEQUENCE, "Failed: %s", order->task_sequence_name);
    (void)runner_problem(rn, MISSING_ID, MISSING_REMEDY, "%s", message);
    r = tell_missing(rn, order, message);
    if (r < 0)
        return TRACE(r);
    if (!runner_wait_previous(rn, order->failed_wait_us))
        return RUNNER_E_RESTART;
    r = reopen(rn);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    runner_go_back(rn);
    return 0;
}
