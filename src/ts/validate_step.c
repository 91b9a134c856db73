/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Properties of steps against the table of step types
 */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/compare.h"
#include "ts/script_text.h"
#include "ts/secret.h"
#include "ts/step_value.h"
#include "ts/validate_parts.h"
#include "ts/vars.h"

enum {
    CLAUSE_MAX_BYTES = 128,
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ts_check_is_settable(const char *name)
{
    return ts_vars_is_name(name, name[0] == '_' ? TS_BY_ENGINE : TS_BY_SEQUENCE);
}

/* Whether what stands between two '%' was hardly meant as text: begins and ends like a name, no quote, path or space of
   a command line in it, and yet is no name. */
static bool looks_meant(const char *name, size_t len)
{
    if (len == 0 || len > TS_VARIABLE_NAME_MAX || !is_letter(name[0]) ||
        !is_name_char(name[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr("\"'/\\=,;|&<>()~:*?^[]{}\t\r\n", name[i]))
            return false;
    return true;
}

static void
check_references_in(const struct ts_check *c, int item, const char *what, const char *text)
{
    const char *from = strchr(text, '%');

    while (from) {
        const char *to = strchr(from + 1, '%');
        size_t len = to ? (size_t)(to - from) - 1 : 0;
        size_t n = 0;

        if (!to)
            return;
        while (n < len && is_name_char(from[1 + n]))
            n++;
        if (n < len && looks_meant(from + 1, len)) {
            ts_check_report(
                c,
                item,
                TS_WARNING,
                "SLW-0172",
                "%s: %%%.*s%% is no reference to a variable and stays as it is; names have "
                "letters, digits, '_' and '-'",
                what,
                (int)len,
                from + 1);
            return;
        }
        from = n == len ? strchr(to + 1, '%') : to;
    }
}

static void check_number(const struct ts_check *c,
                         int item,
                         const struct ts_property *property,
                         const char *text)
{
    bool is_negative = text[0] == '-';
    uint64_t n = 0;

    if (!bytes_parse_u64(bytes_of(text + (is_negative ? 1 : 0)), 0, INT64_MAX, &n)) {
        ts_check_report(
            c, item, TS_ERROR, "SLW-0181", "%s: \"%.64s\" is not a number", property->label, text);
        return;
    }

    int64_t value = is_negative ? -(int64_t)n : (int64_t)n;

    if ((property->min != 0 || property->max != 0) &&
        (value < property->min || value > property->max))
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0181",
                        "%s: %.64s is out of range; it may be %lld to %lld",
                        property->label,
                        text,
                        (long long)property->min,
                        (long long)property->max);
}

static void check_length(const struct ts_check *c,
                         int item,
                         const struct ts_property *property,
                         const char *text)
{
    size_t n = text_count_characters(text);

    if (property->max > 0 && property->kind != TS_KIND_NUMBER && n > (size_t)property->max &&
        !ts_vars_has_reference(text))
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0171",
                        "%s has %zu characters; the limit is %lld",
                        property->label,
                        n,
                        (long long)property->max);
}

static void
check_name(const struct ts_check *c, int item, const struct ts_property *property, const char *name)
{
    if (!ts_check_is_settable(name))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0172",
            "%s: \"%.64s\" is not the name of a variable; names have letters, digits, '_' "
            "and '-', begin with a letter and have at most %d characters",
            property->label,
            name,
            (int)TS_VARIABLE_NAME_MAX);
    else if (property->is_assigned && name[0] == '_')
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0186",
            "%s: %.64s: variables that begin with '_' are read-only; choose another name",
            property->label,
            name);
}

static void check_codes(const struct ts_check *c,
                        int item,
                        const struct ts_property *property,
                        const char *text)
{
    OWN(freep)
    char *attribute =
        item == TS_NO_ITEM ? NULL : ts_node_attribute(c->tree.items[item].node, "successCodeList");

    if (ts_check_are_codes(text) || (attribute && strcmp(attribute, text) == 0))
        return; /* the attribute, which counts, has been told */
    ts_check_report(c,
                    item,
                    TS_ERROR,
                    "SLW-0181",
                    "%s: \"%.64s\" are not integers with spaces between them",
                    property->label,
                    text);
}

