/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_forms.h"

#include "ts/test_ts.h"

static void a_setting_has_the_form_that_its_step_takes(void **state)
{
    (void)state;
    static const struct {
        enum ts_form form;
        const char *text;
        bool fits;
    } cases[] = {
        {TS_FORM_ANY, "anything at all", true},
        {TS_FORM_HOST_NAME, "pc-07", true},
        {TS_FORM_HOST_NAME, "pc_07", false},
        {TS_FORM_HOST_NAME, "pc-", false},
        {TS_FORM_HOST_NAME, "pc.example.org", false},
        {TS_FORM_HOST_NAME,
         "a123456789a123456789a123456789a123456789a123456789a123456789abc",
         true},
        {TS_FORM_HOST_NAME,
         "a123456789a123456789a123456789a123456789a123456789a123456789abcd",
         false},
        {TS_FORM_DOMAIN, "lab.example.org", true},
        {TS_FORM_DOMAIN, "lab example", false},
        {TS_FORM_DOMAIN, "--help", false},
        {TS_FORM_WORKGROUP, "EXAMPLE-1", true},
        {TS_FORM_WORKGROUP, "a b", false},
        {TS_FORM_WORKGROUP, "a23456789012345678901234567890123", false},
        {TS_FORM_ACCOUNT, "LAB\\eva", true},
        {TS_FORM_ACCOUNT, ".\\", false},
        {TS_FORM_ACCOUNT, "-x", false},
        {TS_FORM_ACCOUNT, "a:b", false},
        {TS_FORM_USER, "eva", true},
        {TS_FORM_USER, "Eva", false},
        {TS_FORM_USER, "1eva", false},
        {TS_FORM_LINE, "ssh-ed25519 AAAA", true},
        {TS_FORM_LINE, "a\nb", false},
        {TS_FORM_NETWORK_FOLDER, "\\\\server\\share", true},
        {TS_FORM_NETWORK_FOLDER, "C:\\share", false},
        {TS_FORM_MOUNT_POINT, "Z:", true},
        {TS_FORM_MOUNT_POINT, "X:", false},
        {TS_FORM_CAPTURE_TARGET, "Debian 12", true},
        {TS_FORM_CAPTURE_TARGET, "\\\\server\\share\\a.wim", true},
        {TS_FORM_CAPTURE_TARGET, "\\\\server\\share\\a.txt", false},
        {TS_FORM_FOLDER, "/srv/packages", true},
        {TS_FORM_FOLDER, "C:\\packages", false},
        {TS_FORM_VOLUME, "D:", true},
        {TS_FORM_VOLUME, "/dev/vda2", true},
        {TS_FORM_VOLUME, "data", false},
        {TS_FORM_MAC, "52:54:00:12:34:56", true},
        {TS_FORM_MAC, "52:54:00:12:34", false},
        {TS_FORM_PARAMETERS, "-Name \"a b\"", true},
        {TS_FORM_PARAMETERS, "-Name \"a b", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (ts_form_fits(cases[i].form, cases[i].text) != cases[i].fits)
            fail_msg("%s %s", cases[i].text, cases[i].fits ? "does not fit" : "fits");
}

static void each_form_says_what_is_expected_and_who_refuses_it(void **state)
{
    (void)state;
    for (int form = TS_FORM_ANY + 1; form < TS_N_FORMS; form++) {
        assert_true(ts_form_words((enum ts_form)form)[0] != '\0');
        assert_memory_equal(ts_form_error_id((enum ts_form)form), "SLW-0", 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_has_the_form_that_its_step_takes),
        cmocka_unit_test(each_form_says_what_is_expected_and_who_refuses_it),
    };

    return cmocka_run_group_tests_name("ts/step_forms", tests, NULL, NULL);
}
