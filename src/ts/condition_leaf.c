/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition_leaf.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/classes.h"
#include "ts/compare.h"
#include "ts/condition.h"
#include "ts/document.h"
#include "ts/environment.h"
#include "ts/facts.h"
#include "ts/vars.h"
#include "ts/wql.h"

enum {
    EXPANDED_MAX_BYTES = 64 * 1024,
    SHOWN_MAX = 256,    /* bytes of a query or value in a text for people */
    OS_WINDOWS_NT = 18, /* Win32_OperatingSystem.OSType */
};

enum comparison {
    EXISTS,
    NOT_EXISTS,
    EQUALS,
    NOT_EQUALS,
    GREATER,
    GREATER_EQUAL,
    LESS,
    LESS_EQUAL,
    LIKE,
    NOT_LIKE,
    N_COMPARISONS,
};

const char *const ts_variable_operators[] = {
    "exists",
    "notExists",
    "equals",
    "notEquals",
    "greater",
    "greaterEqual",
    "less",
    "lessEqual",
    "like",
    "notLike",
    NULL,
};

static const char *field(const struct ts_condition *c, const char *name)
{
    for (size_t i = 0; i < c->n_fields; i++)
        if (ts_compare_text(c->fields[i].name, name) == 0)
            return c->fields[i].text;
    return "";
}

static enum comparison find_comparison(const char *name)
{
    enum comparison c = EXISTS;

    while (c < N_COMPARISONS && ts_compare_text(name, ts_variable_operators[c]) != 0)
        c++;
    return c;
}

/* Whether the operator holds for the order of two values. */
static bool holds(enum comparison c, int order)
{
    switch (c) {
    case EQUALS:
        return order == 0;
    case NOT_EQUALS:
        return order != 0;
    case GREATER:
        return order > 0;
    case GREATER_EQUAL:
        return order >= 0;
    case LESS:
        return order < 0;
    case LESS_EQUAL:
        return order <= 0;
    case EXISTS:
    case NOT_EXISTS:
    case LIKE:
    case NOT_LIKE:
    case N_COMPARISONS:
        break;
    }
    return false;
}

static bool compare(enum comparison c, const char *actual, const char *value)
{
    switch (c) {
    case EXISTS:
        return actual[0] != '\0';
    case NOT_EXISTS:
        return actual[0] == '\0';
    case EQUALS:
    case NOT_EQUALS:
        return holds(c, ts_compare_text(actual, value));
    case LIKE:
        return ts_is_like(actual, value);
    case NOT_LIKE:
        return !ts_is_like(actual, value);
    case GREATER:
    case GREATER_EQUAL:
    case LESS:
    case LESS_EQUAL:
    case N_COMPARISONS:
        break;
    }
    return holds(c, ts_compare_ordered(actual, value));
}

static enum leaf_answer answer(bool is_true)
{
    return is_true ? LEAF_TRUE : LEAF_FALSE;
}

/* An argument with its variables expanded, and the same for people. Return: false without memory. */
static bool expand_field(const struct ts_condition *c,
                         const struct leaf_context *x,
                         const char *name,
                         struct buf *ret,
                         const char **ret_shown)
{
    bool has_secret = ts_vars_expand(x->vars, field(c, name), ret);

    *ret_shown = has_secret ? field(c, name) : buf_str(ret);
    return !ret->failed;
}

static enum leaf_answer unanswerable(struct buf *seen, const char *what, const char *why)
{
    buf_addf(seen, "%.*s: %s", SHOWN_MAX, what, why);
    return LEAF_UNANSWERABLE;
}

static enum leaf_answer
evaluate_variable(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    OWN(buf_fini) struct buf value = BUF_INIT(EXPANDED_MAX_BYTES);
    const char *name = field(c, "Variable");
    const char *operator_name = field(c, "Operator");
    enum comparison comparison = find_comparison(operator_name);
    const char *actual = ts_vars_get(x->vars, name);
    bool is_secret = ts_vars_is_secret(x->vars, name);
    const char *shown;

    if (!expand_field(c, x, "Value", &value, &shown))
        return unanswerable(seen, name, "its value is too long");
    if (comparison == N_COMPARISONS)
        return unanswerable(seen, operator_name, "no operator of a variable condition");
    buf_addf(seen, "%.*s %s", SHOWN_MAX, name, ts_variable_operators[comparison]);
    if (is_secret && field(c, "Value")[0] != '\0')
        shown = "***";
    if (comparison != EXISTS && comparison != NOT_EXISTS)
        buf_addf(seen, " \"%.*s\"", SHOWN_MAX, shown);
    if (actual[0] == '\0')
        buf_adds(seen, ": it is not set");
    else if (is_secret)
        buf_adds(seen, ": it is \"***\"");
    else
        buf_addf(seen, ": it is \"%.*s\"", SHOWN_MAX, actual);
    return answer(compare(comparison, actual, buf_str(&value)));
}

