/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/test_fixture.h"
#include "plat/file.h"

enum {
    OUTPUT_MAX = 64 * 1024,
};

/* A site that makes what it is asked to, unless it is only tried, and counts both. */
struct site {
    struct fixture fixture;
    unsigned n_tried;
    unsigned n_done;
    unsigned n_named; /* requests that are called "nightly-7" */
    unsigned n_asked;
};

static int show(void *ctx, struct http_exchange *x)
{
    struct site *site = ctx;

    site->n_asked++;
    site->n_named += strcmp(http_request_id(x), "nightly-7") == 0;
    if (site->n_done == 0 && strcmp(http_param(x, "b") ? http_param(x, "b") : "", "new") == 0)
        return http_reply_problem(x, 404, "SLW-0103", "There is no such thing", "%s", "");
    return http_reply_json(
        x,
        200,
        json_pack(
            "{s:s,s:s,s:[],s:n,s:[]}", "id", "SLP1", "name", "new", "items", "next", "grants"));
}

static int change(void *ctx, struct http_exchange *x)
{
    struct site *site = ctx;
    const char *tried = http_query(x, "validate_only");
    const bool is_new = strcmp(http_method(x), "POST") == 0;

    site->n_asked++;
    site->n_named += strcmp(http_request_id(x), "nightly-7") == 0;
    if (tried && strcmp(tried, "true") == 0)
        site->n_tried++;
    else
        site->n_done++;
    if (strcmp(http_method(x), "DELETE") == 0)
        return http_reply_empty(x, 204);
    return http_reply_json(
        x,
        is_new ? 201 : 200,
        json_pack("{s:s,s:s,s:s}", "id", "SLP1", "name", "new", "operation_id", "1"));
}

static const struct http_route routes[] = {FIXTURE_ROUTES("GET", show),
                                           FIXTURE_ROUTES("POST", change),
                                           FIXTURE_ROUTES("PUT", change),
                                           FIXTURE_ROUTES("PATCH", change),
                                           FIXTURE_ROUTES("DELETE", change),
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

static const char *const changes[] = {
    "admin|create|new|--no-password", /* and is shown, which it cannot be */
    "boot-image|build|--arch|x64",    /* and is followed */
    "collection|create|new",
    "collection|delete|new",
    "collection|variable|set|Lab|A=1",
    "content|redistribute|SLP1|--dp|a,b",
    "device|import|new|--mac|52:54:00:00:00:01",
    "device|rename|PC-1|PC-2",
    "dp|remove|north|--force",
    "ts|delete|Debian",
};

static void what_is_tried_changes_nothing_and_succeeds(void **state)
{
    struct site *site = *state;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);
        char words[256];

        print_message("%s\n", changes[i]);
        site->n_tried = 0;
        (void)snprintf(words, sizeof(words), "%s|--dry-run", changes[i]);
        assert_int_equal(fixture_run(&site->fixture, words, &output), ARGS_EXIT_OK);
        assert_true(site->n_tried > 0);
        assert_int_equal(site->n_done, 0);
    }
}

static void a_file_is_not_sent_to_be_tried(void **state)
{
    struct site *site = *state;
    OWN(buf_fini) struct buf words = BUF_INIT(OUTPUT_MAX);
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);

    buf_addf(&words, "os-image|add|%s/a.wim|--name|A|--dry-run", site->fixture.folder);
    assert_int_equal(fixture_run(&site->fixture, buf_str(&words), &output), ARGS_EXIT_FAILURE);
    buf_clear(&words);
    buf_addf(&words, "%s/a.wim", site->fixture.folder);
    assert_int_equal(file_write(buf_str(&words), bytes_of("x"), 0600), 0);
    buf_clear(&words);
    buf_addf(&words, "os-image|add|%s/a.wim|--name|A|--dry-run", site->fixture.folder);
    assert_int_equal(fixture_run(&site->fixture, buf_str(&words), &output), ARGS_EXIT_OK);
    assert_int_equal(site->n_tried, 0);
    assert_int_equal(site->n_done, 0);
}

static void without_it_the_same_is_done(void **state)
{
    struct site *site = *state;
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);

    assert_int_equal(fixture_run(&site->fixture, "collection|create|new", &output), ARGS_EXIT_OK);
    assert_int_equal(site->n_done, 1);
    assert_int_equal(site->n_tried, 0);
    /* nobody is there to be asked */
    assert_int_equal(fixture_run(&site->fixture, "collection|delete|new|--yes", &output),
                     ARGS_EXIT_OK);
    assert_int_equal(fixture_run(&site->fixture, "collection|delete|new", &output), ARGS_EXIT_OK);
    assert_int_equal(site->n_done, 3);
}

static void only_what_changes_something_can_be_tried(void **state)
{
    struct site *site = *state;

    assert_int_equal(fixture_run(&site->fixture, "device|list|--dry-run", NULL), ARGS_EXIT_USAGE);
    assert_int_equal(fixture_run(&site->fixture, "device|list|--yes", NULL), ARGS_EXIT_USAGE);
    assert_int_equal(fixture_run(&site->fixture, "device|rename|a|b|--yes", NULL), ARGS_EXIT_USAGE);
    assert_int_equal(fixture_run(&site->fixture, "device|rename|a|b|--watch", NULL),
                     ARGS_EXIT_USAGE);
    assert_int_equal(site->n_asked, 0);
}

static void each_request_is_called_what_the_caller_says(void **state)
{
    struct site *site = *state;
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);

    assert_int_equal(
        fixture_run(&site->fixture, "ts|delete|Debian|--request-id|nightly-7", &output),
        ARGS_EXIT_OK);
    assert_int_equal(site->n_asked, 2); /* looked at, and deleted */
    assert_int_equal(site->n_named, 2);
    assert_int_equal(fixture_run(&site->fixture, "device|list|--request-id|a b", &output),
                     ARGS_EXIT_USAGE);
    assert_int_equal(fixture_run(&site->fixture, "device|list|--request-id|", &output),
                     ARGS_EXIT_USAGE);
    assert_int_equal(site->n_asked, 2);
}

/* A verb that shows something is not one that can be tried, and one that changes something is. */
static void every_row_says_what_it_does_to_the_site(void **state)
{
    (void)state;
    static const char reading[] = " list show history facts versions status steps state ";
    static const char destroying[] = " delete remove revoke forget ";
    static const char changing[] = " create set add import enable disable rename copy approve ";

    for (const struct args_command *c = commands; c->noun; c = args_next(c)) {
        char verb[64];

        (void)snprintf(verb, sizeof(verb), " %s ", c->verb ? c->verb : "-");
        if (strstr(reading, verb))
            assert_int_equal(c->effect, ARGS_READS);
        if (strstr(destroying, verb))
            assert_int_equal(c->effect, ARGS_DESTROYS);
        if (strstr(changing, verb))
            assert_int_equal(c->effect, ARGS_CHANGES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_tried_changes_nothing_and_succeeds, start, stop),
        cmocka_unit_test_setup_teardown(a_file_is_not_sent_to_be_tried, start, stop),
        cmocka_unit_test_setup_teardown(without_it_the_same_is_done, start, stop),
        cmocka_unit_test_setup_teardown(only_what_changes_something_can_be_tried, start, stop),
        cmocka_unit_test_setup_teardown(each_request_is_called_what_the_caller_says, start, stop),
        cmocka_unit_test(every_row_says_what_it_does_to_the_site),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
