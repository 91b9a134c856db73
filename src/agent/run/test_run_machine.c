/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/test_run_machine.h"

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
#include "agent/run/run.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/test_site.h"
#include "agent/steps/connections.h"
#include "agent/steps/network_folder.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    HANGS_S = 20, /* no start takes so long */
};

struct test_run test_run = {.folder = "/tmp/slipway-test-run-XXXXXX"};

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
    if (file_exists(test_run.nothing_path) || file_exists(test_run.watch_path))
        test_note(test_run.ran_path, "switched-back");
    return !target->is_mounted                  ? -1
           : file_exists(test_run.nothing_path) ? RESTART_SWITCHED_BACK
                                                : 0;
}

static int fake_find_state(const struct machine *m,
                           const char *order_id,
                           struct step_target *ret,
                           struct buf *ret_state)
{
    (void)m;
    (void)order_id;
    if (file_read(test_run.state_path, ret_state) != 0)
        return TARGET_E_MISSING;
    *ret = (struct step_target){.root_device = "/dev/fake2", .root_uuid = "u"};
    return 0;
}

static void die_when_it_is_time(void *ctx)
{
    (void)ctx;
    if (is_unsettled || ++n_writes == kill_at)
        _exit(is_unsettled ? 1 : TEST_RUN_KILLED);
}

static int fake_settle(const char *root)
{
    is_unsettled = is_unsettled && strcmp(root, test_run.volume) != 0;
    return 0;
}

/* As a test_run.volume that is full: the state cannot be written any more. */
static int break_volume(struct step_result *ret)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/%s", test_run.volume, TARGET_STATE_FOLDER);
    if (dir_remove(path) != 0 || file_write(path, bytes_of(""), 0600) != 0)
        abort();
    return step_fail(ret, "SLW-0463", "the disk is full");
}

/* The step types of this machine. Each notes that it began and that it ended. */
static int run_format(struct step_context *c, struct step_result *ret)
{
    test_note(test_run.ran_path, "format");
    *c->target = (struct step_target){.root_device = "/dev/fake2", .root_uuid = "u"};
    *ret = (struct step_result){0};
    c->target->is_old = file_exists(test_run.old_path);
    if (file_exists(test_run.drive_path) &&
        connections_keep(c->connections,
                         &(struct connection){"\\\\server\\share", "/run/drive", "eva", "hush"}) !=
            0)
        return -1;
    return dir_make(test_run.volume, 0700) != 0 ? -1 : c->target->is_old ? c->save(c->ctx) : 0;
}

static int run_repeatable(struct step_context *c, struct step_result *ret)
{
    test_note(test_run.ran_path, c->step_name);
    is_unsettled = true;
    *ret = (struct step_result){0};
    if (strcmp(c->step_name, "last") == 0 && file_exists(test_run.off_path))
        *ret = (struct step_result){.then = STEP_THEN_RESTART_TO_OS, .is_off = true};
    return 0;
}

static int run_setup(struct step_context *c, struct step_result *ret)
{
    bool is_first_half = c->environment == STEP_IN_BOOT_IMAGE;

    test_note(test_run.ran_path, is_first_half ? "setup-1" : "setup-2");
    *ret = (struct step_result){0};
    if (file_exists(test_run.break_path))
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
    test_note(test_run.ran_path, word);
    (void)file_read(test_run.ahead_path, &text);
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
    test_note(test_run.ran_path, one->target);
    (void)file_read(test_run.drive_path, &text);
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
        .target_root = test_run.volume,
        .full_os_root = test_run.volume,
        .journal_path = test_run.journal_path,
        .poll_us = 10000,
        .patience_us = 1000000,
    };
    struct run_options options = {
        .is_full_os = is_full_os,
        .site = {.urls = {"http://site"}, .n_urls = 1, .unix_socket = test_run.socket_path},
        .ticket = "",
        .boot_image = "SLP00001",
        .version = "test",
        .platform = &fake,
    };
    enum run_end end;

    if (!freopen("/dev/null", "we", stderr) || screen_new(NULL, 0, &options.screen) != 0 ||
        run_agent(&options, &end) != 0)
        _exit(1);
    _exit(end == RUN_RESTART    ? TEST_RUN_RESTART
          : end == RUN_FINISHED ? TEST_RUN_FINISHED
          : end == RUN_OFF      ? TEST_RUN_OFF
                                : 1);
}

int test_run_start(bool is_full_os, unsigned die_at)
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
