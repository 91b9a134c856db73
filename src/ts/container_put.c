/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/object.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define STRINGS_BEGIN \
    "<ArrayOfString xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" " \
    "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">"
#define PROPERTIES_PATH "package/services/metadata/core-properties/slipway.psmdcp"
#define PACKAGES_NS     "http://schemas.openxmlformats.org/package/2006/"
#define SCOPE           "ScopeId_5C1B9A52-7F0E-4D0B-9C7A-51E0D1B7A3F6"

enum {
    PATH_MAX_BYTES = 256,
    PART_MAX_BYTES = 4 * TS_XML_MAX_BYTES,
    EPOCH_OF_ZIP_S =
        315619200, /* 2 January 1980, in all time zones after the first day it can tell */
};

static void put_escaped(struct buf *dst, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            buf_adds(dst, "&lt;");
            break;
        case '>':
            buf_adds(dst, "&gt;");
            break;
        case '&':
            buf_adds(dst, "&amp;");
            break;
        case '"':
            buf_adds(dst, "&quot;");
            break;
        default:
            buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
        }
    }
}

static void put_property(struct buf *dst, const char *name, const char *type, const char *value)
{
    buf_addf(dst, "  <PROPERTY NAME=\"%s\" TYPE=\"%s\">\n    <VALUE>", name, type);
    put_escaped(dst, value);
    buf_adds(dst, "</VALUE>\n  </PROPERTY>\n");
}

static int put_object(struct buf *dst, const struct ts_export *item)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(PART_MAX_BYTES);
    int r = ts_document_put(item->doc, &xml);

    if (r != 0)
        return TRACE(r);
    return xml.failed ? ERR(-ENOMEM) : TRACE(ts_object_put(item, buf_str(&xml), dst));
}

/* Each instance is text in an element. */
static void put_references(struct buf *dst, const struct ts_export *item)
{
    buf_adds(dst, XML_HEAD STRINGS_BEGIN "\n");
    for (size_t i = 0; i < item->n_references; i++) {
        OWN(buf_fini) struct buf one = BUF_INIT(PART_MAX_BYTES);
        const struct ts_export_reference *reference = &item->references[i];

        buf_adds(&one, "<INSTANCE CLASSNAME=\"SMS_TaskSequenceReferencesInfo\">\n");
        put_property(&one, "PackageID", "string", item->id);
        put_property(&one, "ProgramName", "string", "*");
        put_property(&one, "ReferenceName", "string", reference->name);
        put_property(&one, "ReferencePackageID", "string", reference->id);
        put_property(&one, "ReferencePackageType", "uint32", ts_export_number(reference->kind));
        put_property(&one, "ReferenceProgramName", "string", "*");
        put_property(&one, "ReferenceVersion", "string", reference->version);
        buf_adds(&one, "</INSTANCE>");
        buf_adds(dst, "  <string>");
        put_escaped(dst, buf_str(&one));
        buf_adds(dst, "</string>\n");
    }
    buf_adds(dst, "</ArrayOfString>");
}

static la_ssize_t take(struct archive *zip, void *ctx, const void *bytes, size_t len)
{
    struct buf *dst = ctx;

    buf_add(dst, (struct bytes){bytes, len});
    if (!dst->failed)
        return (la_ssize_t)len;
    archive_set_error(zip, ENOMEM, "it does not fit");
    return -1;
}

static int add_part(struct archive *zip, const char *path, const struct buf *text)
{
    struct archive_entry *entry = archive_entry_new();
    bool is_done;

    if (!entry || text->failed) {
        archive_entry_free(entry);
        return ERR(-ENOMEM);
    }
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)text->len);
    archive_entry_set_mtime(entry, EPOCH_OF_ZIP_S, 0);
    is_done = archive_write_header(zip, entry) == ARCHIVE_OK &&
              archive_write_data(zip, buf_str(text), text->len) == (la_ssize_t)text->len;
    archive_entry_free(entry);
    return is_done ? 0 : ERR(-ENOMEM);
}

static int add_text(struct archive *zip, const char *path, const char *text)
{
    OWN(buf_fini) struct buf part = BUF_INIT(PART_MAX_BYTES);

    buf_adds(&part, text);
    return TRACE(add_part(zip, path, &part));
}

static int add_relations(struct archive *zip, const struct ts_export *items, size_t n)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PART_MAX_BYTES);

    buf_adds(&text, XML_HEAD "<Relationships xmlns=\"" PACKAGES_NS "relationships\">");
    for (size_t i = 0; i < n; i++)
        buf_addf(&text,
                 "<Relationship Type=\"SMS_TaskSequencePackage\" "
                 "Target=\"/SMS_TaskSequencePackage/%s/object.xml\" TargetMode=\"External\" "
                 "Id=\"SMS_TaskSequencePackage-%s\" />",
                 items[i].id,
                 items[i].id);
    buf_adds(&text,
             "<Relationship Type=\"" PACKAGES_NS "relationships/metadata/core-properties\" "
             "Target=\"/" PROPERTIES_PATH "\" Id=\"R1\" /></Relationships>");
    return TRACE(add_part(zip, "_rels/.rels", &text));
}

static int add_manifest(struct archive *zip, const struct ts_export *item)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PART_MAX_BYTES);

    buf_addf(&text,
             "<LibraryDocument>\n  <Properties>\n    <Property Name=\"AUTHORING_SCOPE\" "
             "Value=\"" SCOPE "\" />\n  </Properties>\n  <Contents />\n  <EntryObjects>\n"
             "    <Object Path=\"SMS_TaskSequencePackage.PackageID='%s'\" "
             "Type=\"SMS_TaskSequencePackage\" />\n  </EntryObjects>\n</LibraryDocument>",
             item->id);
    return TRACE(add_part(zip, "Manifest.xml", &text));
}

