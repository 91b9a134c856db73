/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/week_rules.h"

#include <string.h>

#include "base/bytes.h"

enum {
    DAYS_A_WEEK = 7,
    HOURS_A_DAY = 24,
    RULES_MAX = 64,
};

static const char *const day_names[DAYS_A_WEEK] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

bool size_parse(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGT";
    struct bytes digits = bytes_of(text);
    const char *unit = digits.len > 0 ? strchr(units, text[digits.len - 1]) : NULL;
    unsigned shift = 0;
    uint64_t n;

    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        digits.len--;
    }
    if (!bytes_parse_u64(digits, 0, (UINT64_C(1) << 62) >> shift, &n))
        return false;
    *ret = n << shift;
    return true;
}

/* Split off what is before the first @mark, without spaces around it; the whole if there is none. */
static struct bytes take(struct bytes *src, char mark)
{
    const uint8_t *at = src->len > 0 ? memchr(src->ptr, mark, src->len) : NULL;
    struct bytes part = {src->ptr, at ? (size_t)(at - src->ptr) : src->len};

    src->ptr += part.len + (at ? 1 : 0);
    src->len -= part.len + (at ? 1 : 0);
    while (part.len > 0 && part.ptr[0] == ' ')
        part = (struct bytes){part.ptr + 1, part.len - 1};
    while (part.len > 0 && part.ptr[part.len - 1] == ' ')
        part.len--;
    return part;
}

static bool find_day(struct bytes name, size_t *ret)
{
    for (size_t i = 0; i < DAYS_A_WEEK; i++) {
        if (bytes_eq_nocase(name, day_names[i])) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* "mon", "mon-fri", "fri-mon" */
static bool put_span(struct bytes span, json_t *days)
{
    struct bytes first = take(&span, '-');
    struct bytes last = span.len > 0 ? span : first;
    size_t from;
    size_t to;

    if (!find_day(first, &from) || !find_day(last, &to))
        return false;
    for (size_t i = from;; i = (i + 1) % DAYS_A_WEEK) {
        (void)json_array_append_new(days, json_string(day_names[i]));
        if (i == to)
            return json_array_size(days) <= DAYS_A_WEEK;
    }
}

static bool put_days(struct bytes list, json_t *rule)
{
    json_t *days = json_array();
    bool is_good = list.len > 0;

    if (!bytes_eq_nocase(list, "all"))
        while (is_good && list.len > 0)
            is_good = put_span(take(&list, ','), days);
    return json_object_set_new(rule, "days", days) == 0 && is_good;
}

static bool put_hours(struct bytes hours, json_t *rule)
{
    struct bytes first = take(&hours, '-');
    uint64_t from;
    uint64_t to;

    return bytes_parse_u64(first, 0, HOURS_A_DAY, &from) &&
           bytes_parse_u64(hours, 0, HOURS_A_DAY, &to) &&
           json_object_set_new(rule, "from_hour", json_integer((json_int_t)from)) == 0 &&
           json_object_set_new(rule, "to_hour", json_integer((json_int_t)to)) == 0;
}

static bool put_value(struct bytes text, enum week_rules_value value, json_t *rule)
{
    char copy[32] = "";
    uint64_t rate;

    if (text.len >= sizeof(copy))
        return false;
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    switch (value) {
    case WEEK_RULES_ALLOW:
        return text.len > 0 && json_object_set_new(rule, "allow", json_string(copy)) == 0;
    case WEEK_RULES_RATE:
        return size_parse(copy, &rate) &&
               json_object_set_new(rule, "bytes_per_s", json_integer((json_int_t)rate)) == 0;
    case WEEK_RULES_NOTHING:
        return text.len == 0;
    }
    return false;
}

static bool put_rule(struct bytes text, enum week_rules_value value, json_t *rules)
{
    json_t *rule = json_object();
    struct bytes rest = text;
    struct bytes days = take(&rest, ' ');
    struct bytes hours;
    bool is_good;

    while (rest.len > 0 && rest.ptr[0] == ' ')
        rest = (struct bytes){rest.ptr + 1, rest.len - 1};
    hours = take(&rest, ' ');
    is_good =
        put_days(days, rule) && put_hours(hours, rule) && put_value(take(&rest, ';'), value, rule);
    return json_array_append_new(rules, rule) == 0 && is_good &&
           json_array_size(rules) <= RULES_MAX;
}

bool week_rules_parse(const char *text, enum week_rules_value value, json_t **ret, struct buf *why)
{
    static const char *const examples[] = {
        [WEEK_RULES_ALLOW] = "mon-fri 8-18 high-only; sat,sun 0-24 open",
        [WEEK_RULES_RATE] = "mon-fri 8-18 10M; all 18-8 0",
        [WEEK_RULES_NOTHING] = "sun 2-5",
    };
    json_t *rules = json_array();
    struct bytes rest = bytes_of(text);
    bool is_none = strcmp(text, "none") == 0;

    if (!is_none && rest.len == 0)
        buf_adds(why, "no rule is given; \"none\" takes all away");
    while (!is_none && why->len == 0 && rest.len > 0) {
        struct bytes rule = take(&rest, ';');

        if (!put_rule(rule, value, rules))
            buf_addf(why,
                     "\"%.*s\" is no rule; it should look like \"%s\"",
                     (int)(rule.len < 80 ? rule.len : 80),
                     (const char *)rule.ptr,
                     examples[value]);
    }
    if (why->len > 0) {
        json_decref(rules);
        return false;
    }
    *ret = rules;
    return true;
}
