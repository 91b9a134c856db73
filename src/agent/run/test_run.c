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

#include "agent/run/machine.h"
#include "agent/run/restart.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/test_site.h"
#include "agent/steps/connections.h"
#include "agent/steps/network_folder.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/document.h"

/*
 * The whole runner in a child process, against a site on a Unix socket and a machine whose disk is a folder. The child is
 * killed at every write of the state in turn; then it is started again, as often as it takes, where the state asks for it.
 */

enum {
    KILLED = 9,
    END_RESTART = 20,
    END_FINISHED = 21,
    END_OFF = 22,
    MAX_STARTS = 12,
    HANGS_S = 20, /* no start takes so long */
    TEXT_MAX = 64 * 1024,
};

#define PAUSE_TEXT "{\"is_cancelled\": false, \"wish\": \"pause\"}"
#define ORDER_ID   "0190f5b0-0000-7000-8000-000000000001"

static char folder[64] = "/tmp/slipway-test-run-XXXXXX"; /* everything of this test */
static char volume[96];                                  /* the disk */
static char socket_path[96];
static char journal_path[96];
static char ran_path[96];     /* what the steps did, one word a step */
static char reports_path[96]; /* what the site was told */
static char pause_path[96];   /* while it exists, the site has the computer wait */
static char cancel_path[96];  /* while it exists, the site cancels */
static char forget_path[96];  /* while it exists, the site does not know the token */
static char nothing_path[96]; /* while it exists, nothing is deployed */
static char trouble_path[96]; /* while it exists, the site takes no status */
static char state_path[160];
static char old_path[96];   /* while it exists, the first step chooses an old volume */
static char watch_path[96]; /* while it exists, it is noted when the disk gets its own start back */
static char ahead_path[96]; /* while it exists, all content comes first; "no": and cannot */
static char
    drive_path[96]; /* while it exists, the first step connects a folder; "no": later nobody can */
static char off_path[96];   /* while it exists, the last step has the computer switched off */
static char break_path[96]; /* while it exists, Setup fails, and the disk takes nothing any more */

static unsigned kill_at, n_writes; /* the child dies at this write of the state; 0: never */
static bool is_unsettled;          /* a step has ended, and a power cut would lose what it wrote */

static int fake_collect(struct machine *ret)
{
    *ret = (struct machine){.n_cpus = 1, .has_boot_mac = true, .boot_mac = {0x52, 0x54}};
    return 0;
}

static int
fake_network_up(const struct machine *m, char *ret_interface, size_t cap, struct buf *why)
{
    (void)m;
    (void)why;
    (void)snprintf(ret_interface, cap, "eth0");
    return 0;
}

static int fake_set_clock(uint64_t wall_us)
{
    return wall_us > 0 ? 0 : -1;
}

static int fake_mount(struct step_target *target)
{
    target->is_mounted = true;
    return 0;
}

static int fake_unmount(struct step_target *target)
{
    target->is_mounted = false;
    return 0;
}

static int fake_boot_image_is_back(const struct step_target *target)
{
    if (file_exists(nothing_path) || file_exists(watch_path))
        test_note(ran_path, "switched-back");
    return !target->is_mounted ? -1 : file_exists(nothing_path) ? RESTART_SWITCHED_BACK : 0;
}

static int fake_find_state(const struct machine *m,
                           const char *order_id,
                           struct step_target *ret,
                           struct buf *ret_state)
{
    (void)m;
    (void)order_id;
    if (file_read(state_path, ret_state) != 0)
        return TARGET_E_MISSING;
    *ret = (struct step_target){.root_device = "/dev/fake2", .root_uuid = "u"};
    return 0;
}

static void die_when_it_is_time(void *ctx)
{
    (void)ctx;
    if (is_unsettled || ++n_writes == kill_at)
        _exit(is_unsettled ? 1 : KILLED);
}

static int fake_settle(const char *root)
{
    is_unsettled = is_unsettled && strcmp(root, volume) != 0;
    return 0;
}

/* As a volume that is full: the state cannot be written any more. */
static int break_volume(struct step_result *ret)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/%s", volume, TARGET_STATE_FOLDER);
    if (dir_remove(path) != 0 || file_write(path, bytes_of(""), 0600) != 0)
        abort();
    return step_fail(ret, "SLW-0463", "the disk is full");
}

