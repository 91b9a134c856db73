/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_image.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/content_fixture.h"
#include "site/dp_group.h"
#include "site/fields.h"
#include "site/fixture_dp.h"
#include "site/job.h"

#define FAILED "{'state': 'failed', 'error_id': 'SLW-0501', 'message': 'No kernel.'}"

static int follow(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return boot_image_follow(site, body);
}

static int rebuild(struct site *site, const char *kernel, const char *agent)
{
    OWN(json_freep)
    json_t *body =
        json_pack("{s:{s:{s:s}},s:s}", "kernels", "x64", "generic", kernel, "agent_version", agent);

    return boot_image_follow(site, body);
}

static void boot_images_follow_the_kernel_and_the_agent(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char custom[SITE_ID_MAX];

    assert_int_equal(
        fixture_create(site, CONTENT_BOOT_IMAGE, "{'arch': 'x64', 'is_custom': true}", custom), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    fixture_assert_version(site, FIXTURE_BOOT_IMAGE, 2, "making");
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    fixture_assert_idle(site);
    assert_int_equal(rebuild(site, "6.2", "2"), 0);
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0501', 'message': 'none'}");
    assert_int_equal(rebuild(site, "6.2", "2"), 0);
    fixture_assert_idle(site);
    fixture_wait(site, BOOT_IMAGE_RETRY_US + 1);
    assert_int_equal(rebuild(site, "6.2", "2"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    fixture_assert_current(site, FIXTURE_BOOT_IMAGE, 4, SHA_A);
    assert_int_equal(boot_image_follow(site, NULL), 0);
}

static size_t n_versions(struct site *site, const char *id)
{
    OWN(json_freep) json_t *list = NULL;

    assert_int_equal(content_versions(site, id, &(struct page){.after = "", .limit = 10}, &list),
                     0);
    return json_array_size(json_object_get(list, "items"));
}

/* An administrator who goes back to an older one has a reason: only another kernel or agent is one to build anew. */
static void a_boot_image_that_was_gone_back_from_is_not_built_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(rebuild(site, "6.3", "1"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.3"));
    assert_int_equal(fixture_roll_back(site, FIXTURE_BOOT_IMAGE, 2), 0);
    fixture_wait(site, 2 * BOOT_IMAGE_REBUILD_US);
    assert_int_equal(rebuild(site, "6.3", "1"), 0);
    assert_int_equal(n_versions(site, FIXTURE_BOOT_IMAGE), 3);
    fixture_assert_current(site, FIXTURE_BOOT_IMAGE, 2, SHA_A);
    assert_int_equal(rebuild(site, "6.4", "1"), 0);
    fixture_assert_version(site, FIXTURE_BOOT_IMAGE, 4, "making");
}

/* The entry of GET /status for @arch. */
static void assert_default(struct site *site, const char *arch, const char *state, const char *text)
{
    OWN(json_freep) json_t *list = NULL;
    const json_t *found = NULL;

    assert_int_equal(boot_image_defaults(site, &list), 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(field_text(json_array_get(list, i), "arch", ""), arch) == 0)
            found = json_array_get(list, i);
    assert_string_equal(field_text(found, "state", ""), state);
    if (!strstr(field_text(found, "text", ""), text))
        fail_msg("\"%s\" says nothing of \"%s\"", field_text(found, "text", ""), text);
}

static void take_job(struct site *site, const char *arch, const char *flavour)
{
    OWN(json_freep) json_t *job = NULL;
    const json_t *args;

    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_string_equal(field_text(job, "kind", ""), "build-boot-image");
    args = json_object_get(job, "args");
    assert_string_equal(field_text(args, "arch", ""), arch);
    assert_string_equal(field_text(args, "flavour", ""), flavour);
}

static void the_default_boot_images_are_made_once_there_is_something_to_make_them_of(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_default(site, "x64", "unknown", "");
    assert_int_equal(follow(site, "{'kernels': {'x64': {}}, 'agent_version': '1'}"), 0);
    fixture_assert_idle(site);
    assert_default(site, "x64", "missing", "linux-image-amd64");
    assert_default(site, "x86", "missing", "make x86-root");
    assert_int_equal(follow(site, "{'kernels': {'x64': {'virtual': '6.1'}}, 'agent_version': '1'}"),
                     0);
    assert_default(site, "x64", "building", "");
    take_job(site, "x64", "virtual");
    assert_int_equal(follow(site,
                            "{'kernels': {'x64': {'virtual': '6.1'}, 'x86': {'generic': '6.0'}},"
                            "'agent_version': '1', 'x86_agent_version': '1'}"),
                     0);
    take_job(site, "x86", "generic");
    assert_int_equal(follow(site,
                            "{'kernels': {'x64': {'virtual': '6.1'}, 'x86': {'generic': '6.0'}},"
                            "'agent_version': '1', 'x86_agent_version': '1'}"),
                     0);
    fixture_assert_idle(site);
}

static void a_kernel_for_any_hardware_is_preferred(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_int_equal(follow(site,
                            "{'kernels': {'x64': {'virtual': '6.2', 'generic': '6.1'}},"
                            "'agent_version': '1'}"),
                     0);
    take_job(site, "x64", "generic");
    fixture_assert_idle(site);
}

static void a_default_for_virtual_machines_becomes_one_for_any_hardware(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    OWN(json_freep) json_t *package = NULL;

    assert_int_equal(follow(site, "{'kernels': {'x64': {'virtual': '6.1'}}, 'agent_version': '1'}"),
                     0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(content_get(site, CONTENT_BOOT_IMAGE, FIXTURE_BOOT_IMAGE, &package), 0);
    assert_string_equal(field_text(package, "name", ""), "Boot image (x64)");
    assert_int_equal(follow(site,
                            "{'kernels': {'x64': {'virtual': '6.1', 'generic': '6.1-a'}},"
                            "'agent_version': '1'}"),
                     0);
    take_job(site, "x64", "generic");
    fixture_assert_idle(site);
}

static void a_default_boot_image_that_failed_is_tried_again(void **state)
{
    (void)state;
    static const char claim[] = "{'kernels': {'x64': {'generic': '6.1'}}, 'agent_version': '1'}";
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_int_equal(follow(site, claim), 0);
    fixture_finish_job(site, FAILED);
    assert_default(site, "x64", "failed", "SLW-0501: No kernel.");
    assert_int_equal(follow(site, claim), 0);
    fixture_assert_idle(site);
    fixture_wait(site, BOOT_IMAGE_RETRY_US + 1);
    assert_int_equal(follow(site, claim), 0);
    fixture_finish_job(site, FAILED);
    /* another kernel is reason enough */
    assert_int_equal(follow(site, "{'kernels': {'x64': {'generic': '6.2'}}, 'agent_version': '1'}"),
                     0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_default(site, "x64", "ready", "");
}

static void a_default_boot_image_that_was_deleted_stays_away(void **state)
{
    (void)state;
    static const char claim[] = "{'kernels': {'x64': {'generic': '6.1'}}, 'agent_version': '1'}";
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_int_equal(follow(site, claim), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(content_delete(site, "test", FIXTURE_BOOT_IMAGE), 0);
    fixture_finish_job(site, "{'state': 'succeeded', 'result': {}}");
    fixture_wait(site, BOOT_IMAGE_REBUILD_US + 1);
    assert_int_equal(follow(site, claim), 0);
    fixture_assert_idle(site);
    assert_default(site, "x64", "deleted", "boot-image build --arch x64");
}

static void a_boot_image_that_an_administrator_has_made_is_default_enough(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(rebuild(site, "6.1", ""), 0);
    fixture_assert_idle(site);
    assert_default(site, "x64", "ready", "");
}

static void x86_is_refused_while_the_server_cannot_build_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(rebuild(site, "6.1", "1"), 0);
    assert_int_equal(fixture_create(site, CONTENT_BOOT_IMAGE, "{'arch': 'x86'}", NULL),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_ARCH);
    assert_int_equal(
        fixture_create(site, CONTENT_BOOT_IMAGE, "{'arch': 'x86', 'flavour': 'virtual'}", NULL),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
}

/* The group "All" with this distribution point in it, which is the first or the next to join. */
static void join_group(struct site *site, const char *name, const char *address, bool is_first)
{
    OWN(json_freep) json_t *group = fixture_json("{'name': 'All'}");
    OWN(json_freep) json_t *member = json_pack("{s:s}", "distribution_point", name);
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *added = NULL;

    fixture_dp_join(site, name, address);
    if (is_first)
        assert_int_equal(dp_group_create(site, "test", group, &made), 0);
    assert_int_equal(dp_group_add_member(site, "test", "All", member, &added), 0);
}

static void assert_gets_version(struct site *site, const char *dp, unsigned version)
{
    OWN(json_freep) json_t *job = fixture_dp_claim(site, dp);
    const json_t *args = fixture_dp_args(job);

    assert_string_equal(field_text(job, "kind", ""), "replicate");
    assert_int_equal(field_number(args, "version", 0), version);
    assert_string_equal(field_text(json_object_get(args, "boot"), "arch", ""), "x64");
    fixture_dp_finish(site, dp, job, FIXTURE_DP_DONE);
}

static void what_is_built_anew_goes_to_each_distribution_point_and_group_that_has_it(void **state)
{
    (void)state;
    static const char first[] = "{'kernels': {'x64': {'generic': '6.1'}}, 'agent_version': '1'}";
    static const char second[] = "{'kernels': {'x64': {'generic': '6.2'}}, 'agent_version': '1'}";
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    const char *const dps[] = {"DP00002", "DP00003", "DP00004"};

    join_group(site, "north", "10.78.0.1", true);
    join_group(site, "south", "10.78.0.2", false);
    fixture_dp_join(site, "alone", "10.78.0.3");
    fixture_dp_join(site, "other", "10.78.0.4");
    assert_int_equal(follow(site, first), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(fixture_dp_distribute(site,
                                           FIXTURE_BOOT_IMAGE,
                                           "{'groups': ['All'], 'distribution_points': ['alone']}"),
                     0);
    for (size_t i = 0; i < 3; i++)
        assert_gets_version(site, dps[i], 1);
    assert_int_equal(follow(site, second), 0);
    for (size_t i = 0; i < 3; i++)
        assert_null(fixture_dp_claim(site, dps[i])); /* not before it is built */
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    for (size_t i = 0; i < 3; i++) {
        assert_gets_version(site, dps[i], 2);
        fixture_dp_assert_state(site, FIXTURE_BOOT_IMAGE, dps[i], "success");
    }
    assert_null(fixture_dp_claim(site, "DP00005"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_images_follow_the_kernel_and_the_agent),
        cmocka_unit_test(a_boot_image_that_was_gone_back_from_is_not_built_again),
        cmocka_unit_test(the_default_boot_images_are_made_once_there_is_something_to_make_them_of),
        cmocka_unit_test(a_kernel_for_any_hardware_is_preferred),
        cmocka_unit_test(a_default_for_virtual_machines_becomes_one_for_any_hardware),
        cmocka_unit_test(a_default_boot_image_that_failed_is_tried_again),
        cmocka_unit_test(a_default_boot_image_that_was_deleted_stays_away),
        cmocka_unit_test(a_boot_image_that_an_administrator_has_made_is_default_enough),
        cmocka_unit_test(what_is_built_anew_goes_to_each_distribution_point_and_group_that_has_it),
        cmocka_unit_test(x86_is_refused_while_the_server_cannot_build_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
