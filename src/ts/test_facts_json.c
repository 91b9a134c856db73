/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/facts_json.h"

#include "ts/facts.h"
#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);

static void file_fini(struct ts_facts_file *file)
{
    ts_table_free(file->table);
    ts_vars_free(file->vars);
}

static void facts_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\": 1, \"environment\": \"full-os\", \"files\": [{\"path\": \"/a\"}],"
        " \"classes\": {\"X\": [{\"A\": 1, \"B\": [true, null, \"x\"]}, {}], \"Y\": [],"
        "               \"root\\\\wmi:Z\": [{\"C\": -5}]}, \"variables\": {\"V\": \"1\"}}";
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    OWN(buf_fini) struct buf first = BUF_INIT(4096);
    OWN(buf_fini) struct buf second = BUF_INIT(4096);
    OWN(file_fini) struct ts_facts_file file = {0};
    OWN(file_fini) struct ts_facts_file again = {0};

    assert_int_equal(ts_facts_parse(bytes_of(text), &file, &why), 0);
    assert_int_equal(file.environment, TS_RUN_IN_FULL_OS);
    assert_string_equal(ts_vars_get(file.vars, "v"), "1");
    assert_non_null(ts_table_find(file.table, "root\\wmi", "z"));
    assert_int_equal(ts_facts_put(&file, &first), 0);
    assert_int_equal(ts_facts_parse(buf_bytes(&first), &again, &why), 0);

    assert_int_equal(ts_facts_put(&again, &second), 0);
    assert_string_equal(buf_str(&first), buf_str(&second));
}

static void what_is_no_facts_file_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"version\": 2}",
        "{\"version\": 1, \"environment\": \"moon\"}",
        "{\"version\": 1, \"classes\": []}",
        "{\"version\": 1, \"classes\": {\"X\": {}}}",
        "{\"version\": 1, \"classes\": {\"X\": [1]}}",
        "{\"version\": 1, \"classes\": {\"X\": [], \"x\": []}}",
        "{\"version\": 1, \"classes\": {\"slipway:files\": []}}",
        "{\"version\": 1, \"classes\": {\"X\": [{\"A\": {}}]}}",
        "{\"version\": 1, \"classes\": {\"X\": [{\"A\": [[]]}]}}",
        "{\"version\": 1, \"classes\": {\"X\": [{\"A\": 1, \"a\": 2}]}}",
        "{\"version\": 1, \"variables\": {\"a b\": \"\"}}",
        "{\"version\": 1, \"variables\": {\"a\": 1}}",
        "{\"version\": 1, \"files\": {}}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(512);
        struct ts_facts_file file;

        if (ts_facts_parse(bytes_of(texts[i]), &file, &why) != TS_FACTS_E_MALFORMED)
            fail_msg("%s", texts[i]);
        assert_true(why.len > 0);
    }
}

static void secret_variables_are_not_written(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(4096);

    assert_int_equal(ts_table_new(&table), 0);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "OSDLocalAdminPassword", "hunter22", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_facts_put(&(struct ts_facts_file){table, vars, 0}, &text), 0);
    assert_null(strstr(buf_str(&text), "hunter22"));
}

static void what_does_not_fit_is_left_out_by_whole_classes(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\": 1, \"classes\": {\"Small\": [{\"A\": 1}],"
        " \"Large\": [{\"A\": \"0123456789012345678901234567890123456789\"}], \"None\": []}}";
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    OWN(file_fini) struct ts_facts_file file = {0};
    json_t *json = NULL;

    assert_int_equal(ts_facts_parse(bytes_of(text), &file, &why), 0);
    assert_int_equal(ts_facts_json(&file, &json), 0);
    assert_int_equal(ts_facts_bound(json, 4096), 0);
    assert_int_equal(ts_facts_bound(json, 80), 1);
    assert_null(json_object_get(json_object_get(json, "classes"), "Large"));
    assert_non_null(json_object_get(json_object_get(json, "classes"), "Small"));
    assert_non_null(json_object_get(json_object_get(json, "classes"), "None"));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_written_as_they_are_read),
        cmocka_unit_test(what_is_no_facts_file_is_refused_with_a_reason),
        cmocka_unit_test(secret_variables_are_not_written),
        cmocka_unit_test(what_does_not_fit_is_left_out_by_whole_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
