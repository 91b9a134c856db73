/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

#define DIRECTORY "ca-file = /c\nuser-base = dc=d\ngroup-base = dc=d\n"

static void config_needs_no_file(void **state)
{
    (void)state;
    OWN(server_config_fini) struct server_config config = {.site_name = NULL};
    OWN(buf_fini) struct buf why = BUF_INIT(256);

    assert_int_equal(server_config_load("/nonexistent/file", true, &config, &why), 0);
    assert_string_not_equal(config.site_name, "");
    assert_string_not_equal(config.addresses, "");
    assert_int_equal(config.http_port, 80);
    assert_int_equal(config.https_port, 443);
    assert_false(config.is_unknown_computers_on);
    assert_true(config.is_pxe_on);
    assert_true(config.is_dp_on);
    assert_int_equal(config.pxe_dhcp_port, 67);
    assert_int_equal(config.pxe_boot_server_port, 4011);
    assert_int_equal(config.pxe_tftp_port, 69);
    assert_int_equal(config.log_level, 2);
}

static void config_takes_what_is_given(void **state)
{
    (void)state;
    OWN(server_config_fini) struct server_config config = {.site_name = NULL};
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    static const char text[] = "[site]\nname = Büro\naddress = 192.0.2.1, deploy.example\n"
                               "database = postgresql://u:p%23@h:5433/d?sslmode=verify-full\n"
                               "[pxe]\ninterfaces = a b\n[log]\nlevel = debug\n";

    assert_int_equal(server_config_parse("f", bytes_of(text), &config, &why), 0);
    assert_string_equal(config.site_name, "Büro");
    assert_string_equal(config.addresses, "192.0.2.1 deploy.example");
    assert_string_equal(config.database, "postgresql://u:p%23@h:5433/d?sslmode=verify-full");
    assert_string_equal(config.pxe_interfaces, "a b");
    assert_int_equal(config.log_level, 3);
}

static void config_refuses_what_cannot_work(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[site]\naddress = a;b\n",
        "[site]\naddress = \"a\"\n",
        "[site]\ndatabase = mysql://h/d\n",
        "[site]\nhttp-port = 443\n",
        "[site]\nhttp-port = 0\n",
        "[site]\nhttp-port = 65536\n",
        "[site]\norder-hours = 169\n",
        "[site]\nunknown-computers = 1\n",
        "[alerts]\nwebhook = http://hooks.example\n",
        "[alerts]\nmail-server = mail.example\n",
        "[alerts]\nmail-server = smtp://mail.example\nmail-to = a@b\n",
        "[alerts]\nmail-server = smtp://mail.example\nmail-from = a@b\nmail-to = a@b, <c@d>\n",
        "[alerts]\nmail-server = smtp://mail.example\nmail-from = a\nmail-to = a@b\n",
        "[site]\nload-balancers = balancer.example\n",
        "[site]\nload-balancers = 10.0.0.1\nload-balancer-port = 443\n",
        "[directory]\nurl = ldaps://d\nca-file = /c\nuser-base = dc=d\n",
        "[directory]\nurl = ldaps://d\nuser-base = dc=d\nkind = active-directory\n",
        "[directory]\nurl = https://d\n" DIRECTORY,
        "[directory]\nurl = ldaps://d ldapi://e\n" DIRECTORY,
        "[directory]\nurl = ldaps://\n" DIRECTORY,
        "[directory]\nurl = ldaps://d/dc=d?x\n" DIRECTORY,
        "[directory]\nurl = ldaps://d\nuser-attribute = uid)(x\n" DIRECTORY,
        "[directory]\nurl = ldaps://d\nbind-dn = cn=s\n" DIRECTORY,
        "[directory]\nurl = ldaps://d\ncheck-seconds = 0\n" DIRECTORY,
        "[oidc]\nissuer = https://id.example.org\n",
        "[oidc]\nissuer = http://id.example.org\nclient-id = x\n",
        "[oidc]\nissuer = https:///path\nclient-id = x\n",
        "[oidc]\nissuer = https://u@id.example.org\nclient-id = x\n",
        "[oidc]\nissuer = https://id.example.org\nclient-id = x\nscopes = profile\n",
        "[oidc]\nissuer = https://id.example.org\nclient-id = x\nredirect-uri = http://page/\n",
        "[oidc]\nissuer = https://id.example.org\nclient-id = x\ntrust-minutes = 0\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(server_config_fini) struct server_config config = {.site_name = NULL};
        OWN(buf_fini) struct buf why = BUF_INIT(256);

        assert_int_equal(server_config_parse("f", bytes_of(bad[i]), &config, &why), 1);
        assert_memory_equal(buf_str(&why), "f:", 2);
    }
}

