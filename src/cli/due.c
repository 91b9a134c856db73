/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/due.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

enum {
    WORDS_MAX = 7, /* "START every 2 months on second tue" */
    WORD_MAX_BYTES = 32,
    EVERY_MAX = 59,
    DAY_MAX = 31,
    LAST_WEEK = 5,
};

#define FORM \
    "TIME [every [N] minutes|hours|days|weeks|months [on DAY]], as in \"2026-11-22T22:00 every 2 weeks on sun\""

struct words {
    char word[WORDS_MAX][WORD_MAX_BYTES];
    size_t n;
};

static bool split(const char *text, struct words *ret)
{
    ret->n = 0;
    for (;;) {
        size_t n;

        text += strspn(text, " ");
        n = strcspn(text, " ");
        if (n == 0)
            return ret->n > 0;
        if (ret->n == WORDS_MAX || n >= WORD_MAX_BYTES)
            return false;
        memcpy(ret->word[ret->n], text, n);
        ret->word[ret->n++][n] = '\0';
        text += n;
    }
}

static bool is(const struct words *w, size_t at, const char *word)
{
    return at < w->n && strcmp(w->word[at], word) == 0;
}

static bool is_weekday(const struct words *w, size_t at)
{
    static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is(w, at, names[i]))
            return true;
    return false;
}

/* "day" or "days" */
static const char *const weeks[LAST_WEEK] = {"first", "second", "third", "fourth", "last"};

static bool is_unit(const struct words *w, size_t at, const char *unit)
{
    size_t n = strlen(unit);

    return at < w->n && strncmp(w->word[at], unit, n) == 0 &&
           (w->word[at][n] == '\0' || strcmp(w->word[at] + n, "s") == 0);
}

static void set(json_t *dst, const char *name, const char *value)
{
    (void)json_object_set_new(dst, name, json_string(value));
}

static void set_number(json_t *dst, const char *name, uint64_t n)
{
    (void)json_object_set_new(dst, name, json_integer((json_int_t)n));
}

/* "on sun" */
static bool take_weekday(const struct words *w, size_t at, json_t *dst)
{
    if (!is(w, at, "on") || !is_weekday(w, at + 1) || at + 2 != w->n)
        return false;
    set(dst, "repeat", "weekly");
    set(dst, "weekday", w->word[at + 1]);
    return true;
}

/* "on day 31", "on last day", "on second tue" */
static bool take_month_day(const struct words *w, size_t at, json_t *dst)
{
    uint64_t day = 0;

    if (!is(w, at, "on") || at + 3 != w->n)
        return false;
    if (is(w, at + 1, "last") && is(w, at + 2, "day")) {
        set(dst, "repeat", "monthly-by-date");
        set_number(dst, "day", 0);
        return true;
    }
    if (is(w, at + 1, "day") && bytes_parse_u64(bytes_of(w->word[at + 2]), 1, DAY_MAX, &day)) {
        set(dst, "repeat", "monthly-by-date");
        set_number(dst, "day", day);
        return true;
    }
    for (size_t i = 0; i < LAST_WEEK; i++) {
        if (!is(w, at + 1, weeks[i]) || !is_weekday(w, at + 2))
            continue;
        set(dst, "repeat", "monthly-by-weekday");
        set_number(dst, "week", i + 1);
        set(dst, "weekday", w->word[at + 2]);
        return true;
    }
    return false;
}

/* What follows the time; @at: of "every". */
static bool take_repeat(const struct words *w, size_t at, json_t *dst)
{
    uint64_t every = 1;

    if (at == w->n)
        return true;
    if (!is(w, at++, "every"))
        return false;
    if (at < w->n && bytes_parse_u64(bytes_of(w->word[at]), 1, EVERY_MAX, &every))
        at++;
    set_number(dst, "every", every);
    if (is_unit(w, at, "week"))
        return take_weekday(w, at + 1, dst);
    if (is_unit(w, at, "month"))
        return take_month_day(w, at + 1, dst);
    set(dst,
        "repeat",
        is_unit(w, at, "minute") ? "minutes"
        : is_unit(w, at, "hour") ? "hours"
                                 : "days");
    return at + 1 == w->n &&
           (is_unit(w, at, "minute") || is_unit(w, at, "hour") || is_unit(w, at, "day"));
}

bool due_parse(const char *text, json_t **ret, struct buf *why)
{
    struct words words;
    json_t *schedule;

    if (strcmp(text, "as-soon-as-possible") == 0) {
        *ret = json_string(text);
        return true;
    }
    schedule = json_object();
    if (split(text, &words) && take_repeat(&words, 1, schedule)) {
        set(schedule, "start", words.word[0]);
        *ret = schedule;
        return true;
    }
    json_decref(schedule);
    buf_addf(why, "\"%s\" is no time to be due: as-soon-as-possible, or " FORM, text);
    return false;
}

static const char *text_of(const json_t *schedule, const char *name)
{
    const char *text = json_string_value(json_object_get(schedule, name));

    return text ? text : "";
}

static void put_month_day(const json_t *schedule, struct buf *dst)
{
    json_int_t day = json_integer_value(json_object_get(schedule, "day"));
    json_int_t week = json_integer_value(json_object_get(schedule, "week"));

    if (strcmp(text_of(schedule, "repeat"), "monthly-by-weekday") == 0)
        buf_addf(dst,
                 " on %s %s",
                 weeks[week >= 1 && week <= LAST_WEEK ? week - 1 : 0],
                 text_of(schedule, "weekday"));
    else if (day > 0)
        buf_addf(dst, " on day %" JSON_INTEGER_FORMAT, day);
    else
        buf_adds(dst, " on last day");
}

void due_put(const json_t *src, struct buf *dst)
{
    const char *repeat = text_of(src, "repeat");
    json_int_t every = json_integer_value(json_object_get(src, "every"));
    bool is_weekly = strcmp(repeat, "weekly") == 0;
    bool is_monthly = strncmp(repeat, "monthly", strlen("monthly")) == 0;

    if (!json_is_object(src)) {
        buf_adds(dst, json_is_string(src) ? json_string_value(src) : "");
        return;
    }
    buf_adds(dst, text_of(src, "start"));
    if (!repeat[0] || strcmp(repeat, "never") == 0)
        return;
    if (every > 1)
        buf_addf(dst, " every %" JSON_INTEGER_FORMAT " ", every);
    else
        buf_adds(dst, " every ");
    buf_adds(dst, is_weekly ? "weeks" : is_monthly ? "months" : repeat);
    if (every <= 1)
        dst->len--; /* "every day" */
    if (is_weekly)
        buf_addf(dst, " on %s", text_of(src, "weekday"));
    if (is_monthly)
        put_month_day(src, dst);
}
