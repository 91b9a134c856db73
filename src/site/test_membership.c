/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/membership.h"

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
#include "site/deployment_change.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/fixture.h"

static int create(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return collection_create(site, "test", body, &answer);
}

static int rule(struct site *site, const char *collection, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return collection_rule_add(site, "test", collection, body, &answer);
}

static int change(struct site *site, const char *collection, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return collection_change(site, "test", collection, body, &answer);
}

/* The names of the members, in the order they were made; and that as many are counted. */
static void expect(struct site *site, const char *collection, const char *names)
{
    OWN(json_freep) json_t *found = NULL;
    const json_t *members;
    char text[256] = "";

    assert_int_equal(collection_get(site, collection, &found), 0);
    members = json_object_get(found, "members");
    for (size_t i = 0; i < json_array_size(members); i++)
        (void)snprintf(text + strlen(text),
                       sizeof(text) - strlen(text),
                       "%s%s",
                       i ? " " : "",
                       field_text(json_array_get(members, i), "name", ""));
    assert_string_equal(text, names);
    assert_int_equal(field_number(found, "n_members", 0), json_array_size(members));
}

static struct site *three_devices(void)
{
    struct site *site = fixture_new();

    fixture_import(site, "A1", "52:54:00:77:00:01");
    site->now_us += FIXTURE_MINUTE_US;
    fixture_import(site, "A2", "52:54:00:77:00:02");
    site->now_us += FIXTURE_MINUTE_US;
    fixture_import(site, "B1", "52:54:00:77:00:03");
    return site;
}

static void built_in_collections_have_their_members_as_rows(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();
    char id[ACCESS_DEVICE_ID_MAX];
    char deployment[SITE_ID_MAX];

    expect(site, "All Systems", "A1 A2 B1");
    expect(site,
           "All Unknown Computers",
           "arm64 Unknown Computer x64 Unknown Computer x86 Unknown Computer");
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    site->now_us += FIXTURE_MINUTE_US;
    assert_int_equal(fixture_register(site, "52:54:00:77:00:09", id), 0);
    expect(site,
           "All Unknown Computers",
           "SLW-770009 arm64 Unknown Computer x64 Unknown Computer x86 Unknown Computer");
    fixture_import(site, "C1", "52:54:00:77:00:09");
    expect(site, "All Systems", "A1 A2 B1 C1");
}

static void members_follow_from_all_kinds_of_rules(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();

    assert_int_equal(create(site, "{'name': 'Query'}"), 0);
    assert_int_equal(
        rule(site,
             "Query",
             "{'type': 'query', 'name': 'a', 'filter': 'name startswith \\u0027a\\u0027'}"),
        0);
    expect(site, "Query", "A1 A2");
    assert_int_equal(create(site, "{'name': 'Direct'}"), 0);
    assert_int_equal(rule(site, "Direct", "{'type': 'direct', 'device': 'B1'}"), 0);
    expect(site, "Direct", "B1");

    assert_int_equal(create(site, "{'name': 'All'}"), 0);
    assert_int_equal(rule(site, "All", "{'type': 'include', 'collection': 'Query'}"), 0);
    assert_int_equal(rule(site, "All", "{'type': 'include', 'collection': 'Direct'}"), 0);
    expect(site, "All", "A1 A2 B1");

    assert_int_equal(create(site, "{'name': 'Out'}"), 0);
    assert_int_equal(rule(site, "Out", "{'type': 'direct', 'device': 'A2'}"), 0);
    assert_int_equal(rule(site, "All", "{'type': 'exclude', 'collection': 'Out'}"), 0);
    expect(site, "All", "A1 B1");
    assert_int_equal(change(site, "All", "{'limiting': 'Query'}"), 0);
    expect(site, "All", "A1");

    assert_int_equal(collection_rule_remove(site, "test", "Out", "direct", "A2"), 0);
    expect(site, "All", "A1 A2");
    assert_int_equal(collection_rule_remove(site, "test", "All", "include", "Query"), 0);
    expect(site, "All", "");
    assert_int_equal(change(site, "All", "{'limiting': 'All Systems'}"), 0);
    expect(site, "All", "B1");
    assert_int_equal(collection_rule_remove(site, "test", "Query", "query", "a"), 0);
    expect(site, "Query", "");
}

