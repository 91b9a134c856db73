/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/filter.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

enum {
    NAME,
    MODEL,
    MAC,
    MEMORY,
    BLOCKED,
    SEEN,
};

static const struct filter_property properties[] = {
    {"name", FILTER_TEXT, false, 0},
    {"model", FILTER_TEXT, false, 0},
    {"mac", FILTER_TEXT, true, 0},
    {"memory_bytes", FILTER_NUMBER, false, 0},
    {"is_blocked", FILTER_TRUTH, false, 0},
    {"last_seen_at", FILTER_TIME, false, 0},
    {0},
};

/* A device named PC-1 with two addresses and no model, seen on 2026-10-01. */
static bool get(const void *ctx, unsigned property, size_t n, struct filter_value *ret)
{
    static const char *const macs[] = {"52:54:00:00:00:0A", "52:54:00:00:00:0b"};

    (void)ctx;
    *ret = (struct filter_value){.type = properties[property].type};
    switch (property) {
    case NAME:
        ret->text = bytes_of("PC-1");
        return n == 0;
    case MAC:
        if (n < 2)
            ret->text = bytes_of(macs[n]);
        return n < 2;
    case MEMORY:
        ret->n = 8;
        return n == 0;
    case BLOCKED:
        ret->n = 0;
        return n == 0;
    case SEEN:
        ret->n = UINT64_C(1790812800000000);
        return n == 0;
    default:
        return false;
    }
}

static void each_filter_has_its_answer(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits;
    } cases[] = {
        {"name eq 'pc-1'", true},
        {"name ne 'PC-1'", false},
        {"name gt 'pc-0' and name lt 'pc-2'", true},
        {"name ge 'pc-1' and name le 'PC-1'", true},
        {"name startswith 'PC'", true},
        {"name endswith '-1'", true},
        {"contains(name, 'C-')", true},
        {"name contains 'x'", false},
        {"name contains ''", true},
        {"name contains 'PC-1 and more'", false},
        {"name in ('a', 'PC-1')", true},
        {"name in ('a')", false},
        {"model eq null", true},
        {"model ne null", false},
        {"model eq ''", false},
        {"model ne 'x'", true},
        {"model startswith ''", false},
        {"not (model startswith 'x')", true},
        {"name eq null", false},
        {"mac eq '52:54:00:00:00:0B'", true},
        {"mac eq '52-54-00-00-00-0B'", true},
        {"mac eq '52540000000b'", true},
        {"mac in ('52540000000A', '525400000001') and name eq 'PC-1'", true},
        {"mac eq '52-54-00-00-00-0c'", false},
        {"mac startswith '52:54'", true},
        {"name eq '52540000000b'", false},
        {"mac ne '52:54:00:00:00:0b'", false},
        {"mac ne '52:54:00:00:00:0c'", true},
        {"mac eq null", false},
        {"memory_bytes ge 8 and memory_bytes lt 9", true},
        {"memory_bytes in (1, 8)", true},
        {"is_blocked eq false", true},
        {"is_blocked ne false", false},
        {"last_seen_at lt 2026-10-01T00:00:01Z", true},
        {"last_seen_at eq 2026-10-01", true},
        {"last_seen_at gt '2026-09-30T23:59:59Z'", true},
        /* "not" binds tighter than "and", and that tighter than "or" */
        {"name eq 'PC-1' or name eq 'a' and name eq 'b'", true},
        {"(name eq 'PC-1' or name eq 'a') and name eq 'b'", false},
        {"not name eq 'a' and name eq 'PC-1'", true},
        {"not not not name eq 'a'", true},
        {"not (name eq 'a' or not name eq 'PC-1')", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(filter_freep) struct filter *filter = NULL;
        struct filter_error error = {0};

        if (filter_parse(bytes_of(cases[i].text), properties, &filter, &error) != 0)
            fail_msg("%s: %zu: %s", cases[i].text, error.column, error.what);
        if (filter_match(filter, get, NULL) != cases[i].fits)
            fail_msg("%s: is %d", cases[i].text, !cases[i].fits);
    }
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t column;
    } cases[] = {
        {"", 1},
        {"name", 5},
        {"name eq", 8},
        {"nobody eq 'a'", 1},
        {"name is 'a'", 6},
        {"name eq 'a", 9},
        {"name eq a", 9},
        {"name eq 8", 9},
        {"memory_bytes eq '8'", 17},
        {"memory_bytes eq 1.5", 17},
        {"memory_bytes contains 8", 23},
        {"is_blocked gt true", 15},
        {"model gt null", 10},
        {"last_seen_at lt 2026-13-01", 17},
        {"last_seen_at lt '2026-02-29'", 17},
        {"memory_bytes eq 9223372036854775808", 17},
        {"name eq 'a' name eq 'b'", 13},
        {"name eq 'a' and", 16},
        {"(name eq 'a'", 13},
        {"name eq 'a')", 12},
        {"()", 2},
        {"name in ()", 10},
        {"name in ('a' 'b')", 14},
        {"name eq 'a' ; drop", 13},
        {"contains(name 'x')", 15},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(filter_freep) struct filter *filter = NULL;
        struct filter_error error = {0};

        assert_int_equal(filter_parse(bytes_of(cases[i].text), properties, &filter, &error),
                         FILTER_E_SYNTAX);
        if (error.column != cases[i].column)
            fail_msg("%s: column %zu: %s", cases[i].text, error.column, error.what);
        assert_true(error.what[0]);
    }
}

