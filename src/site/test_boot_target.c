/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_target.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/restore.h"
#include "site/audit.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/report.h"
#include "site/rows.h"
#include "site/summary.h"

/* A device known as PC-1, and what it is called inside. */
struct play {
    struct site *site; /* owned */
    char device[ACCESS_DEVICE_ID_MAX];
};

static void play_fini(struct play *play)
{
    fixture_free(play->site);
}

static void collect(struct site *site, const char *name, const char *limiting)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s}", "name", name, "limiting", limiting);
    OWN(json_freep) json_t *made = NULL;

    assert_int_equal(collection_create(site, "test", body, &made), 0);
}

static void put_into(struct site *site, const char *collection, const char *device)
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "type", "direct", "device", device);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_rule_add(site, "test", collection, body, &answer), 0);
}

/* It is in Lab; Other and Inner, which Lab limits, are there and empty. */
static struct play play_new(void)
{
    struct play play = {.site = fixture_new()};

    fixture_import(play.site, "PC-1", FIXTURE_MAC);
    collect(play.site, "Lab", "All Systems");
    collect(play.site, "Other", "All Systems");
    collect(play.site, "Inner", "Lab");
    put_into(play.site, "Lab", "PC-1");
    return play;
}

static void run(struct play *play, const char *how)
{
    char order[UUID_TEXT_MAX];

    fixture_wait(play->site, FIXTURE_MINUTE_US);
    assert_int_equal(fixture_register(play->site, FIXTURE_MAC, play->device), 0);
    (void)fixture_order(play->site, play->device, order);
    assert_true(order[0]);
    fixture_wait(play->site, FIXTURE_MINUTE_US);
    assert_int_equal(fixture_report(play->site, play->device, order, 1, how, "full-os"), 0);
    fixture_wait(play->site, FIXTURE_MINUTE_US);
}

static void assert_verdict(struct play *play, const char *deployment, const char *word)
{
    enum deployment_verdict verdict;
    uint64_t changes_us;

    assert_int_equal(boot_target_judge(play->site, play->device, deployment, &verdict, &changes_us),
                     0);
    assert_string_equal(boot_target_word(verdict), word);
}

static void assert_counts_right(struct site *site)
{
    size_t n_wrong = 1;

    assert_int_equal(summary_check(site, &n_wrong), 0);
    assert_int_equal(n_wrong, 0);
}

static size_t n_runs(struct site *site, const char *device)
{
    const struct report_query query = {.device = device};
    const struct page page = {.after = "", .limit = 50};
    OWN(json_freep) json_t *report = NULL;

    assert_int_equal(report_run(site, "run-history", &query, &page, &report), 0);
    return json_array_size(json_object_get(report, "items"));
}

