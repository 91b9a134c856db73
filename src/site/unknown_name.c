/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/unknown_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/device_facts.h"
#include "site/fields.h"
#include "site/membership.h"

#define COMPUTER_NAME "OSDComputerName"

enum {
    MAC_DIGITS = 2 * MAC_BYTES,
    VALUE_MAX = 256,
    REASON_MAX = 128,
};

/* Who it is, as names are made of it. */
struct subject {
    char values[NAME_VALUES][VALUE_MAX];
    char name[DEVICE_NAME_MAX_BYTES + 1]; /* that it has */
    bool is_named;                        /* by somebody, or by a rule */
    bool is_unknown;
};

/* "525400770001" of "52:54:00:77:00:01" */
static void put_mac(const char *mac, char ret[static VALUE_MAX])
{
    size_t n = 0;

    for (; *mac && n < MAC_DIGITS; mac++)
        if (isxdigit((unsigned char)*mac))
            ret[n++] = (char)toupper((unsigned char)*mac);
    ret[n] = '\0';
}

static int load(struct site *site, const char *device_id, struct subject *ret)
{
    static const enum name_value columns[] = {
        NAME_SERIAL, NAME_ASSET, NAME_MODEL, NAME_MANUFACTURER, NAME_ARCH};
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_UNKNOWN_NAME_FACTS, DB_ARGS(db_text(device_id)), &rows);

    *ret = (struct subject){0};
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        (void)snprintf(ret->values[columns[i]], VALUE_MAX, "%s", db_get_text(&rows, i));
    (void)snprintf(ret->name, sizeof(ret->name), "%s", db_get_text(&rows, 5));
    ret->is_named = db_get_text(&rows, 6)[0] != '\0';
    ret->is_unknown = db_get_bool(&rows, 7);
    put_mac(db_get_text(&rows, 8), ret->values[NAME_MAC]);
    return 0;
}

static struct name_facts facts_of(const struct subject *subject)
{
    struct name_facts facts;

    for (size_t i = 0; i < NAME_VALUES; i++)
        facts.values[i] = subject->values[i];
    return facts;
}

/* @is_taken: by another device than one of the name @own */
static int look(struct site *site, const char *name, const char *own, bool *ret_is_taken)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEVICE_NAME_TAKEN, DB_ARGS(db_text(name)), &rows);

    *ret_is_taken = r == DB_ROW && strcasecmp(name, own) != 0;
    return r < 0 ? TRACE(r) : 0;
}

/* @ret: the number that a counter has next; with @is_taken nobody else gets it */
static int count(struct site *site, const char *base, bool is_taken, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     is_taken ? SQL_NAME_COUNTER_TAKE : SQL_NAME_COUNTER_PEEK,
                     DB_ARGS(db_text(base)),
                     &rows);

    if (r < 0)
        return TRACE(r);
    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 1;
    return 0;
}

/*
 * The first name of the pattern that nobody has. @is_taken: its number is used up by that. @ret: "" if there is none. Return: 0,
 * a positive outcome of name_rule_make(), or -errno.
 */
static int make(struct site *site,
                const struct subject *subject,
                struct name_wish *wish,
                bool is_taken,
                char ret[static NAME_MAX_BYTES + 1])
{
    const struct name_facts facts = facts_of(subject);
    char base[NAME_BASE_MAX];
    const char *why;
    bool has_counter;
    bool is_other = true;
    int r = name_rule_check(wish->pattern, &has_counter, &why);

    if (r == 0)
        r = name_rule_base(wish->pattern, &facts, base);
    if (r == 0 && has_counter)
        r = count(site, base, is_taken, &wish->number);
    for (unsigned n = 0; r == 0 && is_other; n++) {
        if (n == UNKNOWN_TWINS_MAX)
            r = NAME_RULE_E_BAD;
        else if (n > 0 && has_counter && is_taken)
            r = count(site, base, true, &wish->number);
        else if (n > 0 && has_counter)
            wish->number++;
        else
            wish->twin = n > 0 ? n + 1 : 0;
        if (r == 0)
            r = name_rule_make(wish, &facts, ret);
        if (r == 0)
            r = look(site, ret, subject->name, &is_other);
    }
    if (r != 0)
        ret[0] = '\0';
    return r < 0 ? TRACE(r) : r;
}

