/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/claim.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "server/role.h"

static char the_folder[40];

static int set_up(void **state)
{
    (void)snprintf(the_folder, sizeof(the_folder), "/tmp/slipway-test-claim-XXXXXX");
    *state = mkdtemp(the_folder);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    return dir_remove(*state);
}

static void the_newest_kernel_of_the_first_root_that_has_one_is_named(void **state)
{
    const char *folder = *state;
    static const char *const versions[] = {"1/6.1.0-9-cloud-amd64",
                                           "2/6.1.0-9-amd64",
                                           "2/6.1.0-10-amd64",
                                           "2/6.1.0-11-rt-amd64",
                                           "2/6.1.0-12-amd64",
                                           "3/6.9.0-1-amd64"};
    char roots[300];
    char path[300];

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        (void)snprintf(path,
                       sizeof(path),
                       "%s/%c/lib/modules/%s/kernel",
                       folder,
                       versions[i][0],
                       versions[i] + 2);
        assert_int_equal(dir_make(path, 0700), 0);
        (void)snprintf(path,
                       sizeof(path),
                       "%s/%c/lib/modules/%s/modules.order",
                       folder,
                       versions[i][0],
                       versions[i] + 2);
        if (!strstr(path, "-12-")) /* that one is still being unpacked */
            assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
        (void)snprintf(path, sizeof(path), "%s/%c/boot", folder, versions[i][0]);
        assert_int_equal(dir_make(path, 0700), 0);
        (void)snprintf(
            path, sizeof(path), "%s/%c/boot/vmlinuz-%s", folder, versions[i][0], versions[i] + 2);
        assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
    }
    (void)snprintf(roots, sizeof(roots), "%s/1 %s/2 %s/3", folder, folder, folder);

    OWN(freep) char *generic = claim_newest_kernel(roots, "generic");
    OWN(freep) char *virtual = claim_newest_kernel(roots, "virtual");

    assert_string_equal(generic, "6.1.0-10-amd64");
    assert_string_equal(virtual, "6.1.0-9-cloud-amd64");
    assert_null(claim_newest_kernel(folder, "generic"));
}

static void the_site_is_told_where_clients_reach_this_host(void **state)
{
    static const struct {
        const char *addresses;
        unsigned port;
        const char *base; /* NULL: nothing that could be of use */
    } cases[] = {
        {"10.78.0.1", 80, "http://10.78.0.1"},
        {"10.78.0.1 10.79.0.1", 8080, "http://10.78.0.1:8080"},
        {"dp.example", 80, "http://dp.example"},
        {"fd00:78::1", 8080, "http://[fd00:78::1]:8080"},
        {"127.0.0.1", 80, NULL},
    };
    char roots[1] = "";
    char x86_root[] = "/nowhere";
    struct slots slots;

    assert_int_equal(slots_init(&slots), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char addresses[64];
        struct server_config config = {.addresses = addresses,
                                       .http_port = cases[i].port,
                                       .boot_image_kernel_roots = roots,
                                       .boot_image_x86_root = x86_root};
        const struct role_options options = {.config = &config, .state_folder = *state};

        (void)snprintf(addresses, sizeof(addresses), "%s", cases[i].addresses);

        OWN(json_decrefp) json_t *body = claim_body(&options, &slots);
        const char *base = json_string_value(json_object_get(body, "http_base"));

        assert_non_null(body);
        if (cases[i].base)
            assert_string_equal(base, cases[i].base);
        else
            assert_null(base);
    }
    slots_fini(&slots);
}

/* @text: NULL for a folder */
static void make_below(const char *root, const char *name, const char *text)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(text ? file_write(path, bytes_of(text), 0600) : dir_make(path, 0700), 0);
}

static json_t *claim_with(const char *x86_root, const char *state_folder)
{
    char none[] = "/nowhere";
    OWN(freep) char *root = strdup(x86_root);
    struct server_config config = {
        .addresses = none, .boot_image_kernel_roots = none, .boot_image_x86_root = root};
    const struct role_options options = {.state_folder = state_folder, .config = &config};
    struct slots slots;
    json_t *body;

    assert_int_equal(slots_init(&slots), 0);
    body = claim_body(&options, &slots);
    slots_fini(&slots);
    assert_non_null(body);
    return body;
}

static void the_root_for_x86_is_named_once_it_is_whole(void **state)
{
    char *root = *state;

    make_below(root, "lib/modules/6.1.0-50-686/kernel", NULL);
    make_below(root, "lib/modules/6.1.0-50-686/modules.order", "x");
    make_below(root, "boot", NULL);
    make_below(root, "boot/vmlinuz-6.1.0-50-686", "x");
    make_below(root, "usr/lib/slipway", NULL);

    OWN(json_decrefp) json_t *before = claim_with(root, root);

    assert_null(json_object_get(json_object_get(before, "kernels"), "x86"));
    make_below(root, "usr/lib/slipway/agent-version", "0.2.0\n");

    OWN(json_decrefp) json_t *after = claim_with(root, root);
    const json_t *kernels = json_object_get(json_object_get(after, "kernels"), "x86");

    assert_string_equal(json_string_value(json_object_get(kernels, "generic")), "6.1.0-50-686");
    assert_string_equal(json_string_value(json_object_get(after, "x86_agent_version")), "0.2.0");
}

static void only_adapters_with_hardware_behind_them_are_told(void **state)
{
    const char *root = *state;

    make_below(root, "net", NULL);
    make_below(root, "net/eth0", NULL);
    make_below(root, "net/eth0/device", NULL);
    make_below(root, "net/eth0/address", "52:54:00:AA:00:01\n");
    make_below(root, "net/bridge0", NULL);
    make_below(root, "net/bridge0/address", "52:54:00:aa:00:02\n");
    make_below(root, "net/ib0", NULL);
    make_below(root, "net/ib0/device", NULL);
    make_below(
        root, "net/ib0/address", "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:01:02:03\n");

    char folder[300];

    (void)snprintf(folder, sizeof(folder), "%s/net", root);
    OWN(json_decrefp) json_t *macs = claim_macs(folder);

    assert_int_equal(json_array_size(macs), 1);
    assert_string_equal(json_string_value(json_array_get(macs, 0)), "52:54:00:aa:00:01");
    OWN(json_decrefp) json_t *none = claim_macs("/nowhere");

    assert_int_equal(json_array_size(none), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_kernel_of_the_first_root_that_has_one_is_named),
        TEST(the_root_for_x86_is_named_once_it_is_whole),
        TEST(only_adapters_with_hardware_behind_them_are_told),
        TEST(the_site_is_told_where_clients_reach_this_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
