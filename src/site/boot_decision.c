/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_decision.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/device.h"
#include "site/dp.h"
#include "site/prestart.h"
#include "site/unknown.h"
#include "site/unknown_request.h"

/* DHCP option 93 (IANA "Processor Architecture Types") */
enum {
    ARCH_BIOS = 0,
    ARCH_IA32_UEFI = 6,
    ARCH_X64_UEFI = 7,
    ARCH_X64_UEFI_BC = 9, /* EBC, which most x64 firmware says instead of 7 */
    ARCH_ARM64_UEFI = 11,
    ARCH_IA32_HTTP = 15,
    ARCH_X64_HTTP = 16,
    ARCH_ARM64_HTTP = 19,
};

enum {
    HTTP_PORT = 80, /* unless a URL says otherwise */
};

__attribute__((format(printf, 4, 5))) static int
decide(struct boot_decision *decision, bool is_offer, const char *reason, const char *format, ...)
{
    va_list args;

    decision->is_offer = is_offer;
    decision->reason = reason;
    va_start(args, format);
    (void)vsnprintf(decision->text, sizeof(decision->text), format, args);
    va_end(args);
    return 0;
}

/* What the boot image must be for; of a BIOS the usual, whose processor may be either. NULL: nobody knows of any. */
static const char *arch_of(const struct boot_request *request)
{
    if (request->is_http)
        return request->arch == ARCH_X64_HTTP     ? "x64"
               : request->arch == ARCH_IA32_HTTP  ? "x86"
               : request->arch == ARCH_ARM64_HTTP ? "arm64"
                                                  : NULL;
    switch (request->arch) {
    case ARCH_BIOS:
    case ARCH_X64_UEFI:
    case ARCH_X64_UEFI_BC:
        return "x64";
    case ARCH_IA32_UEFI:
        return "x86";
    case ARCH_ARM64_UEFI:
        return "arm64";
    default:
        return NULL;
    }
}

/* @ret_is_unknown: it is, or counts as, an unknown computer. @ret_is_blocked: an administrator wants it left alone. */
static int find_device(struct site *site,
                       const struct boot_request *request,
                       struct boot_decision *ret,
                       bool *ret_is_unknown,
                       bool *ret_is_blocked)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    const char *const mac = request->mac;
    const char *uuid = request->uuid[0] ? request->uuid : NULL;
    int r = device_find_hardware(site, &mac, mac[0] ? 1 : 0, uuid, ret->device_id);

    ret->secure_boot = -1;
    *ret_is_unknown = true;
    if (r < 0 || !ret->device_id[0])
        return TRACE(r);
    r = db_first(site->db, SQL_BOOT_DEVICE, DB_ARGS(db_text(ret->device_id)), &rows);
    if (r < 0)
        return TRACE(r);
    *ret_is_unknown = db_get_bool(&rows, 2);
    *ret_is_blocked = db_get_bool(&rows, 5);
    if (db_column_type(&rows, 3) == DB_U64)
        ret->secure_boot = db_get_bool(&rows, 3) ? 1 : 0;
    return 0;
}

static unsigned port_of(const char *url)
{
    const char *colon = strrchr(url, ':');
    uint64_t port = HTTP_PORT;

    if (colon && bytes_parse_u64(bytes_of(colon + 1), 1, UINT16_MAX, &port))
        return (unsigned)port;
    return HTTP_PORT;
}

/* @ret: 0 if it does not have the boot image. */
static int find_dp_port(struct site *site, const char *dp_id, const char *package_id, unsigned *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(dp_id), db_text(package_id));
    int r = db_first(site->db, SQL_BOOT_IMAGE_AT_DP, args, &rows);

    *ret = r == DB_ROW && db_get_bool(&rows, 1) ? port_of(db_get_text(&rows, 0)) : 0;
    return r < 0 ? TRACE(r) : 0;
}

#define OF_SEQUENCE "It is the boot image of the task sequence."
#define OF_ANOTHER \
    "It is the boot image of another deployment that can be chosen; that of the first one is for another architecture, not ready, or not " \
    "on the distribution point."
#define OF_NONE \
    "No task sequence that can begin names a boot image for the architecture; of those for it that are ready, what the distribution point " \
    "has goes first, then the higher priority, then what was made last."

