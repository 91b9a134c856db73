/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_ts.h"
#include "ts/validate_parts.h"

/* The ids of what is found, errors with '!', in any order of severity; those of the order of steps are left out. */
static void found(const char *xml, const struct ts_site_facts *site, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf ids = BUF_INIT(4096);

    assert_int_equal(ts_validate_at(doc, site, &diags), 0);
    for (size_t i = 0; i < diags.n; i++)
        if (strcmp(diags.items[i].id, "SLW-0184") != 0 &&
            strcmp(diags.items[i].id, "SLW-0175") != 0)
            buf_addf(&ids,
                     "%s%s%s",
                     ids.len > 0 ? " " : "",
                     diags.items[i].id,
                     diags.items[i].severity == TS_ERROR ? "!" : "");
    assert_string_equal(buf_str(&ids), wanted);
}

#define VALUE(name, value) "<variable name=\"" name "\">" value "</variable>"
#define STEP_OF(type, values) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"s\"><defaultVarList>" values \
    "</defaultVarList></step>"
#define NETWORK(values)  SEQUENCE(STEP_OF("ApplyNetworkSettings", values))
#define SETTINGS(values) SEQUENCE(STEP_OF("ApplyWindowsSettings", values))

static void a_domain_needs_a_name_an_account_and_a_password(void **state)
{
    (void)state;
    found(NETWORK(VALUE("OSDNetworkJoinType", "0") VALUE("OSDDomainName", "lab.example.org")
                      VALUE("OSDJoinAccount", "joiner") VALUE("OSDJoinPassword", "secret")),
          NULL,
          "");
    found(NETWORK(VALUE("OSDNetworkJoinType", "0") VALUE("OSDDomainName", "lab.example.org")
                      VALUE("OSDJoinAccount", "joiner")),
          NULL,
          "SLW-0183");
    found(NETWORK(VALUE("OSDDomainName", "lab.example.org")), NULL, "SLW-0435");
    found(NETWORK(VALUE("OSDNetworkJoinType", "0") VALUE("OSDDomainName", "lab example")),
          NULL,
          "SLW-0435! SLW-0435");
    found(NETWORK(VALUE("OSDNetworkJoinType", "0") VALUE("OSDDomainName", "%Domain%")
                      VALUE("OSDJoinAccount", "%A%") VALUE("OSDJoinPassword", "%P%")),
          NULL,
          "");
    found(NETWORK(VALUE("OSDNetworkJoinType", "1") VALUE("OSDDomainName", "lab.example.org")),
          NULL,
          "");
    found(NETWORK(VALUE("OSDNetworkJoinType", "1") VALUE("OSDWorkgroupName", "a b")),
          NULL,
          "SLW-0433!");
}

static void a_membership_that_is_captured_may_need_an_account(void **state)
{
    (void)state;
    static const char capture[] = STEP_OF("CaptureNetworkSettings", "");
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);

    buf_addf(&xml, SEQUENCE("%s%s"), capture, STEP_OF("ApplyNetworkSettings", ""));
    found(buf_str(&xml), NULL, "SLW-0435");
    buf_clear(&xml);
    buf_addf(&xml,
             SEQUENCE("%s%s"),
             capture,
             STEP_OF("ApplyNetworkSettings",
                     VALUE("OSDJoinAccount", "a") VALUE("OSDJoinPassword", "b")));
    found(buf_str(&xml), NULL, "");
    buf_clear(&xml);
    buf_addf(&xml,
             SEQUENCE("%s%s"),
             STEP_OF("CaptureNetworkSettings", VALUE("OSDMigrateNetworkMembership", "false")),
             STEP_OF("ApplyNetworkSettings", ""));
    found(buf_str(&xml), NULL, "");
}

