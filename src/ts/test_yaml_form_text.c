/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_text.h"

#include "ts/test_ts.h"

static void is_written(const char *text, const char *wanted)
{
    OWN(buf_fini) struct buf out = BUF_INIT(4096);

    yaml_text_item(&out, "k", text, 2);
    assert_string_equal(buf_str(&out), wanted);
}

static void the_first_form_that_is_read_back_the_same_is_taken(void **state)
{
    (void)state;
    is_written("plain text", "  - k: plain text\n");
    is_written("true", "  - k: \"true\"\n");
    is_written("", "  - k: \"\"\n");
    is_written("a: b", "  - k: \"a: b\"\n");
    is_written("C:\\x 'y'", "  - k: 'C:\\x ''y'''\n");
    is_written("\x01", "  - k: \"\\x01\"\n");
    is_written("\n  ", "  - k: \"\\n  \"\n");
}

static void a_text_of_lines_shows_lines(void **state)
{
    (void)state;
    is_written("a\nb", "  - k: |-\n      a\n      b\n");
    is_written("a\n\nb\n", "  - k: |\n      a\n\n      b\n");
    is_written("a\n\n", "  - k: |+\n      a\n\n");
    is_written(" a\nb", "  - k: |2-\n       a\n      b\n");
    is_written("a\r\n b\r\n", "  - k: \"a\\r\\n\\\n      \\ b\\r\\n\"\n");
}

static void elements_in_one_long_line_are_shown_as_a_tree(void **state)
{
    (void)state;
    char fill[256] = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(1024);
    OWN(buf_fini) struct buf wanted = BUF_INIT(1024);

    memset(fill, 'x', sizeof(fill) - 1);
    buf_addf(&text, "<R><a n=\"1\"><b/><c>%s</c></a></R>\n", fill);
    buf_addf(
        &wanted,
        "  - k: \"<R>\\\n        <a n=\\\"1\\\">\\\n          <b/>\\\n          <c>%s</c>\\\n        </a>\\\n"
        "      </R>\\n\"\n",
        fill);
    is_written(buf_str(&text), buf_str(&wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_form_that_is_read_back_the_same_is_taken),
        cmocka_unit_test(a_text_of_lines_shows_lines),
        cmocka_unit_test(elements_in_one_long_line_are_shown_as_a_tree),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_text", tests, NULL, NULL);
}
