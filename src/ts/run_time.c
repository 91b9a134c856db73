/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/run_time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/assign.h"
#include "ts/condition.h"
#include "ts/document.h"
#include "ts/secret.h"
#include "ts/tree.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

#define TYPE(name) "SMS_TaskSequence_" name "Action"

enum {
    UNKNOWN_MAX = 4096,
    GATHERED_MAX = 64,
    NAME_MAX_BYTES = 4096,
};

enum reach {
    REACH_NAME,
    REACH_PREFIX,   /* all that begin so */
    REACH_NUMBERED, /* all that begin so and go on with digits */
};

/* What has been said of a name; the last that was counts. */
struct unknown {
    char *name; /* owned, as step */
    char *step;
    enum reach reach;
    bool is_known; /* again, behind a prefix */
    bool is_of_engine;
    bool is_asked;
};

struct ts_run_time {
    struct unknown *items; /* owned */
    size_t n;
    struct ts_dependency
        gathered[GATHERED_MAX]; /* the variables are owned, the steps are of items */
    size_t n_gathered;
};

/* What the steps set, as they are in src/agent/steps. */
static const struct {
    const char *type;
    const char *names[4]; /* NULL ends them */
} fixed[] = {
    {TYPE("PrestartCheck"), {"_TS_CR*"}},
    {TYPE("ApplyOperatingSystem"), {"OSDTargetSystemDrive"}},
    {TYPE("CaptureNetworkSettings"),
     {"OSDAdapter*", "OSDNetworkJoinType", "OSDDomainName", "OSDWorkgroupName"}},
    {TYPE("CaptureWindowsSettings"), {"OSDComputerName", "OSDRegisteredOrgName", "OSDTimeZone"}},
    {TYPE("InstallApplication"), {"_TSAppInstallStatus", "_SMSTSAppInstallNeedsRetry"}},
    {TYPE("ConnectNetworkFolder"), {"SLWNetworkFolder*"}},
};

/* And what a property of theirs names. */
static const struct {
    const char *type;
    const char *property; /* '#' is a number */
    const char *suffix;
} named[] = {
    {TYPE("RunCommandLine"), "SMSTSRunCommandLineOutputVariableName", ""},
    {TYPE("RunPowerShellScript"), "OSDRunPowerShellScriptOutputVariableName", ""},
    {TYPE("DownloadPackageContent"), "OSDDownloadDestinationVariable", "#"},
    {TYPE("PartitionDisk"), "OSDPartitions#VolumeLetterVariable", ""},
};

/* What the engine sets when a run begins. */
static const char *const of_computer[] = {"_SMSTSBootUEFI",
                                          "_TSSecureBoot",
                                          "_SMSTSMake",
                                          "_SMSTSModel",
                                          "_SMSTSSerialNumber",
                                          "_SMSTSAssetTag",
                                          "_SMSTSUUID",
                                          "_SMSTSMacAddresses",
                                          "_SMSTSIPAddresses",
                                          "_SMSTSDefaultGateways",
                                          "_SMSTSMachineName",
                                          "_OSDDetectedWinDrive",
                                          "_OSDDetectedWinDir"};
static const char *const of_order[] = {"_SMSTSAdvertID",
                                       "_SMSTSClientGUID",
                                       "_SMSTSMP",
                                       "_SMSTSMPPort",
                                       "_SMSTSOrgName",
                                       "_SMSTSTimezone"};

/* Not ..Name, which is known */
static const char *const last_action[] = {"_SMSTSLastActionRetCode", "_SMSTSLastActionSucceeded"};

int ts_run_time_new(struct ts_run_time **ret)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : ERR(-ENOMEM);
}

void ts_run_time_reset(struct ts_run_time *rt)
{
    for (size_t i = 0; i < rt->n_gathered; i++) {
        char *variable;

        memcpy(&variable, &rt->gathered[i].variable, sizeof(variable));
        free(variable);
    }
    rt->n_gathered = 0;
}

void ts_run_time_free(struct ts_run_time *rt)
{
    if (!rt)
        return;
    ts_run_time_reset(rt);
    for (size_t i = 0; i < rt->n; i++) {
        free(rt->items[i].name);
        free(rt->items[i].step);
    }
    free(rt->items);
    free(rt);
}

static bool is_meant(const struct unknown *item, struct bytes name)
{
    size_t len = strlen(item->name);
    size_t n_digits = 0;

    while (len + n_digits < name.len && name.ptr[len + n_digits] >= '0' &&
           name.ptr[len + n_digits] <= '9')
        n_digits++;
    if (item->reach == REACH_NUMBERED && (n_digits == 0 || len + n_digits != name.len))
        return false;
    if (item->reach != REACH_NAME && name.len > len)
        name.len = len;
    return bytes_eq_nocase(name, item->name);
}

