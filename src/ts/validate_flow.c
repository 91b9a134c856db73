/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "base/own.h"
#include "ts/sequence.h"
#include "ts/step_value.h"
#include "ts/validate_parts.h"
#include "ts/vars.h"

#define TYPE(name) "SMS_TaskSequence_" name "Action"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    BOOT_PLACES = TS_PLACE_BOOT_IMAGE | TS_PLACE_BARE | TS_PLACE_FORMATTED,
    TARGET_MAX_BYTES = 64 * 1024,
};

/* Where a condition can be true, and where it can be false. */
struct truth {
    unsigned may_be_true;
    unsigned may_be_false;
};

static struct truth truth_of(const xmlNode *node);

/* @is_all: all operands must hold; otherwise one of them. */
static struct truth truth_of_operands(const xmlNode *node, bool is_all)
{
    struct truth t = {is_all ? TS_PLACE_ANY : 0, is_all ? 0 : TS_PLACE_ANY};
    size_t n = 0;

    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE)
            continue;

        struct truth o = truth_of(child);

        n++;
        t.may_be_true = is_all ? t.may_be_true & o.may_be_true : t.may_be_true | o.may_be_true;
        t.may_be_false = is_all ? t.may_be_false | o.may_be_false : t.may_be_false & o.may_be_false;
    }
    return n > 0 ? t : (struct truth){TS_PLACE_ANY, 0};
}

/* Only _SMSTSInWinPE tells where we are. */
static struct truth truth_of_expression(const xmlNode *node)
{
    static const struct truth unknown = {TS_PLACE_ANY, TS_PLACE_ANY};
    bool is_about_place = false;
    bool is_equals = false;
    bool is_not_equals = false;
    bool wants_boot_image = false;
    bool wants_full_os = false;

    for (const xmlNode *child = node->children; child; child = child->next) {
        if (!ts_node_is(child, "variable"))
            continue;

        OWN(freep) char *name = ts_node_attribute(child, "name");
        OWN(freep) char *text = ts_node_text(child);

        if (!name || !text)
            return unknown;
        if (strcmp(name, "Variable") == 0)
            is_about_place = bytes_eq_nocase(bytes_of(text), "_SMSTSInWinPE");
        if (strcmp(name, "Operator") == 0) {
            is_equals = strcmp(text, "equals") == 0;
            is_not_equals = strcmp(text, "notEquals") == 0;
        }
        if (strcmp(name, "Value") == 0) {
            wants_boot_image = ts_check_is_true(text);
            wants_full_os = bytes_eq_nocase(bytes_of(text), "false");
        }
    }
    if (!is_about_place || is_equals == is_not_equals || wants_boot_image == wants_full_os)
        return unknown;

    unsigned yes = wants_boot_image == is_equals ? BOOT_PLACES : TS_PLACE_FULL_OS;

    return (struct truth){yes, TS_PLACE_ANY & ~yes};
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static struct truth truth_of(const xmlNode *node)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");
    struct truth t;

    if (ts_node_is(node, "expression"))
        return truth_of_expression(node);
    if (ts_node_is(node, "condition") || (type && strcmp(type, "and") == 0))
        return truth_of_operands(node, true);
    if (type && strcmp(type, "or") == 0)
        return truth_of_operands(node, false);
    if (type && strcmp(type, "not") == 0 && ts_node_element(node->children)) {
        t = truth_of_operands(node, false);
        return (struct truth){t.may_be_false, t.may_be_true};
    }
    return (struct truth){TS_PLACE_ANY, TS_PLACE_ANY};
}

static const char *words_for(unsigned places)
{
    return places == TS_PLACE_FULL_OS ? "in the full operating system" : "in the boot image";
}

static bool is_type(const struct ts_step *step, const char *type)
{
    return strcmp(step->type, type) == 0;
}

/* Where the type may run at all, and where the step says it may. */
static unsigned places_of(const struct ts_step *step)
{
    const struct ts_step_type *type = ts_step_type_find(step->type);
    unsigned run_in = step->run_in & (type ? type->run_in : (unsigned)TS_RUN_IN_BOTH);
    unsigned places = 0;

    if (run_in & TS_RUN_IN_FULL_OS)
        places |= TS_PLACE_FULL_OS;
    if (run_in & TS_RUN_IN_BOOT_IMAGE)
        places |= BOOT_PLACES;
    return places;
}

