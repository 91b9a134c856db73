/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlsave.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/container_put.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/edit.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    NUMBER_MAX_BYTES = 24,
    SYSTEM_MAX_BYTES = 64 * 1024, /* of a property of the system, which repeats the id */
};

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(xmlBufferPtr, xmlBufferFree);

/* Of a task sequence that was made here. */
static const char fresh[] =
    "<INSTANCE CLASSNAME=\"SMS_TaskSequencePackage\">\n"
    "  <PROPERTY NAME=\"BootImageID\" TYPE=\"string\">\n    <VALUE></VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"Description\" TYPE=\"string\">\n    <VALUE></VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"Duration\" TYPE=\"uint32\">\n    <VALUE>0</VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"Name\" TYPE=\"string\">\n    <VALUE></VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"PackageID\" TYPE=\"string\">\n    <VALUE></VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"PackageType\" TYPE=\"uint32\">\n    <VALUE>4</VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"Priority\" TYPE=\"uint32\">\n    <VALUE>2</VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"ProgramFlags\" TYPE=\"uint32\">\n    <VALUE>152084496</VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY.OBJECTARRAY NAME=\"References\" REFERENCECLASS=\"SMS_TaskSequence_Reference\">\n"
    "    <VALUE.OBJECTARRAY></VALUE.OBJECTARRAY>\n  </PROPERTY.OBJECTARRAY>\n"
    "  <PROPERTY NAME=\"Sequence\" TYPE=\"string\">\n    <VALUE></VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"SourceVersion\" TYPE=\"uint32\">\n    <VALUE>1</VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"TaskSequenceFlags\" TYPE=\"uint32\">\n    <VALUE>0</VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"TsEnabled\" TYPE=\"boolean\">\n    <VALUE></VALUE>\n  </PROPERTY>\n"
    "  <PROPERTY NAME=\"Type\" TYPE=\"uint32\">\n    <VALUE>2</VALUE>\n  </PROPERTY>\n"
    "</INSTANCE>";

/* The element @element, directly in @instance, whose NAME is @name; NULL if there is none. */
static xmlNode *find(const xmlNode *instance, const char *element, const char *name)
{
    for (xmlNode *node = ts_node_element(instance->children); node;
         node = ts_node_element(node->next)) {
        OWN(freep) char *own = ts_node_is(node, element) ? ts_node_attribute(node, "NAME") : NULL;

        if (own && bytes_eq_nocase(bytes_of(own), name))
            return node;
    }
    return NULL;
}

/* What a property holds, trimmed by nobody; "" if there is none. Owned by the caller; NULL without memory. */
static char *value_of(const xmlNode *instance, const char *name)
{
    const xmlNode *property = find(instance, "PROPERTY", name);
    const xmlNode *value = property ? ts_node_child(property, "VALUE") : NULL;

    return value ? ts_node_text(value) : ts_copy("");
}

/* Append @node as it stands. */
static int dump(xmlNode *node, struct buf *ret)
{
    OWN(xmlBufferFreep) xmlBuffer *text = xmlBufferCreate();
    xmlSaveCtxt *save =
        text ? xmlSaveToBuffer(text, "UTF-8", XML_SAVE_NO_DECL | XML_SAVE_NO_EMPTY) : NULL;
    long done = save ? xmlSaveTree(save, node) : -1;

    if (save && xmlSaveClose(save) < 0)
        done = -1;
    if (done < 0)
        return ERR(-ENOMEM);
    buf_add(ret, (struct bytes){xmlBufferContent(text), (size_t)xmlBufferLength(text)});
    return 0;
}