static const struct unknown *find(const struct ts_run_time *rt, struct bytes name)
{
    for (size_t i = rt->n; i-- > 0;)
        if (is_meant(&rt->items[i], name))
            return rt->items[i].is_known ? NULL : &rt->items[i];
    return NULL;
}

/* What is said of @by says all there is to say of @item. */
static bool is_covered(const struct unknown *item, const struct unknown *by)
{
    struct bytes name = bytes_of(item->name);

    if (item->reach == by->reach && bytes_eq_nocase(name, by->name))
        return true;
    return is_meant(by, name) && (item->reach == REACH_NAME || by->reach == REACH_PREFIX);
}

/* All that is not asked any more once @by is said. */
static void drop(struct ts_run_time *rt, const struct unknown *by)
{
    size_t n = 0;

    for (size_t i = 0; i < rt->n; i++) {
        if (!is_covered(&rt->items[i], by)) {
            rt->items[n++] = rt->items[i];
            continue;
        }
        free(rt->items[i].name);
        free(rt->items[i].step);
    }
    rt->n = n;
}

/* Without room, one that is known is taken for unknown: more is told, and nothing that is wrong. Return: whether there is
   room. */
static bool make_room(struct ts_run_time *rt, bool is_known)
{
    size_t i = 0;

    if (rt->n < UNKNOWN_MAX || is_known)
        return rt->n < UNKNOWN_MAX;
    while (i < rt->n && !rt->items[i].is_known)
        i++;
    if (i == rt->n)
        return false;
    free(rt->items[i].name);
    free(rt->items[i].step);
    rt->n--;
    memmove(&rt->items[i], &rt->items[i + 1], (rt->n - i) * sizeof(*rt->items));
    return true;
}

static int
note(struct ts_run_time *rt, const char *name, const char *step, enum reach reach, bool is_known)
{
    size_t len = strlen(name) - (reach == REACH_NAME ? 0 : 1);
    OWN(freep) char *own_name = NULL;
    OWN(freep) char *own_step = NULL;
    struct unknown *grown;

    if (name[0] == '\0')
        return 0;
    own_name = ts_copy(name);
    own_step = ts_copy(step);
    if (!own_name || !own_step)
        return ERR(-ENOMEM);
    own_name[len] = '\0';
    drop(rt, &(struct unknown){.name = own_name, .reach = reach});
    if (!make_room(rt, is_known))
        return 0;
    grown = realloc(rt->items, (rt->n + 1) * sizeof(*grown));
    if (!grown)
        return ERR(-ENOMEM);
    rt->items = grown;
    rt->items[rt->n++] = (struct unknown){
        .name = TAKE(own_name), .step = TAKE(own_step), .reach = reach, .is_known = is_known};
    return 0;
}

/* Its value is known from now on. Without memory it stays unknown, and less is said. */
static void forget(struct ts_run_time *rt, const char *name)
{
    OWN(freep) char *copy = ts_copy(name);

    if (!copy)
        return;
    drop(rt, &(struct unknown){.name = copy, .reach = REACH_NAME});
    if (find(rt, bytes_of(name)))
        (void)note(rt, name, "", REACH_NAME, true);
}

/* @name: "Base*" is all that begin with Base, "Base#" those that go on with a number */
static int add(struct ts_run_time *rt, const char *name, const char *step)
{
    size_t len = strlen(name);
    const char *last = len > 0 ? name + len - 1 : name;
    enum reach reach = *last == '*' ? REACH_PREFIX : *last == '#' ? REACH_NUMBERED : REACH_NAME;

    return TRACE(note(rt, name, step, reach, false));
}

/* The first unknown variable that a text refers to, as "%name%"; NULL: none. @ret_name: how it is called there; NULL: who asks
   does not want to know */
static const struct unknown *
find_in(const struct ts_run_time *rt, const char *text, struct bytes *ret_name)
{
    const char *open = strchr(text, '%');

    while (open) {
        const char *close = strchr(open + 1, '%');
        const struct bytes name = {(const uint8_t *)open + 1,
                                   close ? (size_t)(close - open - 1) : 0};
        const struct unknown *found = close ? find(rt, name) : NULL;

        if (found && ret_name)
            *ret_name = name;
        if (found)
            return found;
        open = close;
    }
    return NULL;
}

static int gather(struct ts_run_time *rt, const struct unknown *unknown, const char *variable)
{
    char *copy;

    for (size_t i = 0; i < rt->n_gathered; i++)
        if (bytes_eq_nocase(bytes_of(variable), rt->gathered[i].variable))
            return 0;
    if (rt->n_gathered == GATHERED_MAX)
        return 0;
    copy = ts_copy(variable);
    if (!copy)
        return ERR(-ENOMEM);
    rt->gathered[rt->n_gathered++] =
        (struct ts_dependency){copy, unknown->step, unknown->is_of_engine, unknown->is_asked};
    return 0;
}