/* "what would have had to happen before it" */
static const char *advice_for(const struct ts_check *c, unsigned places)
{
    if (places != TS_PLACE_FULL_OS)
        return "put a Restart Computer into the installed operating system before it, or move it";
    if (c->site && c->site->boot_image_id && c->site->boot_image_id[0] == '\0')
        return "the task sequence has no boot image: choose one";
    return "put a Restart Computer into the boot image before it, or move it";
}

/* Return: where it was, if it can be there. */
static void check_place(const struct ts_check *c, int item, unsigned places)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_step_type *type = ts_step_type_find(step->type);
    bool lacks_boot_image = places == TS_PLACE_FULL_OS && c->site && c->site->boot_image_id &&
                            c->site->boot_image_id[0] == '\0';

    if (places == 0 || (places & places_of(step)) != 0)
        return;
    ts_check_report(c,
                    item,
                    TS_ERROR,
                    lacks_boot_image ? "SLW-0178" : "SLW-0175",
                    "it is reached %s, where \"%s\" cannot run; %s",
                    words_for(places),
                    type ? type->display_name : step->type,
                    advice_for(c, places));
}

/* Where there is no volume for the state, the sequence ends. On a bare machine one is hoped for if some step could have
   made it. */
static void check_state_place(const struct ts_check *c, int item, unsigned places)
{
    bool is_bare = places == TS_PLACE_BARE;

    if (is_bare || ((places & TS_PLACE_BARE) && !c->format))
        ts_check_report(
            c,
            item,
            is_bare ? TS_ERROR : TS_WARNING,
            "SLW-0177",
            "it restarts before there is a formatted partition to keep the state on%s; put a Format and "
            "Partition Disk before it",
            is_bare ? "" : ", if it was started on a bare machine");
}

static unsigned to_boot_image(unsigned places)
{
    bool is_empty = (places & ~(unsigned)(TS_PLACE_BARE | TS_PLACE_FORMATTED)) == 0;

    return is_empty ? TS_PLACE_FORMATTED : (places & TS_PLACE_FORMATTED) | TS_PLACE_BOOT_IMAGE;
}

static unsigned after_restart(const struct ts_check *c, int item, unsigned places)
{
    OWN(buf_fini) struct buf target = BUF_INIT(TARGET_MAX_BYTES);
    bool is_disk;
    unsigned empty = places & (TS_PLACE_BARE | TS_PLACE_FORMATTED);

    ts_step_put_target(ts_check_step(c, item), NULL, &target);
    is_disk = bytes_eq_nocase(bytes_of(buf_str(&target)), "HD");
    check_state_place(c, item, places);
    if (ts_vars_has_reference(buf_str(&target))) /* only a run knows */
        return TS_PLACE_FULL_OS | to_boot_image(places);
    if (!is_disk && (places & TS_PLACE_FULL_OS) && c->site && c->site->boot_image_id &&
        c->site->boot_image_id[0] == '\0')
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0178",
            "it restarts into the boot image, but the task sequence has none; choose one");
    if (is_disk && !c->setup && places == empty)
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0184",
            "it restarts into the installed operating system, but no Setup Windows and Configuration "
            "Manager step comes before it");
    return is_disk ? TS_PLACE_FULL_OS : to_boot_image(places);
}

/* What a setting asks for that the boot image does not have. */
static void check_needs_full_os(const struct ts_check *c, int item, unsigned places)
{
    static const struct {
        const char *type;
        const char *variable;
        const char *value;
        const char *id;
        const char *why;
    } needs[] = {
        {TYPE("RunCommandLine"),
         "_SMSTSRunCommandLineAsUser",
         "true|yes|1",
         "SLW-0425",
         "it is to run as an account, and the boot image has none"},
        {TYPE("RunPowerShellScript"),
         "_SMSTSRunPowerShellAsUser",
         "true|yes|1",
         "SLW-0425",
         "it is to run as an account, and the boot image has none"},
        {TYPE("DownloadPackageContent"),
         "OSDDownloadDestinationLocationType",
         "CCMCache",
         "SLW-0442",
         "it is to download into the client cache, which the boot image does not have"},
    };
    const struct ts_step *step = ts_check_step(c, item);

    if (places == 0 || (places & places_of(step) & TS_PLACE_FULL_OS))
        return;
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (strcmp(ts_step_runs_as(step), needs[i].type) == 0 &&
            ts_check_is_one_of(ts_check_text(step, needs[i].variable), needs[i].value))
            ts_check_report(
                c,
                item,
                TS_ERROR,
                needs[i].id,
                "%s; move it behind Setup Windows and Configuration Manager, or change it",
                needs[i].why);
}

