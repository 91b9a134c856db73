/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/state.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "ts/vars.h"

DEFINE_FREEP(struct state *, state_free);

#define DEVICE_KEY "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"

static const char state_text[] =
    "{\"version\": 1, \"order\": {\"order_id\": \"0190f5b0-0000-7000-8000-000000000001\","
    " \"deployment_id\": \"SLP20001\", \"device_id\": \"d1\", \"device_name\": \"pc-1\","
    " \"attempt\": 1, \"deadline_us\": 5, \"purpose\": \"required\", \"task_sequence\":"
    " {\"id\": \"SLP00003\", \"name\": \"ts\", \"xml\": \"x\"}, \"variables\": {},"
    " \"content\": {}, \"sources\": [], \"failed_wait_s\": 1},"
    " \"site\": {\"urls\": [\"https://10.77.0.1:443\"], \"pin\": null, \"key\": \"" DEVICE_KEY
    "\"},"
    " \"seq\": 7, \"phase\": \"boot-image\", \"next\": {\"step\": 3, \"is_running\": true,"
    " \"n_starts\": 2}, \"variables\": {\"A\": \"b\", \"_C\": \"d\"}, \"secrets\": [\"A\"],"
    " \"target\": {\"disk_serial\": \"lab\", \"disk_size_bytes\": 4294967296,"
    " \"root_uuid\": \"r\", \"esp_uuid\": \"\", \"is_old\": true}, \"result\": null, \"started_us\": 9,"
    " \"network_folders\": [{\"path\": \"//s/x\", \"target\": \"/run/slipway/drives/Z\", \"account\": \"a\","
    " \"password\": \"p\"}],"
    " \"traffic\": {\"downloaded_bytes\": 12, \"reused_bytes\": 5000000000}}";

static struct state *parse_ok(struct bytes text)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct state *state = NULL;

    if (state_parse(text, &state, &why) != 0)
        fail_msg("%s", buf_str(&why));
    return state;
}

static void parse_and_put_keep_everything(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *first = parse_ok(bytes_of(state_text));
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(state_put(first, &text), 0);

    OWN(state_freep) struct state *s = parse_ok(buf_bytes(&text));

    assert_int_equal(s->seq, 7);
    assert_int_equal(s->next_step, 3);
    assert_true(s->is_running);
    assert_int_equal(s->n_starts, 2);
    assert_int_equal(s->phase, STEP_IN_BOOT_IMAGE);
    assert_string_equal(s->site.urls[0], "https://10.77.0.1:443");
    assert_true(s->has_key);
    assert_int_equal(s->key[0], 0x4c);
    assert_int_equal(s->key[31], 0xfb);
    assert_string_equal(s->target.disk_serial, "lab");
    assert_true(s->target.is_old);
    assert_int_equal(s->target.disk_size_bytes, UINT64_C(4294967296));
    assert_string_equal(ts_vars_get(s->vars, "_C"), "d");
    assert_true(ts_vars_is_secret(s->vars, "A"));
    assert_int_equal(s->result, STATE_UNDECIDED);
    assert_int_equal(s->started_us, 9);
    assert_int_equal(s->connections.n, 1);
    assert_string_equal(s->connections.list[0].path, "//s/x");
    assert_string_equal(s->connections.list[0].target, "/run/slipway/drives/Z");
    assert_string_equal(s->connections.list[0].account, "a");
    assert_string_equal(s->connections.list[0].password, "p");
    assert_int_equal(s->traffic.downloaded_bytes, 12);
    assert_int_equal(s->traffic.reused_bytes, UINT64_C(5000000000));
}

static void parse_refuses_every_prefix(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < sizeof(state_text) - 1; n++) {
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        struct state *state = NULL;

        assert_int_equal(state_parse((struct bytes){(const uint8_t *)state_text, n}, &state, &why),
                         STATE_E_MALFORMED);
        assert_true(why.len > 0);
    }
}

/* What a damaged text is taken for can at least be kept and read again. Return: whether it is taken for a state. */
static bool is_good(struct bytes text)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(buf_fini) struct buf kept = BUF_INIT(65536);
    OWN(state_freep) struct state *state = NULL;
    int r = state_parse(text, &state, &why);

    assert_true(r == 0 || r == STATE_E_MALFORMED);
    assert_true(r == 0 || why.len > 0);
    if (r == 0) {
        assert_int_equal(state_put(state, &kept), 0);
        OWN(state_freep) struct state *again = parse_ok(buf_bytes(&kept));
        assert_int_equal(again->next_step, state->next_step);
    }
    return r == 0;
}

static void a_byte_that_is_damaged_is_refused_or_harmless(void **unused)
{
    (void)unused;
    static const uint8_t damages[] = {0x00, 0x01, 0x20, 0x80, 0xff};
    char text[sizeof(state_text)];
    unsigned n_refused = 0;

    for (size_t i = 0; i < sizeof(state_text) - 1; i++)
        for (size_t d = 0; d < sizeof(damages); d++) {
            memcpy(text, state_text, sizeof(text));
            text[i] = (char)(damages[d] == 0 ? 0 : text[i] ^ damages[d]);
            n_refused += !is_good((struct bytes){(const uint8_t *)text, sizeof(text) - 1});
        }
    assert_true(n_refused > sizeof(state_text));
}

