/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/session.h"
#include "cli/test_fixture.h"
#include "plat/file.h"
#include "ts/container.h"
#include "ts/container_put.h"
#include "ts/diag.h"
#include "ts/document.h"

enum {
    PATH_MAX_BYTES = 256,
    OUTPUT_FILE_MAX = 1024 * 1024,
};

#define CONDITION(query) \
    "<condition><expression type=\"SMS_TaskSequence_WMIConditionExpression\"><variable name=\"Query\">" query \
    "</variable></expression></condition>"
#define STEP(name, inside) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name "\"><action>x</action>" \
    "<defaultVarList><variable name=\"CommandLine\" hidden=\"true\">run %Who% %_SMSTSMake% %_SMSTSPackageName%</variable>" \
    "</defaultVarList>" inside "</step>"
#define RUN_CHILD(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"nested\"><defaultVarList>" \
    "<variable name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id "</variable>" \
    "</defaultVarList></subtasksequence>"

static const char main_xml[] = "<sequence version=\"3.10\">" STEP(
    "dell", CONDITION("select * from Win32_ComputerSystem where Manufacturer like 'Dell%'"))
    STEP("big", CONDITION("select * from Win32_DiskDrive where Size &gt; 1000000"))
        RUN_CHILD("SLP00009") "</sequence>";
static const char parent_xml[] = "<sequence version=\"3.10\">" RUN_CHILD("SLP00008") "</sequence>";
static const char child_xml[] = "<sequence version=\"3.10\">" STEP("inner", "") "</sequence>";

static const char facts_of_device[] =
    "{\"version\": 1, \"environment\": \"boot-image\", \"source\": \"registration\", \"registered_at\": null,"
    " \"classes\": {\"Win32_ComputerSystem\": [{\"Manufacturer\": \"Dell Inc.\"}],"
    "               \"Win32_DiskDrive\": [{\"Size\": 1000}]},"
    " \"variables\": {\"_SMSTSMake\": \"Dell Inc.\", \"_SMSTSMachineName\": \"pc-1\"}}";

struct site {
    struct fixture fixture;
};

static int say_sequence(struct http_exchange *x, const char *id, bool is_disabled)
{
    return http_reply_json(x,
                           200,
                           json_pack("{s:s,s:s,s:n,s:b}",
                                     "id",
                                     id,
                                     "name",
                                     "Main",
                                     "boot_image_id",
                                     "is_disabled",
                                     (int)is_disabled));
}

static int answer(void *ctx, struct http_exchange *x)
{
    const char *path = http_path(x);

    (void)ctx;
    if (strcmp(path, "/api/v1/task-sequences/SLP00003/xml") == 0)
        return http_reply_bytes(x, 200, "application/xml", bytes_of(main_xml));
    if (strcmp(path, "/api/v1/task-sequences/SLP00007/xml") == 0)
        return http_reply_bytes(x, 200, "application/xml", bytes_of(parent_xml));
    if (strcmp(path, "/api/v1/task-sequences/SLP00008/xml") == 0 ||
        strcmp(path, "/api/v1/task-sequences/SLP00009/xml") == 0)
        return http_reply_bytes(x, 200, "application/xml", bytes_of(child_xml));
    if (strcmp(path, "/api/v1/task-sequences/SLP00003") == 0)
        return say_sequence(x, "SLP00003", false);
    if (strcmp(path, "/api/v1/task-sequences/SLP00007") == 0)
        return say_sequence(x, "SLP00007", false);
    if (strcmp(path, "/api/v1/task-sequences/SLP00008") == 0)
        return say_sequence(x, "SLP00008", true);
    if (strcmp(path, "/api/v1/task-sequences/SLP00009") == 0)
        return say_sequence(x, "SLP00009", false);
    if (strcmp(path, "/api/v1/devices/pc-1/effective-variables") == 0)
        return http_reply_json(x,
                               200,
                               json_pack("{s:[{s:s,s:s,s:b},{s:s,s:n,s:b},{s:s,s:s,s:b,s:b}]}",
                                         "items",
                                         "name",
                                         "Who",
                                         "value",
                                         "from-collection",
                                         "is_secret",
                                         0,
                                         "name",
                                         "Key",
                                         "value",
                                         "is_secret",
                                         1,
                                         "name",
                                         "Room",
                                         "value",
                                         "",
                                         "is_secret",
                                         0,
                                         "is_asked",
                                         1));
    if (strcmp(path, "/api/v1/devices/pc-1/facts") == 0)
        return http_reply_bytes(x, 200, "application/json", bytes_of(facts_of_device));
    return http_reply_problem(x, 404, "SLW-0103", "There is no such thing", "%s", "");
}

