/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Attributes of groups and steps. What the reader cannot use counts as if it were not there.
 */

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/validate_parts.h"

enum {
    RETRIES_OF_THE_EDITOR_MAX = 5,
};

enum kind {
    KIND_BOOL,
    KIND_NUMBER, /* 0 or none: it is not used */
    KIND_PLACE,
    KIND_CODES,
};

static const struct attribute {
    const char *name;
    const char *label;
    enum kind kind;
    bool is_of_groups; /* too */
    uint64_t max;      /* of a number, for people */
    uint64_t read_max; /* and for the reader */
} attributes[] = {
    {"disable", "Disable this step", KIND_BOOL, true, 0, 0},
    {"continueOnError", "Continue on error", KIND_BOOL, true, 0, 0},
    {"runFromNet", "Access content directly", KIND_BOOL, false, 0, 0},
    {"runIn", "Supported environment", KIND_PLACE, false, 0, 0},
    {"successCodeList", "Success codes", KIND_CODES, false, 0, 0},
    {"timeout", "Time-out in seconds", KIND_NUMBER, false, TS_TIMEOUT_MAX_S, TS_TIMEOUT_MAX_S},
    {"retryCount", "Retry count", KIND_NUMBER, false, RETRIES_OF_THE_EDITOR_MAX, TS_RETRIES_MAX},
};

bool ts_check_are_codes(const char *text)
{
    static const char between[] = " ,;\t\r\n";

    for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
        size_t len = strcspn(text, between);
        bool is_negative = text[0] == '-';
        struct bytes digits = {(const uint8_t *)text + (is_negative ? 1 : 0),
                               len - (is_negative ? 1 : 0)};
        uint64_t n;

        if (!bytes_parse_u64(
                digits, 0, is_negative ? (uint64_t)INT32_MAX + 1 : (uint64_t)UINT32_MAX, &n))
            return false;
        text += len;
    }
    return true;
}

static void
check_number(const struct ts_check *c, int item, const struct attribute *a, const char *text)
{
    uint64_t n = 0;

    if (!bytes_parse_u64(bytes_of(text), 0, UINT64_MAX, &n))
        ts_check_report(
            c,
            item,
            TS_WARNING, /* as out of range: what it counts as is no time-out, no retry */
            "SLW-0181",
            "%s (%s): \"%.32s\" is not a whole number from 0 on and counts as 0",
            a->label,
            a->name,
            text);
    else if (n > a->max)
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0181",
                        "%s (%s): %.32s is out of range; it may be at most %llu%s",
                        a->label,
                        a->name,
                        text,
                        (unsigned long long)a->max,
                        n > a->read_max ? ", and counts as 0" : "");
}

static void
check_attribute(const struct ts_check *c, int item, const struct attribute *a, const char *text)
{
    switch (a->kind) {
    case KIND_NUMBER:
        check_number(c, item, a, text);
        break;
    case KIND_BOOL:
        if (!ts_check_is_one_of(text, "true|false|1|0"))
            ts_check_report(c,
                            item,
                            TS_WARNING,
                            "SLW-0181",
                            "%s (%s): \"%.32s\" is neither true nor false and counts as false",
                            a->label,
                            a->name,
                            text);
        break;
    case KIND_PLACE:
        if (!ts_check_is_one_of(text, "WinPE|FullOS|WinPEandFullOS"))
            ts_check_report(c,
                            item,
                            TS_WARNING,
                            "SLW-0181",
                            "%s (%s): \"%.32s\" is unknown and counts as WinPEandFullOS",
                            a->label,
                            a->name,
                            text);
        break;
    case KIND_CODES:
    default:
        if (!ts_check_are_codes(text))
            ts_check_report(c,
                            item,
                            TS_ERROR,
                            "SLW-0181",
                            "%s (%s): \"%.64s\" are not integers with spaces between them",
                            a->label,
                            a->name,
                            text);
        break;
    }
}

/* Of the variables that a step has. */
static void check_hidden(const struct ts_check *c, int item)
{
    const xmlNode *list = ts_node_child(c->tree.items[item].node, "defaultVarList");

    for (const xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;
        OWN(freep) char *hidden = name ? ts_node_attribute(node, "hidden") : NULL;

        if (hidden && hidden[0] != '\0' && !ts_check_is_one_of(hidden, "true|false|1|0"))
            ts_check_report(
                c,
                item,
                TS_WARNING,
                "SLW-0181",
                "variable %.64s (hidden): \"%.32s\" is neither true nor false and counts "
                "as false",
                name,
                hidden);
    }
}

/* The second child element of that name, or NULL: the first is what counts (ts_node_child()). */
static const xmlNode *second(const xmlNode *node, const char *name)
{
    const xmlNode *first = ts_node_child(node, name);

    for (const xmlNode *other = first ? first->next : NULL; other; other = other->next)
        if (ts_node_is(other, name))
            return other;
    return NULL;
}

#define MORE_THAN_ONE \
    "has more than one <%s>, of which only the first counts, also if it is empty; remove those that are not meant"

static void check_twins(const struct ts_check *c, int item)
{
    static const char *const names[] = {"condition", "action", "defaultVarList"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (second(c->tree.items[item].node, names[i]))
            ts_check_report(c, item, TS_WARNING, "SLW-0181", "it " MORE_THAN_ONE, names[i]);
}

void ts_check_root(const struct ts_check *c)
{
    static const char name[] = "globalVarList";
    const xmlNode *other = second(xmlDocGetRootElement(ts_document_tree(c->doc)), name);

    if (other)
        ts_check_report_node(c, other, TS_WARNING, "SLW-0181", "the sequence " MORE_THAN_ONE, name);
}

void ts_check_attributes(const struct ts_check *c, int item)
{
    const struct ts_tree_item *at = &c->tree.items[item];

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        OWN(freep) char *text = ts_node_attribute(at->node, attributes[i].name);

        if (text && text[0] != '\0' && (!at->is_group || attributes[i].is_of_groups))
            check_attribute(c, item, &attributes[i], text);
    }
    check_twins(c, item);
    if (!at->is_group)
        check_hidden(c, item);
}
