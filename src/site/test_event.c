/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/event.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/audit.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/content.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/permission.h"
#include "site/task_sequence.h"

#define SOMEBODY "AD00099"

enum {
    SEEN_MAX = 64,
};

/* What somebody was told: "device created", "reset". */
struct seen {
    size_t n;
    size_t room; /* for so many */
    uint64_t numbers[SEEN_MAX];
    char texts[SEEN_MAX][128];
    char changes[SEEN_MAX][16];
};

static bool take(void *ctx, const struct event *event)
{
    struct seen *seen = ctx;

    if (seen->n == seen->room)
        return false;
    seen->numbers[seen->n] = event->number;
    (void)snprintf(seen->texts[seen->n],
                   sizeof(seen->texts[seen->n]),
                   "%s %s",
                   event->name,
                   field_text(event->data, "action", field_text(event->data, "reason", "")));
    (void)snprintf(seen->changes[seen->n],
                   sizeof(seen->changes[seen->n]),
                   "%s",
                   field_text(event->data, "change", ""));
    seen->n++;
    return true;
}

static uint64_t newest(struct site *site)
{
    uint64_t n = 0;
    uint64_t gone = 0;

    assert_int_equal(event_head(site, &n, &gone), 0);
    return n;
}

static struct seen look(struct site *site, uint64_t after, const char *topics)
{
    struct seen seen = {.room = SEEN_MAX};
    uint32_t bits = 0;
    uint64_t at = 0;

    assert_int_equal(event_topics(site, topics, &bits), 0);
    assert_int_equal(event_list(site, after, newest(site), bits, take, &seen, &at), 0);
    assert_int_equal(at, newest(site));
    return seen;
}

static bool has(const struct seen *seen, const char *text)
{
    for (size_t i = 0; i < seen->n; i++)
        if (strcmp(seen->texts[i], text) == 0)
            return true;
    return false;
}

static void grant(struct site *site, const char *role, const char *target)
{
    struct db_args who =
        DB_ARGS(db_text(SOMEBODY), db_text("somebody"), db_text(""), db_u64(site->now_us));

    assert_true(db_run(site->db, SQL_ADMINISTRATOR_ADD, who, NULL) >= 0);
    assert_int_equal(db_must(site->db,
                             SQL_ADMINISTRATOR_GRANT_ADD,
                             DB_ARGS(db_text(SOMEBODY), db_text(role), db_text(target))),
                     0);
}

static void be_somebody(struct site *site, const char *words)
{
    struct principal principal = {.id = SOMEBODY, .name = "somebody"};

    (void)snprintf(principal.permissions, sizeof(principal.permissions), "%s", words);
    principal_set(site, &principal);
}

static void new_collection(struct site *site, const char *name, char ret[static SITE_ID_MAX])
{
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);

    assert_int_equal(collection_create(site, "test", body, &made), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
}

static void a_change_has_an_event_in_its_transaction_and_none_without_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];
    uint64_t before = newest(site);
    struct seen seen;

    new_collection(site, "Lab", id);
    seen = look(site, before, NULL);
    assert_true(has(&seen, "collection collection.create"));
    before = newest(site);
    {
        OWN(db_rollbackp) struct db *tx = NULL;

        assert_int_equal(db_begin(site->db, &tx), 0);
        new_collection(site, "Taken back", id);
        assert_true(newest(site) > before);
    }
    assert_int_equal(newest(site), before);
    assert_int_equal(look(site, before, NULL).n, 0);
}

static void numbers_only_grow_and_each_event_comes_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct seen seen;
    char id[SITE_ID_MAX];

    new_collection(site, "A", id);
    new_collection(site, "B", id);
    fixture_import(site, "PC1", FIXTURE_MAC);
    seen = look(site, 0, NULL);
    assert_true(seen.n >= 3);
    for (size_t i = 1; i < seen.n; i++)
        assert_true(seen.numbers[i] > seen.numbers[i - 1]);
    for (size_t i = 0; i < seen.n; i++)
        assert_int_equal(look(site, seen.numbers[i], NULL).n, seen.n - i - 1);
}

