/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/redirect.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

#define HOST "Host: 127.0.0.1:4711\r\n"
#define PORT 4711

static int parse(const char *head, struct http_values *ret)
{
    return redirect_parse(bytes_of(head), PORT, "s-1", ret);
}

static void the_browser_brings_a_code(void **state)
{
    (void)state;
    OWN(http_values_fini) struct http_values values = {.n = 0};

    assert_int_equal(parse("GET /?code=a%2Bb%3D&state=s-1&iss=https%3A%2F%2Fid HTTP/1.1\r\n"
                           "Accept: */*\r\n" HOST "\r\n",
                           &values),
                     0);
    assert_string_equal(http_values_find(&values, "code"), "a+b=");
    assert_string_equal(http_values_find(&values, "iss"), "https://id");
}

static void what_is_not_the_answer_to_this_sign_in_is_let_go(void **state)
{
    (void)state;
    static const char *const all[] = {
        "",
        "GET /?code=a&state=s-1 HTTP/1.1",
        "GET /favicon.ico HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET /? HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=a HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=a&state=s-2 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=a&state=s-1&state=s-2 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=a&code=b&state=s-1 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=%zz&state=s-1 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=%00&state=s-1 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?=a&state=s-1 HTTP/1.1\r\n" HOST "\r\n",
        "POST /?code=a&state=s-1 HTTP/1.1\r\n" HOST "\r\n",
        "GET /x?code=a&state=s-1 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?code=a&state=s-1 HTTP/1.0\r\n" HOST "\r\n",
        /* a page that has made its name mean this computer */
        "GET /?code=a&state=s-1 HTTP/1.1\r\nHost: evil.example.org:4711\r\n\r\n",
        "GET /?code=a&state=s-1 HTTP/1.1\r\n" HOST "Host: evil\r\n\r\n",
        "GET /?code=a&state=s-1 HTTP/1.1\r\nHost: 127.0.0.1:4712\r\n\r\n",
        "GET /?code=a&state=s-1 HTTP/1.1\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        OWN(http_values_fini) struct http_values values = {.n = 0};

        if (parse(all[i], &values) != REDIRECT_E_OTHER)
            fail_msg("taken: %s", all[i]);
    }
}

static void more_parameters_than_there_is_room_for_are_let_go(void **state)
{
    (void)state;
    OWN(http_values_fini) struct http_values values = {.n = 0};
    char head[1024] = "GET /?state=s-1";
    size_t len = strlen(head);

    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(head + len, sizeof(head) - len, "&p%d=1", i);
    (void)snprintf(head + len, sizeof(head) - len, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(parse(head, &values), REDIRECT_E_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_browser_brings_a_code),
        cmocka_unit_test(what_is_not_the_answer_to_this_sign_in_is_let_go),
        cmocka_unit_test(more_parameters_than_there_is_room_for_are_let_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
