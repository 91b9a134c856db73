/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/run.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/target.h"
#include "agent/run/test_run_machine.h"
#include "agent/run/test_site.h"
#include "base/own.h"
#include "plat/file.h"

/*
 * The whole runner in a child process, against a site on a Unix socket and a machine whose disk is a folder. The child is
 * killed at every write of the state in turn; then it is started again, as often as it takes, where the state asks for it.
 */

enum {
    MAX_STARTS = 12,
    TEXT_MAX = 64 * 1024,
};

#define PAUSE_TEXT "{\"is_cancelled\": false, \"wish\": \"pause\"}"
#define ORDER_ID   "0190f5b0-0000-7000-8000-000000000001"

/* The site: one request a connection, so that it needs no more than this. */
static const char *answer_to(const char *request, char *dst, size_t cap)
{
    static unsigned n_asked;
    static const char xml[] =
        "<sequence version='3.10'>"
        "<step type='format' name='f'/>"
        "<step type='SMS_TaskSequence_ApplyOperatingSystemAction' name='a'/>"
        "<subtasksequence type='SMS_TaskSequence_SubTasksequence' name='nested'><defaultVarList>"
        "<variable name='OSDSubTasksequencePackageID' property='TsPackageID'>SLP00009</variable>"
        "</defaultVarList></subtasksequence>"
        "<step type='again' name='last' runIn='FullOS'/></sequence>";
    static const char nested_xml[] =
        "<sequence version='3.10'><group name='g'><step type='once' name='o' continueOnError='true'/>"
        "<step type='setup' name='s'/></group></sequence>";
    const char *status = "200 OK";
    char body[4096] = "{\"is_cancelled\": false}";
    const char *state = strstr(request, "\"state\":");

    if (strncmp(request, "GET /api/v1/client/time ", 24) == 0) {
        (void)snprintf(body, sizeof(body), "{\"time_us\": 1795253405000000, \"challenge\": \"c\"}");
    } else if (strstr(request, "/registrations ") || strstr(request, "/client/tokens ")) {
        status = file_exists(test_run.forget_path) ? "401 Unauthorized" : "201 Created";
        (void)snprintf(body, sizeof(body), "{\"token\": \"t\", \"device_name\": \"pc\"}");
    } else if (strstr(request, "/client/orders ") && file_exists(test_run.nothing_path)) {
        status = "204 No Content";
        body[0] = '\0';
    } else if (strstr(request, "/client/orders ")) {
        (void)snprintf(
            body,
            sizeof(body),
            "{\"order_id\": \"" ORDER_ID "\", \"deployment_id\": \"d\", \"device_id\": \"d\","
            "\"device_name\": \"pc\", \"attempt\": 1, \"deadline_us\": 5, \"purpose\":"
            "\"required\", \"task_sequence\": {\"id\": \"t\", \"name\": \"t\", \"xml\": \"%s\","
            "\"children\": [{\"id\": \"SLP00009\", \"xml\": \"%s\", \"is_disabled\": false}]},"
            "\"variables\": {}, \"content\": {}, \"sources\": [], \"failed_wait_s\": 0,"
            "\"content_option\": \"%s\"}",
            xml,
            nested_xml,
            file_exists(test_run.ahead_path) ? "download-all-first" : "stream");
    } else if (state) {
        char word[32];

        state += strlen("\"state\":");
        state += strspn(state, " \"");
        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(state, "\""), state);
        test_note(test_run.reports_path, word);
        if (file_exists(test_run.trouble_path))
            status = "503 Service Unavailable";
        if (file_exists(test_run.forget_path))
            status = "401 Unauthorized";
        if (file_exists(test_run.cancel_path) && strcmp(word, "step-succeeded") == 0)
            (void)snprintf(body, sizeof(body), "{\"is_cancelled\": true}");
        if (file_exists(test_run.pause_path))
            (void)snprintf(body, sizeof(body), PAUSE_TEXT);
    } else if (strstr(request, "/wish ")) {
        test_note(test_run.reports_path, "asked");
        if (file_exists(test_run.pause_path) && n_asked++ < 2)
            (void)snprintf(body, sizeof(body), PAUSE_TEXT);
        else /* the third time somebody lets it go on */
            (void)unlink(test_run.pause_path);
    }
    return test_site_reply(status, body, dst, cap);
}