static void progress_is_told_once_by_its_newest(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint64_t before = newest(site);
    struct seen seen;

    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(event_progress(site, "boot-rule", "one", "boot-rule.set"), 0);
    assert_int_equal(event_progress(site, "boot-rule", "other", "boot-rule.set"), 0);
    seen = look(site, before, "boot-rules");
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.numbers[0], before + 5);
    assert_int_equal(seen.numbers[1], before + 6);
}

static void reports_of_a_device_are_progress_of_its_deployment(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *wish = NULL;
    OWN(json_freep)
    json_t *report = fixture_json("{'seq': 1, 'state': 'started', 'environment': 'boot-image'}");
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    struct seen seen;
    uint64_t before;

    fixture_import(site, "PC1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    (void)fixture_register(site, FIXTURE_MAC, device);
    (void)fixture_order(site, device, order);
    before = newest(site);
    assert_int_equal(order_report(site, device, order, report, &wish), 0);
    seen = look(site, before, "deployments");
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.texts[0], "deployment deployment.progress");
    assert_int_equal(look(site, before, "collections,alerts").n, 0);
}

static void who_may_not_see_a_thing_is_not_told_of_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char mine[SITE_ID_MAX];
    char other[SITE_ID_MAX];
    uint64_t before = newest(site);
    struct seen seen;

    new_collection(site, "Mine", mine);
    new_collection(site, "Other", other);
    fixture_import(site, "PC1", FIXTURE_MAC);
    grant(site, "SLP0002R", mine);
    be_somebody(site, "*");
    seen = look(site, before, NULL);
    principal_clear(site);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.texts[0], "collection collection.create");

    /* by what he may now, not what he might then */
    grant(site, "SLP0002R", other);
    be_somebody(site, "*");
    assert_int_equal(look(site, before, NULL).n, 2);
    be_somebody(site, "device.read");
    assert_int_equal(look(site, before, NULL).n, 0);
    principal_clear(site);
}

static void what_is_deleted_is_told_to_who_saw_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *answer = NULL;
    const struct permission *operation = permission_of_route("DELETE", "/api/v1/devices/{id}");
    struct principal principal = {.id = "", .operation = operation};
    OWN(json_freep) json_t *member = NULL;
    char mine[SITE_ID_MAX];
    char other[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    uint64_t before;
    struct seen seen;

    new_collection(site, "Mine", mine);
    new_collection(site, "Other", other);
    fixture_import(site, "PC1", FIXTURE_MAC);
    assert_int_equal(device_find(site, "PC1", device), 0);
    member = json_pack("{s:s}", "device", "PC1");
    assert_int_equal(collection_add_member(site, "test", mine, member, &answer), 0);
    before = newest(site);
    principal_set(site, &principal);
    assert_int_equal(audit_before(site, "device", device), 0);
    assert_int_equal(device_delete(site, "test", device), 0);
    principal_clear(site);

    grant(site, "SLP0002R", other);
    be_somebody(site, "*");
    assert_int_equal(look(site, before, "devices").n, 0);
    principal_clear(site);
    grant(site, "SLP0002R", mine);
    be_somebody(site, "*");
    seen = look(site, before, "devices");
    principal_clear(site);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.texts[0], "device device.delete");
}

static void the_deletion_of_a_collection_is_not_told_to_who_is_granted_another(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct permission *operation = permission_of_route("DELETE", "/api/v1/collections/{id}");
    struct principal principal = {.id = "", .operation = operation};
    char mine[SITE_ID_MAX];
    char other[SITE_ID_MAX];
    uint64_t before;

    new_collection(site, "Mine", mine);
    new_collection(site, "Other", other);
    grant(site, "SLP0002R", mine);
    before = newest(site);
    principal_set(site, &principal);
    assert_int_equal(audit_before(site, "collection", other), 0);
    assert_int_equal(collection_delete(site, "test", other), 0);
    principal_clear(site);
    be_somebody(site, "*");
    assert_int_equal(look(site, before, "collections").n, 0);
    principal_clear(site);
}

static void a_change_of_rights_resets_everybody(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint64_t before = newest(site);
    char mine[SITE_ID_MAX];
    struct seen seen;

    new_collection(site, "Mine", mine);
    grant(site, "SLP000KR", mine);
    assert_int_equal(event_audited(site, "administrator.grant", SOMEBODY), 0);
    be_somebody(site, "*");
    seen = look(site, before, "devices");
    principal_clear(site);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.texts[0], "reset rights");
}