static int ask_field(struct ts_run_time *rt, const struct ts_variable *field)
{
    OWN(buf_fini) struct buf asked = BUF_INIT(NAME_MAX_BYTES);
    struct bytes name = {0};
    const struct unknown *unknown = find_in(rt, field->text, &name);
    int r;

    if (unknown)
        buf_add(&asked, name);
    r = unknown ? gather(rt, unknown, asked.failed ? unknown->name : buf_str(&asked)) : 0;

    if (r == 0 && bytes_eq_nocase(bytes_of(field->name), "Variable")) {
        unknown = find(rt, bytes_of(field->text));
        r = unknown ? gather(rt, unknown, field->text) : 0;
    }
    return TRACE(r);
}

static const char *field_of(const struct ts_condition *condition, const char *name)
{
    for (size_t i = 0; i < condition->n_fields; i++)
        if (bytes_eq_nocase(bytes_of(condition->fields[i].name), name))
            return condition->fields[i].text;
    return "";
}

/* A secret variable is compared with what an export has lost. */
static int
ask_secret(struct ts_run_time *rt, const struct ts_condition *condition, const struct ts_vars *vars)
{
    static char nowhere[] = "";
    static const struct unknown withheld = {.step = nowhere};
    const char *name = field_of(condition, "Variable");
    const char *operator_name = field_of(condition, "Operator");

    if (name[0] == '\0' || !ts_vars_is_secret(vars, name) ||
        !ts_secret_is_blank(field_of(condition, "Value")) ||
        bytes_eq_nocase(bytes_of(operator_name), "exists") ||
        bytes_eq_nocase(bytes_of(operator_name), "notExists"))
        return 0;
    return TRACE(gather(rt, &withheld, name));
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
int ts_run_time_ask(struct ts_run_time *rt,
                    const struct ts_condition *condition,
                    const struct ts_vars *vars)
{
    int r = 0;

    if (!condition)
        return 0;
    for (size_t i = 0; r == 0 && i < condition->n_fields; i++)
        r = ask_field(rt, &condition->fields[i]);
    if (r == 0)
        r = ask_secret(rt, condition, vars);
    for (size_t i = 0; r == 0 && i < condition->n_children; i++)
        r = ts_run_time_ask(rt, condition->children[i], vars);
    return TRACE(r);
}

const struct ts_dependency *ts_run_time_gathered(const struct ts_run_time *rt, size_t *ret_n)
{
    *ret_n = rt->n_gathered;
    return rt->gathered;
}

int ts_run_time_withhold(struct ts_run_time *rt, const struct ts_vars *vars)
{
    const char *name;
    const char *value;
    bool is_secret;
    int r = 0;

    for (size_t i = 0; r == 0 && ts_vars_at(vars, i, &name, &value, &is_secret); i++)
        if (is_secret && strstr(value, "***"))
            r = add(rt, name, "");
    return TRACE(r);
}

static int
expect(struct ts_run_time *rt, const struct ts_vars *vars, const char *const *names, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (ts_vars_get(vars, names[i])[0] != '\0')
            continue;
        r = add(rt, names[i], "");
        if (r == 0 && rt->n > 0)
            rt->items[rt->n - 1].is_of_engine = true;
    }
    return TRACE(r);
}

int ts_run_time_expect(struct ts_run_time *rt, const struct ts_vars *vars, bool has_facts)
{
    size_t n = has_facts ? 0 : sizeof(of_computer) / sizeof(of_computer[0]);
    int r = expect(rt, vars, of_computer, n);

    return r == 0 ? TRACE(expect(rt, vars, of_order, sizeof(of_order) / sizeof(of_order[0])))
                  : TRACE(r);
}

int ts_run_time_expect_typed(struct ts_run_time *rt, const char *name)
{
    int r = add(rt, name, "");

    if (r == 0 && rt->n > 0)
        rt->items[rt->n - 1].is_asked = true;
    return TRACE(r);
}

void ts_run_time_forget_last(struct ts_run_time *rt)
{
    for (size_t i = 0; i < sizeof(last_action) / sizeof(last_action[0]); i++)
        forget(rt, last_action[i]);
}

static const char *text_of(const struct ts_step *step, const char *name)
{
    const struct ts_variable *variable = ts_step_variable(step, name);

    return variable ? variable->text : "";
}

/* Whether @name is @pattern, in which '#' is a number. */
static bool is_property(const char *pattern, const char *name)
{
    size_t head = strcspn(pattern, "#");
    size_t n_digits;

    if (pattern[head] == '\0' || strlen(name) < head)
        return bytes_eq_nocase(bytes_of(name), pattern);
    n_digits = strspn(name + head, "0123456789");
    return n_digits > 0 && strncmp(name, pattern, head) == 0 &&
           strcmp(name + head + n_digits, pattern + head + 1) == 0;
}

