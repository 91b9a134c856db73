/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Format and Partition Disk: the partitions are placed on disks that are large enough for everything, by what the agent
 * itself places them with. What fails on each of them fails on any.
 */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "format/disk/disk_layout.h"
#include "ts/partitions.h"
#include "ts/sequence.h"
#include "ts/validate_parts.h"
#include "ts/values.h"
#include "ts/vars.h"

enum {
    WHY_MAX_BYTES = 512,
    NAME_MAX_BYTES = 64,
    WISHES_MAX = DISK_PARTITIONS_MAX + 1, /* one more than there may be */
};

#define ENDLESS_BYTES ((uint64_t)1 << 62)

static const char type_format[] = "SMS_TaskSequence_PartitionDiskAction";

/* The step, as what reads its partitions sees it. */
struct source {
    const struct ts_check *c;
    const struct ts_step *step;
    bool is_open; /* something of it is not known before the step runs */
};

/* What takes the place of a value that is not known: a partition that is there, and small. */
static const struct {
    const char *variable;
    const char *text;
} stand_ins[] = {
    {"OSDPartitions#Size", "1"},
    {"OSDPartitions#SizeUnits", "MB"},
    {"OSDPartitions#FileSystem", "None"},
};

static bool is_known(const struct source *s, const char *name)
{
    return !ts_vars_has_reference(ts_check_text(s->step, name)) &&
           !ts_check_is_assigned(s->c, name);
}

static const char *get(void *ctx, const char *name)
{
    struct source *s = ctx;

    if (is_known(s, name))
        return ts_check_text(s->step, name);
    s->is_open = true;
    for (size_t i = 0; i < sizeof(stand_ins) / sizeof(stand_ins[0]); i++)
        if (ts_pattern_matches(stand_ins[i].variable, name))
            return stand_ins[i].text;
    return "";
}

struct plan {
    struct disk_wish wishes[WISHES_MAX];
    size_t n;
    int outcomes[WISHES_MAX];          /* of each; 0: on some disk it can be made */
    struct disk_wish left[WISHES_MAX]; /* of them, on the disk that is looked at */
    size_t index[WISHES_MAX];          /* what each that is left is in wishes */
    struct disk_layout layout;
    bool is_stood_in; /* one that makes no sense, by another */
    bool is_possible; /* on some disk they can all be made, */
    bool has_os;      /* and there is one that an operating system can live on */
};

/* Whether all types are known, without which nothing is. */
static bool are_types_known(struct source *s)
{
    for (size_t i = 0; i < WISHES_MAX; i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);

        buf_addf(&name, "OSDPartitions%zuType", i);
        if (!is_known(s, buf_str(&name)))
            return false;
        if (ts_check_text(s->step, buf_str(&name))[0] == '\0')
            return true;
    }
    return true;
}

/* Return: whether the types of all make sense. What else does not is told, and stood in for by a small partition. */
static bool
read_wishes(const struct ts_check *c, int item, const struct ts_values *values, struct plan *p)
{
    bool are_types = true;

    for (; p->n < WISHES_MAX && ts_partition_exists(values, p->n); p->n++) {
        OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
        struct disk_wish *wish = &p->wishes[p->n];
        int r = ts_partition_read(values, p->n, wish, &why);

        if (r == 0)
            continue;
        ts_check_report(c, item, TS_ERROR, "SLW-0454", "%s; correct it", buf_str(&why));
        are_types = are_types && r != TS_PARTITION_E_TYPE;
        p->is_stood_in = true;
        wish->unit = DISK_SIZE_BYTES;
        wish->size = 1;
        wish->file_system = DISK_FS_NONE;
    }
    return are_types;
}

/* What a disk makes of them: each that cannot be made is left out, to see what comes behind it. */
static void place(struct plan *p, const struct disk_space *space, int outcomes[static WISHES_MAX])
{
    size_t n = p->n;
    int r;

    memcpy(p->left, p->wishes, sizeof(p->left));
    memset(outcomes, 0, WISHES_MAX * sizeof(*outcomes));
    for (size_t i = 0; i < n; i++)
        p->index[i] = i;
    while ((r = disk_layout_plan(space, p->left, n, &p->layout)) != 0 && n > 0) {
        size_t bad = n > DISK_PARTITIONS_MAX ? n - 1 : p->layout.n_partitions;

        outcomes[p->index[bad]] = r;
        n--;
        memmove(p->left + bad, p->left + bad + 1, (n - bad) * sizeof(*p->left));
        memmove(p->index + bad, p->index + bad + 1, (n - bad) * sizeof(*p->index));
    }
    if (n == p->n) {
        p->is_possible = true;
        p->has_os = p->has_os || disk_layout_has_os(&p->layout);
    }
}

