/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What computers that start from the network are asked, and how long: rules of the site or of a distribution point
 * (docs/deployments.md)
 */

#include <stdbool.h>

#include "site/dp.h"
#include "site/password.h"
#include "site/rows.h"
#include "site/site.h"

#define BOOT_RULE_OF_SITE "site"

enum {
    BOOT_MENU_S = 30,   /* how long the firmware's menu waits, then the disk starts */
    BOOT_CHOICE_S = 60, /* how long the list of deployments waits, then the first begins */
    BOOT_WAIT_MAX_S = 3600,
    BOOT_PASSWORD_MIN = 8, /* characters */
    BOOT_PASSWORD_MAX = 64,
};

/* What counts at one distribution point. */
struct boot_rule {
    char hash[PASSWORD_HASH_MAX]; /* of the password that is asked for; "": none is */
    char password_of[DP_ID_MAX];  /* whose it is: "site", or the distribution point; "": nobody's */
    unsigned menu_s;
    unsigned choice_s; /* 0: without end */
};

/* @dp_id: "" or NULL: what holds for the site */
int boot_rule_find(struct site *site, const char *dp_id, struct boot_rule *ret);

/* GET /boot-rules: those that were set */
int boot_rule_list(struct site *site, const struct page *page, json_t **ret);

/* GET /boot-rules/{id}: and `effective`, what comes of it with the site's. */
int boot_rule_get(struct site *site, const char *id, json_t **ret);

/* PATCH: members that are missing stay, null is to be inherited. @id: "site" or of a distribution point */
int boot_rule_change(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* All of it is inherited again, the password too. */
int boot_rule_remove(struct site *site, const char *who, const char *id);

/* PUT /boot-rules/{id}/password {"password"}, with password_work_run() in between; and DELETE. */
int boot_rule_begin_password(struct site *site, const json_t *body, struct password_work *ret);
int boot_rule_end_password(struct site *site,
                           const char *who,
                           const char *id,
                           const struct password_work *work);
int boot_rule_remove_password(struct site *site, const char *who, const char *id);
