/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/summary.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/deployment_status.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/order_wish.h"

enum {
    N_DEVICES = 5,
    N_DEPLOYMENTS = 4,
    N_TURNS = 150,
};

/* A site, and the things of it that turns are about. */
struct play {
    struct site *site;
    uint64_t chance;
    char deployments[N_DEPLOYMENTS][SITE_ID_MAX];
    unsigned seq;
};

static unsigned draw(struct play *play, unsigned n)
{
    play->chance ^= play->chance << 13;
    play->chance ^= play->chance >> 7;
    play->chance ^= play->chance << 17;
    return (unsigned)(play->chance % n);
}

static const char *mac_of(unsigned device, char ret[static MAC_TEXT_MAX])
{
    (void)snprintf(ret, MAC_TEXT_MAX, "52:54:00:77:00:%02x", device);
    return ret;
}

static int rule(struct site *site, const char *collection, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return collection_rule_add(site, "test", collection, body, &answer);
}

static void create(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_create(site, "test", body, &answer), 0);
}

/* It reports something, if it has an order. */
static void tell(struct play *play, const char *mac)
{
    static const struct {
        const char *state;
        const char *environment;
    } messages[] = {
        {"started", "boot-image"},
        {"step-failed", "boot-image"},
        {"restarting", "boot-image"},
        {"paused", "full-os"},
        {"resumed", "full-os"},
        {"succeeded", "full-os"},
        {"failed", "boot-image"},
        {"cancelled", "full-os"},
    };
    OWN(db_rows_fini) struct db_rows rows = {0};
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    unsigned which = draw(play, sizeof(messages) / sizeof(messages[0]));

    if (db_first(play->site->db, SQL_DEVICE_BY_MAC, DB_ARGS(db_text(mac)), &rows) != DB_ROW)
        return;
    (void)snprintf(device, sizeof(device), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    (void)fixture_order(play->site, device, order);
    if (order[0])
        assert_int_equal(fixture_report(play->site,
                                        device,
                                        order,
                                        ++play->seq,
                                        messages[which].state,
                                        messages[which].environment),
                         0);
}

static void wish(struct play *play, const char *mac)
{
    OWN(json_freep) json_t *answer = NULL;
    const struct order_wish_call call = {.who = "test",
                                         .deployment_id =
                                             play->deployments[draw(play, N_DEPLOYMENTS)],
                                         .device = mac,
                                         .wish = (enum order_wish)draw(play, 3)};

    assert_true(order_wish_set(play->site, &call, NULL, &answer) >= 0);
}

static void change_device(struct play *play, const char *mac)
{
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *body = NULL;
    char text[64];
    unsigned n = draw(play, 40);

    if (draw(play, 2) == 0)
        (void)snprintf(text, sizeof(text), "{'name': '%c%u'}", n % 2 ? 'A' : 'B', n);
    else
        (void)snprintf(text, sizeof(text), "{'is_blocked': %s}", n % 3 ? "false" : "true");
    body = fixture_json(text);
    assert_true(device_change(play->site, "test", mac, body, &answer) >= 0);
}

static void change_deployment(struct play *play)
{
    OWN(json_freep) json_t *answer = NULL;
    char *id = play->deployments[draw(play, N_DEPLOYMENTS)];

    if (draw(play, 2) == 0)
        assert_true(deployment_cancel(play->site, "test", id, &answer) >= 0);
    else
        assert_true(deployment_delete(play->site, "test", id) >= 0);
    fixture_deploy(play->site, draw(play, 2) ? "Direct" : "Query", "required", id);
}

static void turn(struct play *play)
{
    char mac[MAC_TEXT_MAX];
    char text[64];

    (void)mac_of(draw(play, N_DEVICES), mac);
    (void)snprintf(text, sizeof(text), "{'type': 'direct', 'device': '%s'}", mac);
    play->site->now_us += FIXTURE_MINUTE_US;
    switch (draw(play, 12)) {
    case 0:
    case 1:
    case 2:
        assert_true(fixture_register(play->site, mac, NULL) >= 0);
        return;
    case 3:
    case 4:
    case 5:
        tell(play, mac);
        return;
    case 6:
        assert_true(rule(play->site, "Direct", text) >= 0);
        return;
    case 7:
        assert_true(collection_rule_remove(play->site, "test", "Direct", "direct", mac) >= 0);
        return;
    case 8:
        change_device(play, mac);
        return;
    case 9:
        wish(play, mac);
        return;
    case 10:
        if (draw(play, 3) == 0)
            assert_true(device_delete(play->site, "test", mac) >= 0);
        else
            fixture_wait(play->site, (uint64_t)draw(play, 40) * FIXTURE_MINUTE_US);
        return;
    default:
        change_deployment(play);
    }
}

/* Its counts, those of each category in pages of two, and the orders agree. */
static void expect_exact(struct site *site, const char *id)
{
    static const char *const categories[][2] = {
        {"success", "success"},
        {"in_progress", "in-progress"},
        {"error", "error"},
        {"requirements_not_met", "requirements-not-met"},
        {"unknown", "unknown"},
    };
    OWN(json_freep) json_t *shown = NULL;
    uint64_t total = 0;

    assert_int_equal(deployment_get(site, id, &shown), 0);
    for (size_t i = 0; i < 5; i++) {
        char after[ACCESS_DEVICE_ID_MAX] = "";
        uint64_t n = 0;
        bool is_more = true;

        while (is_more) {
            OWN(json_freep) json_t *list = NULL;
            const struct page page = {.after = after, .limit = 2};

            assert_int_equal(deployment_status_list(site, id, categories[i][1], &page, &list), 0);
            n += json_array_size(json_object_get(list, "items"));
            is_more = json_is_string(json_object_get(list, "next"));
            (void)snprintf(after, sizeof(after), "%s", field_text(list, "next", ""));
        }
        assert_int_equal(field_number(json_object_get(shown, "categories"), categories[i][0], 99),
                         n);
        total += n;
    }
    assert_int_equal(field_number(json_object_get(shown, "counts"), "total", 99), total);
    assert_int_equal(json_array_size(json_object_get(shown, "devices")), total);
}

static void whatever_happens_the_counts_are_exact(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct play play = {.site = site, .chance = UINT64_C(0x9e3779b97f4a7c15)};
    size_t n_wrong = 1;

    create(site, "{'name': 'Direct', 'limiting': 'All Unknown Computers'}");
    create(site, "{'name': 'Query'}");
    assert_int_equal(
        rule(site,
             "Query",
             "{'type': 'query', 'name': 'a', 'filter': 'name startswith \\u0027A\\u0027'}"),
        0);
    fixture_deploy(site, "All Unknown Computers", "required", play.deployments[0]);
    fixture_deploy(site, "All Systems", "required", play.deployments[1]);
    fixture_deploy(site, "Direct", "required", play.deployments[2]);
    fixture_deploy(site, "Query", "available", play.deployments[3]);
    for (unsigned i = 0; i < N_TURNS; i++) {
        turn(&play);
        assert_int_equal(summary_check(site, &n_wrong), 0);
        assert_int_equal(n_wrong, 0);
        expect_exact(site, play.deployments[i % N_DEPLOYMENTS]);
    }
}

static void what_is_counted_wrong_is_found(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    size_t n_wrong = 9;

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, NULL), 0);
    assert_int_equal(summary_check(site, &n_wrong), 0);
    assert_int_equal(n_wrong, 0);
    assert_int_equal(
        db_must(site->db,
                SQL_SUMMARY_MOVE,
                DB_ARGS(db_text(deployment), db_text("in-progress"), db_text("failed"), db_u64(0))),
        0);
    assert_int_equal(summary_check(site, &n_wrong), 0);
    assert_int_equal(n_wrong, 1);
}

