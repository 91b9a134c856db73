/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "site/access.h"
#include "site/boot_gate.h"
#include "site/device_protection.h"
#include "site/fields.h"
#include "site/maintenance_window.h"
#include "site/order.h"
#include "site/prestart.h"
#include "site/rows.h"
#include "site/task_sequence_parts.h"
#include "site/unknown.h"
#include "site/variable.h"

#define PREFERRED "SMSTSPreferredAdvertID"
#define DAY_US    (UINT64_C(24) * 3600 * 1000000)

/* The rows and, in the same order, what the rules say to each. */
struct targets {
    json_t *rows;                      /* owned */
    struct deployment_candidate *list; /* owned */
    size_t n;
    struct device_windows windows;
    size_t chosen;               /* n: none */
    char preferred[SITE_ID_MAX]; /* SMSTSPreferredAdvertID; "" */
    char on_screen[SITE_ID_MAX]; /* chosen there; "" */
    bool is_unknown;             /* they reach the device as an unknown computer */
    bool is_protected;           /* no required one begins */
    bool is_for_clients;         /* what is for clients alone counts as well */
    bool is_client;              /* the agent in the installed system asks */
};

static void targets_fini(struct targets *targets)
{
    json_decref(targets->rows);
    device_windows_fini(&targets->windows);
    free(targets->list);
}

static enum deployment_past past_of(const json_t *row)
{
    const char *state = field_text(row, "order_state", "");

    if (strcmp(state, "in-progress") == 0)
        return DEPLOYMENT_IN_PROGRESS;
    if (!state[0] || field_bool(row, "is_cleared"))
        return DEPLOYMENT_NOT_RUN;
    return strcmp(state, "succeeded") == 0 ? DEPLOYMENT_SUCCEEDED : DEPLOYMENT_FAILED;
}

/* Only where the rules ask: documents are read for it. */
static int find_wipes(struct site *site, const json_t *row, struct deployment_candidate *c)
{
    if (!c->is_client && !c->is_by_client)
        return 0;
    return TRACE(
        task_sequence_wipes_by_id(site, field_text(row, "task_sequence_id", ""), &c->wipes));
}

/* Where in the days over which devices get it this one does: the same each time, and spread evenly. */
static int find_delay(const char *id, const char *device_id, uint64_t over_days, uint64_t *ret)
{
    char text[SITE_ID_MAX + ACCESS_DEVICE_ID_MAX + 1];
    uint8_t digest[SHA256_BYTES];
    uint64_t n = 0;
    int r;

    (void)snprintf(text, sizeof(text), "%s %s", id, device_id);
    r = digest_sha256(bytes_of(text), digest);
    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < sizeof(n); i++)
        n = n << 8 | digest[i];
    *ret = n % (over_days * DAY_US);
    return 0;
}

static int read_candidate(struct site *site,
                          const char *device_id,
                          const json_t *row,
                          const struct targets *targets,
                          struct deployment_candidate *ret)
{
    const char *id = field_text(row, "id", "");
    int r = deployment_terms_parse(site, row, &ret->terms);

    if (r != 0) /* it was checked when it was kept */
        return r > 0 ? ERR(-EUCLEAN) : TRACE(r);
    if (ret->terms.available_over_days > 0 && !targets->is_unknown)
        r = find_delay(id, device_id, ret->terms.available_over_days, &ret->delay_us);
    if (r < 0)
        return TRACE(r);
    if (targets->is_for_clients && ret->terms.audience == DEPLOYMENT_FOR_CLIENTS)
        ret->terms.audience = DEPLOYMENT_FOR_CLIENTS_MEDIA_PXE;
    ret->created_us = field_number(row, "created_us", 0);
    ret->is_cancelled = field_bool(row, "is_cancelled");
    ret->is_reached = field_bool(row, "is_reached");
    ret->is_grown = field_bool(row, "is_grown");
    ret->since_us = field_number(row, "since_us", 0);
    ret->is_sequence_disabled = field_bool(row, "is_sequence_disabled");
    ret->is_preferred = targets->preferred[0] && strcmp(id, targets->preferred) == 0;
    ret->is_chosen = targets->on_screen[0] && strcmp(id, targets->on_screen) == 0;
    ret->windows = &targets->windows.windows;
    ret->is_protected = targets->is_protected;
    ret->past = past_of(row);
    ret->begun_us = field_number(row, "begun_us", 0);
    ret->ended_us = field_number(row, "ended_us", 0);
    ret->heard_us = field_number(row, "heard_us", 0);
    ret->held_us = field_number(row, "held_us", 0);
    ret->is_client = targets->is_client;
    ret->is_by_client = field_bool(row, "is_by_client");
    return TRACE(find_wipes(site, row, ret));
}

