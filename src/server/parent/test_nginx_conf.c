/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/nginx_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "server/parent/remote.h"

enum {
    TEXT_MAX_BYTES = 65536,
};

static void put(bool is_dp_on, struct buf *ret)
{
    const struct nginx_conf_options options = {
        .state_folder = "/state folder",
        .http_port = 8080,
        .https_port = 8443,
        .is_dp_on = is_dp_on,
    };

    nginx_conf_put(&options, ret);
    assert_false(ret->failed);
}

static void only_load_balancers_that_are_named_say_for_whom_they_ask(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf without = BUF_INIT(TEXT_MAX_BYTES);
    const struct nginx_conf_options options = {
        .state_folder = "/state",
        .http_port = 80,
        .https_port = 443,
        .load_balancers = "10.0.0.1 fd00::1",
        .load_balancer_port = 8443,
    };

    nginx_conf_put(&options, &text);
    put(true, &without);
    assert_non_null(strstr(buf_str(&text), "listen 8443 ssl http2 proxy_protocol;"));
    assert_non_null(strstr(buf_str(&text), "real_ip_header proxy_protocol;"));
    assert_non_null(strstr(buf_str(&text), "set_real_ip_from 10.0.0.1;"));
    assert_non_null(strstr(buf_str(&text), "set_real_ip_from fd00::1;"));
    assert_null(strstr(buf_str(&without), "proxy_protocol"));
}

static void a_request_is_called_what_its_sender_says_if_that_is_fit(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    put(true, &text);
    assert_non_null(strstr(buf_str(&text),
                           "map $http_x_request_id $slipway_request_id {\n"
                           "        \"~^[0-9A-Za-z._-]{1,64}$\" $http_x_request_id;\n"
                           "        default $request_id;\n"));
    assert_non_null(strstr(buf_str(&text), "proxy_set_header X-Request-Id $slipway_request_id;"));
    assert_null(strstr(buf_str(&text), "X-Request-Id $request_id"));
}

static void conf_serves_files_and_passes_the_api_on(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    static const char *const wanted[] = {
        "listen 8080 default_server;",
        "listen 8443 ssl http2 default_server;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "alias \"/state folder/dp/boot/\";",
        "upstream slipway_site_process {\n        server \"unix:/state folder/run/api.sock\";\n        keepalive 64;",
        "proxy_pass \"http://slipway_site_process\";",
        "proxy_pass \"http://slipway_site_process/api/v1/internal/authorize\";",
        "proxy_pass \"http://unix:/state folder/run/dp.sock:\";",
        "proxy_pass \"http://unix:/state folder/run/capture.sock:\";",
        "auth_request /authorize;",
        "alias \"/state folder/dp/exports/$1\";",
        "client_max_body_size 9m;",
        "client_max_body_size 17m;",
        /* what has no token yet may not fill the disk with bodies */
        "location /api/v1/client/ {\n            client_max_body_size 256k;",
        "location ~ \"^/boot/(.*/)?\\.\" {\n            return 404;",
        "location /api/v1/internal {\n            return 404;",
        "location /api/v1/internal/dp/ {\n            client_max_body_size 1m;",
        "location /api/v1/internal/boot- {\n            client_max_body_size 64k;",
        "server_tokens off;",
        "application/efi efi;",
        "application/vnd.efi-img img;",
    };

    put(true, &text);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!strstr(buf_str(&text), wanted[i]))
            fail_msg("missing: %s", wanted[i]);
}

static void conf_has_as_many_closing_as_opening_braces(void **state)
{
    (void)state;
    for (unsigned is_dp_on = 0; is_dp_on < 2; is_dp_on++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
        int depth = 0;

        put(is_dp_on, &text);
        for (const char *at = buf_str(&text); *at != '\0'; at++) {
            depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
            assert_true(depth >= 0);
        }
        assert_int_equal(depth, 0);
    }
}

static void conf_without_a_distribution_point_serves_no_files(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    put(false, &text);
    assert_null(strstr(buf_str(&text), "alias"));
    assert_null(strstr(buf_str(&text), "dp.sock"));
}

static void
conf_of_a_remote_distribution_point_passes_on_what_its_roles_ask_and_has_no_api(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    struct remote remote;
    struct nginx_conf_options options = {.state_folder = "/state folder",
                                         .http_port = 8080,
                                         .https_port = 8443,
                                         .is_dp_on = true,
                                         .remote = &remote,
                                         .resolvers = "192.0.2.53"};
    static const char *const wanted[] = {
        "listen 8080 default_server;",
        "listen \"unix:/state folder/run/roles/roles.sock\";",
        "proxy_pass \"https://192.0.2.1:443\";",
        "proxy_ssl_verify on;",
        "proxy_ssl_trusted_certificate \"/state folder/keys/site.crt\";",
        "alias \"/state folder/dp/boot/\";",
    };

    assert_true(remote_parse("https://192.0.2.1", &remote));
    nginx_conf_put(&options, &text);
    assert_false(text.failed);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!strstr(buf_str(&text), wanted[i]))
            fail_msg("missing: %s", wanted[i]);
    assert_null(strstr(buf_str(&text), "8443"));
    assert_null(strstr(buf_str(&text), "site.key"));
    assert_null(
        strstr(buf_str(&text), "Authorization")); /* the roles show their token, which passes */
    assert_null(strstr(buf_str(&text), "uploads"));
    assert_null(strstr(buf_str(&text), "resolver"));

    buf_clear(&text);
    assert_true(remote_parse("https://site.example:444/", &remote));
    nginx_conf_put(&options, &text);
    assert_non_null(strstr(buf_str(&text), "resolver 192.0.2.53 valid=60s"));
    assert_non_null(strstr(buf_str(&text), "set $slipway_site \"site.example:444\";"));
}

static void path_with_a_meaning_to_nginx_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"/a\"b", "/a'b", "/a\\b", "/a$b", "/a\nb", "/a{b", "/a;b"};

    assert_true(nginx_conf_is_path_plain("/var/lib/slipway 2"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(nginx_conf_is_path_plain(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_load_balancers_that_are_named_say_for_whom_they_ask),
        cmocka_unit_test(a_request_is_called_what_its_sender_says_if_that_is_fit),
        cmocka_unit_test(conf_serves_files_and_passes_the_api_on),
        cmocka_unit_test(conf_has_as_many_closing_as_opening_braces),
        cmocka_unit_test(conf_without_a_distribution_point_serves_no_files),
        cmocka_unit_test(
            conf_of_a_remote_distribution_point_passes_on_what_its_roles_ask_and_has_no_api),
        cmocka_unit_test(path_with_a_meaning_to_nginx_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
