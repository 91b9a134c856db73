/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What Apply Network Settings, Apply Windows Settings and others could not do as they say: found before a disk is wiped
 */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "ts/adapter.h"
#include "ts/locales.h"
#include "ts/time_zones.h"
#include "ts/validate_parts.h"
#include "ts/vars.h"

enum {
    NAMES_MAX_BYTES = 512,
    PREFIX_MAX_BYTES = 32,
};

#define TYPE(name) "SMS_TaskSequence_" name "Action"

static void check_without_effect(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_step_type *type = ts_step_type_find(step->type);
    OWN(buf_fini) struct buf names = BUF_INIT(NAMES_MAX_BYTES);

    for (size_t i = 0; i < step->n_variables; i++) {
        const struct ts_variable *v = &step->variables[i];

        if (ts_property_is_in_vain(ts_property_find(type, v->name), v->text) &&
            names.len + strlen(v->name) + 2 < NAMES_MAX_BYTES)
            buf_addf(&names, "%s%s", names.len > 0 ? ", " : "", v->name);
    }
    if (names.len > 0)
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0485",
                        "it has settings that mean nothing on Linux and are not used: %s",
                        buf_str(&names));
}

/* cloud-init's are taken; one of Windows says nothing to Linux. */
static void check_answer_file(const struct ts_check *c, int item)
{
    static const char ending[] = ".xml";
    const char *name = ts_check_text(ts_check_step(c, item), "OSDConfigFileName");
    size_t len = strlen(name);

    if (len >= strlen(ending) && bytes_eq_nocase(bytes_of(name + len - strlen(ending)), ending))
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0485",
            "its answer file (OSDConfigFileName) %.128s is one of Windows and is not used on "
            "Linux; there it may be user data of cloud-init",
            name);
}

static const char *text_of(void *ctx, const char *name)
{
    const struct ts_step *const *step = ctx;

    return ts_check_text(*step, name);
}

/* What a variable holds is not known before it runs. */
static bool has_reference(const struct ts_step *step, const char *prefix)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < step->n_variables; i++)
        if (strlen(step->variables[i].name) >= len &&
            bytes_eq_nocase((struct bytes){(const uint8_t *)step->variables[i].name, len},
                            prefix) &&
            ts_vars_has_reference(step->variables[i].text))
            return true;
    return false;
}

static void check_adapter(const struct ts_check *c, int item, size_t i)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_values source = {text_of, (void *)&step};
    OWN(buf_fini) struct buf why = BUF_INIT(NAMES_MAX_BYTES);
    struct ts_adapter adapter;
    char prefix[PREFIX_MAX_BYTES];
    int r;

    (void)snprintf(prefix, sizeof(prefix), "OSDAdapter%zu", i);
    if (has_reference(step, prefix))
        return;
    r = ts_adapter_read(&source, i, &adapter, &why);
    if (r == 0)
        r = ts_adapter_read_search(&source, i, &adapter.search, &why);
    if (r != 0)
        ts_check_report(c,
                        item,
                        r == TS_ADAPTER_E_MISSING ? TS_WARNING : TS_ERROR,
                        "SLW-0433",
                        "adapter %zu: %s",
                        i,
                        buf_str(&why));
}

static void check_adapters(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_values source = {text_of, (void *)&step};
    OWN(buf_fini) struct buf why = BUF_INIT(NAMES_MAX_BYTES);
    struct ts_words search = {.n = 0};
    size_t n = ts_adapter_count(&source);

    if (has_reference(step, "OSDDNS"))
        return;
    if (n > TS_ADAPTERS_MAX)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0433",
                        "%zu adapters are more than %d",
                        n,
                        (int)TS_ADAPTERS_MAX);
    if (n == 0 && ts_adapter_read_search(&source, SIZE_MAX, &search, &why) != 0)
        ts_check_report(c, item, TS_ERROR, "SLW-0433", "%s", buf_str(&why));
    for (size_t i = 0; i < n && i < TS_ADAPTERS_MAX; i++)
        check_adapter(c, item, i);
}

static void
report_domain(const struct ts_check *c, int item, enum ts_severity severity, const char *what)
{
    ts_check_report(c, item, severity, "SLW-0435", "%s", what);
}

