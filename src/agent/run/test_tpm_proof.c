/* SPDX-License-Identifier: GPL-3.0-or-later */

/* An agent with a real TPM, that of swtpm, and a site that makes credentials as the real one does. */

#include "agent/run/tpm_proof.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "agent/run/machine.h"
#include "agent/run/run.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/test_site.h"
#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "plat/linux/swtpm.h"
#include "plat/tpm_credential.h"

enum {
    TEXT_MAX = 64 * 1024,
    HANGS_S = 60,
};

/* What the site makes of the question. */
enum site_kind {
    SITE_GOOD,
    SITE_OLDER,   /* it knows no such question */
    SITE_WRONG,   /* a credential for another object */
    SITE_EMPTY,   /* none, but it says so nicely */
    SITE_ENDLESS, /* longer than any */
};

static char folder[64];
static char socket_path[96];
static char journal_path[96];
static char asked_path[96]; /* what the site was asked, a word each */
static enum site_kind kind;
static enum machine_tpm chip;
static struct swtpm *tpm; /* NULL: the kernel has one that gives nothing */

static int collect(struct machine *ret)
{
    *ret = (struct machine){.n_cpus = 1, .tpm = chip};
    return 0;
}

static int network_up(const struct machine *m, char *ret_interface, size_t cap, struct buf *why)
{
    (void)m;
    (void)why;
    (void)snprintf(ret_interface, cap, "eth0");
    return 0;
}

static int set_clock(uint64_t wall_us)
{
    (void)wall_us;
    return 0;
}

static int open_tpm(const char *device, uint64_t patience_us, struct tpm **ret)
{
    assert_string_equal(device, "/dev/tpmrm0");
    test_note(asked_path, "tpm");
    return tpm ? tpm_open(tpm->device, patience_us, ret) : TPM_E_NONE;
}

static int find_no_state(const struct machine *m,
                         const char *order_id,
                         struct step_target *ret,
                         struct buf *ret_state)
{
    (void)m;
    (void)order_id;
    (void)ret;
    (void)ret_state;
    return TARGET_E_MISSING;
}

static bool find_no_windows(const struct machine *m, char ret[static TARGET_DEVICE_MAX])
{
    (void)m;
    ret[0] = '\0';
    return false;
}

static const uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES] = "what the site wants to have back";

/* Return: owned; the body of a request, or what is in it under a name. */
static json_t *body_of(const char *request, const char *name)
{
    OWN(json_decrefp) json_t *body = json_loads(strstr(request, "\r\n\r\n") + 4, 0, NULL);

    return json_incref(name ? json_object_get(body, name) : body);
}

static const char *
answer_credential(const uint8_t *public, size_t public_len, uint8_t *name, char *dst, size_t cap)
{
    struct tpm_credential credential;
    char blob[2 * sizeof(credential.blob) + 1];
    char encrypted[2 * sizeof(credential.encrypted) + 1];
    char body[sizeof(blob) + sizeof(encrypted) + 64];

    if (kind == SITE_WRONG)
        name[9] ^= 1;
    if (tpm_credential_make((struct bytes){public, public_len}, name, secret, &credential) != 0)
        return test_site_reply("422 Unprocessable Content", "{}", dst, cap);
    hex_put(blob, (struct bytes){credential.blob, sizeof(credential.blob)});
    hex_put(encrypted, (struct bytes){credential.encrypted, sizeof(credential.encrypted)});
    (void)snprintf(
        body, sizeof(body), "{\"blob\": \"%s\", \"encrypted\": \"%s\"}", blob, encrypted);
    return test_site_reply("201 Created", body, dst, cap);
}

static const char *make_credential(const char *request, char *dst, size_t cap)
{
    OWN(json_decrefp) json_t *body = body_of(request, NULL);
    const char *text = json_string_value(json_object_get(body, "public"));
    const char *name_text = json_string_value(json_object_get(body, "name"));
    const char *challenge = json_string_value(json_object_get(body, "challenge"));
    uint8_t public[TPM_PUBLIC_MAX_BYTES];
    uint8_t name[TPM_CREDENTIAL_NAME_BYTES];

    if (!text || !name_text || !challenge || strcmp(challenge, "c") != 0 ||
        strlen(text) / 2 > sizeof(public) || !hex_parse(bytes_of(text), strlen(text) / 2, public) ||
        !hex_parse(bytes_of(name_text), sizeof(name), name))
        return test_site_reply("422 Unprocessable Content", "{}", dst, cap);
    return answer_credential(public, strlen(text) / 2, name, dst, cap);
}

static const char *answer_question(const char *request, char *dst, size_t cap)
{
    char endless[4096];

    memset(endless, '0', sizeof(endless));
    (void)snprintf(endless, sizeof(endless), "{\"encrypted\": \"00\", \"blob\": \"");
    endless[strlen(endless)] = '0';
    (void)snprintf(endless + sizeof(endless) - 3, 3, "\"}");
    test_note(asked_path, "credential");
    switch (kind) {
    case SITE_OLDER:
        return test_site_reply("404 Not Found", "{}", dst, cap);
    case SITE_EMPTY:
        return test_site_reply("201 Created", "{}", dst, cap);
    case SITE_ENDLESS:
        return test_site_reply("201 Created", endless, dst, cap);
    case SITE_GOOD:
    case SITE_WRONG:
    default:
        return make_credential(request, dst, cap);
    }
}

