/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form.h"

#include "ts/test_ts.h"

static void whole(const char *xml, bool is_whole)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    assert_int_equal(ts_yaml_put(doc, &yaml), 0);
    assert_int_equal(strncmp(buf_str(&yaml), "xml:", 4) == 0, is_whole);
}

static void only_what_would_not_come_back_is_written_as_one_text(void **state)
{
    (void)state;
    whole(SEQUENCE(STEP("a", "")), false);
    whole(SEQUENCE("\n<step name=\"a\"/>\n"), false);
    whole(SEQUENCE("<!-- c -->" STEP("a", "")), false);
    whole(SEQUENCE("<group name=\"g\">" STEP("a", "") "<action/><condition></condition>" STEP(
              "b", "") "</group>"),
          false);
    whole(SEQUENCE("\n\n  " STEP("a", "") "   "), false);
    whole("<!-- before --><sequence version=\"3.10\"/>", false);
    whole("<sequence version=\"3.10\" xml:space=\"preserve\"/>", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_would_not_come_back_is_written_as_one_text),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_put", tests, NULL, NULL);
}