/* One of a task sequence that could be started. */
struct named_image {
    bool is_there;
    bool is_for_arch;
    bool is_ready;
    bool is_at_dp;
};

static int look_at_image(
    struct site *site, const char *id, const char *arch, const char *dp_id, struct named_image *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    unsigned port = 0;
    int r = db_first(site->db, SQL_BOOT_IMAGE_STATE, DB_ARGS(db_text(id)), &rows);

    *ret = (struct named_image){.is_there = r == DB_ROW};
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    ret->is_for_arch = strcmp(db_get_text(&rows, 1), arch) == 0;
    ret->is_ready = strcmp(db_get_text(&rows, 0), "ready") == 0;
    db_rows_fini(&rows);
    r = dp_id[0] && ret->is_for_arch ? find_dp_port(site, dp_id, id, &port) : 0;
    ret->is_at_dp = !dp_id[0] || port > 0;
    return TRACE(r);
}

/* Of those that the task sequences name the first one that is for @arch, ready, and where it is asked for; "": none is for it. */
static int find_named_image(struct site *site,
                            const struct boot_target *target,
                            const char *arch,
                            const char *dp_id,
                            char *ret,
                            bool *ret_is_named)
{
    bool is_at_dp = false;

    *ret_is_named = false;
    for (size_t i = 0; i < target->n_boot_images && !is_at_dp; i++) {
        const char *id = target->boot_images[i];
        struct named_image image;
        int r = look_at_image(site, id, arch, dp_id, &image);

        if (r < 0)
            return TRACE(r);
        *ret_is_named = *ret_is_named || image.is_for_arch;
        if (!image.is_for_arch || !image.is_ready || (ret[0] && !image.is_at_dp))
            continue;
        (void)snprintf(ret, SITE_ID_MAX, "%s", id);
        is_at_dp = image.is_at_dp;
    }
    return 0;
}

/*
 * That of a task sequence, if one is for @arch; otherwise the best one for it. @ret: "" if none can be used.
 * @dp_id: of the distribution point that is to send it; "": the site's own
 */
static int find_boot_image(struct site *site,
                           const struct boot_target *target,
                           const char *arch,
                           const char *dp_id,
                           char *ret)
{
    OWN(db_rows_fini) struct db_rows newest = {0};
    bool is_named;
    int r;

    ret[0] = '\0';
    r = find_named_image(site, target, arch, dp_id, ret, &is_named);
    if (r < 0 || is_named)
        return TRACE(r);
    r = db_first(site->db, SQL_BOOT_IMAGE_NEWEST, DB_ARGS(db_text(arch), db_text(dp_id)), &newest);
    if (r == DB_ROW)
        (void)snprintf(ret, SITE_ID_MAX, "%s", db_get_text(&newest, 0));
    return r < 0 ? TRACE(r) : 0;
}

static const char *image_text(const struct boot_decision *decision)
{
    const struct boot_target *target = &decision->target;

    if (!decision->package_id[0])
        return "";
    for (size_t i = 0; i < target->n_boot_images; i++)
        if (strcmp(target->boot_images[i], decision->package_id) == 0)
            return strcmp(target->boot_image_id, decision->package_id) == 0 ? OF_SEQUENCE
                                                                            : OF_ANOTHER;
    return OF_NONE;
}

/* The one for x86 runs on every processor: what the task sequence says is taken at its word. */
static int is_of_x86(struct site *site, const struct boot_target *target, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r =
        db_first(site->db, SQL_BOOT_IMAGE_STATE, DB_ARGS(db_text(target->boot_image_id)), &rows);

    *ret = r == DB_ROW && strcmp(db_get_text(&rows, 1), "x86") == 0;
    return r < 0 ? TRACE(r) : 0;
}

/* A BIOS starts either: the loader looks at the processor (docs/protocol/boot.md). */
static int find_bios_images(struct site *site, const char *dp_id, struct boot_decision *ret)
{
    bool is_x86;
    int r = is_of_x86(site, &ret->target, &is_x86);

    if (r == 0 && !is_x86)
        r = find_boot_image(site, &ret->target, "x64", dp_id, ret->package_id);
    if (r == 0)
        r = find_boot_image(site, &ret->target, "x86", dp_id, ret->x86_package_id);
    if (r < 0)
        return TRACE(r);
    if (!ret->package_id[0] && ret->x86_package_id[0]) {
        memcpy(ret->package_id, ret->x86_package_id, sizeof(ret->package_id));
        ret->x86_package_id[0] = '\0';
        ret->arch = "x86";
    }
    return 0;
}

