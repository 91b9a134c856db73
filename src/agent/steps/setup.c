/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Setup Windows and Configuration Manager (SMS_TaskSequence_SetupWindowsAndSMSAction)
 *
 * In the boot image it prepares the volume and restarts into it; in the operating system it makes sure
 * that this is the one.
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/steps/apply_locale.h"
#include "agent/steps/notice.h"
#include "agent/steps/setup_parts.h"
#include "agent/steps/step.h"
#include "agent/steps/without_effect.h"
#include "base/bytes.h"
#include "base/err.h"
#include "image/disk_write.h"
#include "plat/file.h"

enum {
    PAUSE_MAX_S = 24 * 60 * 60,
};

static bool holds_an_os(void)
{
    return file_exists(TARGET_ROOT "/etc") && file_exists(TARGET_ROOT "/usr") &&
           file_exists(TARGET_ROOT "/boot");
}

static int prepare(struct step_context *c, struct step_result *ret)
{
    if (!c->target->is_mounted || !holds_an_os())
        return step_fail(
            ret,
            "SLW-0460",
            "There is no operating system on the volume: Format and Partition Disk and "
            "Apply Operating System Image must come before this step");
    int r = setup_check_join(c, ret);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    (void)c->progress(c->ctx, 10, 0, "Installing the agent");
    r = setup_agent(c, ret);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    (void)c->progress(c->ctx, 60, 0, "Installing the boot loader");
    r = setup_boot(c, ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    ret->then = STEP_THEN_RESTART_TO_OS;
    ret->is_same_step_again = true;
    return 0;
}

/* The UUID of the file system that we run from; "" if it lies on no single device (btrfs). */
static void read_root_uuid(struct disk_content *ret)
{
    struct stat st;
    char link[64];
    char name[256];
    char device[DEVICE_PATH_MAX];

    *ret = (struct disk_content){0};
    if (stat("/", &st) != 0)
        return;
    (void)snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
    ssize_t len = readlink(link, name, sizeof(name) - 1);

    if (len <= 0)
        return;
    name[len] = '\0';
    const char *slash = strrchr(name, '/');

    (void)snprintf(device, sizeof(device), "/dev/%.50s", slash ? slash + 1 : name);
    if (disk_read_content(device, ret) != 0)
        *ret = (struct disk_content){0};
}

static int verify(struct step_context *c, struct step_result *ret)
{
    struct disk_content root;
    uint64_t pause_s;

    read_root_uuid(&root);
    if (root.uuid[0] != '\0' && c->target->root_uuid[0] != '\0' &&
        strcmp(root.uuid, c->target->root_uuid) != 0)
        return step_fail(
            ret,
            "SLW-0466",
            "This system runs from the file system %s, not from %s, which was deployed: "
            "the computer started from another disk",
            root.uuid,
            c->target->root_uuid);
    if (!setup_has_service(""))
        return step_fail(
            ret,
            "SLW-0466",
            "The agent's service is not installed in this system: something removed it");
    c->log(c->ctx, "The deployed operating system is running");
    if (bytes_parse_u64(bytes_of(step_value(c, "SetupCompletePause")), 1, PAUSE_MAX_S, &pause_s))
        (void)notice_wait(c, (unsigned)pause_s, "Waiting (SetupCompletePause)");

    int r = locale_make(c, ret);

    return r < 0 || ret->error_id ? TRACE(r) : TRACE(setup_join(c, ret));
}

int step_setup_run(struct step_context *c, struct step_result *ret)
{
    *ret = (struct step_result){0};
    step_log_without_effect(c);
    return c->environment == STEP_IN_FULL_OS ? TRACE(verify(c, ret)) : TRACE(prepare(c, ret));
}
