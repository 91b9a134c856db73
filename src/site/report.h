/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Reports: questions about deployments that are asked often, as tables (docs/monitoring.md)
 */

#include "site/rows.h"
#include "site/site.h"

/* What a report is about. */
struct report_query {
    const char *deployment; /* its id; NULL: all */
    const char *device;     /* id, name, MAC address or SMBIOS UUID; NULL: all */
    uint64_t days;          /* what began in the last so many; 0: all */
};

/* {"items": [{"name", "title"}]} */
int report_names(json_t **ret);

/**
 * report_run() - one page of a report
 * @ret: {"title", "columns": […], "items": […], "next": …}; owned by the caller
 *
 * A report that is ranked has one page.
 */
int report_run(struct site *site,
               const char *name,
               const struct report_query *query,
               const struct page *page,
               json_t **ret);