/* The distribution point that was asked. */
static const char *dp_of(const struct boot_request *request)
{
    return request->dp_id ? request->dp_id : DP_OWN_ID;
}

static int decide_without_target(struct site *site,
                                 const struct boot_request *request,
                                 bool is_unknown,
                                 struct boot_decision *ret)
{
    bool is_allowed = true;
    int r = is_unknown ? unknown_is_allowed(site, dp_of(request), ret->device_id, &is_allowed) : 0;

    if (r < 0)
        return TRACE(r);
    if (!is_allowed)
        return decide(
            ret,
            false,
            "unknown-computers-off",
            "The site does not know this computer, and unknown computers are not allowed at %s; "
            "\"slipway unknown rule set\" changes that.",
            dp_of(request));
    if (is_unknown)
        return decide(
            ret,
            false,
            "no-deployment",
            "The site does not know this computer, and nothing is deployed to a collection that "
            "holds unknown computers of its architecture.");
    return decide(
        ret, false, "no-deployment", "Nothing is deployed to any collection of this device.");
}

#define ANEW "deploy again, or clear the device's required deployments, to run it again."

/* What there is to say of a deployment that is not begun. */
static const char *const closed_texts[] = {
    [DEPLOYMENT_CANCELLED] =
        "has failed on this device and was cancelled; deploy again to try again.",
    [DEPLOYMENT_NOT_REACHED] =
        "was run by this device; it was deleted since, or the device is no member of its collection any more.",
    [DEPLOYMENT_DISABLED] = "is disabled; enable it to let devices begin it.",
    [DEPLOYMENT_CLIENTS_ONLY] =
        "is available to clients only, not to what starts from the network.",
    [DEPLOYMENT_HIDDEN] =
        "is hidden: it is for devices whose variable SMSTSPreferredAdvertID names it.",
    [DEPLOYMENT_EXPIRED] = "has expired.",
    [DEPLOYMENT_SUCCEEDED_ALREADY] = "has succeeded on this device; " ANEW,
    [DEPLOYMENT_FAILED_ALREADY] = "is required and has failed on this device; " ANEW,
    [DEPLOYMENT_PROTECTED] =
        "is required, and the device is protected or runs a server of the site; \"slipway device unprotect\" "
        "ends what an administrator has protected.",
    [DEPLOYMENT_HELD] =
        "is from the backup that the site was restored from, which does not know whether this device has run it "
        "since; \"slipway deployment enable\" lets devices begin it.",
    [DEPLOYMENT_NOT_CONFIRMED] =
        "is required and wipes disks, and its collection has more devices than somebody has said yes to: look who "
        "has come into it; \"slipway deployment enable\" with their number lets it begin.",
    [DEPLOYMENT_SUPERSEDED] =
        "was due before the device ran another one, and no device is wiped by what was meant for it earlier; " ANEW,
};

static const char *closed_reason(enum deployment_verdict verdict)
{
    if (verdict == DEPLOYMENT_CANCELLED)
        return "failed-already";
    return boot_target_word(verdict);
}

static int decide_not_yet(const struct boot_target *target, struct boot_decision *ret)
{
    char when[CLOCK_TEXT_MAX];

    clock_put_rfc3339(when, target->changes_us);
    return decide(ret,
                  false,
                  "not-yet-available",
                  "The deployment %s is available from %s.",
                  target->deployment_id,
                  when);
}

static int decide_sequence_disabled(const struct boot_target *target, struct boot_decision *ret)
{
    return decide(ret,
                  false,
                  "task-sequence-disabled",
                  "SLW-0189: the task sequence \"%.200s\" of the deployment %s is disabled; enable "
                  "it to let devices begin it.",
                  target->task_sequence_name,
                  target->deployment_id);
}