/* Nothing can begin: the first of those that a prestart command may name stands for them all. */
static int look_for_hidden(struct site *site, struct targets *targets)
{
    size_t best = targets->n;
    enum deployment_verdict verdict =
        targets->n > 0 ? targets->list[targets->chosen].verdict : DEPLOYMENT_OPEN;

    if (verdict == DEPLOYMENT_OPEN || verdict == DEPLOYMENT_RUNS)
        return 0;
    for (size_t i = 0; i < targets->n; i++) {
        bool is_set = false;
        int r = 0;

        if (targets->list[i].verdict == DEPLOYMENT_HIDDEN)
            r = prestart_is_any(
                site, field_text(json_array_get(targets->rows, i), "boot_image_id", ""), &is_set);
        if (r < 0)
            return TRACE(r);
        if (is_set &&
            (best == targets->n || deployment_goes_before(&targets->list[i], &targets->list[best])))
            best = i;
    }
    if (best < targets->n)
        targets->chosen = best;
    return 0;
}

static int find(struct site *site,
                const char *device_id,
                const char *mac,
                const char *dp_id,
                const char *arch,
                struct targets *ret)
{
    char record[UNKNOWN_RECORD_MAX];
    enum device_protection protection = DEVICE_OPEN;
    bool is_allowed = true;
    int r = unknown_record(site, device_id, arch, record, &ret->is_unknown);

    if (r == 0 && ret->is_unknown)
        r = unknown_is_allowed(site, dp_id, device_id, &is_allowed);
    if (r == 0)
        r = rows_array(site->db,
                       SQL_BOOT_TARGETS,
                       DB_ARGS(db_text(device_id), db_text(record), db_u64(is_allowed ? 1 : 0)),
                       &ret->rows);
    if (r == 0 && !ret->is_client)
        r = (dp_id ? variable_find_kept : variable_find)(/* @dp_id: it has not started yet */
                                                         site,
                                                         device_id,
                                                         PREFERRED,
                                                         ret->preferred,
                                                         sizeof(ret->preferred));
    if (r == 0)
        r = device_windows_find(site, device_id, record, &ret->windows);
    if (r == 0 && !ret->is_client)
        r = boot_gate_chosen(site, device_id, ret->on_screen);
    if (r == 0)
        r = device_protection_find(site, device_id, mac, &protection);
    if (r < 0)
        return TRACE(r);
    ret->is_protected = protection != DEVICE_OPEN && !site->settings.is_protection_warning;
    ret->n = json_array_size(ret->rows);
    ret->list = calloc(ret->n > 0 ? ret->n : 1, sizeof(ret->list[0]));
    if (!ret->list)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < ret->n; i++) {
        r = read_candidate(site, device_id, json_array_get(ret->rows, i), ret, &ret->list[i]);
        if (r < 0)
            return TRACE(r);
    }
    ret->chosen = deployment_choose(ret->list, ret->n, site->zone, site->now_us);
    return dp_id ? TRACE(look_for_hidden(site, ret)) : 0;
}

static void copy(char *dst, size_t cap, const json_t *row, const char *name)
{
    (void)snprintf(dst, cap, "%s", field_text(row, name, ""));
}

static void
put_target(const json_t *row, const struct deployment_candidate *c, struct boot_target *ret)
{
    uint64_t restarting = field_number(row, "restarting", 0);

    copy(ret->deployment_id, sizeof(ret->deployment_id), row, "id");
    copy(ret->boot_image_id, sizeof(ret->boot_image_id), row, "boot_image_id");
    copy(ret->task_sequence_name, sizeof(ret->task_sequence_name), row, "task_sequence_name");
    copy(ret->collection_name, sizeof(ret->collection_name), row, "collection_name");
    copy(ret->order_state, sizeof(ret->order_state), row, "order_state");
    ret->is_required = c->terms.is_required;
    ret->is_preferred = c->is_preferred;
    ret->verdict = c->verdict;
    ret->changes_us = c->changes_us;
    ret->waits_for_disk =
        c->past == DEPLOYMENT_IN_PROGRESS && restarting != ORDER_RESTARTS_TO_BOOT_IMAGE &&
        (restarting != 0 || strcmp(field_text(row, "environment", ""), "full-os") == 0);
}

