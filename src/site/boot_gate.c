/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/boot_decision.h"
#include "site/boot_rule.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/login.h"
#include "site/order.h"
#include "site/prestart.h"
#include "site/unknown.h"
#include "site/wizard.h"

enum {
    SUBJECT_MAX = 96,
};

struct gate {
    bool is_there;
    char dp_id[DP_ID_MAX];
    char boot_image_id[SITE_ID_MAX];
    bool is_password_needed;
    uint64_t n_wrong;
    char deployment_id[SITE_ID_MAX]; /* chosen; "" */
    char variables_of[SITE_ID_MAX];  /* the deployment whose variables were asked for; "" */
};

static void copy(char *dst, size_t cap, const struct db_rows *rows, size_t column)
{
    (void)snprintf(dst, cap, "%s", db_get_text(rows, column));
}

static int load(struct site *site, const char *device_id, struct gate *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_BOOT_GATE_GET, DB_ARGS(db_text(device_id)), &rows);

    *ret = (struct gate){0};
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    ret->is_there = true;
    copy(ret->dp_id, sizeof(ret->dp_id), &rows, 0);
    copy(ret->boot_image_id, sizeof(ret->boot_image_id), &rows, 1);
    ret->is_password_needed = db_get_bool(&rows, 2);
    ret->n_wrong = db_get_u64(&rows, 3);
    copy(ret->deployment_id, sizeof(ret->deployment_id), &rows, 4);
    copy(ret->variables_of, sizeof(ret->variables_of), &rows, 5);
    return 0;
}

int boot_gate_drop(struct site *site, const char *device_id)
{
    return TRACE(db_run(site->db, SQL_BOOT_GATE_DROP, DB_ARGS(db_text(device_id)), NULL));
}

int boot_gate_chosen(struct site *site, const char *device_id, char *ret)
{
    struct gate gate;
    int r = load(site, device_id, &gate);

    (void)snprintf(ret, SITE_ID_MAX, "%s", gate.deployment_id);
    return TRACE(r);
}

/* What is to be typed before what would begin; @ret: as wizard_asked(), empty also if it was typed. */
static int find_asked(struct site *site,
                      const char *device_id,
                      const struct gate *gate,
                      char *ret_deployment,
                      char **ret_name,
                      json_t **ret)
{
    int r = wizard_asked(site, device_id, ret_deployment, ret_name, ret);

    if (r == 0 && ret_deployment[0] && strcmp(ret_deployment, gate->variables_of) == 0)
        r = json_array_clear(*ret);
    return TRACE(r);
}

/* Whether there is something to be typed. */
static int asks_variables(struct site *site, const char *device_id, bool *ret)
{
    OWN(json_freep) json_t *asked = NULL;
    OWN(freep) char *name = NULL;
    char deployment[SITE_ID_MAX];
    int r = wizard_asked(site, device_id, deployment, &name, &asked);

    *ret = json_array_size(asked) > 0;
    return TRACE(r);
}

int boot_gate_open(struct site *site, const char *device_id, const char *boot_image_id, bool *ret)
{
    OWN(json_freep) json_t *choices = NULL;
    struct boot_rule rule = {0};
    char dp_id[DP_ID_MAX];
    bool is_password_needed;
    bool asks = false;
    bool runs = false;
    int r = boot_gate_drop(site, device_id);

    *ret = false;
    if (r == 0)
        r = wizard_forget(site, device_id);
    if (r == 0)
        r = prestart_open(site, device_id, boot_image_id, &runs);
    if (r == 0)
        r = unknown_dp(site, device_id, dp_id);
    if (r == 0)
        r = boot_rule_find(site, dp_id, &rule);
    if (r == 0)
        r = boot_target_choices(site, device_id, &choices);
    if (r == 0)
        r = asks_variables(site, device_id, &asks);
    if (r < 0)
        return TRACE(r);
    is_password_needed = rule.hash[0] != '\0';
    *ret = !runs && !is_password_needed && !asks && json_array_size(choices) < 2;
    if (*ret)
        return 0;
    return TRACE(db_must(site->db,
                         SQL_BOOT_GATE_ADD,
                         DB_ARGS(db_text(device_id),
                                 db_text(dp_id),
                                 db_text(boot_image_id),
                                 db_u64(is_password_needed ? 1 : 0),
                                 db_u64(site->now_us))));
}

static int put_password(const struct gate *gate, json_t **ret)
{
    uint64_t left = gate->n_wrong < BOOT_GATE_TRIES ? BOOT_GATE_TRIES - gate->n_wrong : 0;

    *ret = json_pack("{s:s,s:I}", "state", "password", "tries_left", (json_int_t)left);
    return *ret ? 0 : ERR(-ENOMEM);
}

