/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/name_rule.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    PARTS_MAX = 24,
    PART_MAX = NAME_MAX_BYTES + 1,
    COUNTER_DIGITS_MAX = 9,
};

enum part_kind {
    PART_TEXT,
    PART_VALUE,
    PART_COUNTER,
};

/* A piece of the pattern, and then of the name. */
struct part {
    enum part_kind kind;
    enum name_value value;
    bool is_first;  /* of a value its first characters are wanted, not the last */
    unsigned width; /* how many; 0: all. Of a counter: how many digits at least */
    char text[PART_MAX];
    size_t len;
};

struct parts {
    struct part list[PARTS_MAX];
    size_t n;
};

static bool is_name_char(char c)
{
    return isascii((unsigned char)c) && (isalnum((unsigned char)c) || c == '-');
}

/* @text: "serial", "counter", … */
static bool read_value(struct bytes text, struct part *ret)
{
    static const char *const names[NAME_VALUES] = {
        [NAME_SERIAL] = "serial",
        [NAME_ASSET] = "asset",
        [NAME_MODEL] = "model",
        [NAME_MANUFACTURER] = "manufacturer",
        [NAME_MAC] = "mac",
        [NAME_ARCH] = "arch",
    };

    if (bytes_eq(text, bytes_of("counter"))) {
        ret->kind = PART_COUNTER;
        return true;
    }
    ret->kind = PART_VALUE;
    for (int i = 0; i < NAME_VALUES; i++)
        if (bytes_eq(text, bytes_of(names[i]))) {
            ret->value = (enum name_value)i;
            return true;
        }
    return false;
}

/* @text: what is between percent signs: "serial:^4" */
static const char *read_field(struct bytes text, struct part *ret)
{
    const uint8_t *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
    struct bytes name = {text.ptr, colon ? (size_t)(colon - text.ptr) : text.len};
    struct bytes width = {colon ? colon + 1 : NULL, colon ? text.len - name.len - 1 : 0};
    uint64_t n = 0;

    if (!read_value(name, ret))
        return "between percent signs stand serial, asset, model, manufacturer, mac, arch or counter";
    if (!colon)
        return NULL;
    if (ret->kind == PART_VALUE && width.len > 0 && width.ptr[0] == '^') {
        ret->is_first = true;
        width = (struct bytes){width.ptr + 1, width.len - 1};
    }
    if (!bytes_parse_u64(
            width, 1, ret->kind == PART_COUNTER ? COUNTER_DIGITS_MAX : NAME_MAX_BYTES, &n))
        return "behind the colon stands how many characters: 1 to 63, of a counter 1 to 9";
    ret->width = (unsigned)n;
    return NULL;
}

/* Return: NULL, or what is wrong. */
static const char *parse(const char *pattern, struct parts *ret)
{
    *ret = (struct parts){0};
    if (strlen(pattern) > NAME_PATTERN_MAX_BYTES)
        return "a pattern has at most 128 characters";
    for (const char *p = pattern; *p;) {
        struct part *part = &ret->list[ret->n];
        const char *end = *p == '%' ? strchr(p + 1, '%') : NULL;
        const char *why = NULL;

        if (ret->n == PARTS_MAX)
            return "a pattern has at most 24 parts";
        if (*p == '%' && !end)
            return "a percent sign has no second one";
        if (end) {
            why = read_field((struct bytes){(const uint8_t *)p + 1, (size_t)(end - p - 1)}, part);
            p = end + 1;
        } else {
            while (is_name_char(*p) && part->len < NAME_MAX_BYTES)
                part->text[part->len++] = *p++;
            if (part->len == 0)
                return "beside values there may be letters, digits and '-' only";
        }
        if (why)
            return why;
        ret->n++;
    }
    return ret->n > 0 ? NULL : "it is empty";
}

int name_rule_check(const char *pattern, bool *ret_has_counter, const char **ret_why)
{
    struct parts parts;

    *ret_has_counter = false;
    *ret_why = parse(pattern, &parts);
    if (*ret_why)
        return NAME_RULE_E_PATTERN;
    for (size_t i = 0; i < parts.n; i++)
        if (parts.list[i].kind == PART_COUNTER)
            *ret_has_counter = true;
    return 0;
}

/* The characters of @src that a name can have, as many as are wanted. Return: false if there is none. */
static bool fill_value(struct part *part, const char *src)
{
    size_t n = 0;
    size_t from;
    size_t at = 0;

    for (const char *c = src; c && *c; c++)
        n += is_name_char(*c) ? 1 : 0;
    part->len = part->width > 0 && part->width < n ? part->width : n;
    if (part->len > NAME_MAX_BYTES)
        part->len = NAME_MAX_BYTES;
    from = part->is_first ? 0 : n - part->len;
    for (const char *c = src; c && *c; c++) {
        if (!is_name_char(*c))
            continue;
        if (at >= from && at - from < part->len)
            part->text[at - from] = *c;
        at++;
    }
    part->text[part->len] = '\0';
    return part->len > 0;
}