/* One of "Version" and "DateTime" of a file or folder; @order: how the file's compares with it. */
static bool is_met(const struct ts_condition *c, const char *operator_field, int order)
{
    const char *name = field(c, operator_field);
    enum comparison comparison = name[0] != '\0' ? find_comparison(name) : EQUALS;

    return holds(comparison, order);
}

/* The file is there; @ret_holds: whether its version and time are as asked. Return: false if that cannot be told. */
static bool
check_path(const struct ts_condition *c, const struct ts_path_fact *fact, bool *ret_holds)
{
    const char *version = field(c, "Version");
    const char *date = field(c, "DateTime");
    int64_t wanted;
    int order;

    *ret_holds = true;
    if (version[0] != '\0') {
        if (fact->version[0] == '\0' || !ts_compare_versions(fact->version, version, &order))
            return false;
        *ret_holds = is_met(c, "VersionOperator", order);
    }
    if (date[0] != '\0') {
        if (!fact->has_modified || !ts_parse_date(date, &wanted))
            return false;
        order = (fact->modified_us > wanted) - (fact->modified_us < wanted);
        *ret_holds = *ret_holds && is_met(c, "DateTimeOperator", order);
    }
    return true;
}

static enum leaf_answer evaluate_path(const struct ts_condition *c,
                                      const struct leaf_context *x,
                                      bool is_folder,
                                      struct buf *seen)
{
    OWN(buf_fini) struct buf text = BUF_INIT(EXPANDED_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(EXPANDED_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(SHOWN_MAX);
    struct ts_path_fact fact = {.version = ""};
    enum ts_known known = TS_NOT_TOLD;
    const char *shown;
    bool is_met_all = false;

    if (!expand_field(c, x, "Path", &text, &shown))
        return unanswerable(seen, shown, "the path is too long");
    if (!ts_environment_expand(x->facts, buf_str(&text), &path, &why))
        return unanswerable(seen, shown, buf_str(&why));
    if (!path.failed && x->facts && x->facts->find_path)
        known = x->facts->find_path(x->facts->ctx, buf_str(&path), is_folder, &fact);
    if (known == TS_NOT_TOLD)
        return unanswerable(seen, shown, "nobody here can tell whether it exists");
    if (known == TS_MISSING) {
        buf_addf(seen, "%.*s: it does not exist", SHOWN_MAX, shown);
        return LEAF_FALSE;
    }
    if (!check_path(c, &fact, &is_met_all))
        return unanswerable(seen, shown, "its version or time cannot be compared");
    buf_addf(seen,
             "%.*s: it exists%s%s%s",
             SHOWN_MAX,
             shown,
             fact.version[0] != '\0' ? ": " : "",
             fact.version,
             is_met_all ? "" : ", with another version or time");
    return answer(is_met_all);
}

static enum leaf_answer
evaluate_file(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    return evaluate_path(c, x, false, seen);
}

static enum leaf_answer
evaluate_folder(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    return evaluate_path(c, x, true, seen);
}

static enum leaf_answer
evaluate_registry(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    OWN(buf_fini) struct buf key = BUF_INIT(EXPANDED_MAX_BYTES);
    OWN(buf_fini) struct buf data = BUF_INIT(EXPANDED_MAX_BYTES);
    enum comparison comparison = find_comparison(field(c, "Operator"));
    struct ts_registry_fact fact = {"", ""};
    enum ts_known known = TS_NOT_TOLD;
    const char *value = field(c, "Value");
    const char *type = field(c, "Type");
    const char *shown_key;
    const char *shown_data;

    if (expand_field(c, x, "KeyPath", &key, &shown_key) &&
        expand_field(c, x, "Data", &data, &shown_data) && x->facts && x->facts->find_registry)
        known = x->facts->find_registry(x->facts->ctx, buf_str(&key), value, &fact);
    if (known == TS_NOT_TOLD || comparison == N_COMPARISONS)
        return unanswerable(seen, shown_key, "there is no registry to ask");
    buf_addf(seen, "%.*s, value \"%.64s\": ", SHOWN_MAX, shown_key, value);
    if (known == TS_MISSING)
        buf_adds(seen, "it does not exist");
    else
        buf_addf(seen, "it is \"%.*s\"", SHOWN_MAX, fact.data);
    if (comparison == EXISTS || comparison == NOT_EXISTS)
        return answer((known == TS_KNOWN) == (comparison == EXISTS));
    if (known == TS_MISSING ||
        (type[0] != '\0' && fact.type[0] != '\0' && ts_compare_text(type, fact.type) != 0))
        return LEAF_FALSE;
    return answer(compare(comparison, fact.data, buf_str(&data)));
}

/* By what the installer of Windows calls it, or else as a package of the distribution, by its name. */
static enum ts_known find_software(const struct ts_condition *c,
                                   const struct leaf_context *x,
                                   const char *name,
                                   struct ts_software_fact *ret)
{
    bool is_any_version = ts_compare_text(field(c, "Operator"), "AnyVersion") == 0;
    const struct ts_facts *facts = x->facts;
    enum ts_known known = TS_NOT_TOLD;
    enum ts_known package = TS_NOT_TOLD;

    if (facts && facts->find_software)
        known = facts->find_software(facts->ctx,
                                     is_any_version ? "" : field(c, "ProductCode"),
                                     field(c, "UpgradeCode"),
                                     ret);
    if (known != TS_KNOWN && facts && facts->find_package && name[0] != '\0')
        package = facts->find_package(facts->ctx, name, ret);
    if (package != TS_KNOWN)
        return known == TS_NOT_TOLD ? package : known;
    return is_any_version || ts_is_package_version(ret->version, field(c, "Version")) ? TS_KNOWN
                                                                                      : TS_MISSING;
}

static enum leaf_answer
evaluate_software(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    OWN(buf_fini) struct buf name = BUF_INIT(EXPANDED_MAX_BYTES);
    struct ts_software_fact fact = {""};
    enum ts_known known = TS_NOT_TOLD;
    const char *shown;

    if (expand_field(c, x, "ProductName", &name, &shown))
        known = find_software(c, x, buf_str(&name), &fact);
    if (known == TS_NOT_TOLD)
        return unanswerable(seen, shown, "nobody here can tell whether it is installed");
    buf_addf(seen,
             "%.*s: it is %s%s%s",
             SHOWN_MAX,
             shown,
             known == TS_KNOWN         ? "installed"
             : fact.version[0] != '\0' ? "installed as another version"
                                       : "not installed",
             fact.version[0] != '\0' ? ": " : "",
             fact.version);
    return answer(known == TS_KNOWN);
}

static const struct ts_class *
find_class(const struct leaf_context *x, const char *namespace_name, const char *name)
{
    return x->facts && x->facts->find_class
               ? x->facts->find_class(x->facts->ctx, namespace_name, name)
               : NULL;
}

/* Of a base class, the one that is derived from it. */
static const struct ts_class *
find_queried(const struct leaf_context *x, const char *namespace_name, const char *name)
{
    const struct ts_class *found = find_class(x, namespace_name, name);
    const char *derived = found ? NULL : ts_class_of_base(namespace_name, name);

    return derived ? find_class(x, namespace_name, derived) : found;
}

DEFINE_FREEP(struct ts_query *, ts_query_free);

static enum leaf_answer
evaluate_query(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    OWN(buf_fini) struct buf text = BUF_INIT(EXPANDED_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(SHOWN_MAX);
    OWN(ts_query_freep) struct ts_query *query = NULL;
    const struct ts_class *class_facts;
    const char *shown;
    size_t n;

    if (!expand_field(c, x, "Query", &text, &shown))
        return unanswerable(seen, shown, "the query is too long");
    if (ts_query_parse(buf_str(&text), &query, &why) != 0)
        return unanswerable(seen, shown, why.len > 0 ? buf_str(&why) : "out of memory");
    class_facts = find_queried(x, field(c, "Namespace"), ts_query_class(query));
    if (!class_facts)
        return unanswerable(seen, shown, "nobody here fills this class of this namespace");
    if (ts_query_count(query, class_facts, &n, &why) != 0)
        return unanswerable(seen, shown, buf_str(&why));
    buf_addf(seen, "%.*s: ", SHOWN_MAX, shown);
    ts_query_describe(query, class_facts, seen);
    return answer(n > 0);
}

static const struct ts_scalar *first_value(const struct ts_instance *instance, const char *name)
{
    const struct ts_property *p = ts_instance_find(instance, name);

    return p && p->n_values > 0 ? &p->values[0] : NULL;
}

/* "6.10.7601.1", as MDT writes 6.1 with service pack 1: the minor number has two digits, the first of which counts. */
static void put_plain_version(const char *text, struct buf *ret)
{
    size_t major = strcspn(text, ".");
    const char *minor = text + major + (text[major] == '.' ? 1 : 0);
    size_t len = strcspn(minor, ".");

    buf_add(ret, (struct bytes){(const uint8_t *)text, major});
    if (len == 0)
        return;
    buf_addf(ret, ".%.*s%s", len == 2 ? 1 : (int)len, minor, minor + len);
}

static bool is_architecture(const struct ts_instance *os, const char *wanted)
{
    const char *bits = ts_instance_text(os, "OSArchitecture");

    return wanted[0] == '\0' || ts_compare_text(wanted, "All") == 0 ||
           strncmp(bits, ts_compare_text(wanted, "X64") == 0 ? "64" : "32", 2) == 0;
}

static enum leaf_answer
evaluate_os(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    OWN(buf_fini) struct buf wanted = BUF_INIT(SHOWN_MAX);
    OWN(buf_fini) struct buf actual = BUF_INIT(SHOWN_MAX);
    const struct ts_class *oses = find_class(x, TS_CIMV2, "Win32_OperatingSystem");
    int order;

    if (!oses || oses->n_instances == 0)
        return unanswerable(seen, "operating system", "nobody here can tell which it is");

    const struct ts_instance *os = oses->instances[0];
    const struct ts_scalar *type = first_value(os, "OSType");
    const struct ts_scalar *pack = first_value(os, "ServicePackMajorVersion");

    buf_addf(&actual,
             "%s.%" PRId64,
             ts_instance_text(os, "Version"),
             pack && pack->kind == TS_SCALAR_NUMBER ? pack->number : 0);
    buf_addf(seen, "operating system: %s %s", ts_instance_text(os, "Caption"), buf_str(&actual));
    if (type && type->kind == TS_SCALAR_NUMBER && type->number != OS_WINDOWS_NT)
        return LEAF_FALSE;
    put_plain_version(field(c, "Version"), &wanted);
    if (field(c, "Version")[0] == '\0')
        return answer(is_architecture(os, field(c, "Architecture")));
    if (!ts_compare_versions(buf_str(&actual), buf_str(&wanted), &order))
        return unanswerable(seen, field(c, "Version"), "not a version");
    return answer(is_architecture(os, field(c, "Architecture")) && is_met(c, "Operator", order));
}

static enum leaf_answer
evaluate_make_model(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    const char *make = ts_vars_get(x->vars, "_SMSTSMake");
    const char *model = ts_vars_get(x->vars, "_SMSTSModel");
    const char *wanted_make = field(c, "Make");
    const char *wanted_model = field(c, "Model");

    buf_addf(seen, "make \"%.64s\", model \"%.64s\"", make, model);
    return answer((wanted_make[0] == '\0' || ts_is_like(make, wanted_make)) &&
                  (wanted_model[0] == '\0' || ts_is_like(model, wanted_model)));
}

static bool is_same_item(struct bytes item, const char *wanted)
{
    uint8_t one[MAC_BYTES];
    uint8_t other[MAC_BYTES];

    if (mac_parse(item, one) && mac_parse(bytes_of(wanted), other))
        return memcmp(one, other, MAC_BYTES) == 0;
    return bytes_eq_nocase(item, wanted);
}

/* Whether @wanted is in the list of variable @name, whose parts commas separate. */
static bool is_in_list(const struct ts_vars *vars, const char *name, const char *wanted)
{
    const char *list = ts_vars_get(vars, name);
    bool is_found = false;

    while (*list && !is_found) {
        size_t len = strcspn(list, ",");

        is_found = is_same_item((struct bytes){(const uint8_t *)list, len}, wanted);
        list += len;
        list += strspn(list, ", ");
    }
    return is_found && wanted[0] != '\0';
}

static enum leaf_answer
evaluate_computer(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    static const struct {
        const char *field;
        const char *variable;
    } parts[] = {
        {"AssetTag", "_SMSTSAssetTag"},
        {"UUID", "_SMSTSUUID"},
        {"SerialNumber", "_SMSTSSerialNumber"},
        {"MACAddress", "_SMSTSMacAddresses"},
        {"DefaultGateway", "_SMSTSDefaultGateways"},
    };
    bool is_this = false;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *wanted = field(c, parts[i].field);

        if (wanted[0] == '\0')
            continue;
        buf_addf(seen,
                 "%s%s is \"%.64s\"",
                 seen->len > 0 ? ", " : "",
                 parts[i].field,
                 ts_vars_get(x->vars, parts[i].variable));
        is_this |= is_in_list(x->vars, parts[i].variable, wanted);
    }
    return answer(is_this);
}

#define TYPE(name) "SMS_TaskSequence_" name "ConditionExpression"

static const struct leaf_type {
    const char *type;
    enum leaf_answer (*evaluate)(const struct ts_condition *c,
                                 const struct leaf_context *x,
                                 struct buf *seen);
    bool is_windows_only; /* the agent on Linux has nothing to answer from */
} types[] = {
    {TYPE("Variable"), evaluate_variable, false},
    {TYPE("WMI"), evaluate_query, false},
    {TYPE("File"), evaluate_file, false},
    {TYPE("Folder"), evaluate_folder, false},
    {TYPE("Registry"), evaluate_registry, true},
    {TYPE("Software"), evaluate_software, false},
    {TYPE("OS"), evaluate_os, false},
    {TYPE("MakeModel"), evaluate_make_model, false},
    {TYPE("Computer"), evaluate_computer, false},
    {TYPE("Location"), evaluate_computer, false},
};

static const struct leaf_type *find_type(const struct ts_condition *c)
{
    if (c->kind == TS_CONDITION_EXPRESSION)
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
            if (ts_compare_text(c->type, types[i].type) == 0)
                return &types[i];
    return NULL;
}

enum leaf_answer
leaf_evaluate(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen)
{
    const struct leaf_type *type = find_type(c);

    return type ? type->evaluate(c, x, seen)
                : unanswerable(seen, c->type, "not a condition or operator that is known");
}

static bool is_query_portable(const struct ts_condition *c, struct buf *why)
{
    OWN(ts_query_freep) struct ts_query *query = NULL;
    OWN(buf_fini) struct buf reason = BUF_INIT(SHOWN_MAX);

    if (ts_query_parse(field(c, "Query"), &query, &reason) != 0 ||
        ts_class_is_gathered(field(c, "Namespace"), ts_query_class(query)))
        return true;
    buf_addf(why,
             "class %.64s of %.64s",
             ts_query_class(query),
             field(c, "Namespace")[0] != '\0' ? field(c, "Namespace") : TS_CIMV2);
    return false;
}

static bool is_path_portable(const struct ts_condition *c, struct buf *why)
{
    const char *path = field(c, "Path");

    if (path[0] == '\0' ||
        ((path[0] == '/' || path[0] == '%') && !ts_environment_is_of_windows(path)))
        return true;
    buf_addf(why, "path %.200s, which is none of Linux", path);
    return false;
}

bool leaf_is_portable(const struct ts_condition *c, struct buf *why)
{
    const struct leaf_type *type = find_type(c);
    OWN(buf_fini) struct buf one = BUF_INIT(SHOWN_MAX);
    bool is_portable = true;

    if (!type || type->is_windows_only) {
        buf_addf(&one, "condition %.128s", c->type);
        is_portable = false;
    } else if (type->evaluate == evaluate_query) {
        is_portable = is_query_portable(c, &one);
    } else if (type->evaluate == evaluate_file || type->evaluate == evaluate_folder) {
        is_portable = is_path_portable(c, &one);
    }
    if (!is_portable && !strstr(buf_str(why), buf_str(&one)))
        buf_addf(why, "%s%s", why->len > 0 ? "; " : "", buf_str(&one));
    return is_portable;
}
