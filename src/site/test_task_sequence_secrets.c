/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/task_sequence_parts.h"

#include "site/collection.h"
#include "site/variable.h"

#include "site/test_task_sequence.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* What is hidden on a device or a collection is not shown by a condition either. */

#define IF(name, value) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><condition><expression " \
    "type=\"SMS_TaskSequence_VariableConditionExpression\"><variable name=\"Operator\">equals" \
    "</variable><variable name=\"Value\">" value "</variable><variable name=\"Variable\">" name \
    "</variable></expression></condition><action>x</action><defaultVarList><variable " \
    "name=\"CommandLine\">x</variable></defaultVarList></step>"

static void hide(struct site *site, const char *name)
{
    OWN(json_freep) json_t *collection = fixture_json("{'name': 'Doors'}");
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:b}", "name", name, "value", "4711", "is_secret", 1);
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_create(site, "alice", collection, &made), 0);
    assert_int_equal(variable_set(site, VARIABLE_OF_COLLECTION, "alice", "Doors", body, &answer),
                     0);
}

static void assert_told_nowhere(struct site *site, const char *id, const char *secret)
{
    static const enum task_sequence_spelling spellings[] = {TASK_SEQUENCE_XML, TASK_SEQUENCE_YAML};
    OWN(json_freep) json_t *shown = NULL;
    OWN(freep) char *text = NULL;

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        OWN(buf_fini) struct buf out = BUF_INIT(65536);

        assert_int_equal(task_sequence_export(site, id, 0, spellings[i], &out), 0);
        assert_null(strstr(buf_str(&out), secret));
    }
    assert_int_equal(task_sequence_get(site, id, &shown), 0);
    text = json_dumps(shown, 0);
    assert_null(strstr(text, secret));
    assert_non_null(strstr(text, "SLW-0197"));
}

static void what_is_hidden_on_a_collection_is_shown_by_no_condition(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *back = NULL;
    OWN(json_freep) json_t *changed = NULL;
    OWN(buf_fini) struct buf out = BUF_INIT(65536);
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    const char *id;

    assert_int_equal(create(site, SEQUENCE(IF("Entrance", "geheim")), "{'name': 'T'}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(task_sequence_export(site, id, 0, TASK_SEQUENCE_XML, &out), 0);
    assert_non_null(strstr(buf_str(&out), "geheim"));
    hide(site, "ENTRANCE");
    assert_told_nowhere(site, id, "geheim");

    buf_clear(&out);
    assert_int_equal(task_sequence_export(site, id, 0, TASK_SEQUENCE_XML, &out), 0);
    assert_int_equal(create(site, buf_str(&out), "{'into': 'T'}", &back), 0);
    assert_int_equal(task_sequence_read(site, id, 0, &doc), 0);
    buf_clear(&out);
    assert_int_equal(ts_document_put(doc, &out), 0);
    assert_non_null(strstr(buf_str(&out), "geheim"));

    assert_int_equal(create(site, SEQUENCE(IF("Entrance", "anders")), "{'into': 'T'}", &changed),
                     0);
    assert_told_nowhere(site, id, "anders");
}

static void a_comparison_and_the_history_do_not_tell_it_either(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *diff = NULL;
    OWN(json_freep) json_t *versions = fixture_json("{'from': 1, 'to': 2}");
    OWN(json_freep) json_t *history = NULL;
    OWN(freep) char *text = NULL;
    OWN(freep) char *told = NULL;
    const char *id;

    hide(site, "Entrance");
    assert_int_equal(create(site, SEQUENCE(IF("Entrance", "geheim")), "{'name': 'T'}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(create(site, SEQUENCE(IF("Entrance", "anders")), "{'into': 'T'}", &changed),
                     0);
    assert_int_equal(task_sequence_diff(site, id, versions, &diff), 0);
    text = json_dumps(diff, 0);
    assert_null(strstr(text, "geheim"));
    assert_null(strstr(text, "anders"));
    assert_non_null(strstr(text, "what differs is secret"));
    assert_int_equal(task_sequence_versions(site, id, &history), 0);
    told = json_dumps(history, 0);
    assert_null(strstr(told, "geheim"));
    assert_null(strstr(told, "anders"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_hidden_on_a_collection_is_shown_by_no_condition),
        cmocka_unit_test(a_comparison_and_the_history_do_not_tell_it_either),
    };

    return cmocka_run_group_tests_name("site/task_sequence_secrets", tests, NULL, NULL);
}
