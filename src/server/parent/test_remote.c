/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/remote.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

static char folder[32];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_remote_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void parse_takes_an_address_or_a_name_with_or_without_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *host;
        unsigned port;
        bool is_name;
    } good[] = {
        {"https://10.77.0.1", "10.77.0.1", 443, false},
        {"https://10.77.0.1:8443/", "10.77.0.1", 8443, false},
        {"https://deploy-1.example.org:1", "deploy-1.example.org", 1, true},
        {"https://site:65535", "site", 65535, true},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct remote remote;

        assert_true(remote_parse(good[i].url, &remote));
        assert_true(remote.is_on);
        assert_string_equal(remote.host, good[i].host);
        assert_int_equal(remote.port, good[i].port);
        assert_int_equal(remote.is_name, good[i].is_name);
    }
}

static void parse_refuses_what_is_no_plain_https_url(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "https://",
        "http://10.77.0.1", /* the token would travel in the clear */
        "10.77.0.1",
        "https://10.77.0.1:0",
        "https://10.77.0.1:65536",
        "https://10.77.0.1:",
        "https://10.77.0.1/api",
        "https://user@10.77.0.1",
        "https://a;b", /* of nginx's own language */
        "https://a$b",
        "https://a b",
        "https://a\"b",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct remote remote;

        if (remote_parse(bad[i], &remote))
            fail_msg("taken: %s", bad[i]);
    }
}

static void load_tells_a_site_from_a_distribution_point_and_from_damage(void **state)
{
    (void)state;
    struct remote remote;
    char path[64];

    assert_int_equal(remote_load(folder, &remote), 0);
    assert_false(remote.is_on);
    (void)snprintf(path, sizeof(path), "%s/keys", folder);
    assert_int_equal(dir_make(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/keys/site-url", folder);
    assert_int_equal(file_write(path, bytes_of("https://10.77.0.1:443\n"), 0444), 0);
    assert_int_equal(remote_load(folder, &remote), 0);
    assert_true(remote.is_on);
    assert_string_equal(remote.url, "https://10.77.0.1:443");

    static const char *const damaged[] = {"", "\n", "https://10.77.0.1:443", "https://a b\n"};

    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        assert_int_equal(file_write(path, bytes_of(damaged[i]), 0444), 0);
        assert_int_equal(remote_load(folder, &remote), REMOTE_E_DAMAGED);
    }
}

static void the_address_that_a_host_joined_with_takes_the_place_of_another(void **state)
{
    (void)state;
    OWN(freep) char *address = strdup("10.77.0.9");
    char path[64];

    assert_non_null(address);
    (void)snprintf(path, sizeof(path), "%s/keys/address", folder);
    assert_int_equal(file_write(path, bytes_of("dp.example"), 0444), 0); /* cut off */
    assert_int_equal(remote_load_address(folder, &address), 0);
    assert_string_equal(address, "10.77.0.9");
    assert_int_equal(file_write(path, bytes_of("dp.example\n"), 0444), 0);
    assert_int_equal(remote_load_address(folder, &address), 0);
    assert_string_equal(address, "dp.example");
    assert_int_equal(remote_load_address("/nonexistent", &address), 0);
    assert_string_equal(address, "dp.example");
}

static void resolvers_are_the_ipv4_name_servers_of_the_host(void **state)
{
    (void)state;
    static const char conf[] = "# a comment\n"
                               "search example.org\n"
                               "nameserver 192.0.2.53\n"
                               "nameserver 2001:db8::53\n"
                               "nameserver\t192.0.2.54 # second\n"
                               "nameserver 192.0.2.5;quit\n"
                               "nameserver 192.0.2.55\n"
                               "nameserver 192.0.2.56";
    OWN(buf_fini) struct buf text = BUF_INIT(256);

    remote_put_resolvers(bytes_of(conf), &text);
    assert_string_equal(buf_str(&text), "192.0.2.53 192.0.2.54 192.0.2.55");
    for (size_t len = 0; len < sizeof(conf); len++) {
        OWN(freep) char *copy = malloc(len > 0 ? len : 1);

        memcpy(copy, conf, len);
        buf_clear(&text);
        remote_put_resolvers((struct bytes){(const uint8_t *)copy, len}, &text);
        assert_false(text.failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_takes_an_address_or_a_name_with_or_without_a_port),
        cmocka_unit_test(parse_refuses_what_is_no_plain_https_url),
        cmocka_unit_test(load_tells_a_site_from_a_distribution_point_and_from_damage),
        cmocka_unit_test(the_address_that_a_host_joined_with_takes_the_place_of_another),
        cmocka_unit_test(resolvers_are_the_ipv4_name_servers_of_the_host),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