/* One of those that a person chooses from, if he is asked. */
static bool is_choice(const struct deployment_candidate *c)
{
    return c->verdict == DEPLOYMENT_OPEN && !c->terms.is_required && !c->is_preferred &&
           !c->is_chosen;
}

/*
 * Those that can be chosen, in the order of the rules. @ret: indexes; room for BOOT_CHOICES_MAX.
 * Return: how many; 0 where something goes before them all.
 */
static size_t sort_choices(const struct targets *targets, size_t *ret)
{
    const struct deployment_candidate *list = targets->list;
    size_t n = 0;

    if (targets->n == 0 || !is_choice(&list[targets->chosen]))
        return 0;
    for (size_t i = 0; i < targets->n; i++) {
        size_t at = n;

        if (!is_choice(&list[i]))
            continue;
        while (at > 0 && deployment_goes_before(&list[i], &list[ret[at - 1]]))
            at--;
        if (at == BOOT_CHOICES_MAX)
            continue;
        n += n < BOOT_CHOICES_MAX ? 1 : 0;
        memmove(&ret[at + 1], &ret[at], (n - at - 1) * sizeof(ret[0]));
        ret[at] = i;
    }
    return n;
}

static void add_boot_image(const char *id, struct boot_target *ret)
{
    for (size_t i = 0; i < ret->n_boot_images; i++)
        if (strcmp(ret->boot_images[i], id) == 0)
            return;
    if (id[0])
        (void)snprintf(ret->boot_images[ret->n_boot_images++], SITE_ID_MAX, "%s", id);
}

static void put_choices(const struct targets *targets, struct boot_target *ret)
{
    size_t sorted[BOOT_CHOICES_MAX];
    size_t n = sort_choices(targets, sorted);

    ret->n_choices = n > 1 ? n : 0;
    ret->n_boot_images = 0;
    add_boot_image(ret->boot_image_id, ret);
    for (size_t i = 1; i < n; i++)
        add_boot_image(field_text(json_array_get(targets->rows, sorted[i]), "boot_image_id", ""),
                       ret);
}

int boot_target_find(struct site *site,
                     const char *device_id,
                     const char *mac,
                     const char *dp_id,
                     const char *arch,
                     struct boot_target *ret)
{
    OWN(targets_fini) struct targets targets = {0};
    int r = find(site, device_id, mac, dp_id, arch, &targets);

    *ret = (struct boot_target){0};
    if (r < 0 || targets.n == 0)
        return TRACE(r);
    put_target(json_array_get(targets.rows, targets.chosen), &targets.list[targets.chosen], ret);
    ret->is_for_unknown = targets.is_unknown;
    put_choices(&targets, ret);
    return 0;
}

int boot_target_choices(struct site *site, const char *device_id, json_t **ret)
{
    OWN(targets_fini) struct targets targets = {0};
    OWN(json_freep) json_t *list = json_array();
    size_t sorted[BOOT_CHOICES_MAX];
    int r = find(site, device_id, NULL, NULL, NULL, &targets);
    size_t n = r == 0 ? sort_choices(&targets, sorted) : 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        const json_t *row = json_array_get(targets.rows, sorted[i]);

        if (json_array_append_new(list,
                                  json_pack("{s:s,s:s,s:s}",
                                            "deployment_id",
                                            field_text(row, "id", ""),
                                            "name",
                                            field_text(row, "task_sequence_name", ""),
                                            "comment",
                                            field_text(row, "comment", ""))) < 0)
            r = ERR(-ENOMEM);
    }
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(list);
    return 0;
}

