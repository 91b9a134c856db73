/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_decision.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/registration.h"
#include "site/task_sequence.h"

static void assert_decision(
    struct site *site, const char *mac, unsigned arch, const char *answer, const char *reason)
{
    struct boot_decision decision = fixture_ask(site, mac, arch);

    assert_string_equal(decision.reason, reason);
    assert_int_equal(decision.is_offer, strcmp(answer, "offer") == 0);
    assert_true(decision.text[0] != '\0');
    assert_string_equal(decision.package_id, decision.is_offer ? FIXTURE_BOOT_IMAGE : "");
}

static void nothing_deployed_is_silence(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_decision(site, FIXTURE_MAC, 7, "silence", "no-deployment");
    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "no-deployment");
}

static void an_unknown_computer_is_offered_what_is_deployed_to_unknown_ones(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", id);
    assert_decision(site, FIXTURE_MAC, 7, "offer", "unknown-computer-deployment");
    site->settings.is_unknown_computers_on = false;
    assert_decision(site, FIXTURE_MAC, 7, "silence", "unknown-computers-off");
}

static void a_known_device_is_not_an_unknown_computer(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Unknown Computers", "required", id);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "no-deployment");
}

static void a_member_of_the_collection_is_offered_the_deployment(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *create = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *add = fixture_json("{'device': 'PC-1'}");
    OWN(json_freep) json_t *collection = NULL;
    OWN(json_freep) json_t *member = NULL;
    char id[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(collection_create(site, "test", create, &collection), 0);
    fixture_deploy(site, "Lab", "required", id);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "no-deployment");
    assert_int_equal(collection_add_member(site, "test", "Lab", add, &member), 0);
    assert_decision(site, FIXTURE_MAC, 7, "offer", "required-deployment");
}

static void each_architecture_has_its_answer(void **state)
{
    (void)state;
    static const struct {
        unsigned arch;
        const char *answer;
        const char *reason;
    } cases[] = {
        {0, "offer", "required-deployment"},   /* BIOS */
        {6, "silence", "no-boot-image"},       /* IA32 UEFI */
        {7, "offer", "required-deployment"},   /* x64 UEFI */
        {9, "offer", "required-deployment"},   /* EBC, said by x64 */
        {11, "silence", "no-boot-image"},      /* arm64 */
        {10, "silence", "arch-not-supported"}, /* ARM of 32 bits */
        {16, "silence", "arch-not-supported"}, /* HTTP, said over PXE */
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", id);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_decision(site, FIXTURE_MAC, cases[i].arch, cases[i].answer, cases[i].reason);
}

static void firmware_of_32_bits_gets_the_boot_image_for_x86(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct boot_decision decision;
    char id[SITE_ID_MAX];
    char x86[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", id);
    fixture_add_x86_image(site, x86);
    decision = fixture_ask(site, FIXTURE_MAC, 6);
    assert_true(decision.is_offer);
    assert_string_equal(decision.package_id, x86);
    assert_string_equal(decision.arch, "x86");
    decision = fixture_ask(site, FIXTURE_MAC, 7);
    assert_string_equal(decision.package_id, FIXTURE_BOOT_IMAGE);
    assert_string_equal(decision.arch, "x64");
    assert_string_equal(decision.x86_package_id, "");
}

/* Another task sequence, with this boot image, to All Systems. */
static void set_priority(struct site *site, const char *id, const char *priority)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "priority", priority);
    OWN(json_freep) json_t *changed = NULL;

    assert_int_equal(content_set(site, "test", id, body, &changed), 0);
}

static void the_best_boot_image_is_not_the_one_with_the_last_id(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char first[SITE_ID_MAX];
    char second[SITE_ID_MAX];
    char id[SITE_ID_MAX];
    char third[SITE_ID_MAX];

    fixture_add_x86_image(site, first);
    site->now_us += FIXTURE_MINUTE_US;
    fixture_add_x86_image(site, second);
    fixture_deploy(site, "All Unknown Computers", "required", id);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 6).package_id, second);
    set_priority(site, first, "high");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 6).package_id, first);
    set_priority(site, second, "high");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 6).package_id, second);
    site->now_us -= 2 * FIXTURE_MINUTE_US; /* its id is the last, and it is the oldest */
    fixture_add_x86_image(site, third);
    site->now_us += 2 * FIXTURE_MINUTE_US;
    set_priority(site, third, "high");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 6).package_id, second);
}

