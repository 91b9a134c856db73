/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_unknown.h"

#include "ts/test_ts.h"
#include "ts/tree.h"

static void a_secret_is_told_by_its_name(void **state)
{
    (void)state;
    assert_true(ts_secret_is_called("password", "hunter2"));
    assert_true(ts_secret_is_called("ADMIN_PWD", "no"));
    assert_true(ts_secret_is_called("ClientSecret", "1"));
    assert_true(ts_secret_is_called("DevicePIN", "0000"));
    assert_true(ts_secret_is_called("PasswordAge", "hunter2"));
    assert_false(ts_secret_is_called("Password", ""));
    assert_false(ts_secret_is_called("User", "hunter2"));
}

static void a_flag_or_a_count_is_none(void **state)
{
    (void)state;
    assert_false(ts_secret_is_called("PasswordNeverExpires", "TRUE"));
    assert_false(ts_secret_is_called("RequirePassword", "false"));
    assert_false(ts_secret_is_called("PasswordNeverExpires", "1"));
    assert_false(ts_secret_is_called("MinPasswordLength", "14"));
    assert_false(ts_secret_is_called("SecretRetries", "-1"));
}

/* "name=text," of each that is visited. */
static bool put(void *ctx, xmlNode *node, const char *name)
{
    OWN(freep) char *text = ts_secret_own_text(node);

    buf_addf(ctx, "%s=%s,", name, text);
    return true;
}

static void found_are(const char *inside, const char *wanted)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);
    OWN(buf_fini) struct buf got = BUF_INIT(4096);
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    buf_addf(&xml, "<sequence version=\"3.10\">%s</sequence>", inside);
    doc = parse_ok(buf_str(&xml));
    assert_true(ts_secret_each_unknown(xmlDocGetRootElement(ts_document_tree(doc)), put, &got));
    assert_string_equal(buf_str(&got), wanted);
}

static void only_what_the_format_has_not_is_looked_at(void **state)
{
    (void)state;
    found_are("<Password>a</Password>", "Password=a,");
    found_are("<x pwd=\"a\" user=\"b\"/>", "pwd=a,");
    found_are("<x name=\"pwd\" value=\"a\" type=\"b\">c</x>", "pwd=a,pwd=c,");
    found_are("<pwd> a <b>c</b></pwd>", "pwd=a,pwd=c,");
    found_are("<referenceList><reference package=\"SLP00001\" name=\"Password\"/></referenceList>",
              "");
    found_are("<group name=\"Password\"><condition><osConditionGroup><osExpressionGroup "
              "name=\"Password\"/></osConditionGroup></condition></group>",
              "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_told_by_its_name),
        cmocka_unit_test(a_flag_or_a_count_is_none),
        cmocka_unit_test(only_what_the_format_has_not_is_looked_at),
    };

    return cmocka_run_group_tests_name("ts/secret_unknown", tests, NULL, NULL);
}