int unknown_name_propose(struct site *site,
                         const char *device_id,
                         const struct unknown_rule *rule,
                         char ret[static DEVICE_NAME_MAX_BYTES + 1])
{
    struct name_wish wish = {.pattern = rule->pattern, .max = rule->name_max, .number = 1};
    struct subject subject;
    int r = load(site, device_id, &subject);

    if (r < 0)
        return TRACE(r);
    if (rule->pattern[0] && !subject.is_named)
        r = make(site, &subject, &wish, false, ret);
    if (r < 0)
        return TRACE(r);
    if (r > 0 || !rule->pattern[0] || subject.is_named)
        (void)snprintf(ret, DEVICE_NAME_MAX_BYTES + 1, "%s", subject.name);
    return 0;
}

/* Return: 0, DB_E_EXISTS or -errno. */
static int rename_to(struct site *site, const char *device_id, const char *name, const char *source)
{
    OWN(json_freep) json_t *before = NULL;
    int r = device_facts_note(site, device_id, &before);

    if (r == 0)
        r = db_run(site->db,
                   SQL_DEVICE_NAME_GIVE,
                   DB_ARGS(db_text(device_id), db_text(name), db_text(source)),
                   NULL);
    return r == 0 ? TRACE(membership_device_changed(site, device_id, before)) : r;
}

static const char *why_none(int outcome)
{
    switch (outcome) {
    case NAME_RULE_E_EMPTY:
        return "the firmware leaves a value empty that the rule uses";
    case NAME_RULE_E_PATTERN:
        return "the rule is no pattern";
    default:
        return "what the rule makes is no name of a computer";
    }
}

int unknown_name_apply(struct site *site, const char *device_id, const struct unknown_rule *rule)
{
    struct name_wish wish = {.pattern = rule->pattern, .max = rule->name_max, .number = 1};
    char name[NAME_MAX_BYTES + 1];
    struct subject subject;
    int r = rule->pattern[0] ? load(site, device_id, &subject) : 0;

    if (r < 0 || !rule->pattern[0] || subject.is_named)
        return TRACE(r);
    r = make(site, &subject, &wish, true, name);
    if (r > 0)
        return TRACE(site_audit(site, "site", "device.keep-name", device_id, why_none(r)));
    if (r == 0)
        r = rename_to(site, device_id, name, "rule");
    if (r > 0)
        return ERR(-EIO); /* nobody had it a moment ago */
    return r < 0 ? TRACE(r) : TRACE(site_audit(site, "site", "device.rename", device_id, name));
}

int unknown_name_give(struct site *site,
                      const char *device_id,
                      const char *name,
                      unsigned max,
                      const char *source,
                      enum refusal_id id)
{
    const char *why = name_rule_why_not(name, max);
    int r;

    if (why)
        return refuse(site, id, "\"%.63s\" cannot be the computer's name. %s", name, why);
    r = rename_to(site, device_id, name, source);
    if (r > 0)
        return refuse(site, id, "\"%.63s\" cannot be the computer's name. It is taken.", name);
    return TRACE(r);
}

int unknown_name_is_given(struct site *site, const char *device_id, bool *ret)
{
    struct subject subject;
    int r = load(site, device_id, &subject);

    *ret = subject.is_named;
    return TRACE(r);
}

static int has_own_variable(struct site *site, const char *device_id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_DEVICE_VARIABLE_GET,
                     DB_ARGS(db_text(device_id), db_text(COMPUTER_NAME)),
                     &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

static void drop_computer_name(json_t *variables)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(variables, next, name, value) if (strcasecmp(name, COMPUTER_NAME) ==
                                                               0)(void)
        json_object_del(variables, name);
}