/* @n times @part, between @begin and @end: is it taken? */
static bool is_taken(const char *begin, const char *part, size_t n, const char *end)
{
    OWN(filter_freep) struct filter *filter = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)2 * FILTER_MAX_BYTES);
    struct filter_error error = {0};

    buf_adds(&text, begin);
    for (size_t i = 0; i < n; i++)
        buf_adds(&text, part);
    buf_adds(&text, end);
    assert_false(text.failed);
    return filter_parse(buf_bytes(&text), properties, &filter, &error) == 0;
}

static void limits_hold(void **state)
{
    (void)state;
    static const char last[] = "is_blocked eq true";

    assert_true(is_taken("", "is_blocked eq true or ", FILTER_TERMS_MAX - 1, last));
    assert_false(is_taken("", "is_blocked eq true or ", FILTER_TERMS_MAX, last));
    assert_true(is_taken("", "not ", FILTER_DEPTH_MAX, last));
    assert_false(is_taken("", "not ", FILTER_DEPTH_MAX + 1, last));
    assert_false(is_taken("", "(", FILTER_DEPTH_MAX + 1, last));
    assert_true(is_taken("memory_bytes in (", "1,", FILTER_IN_MAX - 1, "1)"));
    assert_false(is_taken("memory_bytes in (", "1,", FILTER_IN_MAX, "1)"));
    assert_true(is_taken(last, " ", FILTER_MAX_BYTES - strlen(last), ""));
    assert_false(is_taken(last, " ", FILTER_MAX_BYTES - strlen(last) + 1, ""));
}

static void it_says_which_properties_it_names(void **state)
{
    (void)state;
    OWN(filter_freep) struct filter *filter = NULL;
    struct filter_error error = {0};

    assert_int_equal(
        filter_parse(bytes_of("not (mac eq null) or name eq 'a'"), properties, &filter, &error), 0);
    assert_int_equal(filter->properties_used, UINT64_C(1) << MAC | UINT64_C(1) << NAME);
}

static void times_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t s;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-12-31T23:59:59Z", 31535999},
        {"2000-02-29", 951782400},
        {"2024-03-01T00:00:00Z", 1709251200},
        {"2100-03-01", 4107542400},
    };
    uint64_t us;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(filter_parse_time(bytes_of(cases[i].text), &us));
        assert_int_equal(us, cases[i].s * 1000000);
    }
    assert_false(filter_parse_time(bytes_of("2100-02-29"), &us));
    assert_false(filter_parse_time(bytes_of("1969-12-31"), &us));
    assert_false(filter_parse_time(bytes_of("2026-10-01T24:00:00Z"), &us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_filter_has_its_answer),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(it_says_which_properties_it_names),
        cmocka_unit_test(times_are_those_of_the_calendar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
