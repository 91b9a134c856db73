/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_packages.h"

#include <errno.h>
#include <stdint.h>
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
    PACKAGE_DIGITS = 3,
    APPLICATION_DIGITS = 2,
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
           bytes_eq_nocase(bytes_of(variable->name), "ApplicationName") ||
           ts_pattern_matches("OSDApp#Name", variable->name);
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

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* As strncmp(), folding ASCII letters only. */
static int compare_folded(const char *a, const char *b, size_t len)
{
    size_t i = 0;

    while (i < len && a[i] != '\0' && lower(a[i]) == lower(b[i]))
        i++;
    return i < len ? lower(a[i]) - lower(b[i]) : 0;
}

static int compare_lists(const void *a, const void *b)
{
    const struct ts_package_list *left = a;
    const struct ts_package_list *right = b;

    if (left->n_digits != right->n_digits)
        return left->n_digits < right->n_digits ? -1 : 1;
    return compare_folded(left->base, right->base, SIZE_MAX);
}

/* How many digits a number has in the names of a list that steps of this type install; 0: they install none. */
static size_t n_digits_of(const char *type)
{
    if (strcmp(type, "SMS_TaskSequence_InstallSoftwareAction") == 0)
        return PACKAGE_DIGITS;
    return strcmp(type, "SMS_TaskSequence_InstallApplicationAction") == 0 ? APPLICATION_DIGITS : 0;
}

int ts_package_lists_init(struct ts_package_lists *lists,
                          const struct ts_step *steps,
                          size_t n_steps)
{
    size_t n = 0;

    for (size_t i = 0; i < n_steps; i++)
        n += n_digits_of(steps[i].type) > 0;
    *lists = (struct ts_package_lists){.items = calloc(n + 1, sizeof(*lists->items))};
    if (!lists->items)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n_steps; i++) {
        size_t n_digits = n_digits_of(steps[i].type);
        const char *base = n_digits > 0 ? text_of(&steps[i], "BaseVariableName") : "";

        if (base[0] != '\0' && ts_step_is_enabled(&steps[i]))
            lists->items[lists->n++] = (struct ts_package_list){base, n_digits};
    }
    qsort(lists->items, lists->n, sizeof(*lists->items), compare_lists);
    return 0;
}

void ts_package_lists_fini(struct ts_package_lists *lists)
{
    free(lists->items);
    *lists = (struct ts_package_lists){0};
}

/* A name that may be of a list. */
struct name {
    const char *text;
    size_t len; /* without the number */
    size_t n_digits;
};

static int compare_name(const void *key, const void *item)
{
    const struct name *name = key;
    const struct ts_package_list *list = item;
    int order;

    if (name->n_digits != list->n_digits)
        return name->n_digits < list->n_digits ? -1 : 1;
    order = compare_folded(name->text, list->base, name->len);
    return order == 0 && list->base[name->len] != '\0' ? -1 : order;
}

/* "Tool007" is of the list "Tool" if there are three digits. */
static bool is_installed(const struct ts_package_lists *lists, const char *text)
{
    static const size_t n_digits[] = {PACKAGE_DIGITS, APPLICATION_DIGITS};
    size_t len = strlen(text);

    for (size_t i = 0; i < sizeof(n_digits) / sizeof(n_digits[0]); i++) {
        size_t n = n_digits[i];
        const struct name name = {text, len - n, n};

        if (len > n && strspn(text + len - n, "0123456789") == n &&
            bsearch(&name, lists->items, lists->n, sizeof(*lists->items), compare_name))
            return true;
    }
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

bool ts_named_package(const struct ts_package_lists *lists,
                      const struct ts_step *setter,
                      char ret[static TS_PACKAGE_ID_MAX])
{
    const char *value = text_of(setter, "VariableValue");

    if (strcmp(setter->type, "SMS_TaskSequence_SetVariableAction") != 0 || !is_id(value) ||
        !is_installed(lists, text_of(setter, "VariableName")))
        return false;
    (void)snprintf(ret, TS_PACKAGE_ID_MAX, "%.*s", ID_CHARS, value);
    return true;
}