/* The step types of this machine. Each notes that it began and that it ended. */
static int run_format(struct step_context *c, struct step_result *ret)
{
    test_note(ran_path, "format");
    *c->target = (struct step_target){.root_device = "/dev/fake2", .root_uuid = "u"};
    *ret = (struct step_result){0};
    c->target->is_old = file_exists(old_path);
    if (file_exists(drive_path) &&
        connections_keep(c->connections,
                         &(struct connection){"\\\\server\\share", "/run/drive", "eva", "hush"}) !=
            0)
        return -1;
    return dir_make(volume, 0700) != 0 ? -1 : c->target->is_old ? c->save(c->ctx) : 0;
}

static int run_repeatable(struct step_context *c, struct step_result *ret)
{
    test_note(ran_path, c->step_name);
    is_unsettled = true;
    *ret = (struct step_result){0};
    if (strcmp(c->step_name, "last") == 0 && file_exists(off_path))
        *ret = (struct step_result){.then = STEP_THEN_RESTART_TO_OS, .is_off = true};
    return 0;
}

static int run_setup(struct step_context *c, struct step_result *ret)
{
    bool is_first_half = c->environment == STEP_IN_BOOT_IMAGE;

    test_note(ran_path, is_first_half ? "setup-1" : "setup-2");
    *ret = (struct step_result){0};
    if (file_exists(break_path))
        return break_volume(ret);
    if (is_first_half)
        *ret = (struct step_result){.then = STEP_THEN_RESTART_TO_OS, .is_same_step_again = true};
    return 0;
}

static const struct step_type *fake_find_type(const char *type)
{
    static const struct step_type types[] = {
        {"format", STEP_IN_BOOT_IMAGE, true, run_format},
        {"SMS_TaskSequence_ApplyOperatingSystemAction", STEP_IN_BOOT_IMAGE, true, run_repeatable},
        {"again", STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, run_repeatable},
        {"once", STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, false, run_repeatable},
        {"setup", STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, run_setup},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].type, type) == 0)
            return &types[i];
    return NULL;
}

static int fake_get_ahead(struct step_context *c, struct step_result *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(64);
    char word[64];

    (void)snprintf(word, sizeof(word), "ahead-%s", c->step_name);
    test_note(ran_path, word);
    (void)file_read(ahead_path, &text);
    return strstr(buf_str(&text), "no") ? step_fail(ret, "SLW-0330", "there is no room") : 0;
}

/* Only who is as the step said gets in. */
static int
fake_connect_folder(struct step_context *c, const struct connection *one, struct buf *why)
{
    OWN(buf_fini) struct buf text = BUF_INIT(64);

    (void)c;
    if (strcmp(one->path, "\\\\server\\share") != 0 || strcmp(one->account, "eva") != 0 ||
        strcmp(one->password, "hush") != 0)
        return -1;
    test_note(ran_path, one->target);
    (void)file_read(drive_path, &text);
    if (!strstr(buf_str(&text), "no"))
        return 0;
    buf_adds(why, "the server has moved");
    return NETWORK_FOLDER_E_MISSING;
}

static bool fake_is_folder_connected(const char *target)
{
    (void)target;
    return false;
}

static void run_child(bool is_full_os)
{
    static const struct run_platform fake = {
        .collect = fake_collect,
        .network_up = fake_network_up,
        .set_clock = fake_set_clock,
        .mount = fake_mount,
        .unmount = fake_unmount,
        .find_state = fake_find_state,
        .find_type = fake_find_type,
        .boot_image_is_back = fake_boot_image_is_back,
        .get_ahead = fake_get_ahead,
        .connect_folder = fake_connect_folder,
        .is_folder_connected = fake_is_folder_connected,
        .settle = fake_settle,
        .state_is_written = die_when_it_is_time,
        .target_root = volume,
        .full_os_root = volume,
        .journal_path = journal_path,
        .poll_us = 10000,
        .patience_us = 1000000,
    };
    struct run_options options = {
        .is_full_os = is_full_os,
        .site = {.urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path},
        .ticket = "",
        .boot_image = "SLP00001",
        .version = "test",
        .platform = &fake,
    };
    enum run_end end;

    if (!freopen("/dev/null", "we", stderr) || screen_new(NULL, 0, &options.screen) != 0 ||
        run_agent(&options, &end) != 0)
        _exit(1);
    _exit(end == RUN_RESTART    ? END_RESTART
          : end == RUN_FINISHED ? END_FINISHED
          : end == RUN_OFF      ? END_OFF
                                : 1);
}