static const struct http_route routes[] = {{"GET", "/api/v1/{a}/{b}", 0, answer},
                                           {"GET", "/api/v1/{a}/{b}/{c}", 0, answer},
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

/* Run "slipway WORDS", which are separated by '|'. @ret: what it printed, NULL if that is not JSON. */
static enum args_exit run(struct site *site, const char *words, json_t **ret)
{
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_FILE_MAX);
    enum args_exit code = fixture_run(&site->fixture, words, &output);

    *ret = json_loadb(buf_str(&output), output.len, 0, NULL);
    return code;
}

static const char *text_of(const json_t *result, size_t step, const char *field)
{
    return output_text(json_array_get(output_at(result, "steps"), step), field);
}

static void a_device_is_simulated_from_what_the_site_knows(void **state)
{
    struct site *site = *state;
    OWN(session_json_freep) json_t *result = NULL;

    assert_int_equal(
        run(site,
            "ts|simulate|SLP00003|--device|pc-1|--var|Who=me|--var|Other=x|--output|json",
            &result),
        ARGS_EXIT_OK);
    assert_string_equal(output_text(result, "outcome"), "succeeded");
    assert_int_equal(output_u64(result, "n_run"), 2);
    assert_string_equal(text_of(result, 0, "decision"), "run");
    assert_string_equal(
        output_text(
            json_array_get(output_at(json_array_get(output_at(result, "steps"), 0), "values"), 0),
            "value"),
        "run me Dell Inc. Main");
    assert_string_equal(text_of(result, 1, "decision"), "skip");
    assert_non_null(strstr(text_of(result, 1, "why"), "Size is 1000"));
    assert_string_equal(text_of(result, 2, "path"), "nested/inner");
}

static void a_device_has_the_variables_of_its_collections(void **state)
{
    struct site *site = *state;
    OWN(session_json_freep) json_t *result = NULL;

    assert_int_equal(run(site, "ts|simulate|SLP00003|--device|pc-1|--output|json", &result),
                     ARGS_EXIT_OK);
    assert_string_equal(
        output_text(
            json_array_get(output_at(json_array_get(output_at(result, "steps"), 0), "values"), 0),
            "value"),
        "run from-collection Dell Inc. Main");
}

static void what_is_asked_on_the_screen_may_decide_otherwise(void **state)
{
    struct site *site = *state;
    static const char xml[] = "<sequence version=\"3.10\">" STEP(
        "c",
        "<condition><expression type=\"SMS_TaskSequence_VariableConditionExpression\"><variable "
        "name=\"Operator\">exists</variable><variable name=\"Variable\">Room</variable>"
        "</expression></condition>") "</sequence>";
    OWN(session_json_freep) json_t *asked = NULL;
    OWN(session_json_freep) json_t *given = NULL;
    OWN(freep) char *path = NULL;
    OWN(freep) char *words = NULL;
    const json_t *depends;

    assert_true(asprintf(&path, "%s/asked.xml", site->fixture.folder) > 0);
    assert_int_equal(file_write(path, bytes_of(xml), 0600), 0);
    assert_true(asprintf(&words, "ts|simulate|%s|--device|pc-1|--output|json|--var|Room=5", path) >
                0);
    assert_int_equal(run(site, words, &given), ARGS_EXIT_OK);
    assert_string_equal(text_of(given, 0, "decision"), "run");
    assert_int_equal(
        json_array_size(output_at(json_array_get(output_at(given, "steps"), 0), "depends_on")), 0);
    words[strlen(words) - strlen("|--var|Room=5")] = '\0';
    assert_int_equal(run(site, words, &asked), ARGS_EXIT_OK);
    assert_string_equal(text_of(asked, 0, "decision"), "skip");
    depends = output_at(json_array_get(output_at(asked, "steps"), 0), "depends_on");
    assert_int_equal(json_array_size(depends), 1);
    assert_string_equal(
        output_text(json_array_get(depends, 0), "text"),
        "depends on Room, which is asked on the screen when a person chooses the deployment");
}