static bool state_says(const char *words)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);

    test_read(test_run.state_path, &text);
    return strstr(buf_str(&text), words) != NULL;
}

static void begin(void)
{
    (void)unlink(test_run.ran_path);
    (void)unlink(test_run.reports_path);
    (void)dir_remove(test_run.volume);
}

/* From power on to the end, with a power cut at write @die_at of start @die_in (from 0). @network_first: the firmware asks
   the network, which lets it start the disk if the last that the site was told is the restart. Return: whether there was one. */
static bool live(int die_in, unsigned die_at, bool network_first)
{
    bool was_cut = false;

    begin();
    for (int i = 0; i < MAX_STARTS; i++) {
        bool os = state_says("\"phase\": \"full-os\"") &&
                  (!network_first || test_ends(test_run.reports_path, "restarting "));
        int code = test_run_start(os, i == die_in ? die_at : 0);

        was_cut |= code == TEST_RUN_KILLED;
        if (code == TEST_RUN_FINISHED)
            return was_cut;
        assert_true(code == TEST_RUN_KILLED || code == TEST_RUN_RESTART);
    }
    fail_msg("it never ends");
    return false;
}

static void check_end(unsigned die_at)
{
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);
    char path[160];

    test_read(test_run.ran_path, &ran);
    test_read(test_run.reports_path, &reports);
    /* every step but the one that must not be repeated ran to its end; that one at most once */
    if (test_count(buf_str(&ran), "format ") < 1 || test_count(buf_str(&ran), "a ") < 1 ||
        test_count(buf_str(&ran), "o ") > 1 || test_count(buf_str(&ran), "setup-1 ") < 1 ||
        test_count(buf_str(&ran), "setup-2 ") < 1 || test_count(buf_str(&ran), "last ") < 1)
        fail_msg("cut at write %u: ran %s", die_at, buf_str(&ran));
    if (test_count(buf_str(&reports), " succeeded ") != 1 ||
        test_count(buf_str(&reports), " failed ") != 0)
        fail_msg("cut at write %u: reported %s", die_at, buf_str(&reports));
    (void)snprintf(path, sizeof(path), "%s/%s", test_run.volume, TARGET_STATE_FOLDER);
    assert_false(file_exists(path));
    (void)snprintf(path, sizeof(path), "%s/var/log/slipway/smsts.log", test_run.volume);
    assert_true(file_exists(path));
}

static void a_deployment_without_power_cut_runs_each_step_once(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    assert_false(live(0, 0, false));
    check_end(0);
    test_read(test_run.ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format a o setup-1 setup-2 last ");
}

static void cut_at_any_write(bool network_first)
{
    for (int in = 0; in < 2; in++) { /* the boot image, and the system */
        unsigned at = 1;
        for (; live(in, at, network_first); at++)
            check_end(at);
        assert_true(at > 4);
    }
}

static void a_power_cut_at_any_write_of_the_state_comes_to_the_same_end(void **state)
{
    (void)state;
    cut_at_any_write(false);
}

static void it_does_too_when_the_firmware_starts_from_the_network_first(void **state)
{
    (void)state;
    cut_at_any_write(true);
}

static void a_volume_that_a_step_chooses_has_the_state_before_the_step_goes_on(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.old_path, "yes");
    assert_int_equal(test_run_start(false, 1),
                     TEST_RUN_KILLED); /* before there was no place to write to */
    assert_true(state_says("\"is_old\": true") && state_says("\"is_running\": true"));
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.old_path);
    test_read(test_run.ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format format a o setup-1 ");
}

