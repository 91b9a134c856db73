/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_packages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/step_types.h"

enum {
    SITE_CODE_CHARS = 3,
    ID_CHARS = 8,
};

bool ts_is_package_property(const char *property)
{
    static const char tail[] = "PackageID";
    size_t len = strlen(property);

    if (strcmp(property, "ClientPackageID") == 0)
        return false;
    return strcmp(property, "ConfigFilePackage") == 0 ||
           (len >= sizeof(tail) - 1 &&
            bytes_eq_nocase(bytes_of(property + len - (sizeof(tail) - 1)), tail));
}

bool ts_is_package_list(const struct ts_variable *variable)
{
    return bytes_eq_nocase(bytes_of(variable->name), "OSDDownloadDownloadPackages") ||
           ((bytes_eq_nocase(bytes_of(variable->name), "ApplicationName") ||
             ts_pattern_matches("OSDApp#Name", variable->name)) &&
            !strpbrk(variable->text, "/%"));
}

struct mention {
    const char *id;
    size_t place;
};

/* By id, and those that are the same as they stand. */
static int compare_mentions(const void *a, const void *b)
{
    const struct mention *left = a;
    const struct mention *right = b;
    int order = strcmp(left->id, right->id);

    return order != 0 ? order : left->place < right->place ? -1 : 1;
}

int ts_packages_once(const char **ids, size_t *n)
{
    OWN(freep) struct mention *mentions = calloc(*n + 1, sizeof(*mentions));
    size_t n_kept = 0;

    if (!mentions)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < *n; i++)
        mentions[i] = (struct mention){ids[i], i};
    qsort(mentions, *n, sizeof(*mentions), compare_mentions);
    for (size_t i = 1; i < *n; i++)
        if (strcmp(mentions[i].id, mentions[i - 1].id) == 0)
            ids[mentions[i].place] = NULL;
    for (size_t i = 0; i < *n; i++)
        if (ids[i])
            ids[n_kept++] = ids[i];
    *n = n_kept;
    return 0;
}

static const char *text_of(const struct ts_step *step, const char *name)
{
    const struct ts_variable *v = ts_step_variable(step, name);

    return v ? v->text : "";
}

/* "Tool007" is of the list "Tool" if there are @n_digits digits. */
static bool is_of_list(const char *name, const char *base, size_t n_digits)
{
    size_t len = strlen(base);

    return len > 0 && strlen(name) == len + n_digits &&
           strspn(name + len, "0123456789") == n_digits &&
           bytes_eq_nocase((struct bytes){(const uint8_t *)name, len}, base);
}

static bool is_installed(const struct ts_step *steps, size_t n_steps, const char *name)
{
    static const struct {
        const char *type;
        size_t n_digits;
    } lists[] = {
        {"SMS_TaskSequence_InstallSoftwareAction", 3},
        {"SMS_TaskSequence_InstallApplicationAction", 2},
    };

    for (size_t i = 0; i < n_steps; i++)
        for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
            if (strcmp(steps[i].type, lists[k].type) == 0 && ts_step_is_enabled(&steps[i]) &&
                is_of_list(name, text_of(&steps[i], "BaseVariableName"), lists[k].n_digits))
                return true;
    return false;
}

/* "SLP00012" or "SLP00012:Install" */
static bool is_id(const char *value)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    return strspn(value, letters) == ID_CHARS &&
           strspn(value + SITE_CODE_CHARS, "0123456789ABCDEF") == ID_CHARS - SITE_CODE_CHARS &&
           (value[ID_CHARS] == ':' || value[ID_CHARS] == '\0');
}

bool ts_named_package(const struct ts_step *steps,
                      size_t n_steps,
                      const struct ts_step *setter,
                      char ret[static TS_PACKAGE_ID_MAX])
{
    const char *value = text_of(setter, "VariableValue");

    if (strcmp(setter->type, "SMS_TaskSequence_SetVariableAction") != 0 || !is_id(value) ||
        !is_installed(steps, n_steps, text_of(setter, "VariableName")))
        return false;
    (void)snprintf(ret, TS_PACKAGE_ID_MAX, "%.*s", ID_CHARS, value);
    return true;
}