static int start(bool is_full_os, unsigned die_at)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        (void)alarm(HANGS_S);
        kill_at = die_at;
        run_child(is_full_os);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

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
        status = file_exists(forget_path) ? "401 Unauthorized" : "201 Created";
        (void)snprintf(body, sizeof(body), "{\"token\": \"t\", \"device_name\": \"pc\"}");
    } else if (strstr(request, "/client/orders ") && file_exists(nothing_path)) {
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
            file_exists(ahead_path) ? "download-all-first" : "stream");
    } else if (state) {
        char word[32];

        state += strlen("\"state\":");
        state += strspn(state, " \"");
        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(state, "\""), state);
        test_note(reports_path, word);
        if (file_exists(trouble_path))
            status = "503 Service Unavailable";
        if (file_exists(forget_path))
            status = "401 Unauthorized";
        if (file_exists(cancel_path) && strcmp(word, "step-succeeded") == 0)
            (void)snprintf(body, sizeof(body), "{\"is_cancelled\": true}");
        if (file_exists(pause_path))
            (void)snprintf(body, sizeof(body), PAUSE_TEXT);
    } else if (strstr(request, "/wish ")) {
        test_note(reports_path, "asked");
        if (file_exists(pause_path) && n_asked++ < 2)
            (void)snprintf(body, sizeof(body), PAUSE_TEXT);
        else /* the third time somebody lets it go on */
            (void)unlink(pause_path);
    }
    return test_site_reply(status, body, dst, cap);
}

static bool state_says(const char *words)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);

    test_read(state_path, &text);
    return strstr(buf_str(&text), words) != NULL;
}

static void begin(void)
{
    (void)unlink(ran_path);
    (void)unlink(reports_path);
    (void)dir_remove(volume);
}

/* From power on to the end, with a power cut at write @die_at of start @die_in (from 0). @network_first: the firmware asks
   the network, which lets it start the disk if the last that the site was told is the restart. Return: whether there was one. */
static bool live(int die_in, unsigned die_at, bool network_first)
{
    bool was_cut = false;

    begin();
    for (int i = 0; i < MAX_STARTS; i++) {
        bool os = state_says("\"phase\": \"full-os\"") &&
                  (!network_first || test_ends(reports_path, "restarting "));
        int code = start(os, i == die_in ? die_at : 0);

        was_cut |= code == KILLED;
        if (code == END_FINISHED)
            return was_cut;
        assert_true(code == KILLED || code == END_RESTART);
    }
    fail_msg("it never ends");
    return false;
}

static void check_end(unsigned die_at)
{
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);
    char path[160];

    test_read(ran_path, &ran);
    test_read(reports_path, &reports);
    /* every step but the one that must not be repeated ran to its end; that one at most once */
    if (test_count(buf_str(&ran), "format ") < 1 || test_count(buf_str(&ran), "a ") < 1 ||
        test_count(buf_str(&ran), "o ") > 1 || test_count(buf_str(&ran), "setup-1 ") < 1 ||
        test_count(buf_str(&ran), "setup-2 ") < 1 || test_count(buf_str(&ran), "last ") < 1)
        fail_msg("cut at write %u: ran %s", die_at, buf_str(&ran));
    if (test_count(buf_str(&reports), " succeeded ") != 1 ||
        test_count(buf_str(&reports), " failed ") != 0)
        fail_msg("cut at write %u: reported %s", die_at, buf_str(&reports));
    (void)snprintf(path, sizeof(path), "%s/%s", volume, TARGET_STATE_FOLDER);
    assert_false(file_exists(path));
    (void)snprintf(path, sizeof(path), "%s/var/log/slipway/smsts.log", volume);
    assert_true(file_exists(path));
}