static void a_failure_on_a_disk_that_takes_nothing_more_is_reported(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.break_path, "yes");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.break_path);
    test_read(test_run.reports_path, &reports);
    assert_int_equal(test_count(buf_str(&reports), "step-failed "), 1);
    assert_int_equal(test_count(buf_str(&reports), " failed "), 1);
}

static void the_disk_starts_the_boot_image_until_its_steps_are_done(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.watch_path, "yes");
    assert_int_equal(test_run_start(false, 3), TEST_RUN_KILLED);
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.watch_path);
    test_read(test_run.ran_path, &ran);
    assert_int_equal(test_count(buf_str(&ran), "switched-back "), 1);
    assert_non_null(strstr(buf_str(&ran), "setup-1 switched-back "));
}

static void a_folder_is_connected_again_before_the_next_step_after_each_start(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf log = BUF_INIT(TEXT_MAX);
    char path[160];

    begin();
    test_note(test_run.drive_path, "yes");
    assert_int_equal(test_run_start(false, 1), TEST_RUN_KILLED);
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    test_note(test_run.drive_path, "no");
    assert_int_equal(test_run_start(true, 0), TEST_RUN_FINISHED);
    (void)unlink(test_run.drive_path);
    test_read(test_run.ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format /run/drive a o setup-1 /run/drive setup-2 last ");
    (void)snprintf(path, sizeof(path), "%s/var/log/slipway/smsts.log", test_run.volume);
    test_read(path, &log);
    assert_non_null(
        strstr(buf_str(&log), "Connecting \\\\server\\share to /run/drive again as eva"));
    assert_non_null(strstr(buf_str(&log), "the server has moved"));
    assert_null(strstr(buf_str(&log), "hush"));
}

static void a_computer_that_was_switched_off_goes_on_when_it_is_switched_on(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.off_path, "yes");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    assert_int_equal(test_run_start(true, 0), TEST_RUN_OFF);
    (void)unlink(test_run.off_path);
    assert_int_equal(test_run_start(true, 0), TEST_RUN_FINISHED);
    test_read(test_run.ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format a o setup-1 setup-2 last ");
}

static void nothing_is_touched_before_the_site_has_heard_of_the_start(void **state)
{
    (void)state;
    begin();
    test_note(test_run.trouble_path, "yes");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.trouble_path);
    assert_false(file_exists(test_run.ran_path));
}

static void an_agent_whose_token_is_not_known_any_more_stops_and_cleans_up(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    test_note(test_run.forget_path, "yes");
    assert_int_equal(test_run_start(true, 0), TEST_RUN_FINISHED);
    (void)unlink(test_run.forget_path);
    test_read(test_run.ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format a o setup-1 ");
    assert_false(file_exists(test_run.state_path));
}

static void a_boot_image_from_the_disk_goes_back_when_nothing_is_deployed_any_more(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.ran_path);
    test_note(test_run.nothing_path, "yes");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.nothing_path);
    test_read(test_run.ran_path, &ran);
    assert_string_equal(buf_str(&ran), "switched-back ");
}

static void what_all_steps_use_is_downloaded_before_the_first_is_run(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    test_note(test_run.ahead_path, "yes");
    (void)live(0, 0, false);
    (void)unlink(test_run.ahead_path);
    test_read(test_run.ran_path, &ran);
    assert_non_null(strstr(buf_str(&ran), "ahead-f ahead-a ahead-o ahead-s ahead-last format "));
    assert_int_equal(test_count(buf_str(&ran), "ahead-"), 5);
    assert_non_null(strstr(buf_str(&ran), "setup-2 last "));
}

