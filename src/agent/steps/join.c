/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/join.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/steps/program.h"
#include "agent/steps/return_code.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/compare.h"
#include "ts/step_forms.h"
#include "ts/vars.h"

enum {
    OPTION_MAX_BYTES = 33 * 1024, /* of an organizational unit */
    CONFIG_MAX_BYTES = 1024 * 1024,
    CONFIG_MODE = 0644,
    WORDS_MAX = 12,
    JOIN_TIMEOUT_S = 600,
    SAID_MAX_BYTES = 8 * 1024,
};

#define KEPT_DOMAIN   "_SLWJoinDomain"
#define KEPT_UNIT     "_SLWJoinUnit"
#define KEPT_ACCOUNT  "_SLWJoinAccount"
#define KEPT_PASSWORD "_SLWJoinPassword"

static const char config_path[] = "/etc/samba/smb.conf";

/* "  Work group = x": Samba passes over spaces and case in names. */
static bool is_workgroup_line(const char *line, size_t len)
{
    static const char name[] = "workgroup";
    size_t n = 0;

    for (size_t i = 0; i < len && line[i] != '='; i++) {
        if (line[i] == ' ' || line[i] == '\t')
            continue;
        if (n == sizeof(name) - 1 || (line[i] | 0x20) != name[n])
            return false;
        n++;
    }
    return n == sizeof(name) - 1 && memchr(line, '=', len);
}

