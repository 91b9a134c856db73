/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/action.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/step_types.h"
#include "ts/tree.h"

static const char command_type[] = "SMS_TaskSequence_RunCommandLineAction";

enum {
    ACTION_MAX_BYTES = 256 * 1024,
    NAME_MAX_BYTES = 64,
};

/* Text of the variable in the list with this name or property; NULL if there is none. */
static char *text_of(const xmlNode *variables, const char *wanted)
{
    for (const xmlNode *node = variables ? variables->children : NULL; node; node = node->next) {
        if (!ts_node_is(node, "variable"))
            continue;

        OWN(freep) char *name = ts_node_attribute(node, "name");
        OWN(freep) char *property = ts_node_attribute(node, "property");

        if (name && property &&
            (bytes_eq_nocase(bytes_of(property), wanted) ||
             bytes_eq_nocase(bytes_of(name), wanted)))
            return ts_node_text(node);
    }
    return NULL;
}

static bool is_true(const char *text)
{
    return text && bytes_eq_nocase(bytes_of(text), "true");
}

/* One "{Name}" or plain character of the template; @ret_is_empty: it was a property without text. */
static const char *put_part(const struct ts_step_type *type,
                            const char *template,
                            const xmlNode *variables,
                            struct buf *ret,
                            bool *ret_is_empty)
{
    const char *end = template[0] == '{' ? strchr(template, '}') : NULL;
    char name[NAME_MAX_BYTES];

    if (!end || (size_t)(end - template) > sizeof(name)) {
        buf_add(ret, (struct bytes){(const uint8_t *)template, 1});
        return template + 1;
    }
    memcpy(name, template + 1, (size_t)(end - template) - 1);
    name[end - template - 1] = '\0';

    OWN(freep) char *text = text_of(variables, name);

    const struct ts_property *property = ts_property_find(type, name);
    bool is_bool = property && property->kind == TS_KIND_BOOL;

    if (!text || text[0] == '\0')
        *ret_is_empty = true;
    else if (is_bool && is_true(text))
        buf_adds(ret, "True"); /* as the reference product writes it */
    else if (is_bool && bytes_eq_nocase(bytes_of(text), "false"))
        buf_adds(ret, "False");
    else
        buf_adds(ret, text);
    return end + 1;
}

void ts_action_put(const struct ts_step_type *type, const xmlNode *variables, struct buf *ret)
{
    const char *at = type->command;

    while (*at) {
        OWN(buf_fini) struct buf part = BUF_INIT(ACTION_MAX_BYTES);
        bool is_empty = false;

        if (*at != '<') {
            at = put_part(type, at, variables, ret, &is_empty);
            continue;
        }
        at++;
        while (*at && *at != '>')
            at = put_part(type, at, variables, &part, &is_empty);
        at += *at == '>' ? 1 : 0;
        if (!is_empty)
            buf_add(ret, buf_bytes(&part));
    }
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Whether the first @n characters are the same, but for the case of letters. */
static bool begins_same(const char *text, const char *other, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower(text[i]) != lower(other[i]) || text[i] == '\0')
            return false;
    return true;
}

/* Where the value begins of the property that ends the template; NULL: the text is not the template's, or none ends it. */
static const char *find_tail(const char *pattern, const char *text)
{
    while (*pattern && *pattern != '<') {
        const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
        const char *next = end ? end + 1 : "";

        if (end && *next == '\0')
            return text;
        if (end) {
            text += strcspn(text, (const char[]){*next, '\0'});
            pattern = next;
            continue;
        }
        if (*text == '\0' && *pattern == ' ') { /* spaces at the end may be lost */
            pattern++;
            continue;
        }
        if (!begins_same(text, pattern, 1))
            return NULL;
        pattern++;
        text++;
    }
    return NULL;
}

/* The property that ends the template of the type; "": none. */
static void find_end(const struct ts_step_type *type, char name[static NAME_MAX_BYTES])
{
    const char *open = strrchr(type->command, '{');
    size_t len = open ? strcspn(open, "}") : 0;

    name[0] = '\0';
    if (!open || open[len] != '}' || open[len + 1] != '\0' || len > NAME_MAX_BYTES)
        return;
    memcpy(name, open + 1, len - 1);
    name[len - 1] = '\0';
}

/* Whether what ends the template has no text in the list. */
static bool is_end_empty(const struct ts_step_type *type, const xmlNode *variables)
{
    char name[NAME_MAX_BYTES];

    find_end(type, name);

    OWN(freep) char *text = name[0] != '\0' ? text_of(variables, name) : NULL;

    return name[0] != '\0' && (!text || text[0] == '\0');
}

/* Whether the text begins with the program that the template begins with. */
static bool has_program(const struct ts_step_type *type, const char *text)
{
    size_t len = strcspn(type->command, " ");

    return begins_same(text, type->command, len) && (text[len] == '\0' || text[len] == ' ');
}

static size_t length(const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len;
}

/* But for the case of letters, and for spaces at the end. */
static bool is_same(const char *text, const char *other)
{
    return length(text) == length(other) && begins_same(text, other, length(text));
}

static char *action_of(const xmlNode *step)
{
    const xmlNode *action = ts_node_child(step, "action");

    return action ? ts_node_text(action) : ts_copy("");
}

bool ts_action_is_made(const struct ts_step_type *type, const xmlNode *step)
{
    OWN(buf_fini) struct buf made = BUF_INIT(ACTION_MAX_BYTES);
    OWN(freep) char *text = action_of(step);

    ts_action_put(type, ts_node_child(step, "defaultVarList"), &made);
    return text && !made.failed && (text[0] == '\0' || is_same(text, buf_str(&made)));
}

bool ts_action_make_anew(const struct ts_step_type *type,
                         const xmlNode *before,
                         const xmlNode *step,
                         struct buf *ret)
{
    const xmlNode *list = ts_node_child(step, "defaultVarList");
    const xmlNode *old_list = before ? ts_node_child(before, "defaultVarList") : NULL;
    OWN(buf_fini) struct buf made_before = BUF_INIT(ACTION_MAX_BYTES);
    OWN(freep) char *text = action_of(step);
    const char *own = NULL;

    ts_action_put(type, list, ret);
    if (!before)
        return true;
    ts_action_put(type, old_list, &made_before);
    if (!text || made_before.failed || ret->failed)
        ret->failed = true;
    else if (strcmp(buf_str(&made_before), buf_str(ret)) == 0 ||
             (text[0] != '\0' && !has_program(type, text)))
        return false;
    else if (is_end_empty(type, list) && is_end_empty(type, old_list))
        own = find_tail(type->command, text);
    buf_adds(ret, own ? own : "");
    return true;
}

const char *
ts_action_find_own(const struct ts_step_type *type, const char *text, const char *property)
{
    char name[NAME_MAX_BYTES];
    const char *own;

    if (type)
        find_end(type, name);
    if (type && strcmp(name, property) != 0)
        return NULL;
    own = find_tail(type ? type->command : ts_step_type_find(command_type)->command, text);
    return own ? own : text;
}