static int decide_outside_window(const struct boot_target *target, struct boot_decision *ret)
{
    char when[CLOCK_TEXT_MAX];

    if (target->changes_us == SCHEDULE_NEVER)
        return decide(ret,
                      false,
                      "outside-window",
                      "The required deployment %s waits for a maintenance window, but it fits into "
                      "none of those to come; \"slipway deployment set %s --run-outside yes\" lets "
                      "it begin at any time.",
                      target->deployment_id,
                      target->deployment_id);
    clock_put_rfc3339(when, target->changes_us);
    return decide(ret,
                  false,
                  "outside-window",
                  "The required deployment %s waits for a maintenance window, until %s; "
                  "\"slipway deployment set %s --run-outside yes\" lets it begin at any time.",
                  target->deployment_id,
                  when,
                  target->deployment_id);
}

static int decide_closed(const struct boot_target *target, struct boot_decision *ret)
{
    if (target->verdict == DEPLOYMENT_NOT_YET)
        return decide_not_yet(target, ret);
    if (target->verdict == DEPLOYMENT_SEQUENCE_DISABLED)
        return decide_sequence_disabled(target, ret);
    if (target->verdict == DEPLOYMENT_OUTSIDE_WINDOW)
        return decide_outside_window(target, ret);
    return decide(ret,
                  false,
                  closed_reason(target->verdict),
                  "The deployment %s %s",
                  target->deployment_id,
                  closed_texts[target->verdict]);
}

static const char *waiting_text(const char *state)
{
    return strcmp(state, "waiting") == 0
               ? " It waits there; \"slipway unknown list\" says for what."
           : strcmp(state, "approved") == 0 ? " An administrator has approved it."
                                            : "";
}

static int decide_choice(struct boot_decision *ret)
{
    const struct boot_target *target = &ret->target;
    char when[64] = "; none begins by itself";

    if (ret->rule.choice_s > 0)
        (void)snprintf(
            when, sizeof(when), " and begins by itself after %u seconds", ret->rule.choice_s);
    return decide(
        ret,
        true,
        "choice-of-deployments",
        "%zu deployments can be chosen on the computer's screen; \"%.200s\" (%s) is the first%s.",
        target->n_choices,
        target->task_sequence_name,
        target->deployment_id,
        when);
}

static int decide_offer(struct site *site, struct boot_decision *ret)
{
    const struct boot_target *target = &ret->target;
    char state[UNKNOWN_STATE_MAX];
    int r = unknown_state(site, ret->device_id, state);

    if (r < 0)
        return TRACE(r);
    if (strcmp(target->order_state, "in-progress") == 0)
        return decide(
            ret,
            true,
            "order-in-progress",
            "The device has begun the deployment %s in the boot image and not finished it; it "
            "goes on.",
            target->deployment_id);
    if (target->verdict == DEPLOYMENT_HIDDEN)
        return decide(ret,
                      true,
                      "prestart-command",
                      "The deployment %s is hidden, and the prestart command of the boot image %s "
                      "may name it in SMSTSPreferredAdvertID.",
                      target->deployment_id,
                      ret->package_id);
    if (target->n_choices > 0)
        return decide_choice(ret);
    if (target->is_for_unknown)
        return decide(
            ret,
            true,
            "unknown-computer-deployment",
            "\"%.200s\" is deployed to unknown computers by the collection \"%.100s\" (%s).%s",
            target->task_sequence_name,
            target->collection_name,
            target->deployment_id,
            waiting_text(state));
    return decide(ret,
                  true,
                  target->is_required ? "required-deployment" : "available-deployment",
                  "\"%.200s\" is deployed to the collection \"%.100s\" (%s).",
                  target->task_sequence_name,
                  target->collection_name,
                  target->deployment_id);
}

/* Its port is set if it has the boot image; one for x86 that it does not have is not offered. */
static int find_dp(struct site *site, const char *dp_id, struct boot_decision *ret)
{
    unsigned x86_port;
    int r = find_dp_port(site, dp_id, ret->package_id, &ret->dp_http_port);

    if (r == 0)
        r = find_dp_port(site, dp_id, ret->x86_package_id, &x86_port);
    if (r == 0 && x86_port == 0)
        ret->x86_package_id[0] = '\0';
    return TRACE(r);
}

/* Whether a prestart command is what its hidden deployment waits for; one of the two runs. */
static int has_prestart(struct site *site, const struct boot_decision *decision, bool *ret)
{
    int r = prestart_is_set(site, decision->package_id, ret);

    if (r == 0 && !*ret)
        r = prestart_is_set(site, decision->x86_package_id, ret);
    return TRACE(r);
}