static int put_choices(struct site *site, const struct gate *gate, json_t *choices, json_t **ret)
{
    struct boot_rule rule = {0};
    int r = boot_rule_find(site, gate->dp_id, &rule);

    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:i,s:s,s:O}",
                     "state",
                     "choice",
                     "wait_s",
                     (int)rule.choice_s,
                     "default_id",
                     field_text(json_array_get(choices, 0), "deployment_id", ""),
                     "choices",
                     choices);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* It was let through, and has chosen if there is something to choose. What an unknown computer waits for yet is its request's. */
static int begin(struct site *site, const char *device_id, const struct gate *gate)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_open;
    int r = db_first(site->db, SQL_ORDER_IN_PROGRESS, DB_ARGS(db_text(device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return TRACE(order_begin(site, device_id, gate->boot_image_id, &is_open));
    return TRACE(boot_gate_drop(site, device_id));
}

static int put_variables(const struct gate *gate,
                         const char *deployment_id,
                         const char *name,
                         json_t *asked,
                         json_t **ret)
{
    *ret = json_pack("{s:s,s:s,s:s,s:b,s:O}",
                     "state",
                     "variables",
                     "deployment_id",
                     deployment_id,
                     "name",
                     name,
                     "has_list",
                     (int)(gate->deployment_id[0] != '\0'),
                     "variables",
                     asked);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* Nothing is to be chosen any more. */
static int
ask_or_begin(struct site *site, const char *device_id, const struct gate *gate, json_t **ret)
{
    OWN(json_freep) json_t *asked = NULL;
    OWN(freep) char *name = NULL;
    char deployment[SITE_ID_MAX];
    int r = find_asked(site, device_id, gate, deployment, &name, &asked);

    if (r < 0)
        return TRACE(r);
    return json_array_size(asked) > 0 ? TRACE(put_variables(gate, deployment, name, asked, ret))
                                      : TRACE(begin(site, device_id, gate));
}

static int move_on(struct site *site, const char *device_id, const struct gate *gate, json_t **ret)
{
    OWN(json_freep) json_t *choices = NULL;
    int r = device_check_open(site, device_id);

    if (r == 0)
        r = boot_target_choices(site, device_id, &choices);
    if (r != 0)
        return TRACE(r);
    return json_array_size(choices) > 1 ? TRACE(put_choices(site, gate, choices, ret))
                                        : TRACE(ask_or_begin(site, device_id, gate, ret));
}

int boot_gate_ask(struct site *site, const char *device_id, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *answer = NULL;
    struct gate gate;
    int r = load(site, device_id, &gate);

    *ret = NULL;
    if (r < 0 || !gate.is_there)
        return TRACE(r);
    r = prestart_ask(site, device_id, ret);
    if (r < 0 || *ret)
        return TRACE(r);
    if (gate.is_password_needed)
        return TRACE(put_password(&gate, ret));
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = move_on(site, device_id, &gate, &answer);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = TAKE(answer);
    return TRACE(r);
}

/* Of whom it is counted how often he tried: the device, and where it is. */
static void put_subjects(const char *device_id,
                         const char *address,
                         char device[static SUBJECT_MAX],
                         char place[static SUBJECT_MAX])
{
    (void)snprintf(device, SUBJECT_MAX, "boot:%.64s", device_id);
    (void)snprintf(place, SUBJECT_MAX, "boot-address:%.64s", address ? address : "");
}

/* Before the work on it, so that tries at the same time count too. */
static int count_try(struct site *site, const char *device_id, const char *address)
{
    char device[SUBJECT_MAX];
    char place[SUBJECT_MAX];
    int r;

    put_subjects(device_id, address, device, place);
    r = login_count(site, device, BOOT_GATE_TRIES, place);
    if (r == 0)
        r = db_must(site->db, SQL_BOOT_GATE_TRIED, DB_ARGS(db_text(device_id)));
    return TRACE(r);
}

static int check_asked(struct site *site, const struct gate *gate)
{
    if (!gate->is_there || !gate->is_password_needed)
        return refuse(
            site, REFUSAL_NOT_ASKED, "This computer is asked for no password; it may go on.");
    if (gate->n_wrong >= BOOT_GATE_TRIES)
        return refuse(site,
                      REFUSAL_BOOT_TRIES,
                      "%d wrong passwords were typed; start the computer again from the network.",
                      (int)BOOT_GATE_TRIES);
    return 0;
}

int boot_gate_begin_password(struct site *site,
                             const char *device_id,
                             const char *address,
                             const json_t *body,
                             struct password_work *ret)
{
    static const struct field fields[] = {
        {"password", FIELD_TEXT, true, 1, PASSWORD_MAX_BYTES, NULL},
        {0},
    };
    struct boot_rule rule = {0};
    struct gate gate;
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = load(site, device_id, &gate);
    if (r == 0)
        r = check_asked(site, &gate);
    if (r == 0)
        r = count_try(site, device_id, address);
    if (r == 0)
        r = boot_rule_find(site, gate.dp_id, &rule);
    if (r != 0)
        return TRACE(r);
    (void)snprintf(
        ret->hash, sizeof(ret->hash), "%s", rule.hash[0] ? rule.hash : password_nobody());
    (void)snprintf(ret->given, sizeof(ret->given), "%s", field_text(body, "password", ""));
    return 0;
}

static int refuse_password(struct site *site, const char *device_id, const struct gate *gate)
{
    unsigned left = gate->n_wrong < BOOT_GATE_TRIES ? BOOT_GATE_TRIES - (unsigned)gate->n_wrong : 0;
    int r = site_audit(site, device_id, "boot-password.wrong", device_id, gate->dp_id);

    if (r == 0)
        r = boot_event_add_device(
            site, device_id, "wrong-password", "A wrong password was typed on its screen.");
    if (r < 0)
        return TRACE(r);
    if (left == 0)
        return refuse(site,
                      REFUSAL_BOOT_TRIES,
                      "The password is wrong, for the %dth time.",
                      (int)BOOT_GATE_TRIES);
    return refuse(site,
                  REFUSAL_BOOT_PASSWORD,
                  "The password is wrong; %u more %s be made.",
                  left,
                  left == 1 ? "try can" : "tries can");
}

/* @work: of a hash that is the rule's still */
static int
is_right(struct site *site, const struct gate *gate, const struct password_work *work, bool *ret)
{
    struct boot_rule rule = {0};
    int r = boot_rule_find(site, gate->dp_id, &rule);

    /* while it was looked at it may have been changed, or taken away */
    *ret = r == 0 && (!rule.hash[0] || (work->is_good && strcmp(rule.hash, work->hash) == 0));
    return TRACE(r);
}

static int pass(struct site *site, const char *device_id, const char *address)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char device[SUBJECT_MAX];
    char place[SUBJECT_MAX];
    int r = db_begin(site->db, &tx);

    put_subjects(device_id, address, device, place);
    if (r == 0)
        r = db_must(site->db, SQL_BOOT_GATE_PASS, DB_ARGS(db_text(device_id)));
    if (r == 0)
        r = login_forget(site, device, place);
    if (r == 0)
        r = boot_event_add_device(
            site, device_id, "password", "The password was typed on its screen.");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int boot_gate_end_password(struct site *site,
                           const char *device_id,
                           const char *address,
                           const struct password_work *work,
                           json_t **ret)
{
    struct gate gate;
    bool is_good = false;
    int r = load(site, device_id, &gate);

    if (r == 0 && (!gate.is_there || !gate.is_password_needed))
        return refuse(
            site, REFUSAL_NOT_ASKED, "This computer is asked for no password; it may go on.");
    if (r == 0)
        r = is_right(site, &gate, work, &is_good);
    if (r == 0)
        r = is_good ? pass(site, device_id, address) : refuse_password(site, device_id, &gate);
    if (r != 0)
        return TRACE(r);
    *ret = json_object();
    return *ret ? 0 : ERR(-ENOMEM);
}

static const json_t *find_choice(const json_t *choices, const char *id)
{
    for (size_t i = 0; i < json_array_size(choices); i++)
        if (strcmp(field_text(json_array_get(choices, i), "deployment_id", ""), id) == 0)
            return json_array_get(choices, i);
    return NULL;
}

static int check_choice(struct site *site,
                        const char *device_id,
                        const char *deployment_id,
                        const struct gate *gate)
{
    OWN(json_freep) json_t *choices = NULL;
    int r = boot_target_choices(site, device_id, &choices);

    if (r != 0)
        return TRACE(r);
    if (!gate->is_there || gate->is_password_needed)
        return refuse(site, REFUSAL_NOT_ASKED, "This computer is not asked to choose.");
    if (!find_choice(choices, deployment_id))
        return refuse(site,
                      REFUSAL_CHOICE,
                      "\"%.100s\" is none of the deployments that this computer may begin now.",
                      deployment_id);
    return 0;
}

int boot_gate_choose(struct site *site, const char *device_id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"deployment_id", FIELD_TEXT, true, 1, SITE_ID_MAX - 1, NULL},
        {"is_by_time", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *id = field_text(body, "deployment_id", "");
    const char *variables_of = field_bool(body, "is_by_time") ? id : ""; /* nobody is there */
    struct gate gate;
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = load(site, device_id, &gate);
    if (r == 0)
        r = check_choice(site, device_id, id, &gate);
    if (r == 0)
        r = db_must(site->db,
                    SQL_BOOT_GATE_CHOOSE,
                    DB_ARGS(db_text(device_id), db_text(id), db_text(variables_of)));
    if (r == 0)
        r = boot_event_add_device(site, device_id, "chosen", id);
    if (r == 0)
        r = site_audit(site, device_id, "deployment.choose", id, device_id);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_object();
    return *ret ? 0 : ERR(-ENOMEM);
}

int boot_gate_unchoose(struct site *site, const char *device_id, json_t **ret)
{
    struct gate gate;
    int r = load(site, device_id, &gate);

    if (r == 0 && (!gate.is_there || !gate.deployment_id[0]))
        return refuse(site, REFUSAL_NOT_ASKED, "Nothing was chosen from a list.");
    if (r == 0)
        r = db_must(
            site->db, SQL_BOOT_GATE_CHOOSE, DB_ARGS(db_text(device_id), db_text(""), db_text("")));
    if (r != 0)
        return TRACE(r);
    *ret = json_object();
    return *ret ? 0 : ERR(-ENOMEM);
}

static int check_typed(struct site *site,
                       const struct gate *gate,
                       const char *deployment_id,
                       const char *wanted,
                       const json_t *asked)
{
    if (!gate->is_there || gate->is_password_needed || json_array_size(asked) == 0)
        return refuse(site, REFUSAL_NOT_ASKED, "This computer is asked for no variables.");
    if (strcmp(deployment_id, wanted) != 0)
        return refuse(site,
                      REFUSAL_CHOICE,
                      "\"%.100s\" is not what this computer would begin now.",
                      deployment_id);
    return 0;
}

static int
take_variables(struct site *site, const char *device_id, const char *deployment, json_t *variables)
{
    OWN(json_freep) json_t *asked = NULL;
    OWN(freep) char *name = NULL;
    struct gate gate;
    char wanted[SITE_ID_MAX];
    int r = load(site, device_id, &gate);

    if (r == 0)
        r = find_asked(site, device_id, &gate, wanted, &name, &asked);
    if (r == 0)
        r = check_typed(site, &gate, deployment, wanted, asked);
    if (r == 0)
        r = wizard_keep(site, device_id, deployment, asked, variables);
    if (r == 0)
        r = db_must(
            site->db, SQL_BOOT_GATE_HAS_ASKED, DB_ARGS(db_text(device_id), db_text(deployment)));
    return TRACE(r);
}

int boot_gate_take_variables(struct site *site,
                             const char *device_id,
                             const json_t *body,
                             json_t **ret)
{
    static const struct field fields[] = {
        {"deployment_id", FIELD_TEXT, true, 1, SITE_ID_MAX - 1, NULL},
        {"variables", FIELD_OBJECT, true, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *id = field_text(body, "deployment_id", "");
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = take_variables(site, device_id, id, json_object_get(body, "variables"));
    if (r == 0)
        r = boot_event_add_device(site,
                                  device_id,
                                  "variables",
                                  "Its variables without a value were asked for on its screen.");
    if (r == 0)
        r = site_audit(site, device_id, "deployment.set-variables", id, device_id);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_object();
    return *ret ? 0 : ERR(-ENOMEM);
}

static const char *
waits_for(const struct gate *gate, const json_t *prestart, size_t n_choices, size_t n_asked)
{
    if (!gate->is_there)
        return "";
    if (prestart)
        return "prestart-command";
    if (gate->is_password_needed)
        return gate->n_wrong < BOOT_GATE_TRIES ? "password" : "restart";
    return n_choices > 1 ? "choice" : n_asked > 0 ? "variables" : "";
}

int boot_gate_explain(struct site *site, const char *device_id, const char *dp_id, json_t **ret)
{
    OWN(json_freep) json_t *choices = NULL;
    OWN(json_freep) json_t *asked = NULL;
    OWN(json_freep) json_t *prestart = NULL;
    OWN(freep) char *name = NULL;
    struct boot_rule rule = {0};
    struct gate gate;
    char deployment[SITE_ID_MAX];
    int r = load(site, device_id, &gate);

    if (r == 0)
        r = prestart_ask(site, device_id, &prestart);
    if (r == 0)
        r = find_asked(site, device_id, &gate, deployment, &name, &asked);
    if (r == 0)
        r = boot_rule_find(site, dp_id, &rule);
    if (r == 0)
        r = boot_target_choices(site, device_id, &choices);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:i,s:i,s:O,s:O,s:s,s:I}",
                     "password_of",
                     rule.password_of,
                     "menu_s",
                     (int)rule.menu_s,
                     "choice_s",
                     (int)rule.choice_s,
                     "choices",
                     choices,
                     "variables",
                     asked,
                     "waits_for",
                     waits_for(&gate, prestart, json_array_size(choices), json_array_size(asked)),
                     "n_wrong",
                     (json_int_t)gate.n_wrong);
    return *ret ? 0 : ERR(-ENOMEM);
}
