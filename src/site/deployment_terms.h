/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What an administrator says about a deployment: to whom it is shown, from when to when, and when it is due
 * (docs/deployments.md)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "site/fields.h"
#include "site/schedule.h"

enum {
    DEPLOYMENT_LOST_CONTACT_S = 30 * 60, /* if the terms do not say it */
    DEPLOYMENT_LOST_CONTACT_MIN_S = 10,
    DEPLOYMENT_LOST_CONTACT_MAX_S = 7 * 24 * 3600,
    DEPLOYMENT_ALERT_AFTER_S = 24 * 3600,
    DEPLOYMENT_MAX_RUN_MAX_MIN = SCHEDULE_DURATION_MAX_MIN,
    DEPLOYMENT_ALERT_AFTER_MAX_S = 365 * 24 * 3600,
    DEPLOYMENT_OVER_DAYS_MAX = 30,
};

#define DEPLOYMENT_CONTENT_OPTIONS "download-when-needed|download-all-first|stream"

enum deployment_audience {
    DEPLOYMENT_FOR_CLIENTS,
    DEPLOYMENT_FOR_CLIENTS_MEDIA_PXE,
    DEPLOYMENT_FOR_MEDIA_PXE,
    DEPLOYMENT_FOR_MEDIA_PXE_HIDDEN,
};

enum deployment_rerun {
    DEPLOYMENT_RERUN_NEVER,
    DEPLOYMENT_RERUN_ALWAYS,
    DEPLOYMENT_RERUN_IF_FAILED,
    DEPLOYMENT_RERUN_IF_SUCCEEDED,
};

/* A moment, or a time on the wall of the site's place. */
struct deployment_time {
    bool is_set;
    bool is_utc;
    int64_t at_s;
};

struct deployment_terms {
    bool is_required;
    bool is_disabled;
    enum deployment_audience audience;
    enum deployment_rerun rerun;
    unsigned priority; /* 0 is the highest */
    struct deployment_time available_from;
    struct deployment_time expires;
    bool may_run_outside_windows;
    bool may_restart_outside_windows; /* it need not fit into what is left of one */
    uint64_t max_run_min;             /* 0: nobody has said */
    uint64_t
        available_over_days; /* each device gets it at a moment of its own in these; 0: all at once */
    bool may_use_neighbours;    /* content from neighbour boundary groups; if nobody says so, too */
    bool may_use_default_group; /* and from the default one */
    bool is_wake_on_lan;        /* devices are woken at its deadlines */
    bool is_progress_shown;     /* also in an installed system; if nobody says so, too */
    bool is_due_at_once;        /* "as-soon-as-possible" is among the assignments */
    size_t n_assignments;
    struct schedule assignments[SCHEDULE_LIST_MAX];
};

/* Those members of a request's body that are terms and hold at any time, for its table of fields. */
#define DEPLOYMENT_TERMS_LASTING \
    {"comment", FIELD_LINE, false, 0, 255, NULL}, \
        {"make_available_to", \
         FIELD_CHOICE, \
         false, \
         0, \
         0, \
         "clients|clients-media-and-pxe|media-and-pxe|media-and-pxe-hidden"}, \
        {"rerun", FIELD_CHOICE, false, 0, 0, "never|always|if-failed|if-succeeded"}, \
        {"priority", FIELD_CHOICE, false, 0, 0, "high|normal|low"}, \
        {"lost_contact_s", \
         FIELD_NUMBER, \
         false, \
         DEPLOYMENT_LOST_CONTACT_MIN_S, \
         DEPLOYMENT_LOST_CONTACT_MAX_S, \
         NULL}, \
        {"alert_success_percent", FIELD_NUMBER, false, 0, 100, NULL}, \
        {"is_run_outside_windows", FIELD_BOOL, false, 0, 0, NULL}, \
        {"is_restart_outside_windows", FIELD_BOOL, false, 0, 0, NULL}, \
        {"max_run_min", FIELD_NUMBER, false, 0, DEPLOYMENT_MAX_RUN_MAX_MIN, NULL}, \
        {"is_wake_on_lan", FIELD_BOOL, false, 0, 0, NULL}, \
        {"is_progress_shown", FIELD_BOOL, false, 0, 0, NULL}, \
        {"is_neighbour_allowed", FIELD_BOOL, false, 0, 0, NULL}, \
        {"is_default_group_allowed", FIELD_BOOL, false, 0, 0, NULL}, \
        {"available_over_days", FIELD_NUMBER, false, 0, DEPLOYMENT_OVER_DAYS_MAX, NULL}, \
    { \
        "alert_after_s", FIELD_NUMBER, false, 0, DEPLOYMENT_ALERT_AFTER_MAX_S, NULL \
    }

/* Those that may be changed later. */
#define DEPLOYMENT_TERMS_CHANGES \
    DEPLOYMENT_TERMS_LASTING, {"available_from", FIELD_LINE, false, 0, 24, NULL}, \
        {"expires", FIELD_LINE, false, 0, 24, NULL}, \
        {"assignments", FIELD_ARRAY, false, 0, SCHEDULE_LIST_MAX, NULL}, \
    { \
        "is_disabled", FIELD_BOOL, false, 0, 0, NULL \
    }

/* All of them. */
#define DEPLOYMENT_TERMS_FIELDS \
    {"purpose", FIELD_CHOICE, true, 0, 0, "required|available"}, DEPLOYMENT_TERMS_CHANGES

/**
 * deployment_terms_parse() - read the terms
 * @src: members that DEPLOYMENT_TERMS_FIELDS has let pass, or a row of the database with the same names
 *
 * Return: 0 or SITE_E_REFUSED.
 */
int deployment_terms_parse(struct site *site, const json_t *src, struct deployment_terms *ret);

/**
 * deployment_terms_check() - what is asked of new assignments only, beside deployment_terms_parse()
 * @body: from who makes or changes a deployment; has been parsed
 *
 * Return: 0 or SITE_E_REFUSED.
 */
int deployment_terms_check(struct site *site, const json_t *body, bool is_required);

/* "assignments" as they are kept: of a required deployment that says none, ["as-soon-as-possible"]. Owned by the caller. */
json_t *deployment_terms_assignments(const json_t *src);
