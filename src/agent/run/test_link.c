/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/link.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/test_site.h"
#include "base/buf.h"
#include "base/own.h"
#include "format/proof/proof.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/http_client.h"

enum {
    TEXT_MAX = 64 * 1024,
    HANGS_S = 20,
};

#define PIN "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char folder[64];
static char socket_path[96];
static char asked_path[96]; /* what the site was asked, a word each */
static char deaf_path[96];  /* while it exists, the site renews no token */
static char full_path[96];  /* while it exists, it cannot */

DEFINE_FREEP(struct link *, link_free);
DEFINE_FREEP(struct http_client *, http_client_free);

/* The first token is "t1", the next ones "t2", "t3" ...; the site takes only the latest. */
static const char *answer_to(const char *request, char *dst, size_t cap)
{
    static unsigned n_tokens = 1;
    char bearer[64];
    char body[128];

    if (strstr(request, "/client/time "))
        return test_site_reply("200 OK", "{\"time_us\": 1, \"challenge\": \"c1\"}", dst, cap);
    if (strstr(request, "/client/tokens ")) {
        bool has_proof = strstr(request, "\"challenge\":\"c1\"") && !strstr(request, "Bearer");

        test_note(asked_path, has_proof ? "token" : "nonsense");
        (void)snprintf(
            body, sizeof(body), "{\"token\": \"t%u\", \"token_life_s\": 900}", ++n_tokens);
        if (file_exists(full_path))
            return test_site_reply("507 Insufficient Storage", "{}", dst, cap);
        return file_exists(deaf_path) ? test_site_reply("401 Unauthorized", "{}", dst, cap)
                                      : test_site_reply("201 Created", body, dst, cap);
    }
    (void)snprintf(bearer, sizeof(bearer), "Bearer t%u\r", n_tokens);
    test_note(asked_path, strstr(request, bearer) ? "good" : "bad");
    return strstr(request, bearer) ? test_site_reply("200 OK", "{}", dst, cap)
                                   : test_site_reply("401 Unauthorized", "{}", dst, cap);
}

static struct link *new_link(void)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path, .has_pin = true};
    struct link *link = NULL;

    assert_true(hex_parse(bytes_of(PIN), SHA256_BYTES, options.pin));
    assert_int_equal(link_new(&options, &link), 0);
    return link;
}

static unsigned ask(struct link *link)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;

    assert_int_equal(link_json(link, "GET", "/x", NULL, &status, &answer), 0);
    return status;
}

static void take(struct link *link, const char *token)
{
    OWN(json_decrefp)
    json_t *answer =
        json_pack("{s:s, s:s, s:i}", "device_id", "d1", "token", token, "token_life_s", 900);

    assert_int_equal(link_make_key(link), 0);
    assert_int_equal(link_take_token(link, answer), 0);
}

static void assert_asked(const char *words)
{
    OWN(buf_fini) struct buf asked = BUF_INIT(TEXT_MAX);

    test_read(asked_path, &asked);
    assert_string_equal(buf_str(&asked), words);
}

static void a_token_is_used_as_long_as_the_site_takes_it(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();

    take(link, "t1");
    assert_int_equal(ask(link), 200);
    assert_int_equal(ask(link), 200);
    assert_asked("good good ");
}

static void a_token_that_the_site_does_not_take_any_more_is_renewed(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();

    take(link, "old");
    assert_int_equal(ask(link), 200);
    assert_asked("bad token good ");
}

static void a_key_that_was_kept_gets_a_token(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    uint8_t secret[SIGNATURE_KEY_BYTES];

    random_bytes(secret, sizeof(secret));
    assert_int_equal(link_set_key(link, secret, "d1"), 0);
    assert_memory_equal(link_key(link), secret, sizeof(secret));
    assert_int_equal(ask(link), 200);
    assert_asked("token good ");
}

static void who_gets_no_token_hears_that_once(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();

    take(link, "old");
    assert_int_equal(file_write(deaf_path, bytes_of(""), 0600), 0);
    assert_int_equal(ask(link), 401);
    assert_asked("bad token bad ");
}

static void while_the_site_can_give_no_token_it_is_away(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;

    take(link, "old");
    assert_int_equal(file_write(full_path, bytes_of(""), 0600), 0);
    assert_int_equal(link_json(link, "GET", "/x", NULL, &status, &answer), LINK_E_AWAY);
    assert_int_equal(link_json(link, "GET", "/x", NULL, &status, &answer), LINK_E_AWAY);
    assert_non_null(strstr(link_why(link), "no new token"));
    assert_asked("bad token token ");
    assert_int_equal(remove(full_path), 0);
    assert_int_equal(ask(link), 200);
}