static void what_the_site_says_of_a_device_is_a_file_of_facts(void **state)
{
    struct site *site = *state;
    OWN(session_json_freep) json_t *of_device = NULL;
    OWN(session_json_freep) json_t *of_file = NULL;
    OWN(session_json_freep) json_t *shown = NULL;
    OWN(freep) char *text = NULL;
    char words[2 * PATH_MAX_BYTES + 128];
    char path[PATH_MAX_BYTES + 16];

    assert_int_equal(run(site, "device|facts|pc-1|--output|json", &shown), ARGS_EXIT_OK);
    text = json_dumps(shown, 0);
    (void)snprintf(path, sizeof(path), "%s/facts.json", site->fixture.folder);
    assert_int_equal(file_write(path, bytes_of(text), 0600), 0);
    (void)snprintf(
        words, sizeof(words), "ts|simulate|SLP00003|--facts|%s|--var|Who=me|--output|json", path);
    assert_int_equal(run(site, words, &of_file), ARGS_EXIT_OK);
    assert_int_equal(
        run(site, "ts|simulate|SLP00003|--device|pc-1|--var|Who=me|--output|json", &of_device),
        ARGS_EXIT_OK);
    assert_true(json_equal(of_file, of_device));
}

static void a_file_needs_no_site_and_its_missing_child_fails(void **state)
{
    struct site *site = *state;
    OWN(session_json_freep) json_t *result = NULL;
    char words[2 * PATH_MAX_BYTES + 64];
    char path[PATH_MAX_BYTES + 16];

    (void)snprintf(path, sizeof(path), "%s/ts.xml", site->fixture.folder);
    assert_int_equal(file_write(path, bytes_of(main_xml), 0600), 0);
    (void)snprintf(words, sizeof(words), "ts|simulate|%s|--output|json", path);
    assert_int_equal(run(site, words, &result), ARGS_EXIT_FAILURE);
    assert_string_equal(output_text(result, "outcome"), "failed");
    assert_non_null(strstr(text_of(result, 0, "warnings"), "Win32_ComputerSystem"));
    assert_string_equal(text_of(result, 2, "error_id"), "SLW-0416");
}

static void a_disabled_child_of_the_site_fails_as_it_would_in_a_run(void **state)
{
    struct site *site = *state;
    OWN(session_json_freep) json_t *result = NULL;

    assert_int_equal(run(site, "ts|simulate|SLP00007|--output|json", &result), ARGS_EXIT_FAILURE);
    assert_string_equal(output_text(result, "outcome"), "failed");
    assert_string_equal(text_of(result, 0, "error_id"), "SLW-0416");
    assert_non_null(strstr(text_of(result, 0, "why"), "disabled"));
    assert_true(json_is_false(output_at(result, "is_disabled")));
}