static void config_takes_an_openid_provider(void **state)
{
    (void)state;
    OWN(server_config_fini) struct server_config config = {.site_name = NULL};
    OWN(buf_fini) struct buf why = BUF_INIT(256);

    assert_int_equal(server_config_parse("f",
                                         bytes_of("[oidc]\nissuer = https://[::1]:8443/realms/a\n"
                                                  "client-id = slipway\n"
                                                  "redirect-uri = https://a/b, https://c/d\n"),
                                         &config,
                                         &why),
                     0);
    assert_string_equal(config.oidc_issuer, "https://[::1]:8443/realms/a");
    assert_string_equal(config.oidc_redirect_uris, "https://a/b https://c/d");
    assert_string_equal(config.oidc_scopes, "openid profile");
    assert_string_equal(config.oidc_groups_claim, "groups");
    assert_int_equal(config.oidc_trust_minutes, 720);
}

static void config_takes_a_directory(void **state)
{
    (void)state;
    OWN(server_config_fini) struct server_config config = {.site_name = NULL};
    OWN(server_config_fini) struct server_config other = {.site_name = NULL};
    OWN(buf_fini) struct buf why = BUF_INIT(256);

    assert_int_equal(server_config_parse("f",
                                         bytes_of("[directory]\nurl = ldaps://[::1]:636, "
                                                  "ldap://d\n" DIRECTORY),
                                         &config,
                                         &why),
                     0);
    assert_string_equal(config.directory_urls, "ldaps://[::1]:636 ldap://d");
    assert_string_equal(config.directory_user_attribute, "uid");
    assert_int_equal(config.directory_check_s, 300);
    assert_int_equal(server_config_parse("f",
                                         bytes_of("[directory]\nurl = ldaps://d\nca-file = /c\n"
                                                  "user-base = dc=d\nkind = active-directory\n"),
                                         &other,
                                         &why),
                     0);
    assert_string_equal(other.directory_user_attribute, "sAMAccountName");
}

static void config_wants_a_file_that_was_named(void **state)
{
    (void)state;
    OWN(server_config_fini) struct server_config config = {.site_name = NULL};
    OWN(buf_fini) struct buf why = BUF_INIT(256);

    assert_int_equal(server_config_load("/nonexistent/file", false, &config, &why), 1);
    assert_string_equal(buf_str(&why), "/nonexistent/file: there is no such file");
}

static void config_with_a_secret_is_not_for_everybody(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mode_t mode;
        int r;
    } cases[] = {
        {"[alerts]\nwebhook = https://h/\nwebhook-secret = x\n", 0644, 1},
        {"[alerts]\nwebhook = https://h/\nwebhook-secret = x\n", 0640, 0},
        {"[alerts]\nwebhook = https://h/\n", 0644, 0},
        {"[site]\ndatabase = postgresql://ada:secret@h/slipway\n", 0604, 1},
        {"[site]\ndatabase = postgresql://h:5432/slipway?password=x\n", 0644, 1},
        {"[site]\ndatabase = postgresql://ada@h:5432/slipway\n", 0644, 0},
        {"", 0644, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(server_config_fini) struct server_config config = {.site_name = NULL};
        OWN(buf_fini) struct buf why = BUF_INIT(256);
        char file[] = "/tmp/slipway-config-XXXXXX";
        OWN(fd_closep) int fd = mkstemp(file);
        int r;

        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, cases[i].mode), 0);
        assert_int_equal(server_config_parse(file, bytes_of(cases[i].text), &config, &why), 0);
        r = server_config_check_mode(file, &config, &why);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(r, cases[i].r);
        assert_int_equal(why.len > 0, r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_needs_no_file),
        cmocka_unit_test(config_takes_what_is_given),
        cmocka_unit_test(config_refuses_what_cannot_work),
        cmocka_unit_test(config_takes_a_directory),
        cmocka_unit_test(config_takes_an_openid_provider),
        cmocka_unit_test(config_wants_a_file_that_was_named),
        cmocka_unit_test(config_with_a_secret_is_not_for_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