int unknown_name_put_order(struct site *site,
                           const char *device_id,
                           const char *name,
                           json_t *variables)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_own = false;
    int r = db_first(site->db, SQL_UNKNOWN_NAME_FACTS, DB_ARGS(db_text(device_id)), &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    if (!db_get_text(&rows, 6)[0] || strcmp(db_get_text(&rows, 6), "administrator") == 0)
        return 0;
    r = has_own_variable(site, device_id, &is_own);
    if (r < 0 || is_own)
        return TRACE(r);
    drop_computer_name(variables);
    return json_object_set_new(variables, COMPUTER_NAME, json_string(name)) < 0 ? ERR(-ENOMEM) : 0;
}

/* Of a device that is named, or of the values themselves. */
static int read_subject(struct site *site, const json_t *body, struct subject *ret)
{
    static const char *const names[NAME_VALUES] = {
        [NAME_SERIAL] = "serial",
        [NAME_ASSET] = "asset",
        [NAME_MODEL] = "model",
        [NAME_MANUFACTURER] = "manufacturer",
        [NAME_MAC] = "mac",
        [NAME_ARCH] = "arch",
    };
    const char *device = field_text(body, "device", NULL);
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device ? device_find(site, device, id) : 0;

    *ret = (struct subject){0};
    if (r == 0 && device)
        r = load(site, id, ret);
    if (r != 0)
        return TRACE(r);
    for (size_t i = 0; i < NAME_VALUES; i++)
        if (json_object_get(body, names[i]))
            (void)snprintf(ret->values[i], VALUE_MAX, "%s", field_text(body, names[i], ""));
    put_mac(field_text(body, "mac", ret->values[NAME_MAC]), ret->values[NAME_MAC]);
    return 0;
}

int unknown_name_preview(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"pattern", FIELD_LINE, false, 1, NAME_PATTERN_MAX_BYTES, NULL},
        {"name_max", FIELD_NUMBER, false, 1, NAME_MAX_BYTES, NULL},
        {"device", FIELD_TEXT, false, 1, VALUE_MAX - 1, NULL},
        {"serial", FIELD_LINE, false, 0, REASON_MAX, NULL},
        {"asset", FIELD_LINE, false, 0, REASON_MAX, NULL},
        {"model", FIELD_LINE, false, 0, REASON_MAX, NULL},
        {"manufacturer", FIELD_LINE, false, 0, REASON_MAX, NULL},
        {"mac", FIELD_MAC, false, 0, 0, NULL},
        {"arch", FIELD_CHOICE, false, 0, 0, "x64|x86|arm64"},
        {0},
    };
    struct unknown_rule rule;
    struct subject subject;
    struct name_wish wish = {.number = 1};
    char name[NAME_MAX_BYTES + 1] = "";
    const char *why = NULL;
    bool has_counter = false;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    (void)who;
    if (r == 0)
        r = unknown_rule_find(site, NULL, NULL, &rule);
    if (r == 0)
        r = read_subject(site, body, &subject);
    if (r != 0)
        return TRACE(r);
    wish.pattern = field_text(body, "pattern", rule.pattern);
    wish.max = (unsigned)field_number(body, "name_max", rule.name_max);
    r = name_rule_check(wish.pattern, &has_counter, &why);
    if (r == 0)
        r = make(site, &subject, &wish, false, name);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:i,s:b,s:s?}",
                     "pattern",
                     wish.pattern,
                     "name",
                     name,
                     "name_max",
                     (int)wish.max,
                     "has_counter",
                     (int)has_counter,
                     "problem",
                     r == 0 ? NULL : (why ? why : why_none(r)));
    return *ret ? 0 : ERR(-ENOMEM);
}