static void a_disabled_task_sequence_is_said_to_be(void **state)
{
    struct site *site = *state;
    OWN(session_json_freep) json_t *off = NULL;
    OWN(session_json_freep) json_t *on = NULL;

    assert_int_equal(run(site, "ts|simulate|SLP00008|--output|json", &off), ARGS_EXIT_OK);
    assert_true(json_is_true(output_at(off, "is_disabled")));
    assert_string_equal(output_text(off, "disabled"), "no deployment begins it");
    assert_int_equal(run(site, "ts|simulate|SLP00009|--output|json", &on), ARGS_EXIT_OK);
    assert_true(json_is_false(output_at(on, "is_disabled")));
    assert_string_equal(output_text(on, "disabled"), "");
}

struct zipped {
    const char *xml;
    bool is_disabled;
};

/* A .zip as an export has them: SLP00007, which runs the others, SLP00008 and so on. */
static void put_zip(const char *path, const struct zipped *sequences, size_t n)
{
    static const char *const ids[] = {"SLP00007", "SLP00008", "SLP00009"};
    struct ts_document *documents[3] = {NULL};
    struct ts_export items[3];
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf zip = BUF_INIT(OUTPUT_FILE_MAX);

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ts_document_parse(bytes_of(sequences[i].xml), &documents[i], &diags), 0);
        items[i] = (struct ts_export){.id = ids[i],
                                      .name = ids[i],
                                      .description = "",
                                      .boot_image_id = "",
                                      .is_disabled = sequences[i].is_disabled,
                                      .doc = documents[i]};
    }
    assert_int_equal(ts_container_put(items, n, &zip), 0);
    assert_int_equal(file_write(path, buf_bytes(&zip), 0600), 0);
    for (size_t i = 0; i < n; i++)
        ts_document_free(documents[i]);
}

static void an_export_says_what_is_disabled(void **state)
{
    struct site *site = *state;
    OWN(freep) char *path = NULL;
    OWN(freep) char *words = NULL;

    assert_true(asprintf(&path, "%s/p.zip", site->fixture.folder) > 0);
    assert_true(asprintf(&words, "ts|simulate|%s|--output|json", path) > 0);
    for (int i = 0; i < 4; i++) {
        OWN(session_json_freep) json_t *result = NULL;
        bool parent = (i & 1) != 0;
        bool child = (i & 2) != 0;

        put_zip(path, (const struct zipped[]){{parent_xml, parent}, {child_xml, child}}, 2);
        assert_int_equal(run(site, words, &result), child ? ARGS_EXIT_FAILURE : ARGS_EXIT_OK);
        assert_string_equal(output_text(result, "outcome"), child ? "failed" : "succeeded");
        assert_string_equal(text_of(result, 0, "error_id"), child ? "SLW-0416" : "");
        assert_int_equal(json_is_true(output_at(result, "is_disabled")), parent);
    }
}

#define GROUP(name, attributes, inside) "<group name=\"" name "\" " attributes ">" inside "</group>"
#define BAD(name)                       "<step type=\"SMS_TaskSequence_FooAction\" name=\"" name "\"><action/></step>"

/* An error is caught by B, another one in a nested sequence by nobody. */
static const char failing_xml[] = "<sequence version=\"3.10\">" GROUP(
    "A",
    "",
    GROUP("B",
          "continueOnError=\"true\"",
          GROUP("C", "", BAD("f") STEP("n", "")) GROUP("D", "", STEP("n2", "") STEP("n3", "")))
        STEP("n4", "")) RUN_CHILD("SLP00008") STEP("n5", "") RUN_CHILD("SLP00009")
    GROUP("E", "", STEP("n6", "")) "</sequence>";
static const char failing_child_xml[] =
    "<sequence version=\"3.10\">" BAD("g") STEP("n7", "") "</sequence>";