static void what_is_taken_out_of_a_thing_does_not_delete_it(void **state)
{
    (void)state;
    static const struct {
        const char *action;
        const char *change;
    } cases[] = {
        {"boundary-group.remove", "changed"},
        {"content.remove", "changed"},
        {"collection.remove-rule", "changed"},
        {"boot-rule.remove", "deleted"},
        {"distribution-point.remove", "deleted"},
        {"boundary-group.delete", "deleted"},
        {"boundary-group.create", "created"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(fixture_freep) struct site *site = fixture_new();
        uint64_t before = newest(site);
        struct seen seen;

        assert_int_equal(event_audited(site, cases[i].action, "one"), 0);
        seen = look(site, before, NULL);
        if (seen.n != 1 || strcmp(seen.changes[0], cases[i].change) != 0)
            fail_msg("%s: %zu events, %s", cases[i].action, seen.n, seen.changes[0]);
    }
}

static void who_has_no_room_gets_the_rest_later(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct seen seen = {.room = 2};
    uint64_t before = newest(site);
    uint64_t at = 0;

    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(event_audited(site, "boot-rule.set", "site"), 0);
    assert_int_equal(event_list(site, before, newest(site), EVENT_ALL, take, &seen, &at), 0);
    assert_int_equal(seen.n, 2);
    assert_int_equal(at, before + 2);
    assert_int_equal(look(site, at, NULL).n, 3);
}

static void only_so_many_are_looked_at_together(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct seen seen = {.room = SEEN_MAX};
    uint64_t before = newest(site);
    uint64_t at = 0;
    uint32_t devices = 0;

    assert_int_equal(event_topics(site, "devices", &devices), 0);
    for (unsigned i = 0; i < EVENT_LOOKS_MAX + 2; i++)
        assert_int_equal(event_audited(site, "boot-rule.set", "one"), 0);
    assert_int_equal(event_list(site, before, newest(site), devices, take, &seen, &at), 0);
    assert_int_equal(at, before + EVENT_LOOKS_MAX);
    assert_int_equal(seen.n, 0);
    assert_int_equal(event_list(site, at, newest(site), EVENT_ALL, take, &seen, &at), 0);
    assert_int_equal(seen.n, 2);
    assert_int_equal(at, newest(site));
}

static void numbers_that_progress_has_left_behind_are_no_look(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint64_t before = newest(site);
    struct seen seen;

    for (unsigned i = 0; i < EVENT_LOOKS_MAX + 2; i++)
        assert_int_equal(event_progress(site, "boot-rule", "one", "boot-rule.set"), 0);
    seen = look(site, before, NULL);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.numbers[0], newest(site));
}

static void what_is_old_goes_and_is_known_to_be_gone(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint64_t n = 0;
    uint64_t gone = 0;
    uint64_t before;

    assert_int_equal(event_audited(site, "boot-rule.set", "site"), 0);
    before = newest(site);
    assert_int_equal(event_tick(site), 0);
    assert_int_equal(event_head(site, &n, &gone), 0);
    assert_int_equal(gone, 0);
    site->now_us += EVENT_KEPT_US + 1;
    assert_int_equal(event_audited(site, "boot-rule.set", "site"), 0);
    assert_int_equal(event_tick(site), 0);
    assert_int_equal(event_head(site, &n, &gone), 0);
    assert_int_equal(gone, before);
    assert_int_equal(n, before + 1);
    assert_int_equal(look(site, 0, NULL).n, 1);
}

static void no_more_are_kept_than_so_many(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint64_t n = 0;
    uint64_t gone = 0;

    site->settings.events_kept = 20;
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(event_audited(site, "boot-rule.set", "one"), 0);
    assert_int_equal(event_tick(site), 0);
    assert_int_equal(event_head(site, &n, &gone), 0);
    assert_int_equal(gone, n - 20);
    assert_int_equal(look(site, 0, NULL).n, 20);
}

