/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/encoding.h"
#include "ts/object.h"
#include "ts/tree.h"
#include "ts/xml.h"
#include "ts/yaml_form.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(struct ts_document *, ts_document_free);

struct reader {
    struct ts_imports *imports;
    struct ts_diags *diags;
    size_t n_parts;
    size_t n_bytes;    /* unpacked so far */
    bool is_malformed; /* a task sequence in it is */
};

void ts_imports_fini(struct ts_imports *imports)
{
    for (size_t i = 0; i < imports->n; i++) {
        free(imports->items[i].id);
        free(imports->items[i].name);
        free(imports->items[i].description);
        free(imports->items[i].boot_image_id);
        free(imports->items[i].object);
        ts_document_free(imports->items[i].doc);
    }
    for (size_t i = 0; i < imports->n_references; i++) {
        free(imports->references[i].id);
        free(imports->references[i].name);
    }
    free(imports->items);
    free(imports->references);
    *imports = (struct ts_imports){0};
}

const struct ts_import *ts_imports_find(const struct ts_imports *imports, const char *id)
{
    for (size_t i = 0; id[0] != '\0' && i < imports->n; i++)
        if (strcmp(imports->items[i].id, id) == 0)
            return &imports->items[i];
    return NULL;
}

const char *ts_imports_name_of(const struct ts_imports *imports, const char *id)
{
    for (size_t i = 0; i < imports->n_references; i++)
        if (strcmp(imports->references[i].id, id) == 0 && imports->references[i].name[0] != '\0')
            return imports->references[i].name;
    return "";
}

/* @r to end with, after saying why. */
static int refuse(struct reader *rd, const char *why)
{
    ts_diags_add(rd->diags, TS_ERROR, 0, 0, "%s", why);
    return TS_E_MALFORMED;
}

