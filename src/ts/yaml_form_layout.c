/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/tree.h"
#include "ts/yaml_form_parts.h"

enum {
    KINDS_MAX = 16,
    BLANK_MAX_BYTES = 4096, /* more white space than that is text */
    SPACE_MAX_BYTES = BLANK_MAX_BYTES + TS_YAML_INDENTATION_MAX + 1,
};

static const char mark[] = "as it is";

static bool is_long(const xmlNode *node)
{
    return node->content && memchr(node->content, '\0', BLANK_MAX_BYTES + 1) == NULL;
}

bool ts_yaml_is_blank(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE && !is_long(node) && xmlIsBlankNode(node);
}

static const char *text_of(const xmlNode *node)
{
    return node && ts_yaml_is_blank(node) && node->content ? (const char *)node->content : "";
}

const char *ts_yaml_space(const xmlNode *parent, const xmlNode *child)
{
    return text_of(child ? child->prev : parent->last);
}

static bool is_root(const xmlNode *node)
{
    return !node->parent || node->parent->type != XML_ELEMENT_NODE;
}

/* Its indentation; NULL if it does not begin a line. */
static const char *line_of(const xmlNode *node)
{
    const char *end = is_root(node) ? NULL : strrchr(text_of(node->prev), '\n');

    return end ? end + 1 : NULL;
}

/* That of the line it stands in. The depth is bounded by TS_XML_MAX_DEPTH. */
static const char *indentation_of(const xmlNode *node)
{
    for (; !is_root(node); node = node->parent)
        if (line_of(node))
            return line_of(node);
    return "";
}

static const xmlNode *first_of(const xmlNode *parent)
{
    const xmlNode *node = parent->children;

    while (node && ts_yaml_is_blank(node))
        node = node->next;
    return node;
}

static const xmlNode *one_before(const xmlNode *node)
{
    node = node->prev;
    while (node && ts_yaml_is_blank(node))
        node = node->prev;
    return node;
}

static void put_line(struct buf *ret, const char *indentation)
{
    buf_adds(ret, "\n");
    buf_adds(ret, indentation);
}

/* What the next line goes by: not a comment at the end of a line, but what that is said of. */
static const xmlNode *one_to_follow(const xmlNode *node, struct ts_yaml_trail *trail)
{
    const xmlNode *start = node;
    const xmlNode *before = one_before(node);

    while (node != trail->at && before && node->type == XML_COMMENT_NODE && !line_of(node)) {
        node = before;
        before = one_before(node);
    }
    if (node == trail->at)
        node = trail->followed;
    *trail = (struct ts_yaml_trail){start, node};
    return node;
}

void ts_yaml_usual_space(const xmlNode *parent,
                         const xmlNode *child,
                         const char *indent,
                         struct ts_yaml_trail *trail,
                         struct buf *ret)
{
    const xmlNode *first = first_of(parent);
    const xmlNode *before = child ? one_before(child) : NULL;
    const char *line;

    if (!indent || !first)
        return;
    if (!child) {
        if (line_of(first))
            put_line(ret, indentation_of(parent));
        return;
    }
    if (!before) {
        if (is_root(parent) || line_of(parent)) {
            put_line(ret, indentation_of(parent));
            buf_adds(ret, indent);
        }
        return;
    }
    before = one_to_follow(before, trail);
    line = line_of(before);
    buf_adds(ret, line ? "\n" : text_of(before->prev));
    buf_adds(ret, line ? line : "");
}

/* How much deeper the first child of something is than that. */
struct kind {
    const char *text; /* borrowed; not ended */
    size_t n;
};

struct count {
    struct kind kinds[KINDS_MAX];
    size_t n;
    bool has_lines;
};

static void count_one(struct count *count, const char *text)
{
    size_t i = 0;

    if (strlen(text) > TS_YAML_INDENTATION_MAX || text[strspn(text, " \t")] != '\0')
        return;
    while (i < count->n && strcmp(count->kinds[i].text, text) != 0)
        i++;
    if (i == KINDS_MAX)
        return;
    count->kinds[i].text = text;
    count->kinds[i].n++;
    count->n += i == count->n;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void count_within(struct count *count, const xmlNode *parent)
{
    const xmlNode *first = first_of(parent);
    const char *outer = indentation_of(parent);
    const char *inner = first ? line_of(first) : NULL;

    if (inner && strncmp(inner, outer, strlen(outer)) == 0)
        count_one(count, inner + strlen(outer));
    for (const xmlNode *node = first; node; node = node->next) {
        count->has_lines |= line_of(node) != NULL;
        if (node->type == XML_ELEMENT_NODE)
            count_within(count, node);
    }
}

int ts_yaml_find_indentation(const xmlNode *root, char **ret)
{
    struct count count = {.n = 0};
    struct kind most = {.text = ""};

    *ret = NULL;
    count_within(&count, root);
    if (!count.has_lines)
        return 0;
    for (size_t i = 0; i < count.n; i++)
        if (count.kinds[i].n > most.n)
            most = count.kinds[i];
    *ret = ts_copy(most.text);
    return *ret ? 0 : ERR(-ENOMEM);
}

void ts_yaml_fix(xmlNode *node)
{
    // libxml2 leaves this place to us
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    node->_private = (void *)(uintptr_t)mark;
}

static int add_usual(
    xmlNode *parent, xmlNode *child, const char *indent, struct ts_yaml_trail *trail, size_t *room)
{
    OWN(buf_fini) struct buf space = BUF_INIT(SPACE_MAX_BYTES);
    xmlNode *text;

    ts_yaml_usual_space(parent, child, indent, trail, &space);
    if (space.len == 0)
        return space.failed ? ERR(-ENOMEM) : 0;
    if (space.len > *room)
        return TS_E_MALFORMED;
    *room -= space.len;
    text = xmlNewText((const xmlChar *)buf_str(&space));
    if (!text || !(child ? xmlAddPrevSibling(child, text) : xmlAddChild(parent, text)))
        return ERR(-ENOMEM);
    return 0;
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
int ts_yaml_lay_out(xmlNode *root, const char *indent, size_t *room)
{
    struct ts_yaml_trail trail = {0};

    if (root->_private || !root->children)
        return 0;
    for (xmlNode *child = root->children; child; child = child->next) {
        int r = 0;

        if (is_text(child))
            continue;
        if (!child->prev || child->prev->type != XML_TEXT_NODE)
            r = add_usual(root, child, indent, &trail, room);
        if (r == 0 && child->type == XML_ELEMENT_NODE)
            r = ts_yaml_lay_out(child, indent, room);
        if (r != 0)
            return r;
    }
    return is_text(root->last) ? 0 : add_usual(root, NULL, indent, &trail, room);
}
