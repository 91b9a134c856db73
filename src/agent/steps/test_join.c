/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/join.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/return_code.h"
#include "base/own.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static const struct join good = {"lab.example.org", "OU=Labs", "LAB\\joiner", "S3cret-of-the-lab"};

static void what_is_kept_for_setup_is_found_and_hidden(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf shown = BUF_INIT(1024);
    struct join found;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_false(join_find(vars, &found));
    assert_int_equal(join_keep(&good, vars), 0);
    assert_true(join_find(vars, &found));
    assert_string_equal(found.domain, good.domain);
    assert_string_equal(found.unit, good.unit);
    assert_string_equal(found.account, good.account);
    assert_string_equal(found.password, good.password);
    ts_vars_mask(vars, "said S3cret-of-the-lab", &shown);
    assert_string_equal(buf_str(&shown), "said ***");
    assert_int_equal(join_keep(&(struct join){"", "", "", ""}, vars), 0);
    assert_false(join_find(vars, &found));
    assert_string_equal(found.password, "");
}

static void what_is_too_long_to_keep_is_told(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(freep) char *unit = malloc(TS_VAR_VALUE_MAX + 2);
    struct join join = good;

    assert_int_equal(ts_vars_new(&vars), 0);
    memset(unit, 'x', TS_VAR_VALUE_MAX + 1);
    unit[TS_VAR_VALUE_MAX + 1] = '\0';
    join.unit = unit;
    assert_int_equal(join_keep(&join, vars), TS_VARS_E_LIMIT);
}

static void a_join_needs_a_domain_an_account_and_a_password(void **state)
{
    (void)state;
    static const struct {
        struct join join;
        int code;
    } cases[] = {
        {{"lab.example.org", "", "joiner", "x"}, 0},
        {{"", "", "joiner", "x"}, RETURN_PARAMETER},
        {{"-lab", "", "joiner", "x"}, RETURN_PARAMETER},
        {{"lab example", "", "joiner", "x"}, RETURN_PARAMETER},
        {{"lab", "", "", "x"}, RETURN_LOGON},
        {{"lab", "", "LAB\\", "x"}, RETURN_LOGON},
        {{"lab", "", "joiner", ""}, RETURN_LOGON},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(512);

        assert_int_equal(join_check(&cases[i].join, &why), cases[i].code);
        assert_int_equal(why.len > 0, cases[i].code != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_for_setup_is_found_and_hidden),
        cmocka_unit_test(what_is_too_long_to_keep_is_told),
        cmocka_unit_test(a_join_needs_a_domain_an_account_and_a_password),
    };

    return cmocka_run_group_tests_name("agent/steps/join", tests, NULL, NULL);
}