static void a_computer_that_is_not_fit_is_no_error(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *body = fixture_json(
        "{'seq': 2, 'state': 'failed', 'environment': 'boot-image', 'error_id': 'SLW-0441', "
        "'message': 'The computer has less memory than is wanted.'}");
    OWN(json_freep)
    json_t *step = fixture_json(
        "{'seq': 1, 'state': 'step-failed', 'environment': 'boot-image', 'step': 0, 'n_steps': 3, "
        "'step_name': 'Check Readiness', 'exit_code': 4316}");
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *second = NULL;
    OWN(json_freep) json_t *list = NULL;
    const struct page page = {.after = "", .limit = 10};
    const json_t *row;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(order_report(site, device, order, step, &answer), 0);
    assert_int_equal(order_report(site, device, order, body, &second), 0);
    assert_int_equal(deployment_status_list(site, deployment, "requirements-not-met", &page, &list),
                     0);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
    row = json_array_get(json_object_get(list, "items"), 0);
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "step_name", ""), "Check Readiness");
    assert_int_equal(json_integer_value(json_object_get(row, "exit_code")), 4316);
    assert_string_equal(field_text(row, "cause", ""),
                        "The computer has less memory than is wanted.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_counts_are_exact),
        cmocka_unit_test(what_is_counted_wrong_is_found),
        cmocka_unit_test(a_computer_that_is_not_fit_is_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
