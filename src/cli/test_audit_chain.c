/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/audit_chain.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/own.h"
#include "cli/session.h"

/* Hashed by sha256sum, of the bytes that docs/security-roles.md says. */
#define FIRST  "4df6b70bdb872c7e75ab47ecb3d6f30a686970630efd47c34ac9a2d45faba1f3"
#define SECOND "e256b90f160c7e7be4f9ca98064daed9c6bb7b33792a2ab1c85b30b380648397"

static json_t *record(int number, const char *who, const char *hash)
{
    json_t *made = json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:s,s:n,s:s,s:s}",
                             "number",
                             number,
                             "time_us",
                             (json_int_t)1700000000000001,
                             "who",
                             who,
                             "address",
                             "",
                             "action",
                             "device.import",
                             "object",
                             "x",
                             "detail",
                             "PC-1",
                             "before",
                             "after",
                             "{}",
                             "hash",
                             hash);

    assert_non_null(made);
    return made;
}

static bool add(struct audit_chain *chain, int number, const char *who, const char *hash)
{
    OWN(session_json_freep) json_t *one = record(number, who, hash);

    if (number == 2)
        (void)json_object_set_new(one, "request_id", json_string("r-1"));
    return audit_chain_add(chain, one);
}

static void records_that_follow_are_a_chain(void **state)
{
    struct audit_chain chain = {0};

    (void)state;
    assert_true(add(&chain, 1, "eve", FIRST));
    assert_true(add(&chain, 2, "eve", SECOND));
    assert_string_equal(chain.head, SECOND);
    assert_int_equal(chain.number, 2);
}

static void what_was_changed_left_out_or_put_in_does_not_follow(void **state)
{
    struct audit_chain changed = {0};
    struct audit_chain gap = {0};
    struct audit_chain swapped = {0};
    OWN(session_json_freep) json_t *nothing = json_object();

    (void)state;
    assert_false(add(&changed, 1, "bob", FIRST));
    assert_non_null(changed.why);
    assert_false(add(&gap, 2, "eve", SECOND));
    assert_true(add(&swapped, 1, "eve", FIRST));
    assert_false(add(&swapped, 2, "eve", FIRST));
    assert_int_equal(swapped.number, 1);
    assert_false(audit_chain_add(&(struct audit_chain){0}, nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_follow_are_a_chain),
        cmocka_unit_test(what_was_changed_left_out_or_put_in_does_not_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
