/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/steps/readiness.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/compare.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/vars.h"

enum {
    TEXT_MAX = 128,
    FAILED_MAX_BYTES = 4096,
};

/* What one check found. */
struct finding {
    bool is_met;
    bool is_not_asked_here; /* it is about a running system, and none runs */
    char text[TEXT_MAX];    /* "3900 MB, and 4096 MB are wanted" */
};

struct check {
    const char *enabled; /* variable that switches it on */
    const char *wanted;  /* variable with what it compares with; NULL: nothing */
    const char *result;  /* variable that says how it went */
    const char *name;
    void (*run)(const struct readiness *found, const char *wanted, struct finding *ret);
};

static void at_least(uint64_t found, const char *wanted, const char *unit, struct finding *ret)
{
    uint64_t least = 0;

    if (!bytes_parse_u64(bytes_of(wanted), 0, INT64_MAX, &least)) {
        (void)snprintf(ret->text, TEXT_MAX, "\"%.40s\" is no number", wanted);
        return;
    }
    ret->is_met = found >= least;
    (void)snprintf(
        ret->text, TEXT_MAX, "%" PRIu64 " %s, wanted %" PRIu64 " %s", found, unit, least, unit);
}

static void check_memory(const struct readiness *r, const char *wanted, struct finding *ret)
{
    at_least(r->memory_mib, wanted, "MB", ret);
}

static void check_speed(const struct readiness *r, const char *wanted, struct finding *ret)
{
    at_least(r->speed_mhz, wanted, "MHz", ret);
}

static void check_disk(const struct readiness *r, const char *wanted, struct finding *ret)
{
    at_least(r->disk_mib, wanted, "MB", ret);
}

static bool has_no_os(const struct readiness *r, struct finding *ret)
{
    ret->is_not_asked_here = !r->has_os;
    return !r->has_os;
}

static void check_type(const struct readiness *r, const char *wanted, struct finding *ret)
{
    if (has_no_os(r, ret))
        return;
    if (r->has_no_kind) { /* a Linux without editions is used as either */
        ret->is_met = true;
        (void)snprintf(
            ret->text,
            TEXT_MAX,
            "the system names neither an edition nor a display manager; \"%.20s\" is met",
            wanted);
        return;
    }
    ret->is_met = ts_compare_text(wanted, r->is_server ? "SERVER" : "CLIENT") == 0;
    (void)snprintf(
        ret->text, TEXT_MAX, "%s, wanted %.40s", r->is_server ? "SERVER" : "CLIENT", wanted);
}

static void check_bits(const struct readiness *r, const char *wanted, struct finding *ret)
{
    char bits[8];

    if (has_no_os(r, ret))
        return;
    (void)snprintf(bits, sizeof(bits), "%u", r->os_bits);
    ret->is_met = strcmp(bits, wanted) == 0;
    (void)snprintf(ret->text, TEXT_MAX, "%u bit, wanted %.40s bit", r->os_bits, wanted);
}

static void compare(const struct readiness *r, const char *wanted, int sign, struct finding *ret)
{
    int order = 0;

    if (has_no_os(r, ret))
        return;
    ret->is_met = ts_compare_versions(r->os_version, wanted, &order) && order * sign >= 0;
    (void)snprintf(ret->text,
                   TEXT_MAX,
                   "\"%.40s\", wanted at %s \"%.40s\"",
                   r->os_version,
                   sign > 0 ? "least" : "most",
                   wanted);
}

static void check_min_version(const struct readiness *r, const char *wanted, struct finding *ret)
{
    compare(r, wanted, 1, ret);
}

static void check_max_version(const struct readiness *r, const char *wanted, struct finding *ret)
{
    compare(r, wanted, -1, ret);
}

/* There is no client of Configuration Manager: its place takes the agent, and the site gives that to each run. */
static void check_client(const struct readiness *r, const char *wanted, struct finding *ret)
{
    (void)r;
    ret->is_met = true;
    (void)snprintf(ret->text,
                   TEXT_MAX,
                   "the agent comes from the site with each deployment; \"%.40s\" is met",
                   wanted);
}

static void check_language(const struct readiness *r, const char *wanted, struct finding *ret)
{
    uint64_t lcid = 0;

    if (has_no_os(r, ret))
        return;
    ret->is_met = bytes_parse_u64(bytes_of(wanted), 0, UINT16_MAX, &lcid) && lcid == r->os_language;
    (void)snprintf(ret->text, TEXT_MAX, "LCID %" PRIu64 ", wanted %.40s", r->os_language, wanted);
}

static void check_power(const struct readiness *r, const char *wanted, struct finding *ret)
{
    (void)wanted;
    ret->is_met = r->is_on_mains;
    (void)snprintf(ret->text, TEXT_MAX, "%s", r->is_on_mains ? "plugged in" : "on battery");
}

static void check_network(const struct readiness *r, const char *wanted, struct finding *ret)
{
    (void)wanted;
    ret->is_met = r->has_network;
    (void)snprintf(
        ret->text, TEXT_MAX, "%s", r->has_network ? "connected" : "no adapter has a link");
}

static void check_wired(const struct readiness *r, const char *wanted, struct finding *ret)
{
    (void)wanted;
    ret->is_met = r->is_wired;
    (void)snprintf(
        ret->text, TEXT_MAX, "%s", r->is_wired ? "by cable" : "no adapter with a cable has a link");
}