static void a_new_device_is_in_what_fits_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();

    assert_int_equal(create(site, "{'name': 'Query'}"), 0);
    assert_int_equal(
        rule(site,
             "Query",
             "{'type': 'query', 'name': 'm', 'filter': 'mac endswith \\u0027:07\\u0027'}"),
        0);
    assert_int_equal(create(site, "{'name': 'Outer'}"), 0);
    assert_int_equal(rule(site, "Outer", "{'type': 'include', 'collection': 'Query'}"), 0);
    expect(site, "Outer", "");
    site->now_us += FIXTURE_MINUTE_US;
    fixture_import(site, "A7", "52:54:00:77:00:07");
    expect(site, "Query", "A7");
    expect(site, "Outer", "A7");
}

static void what_a_machine_says_changes_its_collections(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(create(site, "{'name': 'UEFI'}"), 0);
    assert_int_equal(
        rule(site,
             "UEFI",
             "{'type': 'query', 'name': 'u', 'filter': 'firmware eq \\u0027uefi\\u0027'}"),
        0);
    expect(site, "UEFI", "");
    assert_int_equal(fixture_register(site, "52:54:00:77:00:02", id), 0);
    expect(site, "UEFI", "A2");
}

static void a_circle_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();

    assert_int_equal(create(site, "{'name': 'One'}"), 0);
    assert_int_equal(create(site, "{'name': 'Two', 'limiting': 'One'}"), 0);
    assert_int_equal(create(site, "{'name': 'Three'}"), 0);
    assert_int_equal(rule(site, "Three", "{'type': 'exclude', 'collection': 'Two'}"), 0);
    assert_int_equal(rule(site, "One", "{'type': 'include', 'collection': 'Three'}"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CIRCLE);
    assert_non_null(strstr(site->refusal.detail, "One"));
    assert_int_equal(rule(site, "One", "{'type': 'include', 'collection': 'One'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CIRCLE);
    assert_int_equal(change(site, "One", "{'limiting': 'Three'}"), SITE_E_REFUSED);
    assert_int_equal(rule(site, "One", "{'type': 'direct', 'device': 'A1'}"), 0);
    assert_int_equal(rule(site, "Two", "{'type': 'direct', 'device': 'A1'}"), 0);
    expect(site, "One", "A1");
    expect(site, "Two", "A1");
}

static void what_is_used_or_built_in_is_not_deleted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();
    OWN(json_freep) json_t *none = NULL;
    char deployment[SITE_ID_MAX];

    assert_int_equal(create(site, "{'name': 'One'}"), 0);
    assert_int_equal(create(site, "{'name': 'Two', 'limiting': 'One'}"), 0);
    assert_int_equal(collection_delete(site, "test", "One"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_COLLECTION_USED);
    fixture_deploy(site, "Two", "required", deployment);
    assert_int_equal(collection_delete(site, "test", "Two"), SITE_E_REFUSED);
    assert_int_equal(deployment_delete(site, "test", deployment), 0);
    assert_int_equal(collection_delete(site, "test", "Two"), 0);
    assert_int_equal(collection_delete(site, "test", "All Systems"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BUILTIN);
    assert_int_equal(change(site, "All Systems", "{'name': 'Mine'}"), SITE_E_REFUSED);
    assert_int_equal(change(site, "All Systems", "{'variable_priority': 3}"), 0);
    assert_int_equal(create(site, "{'name': 'Three'}"), 0);
    assert_int_equal(rule(site, "Three", "{'type': 'direct', 'device': 'A1'}"), 0);
    assert_int_equal(change(site, "Three", "{'name': 'Four'}"), 0);
    expect(site, "Four", "A1");
    assert_int_equal(collection_delete(site, "test", "Four"), 0);
    assert_int_equal(collection_get(site, "Four", &none), SITE_E_REFUSED);
}

static void an_unknown_computer_gets_what_its_record_is_given(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = three_devices();
    char deployment[SITE_ID_MAX];
    char id[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    assert_int_equal(create(site, "{'name': 'New', 'limiting': 'All Unknown Computers'}"), 0);
    assert_int_equal(rule(site, "New", "{'type': 'direct', 'device': 'unknown-x86'}"), 0);
    fixture_deploy(site, "New", "required", deployment);
    assert_false(fixture_ask(site, "52:54:00:77:00:09", 7).is_offer);
    assert_int_equal(rule(site, "New", "{'type': 'direct', 'device': 'unknown-x64'}"), 0);
    assert_true(fixture_ask(site, "52:54:00:77:00:09", 7).is_offer);
    assert_int_equal(fixture_register(site, "52:54:00:77:00:09", id), 0);
    (void)fixture_order(site, id, order);
    assert_true(order[0]);
    assert_false(fixture_ask(site, "52:54:00:77:00:01", 7).is_offer);
}

static void rules_that_are_not_right_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum refusal_id id;
    } cases[] = {
        {"{'type': 'query', 'name': 'x', 'filter': 'nobody eq 1'}", REFUSAL_FILTER},
        {"{'type': 'query', 'name': 'x'}", REFUSAL_INVALID},
        {"{'type': 'direct', 'device': 'nobody'}", REFUSAL_MISSING},
        {"{'type': 'include', 'collection': 'nobody'}", REFUSAL_MISSING},
        {"{'type': 'include', 'device': 'A1'}", REFUSAL_INVALID},
        {"{'type': 'other'}", REFUSAL_INVALID},
    };
    OWN(fixture_freep) struct site *site = three_devices();

    assert_int_equal(create(site, "{'name': 'One'}"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(rule(site, "One", cases[i].rule), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
    }
    assert_int_equal(rule(site, "All Systems", "{'type': 'direct', 'device': 'A1'}"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BUILTIN);
    assert_int_equal(collection_rule_remove(site, "test", "One", "query", "x"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

/* The model: what docs/collections.md says, asked anew for each device and collection. */
enum {
    MODEL_DEVICES = 6,
    MODEL_COLLECTIONS = 6,
    MODEL_STEPS = 250,
};

struct model {
    bool is_direct[MODEL_COLLECTIONS][MODEL_DEVICES];
    bool has_query[MODEL_COLLECTIONS];              /* name endswith its own number */
    int link[MODEL_COLLECTIONS][MODEL_COLLECTIONS]; /* 1 include, 2 exclude */
    int limiting[MODEL_COLLECTIONS];                /* -1: All Systems */
};

/* Only a lower number is depended on, so that there are no circles. */
static bool is_in_model(const struct model *model, int collection, int device)
{
    bool answer[MODEL_COLLECTIONS] = {false};

    for (int c = 0; c <= collection; c++) {
        bool is_in = model->is_direct[c][device] || (model->has_query[c] && device == c);
        bool is_out = model->limiting[c] >= 0 && !answer[model->limiting[c]];

        for (int other = 0; other < c; other++) {
            is_in = is_in || (model->link[c][other] == 1 && answer[other]);
            is_out = is_out || (model->link[c][other] == 2 && answer[other]);
        }
        answer[c] = is_in && !is_out;
    }
    return answer[collection];
}

static void expect_model(struct site *site, const struct model *model)
{
    for (int c = 0; c < MODEL_COLLECTIONS; c++) {
        char collection[8];
        char names[64] = "";

        (void)snprintf(collection, sizeof(collection), "C%d", c);
        for (int d = 0; d < MODEL_DEVICES; d++)
            if (is_in_model(model, c, d))
                (void)snprintf(names + strlen(names),
                               sizeof(names) - strlen(names),
                               "%sD%d",
                               names[0] ? " " : "",
                               d);
        expect(site, collection, names);
    }
}

static unsigned roll(uint64_t *seed, unsigned n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((*seed >> 33) % n);
}

static void step_direct(struct site *site, struct model *model, int c, int d)
{
    char name[8];
    char text[96];

    (void)snprintf(name, sizeof(name), "C%d", c);
    (void)snprintf(text, sizeof(text), "{'type': 'direct', 'device': 'D%d'}", d);
    assert_int_equal(rule(site, name, text), 0);
    model->is_direct[c][d] = true;
}

static void step_undo_direct(struct site *site, struct model *model, int c, int d)
{
    char name[8];
    char device[8];

    (void)snprintf(name, sizeof(name), "C%d", c);
    (void)snprintf(device, sizeof(device), "D%d", d);
    assert_int_equal(collection_rule_remove(site, "test", name, "direct", device),
                     model->is_direct[c][d] ? 0 : SITE_E_REFUSED);
    model->is_direct[c][d] = false;
}

static void step_query(struct site *site, struct model *model, int c)
{
    char name[8];
    char text[128];

    (void)snprintf(name, sizeof(name), "C%d", c);
    (void)snprintf(text,
                   sizeof(text),
                   "{'type': 'query', 'name': 'q', 'filter': 'name eq \\u0027d%d\\u0027'}",
                   c);
    if (model->has_query[c])
        assert_int_equal(collection_rule_remove(site, "test", name, "query", "q"), 0);
    else
        assert_int_equal(rule(site, name, text), 0);
    model->has_query[c] = !model->has_query[c];
}

static void step_link(struct site *site, struct model *model, int c, int other, int kind)
{
    static const char *const kinds[] = {"", "include", "exclude"};
    char name[8];
    char other_name[8];
    char text[96];

    (void)snprintf(name, sizeof(name), "C%d", c);
    (void)snprintf(other_name, sizeof(other_name), "C%d", other);
    (void)snprintf(
        text, sizeof(text), "{'type': '%s', 'collection': '%s'}", kinds[kind], other_name);
    if (model->link[c][other]) {
        assert_int_equal(
            collection_rule_remove(site, "test", name, kinds[model->link[c][other]], other_name),
            0);
        model->link[c][other] = 0;
        return;
    }
    assert_int_equal(rule(site, name, text), 0);
    model->link[c][other] = kind;
}

static void step_limit(struct site *site, struct model *model, int c, int other)
{
    char name[8];
    char text[64];

    (void)snprintf(name, sizeof(name), "C%d", c);
    if (model->limiting[c] >= 0) {
        model->limiting[c] = -1;
        assert_int_equal(change(site, name, "{'limiting': 'All Systems'}"), 0);
        return;
    }
    (void)snprintf(text, sizeof(text), "{'limiting': 'C%d'}", other);
    model->limiting[c] = other;
    assert_int_equal(change(site, name, text), 0);
}

static void every_change_leads_to_what_the_rules_say(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct model model = {0};
    uint64_t seed = 20261122;

    for (int i = 0; i < MODEL_COLLECTIONS; i++) {
        char text[64];
        char device[8];

        (void)snprintf(text, sizeof(text), "{'name': 'C%d'}", i);
        assert_int_equal(create(site, text), 0);
        model.limiting[i] = -1;
        (void)snprintf(device, sizeof(device), "D%d", i);
        (void)snprintf(text, sizeof(text), "52:54:00:77:01:%02d", i);
        site->now_us += FIXTURE_MINUTE_US;
        fixture_import(site, device, text);
    }
    for (int i = 0; i < MODEL_STEPS; i++) {
        int c = (int)roll(&seed, MODEL_COLLECTIONS);
        int other = c > 0 ? (int)roll(&seed, (unsigned)c) : -1;
        int d = (int)roll(&seed, MODEL_DEVICES);

        switch (roll(&seed, other >= 0 ? 6 : 3)) {
        case 0:
            step_direct(site, &model, c, d);
            break;
        case 1:
            step_undo_direct(site, &model, c, d);
            break;
        case 2:
            step_query(site, &model, c);
            break;
        case 3:
        case 4:
            step_link(site, &model, c, other, 1 + (int)roll(&seed, 2));
            break;
        default:
            step_limit(site, &model, c, other);
            break;
        }
        expect_model(site, &model);
    }
    /* and a full evaluation finds nothing that was missed */
    fixture_wait(site, FIXTURE_MINUTE_US * 60 * 25);
    expect_model(site, &model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_collections_have_their_members_as_rows),
        cmocka_unit_test(members_follow_from_all_kinds_of_rules),
        cmocka_unit_test(a_new_device_is_in_what_fits_it),
        cmocka_unit_test(what_a_machine_says_changes_its_collections),
        cmocka_unit_test(a_circle_is_refused_and_changes_nothing),
        cmocka_unit_test(what_is_used_or_built_in_is_not_deleted),
        cmocka_unit_test(an_unknown_computer_gets_what_its_record_is_given),
        cmocka_unit_test(rules_that_are_not_right_are_refused),
        cmocka_unit_test(every_change_leads_to_what_the_rules_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