static void progress_pushes_out_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint64_t before = newest(site);
    uint64_t n = 0;
    uint64_t gone = 0;
    char thing[16];
    struct seen seen;

    site->settings.events_kept = 20;
    assert_int_equal(event_audited(site, "collection.delete", "gone"), 0);
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(thing, sizeof(thing), "thing %u", i % 40);
        assert_int_equal(event_progress(site, "boot-rule", thing, "boot-rule.set"), 0);
    }
    assert_int_equal(event_tick(site), 0);
    assert_int_equal(event_head(site, &n, &gone), 0);
    assert_int_equal(gone, 0);
    seen = look(site, before, NULL);
    assert_int_equal(seen.n, 41);
    assert_string_equal(seen.texts[0], "collection collection.delete");
}

static void topics_are_known_by_name(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    uint32_t devices = 0;
    uint32_t both = 0;
    uint32_t bits = 0;

    assert_int_equal(event_topics(site, NULL, &bits), 0);
    assert_int_equal(bits, EVENT_ALL);
    assert_int_equal(event_topics(site, "devices", &devices), 0);
    assert_int_equal(event_topics(site, "collections,devices", &both), 0);
    assert_true((both & devices) == devices && both != devices);
    assert_int_equal(event_topics(site, "devices,", &bits), SITE_E_REFUSED);
    assert_int_equal(event_topics(site, "", &bits), SITE_E_REFUSED);
    assert_int_equal(event_topics(site, "device", &bits), SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "\"device\""));
}

static void a_token_that_ended_or_nothing_granted_is_no_follower(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct access_token token = {
        .kind = ACCESS_API,
        .administrator_id = SOMEBODY,
        .name = "test",
        .life_us = ACCESS_API_US,
    };
    struct principal who = {.id = SOMEBODY};
    char text[TOKEN_TEXT_MAX];
    char id[UUID_TEXT_MAX];
    bool is_good = false;

    grant(site, "SLP0002R", "SLP00ALL");
    assert_int_equal(access_new_token(site, &token, text, id), 0);
    (void)snprintf(who.token_id, sizeof(who.token_id), "%s", id);
    assert_int_equal(event_check(site, &who, &is_good), 0);
    assert_true(is_good);
    assert_string_equal(who.permissions, "*");
    assert_int_equal(db_must(site->db,
                             SQL_ADMINISTRATOR_GRANT_DROP,
                             DB_ARGS(db_text(SOMEBODY), db_text("SLP0002R"), db_text("SLP00ALL"))),
                     0);
    assert_int_equal(event_check(site, &who, &is_good), 0);
    assert_false(is_good);
    grant(site, "SLP0002R", "SLP00ALL");
    assert_int_equal(access_drop_token(site, id), 0);
    assert_int_equal(event_check(site, &who, &is_good), 0);
    assert_false(is_good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_has_an_event_in_its_transaction_and_none_without_it),
        cmocka_unit_test(numbers_only_grow_and_each_event_comes_once),
        cmocka_unit_test(progress_is_told_once_by_its_newest),
        cmocka_unit_test(reports_of_a_device_are_progress_of_its_deployment),
        cmocka_unit_test(who_may_not_see_a_thing_is_not_told_of_it),
        cmocka_unit_test(what_is_deleted_is_told_to_who_saw_it),
        cmocka_unit_test(the_deletion_of_a_collection_is_not_told_to_who_is_granted_another),
        cmocka_unit_test(a_change_of_rights_resets_everybody),
        cmocka_unit_test(what_is_taken_out_of_a_thing_does_not_delete_it),
        cmocka_unit_test(who_has_no_room_gets_the_rest_later),
        cmocka_unit_test(only_so_many_are_looked_at_together),
        cmocka_unit_test(numbers_that_progress_has_left_behind_are_no_look),
        cmocka_unit_test(what_is_old_goes_and_is_known_to_be_gone),
        cmocka_unit_test(no_more_are_kept_than_so_many),
        cmocka_unit_test(progress_pushes_out_nothing),
        cmocka_unit_test(topics_are_known_by_name),
        cmocka_unit_test(a_token_that_ended_or_nothing_granted_is_no_follower),
    };

    return cmocka_run_group_tests_name("site/event", tests, NULL, NULL);
}