static void check_uefi(const struct readiness *r, const char *wanted, struct finding *ret)
{
    (void)wanted;
    ret->is_met = r->is_uefi;
    (void)snprintf(ret->text, TEXT_MAX, "%s", r->is_uefi ? "UEFI" : "BIOS");
}

/* The kernel shows a TPM 2.0 only if the firmware has switched it on, and one of 2.0 needs no activation. */
static void check_tpm(const struct readiness *r, const char *wanted, struct finding *ret)
{
    (void)wanted;
    ret->is_met = r->has_tpm_2;
    (void)snprintf(
        ret->text, TEXT_MAX, "%s", r->has_tpm_2 ? "TPM 2.0" : "no TPM 2.0 that is switched on");
}

static const struct check checks[] = {
    {"OSDCheckMemory", "OSDMemory", "_TS_CRMEMORY", "Memory", check_memory},
    {"OSDCheckProcessorSpeed", "OSDProcessorSpeed", "_TS_CRSPEED", "Processor speed", check_speed},
    {"OSDCheckFreeDiskSpace", "OSDFreeDiskSpace", "_TS_CRDISK", "Free disk space", check_disk},
    {"OSDCheckOSType", "OSDOSType", "_TS_CROSTYPE", "Current OS to be refreshed", check_type},
    {"OSDCheckOSArchitecture",
     "OSDOSArchitecture",
     "_TS_CRARCH",
     "Architecture of current OS",
     check_bits},
    {"OSDCheckMinOSVersion",
     "OSDMinOSVersion",
     "_TS_CRMINOSVER",
     "Minimum OS version",
     check_min_version},
    {"OSDCheckMaxOsVersion",
     "OSDMaxOSVersion",
     "_TS_CRMAXOSVER",
     "Maximum OS version",
     check_max_version},
    {"OSDCheckCMClientMinVersion",
     "OSDCMClientMinVersion",
     "_TS_CRCLIENTMINVER",
     "Minimum client version",
     check_client},
    {"OSDCheckOSLanguageID",
     "OSDOSLanguageID",
     "_TS_CROSLANGUAGE",
     "Language of current OS",
     check_language},
    {"OSDCheckPowerState", NULL, "_TS_CRACPOWER", "AC power", check_power},
    {"OSDCheckNetworkConnected", NULL, "_TS_CRNETWORK", "Network adapter", check_network},
    {"OSDCheckNetworkWired", NULL, "_TS_CRWIRED", "Network adapter is not wireless", check_wired},
    {"OSDCheckDeviceUEFI", NULL, "_TS_CRUEFI", "UEFI mode", check_uefi},
    {"OSDCheckTPMEnabled", NULL, "_TS_CRTPMENABLED", "TPM is enabled", check_tpm},
    {"OSDCheckTPMActivated", NULL, "_TS_CRTPMACTIVATED", "TPM is activated", check_tpm},
};

/* The step's own setting, or what holds without it. */
static const char *setting(struct step_context *c, const char *name)
{
    const char *text = step_value(c, name);
    const struct ts_property *p;

    if (text[0] != '\0')
        return text;
    p = ts_property_find(ts_step_type_find(c->step->type), name);
    return p && p->default_text ? p->default_text : "";
}

static int set_result(struct step_context *c, const struct check *check, const char *value)
{
    int r = ts_vars_set(c->vars, check->result, value, TS_BY_ENGINE);

    return r < 0 ? TRACE(r) : 0;
}

/* Return: 0 or -errno; what is not met is added to @failed. */
static int run_check(struct step_context *c,
                     const struct check *check,
                     const struct readiness *found,
                     struct buf *failed)
{
    struct finding finding = {0};

    if (ts_compare_text(setting(c, check->enabled), "true") != 0)
        return TRACE(set_result(c, check, ""));
    check->run(found, check->wanted ? setting(c, check->wanted) : "", &finding);
    if (finding.is_not_asked_here) {
        c->log(c->ctx, "%s: not checked, no system to be refreshed runs here", check->name);
        return TRACE(set_result(c, check, ""));
    }
    c->log(c->ctx, "%s: %s: %s", check->name, finding.is_met ? "met" : "NOT MET", finding.text);
    if (!finding.is_met)
        buf_addf(failed, "%s%s (%s)", failed->len > 0 ? "; " : "", check->name, finding.text);
    return TRACE(set_result(c, check, finding.is_met ? "1" : "0"));
}

int readiness_judge(struct step_context *c, const struct readiness *found, struct step_result *ret)
{
    OWN(buf_fini) struct buf failed = BUF_INIT(FAILED_MAX_BYTES);

    *ret = (struct step_result){0};
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        int r = run_check(c, &checks[i], found, &failed);

        if (r < 0)
            return TRACE(r);
    }
    if (failed.len == 0)
        return 0;
    (void)step_fail(
        ret, "SLW-0441", "this computer is not ready for the deployment: %.400s", buf_str(&failed));
    return 0;
}

/* Check Readiness */
int step_check_readiness_run(struct step_context *c, struct step_result *ret)
{
    struct readiness found;

    readiness_look("", c, &found);
    return TRACE(readiness_judge(c, &found, ret));
}
