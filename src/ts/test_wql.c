/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/wql.h"

#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_query *, ts_query_free);

/* Return: whether it is a query. */
static bool is_query(const char *text)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(ts_query_freep) struct ts_query *query = NULL;
    int r = ts_query_parse(text, &query, &why);

    assert_int_equal(r, r == 0 ? 0 : TS_WQL_E_MALFORMED);
    assert_int_equal(r == 0, why.len == 0);
    return r == 0;
}

#define WHERE(text) "select * from Win32_X where " text

static void what_is_no_query_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "select",
        "select * from",
        "select * from Win32_X where",
        "select *, Name from Win32_X",
        "select * from Win32_X x",
        "delete from Win32_X",
        WHERE("Name"),
        WHERE("Name ="),
        WHERE("Name = 'x"),
        WHERE("Name = Name"),
        WHERE("Name = 'x' and"),
        WHERE("(Name = 'x'"),
        WHERE("Name = 'x')"),
        WHERE("Name not = 'x'"),
        WHERE("Name is 'x'"),
        WHERE("Name is not 'x'"),
        WHERE("Name ! 'x'"),
        WHERE("Size = 1.2.3"),
        WHERE("Name. = 'x'"),
        "associators of {Win32_X.Name='x'}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (is_query(texts[i]))
            fail_msg("%s", texts[i]);
}

static void what_is_put_is_read_as_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "select * from A where not (a = 1 and b = 2) or c = \"\\\"\\\\\" and d like \"x\"",
        "select a, b from A where a = 1 and (b = 2 or c = 3) and d is not null",
        "select * from A where a = 1 or (b = 2 or c = 3)",
        "select * from A where a not like \"%\" and b isa \"c\" and d = true and e < -1.5",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        OWN(buf_fini) struct buf text = BUF_INIT(1024);
        OWN(ts_query_freep) struct ts_query *query = NULL;

        assert_int_equal(ts_query_parse(texts[i], &query, &why), 0);
        ts_query_put(query, &text);
        assert_string_equal(buf_str(&text), texts[i]);
    }
}

static void long_and_deep_queries_are_refused(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf deep = BUF_INIT((size_t)1024 * 1024);

    buf_adds(&deep, WHERE(""));
    for (int i = 0; i <= TS_WQL_MAX_DEPTH; i++)
        buf_adds(&deep, "(");
    buf_adds(&deep, "Size = 1");
    for (int i = 0; i <= TS_WQL_MAX_DEPTH; i++)
        buf_adds(&deep, ")");
    assert_false(is_query(buf_str(&deep)));
    buf_clear(&deep);
    buf_adds(&deep, WHERE("Size = 1"));
    for (int i = 0; i < 1000; i++)
        buf_adds(&deep, " or Size=1");
    assert_true(is_query(buf_str(&deep)));
    for (int i = 0; i < 1000; i++)
        buf_adds(&deep, " or Size=1");
    assert_false(is_query(buf_str(&deep)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_query_is_refused_with_a_reason),
        cmocka_unit_test(what_is_put_is_read_as_the_same),
        cmocka_unit_test(long_and_deep_queries_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