static void what_superseded_one_outlives_its_deployment_and_its_collection(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = play_new();
    OWN(json_freep) json_t *cleared = NULL;
    char old[SITE_ID_MAX];
    char new[SITE_ID_MAX];

    put_into(play.site, "Inner", "PC-1");
    fixture_deploy(play.site, "Lab", "required", old);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    fixture_deploy(play.site, "Inner", "required", new);
    run(&play, "succeeded");
    assert_verdict(&play, new, "succeeded-already");
    assert_verdict(&play, old, "superseded");
    assert_int_equal(deployment_delete(play.site, "test", new), 0);
    assert_int_equal(collection_delete(play.site, "test", "Inner"), 0);
    assert_verdict(&play, old, "superseded");
    assert_verdict(&play, new, "succeeded-already");
    assert_false(fixture_ask(play.site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(n_runs(play.site, "PC-1"), 1);
    assert_counts_right(play.site);
    /* until somebody wants it forgotten */
    assert_int_equal(deployment_clear_device(play.site, "test", "PC-1", &cleared), 0);
    assert_verdict(&play, old, "open");
}

/* Once more, and the collection that was given the history goes as well. */
static void it_outlives_a_chain_of_collections(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = play_new();
    char old[SITE_ID_MAX];
    char new[SITE_ID_MAX];

    put_into(play.site, "Inner", "PC-1");
    put_into(play.site, "Other", "PC-1");
    fixture_deploy(play.site, "Other", "required", old);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    fixture_deploy(play.site, "Inner", "required", new);
    run(&play, "succeeded");
    assert_int_equal(deployment_delete(play.site, "test", new), 0);
    assert_int_equal(collection_delete(play.site, "test", "Inner"), 0);
    assert_int_equal(collection_delete(play.site, "test", "Lab"), 0);
    assert_verdict(&play, old, "superseded");
    assert_int_equal(n_runs(play.site, "PC-1"), 1);
    assert_counts_right(play.site);
}

static void who_comes_into_a_collection_later_is_due_from_then_on(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = play_new();
    char standing[SITE_ID_MAX];
    char other[SITE_ID_MAX];

    fixture_deploy(play.site, "Other", "required", standing);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    fixture_deploy(play.site, "Lab", "required", other);
    run(&play, "succeeded");
    put_into(play.site, "Other", "PC-1");
    assert_verdict(&play, standing, "open");
    assert_string_equal(fixture_ask(play.site, FIXTURE_MAC, 7).target.deployment_id, standing);
    /* also when everything is evaluated anew, it is a member since then */
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    run(&play, "succeeded");
    assert_verdict(&play, standing, "succeeded-already");
    assert_verdict(&play, other, "succeeded-already");
    /* who has run it does not again because he left and came back */
    assert_int_equal(collection_rule_remove(play.site, "test", "Other", "direct", "PC-1"), 0);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    put_into(play.site, "Other", "PC-1");
    assert_verdict(&play, standing, "succeeded-already");
}

static void a_member_stays_one_since_it_came_when_the_collection_is_evaluated(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = play_new();
    OWN(json_freep) json_t *nothing = json_object();
    OWN(json_freep) json_t *collection = NULL;
    char old[SITE_ID_MAX];
    char new[SITE_ID_MAX];

    put_into(play.site, "Other", "PC-1");
    fixture_deploy(play.site, "Lab", "required", old);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    fixture_deploy(play.site, "Other", "required", new);
    run(&play, "succeeded");
    assert_int_equal(collection_evaluate(play.site, "test", "Lab", nothing, &collection), 0);
    assert_int_equal(site_tick(play.site), 0);
    assert_verdict(&play, old, "superseded");
}

/* It becomes known by what it has run, and a member of All Systems with that. */
static void
a_computer_that_was_unknown_is_not_wiped_again_by_what_is_there_for_known_ones(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = {.site = fixture_new()};
    char for_known[SITE_ID_MAX];
    char for_unknown[SITE_ID_MAX];

    fixture_deploy(play.site, "All Systems", "required", for_known);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    fixture_deploy(play.site, COLLECTION_ALL_UNKNOWN, "required", for_unknown);
    run(&play, "succeeded");
    assert_verdict(&play, for_unknown, "succeeded-already");
    assert_verdict(&play, for_known, "superseded");
}

/* Of a hundred devices some get it in each half of a day. */
static void devices_get_it_one_after_the_other_over_some_days(void **state)
{
    enum {
        N = 100,
        DAYS = 2,
        HALVES = 4,
    };
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s,s:i}",
                             "task_sequence_id",
                             FIXTURE_SEQUENCE,
                             "collection",
                             "All Systems",
                             "purpose",
                             "required",
                             "available_over_days",
                             (int)DAYS);
    OWN(json_freep) json_t *made = NULL;
    size_t n[HALVES + 1] = {0};

    assert_int_equal(deployment_create(site, "test", body, &made), 0);
    for (unsigned i = 0; i < N; i++) {
        char mac[MAC_TEXT_MAX];
        char name[16];

        (void)snprintf(mac, sizeof(mac), "52:54:00:77:03:%02x", i);
        (void)snprintf(name, sizeof(name), "PC-%u", i);
        fixture_import(site, name, mac);
    }
    for (size_t half = 0; half <= HALVES; half++) {
        for (unsigned i = 0; i < N; i++) {
            char mac[MAC_TEXT_MAX];

            (void)snprintf(mac, sizeof(mac), "52:54:00:77:03:%02x", i);
            if (fixture_ask(site, mac, 7).is_offer)
                n[half]++;
            else
                assert_string_equal(fixture_ask(site, mac, 7).reason, "not-yet-available");
        }
        assert_true(half == 0 ? n[0] == 0 : n[half] > n[half - 1]);
        fixture_wait(site, UINT64_C(12) * 60 * FIXTURE_MINUTE_US);
    }
    assert_int_equal(n[HALVES], N);
}

static void enable(struct site *site, const char *deployment)
{
    OWN(json_freep) json_t *body = fixture_json("{'is_disabled': false}");
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(deployment_change(site, "test", deployment, body, &answer), 0);
    assert_false(field_bool(answer, "is_held"));
}

