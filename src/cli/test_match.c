/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/test_fixture.h"

#define MINE   "\"mine\""
#define THEIRS "\"theirs\""

/* A site on which somebody else may change the thing between two requests. */
struct site {
    struct fixture fixture;
    const char *etag;   /* of the thing as it is now */
    const char *next;   /* what somebody else makes of it before the change comes; NULL: nothing */
    bool is_unseen;     /* who asks may not look at it */
    unsigned n_changes; /* that were made */
    bool has_matched;   /* all of them came with If-Match */
};

static int show(void *ctx, struct http_exchange *x)
{
    struct site *site = ctx;

    if (site->is_unseen)
        return http_reply_problem(x, 403, "SLW-0112", "Not permitted", "%s", "");
    (void)http_add_header(x, "ETag", site->etag);
    return http_reply_json(x, 200, json_pack("{s:s}", "id", "SLP00002"));
}

static int change(void *ctx, struct http_exchange *x)
{
    struct site *site = ctx;
    const char *match = http_header(x, "If-Match");

    if (site->next)
        site->etag = site->next;
    if (match && strcmp(match, site->etag) != 0)
        return http_reply_problem(
            x, 412, "SLW-0122", "It has been changed meanwhile", "%s", "Look at it again.");
    site->n_changes++;
    site->has_matched &= match != NULL;
    if (strcmp(http_method(x), "DELETE") == 0)
        return http_reply_empty(x, 204);
    return http_reply_json(x, 200, json_pack("{s:s}", "id", "SLP00002"));
}

static const struct http_route routes[] = {
    {"GET", "/api/v1/{a}/{b}", 0, show},
    {"DELETE", "/api/v1/{a}/{b}", 0, change},
    {"PATCH", "/api/v1/{a}/{b}", FIXTURE_BODY_MAX_BYTES, change},
    {"POST", "/api/v1/{a}/{b}/{c}", FIXTURE_BODY_MAX_BYTES, change},
    {NULL, NULL, 0, NULL}};

static int start(void **state)
{
    struct site *site = calloc(1, sizeof(*site));

    assert_non_null(site);
    fixture_start(&site->fixture, routes, site);
    *state = site;
    return 0;
}

static int stop(void **state)
{
    struct site *site = *state;

    fixture_stop(&site->fixture);
    free(site);
    return 0;
}

/* Run "slipway WORDS", which are separated by '|', while the thing is @etag, and @next when the change comes. */
static enum args_exit
run(struct site *site, const char *words, const char *etag, const char *next, bool is_unseen)
{
    site->etag = etag;
    site->next = next;
    site->is_unseen = is_unseen;
    site->n_changes = 0;
    site->has_matched = true;
    return fixture_run(&site->fixture, words, NULL);
}

static const char *const changes[] = {
    "admin|delete|eve",
    "boot-image|delete|SLP00002",
    "boundary-group|delete|North",
    "collection|delete|Lab",
    "deployment|delete|SLP20001",
    "device|delete|PC-1",
    "dp|remove|north",
    "dp|remove|north|--force",
    "dp-group|delete|All",
    "package|delete|SLP00002",
    "phased-deployment|delete|Roll out",
    "security-role|delete|Desk",
    "security-scope|delete|Branch",
    "ts|delete|Debian",
    "ts|step|set|Debian|Setup/Join|Domain=x",
    "ts|step|add|Debian|--type|restart-computer",
    "ts|step|move|Debian|Setup/Join|--first",
    "ts|step|remove|Debian|Setup/Join",
    "ts|enable|Debian",
    "ts|disable|Debian|Setup",
    "ts|copy|Debian|Setup",
    "ts|set|Debian|--description|x",
};

static void what_was_read_is_what_is_changed(void **state)
{
    struct site *site = *state;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        print_message("%s\n", changes[i]);
        assert_int_equal(run(site, changes[i], MINE, NULL, false), ARGS_EXIT_OK);
        assert_int_equal(site->n_changes, 1);
        assert_true(site->has_matched);
    }
}

static void what_somebody_else_has_changed_in_between_stays_as_it_is(void **state)
{
    struct site *site = *state;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        print_message("%s\n", changes[i]);
        assert_int_equal(run(site, changes[i], MINE, THEIRS, false), ARGS_EXIT_CONFLICT);
        assert_int_equal(site->n_changes, 0);
    }
}

static void who_may_change_it_and_not_look_at_it_changes_it_all_the_same(void **state)
{
    struct site *site = *state;

    assert_int_equal(run(site, "device|delete|PC-1", MINE, NULL, true), ARGS_EXIT_OK);
    assert_int_equal(site->n_changes, 1);
    assert_false(site->has_matched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_read_is_what_is_changed, start, stop),
        cmocka_unit_test_setup_teardown(
            what_somebody_else_has_changed_in_between_stays_as_it_is, start, stop),
        cmocka_unit_test_setup_teardown(
            who_may_change_it_and_not_look_at_it_changes_it_all_the_same, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