/* Take out what is ours, what nobody may see, and what is too large. */
static int strip(xmlNode *instance)
{
    xmlNode *next;

    for (xmlNode *node = ts_node_element(instance->children); node; node = next) {
        OWN(freep) char *name = ts_node_attribute(node, "NAME");
        OWN(buf_fini) struct buf text = BUF_INIT(TS_OBJECT_PART_MAX_BYTES);
        xmlNode *value = ts_node_child(node, "VALUE");

        next = ts_node_element(node->next);
        if (!name)
            return ERR(-ENOMEM);
        if (value && (bytes_eq_nocase(bytes_of(name), "Sequence") || ts_name_is_secret(name)))
            xmlNodeSetContent(value, NULL);
        if (dump(node, &text) < 0)
            return ERR(-ENOMEM);
        if (!text.failed)
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
    return 0;
}

char *ts_object_take(xmlNode *instance)
{
    const xmlNode *sequence =
        ts_node_is(instance, "INSTANCE") ? find(instance, "PROPERTY", "Sequence") : NULL;
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(TS_OBJECT_MAX_BYTES);
    xmlNode *copy;

    if (!sequence || !ts_node_child(sequence, "VALUE"))
        return ts_copy("");
    xml = xmlNewDoc((const xmlChar *)"1.0");
    copy = xml ? xmlDocCopyNode(instance, xml, 1) : NULL;
    if (!copy)
        return NULL;
    (void)xmlDocSetRootElement(xml, copy);
    if (strip(copy) < 0 || dump(copy, &text) < 0)
        return NULL;
    return ts_copy(text.failed ? "" : buf_str(&text));
}

static xmlNode *add_element(xmlNode *parent, const char *element, const char *name)
{
    xmlNode *node = xmlNewChild(parent, NULL, (const xmlChar *)element, NULL);

    if (node && name)
        (void)xmlSetProp(node, (const xmlChar *)"NAME", (const xmlChar *)name);
    return node;
}

/* The element for the value of a property, which is made if it is not there; NULL without memory. */
static xmlNode *make_value(xmlNode *instance, const char *name, const char *type)
{
    xmlNode *property = find(instance, "PROPERTY", name);
    xmlNode *value;

    if (!property) {
        property = add_element(instance, "PROPERTY", name);
        if (property)
            (void)xmlSetProp(property, (const xmlChar *)"TYPE", (const xmlChar *)type);
    }
    if (!property)
        return NULL;
    value = ts_node_child(property, "VALUE");
    return value ? value : add_element(property, "VALUE", NULL);
}

static int set(xmlNode *instance, const char *name, const char *type, const char *text)
{
    xmlNode *value = make_value(instance, name, type);

    if (!value)
        return ERR(-ENOMEM);
    xmlNodeSetContent(value, NULL);
    xmlNodeAddContent(value, (const xmlChar *)text);
    return 0;
}

static int set_sequence(xmlNode *instance, const char *text)
{
    xmlNode *value = make_value(instance, "Sequence", "string");
    xmlNode *data = xmlNewCDataBlock(instance->doc, (const xmlChar *)text, (int)strlen(text));

    if (!value || !data) {
        xmlFreeNode(data);
        return ERR(-ENOMEM);
    }
    xmlNodeSetContent(value, NULL);
    (void)xmlAddChild(value, data);
    return 0;
}

/* Where the system's own properties (__PATH, __RELPATH) repeat the id, the new one takes its place. */
static int rename_system(xmlNode *instance, const char *old_id, const char *new_id)
{
    for (xmlNode *node = ts_node_element(instance->children); node && old_id[0];
         node = ts_node_element(node->next)) {
        OWN(freep) char *name = ts_node_attribute(node, "NAME");
        xmlNode *value = ts_node_child(node, "VALUE");
        OWN(freep) char *text = value ? ts_node_text(value) : ts_copy("");
        OWN(buf_fini) struct buf renamed = BUF_INIT(SYSTEM_MAX_BYTES);
        const char *at = name && text && strncmp(name, "__", 2) == 0 ? strstr(text, old_id) : NULL;

        if (!name || !text)
            return ERR(-ENOMEM);
        if (!at)
            continue;
        buf_add(&renamed, (struct bytes){(const uint8_t *)text, (size_t)(at - text)});
        buf_adds(&renamed, new_id);
        buf_adds(&renamed, at + strlen(old_id));
        if (renamed.failed)
            continue;
        xmlNodeSetContent(value, NULL);
        xmlNodeAddContent(value, (const xmlChar *)buf_str(&renamed));
    }
    return 0;
}

/* The id that a <VALUE.OBJECT> of the list names. Owned by the caller; NULL without memory. */
static char *referred(const xmlNode *object)
{
    const xmlNode *instance = ts_node_child(object, "INSTANCE");

    return instance ? value_of(instance, "Package") : ts_copy("");
}

static bool is_listed(const xmlNode *list, const char *id)
{
    for (xmlNode *node = ts_node_element(list->children); node;
         node = ts_node_element(node->next)) {
        OWN(freep) char *own = referred(node);

        if (own && strcmp(own, id) == 0)
            return true;
    }
    return false;
}

static int add_reference(xmlNode *list, const char *id)
{
    xmlNode *object = add_element(list, "VALUE.OBJECT", NULL);
    xmlNode *instance = object ? add_element(object, "INSTANCE", NULL) : NULL;
    int r = instance ? 0 : ERR(-ENOMEM);

    if (r == 0)
        (void)xmlSetProp(
            instance, (const xmlChar *)"CLASSNAME", (const xmlChar *)"SMS_TaskSequence_Reference");
    if (r == 0)
        r = set(instance, "Package", "string", id);
    if (r == 0)
        r = set(instance, "Program", "string", "*");
    return r == 0 ? TRACE(set(instance, "Type", "uint32", "0")) : TRACE(r);
}

/* Those that the sequence does not refer to any more go, those that are missing come. */
static int set_references(xmlNode *instance, const struct ts_export *item)
{
    xmlNode *property = find(instance, "PROPERTY.OBJECTARRAY", "References");
    xmlNode *list;
    xmlNode *next;
    char number[NUMBER_MAX_BYTES];
    int r = 0;

    if (!property)
        property = add_element(instance, "PROPERTY.OBJECTARRAY", "References");
    list = property ? ts_node_child(property, "VALUE.OBJECTARRAY") : NULL;
    if (property && !list)
        list = add_element(property, "VALUE.OBJECTARRAY", NULL);
    if (!list)
        return ERR(-ENOMEM);
    for (xmlNode *node = ts_node_element(list->children); node; node = next) {
        OWN(freep) char *id = referred(node);

        next = ts_node_element(node->next);
        if (!id)
            return ERR(-ENOMEM);
        if (ts_refers_to(item->doc, id))
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
    for (size_t i = 0; r == 0 && i < item->n_references; i++)
        if (item->references[i].kind != TS_EXPORT_BOOT_IMAGE &&
            !is_listed(list, item->references[i].id))
            r = add_reference(list, item->references[i].id);
    if (r != 0 || !find(instance, "PROPERTY", "ReferencesCount"))
        return TRACE(r);
    (void)snprintf(number, sizeof(number), "%lu", xmlChildElementCount(list));
    return TRACE(set(instance, "ReferencesCount", "uint32", number));
}

static int fill(xmlNode *instance, const struct ts_export *item, const char *sequence)
{
    const struct {
        const char *name;
        const char *type;
        const char *text;
    } ours[] = {
        {"BootImageID", "string", item->boot_image_id},
        {"Description", "string", item->description},
        {"Name", "string", item->name},
        {"PackageID", "string", item->id},
        {"TsEnabled", "boolean", item->is_disabled ? "FALSE" : "TRUE"},
    };
    OWN(freep) char *old_id = value_of(instance, "PackageID");
    int r = old_id ? rename_system(instance, old_id, item->id) : ERR(-ENOMEM);

    for (size_t i = 0; r == 0 && i < sizeof(ours) / sizeof(ours[0]); i++)
        r = set(instance, ours[i].name, ours[i].type, ours[i].text);
    if (r == 0)
        r = set_references(instance, item);
    return r == 0 ? TRACE(set_sequence(instance, sequence)) : TRACE(r);
}

int ts_object_text(const char *template, const char *name, struct buf *ret)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    int r = template[0] != '\0'
                ? ts_xml_parse_container(bytes_of(template), TS_OBJECT_MAX_BYTES, &xml, &ignored)
                : TS_E_MALFORMED;

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;

    OWN(freep) char *text = value_of(xmlDocGetRootElement(xml), name);

    if (!text)
        return ERR(-ENOMEM);
    buf_adds(ret, text);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

int ts_object_put(const struct ts_export *item, const char *sequence, struct buf *ret)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    const char *template = item->object && item->object[0] ? item->object : fresh;
    int r = ts_xml_parse_container(bytes_of(template), TS_OBJECT_MAX_BYTES, &xml, &ignored);

    if (r == TS_E_MALFORMED)
        r = ts_xml_parse_container(bytes_of(fresh), TS_OBJECT_MAX_BYTES, &xml, &ignored);
    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-ENOMEM);
    r = fill(xmlDocGetRootElement(xml), item, sequence);
    return r == 0 ? TRACE(dump(xmlDocGetRootElement(xml), ret)) : TRACE(r);
}