/* As "slipwayd restore" does, and the start of the site behind it. Return: how many are held. */
static uint64_t restore(struct site *site)
{
    uint64_t n = 0;

    assert_int_equal(db_hold(site->db, site->now_us, &n), 0);
    assert_int_equal(audit_restored(site), 0);
    assert_int_equal(audit_restored(site), 0); /* once is enough */
    fixture_wait(site, FIXTURE_MINUTE_US);
    return n;
}

static size_t n_audited(struct site *site, const char *action)
{
    const struct page page = {.after = "0", .limit = 1000, .is_log = true};
    OWN(json_freep) json_t *list = NULL;
    const json_t *items;
    size_t n = 0;

    assert_int_equal(audit_list(site, "", &page, &list), 0);
    items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        n += strcmp(field_text(json_array_get(items, i), "action", ""), action) == 0;
    return n;
}

static void after_a_restore_nothing_required_begins_before_it_is_enabled(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = play_new();
    OWN(json_freep) json_t *shown = NULL;
    OWN(json_freep) json_t *verified = NULL;
    char required[SITE_ID_MAX];
    char available[SITE_ID_MAX];
    char later[SITE_ID_MAX];

    fixture_deploy(play.site, "Other", "available", available);
    fixture_deploy(play.site, "Lab", "required", required);
    assert_true(fixture_ask(play.site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(restore(play.site), 1);
    assert_false(fixture_ask(play.site, FIXTURE_MAC, 7).is_offer);
    assert_string_equal(fixture_ask(play.site, FIXTURE_MAC, 7).reason, "held-after-restore");
    assert_int_equal(deployment_get(play.site, required, &shown), 0);
    assert_true(field_bool(shown, "is_held"));
    assert_int_equal(n_audited(play.site, "site.restore"), 1);
    assert_int_equal(audit_verify(play.site, &verified), 0);
    assert_true(field_bool(verified, "is_whole"));
    /* who begins an available one knows what he does; and what is made from now on is known */
    put_into(play.site, "Other", "PC-1");
    assert_true(fixture_ask(play.site, FIXTURE_MAC, 7).is_offer);
    fixture_deploy(play.site, "Lab", "required", later);
    assert_string_equal(fixture_ask(play.site, FIXTURE_MAC, 7).target.deployment_id, later);
    assert_int_equal(deployment_delete(play.site, "test", later), 0);
    enable(play.site, required);
    assert_string_equal(fixture_ask(play.site, FIXTURE_MAC, 7).target.deployment_id, required);
}

static void what_ran_at_the_backup_goes_on_only_if_it_still_runs(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = play_new();
    OWN(json_freep) json_t *progress = NULL;
    char deployment[SITE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(play.site, "Lab", "required", deployment);
    assert_int_equal(fixture_register(play.site, FIXTURE_MAC, play.device), 0);
    (void)fixture_order(play.site, play.device, order);
    (void)restore(play.site);
    assert_string_equal(fixture_ask(play.site, FIXTURE_MAC, 7).reason, "held-after-restore");
    /* it does */
    assert_int_equal(fixture_report(play.site, play.device, order, 1, "started", "boot-image"), 0);
    assert_true(fixture_ask(play.site, FIXTURE_MAC, 7).is_offer);
    fixture_wait(play.site, FIXTURE_MINUTE_US);
    /* it does not, and the computer comes by another way than the network */
    (void)restore(play.site);
    assert_int_equal(fixture_register(play.site, FIXTURE_MAC, play.device), 0);
    progress = fixture_progress(play.site, deployment);
    assert_string_equal(field_text(progress, "state", ""), "failed");
    assert_string_equal(field_text(progress, "error_id", ""), SITE_ERROR_SILENT);
    assert_string_equal(fixture_ask(play.site, FIXTURE_MAC, 7).reason, "failed-already");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_superseded_one_outlives_its_deployment_and_its_collection),
        cmocka_unit_test(it_outlives_a_chain_of_collections),
        cmocka_unit_test(who_comes_into_a_collection_later_is_due_from_then_on),
        cmocka_unit_test(a_member_stays_one_since_it_came_when_the_collection_is_evaluated),
        cmocka_unit_test(
            a_computer_that_was_unknown_is_not_wiped_again_by_what_is_there_for_known_ones),
        cmocka_unit_test(devices_get_it_one_after_the_other_over_some_days),
        cmocka_unit_test(after_a_restore_nothing_required_begins_before_it_is_enabled),
        cmocka_unit_test(what_ran_at_the_backup_goes_on_only_if_it_still_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