static void deploy_with(struct site *site, const char *boot_image)
{
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep) json_t *deployment = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s}",
                             "name",
                             "Other",
                             "boot_image_id",
                             boot_image,
                             "xml",
                             "<sequence version=\"3.10\"></sequence>");
    OWN(json_freep) json_t *deploy = NULL;

    assert_int_equal(task_sequence_create(site, "test", body, &sequence), 0);
    deploy = json_pack("{s:O,s:s,s:s}",
                       "task_sequence_id",
                       json_object_get(sequence, "id"),
                       "collection",
                       "All Systems",
                       "purpose",
                       "required");
    assert_int_equal(deployment_create(site, "test", deploy, &deployment), 0);
}

static void a_bios_may_start_either_boot_image(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct boot_decision decision;
    char id[SITE_ID_MAX];
    char x86[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", id);
    decision = fixture_ask(site, FIXTURE_MAC, 0);
    assert_string_equal(decision.package_id, FIXTURE_BOOT_IMAGE);
    assert_string_equal(decision.x86_package_id, "");
    fixture_add_x86_image(site, x86);
    decision = fixture_ask(site, FIXTURE_MAC, 0);
    assert_string_equal(decision.package_id, FIXTURE_BOOT_IMAGE);
    assert_string_equal(decision.x86_package_id, x86);
    /* a task sequence with the one for x86 means it */
    deploy_with(site, x86);
    decision = fixture_ask(site, FIXTURE_MAC, 0);
    assert_string_equal(decision.package_id, x86);
    assert_string_equal(decision.arch, "x86");
    assert_string_equal(decision.x86_package_id, "");
    decision = fixture_ask(site, FIXTURE_MAC, 7);
    assert_string_equal(decision.package_id, FIXTURE_BOOT_IMAGE);
}

static void the_life_of_an_order_decides(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", id);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_decision(site, FIXTURE_MAC, 7, "offer", "order-in-progress");
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "step-progress", "boot-image"), 0);
    assert_decision(site, FIXTURE_MAC, 7, "offer", "order-in-progress"); /* a power cut */
    assert_int_equal(fixture_report(site, device, order, 2, "restarting", "boot-image"), 0);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "waits-for-installed-os");
    assert_int_equal(fixture_report(site, device, order, 3, "step-started", "full-os"), 0);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "waits-for-installed-os");
    assert_int_equal(fixture_report(site, device, order, 4, "succeeded", "full-os"), 0);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "succeeded-already");
}

static void a_failed_deployment_is_offered_again_only_if_a_person_chooses_it(void **state)
{
    (void)state;
    static const struct {
        const char *purpose;
        const char *answer;
        const char *reason;
    } cases[] = {
        {"required", "silence", "failed-already"},
        {"available", "offer", "available-deployment"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(fixture_freep) struct site *site = fixture_new();
        char id[SITE_ID_MAX];
        char device[ACCESS_DEVICE_ID_MAX];
        char order[UUID_TEXT_MAX];

        fixture_import(site, "PC-1", FIXTURE_MAC);
        fixture_deploy(site, "All Systems", cases[i].purpose, id);
        assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
        (void)fixture_order(site, device, order);
        assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
        assert_decision(site, FIXTURE_MAC, 7, cases[i].answer, cases[i].reason);
    }
}

static void a_cancelled_deployment_is_not_offered_again_after_a_failure(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *cancelled = NULL;
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "available", id);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    assert_decision(site, FIXTURE_MAC, 7, "offer", "available-deployment");
    assert_int_equal(deployment_cancel(site, "test", id, &cancelled), 0);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "failed-already");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(fixture_order(site, device, order), 0);
}