static void fill_counter(struct part *part, uint64_t number)
{
    int n = snprintf(part->text, sizeof(part->text), "%0*" PRIu64, (int)part->width, number);

    part->len = n > 0 ? (size_t)n : 0;
}

/* Return: false if a value is empty. */
static bool fill(struct parts *parts, const struct name_facts *facts, uint64_t number)
{
    for (size_t i = 0; i < parts->n; i++) {
        struct part *part = &parts->list[i];

        if (part->kind == PART_COUNTER)
            fill_counter(part, number);
        else if (part->kind == PART_VALUE && !fill_value(part, facts->values[part->value]))
            return false;
    }
    return true;
}

static size_t total(const struct parts *parts)
{
    size_t n = 0;

    for (size_t i = 0; i < parts->n; i++)
        n += parts->list[i].len;
    return n;
}

/* Return: false if nothing can be cut any more. */
static bool shrink(struct parts *parts)
{
    struct part *longest = NULL;

    for (size_t i = 0; i < parts->n; i++)
        if (parts->list[i].kind == PART_VALUE && parts->list[i].len > 1 &&
            (!longest || parts->list[i].len > longest->len))
            longest = &parts->list[i];
    if (!longest)
        return false;
    memmove(longest->text, longest->text + 1, longest->len--);
    return true;
}

static void join(const struct parts *parts, char *ret)
{
    size_t at = 0;

    for (size_t i = 0; i < parts->n; i++) {
        memcpy(ret + at, parts->list[i].text, parts->list[i].len);
        at += parts->list[i].len;
    }
    ret[at] = '\0';
}

/* "-2", as a part that is not cut. */
static void add_twin(struct parts *parts, unsigned twin)
{
    struct part *part = &parts->list[parts->n];
    int n;

    if (twin < 2 || parts->n == PARTS_MAX)
        return;
    n = snprintf(part->text, sizeof(part->text), "-%u", twin);
    part->kind = PART_TEXT;
    part->len = n > 0 ? (size_t)n : 0;
    parts->n++;
}

int name_rule_make(const struct name_wish *wish,
                   const struct name_facts *facts,
                   char ret[static NAME_MAX_BYTES + 1])
{
    struct parts parts;

    ret[0] = '\0';
    if (parse(wish->pattern, &parts))
        return NAME_RULE_E_PATTERN;
    if (!fill(&parts, facts, wish->number))
        return NAME_RULE_E_EMPTY;
    add_twin(&parts, wish->twin);
    while (total(&parts) > wish->max)
        if (!shrink(&parts))
            return NAME_RULE_E_BAD;
    join(&parts, ret);
    if (name_rule_why_not(ret, wish->max)) {
        ret[0] = '\0';
        return NAME_RULE_E_BAD;
    }
    return 0;
}

int name_rule_base(const char *pattern,
                   const struct name_facts *facts,
                   char ret[static NAME_BASE_MAX])
{
    struct parts parts;
    size_t at = 0;

    ret[0] = '\0';
    if (parse(pattern, &parts))
        return NAME_RULE_E_PATTERN;
    if (!fill(&parts, facts, 1))
        return NAME_RULE_E_EMPTY;
    for (size_t i = 0; i < parts.n; i++) {
        const struct part *part = &parts.list[i];
        int n = snprintf(
            ret + at, NAME_BASE_MAX - at, "%s", part->kind == PART_COUNTER ? "#" : part->text);

        if (n < 0 || (size_t)n >= NAME_BASE_MAX - at)
            return NAME_RULE_E_BAD;
        at += (size_t)n;
    }
    for (char *c = ret; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return 0;
}

const char *name_rule_why_not(const char *name, unsigned max)
{
    uint8_t mark[UUID_BYTES];
    size_t len = strlen(name);

    if (len == 0)
        return "It is empty.";
    if (len > max)
        return "It is longer than the rules for this computer allow.";
    for (size_t i = 0; i < len; i++)
        if (!is_name_char(name[i]))
            return "It may have letters, digits and '-' only.";
    if (name[0] == '-' || name[len - 1] == '-')
        return "It must neither begin nor end with '-'.";
    if (mac_parse(bytes_of(name), mark) || uuid_parse(bytes_of(name), mark))
        return "It must be no MAC address and no UUID: by those computers are found.";
    if (strspn(name, "0123456789") == len)
        return "It must not be digits only: that would be a number, not a name.";
    return NULL;
}