/* @name: in the folder of @item */
static int add_beside(struct archive *zip,
                      const struct ts_export *item,
                      const char *name,
                      const struct buf *text)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&path, "SMS_TaskSequencePackage/%s/%s", item->id, name);
    return path.failed ? ERR(-ENOMEM) : TRACE(add_part(zip, buf_str(&path), text));
}

static int add_item(struct archive *zip, const struct ts_export *item)
{
    OWN(buf_fini) struct buf object = BUF_INIT(PART_MAX_BYTES);
    OWN(buf_fini) struct buf references = BUF_INIT(PART_MAX_BYTES);
    OWN(buf_fini) struct buf applications = BUF_INIT(PART_MAX_BYTES);
    int r = put_object(&object, item);

    put_references(&references, item);
    buf_adds(&applications, XML_HEAD STRINGS_BEGIN "</ArrayOfString>");
    if (r == 0)
        r = add_beside(zip, item, "object.xml", &object);
    if (r == 0)
        r = add_beside(zip, item, "ReferencesInfo.xml", &references);
    if (r == 0)
        r = add_beside(zip, item, "AppReferencesInfo.xml", &applications);
    return TRACE(r);
}

/* Of which an object is written. */
struct package {
    const struct ts_export_reference *reference;
    size_t place; /* among all that are mentioned */
};

/* Whether its object can be in the file: it is content with a name, and its id can be that of a folder. */
static bool has_object(const struct ts_export_reference *reference)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    return reference->kind != TS_EXPORT_SEQUENCE && reference->kind != TS_EXPORT_UNKNOWN &&
           reference->kind != TS_EXPORT_APPLICATION && reference->name[0] != '\0' &&
           reference->id[0] != '\0' && reference->id[strspn(reference->id, plain)] == '\0';
}

/* What a package, image or the like is called, for whoever has to find or make it elsewhere. */
static int add_package(struct archive *zip, const struct ts_export_reference *reference)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(PART_MAX_BYTES);
    const char *class = ts_export_class(reference->kind);

    buf_addf(&path, "%s/%s/object.xml", class, reference->id);
    buf_addf(&text, XML_HEAD "\n<INSTANCE CLASSNAME=\"%s\">\n", class);
    put_property(&text, "Name", "string", reference->name);
    put_property(&text, "PackageID", "string", reference->id);
    put_property(&text, "PackageType", "uint32", ts_export_number(reference->kind));
    put_property(&text, "Version", "string", reference->version);
    buf_adds(&text, "</INSTANCE>\n");
    return path.failed ? ERR(-ENOMEM) : TRACE(add_part(zip, buf_str(&path), &text));
}

/* By id, of one id the first that is mentioned. */
static int compare_packages(const void *a, const void *b)
{
    const struct package *left = a;
    const struct package *right = b;
    int order = strcmp(left->reference->id, right->reference->id);

    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

static int add_packages(struct archive *zip, const struct ts_export *items, size_t n)
{
    OWN(freep) struct package *packages = NULL;
    size_t n_all = 0;
    size_t n_packages = 0;
    int r = 0;

    for (size_t i = 0; i < n; i++)
        n_all += items[i].n_references;
    packages = calloc(n_all + 1, sizeof(*packages));
    if (!packages)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < items[i].n_references; k++)
            if (has_object(&items[i].references[k])) {
                packages[n_packages] = (struct package){&items[i].references[k], n_packages};
                n_packages++;
            }
    qsort(packages, n_packages, sizeof(*packages), compare_packages);
    for (size_t i = 0; r == 0 && i < n_packages; i++)
        if (i == 0 || strcmp(packages[i].reference->id, packages[i - 1].reference->id) != 0)
            r = add_package(zip, packages[i].reference);
    return TRACE(r);
}

static void free_archive(struct archive **zip)
{
    (void)archive_write_free(*zip);
}

int ts_container_put(const struct ts_export *items, size_t n, struct buf *ret)
{
    OWN(free_archive) struct archive *zip = archive_write_new();
    int r;

    if (!zip || archive_write_set_format_zip(zip) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(zip, 1) != ARCHIVE_OK ||
        archive_write_open2(zip, ret, NULL, take, NULL, NULL) != ARCHIVE_OK)
        return ERR(-ENOMEM);
    r = add_text(zip,
                 "[Content_Types].xml",
                 XML_HEAD "<Types xmlns=\"" PACKAGES_NS "content-types\">"
                          "<Default Extension=\"xml\" ContentType=\"text/xml\" />"
                          "<Default Extension=\"rels\" ContentType=\"application/"
                          "vnd.openxmlformats-package.relationships+xml\" />"
                          "<Default Extension=\"psmdcp\" ContentType=\"application/"
                          "vnd.openxmlformats-package.core-properties+xml\" /></Types>");
    if (r == 0)
        r = add_relations(zip, items, n);
    if (r == 0)
        r = add_manifest(zip, items);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_item(zip, &items[i]);
    if (r == 0)
        r = add_packages(zip, items, n);
    if (r == 0)
        r = add_text(zip,
                     PROPERTIES_PATH,
                     XML_HEAD "<coreProperties xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
                              "xmlns=\"" PACKAGES_NS "metadata/core-properties\">"
                              "<dc:description /></coreProperties>");
    if (r == 0 && (archive_write_close(zip) != ARCHIVE_OK || ret->failed))
        r = ERR(-ENOMEM);
    return TRACE(r);
}