static void nothing_is_run_if_it_cannot_be(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.ahead_path, "no");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.ahead_path);
    test_read(test_run.ran_path, &ran);
    test_read(test_run.reports_path, &reports);
    assert_string_equal(buf_str(&ran), "ahead-f ");
    assert_non_null(strstr(buf_str(&reports), "started failed "));
}

static void a_cancelled_deployment_stops_and_says_so(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.cancel_path, "yes");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    (void)unlink(test_run.cancel_path);
    test_read(test_run.ran_path, &ran);
    test_read(test_run.reports_path, &reports);
    assert_string_equal(buf_str(&ran), "format ");
    assert_string_equal(buf_str(&reports), "started step-started step-succeeded cancelled ");
    assert_false(file_exists(test_run.state_path));
}

static void a_paused_computer_waits_before_a_step_until_the_site_says_otherwise(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(test_run.pause_path, "yes");
    assert_int_equal(test_run_start(false, 0), TEST_RUN_RESTART);
    test_read(test_run.ran_path, &ran);
    test_read(test_run.reports_path, &reports);
    assert_string_equal(buf_str(&ran), "format a o setup-1 ");
    assert_non_null(
        strstr(buf_str(&reports), "started paused asked asked asked resumed step-started "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployment_without_power_cut_runs_each_step_once),
        cmocka_unit_test(a_power_cut_at_any_write_of_the_state_comes_to_the_same_end),
        cmocka_unit_test(it_does_too_when_the_firmware_starts_from_the_network_first),
        cmocka_unit_test(what_all_steps_use_is_downloaded_before_the_first_is_run),
        cmocka_unit_test(nothing_is_run_if_it_cannot_be),
        cmocka_unit_test(a_cancelled_deployment_stops_and_says_so),
        cmocka_unit_test(a_volume_that_a_step_chooses_has_the_state_before_the_step_goes_on),
        cmocka_unit_test(a_paused_computer_waits_before_a_step_until_the_site_says_otherwise),
        cmocka_unit_test(a_failure_on_a_disk_that_takes_nothing_more_is_reported),
        cmocka_unit_test(the_disk_starts_the_boot_image_until_its_steps_are_done),
        cmocka_unit_test(a_folder_is_connected_again_before_the_next_step_after_each_start),
        cmocka_unit_test(a_computer_that_was_switched_off_goes_on_when_it_is_switched_on),
        cmocka_unit_test(nothing_is_touched_before_the_site_has_heard_of_the_start),
        cmocka_unit_test(an_agent_whose_token_is_not_known_any_more_stops_and_cleans_up),
        cmocka_unit_test(a_boot_image_from_the_disk_goes_back_when_nothing_is_deployed_any_more),
    };
    static const struct {
        char *path;
        const char *name;
    } places[] = {{test_run.volume, "volume"},
                  {test_run.socket_path, "site"},
                  {test_run.journal_path, "memory/smsts.log"},
                  {test_run.ran_path, "ran"},
                  {test_run.old_path, "old"},
                  {test_run.cancel_path, "cancel"},
                  {test_run.pause_path, "pause"},
                  {test_run.forget_path, "forget"},
                  {test_run.nothing_path, "nothing"},
                  {test_run.ahead_path, "ahead"},
                  {test_run.trouble_path, "trouble"},
                  {test_run.watch_path, "watch"},
                  {test_run.drive_path, "drive"},
                  {test_run.off_path, "off"},
                  {test_run.break_path, "break"},
                  {test_run.reports_path, "reports"}};

    if (!mkdtemp(test_run.folder))
        return 1;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        (void)snprintf(places[i].path, TEST_RUN_PATH_MAX, "%s/%s", test_run.folder, places[i].name);
    (void)snprintf(test_run.state_path,
                   sizeof(test_run.state_path),
                   "%s/%s",
                   test_run.volume,
                   TARGET_STATE_FILE);
    pid_t site = test_site_start(test_run.socket_path, answer_to);
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    (void)dir_remove(test_run.folder);
    return n_failed;
}