/* Text without white space around it. Owned by the caller. */
static char *trimmed(char *text)
{
    static const char blank[] = " \t\r\n";
    size_t skip = text ? strspn(text, blank) : 0;
    size_t len = text ? strlen(text + skip) : 0;

    if (!text)
        return NULL;
    memmove(text, text + skip, len + 1);
    while (len > 0 && strchr(blank, text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* <PROPERTY NAME="@name"><VALUE>text, or <@name>text, directly in @scope; "" if there is neither. */
static char *property(const xmlNode *scope, const char *name)
{
    for (const xmlNode *child = scope->children; child; child = child->next) {
        const xmlNode *holder = NULL;

        if (child->type != XML_ELEMENT_NODE)
            continue;
        if (bytes_eq_nocase(bytes_of((const char *)child->name), name))
            holder = child;
        if (ts_node_is(child, "PROPERTY")) {
            OWN(freep) char *own_name = ts_node_attribute(child, "NAME");

            if (!own_name)
                return NULL;
            if (bytes_eq_nocase(bytes_of(own_name), name))
                holder = ts_node_child(child, "VALUE");
        }
        if (holder)
            return trimmed(ts_node_text(holder));
    }
    return ts_copy("");
}

/* Findings about a text that begins on @line of the file become findings about the file, now and, if there is a new
   document, later. */
static void move_lines(struct reader *rd, size_t first, unsigned line, bool is_added)
{
    for (size_t i = first; line > 0 && i < rd->diags->n; i++)
        if (rd->diags->items[i].line > 0)
            rd->diags->items[i].line += line - 1;
    if (line > 0 && is_added)
        ts_document_set_first_line(rd->imports->items[rd->imports->n - 1].doc, line);
}

/* @doc: is taken as soon as there is a place for it */
static int add_document(struct reader *rd, xmlNode *scope, struct ts_document **doc)
{
    struct ts_imports *imports = rd->imports;

    if (imports->n == TS_IMPORTS_MAX)
        return refuse(rd, "there are too many task sequences in it");

    struct ts_import *grown = realloc(imports->items, (imports->n + 1) * sizeof(*grown));

    if (!grown)
        return ERR(-ENOMEM);
    imports->items = grown;

    OWN(freep) char *enabled = scope ? property(scope, "TsEnabled") : ts_copy("");
    struct ts_import *item = &grown[imports->n++];

    *item = (struct ts_import){
        .id = scope ? property(scope, "PackageID") : ts_copy(""),
        .name = scope ? property(scope, "Name") : ts_copy(ts_document_name(*doc)),
        .description =
            scope ? property(scope, "Description") : ts_copy(ts_document_description(*doc)),
        .boot_image_id = scope ? property(scope, "BootImageID") : ts_copy(""),
        .object = scope ? ts_object_take(scope) : ts_copy(""),
    };
    item->doc = TAKE(*doc); /* not above: in which order a list is evaluated is not specified */
    item->is_disabled = enabled && bytes_eq_nocase(bytes_of(enabled), "false");
    return enabled && item->id && item->name && item->description && item->boot_image_id &&
                   item->object
               ? 0
               : ERR(-ENOMEM);
}

static int add_import(struct reader *rd, xmlNode *scope, struct bytes text)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    int r = ts_document_parse(text, &doc, rd->diags);

    return r == 0 ? TRACE(add_document(rd, scope, &doc)) : TRACE(r);
}

static int add_reference(struct reader *rd, char *id, char *name)
{
    OWN(freep) char *owned_id = id;
    OWN(freep) char *owned_name = name;
    struct ts_imports *imports = rd->imports;

    if (!id || !name)
        return ERR(-ENOMEM);
    if (id[0] == '\0' || imports->n_references == TS_PARTS_MAX)
        return 0;

    struct ts_reference *grown =
        realloc(imports->references, (imports->n_references + 1) * sizeof(*grown));

    if (!grown)
        return ERR(-ENOMEM);
    imports->references = grown;
    grown[imports->n_references++] = (struct ts_reference){TAKE(owned_id), TAKE(owned_name)};
    return 0;
}

/* Elements as the text of a document of their own. */
static int add_element(struct reader *rd, xmlNode *scope, xmlNode *sequence)
{
    xmlBuffer *text = xmlBufferCreate();
    const size_t n_diags = rd->diags->n;
    int r;

    if (!text || xmlNodeDump(text, sequence->doc, sequence, 0, 0) < 0) {
        xmlBufferFree(text);
        return ERR(-ENOMEM);
    }
    r = add_import(
        rd, scope, (struct bytes){xmlBufferContent(text), (size_t)xmlBufferLength(text)});
    xmlBufferFree(text);
    move_lines(rd, n_diags, (unsigned)xmlGetLineNo(sequence), r == 0);
    return TRACE(r);
}

/* Behind what may stand before the root element: white space, the declaration, comments, instructions. */
static const char *skip_prolog(const char *text)
{
    for (;;) {
        const char *end;

        text += strspn(text, " \t\r\n");
        if (strncmp(text, "<?", 2) == 0)
            end = strstr(text, "?>");
        else if (strncmp(text, "<!--", 4) == 0)
            end = strstr(text, "-->");
        else
            return text;
        if (!end)
            return text;
        text = strchr(end, '>') + 1;
    }
}

static bool is_sequence_text(const char *text)
{
    static const char start[] = "<sequence";

    return strncmp(skip_prolog(text), start, sizeof(start) - 1) == 0;
}

static bool is_scope(const xmlNode *node)
{
    return ts_node_is(node, "INSTANCE") ||
           bytes_eq_nocase(bytes_of((const char *)node->name), "SmsTaskSequencePackage") ||
           bytes_eq_nocase(bytes_of((const char *)node->name), "SMS_TaskSequencePackage");
}

static bool has_element(const xmlNode *node)
{
    return ts_node_element(node->children) != NULL;
}

/* The text of an element that has nothing else may be a task sequence. */
static int look_at_text(struct reader *rd, xmlNode *scope, const xmlNode *node)
{
    OWN(freep) char *text = ts_node_text(node);
    const size_t n_diags = rd->diags->n;
    unsigned line = (unsigned)xmlGetLineNo(node);
    int r;

    if (!text)
        return ERR(-ENOMEM);
    for (size_t i = 0, n = strspn(text, " \t\r\n"); i < n; i++)
        line += text[i] == '\n' ? 1 : 0;
    (void)trimmed(text);
    if (!is_sequence_text(text))
        return 0;
    r = add_import(rd, scope, bytes_of(text));
    move_lines(rd, n_diags, line, r == 0);
    return TRACE(r);
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static int look_within(struct reader *rd, xmlNode *scope, xmlNode *node)
{
    int r = 0;

    if (ts_node_is(node, "sequence"))
        return TRACE(add_element(rd, scope, node));
    if (is_scope(node)) {
        scope = node;
        r = add_reference(rd, property(node, "PackageID"), property(node, "Name"));
    }
    if (r == 0 && !has_element(node))
        return TRACE(look_at_text(rd, scope ? scope : node, node));
    for (xmlNode *child = ts_node_element(node->children); child && r == 0;
         child = ts_node_element(child->next))
        r = look_within(rd, scope, child);
    return TRACE(r);
}

/* "ReferencesInfo.xml": each string is an instance as text. */
static int read_references(struct reader *rd, const xmlNode *list)
{
    for (xmlNode *node = ts_node_element(list->children); node;
         node = ts_node_element(node->next)) {
        OWN(ts_diags_fini) struct ts_diags ignored = {0};
        OWN(xmlFreeDocp) xmlDoc *xml = NULL;
        OWN(freep) char *text = trimmed(ts_node_text(node));
        int r = text ? ts_xml_parse_container(bytes_of(text), TS_PART_MAX_BYTES, &xml, &ignored)
                     : ERR(-ENOMEM);

        if (r < 0)
            return TRACE(r);
        if (r > 0)
            continue;

        const xmlNode *root = xmlDocGetRootElement(xml);

        r = add_reference(
            rd, property(root, "ReferencePackageID"), property(root, "ReferenceName"));
        if (r == 0)
            r = add_reference(rd, property(root, "RefAppModelName"), property(root, "RefAppName"));
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* @is_main: it must hold a task sequence. */
static int read_xml(struct reader *rd, struct bytes text, bool is_main)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    const size_t before = rd->imports->n;
    int r = ts_xml_parse_container(text, TS_PART_MAX_BYTES, &xml, is_main ? rd->diags : &ignored);

    if (r != 0)
        return is_main || r < 0 ? TRACE(r) : 0;

    xmlNode *root = xmlDocGetRootElement(xml);

    if (ts_node_is(root, "sequence"))
        return TRACE(add_import(rd, NULL, text)); /* with the lines it has */
    if (ts_node_is(root, "ArrayOfString"))
        return TRACE(read_references(rd, root));
    r = look_within(rd, NULL, root);
    if (r == 0)
        r = add_reference(rd, property(root, "PackageID"), property(root, "Name"));
    if (r == 0) /* an application */
        r = add_reference(rd, property(root, "ModelName"), property(root, "LocalizedDisplayName"));
    if (r == 0 && is_main && rd->imports->n == before) {
        ts_diags_add(rd->diags,
                     TS_ERROR,
                     ts_xml_line(root),
                     ts_xml_column(root),
                     "there is no task sequence in it: the root element is <%.32s>",
                     (const char *)root->name);
        return TS_E_MALFORMED;
    }
    return TRACE(r);
}

static bool ends_with(const char *text, const char *tail)
{
    size_t len = strlen(text);
    size_t tail_len = strlen(tail);

    return len >= tail_len && bytes_eq_nocase(bytes_of(text + len - tail_len), tail);
}

/* The unpacked bytes of the entry that @zip stands at. */
static int unpack(struct reader *rd, struct archive *zip, const char *name, struct buf *ret)
{
    uint8_t piece[16384];
    la_ssize_t n;

    while ((n = archive_read_data(zip, piece, sizeof(piece))) > 0) {
        rd->n_bytes += (size_t)n;
        buf_add(ret, (struct bytes){piece, (size_t)n});
        if (ret->failed || rd->n_bytes > TS_PARTS_MAX_BYTES) {
            ts_diags_add(rd->diags,
                         TS_ERROR,
                         0,
                         0,
                         "%.200s: more than %d bytes unpacked, or more than %d with the others",
                         name,
                         (int)TS_PART_MAX_BYTES,
                         (int)TS_PARTS_MAX_BYTES);
            return TS_E_MALFORMED;
        }
    }
    if (n < 0) {
        ts_diags_add(rd->diags, TS_ERROR, 0, 0, "%.200s: it cannot be unpacked", name);
        return TS_E_MALFORMED;
    }
    return 0;
}

static int read_entry(struct reader *rd, struct archive *zip, struct archive_entry *entry)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_PART_MAX_BYTES);
    const char *name = archive_entry_pathname_utf8(entry);
    int r;

    if (++rd->n_parts > TS_PARTS_MAX)
        return refuse(rd, "there are too many files in it");
    if (!name || !ends_with(name, ".xml"))
        return 0;
    r = unpack(rd, zip, name, &text);
    if (r != 0)
        return TRACE(r);
    r = read_xml(rd,
                 buf_bytes(&text),
                 ends_with(name, "/object.xml") &&
                     strstr(name, "SMS_TaskSequencePackage/") != NULL);
    if (r != TS_E_MALFORMED)
        return TRACE(r);
    ts_diags_add(rd->diags, TS_ERROR, 0, 0, "the lines are those of %.200s in the .zip", name);
    rd->is_malformed = true; /* what is wrong in the others is told too */
    return 0;
}

static void close_archive(struct archive **zip)
{
    (void)archive_read_free(*zip);
}

static int read_zip(struct reader *rd, struct bytes file)
{
    OWN(close_archive) struct archive *zip = archive_read_new();
    struct archive_entry *entry;
    int r = 0;
    int got;

    if (!zip || archive_read_support_format_zip(zip) != ARCHIVE_OK)
        return ERR(-ENOMEM);
    if (archive_read_open_memory(zip, file.ptr, file.len) != ARCHIVE_OK)
        return refuse(rd, "the .zip file is damaged");
    while (r == 0 && (got = archive_read_next_header(zip, &entry)) != ARCHIVE_EOF) {
        if (got < ARCHIVE_WARN)
            return refuse(rd, "the .zip file is damaged");
        r = read_entry(rd, zip, entry);
    }
    if (r == 0 && rd->is_malformed)
        return TS_E_MALFORMED;
    if (r == 0 && rd->imports->n == 0)
        return refuse(rd, "there is no task sequence in the .zip file");
    return TRACE(r);
}

/* Whether it cannot be XML: its first character is neither '<' nor white space or a byte order mark before one. */
static bool is_yaml(struct bytes file)
{
    bool is_big;
    size_t i = 0;

    if (ts_is_utf16(file, &is_big))
        return false;
    while (i < file.len && strchr(" \t\r\n\xef\xbb\xbf", file.ptr[i]) && file.ptr[i] != '\0')
        i++;
    return i < file.len && file.ptr[i] != '<';
}

static int read_yaml(struct reader *rd, struct bytes file)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    int r = ts_yaml_parse(file, &doc, rd->diags);

    return r == 0 ? TRACE(add_document(rd, NULL, &doc)) : TRACE(r);
}

int ts_container_read(struct bytes file, struct ts_imports *ret, struct ts_diags *diags)
{
    struct reader rd = {.imports = ret, .diags = diags};
    static const uint8_t zip_mark[] = {'P', 'K', 3, 4};
    struct bytes rest = file;
    struct bytes head;
    int r;

    if (file.len > TS_FILE_MAX_BYTES)
        return refuse(&rd, "it is larger than 16 MiB");
    if (bytes_take(&rest, sizeof(zip_mark), &head) &&
        bytes_eq(head, (struct bytes){zip_mark, sizeof(zip_mark)}))
        r = read_zip(&rd, file);
    else if (is_yaml(file))
        r = read_yaml(&rd, file);
    else
        r = read_xml(&rd, file, true);
    if (r > 0 && !ts_diags_has_error(diags))
        return refuse(&rd, "it cannot be read");
    return TRACE(r);
}
