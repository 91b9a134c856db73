/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/unnamed.h"

#include <pthread.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/http_client.h"
#include "rt/http_server.h"

enum {
    BODY_MAX_BYTES = 64 * 1024,
    NOW_S = 1795000000,
    MANY = 1200, /* more than two questions */
};

/* Manifests are 64 digits; the site knows those that end in this one. */
#define NAMED 'a'

struct fixture {
    char state[48];
    char socket[64];
    struct http_server *server;
    struct http_client *client;
    pthread_t thread;
    unsigned n_asked;
    bool is_away;
};

static int answer(void *ctx, struct http_exchange *x)
{
    struct fixture *f = ctx;
    json_t *body = NULL;
    json_t *unnamed = json_array();
    const json_t *list;

    f->n_asked++;
    if (f->is_away) {
        json_decref(unnamed);
        return http_reply_empty(x, 503);
    }
    assert_int_equal(http_body_json(x, &body), 0);
    list = json_object_get(body, "manifests");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));

        assert_int_equal(strlen(name), 64);
        if (name[63] != NAMED)
            (void)json_array_append_new(unnamed, json_string(name));
    }
    json_decref(body);
    return http_reply_json(x, 200, json_pack("{s:o}", "unnamed", unnamed));
}

static const struct http_route routes[] = {
    {"POST", "/api/v1/internal/dp/manifests:unnamed", BODY_MAX_BYTES, answer},
    {0},
};

static void *serve(void *ctx)
{
    struct fixture *f = ctx;

    (void)http_server_run(f->server);
    return NULL;
}

static void put(const struct fixture *f, unsigned number, char last)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/dp/content/manifests/%063u%c", f->state, number, last);
    assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[96];

    assert_non_null(f);
    (void)snprintf(f->state, sizeof(f->state), "/tmp/slipway-test-unnamed-XXXXXX");
    assert_non_null(mkdtemp(f->state));
    (void)snprintf(path, sizeof(path), "%s/dp/content/manifests", f->state);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/dp/staging", f->state);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(f->socket, sizeof(f->socket), "%s/sock", f->state);

    const struct http_server_options server = {
        .socket_path = f->socket, .socket_mode = 0600, .routes = routes, .ctx = f};
    const struct http_client_options client = {.base_url = "http://site", .unix_socket = f->socket};

    assert_int_equal(http_server_new(&server, &f->server), 0);
    assert_int_equal(http_client_new(&client, &f->client), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_client_free(f->client);
    http_server_stop(f->server);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
    http_server_free(f->server);
    assert_int_equal(dir_remove(f->state), 0);
    free(f);
    return 0;
}

/* How many may go. */
static size_t count(struct fixture *f, uint64_t now_s)
{
    OWN(json_decrefp) json_t *list = NULL;

    assert_int_equal(unnamed_find(f->state, f->client, now_s, &list), 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        assert_int_not_equal(json_string_value(json_array_get(list, i))[63], NAMED);
    return json_array_size(list);
}

static void what_the_site_has_not_known_for_a_day_may_go(void **state)
{
    struct fixture *f = *state;

    put(f, 1, NAMED);
    put(f, 2, '0');
    assert_int_equal(count(f, NOW_S), 0);
    put(f, 3, '0');
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S - 1), 0);
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S), 1);
    assert_int_equal(count(f, NOW_S + 2 * UNNAMED_AGE_S), 2);
}

static void what_the_site_knows_again_begins_anew(void **state)
{
    struct fixture *f = *state;
    char path[96];

    put(f, 2, '0');
    assert_int_equal(count(f, NOW_S), 0);
    (void)snprintf(path, sizeof(path), "%s/dp/content/manifests", f->state);
    assert_int_equal(dir_remove(path), 0);
    assert_int_equal(dir_make(path, 0700), 0);
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S), 0);
    put(f, 2, '0');
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S), 0);
    assert_int_equal(count(f, NOW_S + 2 * UNNAMED_AGE_S), 1);
    assert_int_equal(count(f, NOW_S - 5), 0); /* the clock was set back */
    assert_int_equal(count(f, NOW_S - 5 + UNNAMED_AGE_S), 1);
}

static void many_are_asked_about_in_parts(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < MANY; i++)
        put(f, i, i % 2 == 0 ? NAMED : '0');
    assert_int_equal(count(f, NOW_S), 0);
    assert_int_equal(f->n_asked, 3);
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S), MANY / 2);
}

static void a_site_that_is_away_says_nothing(void **state)
{
    struct fixture *f = *state;
    OWN(json_decrefp) json_t *list = NULL;

    put(f, 2, '0');
    assert_int_equal(count(f, NOW_S), 0);
    f->is_away = true;
    assert_int_equal(unnamed_find(f->state, f->client, NOW_S + UNNAMED_AGE_S, &list),
                     UNNAMED_E_AWAY);
    assert_null(list);
    f->is_away = false;
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S), 1);
}

static void a_damaged_record_begins_anew(void **state)
{
    struct fixture *f = *state;
    char path[96];

    put(f, 2, '0');
    assert_int_equal(count(f, NOW_S), 0);
    (void)snprintf(path, sizeof(path), "%s/" UNNAMED_FILE, f->state);
    assert_int_equal(file_write(path, bytes_of("{\"0"), 0600), 0);
    assert_int_equal(count(f, NOW_S + UNNAMED_AGE_S), 0);
    assert_int_equal(count(f, NOW_S + 2 * UNNAMED_AGE_S), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_site_has_not_known_for_a_day_may_go),
        TEST(what_the_site_knows_again_begins_anew),
        TEST(many_are_asked_about_in_parts),
        TEST(a_site_that_is_away_says_nothing),
        TEST(a_damaged_record_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