static void check_words(const struct ts_check *c,
                        int item,
                        const struct ts_property *property,
                        enum ts_severity severity,
                        const char *text)
{
    const char *words = property->kind == TS_KIND_BOOL ? "true or false" : property->choices;

    if (!ts_check_is_one_of(text,
                            property->kind == TS_KIND_BOOL ? "true|false" : property->choices))
        ts_check_report(c,
                        item,
                        severity,
                        "SLW-0181",
                        "%s: \"%.64s\" is none of %s",
                        property->label,
                        text,
                        words);
}

static void check_version(const struct ts_check *c,
                          int item,
                          const struct ts_property *property,
                          const char *text)
{
    int order;

    if (!ts_compare_versions(text, "0", &order))
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0181",
                        "%s: \"%.64s\" is not a version; it is written like 10.0.16299",
                        property->label,
                        text);
}

static void check_script(const struct ts_check *c,
                         int item,
                         const struct ts_property *property,
                         const char *text)
{
    OWN(buf_fini) struct buf script = BUF_INIT(TS_XML_MAX_BYTES);

    if (!ts_script_text(text, &script))
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0444",
                        "%s (%s): it is not Base64 of a text; enter the script again",
                        property->label,
                        property->name);
}

static void
check_form(const struct ts_check *c, int item, const struct ts_property *property, const char *text)
{
    enum ts_form form = property->form;

    if (!ts_form_fits(form, text))
        ts_check_report(c,
                        item,
                        ts_form_is_of_linux(form) ? ts_check_severity_on_linux(c) : TS_ERROR,
                        ts_form_error_id(form),
                        "%s: \"%.128s\" is no %s",
                        property->label,
                        text,
                        ts_form_words(form));
}

void ts_check_value(const struct ts_check *c,
                    int item,
                    const struct ts_property *property,
                    const char *text)
{
    check_length(c, item, property, text);
    if (text[0] == '\0' || property->is_part)
        return;
    if (property->kind == TS_KIND_SCRIPT)
        check_script(c, item, property, text);
    if (ts_vars_has_reference(text))
        return;
    if (property->kind == TS_KIND_NUMBER)
        check_number(c, item, property, text);
    else if (property->kind == TS_KIND_VARIABLE)
        check_name(c, item, property, text);
    else if (property->kind == TS_KIND_CODES)
        check_codes(c, item, property, text);
    else if (property->kind == TS_KIND_VERSION)
        check_version(c, item, property, text);
    else if (property->kind == TS_KIND_BOOL)
        check_words(c, item, property, TS_WARNING, text);
    else if (property->kind == TS_KIND_CHOICE)
        check_words(c, item, property, TS_ERROR, text);
    check_form(c, item, property, text);
}

/* "NAME=VALUE", "NAME" or "!NAME", which ends at the length @len. What a variable of the sequence may decide is not true. */
static bool is_clause_true(const struct ts_check *c, int item, const char *clause, size_t len)
{
    const struct ts_step *step = ts_check_step(c, item);
    bool is_inverted = clause[0] == '!';
    char name[CLAUSE_MAX_BYTES];
    char *wanted;
    const char *text;

    (void)snprintf(name,
                   sizeof(name),
                   "%.*s",
                   (int)len - (is_inverted ? 1 : 0),
                   clause + (is_inverted ? 1 : 0));
    wanted = strchr(name, '=');
    if (wanted)
        *wanted++ = '\0';
    text = ts_check_text(step, name);
    if (text[0] == '\0' && ts_check_is_assigned(c, name))
        return false;
    if (wanted)
        return bytes_eq_nocase(bytes_of(text), wanted);
    return (text[0] == '\0') == is_inverted;
}

static bool is_needed(const struct ts_check *c, int item, const struct ts_property *property)
{
    const char *clause = property->needed_if;

    if (property->is_required)
        return true;
    while (clause && *clause != '\0') {
        size_t len = strcspn(clause, "&");

        if (!is_clause_true(c, item, clause, len))
            return false;
        clause += len + (clause[len] == '&' ? 1 : 0);
    }
    return clause != NULL;
}