const char *boot_target_word(enum deployment_verdict verdict)
{
    static const char *const words[] = {
        [DEPLOYMENT_OPEN] = "open",
        [DEPLOYMENT_RUNS] = "in-progress",
        [DEPLOYMENT_CANCELLED] = "cancelled",
        [DEPLOYMENT_NOT_REACHED] = "not-reached",
        [DEPLOYMENT_DISABLED] = "disabled",
        [DEPLOYMENT_SEQUENCE_DISABLED] = "task-sequence-disabled",
        [DEPLOYMENT_CLIENTS_ONLY] = "clients-only",
        [DEPLOYMENT_HIDDEN] = "hidden",
        [DEPLOYMENT_NOT_YET] = "not-yet-available",
        [DEPLOYMENT_EXPIRED] = "expired",
        [DEPLOYMENT_SUCCEEDED_ALREADY] = "succeeded-already",
        [DEPLOYMENT_FAILED_ALREADY] = "failed-already",
        [DEPLOYMENT_OUTSIDE_WINDOW] = "outside-window",
        [DEPLOYMENT_SUPERSEDED] = "superseded",
        [DEPLOYMENT_PROTECTED] = "device-protected",
        [DEPLOYMENT_MEDIA_ONLY] = "media-and-pxe-only",
        [DEPLOYMENT_NOT_DUE] = "not-yet-due",
        [DEPLOYMENT_HELD] = "held-after-restore",
        [DEPLOYMENT_NOT_CONFIRMED] = "not-confirmed",
    };

    return words[verdict];
}

int boot_target_judge(struct site *site,
                      const char *device_id,
                      const char *deployment_id,
                      enum deployment_verdict *ret,
                      uint64_t *ret_changes)
{
    OWN(targets_fini) struct targets targets = {.is_for_clients = true};
    int r = find(site, device_id, NULL, NULL, NULL, &targets);

    *ret = DEPLOYMENT_NOT_REACHED;
    *ret_changes = SCHEDULE_NEVER;
    for (size_t i = 0; r == 0 && i < targets.n; i++)
        if (strcmp(field_text(json_array_get(targets.rows, i), "id", ""), deployment_id) == 0) {
            *ret = targets.list[i].verdict;
            *ret_changes = targets.list[i].changes_us;
        }
    return TRACE(r);
}

int boot_target_find_client(struct site *site,
                            const char *device_id,
                            const char *deployment_id,
                            struct boot_target *ret)
{
    OWN(targets_fini) struct targets targets = {.is_client = true};
    int r = find(site, device_id, NULL, NULL, NULL, &targets);
    size_t at = targets.chosen;

    *ret = (struct boot_target){0};
    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; deployment_id && i <= targets.n; i++) {
        at = i;
        if (i < targets.n &&
            strcmp(field_text(json_array_get(targets.rows, i), "id", ""), deployment_id) == 0)
            break;
    }
    if (at < targets.n)
        put_target(json_array_get(targets.rows, at), &targets.list[at], ret);
    ret->is_for_unknown = targets.is_unknown;
    return 0;
}

static json_t *time_or_null(uint64_t us)
{
    char text[CLOCK_TEXT_MAX];

    if (us == SCHEDULE_NEVER)
        return json_null();
    clock_put_rfc3339(text, us);
    return json_string(text);
}

static int
put_item(const json_t *row, const struct deployment_candidate *c, bool is_first, json_t *dst)
{
    json_t *item = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o}",
                             "deployment_id",
                             field_text(row, "id", ""),
                             "comment",
                             field_text(row, "comment", ""),
                             "task_sequence_name",
                             field_text(row, "task_sequence_name", ""),
                             "collection_name",
                             field_text(row, "collection_name", ""),
                             "purpose",
                             c->terms.is_required ? "required" : "available",
                             "priority",
                             field_text(row, "priority", ""),
                             "verdict",
                             boot_target_word(c->verdict),
                             "changes_at",
                             time_or_null(c->changes_us));
    int r = is_first ? json_array_insert_new(dst, 0, item) : json_array_append_new(dst, item);

    return r < 0 ? ERR(-ENOMEM) : 0;
}

int boot_target_list(struct site *site, const char *device_id, bool is_client, json_t **ret)
{
    OWN(targets_fini) struct targets targets = {.is_client = is_client};
    OWN(json_freep) json_t *list = json_array();
    int r = find(site, device_id, NULL, NULL, NULL, &targets);

    for (size_t i = 0; r == 0 && i < targets.n; i++)
        r = put_item(json_array_get(targets.rows, i), &targets.list[i], i == targets.chosen, list);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(list);
    return 0;
}
