/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What unknown computers may, and what they are called: rules of the site, a distribution point or a deployment
 * (docs/unknown-computers.md)
 */

#include <stdbool.h>

#include "site/name_rule.h"
#include "site/rows.h"
#include "site/site.h"

#define UNKNOWN_RULE_OF_SITE "site"

enum {
    UNKNOWN_NAME_MAX = 15, /* of NetBIOS; unless a rule says otherwise */
    UNKNOWN_APPROVAL_HOURS = 24,
    UNKNOWN_APPROVAL_HOURS_MAX = 720,
};

/* What counts, for one computer. */
struct unknown_rule {
    bool is_allowed;
    char pattern[NAME_PATTERN_MAX_BYTES + 1]; /* "": no rule makes its name */
    unsigned name_max;
    bool is_name_asked;
    bool is_approval_needed;
    unsigned approval_hours;
};

/**
 * unknown_rule_find() - the rules that hold
 * @dp_id, @deployment_id: whose; "" or NULL: of none
 */
int unknown_rule_find(struct site *site,
                      const char *dp_id,
                      const char *deployment_id,
                      struct unknown_rule *ret);

/* GET /unknown-computer-rules: those that were set, as they were */
int unknown_rule_list(struct site *site, const struct page *page, json_t **ret);

/* GET /unknown-computer-rules/{id}: and `effective`, what comes of it with those above. */
int unknown_rule_get(struct site *site, const char *id, json_t **ret);

/* PATCH: members that are missing stay, null is to be inherited. @id: "site", of a distribution point or of a deployment */
int unknown_rule_change(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* All is inherited again. */
int unknown_rule_remove(struct site *site, const char *who, const char *id);