static int
decide_with_target(struct site *site, const struct boot_request *request, struct boot_decision *ret)
{
    const struct boot_target *target = &ret->target;
    const char *dp_id = request->dp_id ? request->dp_id : "";
    bool is_in_progress = target->verdict == DEPLOYMENT_RUNS;
    bool may_be_named = target->verdict == DEPLOYMENT_HIDDEN && !request->is_http;
    int r;

    if (is_in_progress && target->waits_for_disk)
        return decide(
            ret,
            false,
            "waits-for-installed-os",
            "The deployment %s goes on in the installed operating system, which the device is "
            "to start from its disk.",
            target->deployment_id);
    if (!is_in_progress && !may_be_named && !boot_target_is_open(target))
        return decide_closed(target, ret);
    if (request->is_http && !target->is_required && !target->is_preferred && !is_in_progress)
        return decide(
            ret,
            false,
            "available-needs-menu",
            "The deployment %s is available, so a person must choose it in the boot menu, which "
            "UEFI HTTP Boot does not have; boot by PXE.",
            target->deployment_id);
    r = boot_rule_find(site, dp_of(request), &ret->rule);
    if (r < 0)
        return TRACE(r);
    ret->arch = arch_of(request);
    r = !request->is_http && request->arch == ARCH_BIOS
            ? find_bios_images(site, dp_id, ret)
            : find_boot_image(site, target, ret->arch, dp_id, ret->package_id);
    if (r == 0 && may_be_named)
        r = has_prestart(site, ret, &may_be_named);
    if (r < 0)
        return TRACE(r);
    if (target->verdict == DEPLOYMENT_HIDDEN && !may_be_named)
        return decide_closed(target, ret);
    if (!ret->package_id[0])
        return decide(ret,
                      false,
                      "no-boot-image",
                      "There is a deployment (%s), but no %s boot image that is ready; %s.",
                      target->deployment_id,
                      ret->arch,
                      strcmp(ret->arch, "arm64") == 0 ? "boot images are built for x64 and x86 only"
                                                      : "\"slipway status\" says why");
    if (request->dp_id)
        r = find_dp(site, request->dp_id, ret);
    if (r < 0)
        return TRACE(r);
    if (request->dp_id && ret->dp_http_port == 0)
        return decide(
            ret,
            false,
            "boot-image-not-on-dp",
            "The deployment %s needs the boot image %s, which the distribution point %s that "
            "was asked does not have yet; distribute it there.",
            target->deployment_id,
            ret->package_id,
            request->dp_id);
    ret->image_text = image_text(ret);
    return TRACE(decide_offer(site, ret));
}

static int find_denial(struct site *site, const char *device_id, bool *ret)
{
    char state[UNKNOWN_STATE_MAX];
    int r = unknown_state(site, device_id, state);

    *ret = strcmp(state, "denied") == 0;
    return TRACE(r);
}

int boot_decide(struct site *site, const struct boot_request *request, struct boot_decision *ret)
{
    bool is_unknown = true;
    bool is_blocked = false;
    bool is_denied = false;
    int r;

    *ret = (struct boot_decision){.image_text = ""};
    r = find_device(site, request, ret, &is_unknown, &is_blocked);
    if (r < 0)
        return TRACE(r);
    if (is_blocked)
        return decide(
            ret,
            false,
            "device-blocked",
            "An administrator has blocked this device; \"slipway device unblock\" ends it.");
    if (!arch_of(request))
        return decide(ret,
                      false,
                      "arch-not-supported",
                      "The firmware says architecture %u, which is none of x64, x86 and arm64.",
                      request->arch);
    r = boot_target_find(
        site, ret->device_id, request->mac, dp_of(request), arch_of(request), &ret->target);
    if (r == 0 && is_unknown)
        r = find_denial(site, ret->device_id, &is_denied);
    if (r < 0)
        return TRACE(r);
    if (is_denied)
        return decide(ret,
                      false,
                      "unknown-denied",
                      "An administrator has denied this unknown computer; \"slipway unknown "
                      "forget\" lets it ask again.");
    if (!ret->target.deployment_id[0])
        return decide_without_target(site, request, is_unknown, ret);
    return TRACE(decide_with_target(site, request, ret));
}