static void without_a_key_nothing_is_renewed(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();

    assert_null(link_key(link));
    assert_int_equal(ask(link), 401);
    assert_asked("bad ");
}

static struct http_client *new_client(struct link *link)
{
    const struct http_client_options options = {
        .base_url = "http://site",
        .unix_socket = socket_path,
        .tokens = link_tokens(link),
        .user_agent = "test",
    };
    struct http_client *client = NULL;

    assert_int_equal(http_client_new(&options, &client), 0);
    return client;
}

/* Return: the status; 0: the site is away. */
static unsigned call(struct http_client *client)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    int r = http_client_call(client, "GET", "/y", (struct bytes){0}, NULL, &answer);

    assert_true(r == 0 || r == HTTP_CLIENT_E_UNREACHABLE);
    return r == 0 ? answer.status : 0;
}

static void who_calls_by_himself_has_the_token_as_it_is_now(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    OWN(http_client_freep) struct http_client *client = new_client(link);

    take(link, "old");
    assert_int_equal(ask(link), 200);
    assert_int_equal(call(client), 200);
    assert_asked("bad token good good ");
}

static void who_calls_by_himself_gets_another_if_it_is_refused(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    OWN(http_client_freep) struct http_client *client = new_client(link);

    take(link, "old");
    assert_int_equal(call(client), 200);
    assert_int_equal(call(client), 200);
    assert_asked("bad token good good ");
}

static void who_calls_by_himself_waits_while_the_site_can_give_none(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    OWN(http_client_freep) struct http_client *client = new_client(link);

    take(link, "old");
    assert_int_equal(file_write(full_path, bytes_of(""), 0600), 0);
    assert_int_equal(call(client), 0);
    assert_non_null(strstr(http_client_why(client), "no token"));
    assert_int_equal(remove(full_path), 0);
    assert_int_equal(call(client), 200);
    assert_asked("bad token token good ");
}

static void who_calls_by_himself_is_told_if_there_is_no_other(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    OWN(http_client_freep) struct http_client *client = new_client(link);

    take(link, "old");
    assert_int_equal(file_write(deaf_path, bytes_of(""), 0600), 0);
    assert_int_equal(call(client), 401);
    assert_asked("bad token bad ");
}

static void a_token_that_another_thread_has_renewed_is_kept(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    struct http_tokens tokens = link_tokens(link);
    char token[LINK_TOKEN_MAX];

    take(link, "t1");
    assert_true(tokens.refuse(tokens.ctx, "t0"));
    assert_int_equal(tokens.put(tokens.ctx, token, sizeof(token)), 0);
    assert_string_equal(token, "t1");
}

static void a_proof_is_signed_by_the_key(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = new_link();
    OWN(json_decrefp) json_t *proof = NULL;
    static const char text[] = "slipway-proof-1\nregistration\nc1\n" PIN "\nslw_boot_x mac";
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    bool is_good = false;

    assert_int_equal(link_make_key(link), 0);
    assert_int_equal(link_prove(link, PROOF_REGISTRATION, "slw_boot_x mac", &proof), 0);
    assert_true(hex_parse(bytes_of(json_string_value(json_object_get(proof, "public"))),
                          sizeof(public_half),
                          public_half));
    assert_true(hex_parse(bytes_of(json_string_value(json_object_get(proof, "signature"))),
                          sizeof(signature),
                          signature));
    assert_int_equal(signature_check(public_half, bytes_of(text), signature, &is_good), 0);
    assert_true(is_good);
}

static pid_t site;

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-link-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(asked_path, sizeof(asked_path), "%s/asked", folder);
    (void)snprintf(full_path, sizeof(full_path), "%s/full", folder);
    (void)snprintf(deaf_path, sizeof(deaf_path), "%s/deaf", folder);
    (void)alarm(HANGS_S);
    site = test_site_start(socket_path, answer_to);
    return 0;
}

static int end(void **state)
{
    (void)state;
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    return dir_remove(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_used_as_long_as_the_site_takes_it),
        TEST(a_token_that_the_site_does_not_take_any_more_is_renewed),
        TEST(a_key_that_was_kept_gets_a_token),
        TEST(who_gets_no_token_hears_that_once),
        TEST(while_the_site_can_give_no_token_it_is_away),
        TEST(without_a_key_nothing_is_renewed),
        TEST(who_calls_by_himself_has_the_token_as_it_is_now),
        TEST(who_calls_by_himself_gets_another_if_it_is_refused),
        TEST(who_calls_by_himself_waits_while_the_site_can_give_none),
        TEST(who_calls_by_himself_is_told_if_there_is_no_other),
        TEST(a_token_that_another_thread_has_renewed_is_kept),
        TEST(a_proof_is_signed_by_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
