/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/deployment_status.h"
#include "site/device.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

enum {
    COLUMNS_MAX = 16,
};

struct report {
    const char *name;
    const char *title;
    enum db_sql sql;
    const char *columns[COLUMNS_MAX];
};

static const struct report reports[] = {
    {"deployment-summary",
     "How many devices of each deployment are in which category",
     SQL_REPORT_DEPLOYMENT_SUMMARY,
     {"deployment_id",
      "task_sequence_name",
      "collection_name",
      "purpose",
      "is_cancelled",
      "n_devices",
      "n_success",
      "n_running",
      "n_error",
      "n_requirements_not_met",
      "n_unknown",
      "success_percent",
      "created_at"}},
    {"devices",
     "How deployments went on each device, its latest run",
     SQL_REPORT_DEVICES,
     {"device_id",
      "device_name",
      "deployment_id",
      "category",
      "step",
      "step_name",
      "step_group",
      "exit_code",
      "error_id",
      "cause",
      "started_at",
      "finished_at",
      "last_status_at"}},
    {"run-history",
     "Every run of a deployment on a device",
     SQL_REPORT_RUN_HISTORY,
     {"device_id",
      "device_name",
      "deployment_id",
      "task_sequence_name",
      "state",
      "n_attempts",
      "error_id",
      "cause",
      "started_at",
      "finished_at",
      "duration_s"}},
    {"error-ranking",
     "What failed most often, and at which step",
     SQL_REPORT_ERROR_RANKING,
     {"error_id", "step_name", "exit_code", "n_runs", "n_devices", "last_at"}},
    {"step-durations",
     "How long each step took",
     SQL_REPORT_STEP_DURATIONS,
     {"step",
      "step_name",
      "step_group",
      "n_runs",
      "n_failed",
      "average_ms",
      "shortest_ms",
      "longest_ms"}},
    {"unknown-computers",
     "Computers that the site does not know yet, and how they fared",
     SQL_REPORT_UNKNOWN_COMPUTERS,
     {"device_id",
      "device_name",
      "mac",
      "manufacturer",
      "model",
      "serial",
      "arch",
      "category",
      "created_at",
      "last_seen_at"}},
    {"content-by-distribution-point",
     "What each distribution point has, and how far it is",
     SQL_REPORT_CONTENT,
     {"distribution_point_id",
      "distribution_point_name",
      "package_id",
      "package_name",
      "kind",
      "version",
      "state",
      "percent",
      "error_id",
      "message",
      "n_tries",
      "updated_at"}},
};

enum {
    N_REPORTS = sizeof(reports) / sizeof(reports[0]),
};

int report_names(json_t **ret)
{
    OWN(json_freep) json_t *items = json_array();

    for (size_t i = 0; i < N_REPORTS; i++)
        if (json_array_append_new(
                items, json_pack("{s:s,s:s}", "name", reports[i].name, "title", reports[i].title)) <
            0)
            return ERR(-ENOMEM);
    *ret = json_pack("{s:O}", "items", items);
    return *ret ? 0 : ERR(-ENOMEM);
}

static const struct report *find(const char *name)
{
    for (size_t i = 0; i < N_REPORTS; i++)
        if (strcmp(reports[i].name, name) == 0)
            return &reports[i];
    return NULL;
}

static int describe(const struct report *report, json_t *dst)
{
    json_t *columns = json_array();
    const json_t *items = json_object_get(dst, "items");

    for (size_t i = 0; i < COLUMNS_MAX && report->columns[i]; i++)
        (void)json_array_append_new(columns, json_string(report->columns[i]));
    for (size_t i = 0; i < json_array_size(items); i++)
        (void)json_object_del(json_array_get(items, i), "id");
    (void)json_object_set_new(dst, "title", json_string(report->title));
    return json_object_set_new(dst, "columns", columns) < 0 ? ERR(-ENOMEM) : 0;
}

int report_run(struct site *site,
               const char *name,
               const struct report_query *query,
               const struct page *page,
               json_t **ret)
{
    OWN(json_freep) json_t *list = NULL;
    const struct report *report = find(name);
    uint64_t back_us = query->days * DAY_US;
    char device[ACCESS_DEVICE_ID_MAX];
    int r = 0;

    if (!report)
        return refuse(site, REFUSAL_MISSING, "There is no report \"%.100s\".", name);
    if (query->deployment)
        r = deployment_status_check(site, query->deployment);
    if (r == 0 && query->device)
        r = device_find(site, query->device, device);
    if (r != 0)
        return TRACE(r);
    r = rows_page(
        site->db,
        report->sql,
        DB_ARGS(page_after(page),
                page_limit(page),
                db_text(query->deployment),
                db_text(query->device ? device : NULL),
                db_u64(query->days > 0 && site->now_us > back_us ? site->now_us - back_us : 0)),
        page,
        &list);
    if (r == 0)
        r = describe(report, list);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(list);
    return 0;
}