/* Whether the registration has the secret, and nothing that does not belong there. */
static void note_registration(const char *request)
{
    OWN(json_decrefp) json_t *shown = body_of(request, "tpm_key");
    const char *text = json_string_value(json_object_get(shown, "secret"));
    char wanted[2 * sizeof(secret) + 1];

    hex_put(wanted, (struct bytes){secret, sizeof(secret)});
    if (!shown)
        test_note(asked_path, "without");
    else
        test_note(asked_path,
                  text && strcmp(text, wanted) == 0 && json_object_size(shown) == 3 ? "proven"
                                                                                    : "nonsense");
}

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    if (strstr(request, "/client/time "))
        return test_site_reply(
            "200 OK", "{\"time_us\": 1795253405000000, \"challenge\": \"c\"}", dst, cap);
    if (strstr(request, "/tpm-credentials "))
        return answer_question(request, dst, cap);
    if (!strstr(request, "/registrations "))
        return test_site_reply("403 Forbidden", "{}", dst, cap);
    note_registration(request);
    return test_site_reply("201 Created", "{\"token\": \"t\"}", dst, cap);
}

/* The computer starts, registers, and wants to restart, as there is nothing for it. */
static void assert_asks(const char *wanted)
{
    static const struct run_platform platform = {
        .collect = collect,
        .network_up = network_up,
        .set_clock = set_clock,
        .open_tpm = open_tpm,
        .find_state = find_no_state,
        .find_windows = find_no_windows,
        .journal_path = journal_path,
        .poll_us = 1000,
        .patience_us = 1000000,
        .failed_wait_us = 1000,
    };
    struct run_options options = {
        .site = {.urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path},
        .ticket = "",
        .boot_image = "SLP00001",
        .version = "test",
        .platform = &platform,
    };
    OWN(buf_fini) struct buf asked = BUF_INIT(TEXT_MAX);
    enum run_end end = RUN_FINISHED;
    pid_t site = test_site_start(socket_path, answer_to);

    assert_int_equal(screen_new(NULL, 0, &options.screen), 0);
    assert_int_equal(run_agent(&options, &end), 0);
    screen_free(options.screen);
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    assert_int_equal(end, RUN_RESTART);
    test_read(asked_path, &asked);
    assert_string_equal(buf_str(&asked), wanted);
}

static void assert_logged(const char *text)
{
    OWN(buf_fini) struct buf log = BUF_INIT(TEXT_MAX);

    test_read(journal_path, &log);
    assert_non_null(strstr(buf_str(&log), text));
    assert_non_null(strstr(buf_str(&log), "the site knows this computer by its other marks"));
}

static void the_tpm_opens_what_the_site_made_for_it(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm real = swtpm_new();

    tpm = &real;
    kind = SITE_GOOD;
    assert_asks("tpm credential proven ");
}

static void what_is_not_for_this_tpm_is_not_answered(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm real = swtpm_new();

    tpm = &real;
    kind = SITE_WRONG;
    assert_asks("tpm credential without ");
    assert_logged("The TPM does not open what the site made for it");
}

static void an_older_site_is_registered_at_without(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm real = swtpm_new();

    tpm = &real;
    kind = SITE_OLDER;
    assert_asks("tpm credential without ");
    assert_logged("The site makes no credential");
}

static void an_answer_that_is_no_credential_hurts_nothing(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm real = swtpm_new();

    tpm = &real;
    kind = SITE_EMPTY;
    assert_asks("tpm credential without ");
    (void)unlink(asked_path);
    (void)unlink(socket_path);
    kind = SITE_ENDLESS;
    assert_asks("tpm credential without ");
}

static void a_tpm_that_gives_no_key_is_told_in_the_log(void **state)
{
    (void)state;

    kind = SITE_GOOD;
    assert_asks("tpm without ");
    assert_logged("The TPM gives no endorsement key");
}

static void a_tpm_1_2_and_none_are_not_asked(void **state)
{
    (void)state;

    chip = MACHINE_TPM_1_2;
    assert_asks("without ");
    (void)unlink(asked_path);
    (void)unlink(socket_path);
    chip = MACHINE_TPM_NONE;
    assert_asks("without ");
}

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-tpm-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/memory/smsts.log", folder);
    (void)snprintf(asked_path, sizeof(asked_path), "%s/asked", folder);
    chip = MACHINE_TPM_2_0;
    tpm = NULL;
    (void)alarm(HANGS_S);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_tpm_opens_what_the_site_made_for_it, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_for_this_tpm_is_not_answered, begin, end),
        cmocka_unit_test_setup_teardown(an_older_site_is_registered_at_without, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_that_is_no_credential_hurts_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_tpm_that_gives_no_key_is_told_in_the_log, begin, end),
        cmocka_unit_test_setup_teardown(a_tpm_1_2_and_none_are_not_asked, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