static void addresses_are_held_against_their_form(void **state)
{
    (void)state;
    found(NETWORK(VALUE("OSDAdapterCount", "1") VALUE("OSDAdapter0EnableDHCP", "false")
                      VALUE("OSDAdapter0IPAddressList", "192.0.2.5")
                          VALUE("OSDAdapter0SubnetMask", "255.0.255.0")),
          NULL,
          "SLW-0433!");
    found(NETWORK(VALUE("OSDAdapterCount", "1") VALUE("OSDAdapter0EnableDHCP", "false")),
          NULL,
          "SLW-0433");
    found(NETWORK(VALUE("OSDAdapterCount", "1") VALUE("OSDAdapter0EnableDHCP", "false")
                      VALUE("OSDAdapter0IPAddressList", "%Address%")),
          NULL,
          "");
    found(NETWORK(VALUE("OSDAdapterCount", "17")), NULL, "SLW-0433!");
}

static void what_has_no_effect_on_linux_is_named(void **state)
{
    (void)state;
    found(NETWORK(VALUE("OSDAdapterCount", "1") VALUE("OSDAdapter0EnableDHCP", "true") VALUE(
              "OSDAdapter0EnableWINS", "true") VALUE("OSDAdapter0WINSServerList", "192.0.2.9")),
          NULL,
          "SLW-0485");
    found(
        NETWORK(VALUE("OSDAdapter0EnableWINS", "false") VALUE("OSDEnableTCPIPFiltering", "false")),
        NULL,
        "");
    found(SETTINGS(VALUE("OSDServerLicenseMode", "PerSeat")), NULL, "SLW-0485");
    found(SEQUENCE(STEP_OF("ApplyOperatingSystem",
                           VALUE("ImagePackageID", "SLP00002")
                               VALUE("OSDConfigFileName", "Unattend.XML"))),
          NULL,
          "SLW-0485");
    found(SEQUENCE(STEP_OF("ApplyOperatingSystem",
                           VALUE("ImagePackageID", "SLP00002")
                               VALUE("OSDConfigFileName", "user-data"))),
          NULL,
          "");
}

static unsigned windows(void *ctx, const char *id)
{
    (void)ctx, (void)id;
    return TS_PLATFORM_WINDOWS;
}

static void an_image_of_windows_is_not_measured_by_linux(void **state)
{
    (void)state;
    static const struct ts_site_facts site = {.platform_of = windows};

    found(SEQUENCE(STEP_OF("ApplyOperatingSystem", VALUE("ImagePackageID", "SLP00002"))
                       STEP_OF("ApplyWindowsSettings", VALUE("OSDServerLicenseMode", "PerSeat"))),
          &site,
          "");
}

static void zones_languages_and_keyboards_must_be_known(void **state)
{
    (void)state;
    found(SETTINGS(VALUE("OSDTimeZone", "Nepal Standard Time")), NULL, "");
    found(SETTINGS(VALUE("OSDTimeZone", "Nepal Time")), NULL, "SLW-0438!");
    found(SETTINGS(VALUE("OSDTimeZone", "Europe/Berln")), NULL, "SLW-0438");
    found(SETTINGS(VALUE("OSDWindowsSettingsUILanguage", "zh-Hans-CN")), NULL, "");
    found(SETTINGS(VALUE("OSDWindowsSettingsUILanguage", "german")), NULL, "SLW-0439!");
    found(SETTINGS(VALUE("OSDWindowsSettingsUserLocale", "%Locale%")), NULL, "");
    found(SETTINGS(VALUE("OSDWindowsSettingsInputLocale", "0407:00000407")), NULL, "");
    found(SETTINGS(VALUE("OSDWindowsSettingsInputLocale", "qwertz")), NULL, "SLW-0439!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_needs_a_name_an_account_and_a_password),
        cmocka_unit_test(a_membership_that_is_captured_may_need_an_account),
        cmocka_unit_test(addresses_are_held_against_their_form),
        cmocka_unit_test(what_has_no_effect_on_linux_is_named),
        cmocka_unit_test(an_image_of_windows_is_not_measured_by_linux),
        cmocka_unit_test(zones_languages_and_keyboards_must_be_known),
    };

    return cmocka_run_group_tests_name("ts/validate_settings", tests, NULL, NULL);
}