static void what_a_failure_leaves_out_is_listed_with_the_reason(void **state)
{
    struct site *site = *state;
    static const struct {
        const char *decision;
        const char *path;
        unsigned n_left_out;
        const char *why;
    } wanted[] = {
        {"fail", "A/B/C/f", 0, NULL},
        {"skip", "A/B/C/n", 1, "left out: \"f\" failed, and \"B\" continues on error"},
        {"skip", "A/B/D", 2, "left out: \"f\" failed, and \"B\" continues on error"},
        {"run", "A/n4", 0, NULL},
        {"fail", "nested/g", 0, NULL},
        {"skip", "nested/n7", 1, "not reached: \"g\" failed"},
        {"skip", "n5", 1, "not reached: \"g\" failed"},
        {"skip", "nested", 1, "not reached: \"g\" failed"},
        {"skip", "E", 1, "not reached: \"g\" failed"},
    };
    OWN(session_json_freep) json_t *result = NULL;
    OWN(freep) char *path = NULL;
    OWN(freep) char *words = NULL;

    assert_true(asprintf(&path, "%s/failing.zip", site->fixture.folder) > 0);
    assert_true(asprintf(&words, "ts|simulate|%s|--output|json", path) > 0);
    put_zip(path,
            (const struct zipped[]){
                {failing_xml, false}, {failing_child_xml, false}, {child_xml, false}},
            3);
    assert_int_equal(run(site, words, &result), ARGS_EXIT_FAILURE);
    assert_int_equal(json_array_size(output_at(result, "steps")), 9);
    assert_int_equal(output_u64(result, "n_run"), 1);
    assert_int_equal(output_u64(result, "n_left_out"), 7);
    for (size_t i = 0; i < 9; i++) {
        assert_string_equal(text_of(result, i, "decision"), wanted[i].decision);
        assert_string_equal(text_of(result, i, "path"), wanted[i].path);
        assert_int_equal(output_u64(json_array_get(output_at(result, "steps"), i), "n_left_out"),
                         wanted[i].n_left_out);
        if (wanted[i].why)
            assert_string_equal(text_of(result, i, "why"), wanted[i].why);
    }
}

#define INSTANCE(id, name, step) \
    "<INSTANCE><PROPERTY NAME=\"Name\"><VALUE>" name \
    "</VALUE></PROPERTY><PROPERTY NAME=\"PackageID\"><VALUE>" id \
    "</VALUE></PROPERTY><PROPERTY NAME=\"Sequence\"><VALUE><sequence version=\"3.10\">" step \
    "</sequence></VALUE></PROPERTY></INSTANCE>"

static void of_several_in_a_file_one_is_said(void **state)
{
    struct site *site = *state;
    static const char file[] = "<X>" INSTANCE("CHQ00001", "Inner", STEP("inner", ""))
        INSTANCE("CHQ00002", "Client", STEP("client", "") RUN_CHILD("CHQ00001"))
            INSTANCE("CHQ00003", "Server", STEP("server", "")) "</X>";
    static const struct {
        const char *options;
        enum args_exit code;
        const char *path;
    } cases[] = {
        {"", ARGS_EXIT_FAILURE, NULL},
        {"|--sequence|Client", ARGS_EXIT_OK, "client"},
        {"|--sequence|CHQ00003", ARGS_EXIT_OK, "server"},
        {"|--sequence|CHQ00009", ARGS_EXIT_FAILURE, NULL},
    };
    OWN(freep) char *path = NULL;

    assert_true(asprintf(&path, "%s/several.xml", site->fixture.folder) > 0);
    assert_int_equal(file_write(path, bytes_of(file), 0600), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(freep) char *words = NULL;
        OWN(session_json_freep) json_t *result = NULL;

        assert_true(asprintf(&words, "ts|simulate|%s%s|--output|json", path, cases[i].options) > 0);
        assert_int_equal(run(site, words, &result), cases[i].code);
        if (cases[i].path)
            assert_string_equal(text_of(result, 0, "path"), cases[i].path);
    }
}

/* What is written begins with @wanted. */
static void check_written(struct site *site, const char *words, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_FILE_MAX);
    OWN(session_json_freep) json_t *none = NULL;

    (void)run(site, words, &none);
    assert_int_equal(file_read(site->fixture.output, &text), 0);
    if (strncmp(buf_str(&text), wanted, strlen(wanted)) != 0)
        fail_msg("%s", buf_str(&text));
}

