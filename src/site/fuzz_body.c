/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "site/deployment_terms.h"
#include "site/dp_schedule.h"
#include "site/fields.h"
#include "site/machine_facts.h"
#include "site/refusal.h"
#include "site/schedule.h"
#include "site/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HOURS_A_WEEK = 168,
    LINE_MAX_CHARACTERS = 20,
    TEXT_MAX_BYTES = 40,
    NUMBER_MAX = 59,
};

static const struct field all[] = {
    {"text", FIELD_TEXT, true, 1, TEXT_MAX_BYTES, NULL},
    {"line", FIELD_LINE, false, 1, LINE_MAX_CHARACTERS, NULL},
    {"number", FIELD_NUMBER, false, 1, NUMBER_MAX, NULL},
    {"is_it", FIELD_BOOL, false, 0, 0, NULL},
    {"choice", FIELD_CHOICE, false, 0, 0, "one|two"},
    {"mac", FIELD_MAC, false, 0, 0, NULL},
    {"uuid", FIELD_UUID, false, 0, 0, NULL},
    {"object", FIELD_OBJECT, false, 0, 0, NULL},
    {"list", FIELD_ARRAY, false, 0, 2, NULL},
    {0},
};

static void need(bool is_so)
{
    if (!is_so)
        abort();
}

/* What was checked is what the table says, and nothing else is there. */
static void check_members(struct site *site, const json_t *body)
{
    const char *choice;
    uint64_t number;
    size_t n = 0;

    if (fields_check(site, body, all, false, REFUSAL_INVALID) != 0)
        return;
    for (const struct field *field = all; field->name; field++)
        n += json_object_get(body, field->name) != NULL;
    need(n == json_object_size(body));
    need(strlen(field_text(body, "text", "")) - 1 < TEXT_MAX_BYTES);
    need(strlen(field_text(body, "line", "")) <= (size_t)LINE_MAX_CHARACTERS * 4);
    number = field_number(body, "number", 1);
    need(number >= 1 && number <= NUMBER_MAX);
    choice = field_text(body, "choice", "one");
    need(strcmp(choice, "one") == 0 || strcmp(choice, "two") == 0);
    need(json_array_size(json_object_get(body, "list")) <= 2);
    (void)field_bool(body, "is_it");
}

/* An occurrence is never before it is asked for, and the last one never after. */
static void check_schedule(const struct schedule *schedule)
{
    static const uint64_t now_us = UINT64_C(1795000000) * 1000000;
    uint64_t next = schedule_next(schedule, NULL, now_us);
    uint64_t last = schedule_last(schedule, NULL, now_us);

    need(next == SCHEDULE_NEVER || next >= now_us);
    need(last == SCHEDULE_NEVER || last <= now_us);
}

static void check_week(struct site *site, const json_t *rules)
{
    for (unsigned kind = DP_SCHEDULE_ALLOW; kind <= DP_SCHEDULE_VALIDATION; kind++) {
        if (dp_schedule_check(site, rules, "rules", (enum dp_schedule_kind)kind) != 0)
            continue;
        for (unsigned hour = 0; hour < HOURS_A_WEEK; hour++) {
            if (kind == DP_SCHEDULE_ALLOW)
                need(dp_schedule_ranks(rules, hour) <= DP_SCHEDULE_OPEN);
            if (kind == DP_SCHEDULE_RATE)
                (void)dp_schedule_rate(rules, hour);
            (void)dp_schedule_fits(rules, hour);
        }
    }
}

static void check_terms(struct site *site, const json_t *body)
{
    static const struct field fields[] = {DEPLOYMENT_TERMS_FIELDS, {0}};
    struct deployment_terms terms = {0};

    if (fields_check(site, body, fields, false, REFUSAL_INVALID) != 0 ||
        deployment_terms_parse(site, body, &terms) != 0)
        return;
    need(terms.n_assignments <= SCHEDULE_LIST_MAX);
    for (size_t i = 0; i < terms.n_assignments; i++)
        check_schedule(&terms.assignments[i]);
    json_decref(deployment_terms_assignments(body));
}

static void check_facts(struct site *site, const json_t *body)
{
    OWN(freep) char *text = NULL;
    OWN(json_freep) json_t *again = NULL;

    if (machine_facts_check(site, body, &text) != 0)
        return;
    again = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    need(!text || again);
}

/* The body of a request, as the rules that look at nothing else read it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(freep) struct site *site = calloc(1, sizeof(*site));
    OWN(json_freep)
    json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    struct schedule schedule;

    if (!site || !body)
        return 0;
    check_week(site, body);
    check_week(site, json_object_get(body, "rules"));
    if (schedule_parse(site, body, "schedule", false, &schedule) == 0)
        check_schedule(&schedule);
    if (schedule_parse(site, body, "schedule", true, &schedule) == 0)
        check_schedule(&schedule);
    if (json_is_object(body)) {
        check_members(site, body);
        check_terms(site, body);
        check_facts(site, body);
    }
    json_decref(site->refusal.more);
    return 0;
}