/* A file that was never written out may have its length and, in any of its sectors, nothing. */
static void a_sector_that_was_not_written_is_refused(void **unused)
{
    (void)unused;
    enum {
        SECTOR = 512,
    };
    char text[sizeof(state_text)];
    size_t len = sizeof(text) - 1;

    for (size_t at = 0; at < len; at += SECTOR) {
        memcpy(text, state_text, sizeof(text));
        memset(text + at, 0, len - at < SECTOR ? len - at : SECTOR);
        assert_false(is_good((struct bytes){(const uint8_t *)text, len}));
        memset(text + at, 0, len - at); /* and all after it */
        assert_false(is_good((struct bytes){(const uint8_t *)text, len}));
    }
}

struct resumption {
    const char *sentence; /* the name of the test */
    enum state_result result;
    enum step_environment phase;
    enum step_environment here;
    bool is_running;
    unsigned n_starts;
    unsigned n_missed;
    bool is_repeatable;
    unsigned retry_count;
    enum state_resume resume;
};

static struct resumption resumptions[] = {
    {"a_restart_between_two_steps_goes_on",
     STATE_UNDECIDED,
     STEP_IN_BOOT_IMAGE,
     STEP_IN_BOOT_IMAGE,
     false,
     0,
     0,
     false,
     0,
     STATE_GO_ON},
    {"an_unexpected_restart_repeats_a_step_that_may_be_repeated",
     STATE_UNDECIDED,
     STEP_IN_BOOT_IMAGE,
     STEP_IN_BOOT_IMAGE,
     true,
     1,
     0,
     true,
     0,
     STATE_GO_ON},
    {"an_unexpected_restart_fails_a_step_that_must_not_be_repeated",
     STATE_UNDECIDED,
     STEP_IN_BOOT_IMAGE,
     STEP_IN_BOOT_IMAGE,
     true,
     1,
     0,
     false,
     0,
     STATE_FAIL_STEP},
    {"an_unexpected_restart_repeats_a_step_within_its_retry_count",
     STATE_UNDECIDED,
     STEP_IN_BOOT_IMAGE,
     STEP_IN_BOOT_IMAGE,
     true,
     1,
     0,
     false,
     1,
     STATE_GO_ON},
    {"an_unexpected_restart_beyond_the_retry_count_fails_the_step",
     STATE_UNDECIDED,
     STEP_IN_BOOT_IMAGE,
     STEP_IN_BOOT_IMAGE,
     true,
     2,
     0,
     false,
     1,
     STATE_FAIL_STEP},
    {"a_restart_between_two_steps_of_the_full_system_goes_on",
     STATE_UNDECIDED,
     STEP_IN_FULL_OS,
     STEP_IN_FULL_OS,
     false,
     0,
     0,
     false,
     0,
     STATE_GO_ON},
    {"a_disk_that_did_not_boot_is_tried_again",
     STATE_UNDECIDED,
     STEP_IN_FULL_OS,
     STEP_IN_BOOT_IMAGE,
     false,
     0,
     1,
     false,
     0,
     STATE_RESTART_TO_OS},
    {"a_disk_that_did_not_boot_twice_fails_the_sequence",
     STATE_UNDECIDED,
     STEP_IN_FULL_OS,
     STEP_IN_BOOT_IMAGE,
     false,
     0,
     2,
     false,
     0,
     STATE_FAIL_NO_BOOT},
    {"a_failure_that_was_decided_is_reported",
     STATE_FAILED,
     STEP_IN_BOOT_IMAGE,
     STEP_IN_BOOT_IMAGE,
     true,
     1,
     0,
     false,
     0,
     STATE_REPORT},
    {"a_success_that_was_decided_is_reported",
     STATE_SUCCEEDED,
     STEP_IN_FULL_OS,
     STEP_IN_FULL_OS,
     false,
     0,
     0,
     false,
     0,
     STATE_REPORT},
};

static void resumes_as_documented(void **state)
{
    const struct resumption *c = *state;
    const struct state s = {.result = c->result,
                            .phase = c->phase,
                            .is_running = c->is_running,
                            .n_starts = c->n_starts,
                            .n_missed_boots = c->n_missed};

    assert_int_equal(state_resume(&s, c->here, c->is_repeatable, c->retry_count), c->resume);
}

/* Each row of the table is a test of its own. */
static int run_resumptions(void)
{
    enum {
        N_CASES = sizeof(resumptions) / sizeof(resumptions[0]),
    };
    struct CMUnitTest tests[N_CASES];

    for (size_t i = 0; i < N_CASES; i++)
        tests[i] = (struct CMUnitTest){.name = resumptions[i].sentence,
                                       .test_func = resumes_as_documented,
                                       .initial_state = &resumptions[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static void software_is_installed_again_as_often_as_documented(void **state)
{
    (void)state;
    assert_int_equal(state_cuts_max("SMS_TaskSequence_InstallApplicationAction", 0), 2);
    assert_int_equal(state_cuts_max("SMS_TaskSequence_InstallUpdateAction", 5), 5);
    assert_int_equal(state_cuts_max("SMS_TaskSequence_ApplyOperatingSystemAction", 2), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_and_put_keep_everything),
        cmocka_unit_test(parse_refuses_every_prefix),
        cmocka_unit_test(a_byte_that_is_damaged_is_refused_or_harmless),
        cmocka_unit_test(a_sector_that_was_not_written_is_refused),
        cmocka_unit_test(software_is_installed_again_as_often_as_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + run_resumptions();
}