/* On disks of each style that it may have, with the smallest and the largest sectors. */
static void place_on_all(struct plan *p, const bool is_style[static 2])
{
    static const uint32_t sectors[] = {DISK_SECTOR_MIN, DISK_SECTOR_MAX};
    int outcomes[WISHES_MAX];
    bool is_first = true;

    for (int k = 0; k < 4; k++) {
        const struct disk_space space = {(enum disk_style)(k / 2), ENDLESS_BYTES, sectors[k % 2]};

        if (!is_style[space.style])
            continue;
        place(p, &space, outcomes);
        for (size_t i = 0; i < p->n; i++)
            if (is_first || outcomes[i] == 0)
                p->outcomes[i] = outcomes[i];
        is_first = false;
    }
}

/* Which styles the disk may get: without one in the step, the computer decides. Return: whether that makes sense; that it
   does not has been told of the property. */
static bool find_styles(const struct ts_values *values, bool is_style[static 2])
{
    for (int is_uefi = 0; is_uefi <= 1; is_uefi++) {
        OWN(buf_fini) struct buf ignored = BUF_INIT(WHY_MAX_BYTES);
        enum disk_style style;

        if (ts_partition_style(values, is_uefi != 0, &style, &ignored) != 0)
            return false;
        is_style[style] = true;
    }
    return true;
}

/* The first step that formats a disk makes the place for the operating system. */
static bool is_first_format(const struct ts_check *c, int item)
{
    for (int i = 0; i < item; i++) {
        const struct ts_tree_item *at = &c->tree.items[i];

        if (at->step != TS_NO_ITEM && ts_tree_is_enabled(&c->tree, i) &&
            (strcmp(at->type, type_format) == 0 || ts_step_child(ts_check_step(c, i))))
            return false;
    }
    return true;
}

static void report_outcomes(const struct ts_check *c, int item, const struct plan *p)
{
    bool is_told = false;

    for (size_t i = 0; i < p->n; i++) {
        if (p->outcomes[i] == 0)
            continue;
        is_told = true;
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        disk_layout_is_room(p->outcomes[i]) ? "SLW-0452" : "SLW-0454",
                        "partition %zu (\"%.64s\") %s",
                        i,
                        p->wishes[i].label,
                        disk_layout_reason(p->outcomes[i]));
    }
    if (!p->is_possible && !is_told)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0454",
                        "each of its partitions can be made, but no disk can have all of them: "
                        "some are for disks of style MBR only, others for GPT only; choose a style "
                        "(OSDPartitionStyle), and types that it has");
}

/* A partition ends the list if it has no type, whatever else it has. */
static void check_end(const struct ts_check *c, int item, size_t n)
{
    OWN(buf_fini) struct buf size = BUF_INIT(WHY_MAX_BYTES);
    OWN(buf_fini) struct buf system = BUF_INIT(WHY_MAX_BYTES);

    buf_addf(&size, "OSDPartitions%zuSize", n);
    buf_addf(&system, "OSDPartitions%zuFileSystem", n);
    if (ts_check_text(ts_check_step(c, item), buf_str(&size))[0] != '\0' ||
        ts_check_text(ts_check_step(c, item), buf_str(&system))[0] != '\0')
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0454",
            "partition %zu has no type (OSDPartitions%zuType), and the list ends before it; "
            "set it",
            n,
            n);
}

static void check_layout(const struct ts_check *c, int item, struct source *s, struct plan *p)
{
    const struct ts_values values = {get, s};
    bool is_style[2] = {false, false};

    if (!read_wishes(c, item, &values, p) || !find_styles(&values, is_style))
        return;
    check_end(c, item, p->n);
    place_on_all(p, is_style);
    report_outcomes(c, item, p);
    if (p->n > 0 && p->is_possible && !p->has_os && !p->is_stood_in && !s->is_open &&
        is_first_format(c, item))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0452",
            "no partition of type Primary or Logical with a file system for Linux has %d MiB "
            "or more: the operating system has no place",
            (int)DISK_OS_MIN_MIB);
}

void ts_check_partitions(const struct ts_check *c, int item)
{
    struct source s = {.c = c, .step = ts_check_step(c, item)};
    OWN(freep) struct plan *p = NULL;

    if (strcmp(s.step->type, type_format) != 0 || !are_types_known(&s))
        return;
    p = calloc(1, sizeof(*p));
    if (p)
        check_layout(c, item, &s, p);
}