static void check_order(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);

    if (is_type(step, TYPE("PartitionDisk")) && c->apply_os)
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0184",
            "it may wipe the disk that an earlier step applied an image to; move it before that step");
    if (is_type(step, TYPE("ApplyOperatingSystem")) && c->apply_os &&
        !ts_node_child(c->tree.items[item].node, "condition"))
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0184",
            "another Apply Operating System Image comes before it; the last one that runs wins");
    if (is_type(step, TYPE("SetupWindowsAndSMS")) && !c->apply_os)
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0184",
            "no Apply Operating System Image comes before it, so there is nothing to set up; add one");
    if ((is_type(step, TYPE("ApplyWindowsSettings")) ||
         is_type(step, TYPE("ApplyNetworkSettings"))) &&
        !c->apply_os)
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0184",
            "no Apply Operating System Image comes before it, so there is nothing to change; move it");
}

/* What is captured counts before what the step says: it may be a domain. */
static void check_membership(struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);

    if (is_type(step, TYPE("CaptureNetworkSettings")) &&
        !bytes_eq_nocase(bytes_of(ts_check_text(step, "OSDMigrateNetworkMembership")), "false"))
        c->membership = step;
    if (!is_type(step, TYPE("ApplyNetworkSettings")) || !c->membership ||
        c->platform == TS_PLATFORM_WINDOWS || ts_check_joins_domain(step) ||
        (ts_check_text(step, "OSDJoinAccount")[0] != '\0' &&
         ts_check_text(step, "OSDJoinPassword")[0] != '\0'))
        return;
    ts_check_report(
        c,
        item,
        TS_WARNING,
        "SLW-0435",
        "Capture Network Settings comes before it: a computer that is in a domain joins it again, which "
        "needs an account and its password (OSDJoinAccount, OSDJoinPassword); set them");
}

static unsigned walk(struct ts_check *c, int parent, unsigned places, unsigned *ret_seen);

/* What is wrong in a nested sequence just because of where the step @item runs it. */
static void
report_nested(const struct ts_check *c, int item, const char *id, const struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        if (strcmp(diags->items[i].id, "SLW-0184") != 0)
            ts_check_report(c,
                            item,
                            diags->items[i].severity,
                            diags->items[i].id,
                            "in the task sequence %.64s, \"%.200s\": %s",
                            id,
                            diags->items[i].path,
                            diags->items[i].message);
}

/* The steps of @doc in the place of the step @item. Return: where the sequence is behind them. */
static unsigned walk_nested(
    struct ts_check *c, int item, const char *id, const struct ts_document *doc, unsigned places)
{
    const struct ts_step *step = ts_check_step(c, item);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct ts_check nested = *c;
    unsigned seen = 0;
    size_t n = 0;

    nested.doc = doc;
    nested.steps = ts_document_steps(doc, &n);
    nested.diags = &diags;
    nested.depth++;
    nested.n_walked += n + 1;
    nested.tree = (struct ts_tree){0};
    if (nested.n_walked <= TS_INSTRUCTIONS_MAX && nested.depth < TS_NESTING_MAX &&
        ts_tree_read(ts_document_tree(doc), &nested.tree) == 0)
        places = walk(&nested, TS_NO_ITEM, places, &seen);
    ts_tree_fini(&nested.tree);
    c->n_walked = nested.n_walked;
    c->format = c->format || !nested.format ? c->format : step;
    c->apply_os = nested.apply_os == c->apply_os ? c->apply_os : step;
    c->setup = nested.setup == c->setup ? c->setup : step;
    c->membership = nested.membership == c->membership ? c->membership : step;
    report_nested(c, item, id, &diags);
    return places;
}

