/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Capture Windows Settings (SMS_TaskSequence_CaptureWindowsSettingsAction)
 *
 * Name, registered user and organization, and time zone of the system that runs, or, in the boot image, of the one on the
 * disk, become the variables that Apply Windows Settings uses.
 */

#include <stdbool.h>
#include <string.h>

#include "agent/steps/capture_parts.h"
#include "agent/steps/inside.h"
#include "agent/steps/registration.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    TEXT_MAX_BYTES = 4096,
};

/* Each of them is on unless the step says no. */
static bool is_wanted(struct step_context *c, const char *name)
{
    return !bytes_eq_nocase(bytes_of(step_value(c, name)), "false");
}

static int set(struct step_context *c, const char *name, const struct buf *value)
{
    int r;

    if (value->len == 0) {
        c->log(c->ctx, "%s: the system does not say", name);
        return 0;
    }
    r = ts_vars_set(c->vars, name, buf_str(value), TS_BY_ENGINE);
    if (r < 0)
        return TRACE(r);
    c->log(c->ctx, "%s: %s", name, r == 0 ? buf_str(value) : "too long, not kept");
    return 0;
}

/* The first word of the first line that is no comment, up to a character of @ends. */
static int read_word(int root, const char *path, const char *ends, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    int r = inside_read(root, path, &text);

    if (r < 0)
        return TRACE(r);
    for (const char *line = r == 0 ? buf_str(&text) : ""; *line;) {
        line += strspn(line, " \t");
        if (*line != '#' && *line != '\n') {
            buf_add(ret, (struct bytes){(const uint8_t *)line, strcspn(line, ends)});
            return 0;
        }
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    return 0;
}

static int capture_name(struct step_context *c, int root)
{
    OWN(buf_fini) struct buf name = BUF_INIT(TEXT_MAX_BYTES);
    int r = read_word(root, "etc/hostname", ". \t\r\n", &name);

    return r < 0 ? TRACE(r) : TRACE(set(c, "OSDComputerName", &name));
}

static int capture_registration(struct step_context *c, int root)
{
    OWN(buf_fini) struct buf user = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf organization = BUF_INIT(TEXT_MAX_BYTES);
    int r = registration_read(root, REGISTRATION_USER, &user);

    if (r == 0)
        r = registration_read(root, REGISTRATION_ORGANIZATION, &organization);
    if (r == 0)
        r = set(c, "OSDRegisteredUserName", &user);
    if (r == 0)
        r = set(c, "OSDRegisteredOrgName", &organization);
    return TRACE(r);
}

/* What /etc/localtime leads to says more than /etc/timezone, which few systems have. */
static int capture_time_zone(struct step_context *c, int root)
{
    static const char folder[] = "/zoneinfo/";
    OWN(buf_fini) struct buf zone = BUF_INIT(TEXT_MAX_BYTES);
    char target[256];
    int r = inside_read_link(root, "etc/localtime", target, sizeof(target));

    if (r < 0)
        return TRACE(r);
    if (r == 0 && strstr(target, folder))
        buf_adds(&zone, strstr(target, folder) + strlen(folder));
    else
        r = read_word(root, "etc/timezone", " \t\r\n", &zone);
    return r < 0 ? TRACE(r) : TRACE(set(c, "OSDTimeZone", &zone));
}

static int capture(struct step_context *c, int root)
{
    int r = 0;

    if (is_wanted(c, "OSDMigrateComputerName"))
        r = capture_name(c, root);
    if (r == 0 && is_wanted(c, "OSDMigrateRegistrationInfo"))
        r = capture_registration(c, root);
    if (r == 0 && is_wanted(c, "OSDMigrateTimeZone"))
        r = capture_time_zone(c, root);
    return TRACE(r);
}

/* Of a computer that was started from the network: the system on its disk, which is not written to. */
static int capture_from_disk(struct step_context *c, struct step_result *ret)
{
    OWN(capture_parts_fini) struct capture_parts parts = {0};
    OWN(fd_closep) int root = -1;
    int r = capture_parts_find(c, &parts);

    if (r < 0)
        return TRACE(r);
    if (parts.n == 0)
        return step_fail(ret,
                         "SLW-0483",
                         "no volume of this computer's disks has an operating system whose "
                         "settings could be captured");
    r = inside_open(parts.list[0].folder, &root);
    return r < 0 ? TRACE(r) : TRACE(capture(c, root));
}

int step_capture_settings_run(struct step_context *c, struct step_result *ret)
{
    OWN(fd_closep) int root = -1;
    int r;

    *ret = (struct step_result){0};
    if (c->environment == STEP_IN_BOOT_IMAGE)
        return TRACE(capture_from_disk(c, ret));
    r = inside_open("/", &root);
    return r < 0 ? TRACE(r) : TRACE(capture(c, root));
}
