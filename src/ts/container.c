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
#include "ts/container_parts.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/encoding.h"
#include "ts/object.h"
#include "ts/tree.h"
#include "ts/xml.h"
#include "ts/yaml_form.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    CDATA_CHARS = 9, /* "<![CDATA[" */
};

struct reader {
    struct ts_imports *imports;
    struct ts_diags *diags;
    size_t n_parts;
    size_t n_bytes;    /* unpacked so far */
    bool is_malformed; /* a task sequence in it is */
    bool is_over;      /* nothing more is read: a limit, or damage */
};

/* Of a file as a whole. */
static const struct ts_xml_place beginning = {1, 1};

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
        free(imports->references[i].version);
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

const char *ts_imports_version_of(const struct ts_imports *imports, const char *id)
{
    for (size_t i = 0; imports && i < imports->n_references; i++)
        if (strcmp(imports->references[i].id, id) == 0 && imports->references[i].version[0] != '\0')
            return imports->references[i].version;
    return "";
}

/* What to end with, after saying why. */
static int refuse(struct reader *rd, struct ts_xml_place at, const char *why)
{
    ts_diags_add(rd->diags, TS_ERROR, at.line, at.column, "%s", why);
    return TS_E_MALFORMED;
}

/* The same of a limit, behind which nothing is read any more. */
static int refuse_limit(struct reader *rd, struct ts_xml_place at, const char *what, int max)
{
    ts_diags_add_at(rd->diags,
                    TS_ERROR,
                    &(struct ts_diag_place){.id = "SLW-0171", .line = at.line, .column = at.column},
                    "%s; the limit is %d",
                    what,
                    max);
    rd->is_over = true;
    return TS_E_MALFORMED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *ts_container_trim(char *text)
{
    size_t skip = text ? strspn(text, " \t\r\n") : 0;
    size_t len = text ? strlen(text + skip) : 0;

    if (!text)
        return NULL;
    memmove(text, text + skip, len + 1);
    while (len > 0 && is_blank(text[len - 1]))
        text[--len] = '\0';
    return text;
}

char *ts_container_property(const xmlNode *scope, const char *name)
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
            return ts_container_trim(ts_node_text(holder));
    }
    return ts_copy("");
}

/* @doc: is taken as soon as there is a place for it. */
static int add_document(struct reader *rd, xmlNode *scope, struct ts_document **doc)
{
    struct ts_imports *imports = rd->imports;

    struct ts_import *grown = realloc(imports->items, (imports->n + 1) * sizeof(*grown));

    if (!grown)
        return ERR(-ENOMEM);
    imports->items = grown;

    OWN(freep) char *enabled = scope ? ts_container_property(scope, "TsEnabled") : ts_copy("");
    struct ts_import *item = &grown[imports->n++];

    *item = (struct ts_import){
        .id = scope ? ts_container_property(scope, "PackageID") : ts_copy(""),
        .name = scope ? ts_container_property(scope, "Name") : ts_copy(ts_document_name(*doc)),
        .description = scope ? ts_container_property(scope, "Description")
                             : ts_copy(ts_document_description(*doc)),
        .boot_image_id = scope ? ts_container_property(scope, "BootImageID") : ts_copy(""),
        .object = scope ? ts_object_take(scope) : ts_copy(""),
    };
    item->doc = TAKE(*doc); /* not above: in which order a list is evaluated is not specified */
    item->is_disabled = enabled && bytes_eq_nocase(bytes_of(enabled), "false");
    return enabled && item->id && item->name && item->description && item->boot_image_id &&
                   item->object
               ? 0
               : ERR(-ENOMEM);
}

/* @places: where its elements are in the file; NULL: where they stand in @text
   @begin:  where @text begins there */
static int add_import(struct reader *rd,
                      xmlNode *scope,
                      struct bytes text,
                      const struct ts_xml_places *places,
                      struct ts_xml_place begin)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    int r;

    if (rd->imports->n == TS_IMPORTS_MAX)
        return refuse_limit(rd, begin, "there are too many task sequences", TS_IMPORTS_MAX);
    r = ts_document_parse_at(text, places, &doc, rd->diags);
    return r == 0 ? TRACE(add_document(rd, scope, &doc)) : TRACE(r);
}

static size_t count_elements(const xmlNode *node)
{
    size_t n = 1;

    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            n += count_elements(child);
    return n;
}

/* In the order of the start tags. Bounded by TS_XML_MAX_DEPTH. @ret: has room. Return: how many. */
static size_t list_places(const xmlNode *node, struct ts_xml_place *ret)
{
    size_t n = 0;

    ret[n++] = (struct ts_xml_place){ts_xml_line(node), ts_xml_column(node)};
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            n += list_places(child, ret + n);
    return n;
}

