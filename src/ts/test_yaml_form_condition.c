/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_reader.h"

#include "ts/test_ts.h"
#include "ts/yaml_form.h"

static void becomes(const char *rest, const char *wanted)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);

    buf_addf(&yaml, "sequence: '3.10'\n%s", rest);
    assert_int_equal(ts_yaml_parse(buf_bytes(&yaml), &doc, &diags), 0);
    assert_int_equal(ts_document_canonical(doc, &xml), 0);
    if (!strstr(buf_str(&xml), wanted))
        fail_msg("%s", buf_str(&xml));
}

static void a_person_may_write_the_fields_in_any_order(void **state)
{
    (void)state;
    becomes("steps: [{step: a, condition: [{file: x, versionOperator: less, version: 1}]}]",
            "<variable name=\"Path\">x</variable><variable name=\"Version\">1</variable><variable "
            "name=\"VersionOperator\">less</variable>");
    becomes(
        "steps: [{step: a, condition: [{variable: x, value: 1, operator: equals}]}]",
        "<variable name=\"Operator\">equals</variable><variable name=\"Value\">1</variable><variable "
        "name=\"Variable\">x</variable>");
    becomes("steps: [{step: a, condition: [{operator: xor, operands: [{comment: c}]}]}]",
            "<operator type=\"xor\"><!-- c --></operator>");
}

static void the_order_of_fields_is_obeyed(void **state)
{
    (void)state;
    becomes(
        "order of fields: {wmi: Query Namespace}\nsteps: [{step: a, condition: [{wmi: q, namespace: n}]}]",
        "<variable name=\"Query\">q</variable><variable name=\"Namespace\">n</variable>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_may_write_the_fields_in_any_order),
        cmocka_unit_test(the_order_of_fields_is_obeyed),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_condition", tests, NULL, NULL);
}
