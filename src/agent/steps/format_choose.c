/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/steps/format_parts.h"
#include "base/bytes.h"
#include "ts/compare.h"
#include "ts/vars.h"

#define MIB ((uint64_t)1024 * 1024)

enum {
    DISK_NUMBER_MAX = 10000,
};

struct rules {
    const char *serial; /* "" for what is not asked, here and in the next */
    const char *transport;
    uint64_t min_bytes;
    uint64_t max_bytes; /* UINT64_MAX: not asked */
    bool is_any;        /* there are rules */
};

static bool is_word(const char *value, const char *word)
{
    return bytes_eq_nocase(bytes_of(value), word);
}

static bool is_true(const char *value)
{
    return is_word(value, "true") || is_word(value, "yes") || is_word(value, "1");
}

static bool is_one_of(const char *value, const char *const *words)
{
    for (; *words; words++)
        if (is_word(value, *words))
            return true;
    return value[0] == '\0';
}

static bool read_mb(struct step_context *c, const char *name, uint64_t *ret, struct rules *rules)
{
    const char *text = step_value(c, name);
    uint64_t mb;

    if (text[0] == '\0')
        return true;
    if (!bytes_parse_u64(bytes_of(text), 0, UINT64_MAX / MIB, &mb))
        return false;
    *ret = mb * MIB;
    rules->is_any = true;
    return true;
}

/* Return: whether they make sense; if not, @result is the failure. */
static bool read_rules(struct step_context *c, struct rules *ret, struct step_result *result)
{
    static const char *const transports[] = {"NVMe", "SATA", "SCSI", "virtio", "MMC", NULL};
    static const char *const preferences[] = {"First", "Largest", "Smallest", "Only", NULL};
    const char *bad = NULL;

    *ret = (struct rules){.serial = step_value(c, "OSDDiskSerial"),
                          .transport = step_value(c, "OSDDiskTransport"),
                          .max_bytes = UINT64_MAX};
    ret->is_any = ret->serial[0] != '\0' || ret->transport[0] != '\0';
    if (!is_one_of(ret->transport, transports))
        bad = "OSDDiskTransport";
    else if (!is_one_of(step_value(c, "OSDDiskPrefer"), preferences))
        bad = "OSDDiskPrefer";
    else if (!read_mb(c, "OSDDiskMinimumSize", &ret->min_bytes, ret))
        bad = "OSDDiskMinimumSize";
    else if (!read_mb(c, "OSDDiskMaximumSize", &ret->max_bytes, ret))
        bad = "OSDDiskMaximumSize";
    if (bad)
        (void)step_fail(result,
                        "SLW-0454",
                        "%s has the unusable value \"%s\": correct it",
                        bad,
                        step_value(c, bad));
    return !bad;
}

static bool fits(const struct machine_disk *disk, const struct rules *rules)
{
    return !disk->is_removable &&
           (rules->serial[0] == '\0' || ts_is_like(disk->serial, rules->serial)) &&
           (rules->transport[0] == '\0' || is_word(disk->transport, rules->transport)) &&
           disk->size_bytes >= rules->min_bytes && disk->size_bytes <= rules->max_bytes;
}

static bool
is_better(const struct machine_disk *disk, const struct machine_disk *best, const char *prefer)
{
    if (!best)
        return true;
    if (is_word(prefer, "Largest"))
        return disk->size_bytes > best->size_bytes;
    return is_word(prefer, "Smallest") && disk->size_bytes < best->size_bytes;
}

static const struct machine_disk *
by_rules(struct step_context *c, const struct rules *rules, struct step_result *result)
{
    const char *prefer = step_value(c, "OSDDiskPrefer");
    const struct machine_disk *best = NULL;
    size_t n = 0;

    for (size_t i = 0; i < c->machine->n_disks; i++) {
        const struct machine_disk *disk = &c->machine->disks[i];

        if (!fits(disk, rules))
            continue;
        n++;
        if (is_better(disk, best, prefer))
            best = disk;
    }
    if (n > 1 && is_word(prefer, "Only")) {
        (void)step_fail(result,
                        "SLW-0450",
                        "%zu of the %zu disks found fit the step's rules, and OSDDiskPrefer says "
                        "that there is only one: make the rules narrower. Nothing was written",
                        n,
                        c->machine->n_disks);
        return NULL;
    }
    if (!best && !is_true(step_value(c, "OSDDiskOptional")))
        (void)step_fail(result,
                        "SLW-0450",
                        "None of the %zu disks found is fixed and fits the step's rules "
                        "(OSDDiskSerial \"%s\", OSDDiskTransport \"%s\", at least %" PRIu64 " MB)",
                        c->machine->n_disks,
                        rules->serial,
                        rules->transport,
                        rules->min_bytes / MIB);
    return best;
}

static const struct machine_disk *by_number(struct step_context *c, struct step_result *result)
{
    const char *variable = step_value(c, "OSDDiskIndexVariable");
    const char *text =
        variable[0] != '\0' ? ts_vars_get(c->vars, variable) : step_value(c, "OSDDiskIndex");
    uint64_t index = 0;

    if (variable[0] != '\0' &&
        text[0] == '\0') { /* never another disk than the one that was meant */
        (void)step_fail(result,
                        "SLW-0450",
                        "The variable %s, which holds the disk number, does not exist",
                        variable);
        return NULL;
    }
    if (text[0] != '\0' && !bytes_parse_u64(bytes_of(text), 0, DISK_NUMBER_MAX, &index)) {
        (void)step_fail(result,
                        "SLW-0450",
                        "The disk number \"%s\" is no number from 0 to %d",
                        text,
                        DISK_NUMBER_MAX);
        return NULL;
    }
    if (index < c->machine->n_disks && !c->machine->disks[index].is_removable)
        return &c->machine->disks[index];
    if (!is_true(step_value(c, "OSDDiskOptional")))
        (void)step_fail(
            result,
            "SLW-0450",
            "There is no fixed disk number %" PRIu64 " among the %zu disks found: check "
            "the number, the cable, and that the boot image has the controller's driver",
            index,
            c->machine->n_disks);
    return NULL;
}

const struct machine_disk *format_choose_disk(struct step_context *c, struct step_result *result)
{
    struct rules rules;

    if (!read_rules(c, &rules, result))
        return NULL;
    return rules.is_any ? by_rules(c, &rules, result) : by_number(c, result);
}