static int note_named(struct ts_run_time *rt,
                      size_t kind,
                      const struct ts_step *step,
                      const char *path,
                      const struct ts_vars *vars)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < step->n_variables; i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);

        if (!is_property(named[kind].property, step->variables[i].name))
            continue;
        (void)ts_vars_expand(vars, step->variables[i].text, &name);
        if (name.len == 0)
            continue;
        buf_adds(&name, named[kind].suffix);
        r = name.failed ? 0 : add(rt, buf_str(&name), path); /* too long for the name of any */
    }
    return TRACE(r);
}

static int note_simulated(struct ts_run_time *rt,
                          const struct ts_step *step,
                          const char *path,
                          const struct ts_vars *vars)
{
    const char *type = ts_step_runs_as(step);
    int r = 0;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        for (size_t k = 0; r == 0 && strcmp(fixed[i].type, type) == 0 && k < 4 && fixed[i].names[k];
             k++)
            r = add(rt, fixed[i].names[k], path);
    for (size_t i = 0; r == 0 && i < sizeof(named) / sizeof(named[0]); i++)
        if (strcmp(named[i].type, type) == 0)
            r = note_named(rt, i, step, path, vars);
    return TRACE(r);
}

/* Set Task Sequence Variable */
static int note_set(struct ts_run_time *rt,
                    const struct ts_step *step,
                    const char *path,
                    const struct ts_vars *vars)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    bool is_withheld = ts_secret_withholds_value(step);
    bool is_unknown = is_withheld || find_in(rt, text_of(step, "VariableValue"), NULL) != NULL;

    (void)ts_vars_expand(vars, text_of(step, "VariableName"), &name);
    if (is_unknown && !name.failed)
        return TRACE(add(rt, buf_str(&name), is_withheld ? "" : path));
    forget(rt, buf_str(&name));
    return 0;
}

static bool is_certain(struct ts_run_time *rt,
                       const struct ts_condition *condition,
                       const struct ts_vars *vars,
                       const struct ts_facts *facts,
                       bool *ret_holds)
{
    OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

    *ret_holds = ts_condition_holds(condition, vars, facts, &verdict);
    ts_run_time_reset(rt);
    return verdict.warnings.len == 0 && ts_run_time_ask(rt, condition, vars) == 0 &&
           rt->n_gathered == 0;
}

/* @vars: as the rules before it have left them */
static int note_rule(struct ts_run_time *rt,
                     const struct ts_step *rule,
                     const char *path,
                     struct ts_vars *vars,
                     const struct ts_facts *facts)
{
    OWN(buf_fini) struct buf ignored = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    bool holds;
    bool is_known = is_certain(rt, rule->item.condition, vars, facts, &holds);
    int r = 0;

    for (size_t i = 0; r == 0 && i < rule->n_variables; i++) {
        const struct ts_variable *v = &rule->variables[i];

        if (!is_known || find_in(rt, v->text, NULL))
            r = add(rt, v->name, path);
        else if (holds && ts_secret_is_withheld(v))
            r = add(rt, v->name, "");
        else if (holds)
            forget(rt, v->name);
    }
    if (r == 0)
        r = ts_rule_apply(rule, vars, facts, &ignored);
    return r < 0 ? TRACE(r) : 0; /* what cannot be set ends the step, which says so itself */
}

/* Set Dynamic Variables */
static int note_rules(struct ts_run_time *rt,
                      const struct ts_step *step,
                      const char *path,
                      const struct ts_vars *vars,
                      const struct ts_facts *facts)
{
    OWN(ts_document_freep) struct ts_document *rules = NULL;
    OWN(ts_vars_freep) struct ts_vars *now = NULL;
    OWN(buf_fini) struct buf ignored = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    const struct ts_step *steps;
    size_t n;
    int r = ts_rules_read(text_of(step, "Rules"), &rules, &ignored);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0; /* the step fails, and sets none */
    r = ts_vars_copy(vars, &now);
    steps = ts_document_steps(rules, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = note_rule(rt, &steps[i], path, now, facts);
    ts_run_time_reset(rt);
    return TRACE(r);
}

int ts_run_time_note(struct ts_run_time *rt,
                     const struct ts_step *step,
                     const char *path,
                     const struct ts_vars *vars,
                     const struct ts_facts *facts)
{
    ts_run_time_reset(rt);
    ts_run_time_forget_last(rt);
    if (ts_is_assignment(step))
        return TRACE(ts_step_variable(step, "VariableName")
                         ? note_set(rt, step, path, vars)
                         : note_rules(rt, step, path, vars, facts));

    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(last_action) / sizeof(last_action[0]); i++)
        r = add(rt, last_action[i], path);
    return r == 0 ? TRACE(note_simulated(rt, step, path, vars)) : TRACE(r);
}
