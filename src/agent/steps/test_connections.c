/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/connections.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void keep(struct connections *c, const char *path, const char *target, const char *password)
{
    assert_int_equal(connections_keep(c, &(struct connection){path, target, "a", password}), 0);
}

static void what_is_connected_at_the_same_place_takes_the_place_of_the_old(void **state)
{
    (void)state;
    OWN(connections_fini) struct connections c = {0};

    keep(&c, "//s/one", "/z", "1");
    keep(&c, "//s/other", "/y", "2");
    keep(&c, "//s/a-longer-two", "/z", "3");
    assert_int_equal(c.n, 2);
    assert_string_equal(c.list[0].path, "//s/a-longer-two");
    assert_string_equal(c.list[0].password, "3");
    assert_string_equal(c.list[1].path, "//s/other");
}

static void there_is_an_end_to_how_many_there_are(void **state)
{
    (void)state;
    OWN(connections_fini) struct connections c = {0};
    char target[16];

    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        (void)snprintf(target, sizeof(target), "/%d", i);
        keep(&c, "s:/x", target, "");
    }
    assert_int_equal(connections_keep(&c, &(struct connection){"s:/x", "/more", "", ""}),
                     CONNECTIONS_E_TOO_MANY);
    assert_int_equal(c.n, CONNECTIONS_MAX);
    keep(&c, "s:/y", "/0", ""); /* in the place of another there is room */
}

static void what_is_written_down_is_read_again(void **state)
{
    (void)state;
    OWN(connections_fini) struct connections c = {0};
    OWN(connections_fini) struct connections again = {0};
    OWN(connections_fini) struct connections told = {0};

    keep(&c, "//s/one", "/z", "hush");
    keep(&c, "//s/other", "/y", "more");

    OWN(json_decrefp) json_t *json = connections_json(&c, true);
    OWN(json_decrefp) json_t *public = connections_json(&c, false);

    assert_int_equal(connections_read(json, &again), 0);
    assert_int_equal(again.n, 2);
    assert_string_equal(again.list[1].path, "//s/other");
    assert_string_equal(again.list[1].target, "/y");
    assert_string_equal(again.list[1].account, "a");
    assert_string_equal(again.list[1].password, "more");
    assert_false(connections_want_password(&again));
    assert_int_equal(connections_read(public, &told), 0);
    assert_string_equal(told.list[0].password, "");
    assert_true(connections_want_password(&told));
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "7",
        "[7]",
        "[{}]",
        "[{\"path\": \"//s/x\"}]",
        "[{\"path\": \"//s/x\", \"target\": \"z\"}]",
        "[{\"path\": \"//s/x\", \"target\": \"/z\", \"password\": 7}]",
        "[{\"path\": \"//s/\\u0000x\", \"target\": \"/z\"}]",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(connections_fini) struct connections c = {0};
        OWN(json_decrefp)
        json_t *json = json_loads(texts[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

        assert_non_null(json);
        assert_int_equal(connections_read(json, &c), CONNECTIONS_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_connected_at_the_same_place_takes_the_place_of_the_old),
        cmocka_unit_test(there_is_an_end_to_how_many_there_are),
        cmocka_unit_test(what_is_written_down_is_read_again),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