static void a_spreadsheet_gets_the_steps_and_the_changes(void **state)
{
    struct site *site = *state;
    OWN(freep) char *old_path = NULL;
    OWN(freep) char *new_path = NULL;
    OWN(freep) char *simulate = NULL;
    OWN(freep) char *diff = NULL;

    assert_true(asprintf(&old_path, "%s/old.xml", site->fixture.folder) > 0);
    assert_true(asprintf(&new_path, "%s/new.xml", site->fixture.folder) > 0);
    assert_int_equal(file_write(old_path, bytes_of(main_xml), 0600), 0);
    assert_int_equal(file_write(new_path, bytes_of(child_xml), 0600), 0);
    assert_true(asprintf(&simulate, "ts|simulate|%s|--output|csv", new_path) > 0);
    check_written(site,
                  simulate,
                  "path,index,decision,n_left_out,environment,why,warnings\r\n"
                  "\"inner\",0,\"run\",");
    simulate[strlen(simulate) - strlen("csv")] = '\0';
    assert_true(asprintf(&diff, "%sname", simulate) > 0);
    check_written(site, diff, "inner\n");
    free(diff);
    assert_true(asprintf(&diff, "ts|diff|%s|%s|--output|csv", old_path, new_path) > 0);
    check_written(site,
                  diff,
                  "path,change,item,property,from,to,text\r\n"
                  "\"dell\",\"removed\",\"step\",");
    free(diff);
    assert_true(asprintf(&diff, "ts|diff|%s|%s|--output|name", old_path, new_path) > 0);
    check_written(site, diff, "dell\n");
}

static void what_is_not_there_is_said(void **state)
{
    struct site *site = *state;
    json_t *result = NULL;

    assert_int_equal(run(site, "ts|simulate|SLP00004|--output|json", &result), ARGS_EXIT_NOT_FOUND);
    assert_int_equal(run(site, "ts|simulate|nofile.xml|--output|json", &result), ARGS_EXIT_FAILURE);
    assert_int_equal(run(site, "ts|simulate|./nofile|--output|json", &result), ARGS_EXIT_FAILURE);
    assert_int_equal(run(site, "ts|simulate|SLP00003|--device|pc-2", &result), ARGS_EXIT_NOT_FOUND);
    assert_int_equal(run(site, "ts|simulate|SLP00003|--var|x", &result), ARGS_EXIT_USAGE);
    assert_int_equal(run(site, "ts|simulate|SLP00003|--sequence|x", &result), ARGS_EXIT_USAGE);
    assert_int_equal(run(site, "ts|simulate|SLP00003|--facts|a|--device|b", &result),
                     ARGS_EXIT_USAGE);
    assert_null(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_device_is_simulated_from_what_the_site_knows, start, stop),
        cmocka_unit_test_setup_teardown(a_device_has_the_variables_of_its_collections, start, stop),
        cmocka_unit_test_setup_teardown(
            what_is_asked_on_the_screen_may_decide_otherwise, start, stop),
        cmocka_unit_test_setup_teardown(
            what_the_site_says_of_a_device_is_a_file_of_facts, start, stop),
        cmocka_unit_test_setup_teardown(
            a_file_needs_no_site_and_its_missing_child_fails, start, stop),
        cmocka_unit_test_setup_teardown(
            a_disabled_child_of_the_site_fails_as_it_would_in_a_run, start, stop),
        cmocka_unit_test_setup_teardown(a_disabled_task_sequence_is_said_to_be, start, stop),
        cmocka_unit_test_setup_teardown(an_export_says_what_is_disabled, start, stop),
        cmocka_unit_test_setup_teardown(
            what_a_failure_leaves_out_is_listed_with_the_reason, start, stop),
        cmocka_unit_test_setup_teardown(of_several_in_a_file_one_is_said, start, stop),
        cmocka_unit_test_setup_teardown(a_spreadsheet_gets_the_steps_and_the_changes, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
