/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_references.h"

#include <string.h>

#include "ts/step_packages.h"
#include "ts/step_types.h"

static const char application_names[] = "ApplicationName";

static const struct {
    const char *name;
    enum ts_referring refers;
} lists[] = {
    {application_names, TS_REFERS_TO_APPLICATION},
    {"OSDDownloadDownloadPackages", TS_REFERS_TO_PACKAGE},
    {"OSDSubTasksequenceTsReferenceApplications", TS_REFERS_TO_APPLICATION},
    {"OSDSubTasksequenceTsReferencePackages", TS_REFERS_TO_PACKAGE},
};

/* The reference product's client is none of our packages, but a reference it is. */
static bool is_package(const char *name)
{
    static const char tail[] = "ClientPackageID";
    size_t len = strlen(name);

    return ts_is_package_property(name) ||
           (len >= sizeof(tail) - 1 &&
            bytes_eq_nocase(bytes_of(name + len - (sizeof(tail) - 1)), tail));
}

enum ts_referring
ts_refers_by(const struct ts_step_type *type, const char *name, const char *property)
{
    const struct ts_property *known = type ? ts_property_find(type, name) : NULL;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (bytes_eq_nocase(bytes_of(name), lists[i].name))
            return lists[i].refers;
    if (known && known->kind == TS_KIND_SEQUENCE)
        return TS_REFERS_TO_SEQUENCE;
    if ((known && known->kind == TS_KIND_APPLICATION) || ts_pattern_matches("OSDApp#Name", name))
        return TS_REFERS_TO_APPLICATION;
    if ((known && known->kind == TS_KIND_PACKAGE) || is_package(name) || is_package(property))
        return TS_REFERS_TO_PACKAGE;
    return known ? TS_REFERS_NOT : TS_REFERS_MAYBE;
}

bool ts_name_is_list(const char *name)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (bytes_eq_nocase(bytes_of(name), lists[i].name))
            return true;
    return false;
}

bool ts_list_next(const char *name, const char **at, struct bytes *ret)
{
    /* an application may be called by a name with spaces in it */
    bool is_of_names = bytes_eq_nocase(bytes_of(name), application_names);
    const char *item = *at + strspn(*at, ", ");
    size_t len = strcspn(item, is_of_names ? "," : ", ");

    *at = item + len;
    while (len > 0 && item[len - 1] == ' ')
        len--;
    *ret = (struct bytes){(const uint8_t *)item, len};
    return len > 0;
}

const char *ts_list_find(const char *name, const char *list, const char *id)
{
    struct bytes item;

    while (ts_list_next(name, &list, &item))
        if (item.len == strlen(id) && memcmp(item.ptr, id, item.len) == 0)
            return (const char *)item.ptr;
    return NULL;
}