void join_set_workgroup(const char *config, const char *name, struct buf *ret)
{
    static const char section[] = "[global]";
    bool is_in_global = false;
    bool is_done = false;

    for (const char *line = config; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *text = line + strspn(line, " \t");
        bool is_section = *text == '[';

        if (is_section)
            is_in_global = strncasecmp(text, section, sizeof(section) - 1) == 0;
        if (!is_in_global || is_section || !is_workgroup_line(line, len))
            buf_addf(ret, "%.*s\n", (int)len, line);
        if (is_section && is_in_global && !is_done) {
            buf_addf(ret, "   workgroup = %s\n", name);
            is_done = true;
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    if (!is_done)
        buf_addf(ret, "[global]\n   workgroup = %s\n", name);
}

static int join_workgroup(struct step_context *c, struct step_result *ret)
{
    const char *name = step_value(c, "OSDJoinWorkgroupName");
    OWN(buf_fini) struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
    OWN(buf_fini) struct buf changed = BUF_INIT(CONFIG_MAX_BYTES);
    int r;

    if (!ts_form_fits(TS_FORM_WORKGROUP, name))
        return step_fail_with(ret,
                              RETURN_PARAMETER,
                              "SLW-0449",
                              "\"%.64s\" is no name of a workgroup: letters, digits, - _ .",
                              name);
    r = file_read(config_path, &config);
    if (r == FILE_E_MISSING) {
        c->log(c->ctx,
               "This system has no Samba: it is in no workgroup, and nothing needs to be set");
        return 0;
    }
    if (r != 0)
        return r < 0 ? TRACE(r)
                     : step_fail(ret, "SLW-0449", "%s is too long to be changed", config_path);
    join_set_workgroup(buf_str(&config), name, &changed);
    c->log(c->ctx, "The workgroup in %s becomes %s", config_path, name);
    return TRACE(file_write(config_path, buf_bytes(&changed), CONFIG_MODE));
}

/* "EXAMPLE\\joiner" is joiner: the domain is the one that is joined. */
static const char *account_of(const char *account)
{
    const char *slash = strrchr(account, '\\');

    return slash ? slash + 1 : account;
}

/* "LDAP://OU=Labs,DC=example,DC=org" without what Windows writes in front. */
static const char *unit_of(const char *unit)
{
    return strncasecmp(unit, "LDAP://", 7) == 0 ? unit + 7 : unit;
}

struct words {
    const char *items[WORDS_MAX];
    struct buf user; /* owned, like the next */
    struct buf unit;
};

static void words_fini(struct words *w)
{
    buf_fini(&w->user);
    buf_fini(&w->unit);
}

/* realmd makes logins work as well, adcli only joins. Return: false if there is neither. */
static bool make_command(const struct join *join, struct words *w)
{
    bool has_realm = access("/usr/sbin/realm", X_OK) == 0 || access("/usr/bin/realm", X_OK) == 0;
    bool has_adcli = access("/usr/sbin/adcli", X_OK) == 0 || access("/usr/bin/adcli", X_OK) == 0;
    const char *unit = unit_of(join->unit);
    size_t n = 0;

    buf_addf(&w->user, has_realm ? "--user=%s" : "--login-user=%s", account_of(join->account));
    buf_addf(&w->unit, has_realm ? "--computer-ou=%s" : "--domain-ou=%s", unit);
    w->items[n++] = has_realm ? "realm" : "adcli";
    w->items[n++] = "join";
    w->items[n++] = has_realm ? "--unattended" : "--stdin-password";
    w->items[n++] = buf_str(&w->user);
    if (unit[0] != '\0')
        w->items[n++] = buf_str(&w->unit);
    w->items[n++] = join->domain;
    w->items[n] = NULL;
    return has_realm || has_adcli;
}

/* Both programs end with numbers of their own; what they say is English, as they run in the C locale. */
static int code_of(const char *said, int code)
{
    static const struct {
        const char *words;
        int code;
    } known[] = {
        {"authenticate as", RETURN_LOGON},
        {"authenticate to", RETURN_LOGON},
        {"discover domain", RETURN_NAME_NOT_RESOLVED},
        {"resolve host name", RETURN_NAME_NOT_RESOLVED},
        {"No such realm", RETURN_NAME_NOT_RESOLVED},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(said, known[i].words))
            return known[i].code;
    return code;
}

int join_check(const struct join *join, struct buf *why)
{
    if (!ts_form_fits(TS_FORM_DOMAIN, join->domain)) {
        buf_addf(why, "\"%.200s\" is no name of a domain", join->domain);
        return RETURN_PARAMETER;
    }
    if (account_of(join->account)[0] == '\0' || join->password[0] == '\0') {
        buf_addf(
            why, "the account that joins \"%.200s\", or its password, is not set", join->domain);
        return RETURN_LOGON;
    }
    return 0;
}

/* A power cut may have come right after it. */
static bool is_joined_already(const char *said)
{
    return strstr(said, "Already joined to this domain") != NULL;
}

int join_domain(struct step_context *c, const struct join *join, struct step_result *ret)
{
    OWN(buf_fini) struct buf said = BUF_INIT(SAID_MAX_BYTES);
    OWN(words_fini)
    struct words words = {.user = BUF_INIT(OPTION_MAX_BYTES), .unit = BUF_INIT(OPTION_MAX_BYTES)};
    const struct program program = {.argv = words.items,
                                    .input = bytes_of(join->password), /* on no command line */
                                    .timeout_s = JOIN_TIMEOUT_S,
                                    .tail = &said,
                                    .what = "Joining the domain"};
    int code = join_check(join, &said);
    int r;

    if (code != 0)
        return step_fail_with(ret, code, "SLW-0449", "%s", buf_str(&said));
    if (!make_command(join, &words))
        return step_fail_with(
            ret,
            RETURN_NOT_FOUND,
            "SLW-0449",
            "this system can join no domain: install realmd and adcli before, with a "
            "step that installs packages or in the image");
    r = program_run(c, &program, &code, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    if (code != 0 && !is_joined_already(buf_str(&said)))
        (void)step_fail_with(
            ret,
            code_of(buf_str(&said), code),
            "SLW-0449",
            "%s could not join \"%.200s\" and ended with exit code %d; what it said is "
            "in smsts.log",
            words.items[0],
            join->domain,
            code);
    return 0;
}

int join_keep(const struct join *join, struct ts_vars *vars)
{
    const struct {
        const char *name;
        const char *value;
    } kept[] = {{KEPT_DOMAIN, join->domain},
                {KEPT_UNIT, join->unit},
                {KEPT_ACCOUNT, join->account},
                {KEPT_PASSWORD, join->password}};
    int r = ts_vars_set_secret(vars, KEPT_PASSWORD);

    for (size_t i = 0; r == 0 && i < sizeof(kept) / sizeof(kept[0]); i++)
        r = ts_vars_set(vars, kept[i].name, kept[i].value, TS_BY_ENGINE);
    return TRACE(r);
}

bool join_find(const struct ts_vars *vars, struct join *ret)
{
    *ret = (struct join){.domain = ts_vars_get(vars, KEPT_DOMAIN),
                         .unit = ts_vars_get(vars, KEPT_UNIT),
                         .account = ts_vars_get(vars, KEPT_ACCOUNT),
                         .password = ts_vars_get(vars, KEPT_PASSWORD)};
    return ret->domain[0] != '\0';
}

/* Join Domain or Workgroup */
int step_join_run(struct step_context *c, struct step_result *ret)
{
    const struct join join = {.domain = step_value(c, "OSDJoinDomainName"),
                              .unit = step_value(c, "OSDJoinDomainOUName"),
                              .account = step_value(c, "OSDJoinAccount"),
                              .password = step_value(c, "OSDJoinPassword")};
    const char *type = step_value(c, "OSDJoinType");
    bool is_restart_left_out = ts_compare_text(step_value(c, "OSDJoinSkipReboot"), "true") == 0;
    int r;

    *ret = (struct step_result){0};
    if (strcmp(type, "0") == 0)
        r = join_domain(c, &join, ret);
    else if (strcmp(type, "1") == 0)
        r = join_workgroup(c, ret);
    else
        return step_fail_with(ret,
                              RETURN_PARAMETER,
                              "SLW-0449",
                              "\"%.32s\" is neither 0 (domain) nor 1 (workgroup)",
                              type);
    if (r == 0 && !ret->error_id && !is_restart_left_out)
        ret->then = STEP_THEN_RESTART_TO_OS;
    return TRACE(r);
}