/* A sequence that is not at hand may do everything. */
static unsigned run_nested(struct ts_check *c, int item, const char *id, unsigned places)
{
    const struct ts_step *step = ts_check_step(c, item);
    OWN(ts_document_freep)
    struct ts_document *doc = c->site && c->site->sequence && c->n_walked <= TS_INSTRUCTIONS_MAX
                                  ? c->site->sequence(c->site->ctx, id)
                                  : NULL;

    if (doc)
        return walk_nested(c, item, id, doc, places);
    c->format = c->format ? c->format : step;
    c->apply_os = c->apply_os ? c->apply_os : step;
    c->setup = step;
    return places ? TS_PLACE_ANY : 0;
}

/* Where the sequence is after the step that ran at @places. */
static unsigned go_on(struct ts_check *c, int item, unsigned places)
{
    const struct ts_step *step = ts_check_step(c, item);
    bool is_format = is_type(step, TYPE("PartitionDisk"));

    if (is_type(step, TYPE("Reboot")))
        return places ? after_restart(c, item, places) : 0;
    if (is_type(step, TYPE("ApplyOperatingSystem"))) {
        if ((places & TS_PLACE_BARE) && !c->format)
            ts_check_report(
                c,
                item,
                TS_WARNING,
                "SLW-0184",
                "no Format and Partition Disk step comes before it, so there may be no volume to write "
                "to; add one");
        c->apply_os = step;
    }
    if (is_format)
        c->format = c->format ? c->format : step;
    if (is_format || is_type(step, TYPE("ApplyOperatingSystem")))
        return (places & TS_PLACE_FULL_OS) | (places & BOOT_PLACES ? TS_PLACE_FORMATTED : 0);
    if (is_type(step, TYPE("SetupWindowsAndSMS"))) {
        c->setup = step;
        return TS_PLACE_FULL_OS;
    }
    if (is_type(step, TYPE("UpgradeOperatingSystem")))
        return TS_PLACE_FULL_OS;
    return is_type(step, TYPE("PrepareOS")) ? TS_PLACE_BOOT_IMAGE : places;
}

static unsigned run_step(struct ts_check *c, int item, unsigned places)
{
    const struct ts_step *step = ts_check_step(c, item);
    unsigned able = places & places_of(step);
    unsigned after;

    if (ts_step_child(step))
        return run_nested(c, item, ts_step_child(step), places);
    check_place(c, item, places);
    check_needs_full_os(c, item, places);
    check_order(c, item);
    check_membership(c, item);
    /* where it cannot run, it ends; if that is everywhere, the others are looked at all the same */
    after = go_on(c, item, able ? able : places);
    return places ? after : 0;
}

/* The items within @parent. Return: where the sequence may be behind them; @ret_seen: where it was on the way. */
static unsigned walk(struct ts_check *c, int parent, unsigned places, unsigned *ret_seen)
{
    *ret_seen |= places;
    for (int i = parent + 1; i < (int)c->tree.n && c->tree.items[i].parent >= parent; i++) {
        const struct ts_tree_item *item = &c->tree.items[i];

        if (item->parent != parent || item->is_disabled)
            continue;

        const xmlNode *condition = ts_node_child(item->node, "condition");
        struct truth t = condition ? truth_of(condition) : (struct truth){TS_PLACE_ANY, 0};
        unsigned inside = places & t.may_be_true;
        unsigned seen = 0;
        unsigned after;

        if (item->is_group) {
            OWN(freep) char *goes_on = ts_node_attribute(item->node, "continueOnError");

            after = walk(c, i, inside, &seen);
            if (goes_on && ts_check_is_one_of(goes_on, "true|1"))
                after |= seen;
        } else {
            after = run_step(c, i, inside);
            if (c->steps[item->step].item.continues_on_error)
                after |= inside;
        }
        places = after | (places & t.may_be_false);
        *ret_seen |= places | seen;
    }
    return places;
}

unsigned ts_check_flow(const struct ts_check *c, unsigned start)
{
    struct ts_check own = *c; /* it notes what it has passed */
    unsigned seen = 0;
    unsigned end = walk(&own, TS_NO_ITEM, start, &seen);

    if (own.apply_os && !own.setup)
        for (size_t i = 0; i < c->tree.n; i++)
            if (c->tree.items[i].step == (int)own.apply_os->index)
                ts_check_report(
                    c,
                    (int)i,
                    TS_WARNING,
                    "SLW-0184",
                    "no Setup Windows and Configuration Manager step follows, so the disk will not boot; "
                    "add one");
    return end;
}
