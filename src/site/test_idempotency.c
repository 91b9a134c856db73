/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/idempotency.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/fixture.h"
#include "site/site.h"

enum {
    LONG_BYTES = 1024 * 1024,
    SEALED_BYTES = 84, /* what {"text":"0123456789"} becomes: base64 of it with nonce and code */
};

static void be(struct site *site, const char *id)
{
    struct principal who = {.name = "somebody"};

    (void)snprintf(who.id, sizeof(who.id), "%s", id);
    principal_set(site, &who);
}

static void keep(struct site *site, unsigned number, const json_t *answer)
{
    char key[IDEMPOTENCY_KEY_MAX];
    struct idempotency_request request = {.key = key, .method = "POST", .target = "/x"};

    (void)snprintf(key, sizeof(key), "0123456789abcdef-%u", number);
    site->now_us++;
    assert_int_equal(idempotency_keep(site, &request, 201, answer), 0);
}

static bool is_kept(struct site *site, unsigned number)
{
    char key[IDEMPOTENCY_KEY_MAX];
    struct idempotency_request request = {.key = key, .method = "POST", .target = "/x"};
    OWN(json_freep) json_t *answer = NULL;
    unsigned status = 0;
    int r;

    (void)snprintf(key, sizeof(key), "0123456789abcdef-%u", number);
    r = idempotency_find(site, &request, &status, &answer);
    assert_true(r == 0 || (r == IDEMPOTENCY_E_DONE && status == 201));
    return r == IDEMPOTENCY_E_DONE;
}

static void an_administrator_has_a_share_of_answers_and_takes_none_of_others(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(db_rollbackp) struct db *tx = NULL;
    unsigned n = IDEMPOTENCY_OF_ONE_MAX + 2 * IDEMPOTENCY_TRIM_EVERY;

    assert_int_equal(db_begin(site->db, &tx), 0);
    be(site, "AD00002");
    keep(site, 0, NULL);
    be(site, "AD00003");
    for (unsigned i = 0; i < n; i++)
        keep(site, i, NULL);
    assert_false(is_kept(site, 0));
    assert_false(is_kept(site, IDEMPOTENCY_TRIM_EVERY - 2));
    assert_true(is_kept(site, n - IDEMPOTENCY_OF_ONE_MAX));
    assert_true(is_kept(site, n - 1));
    be(site, "AD00002");
    assert_true(is_kept(site, 0));
    principal_clear(site);
    assert_int_equal(db_commit(&tx), 0);
}

static void a_share_is_of_bytes_too(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(freep) char *text = malloc(LONG_BYTES + 1);
    OWN(json_freep) json_t *answer = NULL;
    unsigned n = IDEMPOTENCY_TRIM_EVERY + 1;

    assert_non_null(text);
    memset(text, 'x', LONG_BYTES);
    text[LONG_BYTES] = '\0';
    answer = json_pack("{s:s}", "text", text);
    be(site, "AD00002");
    for (unsigned i = 0; i < n; i++)
        keep(site, i, answer);
    assert_false(is_kept(site, 0));
    assert_false(is_kept(site, n - 1 - IDEMPOTENCY_OF_ONE_MAX_BYTES / LONG_BYTES));
    assert_true(is_kept(site, n - 1));
    assert_true(is_kept(site, n - 8));
    principal_clear(site);
}

static void a_share_is_looked_at_whatever_others_do(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(db_rollbackp) struct db *tx = NULL;
    unsigned n = IDEMPOTENCY_OF_ONE_MAX + 2 * IDEMPOTENCY_TRIM_EVERY;

    assert_int_equal(db_begin(site->db, &tx), 0);
    for (unsigned i = 0; i < n; i++) {
        /* each time that so many of all have come it is the other's turn */
        if (i % (IDEMPOTENCY_TRIM_EVERY - 1) == 0) {
            be(site, "AD00002");
            keep(site, i, NULL);
        }
        be(site, "AD00003");
        keep(site, i, NULL);
    }
    assert_false(is_kept(site, 0));
    assert_true(is_kept(site, n - 1));
    principal_clear(site);
    assert_int_equal(db_commit(&tx), 0);
}

static void of_all_together_the_newest_stay(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *answer = json_pack("{s:s}", "text", "0123456789");

    for (unsigned i = 0; i < 4; i++) {
        be(site, i % 2 ? "AD00002" : "AD00003");
        keep(site, i, answer);
    }
    assert_int_equal(
        db_must(site->db, SQL_IDEMPOTENCY_TRIM_BYTES, DB_ARGS(db_u64(UINT64_C(2) * SEALED_BYTES))),
        0);
    for (unsigned i = 0; i < 4; i++) {
        be(site, i % 2 ? "AD00002" : "AD00003");
        assert_int_equal(is_kept(site, i), i >= 2);
    }
    principal_clear(site);
}

static void answers_end_after_a_day(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    be(site, "AD00002");
    keep(site, 1, NULL);
    assert_int_equal(idempotency_tick(site), 0);
    assert_true(is_kept(site, 1));
    site->now_us += UINT64_C(24) * 60 * FIXTURE_MINUTE_US;
    keep(site, 2, NULL);
    assert_false(is_kept(site, 1));
    assert_int_equal(idempotency_tick(site), 0);
    assert_true(is_kept(site, 2));
    principal_clear(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_administrator_has_a_share_of_answers_and_takes_none_of_others),
        cmocka_unit_test(a_share_is_of_bytes_too),
        cmocka_unit_test(a_share_is_looked_at_whatever_others_do),
        cmocka_unit_test(of_all_together_the_newest_stay),
        cmocka_unit_test(answers_end_after_a_day),
    };

    return cmocka_run_group_tests_name("site/idempotency", tests, NULL, NULL);
}