/* A device that has run the newest deployment must not be wiped by an older one. */
static void an_older_deployment_is_never_fallen_back_to(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char older[SITE_ID_MAX];
    char newer[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Systems", "required", older);
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_deploy(site, "All Unknown Computers", "required", newer);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "succeeded", "full-os"), 0);
    assert_decision(site, FIXTURE_MAC, 7, "silence", "succeeded-already");
}

static json_t *answer_of(struct site *site, const char *request)
{
    OWN(json_freep) json_t *body = fixture_json(request);
    json_t *answer = NULL;

    assert_int_equal(boot_decision_answer(site, DP_OWN_ID, body, &answer), 0);
    return answer;
}

#define ASK(client, arch, ipxe, stage) \
    "{'mac': '" FIXTURE_MAC "', 'uuid': null, 'arch': " arch ", 'client': '" client \
    "', 'ipxe': " ipxe ", 'server_address': '10.77.0.1', 'stage': '" stage "'}"

static void the_answer_names_the_boot_file_of_each_client(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *member;
        const char *value;
    } cases[] = {
        {ASK("pxe", "7", "false", "discover"), "file", "SLP00001/x64/shimx64.efi"},
        {ASK("pxe", "0", "false", "discover"), "file", "SLP00001/x64/undionly.kpxe"},
        {ASK("pxe", "0", "true", "request"), "file", "ipxe/" FIXTURE_MAC ".ipxe"},
        {ASK("http", "16", "false", "discover"),
         "url",
         "http://10.77.0.1/boot/SLP00001/x64/ramdisk.img"},
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", id);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(json_freep) json_t *answer = answer_of(site, cases[i].request);

        assert_string_equal(field_text(answer, cases[i].member, ""), cases[i].value);
        assert_true(json_is_null(json_object_get(answer, "config")));
    }
}

/* A distribution point DP00002 at port 8080, which has the boot image or not. */
static void put_dp(struct site *site, bool has_boot_image)
{
    assert_int_equal(db_must(site->db,
                             SQL_DP_ADD,
                             DB_ARGS(db_text("DP00002"),
                                     db_text("Branch"),
                                     db_text("http://10.78.0.1:8080"),
                                     db_text("hash"),
                                     db_text("1"),
                                     db_u64(site->now_us))),
                     0);
    if (has_boot_image)
        assert_int_equal(
            db_must(
                site->db,
                SQL_DISTRIBUTION_VERSION_ADD,
                DB_ARGS(db_text("DP00002"), db_text("SLP00001"), db_u64(1), db_u64(site->now_us))),
            0);
}

#define ASK_DP(stage) \
    "{'mac': '" FIXTURE_MAC "', 'uuid': null, 'arch': 7, 'client': 'pxe', 'ipxe': false, " \
    "'server_address': '10.78.0.1', 'stage': '" stage "'}"

static void a_remote_distribution_point_gives_its_own_boot_files_and_the_sites_address(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json(ASK_DP("config"));
    OWN(json_freep) json_t *answer = NULL;
    char id[SITE_ID_MAX];
    const char *config;

    fixture_deploy(site, "All Unknown Computers", "required", id);
    put_dp(site, true);
    assert_int_equal(boot_decision_answer(site, "DP00002", body, &answer), 0);
    config = field_text(answer, "config", "");
    assert_non_null(strstr(config, "(http,10.78.0.1:8080)/boot/SLP00001/x64"));
    assert_null(strstr(config, "https://10.78.0.1"));
    assert_non_null(strstr(config, "slipway.site=https://"));
}