/* Each of them may also be a variable of the device or the collection: only what makes no sense is an error. */
static void check_domain(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const char *domain = ts_check_text(step, "OSDDomainName");

    if (domain[0] == '\0' && !ts_check_is_assigned(c, "OSDDomainName"))
        report_domain(
            c, item, TS_WARNING, "it joins a domain, but names none (OSDDomainName); set it");
    if (domain[0] != '\0' && !ts_vars_has_reference(domain) &&
        !ts_form_fits(TS_FORM_DOMAIN, domain))
        report_domain(c, item, TS_ERROR, "OSDDomainName is no name of a domain");
    if (ts_check_text(step, "OSDJoinAccount")[0] == '\0' &&
        !ts_check_is_assigned(c, "OSDJoinAccount"))
        report_domain(
            c,
            item,
            TS_WARNING,
            "it joins a domain, but the account that may (OSDJoinAccount) is not set; set "
            "it and its password");
}

static void check_membership(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const char *workgroup = ts_check_text(step, "OSDWorkgroupName");

    if (ts_check_joins_domain(step))
        check_domain(c, item);
    else if (workgroup[0] != '\0' && !ts_vars_has_reference(workgroup) &&
             !ts_form_fits(TS_FORM_WORKGROUP, workgroup))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0433",
            "OSDWorkgroupName \"%.64s\" is no name of a workgroup: letters, digits, - _ .",
            workgroup);
}

bool ts_check_joins_domain(const struct ts_step *step)
{
    const char *type = ts_check_text(step, "OSDNetworkJoinType");

    return strcmp(type, "0") == 0 ||
           (type[0] == '\0' && ts_check_text(step, "OSDDomainName")[0] != '\0');
}

static void check_time_zone(const struct ts_check *c, int item)
{
    const char *name = ts_check_text(ts_check_step(c, item), "OSDTimeZone");
    struct ts_time_zone zone;

    if (name[0] == '\0' || ts_vars_has_reference(name) || ts_time_zone_is_known(name))
        return;
    ts_check_report(c,
                    item,
                    ts_time_zone_of(name, &zone) ? TS_WARNING : TS_ERROR,
                    "SLW-0438",
                    "OSDTimeZone \"%.64s\" is no time zone that is known, of Windows or like "
                    "Europe/Berlin",
                    name);
}

static void check_languages(const struct ts_check *c, int item)
{
    static const char *const names[] = {"OSDWindowsSettingsUILanguage",
                                        "OSDWindowsSettingsUILanguageFallback",
                                        "OSDWindowsSettingsUserLocale",
                                        "OSDWindowsSettingsSystemLocale"};
    static const char input[] = "OSDWindowsSettingsInputLocale";
    const char *keyboard = ts_check_text(ts_check_step(c, item), input);
    struct ts_locale locale;
    struct ts_keyboard read;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = ts_check_text(ts_check_step(c, item), names[i]);

        if (text[0] != '\0' && !ts_vars_has_reference(text) && !ts_locale_of(text, &locale))
            ts_check_report(c,
                            item,
                            TS_ERROR,
                            "SLW-0439",
                            "%s \"%.64s\" is no language that is known: it is written like de-DE",
                            names[i],
                            text);
    }
    if (keyboard[0] != '\0' && !ts_vars_has_reference(keyboard) && !ts_keyboard_of(keyboard, &read))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0439",
            "%s \"%.64s\" is no keyboard that is known: it is written like 0407:00000407 "
            "or de-DE",
            input,
            keyboard);
}

void ts_check_settings(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);

    if (c->platform == TS_PLATFORM_WINDOWS)
        return;
    check_without_effect(c, item);
    if (strcmp(step->type, TYPE("ApplyOperatingSystem")) == 0)
        check_answer_file(c, item);
    if (strcmp(step->type, TYPE("ApplyNetworkSettings")) == 0) {
        check_adapters(c, item);
        check_membership(c, item);
    } else if (strcmp(step->type, TYPE("ApplyWindowsSettings")) == 0) {
        check_time_zone(c, item);
        check_languages(c, item);
    }
}