/* Elements as the text of a document of their own. */
static int add_element(struct reader *rd, xmlNode *scope, xmlNode *sequence)
{
    OWN(freep)
    struct ts_xml_place *items = calloc(count_elements(sequence), sizeof(*items));
    xmlBuffer *text = items ? xmlBufferCreate() : NULL;
    struct ts_xml_places places = {.items = items};
    int r;

    if (!text || xmlNodeDump(text, sequence->doc, sequence, 0, 0) < 0) {
        xmlBufferFree(text);
        return ERR(-ENOMEM);
    }
    places.n = list_places(sequence, items);
    r = add_import(rd,
                   scope,
                   (struct bytes){xmlBufferContent(text), (size_t)xmlBufferLength(text)},
                   &places,
                   items[0]);
    xmlBufferFree(text);
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

/* Where in the file the text of @node begins, behind white space and "<![CDATA[". */
static struct ts_xml_place begin_of(const xmlNode *node)
{
    struct ts_xml_place at = {ts_xml_line(node), ts_xml_column(node) + 1};

    for (const xmlNode *child = node->children; child; child = child->next) {
        const char *text = (const char *)child->content;

        if (child->type == XML_CDATA_SECTION_NODE)
            at.column += CDATA_CHARS;
        for (; text && is_blank(*text); text++) {
            at.column = *text == '\n' ? 1 : at.column + 1;
            at.line += *text == '\n' ? 1 : 0;
        }
        if (text && *text != '\0')
            break;
    }
    return at;
}

/* The text of an element that has nothing else may be a task sequence. */
static int look_at_text(struct reader *rd, xmlNode *scope, const xmlNode *node)
{
    OWN(freep) char *text = ts_container_trim(ts_node_text(node));
    const struct ts_xml_place begin = begin_of(node);
    const struct ts_xml_places places = {
        .lines = begin.line - 1,
        .first_columns = begin.column - 1,
    };

    if (!text)
        return ERR(-ENOMEM);
    if (!is_sequence_text(text))
        return 0;
    return TRACE(add_import(rd, scope, bytes_of(text), &places, begin));
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static int look_within(struct reader *rd, xmlNode *scope, xmlNode *node)
{
    int r = 0;

    if (ts_node_is(node, "sequence"))
        return TRACE(add_element(rd, scope, node));
    if (is_scope(node)) {
        scope = node;
        r = ts_container_add_object(rd->imports, node);
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
        OWN(freep) char *text = ts_container_trim(ts_node_text(node));
        int r = text ? ts_xml_parse_container(bytes_of(text), TS_PART_MAX_BYTES, &xml, &ignored)
                     : ERR(-ENOMEM);

        if (r < 0)
            return TRACE(r);
        if (r > 0)
            continue;

        const xmlNode *root = xmlDocGetRootElement(xml);

        r = ts_container_add_named(rd->imports, root);
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
        return TRACE(add_import(rd, NULL, text, NULL, beginning)); /* with the lines it has */
    if (ts_node_is(root, "ArrayOfString"))
        return TRACE(read_references(rd, root));
    r = look_within(rd, NULL, root);
    if (r == 0 && !is_scope(root)) /* which has been looked at */
        r = ts_container_add_object(rd->imports, root);
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

/* Behind the last byte of @text. */
static struct ts_xml_place end_of(const struct buf *text)
{
    struct ts_xml_place at = beginning;

    for (size_t i = 0; i < text->len; i++) {
        at.column = text->ptr[i] == '\n' ? 1 : at.column + 1;
        at.line += text->ptr[i] == '\n' ? 1 : 0;
    }
    return at;
}

/* Of damage that is there behind @text; nothing further can be trusted. */
static int refuse_damage(struct reader *rd, struct archive *zip, const struct buf *text)
{
    const char *reason = archive_error_string(zip);
    struct ts_xml_place at = end_of(text);

    ts_diags_add(rd->diags,
                 TS_ERROR,
                 at.line,
                 at.column,
                 "it cannot be unpacked from here on: %.200s",
                 reason ? reason : "the .zip file is damaged");
    rd->is_over = true;
    return TS_E_MALFORMED;
}

/* The unpacked bytes of the entry that @zip stands at. */
static int unpack(struct reader *rd, struct archive *zip, struct buf *ret)
{
    uint8_t piece[16384];
    la_ssize_t n;

    while ((n = archive_read_data(zip, piece, sizeof(piece))) > 0) {
        size_t room = TS_PART_MAX_BYTES - ret->len;
        size_t rest = TS_PARTS_MAX_BYTES - rd->n_bytes;

        buf_add(ret, (struct bytes){piece, (size_t)n < room ? (size_t)n : room});
        if (ret->failed)
            return ERR(-ENOMEM);
        if ((size_t)n > room)
            return refuse_limit(rd, end_of(ret), "too many bytes unpacked", TS_PART_MAX_BYTES);
        if ((size_t)n > rest)
            return refuse_limit(rd,
                                end_of(ret),
                                "too many bytes unpacked, with the files before it",
                                TS_PARTS_MAX_BYTES);
        rd->n_bytes += (size_t)n;
    }
    return n < 0 ? refuse_damage(rd, zip, ret) : 0;
}

static int read_part(struct reader *rd, struct archive *zip, const char *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_PART_MAX_BYTES);
    bool is_main =
        ends_with(name, "/object.xml") && strstr(name, "SMS_TaskSequencePackage/") != NULL;
    bool is_xml = ends_with(name, ".xml");
    int r;

    if (++rd->n_parts > TS_PARTS_MAX)
        return refuse_limit(rd, beginning, "there are too many files in the .zip", TS_PARTS_MAX);
    r = ts_container_add_content(rd->imports, name);
    if (r != 0) /* of which no byte is looked at */
        return r < 0 ? TRACE(r) : 0;
    r = is_xml ? unpack(rd, zip, &text) : 0;
    if (r == 0 && is_xml)
        r = read_xml(rd, buf_bytes(&text), is_main);
    return TRACE(r);
}

static int read_entry(struct reader *rd, struct archive *zip, struct archive_entry *entry)
{
    const size_t n_diags = rd->diags->n;
    const char *name = archive_entry_pathname_utf8(entry);
    int r = read_part(rd, zip, name ? name : "");

    if (!ts_diags_prefix(rd->diags, n_diags, name ? name : "a file without a name"))
        return ERR(-ENOMEM);
    if (r != TS_E_MALFORMED || rd->is_over)
        return TRACE(r);
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
        return refuse(rd, beginning, "the .zip file is damaged");
    while (r == 0 && (got = archive_read_next_header(zip, &entry)) != ARCHIVE_EOF) {
        if (got < ARCHIVE_WARN)
            return refuse(rd, beginning, "the .zip file is damaged");
        r = read_entry(rd, zip, entry);
    }
    if (r == 0 && rd->is_malformed)
        return TS_E_MALFORMED;
    if (r == 0 && rd->imports->n == 0)
        return refuse(rd, beginning, "there is no task sequence in the .zip file");
    return TRACE(r);
}

/* The same of UTF-16, whose characters there have a byte that is 0. */
static bool is_wide_yaml(struct bytes file, bool is_big)
{
    size_t low = is_big ? 1 : 0;
    size_t i = file.ptr[0] >= 0xfe ? 2 : 0; /* a byte order mark */

    while (i + 1 < file.len && file.ptr[i + 1 - low] == 0 && file.ptr[i + low] != '\0' &&
           strchr(" \t\r\n", file.ptr[i + low]))
        i += 2;
    return i + 1 < file.len && (file.ptr[i + 1 - low] != 0 || file.ptr[i + low] != '<');
}

/* Whether it cannot be XML: its first character is neither '<' nor white space or a byte order mark before one. */
static bool is_yaml(struct bytes file)
{
    bool is_big;
    size_t i = 0;

    if (ts_is_utf16(file, &is_big))
        return is_wide_yaml(file, is_big);
    while (i < file.len && strchr(" \t\r\n\xef\xbb\xbf", file.ptr[i]) && file.ptr[i] != '\0')
        i++;
    return i < file.len && file.ptr[i] != '<';
}

static int read_yaml(struct reader *rd, struct bytes file)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(2 * (size_t)TS_FILE_MAX_BYTES);
    bool is_big;
    int r;

    if (ts_is_utf16(file, &is_big)) {
        ts_to_utf8(file, &text);
        file = buf_bytes(&text);
    }
    r = text.failed ? ERR(-ENOMEM) : ts_yaml_parse(file, &doc, rd->diags);

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
        return refuse_limit(&rd, beginning, "the file has too many bytes", TS_FILE_MAX_BYTES);
    if (bytes_take(&rest, sizeof(zip_mark), &head) &&
        bytes_eq(head, (struct bytes){zip_mark, sizeof(zip_mark)}))
        r = read_zip(&rd, file);
    else if (is_yaml(file))
        r = read_yaml(&rd, file);
    else
        r = read_xml(&rd, file, true);
    if (r > 0 && !ts_diags_has_error(diags))
        return refuse(&rd, beginning, "it cannot be read");
    return TRACE(r);
}
