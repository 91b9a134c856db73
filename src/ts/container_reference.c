/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/container_parts.h"
#include "ts/tree.h"

enum {
    ID_MAX_BYTES = 64,
    GROW = 64,
};

static void reference_fini(struct ts_reference *reference)
{
    free(reference->id);
    free(reference->name);
    free(reference->version);
}

/* @reference: its texts are taken; one that is missing is for want of memory. @ret: it as it is kept; borrowed; NULL: it has no
   id, or there are too many */
static int
add(struct ts_imports *imports, struct ts_reference *reference, struct ts_reference **ret)
{
    OWN(reference_fini) struct ts_reference own = *reference;

    *reference = (struct ts_reference){0};
    *ret = NULL;
    if (!own.id || !own.name || !own.version)
        return ERR(-ENOMEM);
    if (own.id[0] == '\0' || imports->n_references == TS_PARTS_MAX)
        return 0;
    if (imports->n_references % GROW == 0) {
        struct ts_reference *grown =
            realloc(imports->references, (imports->n_references + GROW) * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        imports->references = grown;
    }
    *ret = &imports->references[imports->n_references++];
    **ret = own;
    own = (struct ts_reference){0};
    return 0;
}

/* The last one first: the files of a package stand together. */
static struct ts_reference *find_package(struct ts_imports *imports, const char *id, size_t len)
{
    for (size_t i = imports->n_references; i-- > 0;) {
        struct ts_reference *reference = &imports->references[i];

        if (reference->is_package && strncmp(reference->id, id, len) == 0 &&
            reference->id[len] == '\0')
            return reference;
    }
    return NULL;
}

enum ts_export_kind ts_imports_kind_of(const struct ts_imports *imports, const char *id)
{
    enum ts_export_kind kind = TS_EXPORT_UNKNOWN;

    for (size_t i = 0; imports && i < imports->n_references; i++) {
        const struct ts_reference *reference = &imports->references[i];

        if (strcmp(reference->id, id) != 0)
            continue;
        if (reference->is_package) /* its object says it itself */
            return reference->kind;
        kind = kind == TS_EXPORT_UNKNOWN ? reference->kind : kind;
    }
    return kind;
}

static bool is_package(enum ts_export_kind kind)
{
    return kind != TS_EXPORT_UNKNOWN && kind != TS_EXPORT_SEQUENCE;
}

static enum ts_export_kind kind_of(const xmlNode *instance)
{
    OWN(freep) char *class = ts_node_attribute(instance, "CLASSNAME");
    enum ts_export_kind kind = class ? ts_export_kind_of_class(class) : TS_EXPORT_UNKNOWN;

    return kind != TS_EXPORT_UNKNOWN ? kind : ts_export_kind_of_class((const char *)instance->name);
}

/* The first of the two that says something. Owned by the caller; NULL without memory. */
static char *one_of(const xmlNode *instance, const char *name, const char *other)
{
    OWN(freep) char *text = ts_container_property(instance, name);

    if (!text || text[0] != '\0')
        return TAKE(text);
    return ts_container_property(instance, other);
}

int ts_container_add_object(struct ts_imports *imports, const xmlNode *instance)
{
    struct ts_reference reference = {
        .id = one_of(instance, "PackageID", "ModelName"),
        .name = one_of(instance, "Name", "LocalizedDisplayName"),
        .version = one_of(instance, "Version", "SoftwareVersion"),
        .kind = kind_of(instance),
    };
    bool has_content = reference.id && imports->n_content_files > 0;
    struct ts_reference *old =
        has_content ? find_package(imports, reference.id, strlen(reference.id)) : NULL;
    struct ts_reference *kept;
    size_t n_files = old ? old->n_files : 0;
    int r;

    reference.is_package = is_package(reference.kind);
    if (old && reference.is_package) { /* its content stands before it */
        old->is_package = false;
        old->n_files = 0;
    }
    r = add(imports, &reference, &kept);
    if (kept && kept->is_package)
        kept->n_files = n_files;
    return TRACE(r);
}

int ts_container_add_named(struct ts_imports *imports, const xmlNode *instance)
{
    OWN(freep) char *number = ts_container_property(instance, "ReferencePackageType");
    struct ts_reference package = {
        .id = ts_container_property(instance, "ReferencePackageID"),
        .name = ts_container_property(instance, "ReferenceName"),
        .version = ts_container_property(instance, "ReferenceVersion"),
        .kind = number ? ts_export_kind_of_number(number) : TS_EXPORT_UNKNOWN,
    };
    struct ts_reference application = {
        .id = ts_container_property(instance, "RefAppModelName"),
        .name = ts_container_property(instance, "RefAppName"),
        .version = ts_copy(""),
        .kind = TS_EXPORT_APPLICATION,
    };
    struct ts_reference *kept;
    int r = add(imports, &package, &kept);
    int r_application = add(imports, &application, &kept);

    return r < 0 ? TRACE(r) : TRACE(r_application);
}

/* The length of the folder's name at @path; 0 if it is none. */
static size_t folder_at(const char *path)
{
    size_t n = strcspn(path, "/\\");

    return path[n] != '\0' ? n : 0;
}

static bool is_plain(const char *id, size_t len)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    return len > 0 && len <= ID_MAX_BYTES && strspn(id, plain) >= len;
}

static enum ts_export_kind kind_of_folder(const char *path, size_t len)
{
    char name[ID_MAX_BYTES + 1] = "";

    if (len == 0 || len > ID_MAX_BYTES)
        return TS_EXPORT_UNKNOWN;
    memcpy(name, path, len);
    return ts_export_kind_of_class(name);
}

int ts_container_add_content(struct ts_imports *imports, const char *path)
{
    enum ts_export_kind kind;
    struct ts_reference *package;
    const char *id;
    const char *file;
    size_t n;
    int r = 0;

    while ((n = folder_at(path)) > 0 && !is_package(kind_of_folder(path, n)))
        path += n + 1;
    kind = kind_of_folder(path, n);
    id = path + n + 1;
    if (n == 0 || !is_plain(id, folder_at(id)))
        return 0;
    n = folder_at(id);
    file = id + n + 1;
    if (strcmp(file, "object.xml") == 0 || file[0] == '\0')
        return 0;
    if (file[strlen(file) - 1] == '/') /* a folder */
        return 1;
    imports->n_content_files++;
    package = find_package(imports, id, n);
    if (!package) {
        char own_id[ID_MAX_BYTES + 1] = "";
        struct ts_reference reference = {
            .name = ts_copy(""), .version = ts_copy(""), .kind = kind, .is_package = true};

        memcpy(own_id, id, n);
        reference.id = ts_copy(own_id);
        r = add(imports, &reference, &package);
    }
    if (package)
        package->n_files++;
    return r < 0 ? TRACE(r) : 1;
}