static void a_distribution_point_without_the_boot_image_is_silent(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json(ASK_DP("discover"));
    OWN(json_freep) json_t *answer = NULL;
    char id[SITE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", id);
    put_dp(site, false);
    assert_int_equal(boot_decision_answer(site, "DP00002", body, &answer), 0);
    assert_string_equal(field_text(answer, "answer", ""), "silence");
    assert_string_equal(field_text(answer, "reason", ""), "boot-image-not-on-dp");
}

static void an_http_boot_offer_is_good_for_one_registration_without_ticket(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *body =
        fixture_json("{'ticket': null, 'environment': 'boot-image', 'macs': ['" FIXTURE_MAC "'],"
                     "'boot_mac': '" FIXTURE_MAC "', 'smbios': {'uuid': ''}}");
    OWN(json_freep) json_t *offer = NULL;
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *second = NULL;
    char id[SITE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", id);
    assert_int_equal(fixture_enlist(site, body, NULL, &first), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TICKET);
    offer = answer_of(site, ASK("http", "16", "false", "discover"));
    assert_non_null(offer);
    assert_int_equal(fixture_enlist(site, body, NULL, &first), 0);
    assert_int_equal(fixture_enlist(site, body, NULL, &second), SITE_E_REFUSED);
}

static void an_available_deployment_needs_a_menu(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *http = NULL;
    OWN(json_freep) json_t *menu = NULL;
    char id[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "available", id);
    http = answer_of(site, ASK("http", "16", "false", "discover"));
    assert_string_equal(field_text(http, "reason", ""), "available-needs-menu");
    menu = answer_of(site, ASK("pxe", "7", "false", "config"));
    assert_non_null(strstr(field_text(menu, "config", ""), "set timeout=30"));
    assert_non_null(strstr(field_text(menu, "config", ""), "Start from the local disk"));
}

static void explain_changes_nothing_and_shows_what_happened(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *offer = NULL;
    OWN(json_freep)
    json_t *event =
        fixture_json("{'mac': '52-54-00-77-00-01', 'event': 'tftp', 'detail': 'vmlinuz'}");
    char id[SITE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", id);
    offer = answer_of(site, ASK("pxe", "7", "false", "discover"));
    assert_non_null(offer);
    assert_int_equal(boot_event_report(site, event), 0);
    for (size_t i = 0; i < 2; i++) {
        OWN(json_freep) json_t *explanation = NULL;
        const json_t *history;

        assert_int_equal(boot_explain(site, FIXTURE_MAC, false, &explanation), 0);
        history = json_object_get(explanation, "history");
        assert_int_equal(json_array_size(history), 2);
        assert_string_equal(field_text(json_array_get(history, 0), "event", ""), "tftp");
        assert_string_equal(field_text(json_array_get(history, 1), "event", ""), "offer");
        assert_string_equal(field_text(json_object_get(explanation, "decision"), "reason", ""),
                            "unknown-computer-deployment");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_deployed_is_silence),
        cmocka_unit_test(an_unknown_computer_is_offered_what_is_deployed_to_unknown_ones),
        cmocka_unit_test(a_known_device_is_not_an_unknown_computer),
        cmocka_unit_test(a_member_of_the_collection_is_offered_the_deployment),
        cmocka_unit_test(each_architecture_has_its_answer),
        cmocka_unit_test(firmware_of_32_bits_gets_the_boot_image_for_x86),
        cmocka_unit_test(the_best_boot_image_is_not_the_one_with_the_last_id),
        cmocka_unit_test(a_bios_may_start_either_boot_image),
        cmocka_unit_test(the_life_of_an_order_decides),
        cmocka_unit_test(a_failed_deployment_is_offered_again_only_if_a_person_chooses_it),
        cmocka_unit_test(a_cancelled_deployment_is_not_offered_again_after_a_failure),
        cmocka_unit_test(an_older_deployment_is_never_fallen_back_to),
        cmocka_unit_test(the_answer_names_the_boot_file_of_each_client),
        cmocka_unit_test(
            a_remote_distribution_point_gives_its_own_boot_files_and_the_sites_address),
        cmocka_unit_test(a_distribution_point_without_the_boot_image_is_silent),
        cmocka_unit_test(an_http_boot_offer_is_good_for_one_registration_without_ticket),
        cmocka_unit_test(an_available_deployment_needs_a_menu),
        cmocka_unit_test(explain_changes_nothing_and_shows_what_happened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
