/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include "ts/test_ts.h"

/* The ids of what is found, with blanks between them. */
static void found(const char *xml, const struct ts_site_facts *site, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf ids = BUF_INIT(4096);

    assert_int_equal(ts_validate_at(doc, site, &diags), 0);
    for (size_t i = 0; i < diags.n; i++)
        buf_addf(&ids, "%s%s", i > 0 ? " " : "", diags.items[i].id);
    assert_string_equal(buf_str(&ids), wanted);
}

#define TYPED(type, more) "<step type=\"SMS_TaskSequence_" type "Action\" name=\"s\" " more "/>"

static void a_group_that_goes_on_after_an_error_may_leave_the_sequence_where_it_was(void **state)
{
    (void)state;
    static const char before[] =
        "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"f\"><condition>" VARIABLE_IS(
            "_SMSTSInWinPE", "equals", "true") "</condition></step>";
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);

    buf_addf(&xml,
             SEQUENCE("%s<group name=\"g\" continueOnError=\"%s\"><step "
                      "type=\"SMS_TaskSequence_RebootAction\" name=\"r\"/></group>" TYPED(
                          "PartitionDisk", "")),
             before,
             "true");
    found(buf_str(&xml), NULL, "");
}

static void an_empty_condition_is_true_everywhere(void **state)
{
    (void)state;
    found(
        SEQUENCE("<group name=\"g\"><condition/>" TYPED("PartitionDisk", "") "</group>"), NULL, "");
}

#define NEST(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"N\"><defaultVarList>" \
    "<variable name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList></subtasksequence>"
#define DEPLOYS \
    TYPED("PartitionDisk", "") \
    "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"a\"><defaultVarList>" \
    "<variable name=\"ImagePackageID\">SLP00002</variable></defaultVarList></step>" TYPED( \
        "SetupWindowsAndSMS", "")

/* SLP0000A deploys, and SLP0000B runs it; SLP0000C formats the disk. */
static struct ts_document *nested(void *ctx, const char *id)
{
    (void)ctx;
    if (strcmp(id, "SLP0000A") == 0)
        return parse_ok(SEQUENCE(DEPLOYS));
    if (strcmp(id, "SLP0000B") == 0)
        return parse_ok(SEQUENCE(NEST("SLP0000A")));
    return strcmp(id, "SLP0000C") == 0 ? parse_ok(SEQUENCE(TYPED("PartitionDisk", ""))) : NULL;
}

static void steps_of_nested_sequences_stand_where_they_are_run(void **state)
{
    (void)state;
    static const struct ts_site_facts site = {.sequence = nested};

    found(SEQUENCE(NEST("SLP0000B") TYPED("Reboot", "")), &site, "");
    found(SEQUENCE(TYPED("SetupWindowsAndSMS", "")), &site, "SLW-0184");
    found(SEQUENCE(NEST("SLP0000B") TYPED("SetupWindowsAndSMS", "")), &site, "");
    found(SEQUENCE(NEST("SLP0000B") TYPED("PartitionDisk", "runIn=\"WinPE\"")),
          &site,
          "SLW-0175 SLW-0184");
    found(SEQUENCE(NEST("SLP0000B") NEST("SLP0000C")), &site, "SLW-0175");
    /* Without a site nobody knows what they do. */
    found(SEQUENCE(NEST("SLP0000B") TYPED("SetupWindowsAndSMS", "")), NULL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_that_goes_on_after_an_error_may_leave_the_sequence_where_it_was),
        cmocka_unit_test(an_empty_condition_is_true_everywhere),
        cmocka_unit_test(steps_of_nested_sequences_stand_where_they_are_run),
    };

    return cmocka_run_group_tests_name("ts/validate_flow", tests, NULL, NULL);
}
