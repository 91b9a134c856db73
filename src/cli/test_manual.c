/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 64 * 1024,
};

static const struct args_command table[] = {
    {.noun = "boot-image",
     .verb = "add",
     .operands = {"FILE"},
     .summary = ".wim files can be added; so can C:\\boot.",
     .options = {{.name = "for-arch",
                  .value = "ARCH",
                  .choices = "x64|arm-64",
                  .help = "For what.",
                  .is_required = true},
                 {.name = "force", .help = "Replace it.", .may_repeat = true}}},
    {.noun = NULL},
};

static void a_page_has_every_command_of_the_noun_with_its_options(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    assert_int_equal(manual_put(&text, table, "boot-image"), 0);
    assert_non_null(strstr(buf_str(&text), ".TH SLIPWAY\\-BOOT\\-IMAGE 1"));
    assert_non_null(strstr(buf_str(&text),
                           "\\fBslipway boot\\-image add\\fR \\fIFILE\\fR \\fB\\-\\-for\\-arch\\fR "
                           "\\fIARCH\\fR [\\fB\\-\\-force\\fR]\n"));
    assert_non_null(
        strstr(buf_str(&text), "It must be given.\nOne of \\fBx64\\fR, \\fBarm\\-64\\fR.\n"));
    assert_non_null(strstr(buf_str(&text), "It may be given more than once.\n"));
}

static void what_roff_reads_as_its_own_is_escaped(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    assert_int_equal(manual_put(&text, table, "boot-image"), 0);
    assert_non_null(strstr(buf_str(&text), "\n\\&.wim files can be added; so can C:\\eboot.\n"));
}

static void a_noun_that_does_not_exist_has_no_page(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    assert_int_equal(manual_put(&text, table, "boot"), 1);
    assert_string_equal(buf_str(&text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_every_command_of_the_noun_with_its_options),
        cmocka_unit_test(what_roff_reads_as_its_own_is_escaped),
        cmocka_unit_test(a_noun_that_does_not_exist_has_no_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
