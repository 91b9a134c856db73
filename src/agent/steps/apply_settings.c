/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "agent/steps/accounts.h"
#include "agent/steps/apply_locale.h"
#include "agent/steps/cloud_init.h"
#include "agent/steps/generalize.h"
#include "agent/steps/inside.h"
#include "agent/steps/registration.h"
#include "agent/steps/step.h"
#include "agent/steps/without_effect.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/step_forms.h"
#include "ts/time_zones.h"
#include "ts/vars.h"

enum {
    FILE_MAX_BYTES = 1024 * 1024,
    PATH_MAX_BYTES = 256,
};

static const struct inside_mode public_file = {0644, 0, 0};

#define ZONE_FOLDER "usr/share/zoneinfo/"

/* hosts without its line for 127.0.1.1, and with ours. */
static int write_hosts(int root, const char *name)
{
    OWN(buf_fini) struct buf old = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf new = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, "etc/hosts", &old);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        buf_adds(&new, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    for (const char *line = r == 0 ? buf_str(&old) : ""; *line;) {
        size_t len = strcspn(line, "\n");

        if (strncmp(line, "127.0.1.1", 9) != 0) {
            buf_add(&new, (struct bytes){(const uint8_t *)line, len});
            buf_adds(&new, "\n");
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    buf_addf(&new, "127.0.1.1\t%s\n", name);
    return TRACE(inside_write(root, "etc/hosts", buf_bytes(&new), public_file));
}

static int apply_name(struct step_context *c, int root, struct step_result *ret)
{
    const char *name = step_value(c, "OSDComputerName");
    OWN(buf_fini) struct buf text = BUF_INIT(1024);
    int r;

    if (name[0] == '\0')
        name = ts_vars_get(c->vars, "_SMSTSMachineName");
    if (!ts_form_fits(TS_FORM_HOST_NAME, name))
        return step_fail(
            ret,
            "SLW-0437",
            "OSDComputerName \"%s\" is no host name: letters, digits and '-', at most 63",
            name);
    buf_addf(&text, "%s\n", name);
    r = inside_write(root, "etc/hostname", buf_bytes(&text), public_file);
    if (r == 0)
        r = write_hosts(root, name);
    c->log(c->ctx, "Computer name: %s", name);
    return TRACE(r);
}

/* Newer systems lack the old names, older ones the new ones. */
static bool find_zone(int root, const struct ts_time_zone *zone, char path[static PATH_MAX_BYTES])
{
    const char *const names[] = {zone->name, zone->older};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && names[i]; i++) {
        (void)snprintf(path, PATH_MAX_BYTES, ZONE_FOLDER "%s", names[i]);
        if (inside_exists(root, path))
            return true;
    }
    return false;
}

static int apply_time_zone(struct step_context *c, int root, struct step_result *ret)
{
    const char *asked = step_value(c, "OSDTimeZone");
    struct ts_time_zone zone;
    char path[PATH_MAX_BYTES];
    OWN(buf_fini) struct buf text = BUF_INIT(1024);
    int r;

    if (asked[0] == '\0')
        return 0;
    if (!ts_time_zone_of(asked, &zone))
        return step_fail(
            ret, "SLW-0438", "OSDTimeZone \"%s\" is unknown; use a name like Europe/Berlin", asked);
    if (!find_zone(root, &zone, path))
        return step_fail(ret,
                         "SLW-0438",
                         "the image does not know the time zone %s; add the package tzdata to it",
                         zone.name);
    buf_addf(&text, "%s\n", path + strlen(ZONE_FOLDER));
    r = inside_write(root, "etc/timezone", buf_bytes(&text), public_file);
    buf_clear(&text);
    buf_addf(&text, "/%s", path);
    if (r == 0)
        r = inside_link(root, "etc/localtime", buf_str(&text));
    c->log(c->ctx, "Time zone: %s", path + strlen(ZONE_FOLDER));
    return TRACE(r);
}

static int apply_root_password(struct step_context *c, int root, struct step_result *ret)
{
    const char *password = step_value(c, "OSDLocalAdminPassword");
    bool is_random = !bytes_eq_nocase(bytes_of(step_value(c, "OSDRandomAdminPassword")), "false");
    int r;

    if (password[0] != '\0')
        is_random = false;
    if (!is_random && password[0] == '\0')
        return step_fail(
            ret,
            "SLW-0440",
            "OSDRandomAdminPassword is false, but OSDLocalAdminPassword is empty; give it a "
            "value in a variable of the device or collection");
    r = accounts_set_password(root, "root", is_random ? NULL : password);
    if (r > 0)
        return step_fail(ret,
                         "SLW-0440",
                         "the image has no etc/shadow with an account root; choose another image");
    c->log(c->ctx, is_random ? "The password of root is locked" : "The password of root is set");
    return TRACE(r);
}

static int apply_user(struct step_context *c, int root, struct step_result *ret)
{
    const char *user = step_value(c, "SLWUserName");
    const char *key = step_value(c, "SLWUserSSHKey");
    int r;

    if (user[0] == '\0')
        return 0;
    if (!ts_form_fits(TS_FORM_USER, user) || !ts_form_fits(TS_FORM_LINE, key))
        return step_fail(
            ret,
            "SLW-0440",
            "SLWUserName \"%s\" is no user name, or SLWUserSSHKey has more than one line",
            user);
    r = accounts_add_user(root, user, step_value(c, "SLWUserPassword"), key);
    if (r == ACCOUNTS_E_EXISTS) /* the step is being repeated, or the image has this account */
        r = step_value(c, "SLWUserPassword")[0] != '\0'
                ? accounts_set_password(root, user, step_value(c, "SLWUserPassword"))
                : 0;
    if (r > 0)
        return step_fail(
            ret,
            "SLW-0440",
            "the account \"%s\" cannot be added: the image lacks account files or user ids",
            user);
    c->log(c->ctx, "Account %s", user);
    return TRACE(r);
}

static int apply_registration(struct step_context *c, int root, struct step_result *ret)
{
    const char *user = step_value(c, "OSDRegisteredUserName");
    const char *organization = step_value(c, "OSDRegisteredOrgName");
    int r = 0;

    (void)ret;
    if (user[0] != '\0')
        r = registration_write(root, REGISTRATION_USER, user);
    if (r == 0 && organization[0] != '\0')
        r = registration_write(root, REGISTRATION_ORGANIZATION, organization);
    return TRACE(r);
}

static bool has_language(struct step_context *c)
{
    static const char *const names[] = {"OSDWindowsSettingsUILanguage",
                                        "OSDWindowsSettingsUserLocale",
                                        "OSDWindowsSettingsSystemLocale"};
    bool is_set = false;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        is_set = is_set || step_value(c, names[i])[0] != '\0';
    return is_set;
}

/* Apply Windows Settings */
int step_apply_settings_run(struct step_context *c, struct step_result *ret)
{
    static int (*const parts[])(struct step_context *, int, struct step_result *) = {
        apply_name,
        apply_time_zone,
        locale_apply,
        locale_apply_keyboard,
        apply_registration,
        apply_root_password,
        apply_user,
    };
    OWN(fd_closep) int root = -1;
    int r;

    *ret = (struct step_result){0};
    if (!c->target->is_mounted)
        return step_fail(
            ret,
            "SLW-0436",
            "there is no operating system to write to; put the step behind Apply Operating "
            "System Image");
    r = inside_open(TARGET_ROOT, &root);
    for (size_t i = 0; r == 0 && !ret->error_id && i < sizeof(parts) / sizeof(parts[0]); i++)
        r = parts[i](c, root, ret);
    if (r < 0)
        return TRACE(r);
    if (ret->error_id)
        return 0;
    step_log_without_effect(c);
    r = cloud_init_keep_settings(root, has_language(c));
    return r < 0 ? TRACE(r) : TRACE(generalize_identity(root));
}
