/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/export_kind.h"

#include "ts/test_ts.h"

static void a_kind_is_found_by_what_it_is_called(void **state)
{
    (void)state;
    for (int i = TS_EXPORT_PACKAGE; i < TS_EXPORT_UNKNOWN; i++) {
        const enum ts_export_kind kind = (enum ts_export_kind)i;

        assert_int_equal(ts_export_kind_of_class(ts_export_class(kind)), kind);
        assert_int_equal(ts_export_kind_of_word(ts_export_word(kind)), kind);
        if (kind != TS_EXPORT_APPLICATION) /* which is no package there */
            assert_int_equal(ts_export_kind_of_number(ts_export_number(kind)), kind);
    }
    assert_int_equal(ts_export_kind_of_class("sms_imagepackage"), TS_EXPORT_OS_IMAGE);
    assert_int_equal(ts_export_kind_of_class("SMS_ApplicationLatest"), TS_EXPORT_APPLICATION);
}

static void what_nobody_knows_is_unknown_or_a_package(void **state)
{
    (void)state;
    assert_int_equal(ts_export_kind_of_class("SMS_Collection"), TS_EXPORT_UNKNOWN);
    assert_int_equal(ts_export_kind_of_class(""), TS_EXPORT_UNKNOWN);
    assert_int_equal(ts_export_kind_of_number("5"), TS_EXPORT_UNKNOWN);
    assert_int_equal(ts_export_kind_of_number(""), TS_EXPORT_UNKNOWN);
    assert_int_equal(ts_export_kind_of_word(""), TS_EXPORT_PACKAGE);
    assert_string_equal(ts_export_word(TS_EXPORT_UNKNOWN), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_is_found_by_what_it_is_called),
        cmocka_unit_test(what_nobody_knows_is_unknown_or_a_package),
    };

    return cmocka_run_group_tests_name("ts/export_kind", tests, NULL, NULL);
}