static void a_deployment_without_power_cut_runs_each_step_once(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    assert_false(live(0, 0, false));
    check_end(0);
    test_read(ran_path, &ran);
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
    test_note(old_path, "yes");
    assert_int_equal(start(false, 1), KILLED); /* before there was no place to write to */
    assert_true(state_says("\"is_old\": true") && state_says("\"is_running\": true"));
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(old_path);
    test_read(ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format format a o setup-1 ");
}

static void a_failure_on_a_disk_that_takes_nothing_more_is_reported(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(break_path, "yes");
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(break_path);
    test_read(reports_path, &reports);
    assert_int_equal(test_count(buf_str(&reports), "step-failed "), 1);
    assert_int_equal(test_count(buf_str(&reports), " failed "), 1);
}

static void the_disk_starts_the_boot_image_until_its_steps_are_done(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    test_note(watch_path, "yes");
    assert_int_equal(start(false, 3), KILLED);
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(watch_path);
    test_read(ran_path, &ran);
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
    test_note(drive_path, "yes");
    assert_int_equal(start(false, 1), KILLED);
    assert_int_equal(start(false, 0), END_RESTART);
    test_note(drive_path, "no");
    assert_int_equal(start(true, 0), END_FINISHED);
    (void)unlink(drive_path);
    test_read(ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format /run/drive a o setup-1 /run/drive setup-2 last ");
    (void)snprintf(path, sizeof(path), "%s/var/log/slipway/smsts.log", volume);
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
    test_note(off_path, "yes");
    assert_int_equal(start(false, 0), END_RESTART);
    assert_int_equal(start(true, 0), END_OFF);
    (void)unlink(off_path);
    assert_int_equal(start(true, 0), END_FINISHED);
    test_read(ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format a o setup-1 setup-2 last ");
}

static void nothing_is_touched_before_the_site_has_heard_of_the_start(void **state)
{
    (void)state;
    begin();
    test_note(trouble_path, "yes");
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(trouble_path);
    assert_false(file_exists(ran_path));
}

static void an_agent_whose_token_is_not_known_any_more_stops_and_cleans_up(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    assert_int_equal(start(false, 0), END_RESTART);
    test_note(forget_path, "yes");
    assert_int_equal(start(true, 0), END_FINISHED);
    (void)unlink(forget_path);
    test_read(ran_path, &ran);
    assert_string_equal(buf_str(&ran), "format a o setup-1 ");
    assert_false(file_exists(state_path));
}

static void a_boot_image_from_the_disk_goes_back_when_nothing_is_deployed_any_more(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    begin();
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(ran_path);
    test_note(nothing_path, "yes");
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(nothing_path);
    test_read(ran_path, &ran);
    assert_string_equal(buf_str(&ran), "switched-back ");
}

static void what_all_steps_use_is_downloaded_before_the_first_is_run(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    test_note(ahead_path, "yes");
    (void)live(0, 0, false);
    (void)unlink(ahead_path);
    test_read(ran_path, &ran);
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
    test_note(ahead_path, "no");
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(ahead_path);
    test_read(ran_path, &ran);
    test_read(reports_path, &reports);
    assert_string_equal(buf_str(&ran), "ahead-f ");
    assert_non_null(strstr(buf_str(&reports), "started failed "));
}

static void a_cancelled_deployment_stops_and_says_so(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(cancel_path, "yes");
    assert_int_equal(start(false, 0), END_RESTART);
    (void)unlink(cancel_path);
    test_read(ran_path, &ran);
    test_read(reports_path, &reports);
    assert_string_equal(buf_str(&ran), "format ");
    assert_string_equal(buf_str(&reports), "started step-started step-succeeded cancelled ");
    assert_false(file_exists(state_path));
}

static void a_paused_computer_waits_before_a_step_until_the_site_says_otherwise(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf reports = BUF_INIT(TEXT_MAX);

    begin();
    test_note(pause_path, "yes");
    assert_int_equal(start(false, 0), END_RESTART);
    test_read(ran_path, &ran);
    test_read(reports_path, &reports);
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
    } places[] = {{volume, "volume"},
                  {socket_path, "site"},
                  {journal_path, "memory/smsts.log"},
                  {ran_path, "ran"},
                  {old_path, "old"},
                  {cancel_path, "cancel"},
                  {pause_path, "pause"},
                  {forget_path, "forget"},
                  {nothing_path, "nothing"},
                  {ahead_path, "ahead"},
                  {trouble_path, "trouble"},
                  {watch_path, "watch"},
                  {drive_path, "drive"},
                  {off_path, "off"},
                  {break_path, "break"},
                  {reports_path, "reports"}};

    if (!mkdtemp(folder))
        return 1;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        (void)snprintf(places[i].path, 96, "%s/%s", folder, places[i].name);
    (void)snprintf(state_path, sizeof(state_path), "%s/%s", volume, TARGET_STATE_FILE);
    pid_t site = test_site_start(socket_path, answer_to);
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    (void)dir_remove(folder);
    return n_failed;
}