/* As MDT writes it: the command is in <action> only. */
static bool has_action(const struct ts_step *step, const struct ts_property *property)
{
    return strcmp(property->name, "CommandLine") == 0 && ts_step_action_command(step)[0] != '\0';
}

static void check_required(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    const struct ts_step *step = ts_check_step(c, item);

    for (size_t i = 0; i < type->n_properties; i++) {
        const struct ts_property *p = &type->properties[i];

        if (ts_check_text(step, p->variable)[0] != '\0' || !is_needed(c, item, p) ||
            has_action(step, p) || (!p->is_hidden && ts_check_is_assigned(c, p->variable)))
            continue;
        ts_check_report(c,
                        item,
                        p->is_supplied ? TS_WARNING : TS_ERROR,
                        "SLW-0180",
                        p->is_supplied
                            ? "%s (%s) is not set; set it, or have a variable of the device or "
                              "the collection do it"
                            : "%s (%s) is not set; set it",
                        p->label,
                        p->name);
    }
}

/* A step runs as its account only if it is switched on. The site may set either in variables: so no error. */
static void check_run_as(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_property *user = ts_property_find(type, "UserName");
    const struct ts_property *flag = ts_property_find(type, "RunAsUser");

    if (!user || !flag)
        return;

    bool has_user = ts_check_text(step, user->variable)[0] != '\0';
    const char *is_on = ts_check_text(step, flag->variable);

    if (is_on[0] == '\0')
        is_on = ts_check_text(step, flag->name);
    if (ts_vars_has_reference(is_on) ||
        has_user == (ts_check_is_true(is_on) || ts_check_is_one_of(is_on, "yes|1")))
        return;
    if (has_user)
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0193",
                        "it has an account (%s), but runs as root: %s is not true",
                        user->name,
                        flag->name);
    else
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0193",
                        "it is to run as an account (%s), but %s is not set",
                        flag->name,
                        user->name);
}

static void check_choice_of_image(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);

    if (strcmp(step->type, "SMS_TaskSequence_ApplyOperatingSystemAction") != 0 ||
        ts_check_text(step, "ImagePackageID")[0] != '\0')
        return;
    if (ts_check_text(step, "InstallPackageID")[0] != '\0')
        ts_check_report(
            c,
            item,
            c->platform == TS_PLATFORM_LINUX ? TS_ERROR : TS_WARNING,
            "SLW-0176",
            "it installs from an operating system upgrade package, which is for Windows; choose an OS "
            "image instead");
    else
        ts_check_report(
            c, item, TS_ERROR, "SLW-0180", "no OS image is chosen (ImagePackageID); set it");
}

/* The target of a restart that stands in <action> only. */
static void check_target(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    const struct ts_step *step = ts_check_step(c, item);
    OWN(buf_fini) struct buf target = BUF_INIT(TS_XML_MAX_BYTES);

    if (ts_check_text(step, "SMSRebootTarget")[0] != '\0')
        return;
    ts_step_put_action_target(step, &target);
    if (target.len > 0)
        ts_check_value(c, item, ts_property_find(type, "Target"), buf_str(&target));
}

void ts_check_properties(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_step_type *type = ts_step_type_find(step->type);
    bool hides_value = ts_secret_hides_value(step);

    ts_check_values(c, item);
    for (size_t i = 0; i < step->n_variables; i++) {
        const struct ts_variable *v = &step->variables[i];
        const struct ts_property *p = ts_property_find(type, v->name);
        OWN(freep) char *shown = ts_secret_mask_value(step, hides_value, v, "***");

        if (!p)
            p = v->property[0] != '\0' ? ts_property_find(type, v->property) : NULL;
        if (p)
            ts_check_value(c, item, p, v->text);
        if (!p || (p->kind != TS_KIND_SCRIPT && p->kind != TS_KIND_RULES))
            check_references_in(c, item, p ? p->label : v->name, shown ? shown : "");
    }
    if (!type)
        return;
    check_required(c, item, type);
    check_run_as(c, item, type);
    check_choice_of_image(c, item);
    check_target(c, item, type);
}
