/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/yaml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum {
    YAML_INDENT = 2,
    REAL_MAX_BYTES = 32,
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_plain_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || (c && strchr(" _./()-", c));
}

/* Words that some version of YAML reads as a truth value or nothing. */
static bool is_reserved(struct bytes text)
{
    static const char *const words[] = {
        "true", "false", "yes", "no", "on", "off", "y", "n", "null"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (bytes_eq_nocase(text, words[i]))
            return true;
    }
    return false;
}

/* A letter first keeps numbers, times and indicators out. */
static bool is_plain(const char *text, size_t len)
{
    if (len == 0 || !is_letter(text[0]) || text[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_plain_char(text[i]))
            return false;
    }
    return !is_reserved((struct bytes){(const uint8_t *)text, len});
}

/* C1 control characters (U+0080 to U+009F) are C2 80 to C2 9F in UTF-8; U+2028, U+2029 and U+FEFF are
 * characters that readers treat in their own ways; U+FFFE and U+FFFF are none (YAML 1.2, 5.1). Return: bytes
 * taken, 0: nothing special here. */
static size_t put_special(struct buf *dst, const uint8_t *at, size_t left)
{
    if (left >= 2 && at[0] == 0xc2 && at[1] < 0xa0) {
        buf_addf(dst, "\\x%02x", at[1]);
        return 2;
    }
    if (left >= 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9)) {
        buf_addf(dst, "\\u20%02x", at[2] - 0x80);
        return 3;
    }
    if (left >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf) {
        buf_adds(dst, "\\ufeff");
        return 3;
    }
    if (left >= 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe) {
        buf_addf(dst, "\\uff%02x", at[2] + 0x40);
        return 3;
    }
    return 0;
}

static void put_quoted_byte(struct buf *dst, uint8_t byte)
{
    if (byte == '"' || byte == '\\')
        buf_addf(dst, "\\%c", byte);
    else if (byte == '\n')
        buf_adds(dst, "\\n");
    else if (byte == '\t')
        buf_adds(dst, "\\t");
    else if (byte < 0x20 || byte == 0x7f)
        buf_addf(dst, "\\x%02x", byte);
    else
        buf_add(dst, (struct bytes){&byte, 1});
}

static void put_text(struct buf *dst, const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text;

    if (is_plain(text, len)) {
        buf_add(dst, (struct bytes){at, len});
        return;
    }
    buf_adds(dst, "\"");
    while (len > 0) {
        size_t taken = put_special(dst, at, len);

        if (taken == 0) {
            put_quoted_byte(dst, *at);
            taken = 1;
        }
        at += taken;
        len -= taken;
    }
    buf_adds(dst, "\"");
}

/* A whole number keeps its point, or it would be read as another kind of number. */
static void put_real(struct buf *dst, double value)
{
    char digits[REAL_MAX_BYTES];

    (void)snprintf(digits, sizeof(digits), "%.17g", value);
    buf_adds(dst, digits);
    if (!strpbrk(digits, ".e"))
        buf_adds(dst, ".0");
}

static void put_scalar(struct buf *dst, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        put_text(dst, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        put_real(dst, json_real_value(value));
        return;
    case JSON_TRUE:
        buf_adds(dst, "true");
        return;
    case JSON_FALSE:
        buf_adds(dst, "false");
        return;
    case JSON_OBJECT:
        buf_adds(dst, "{}"); /* an empty one */
        return;
    case JSON_ARRAY:
        buf_adds(dst, "[]");
        return;
    case JSON_NULL:
        break;
    }
    buf_adds(dst, "null");
}

static bool is_block(json_t *value)
{
    return json_object_size(value) > 0 || json_array_size(value) > 0;
}

static void put_indent(struct buf *dst, unsigned depth)
{
    for (unsigned i = 0; i < depth * YAML_INDENT; i++)
        buf_adds(dst, " ");
}

static void put_block(struct buf *dst, json_t *value, unsigned depth, bool is_in_line);

/* What stands behind "key:" (@is_list false) or "-". */
static void put_value(struct buf *dst, json_t *value, unsigned depth, bool is_list)
{
    if (!is_block(value)) {
        buf_adds(dst, " ");
        put_scalar(dst, value);
        buf_adds(dst, "\n");
        return;
    }
    buf_adds(dst, is_list ? " " : "\n");
    put_block(dst, value, depth + 1, is_list);
}

/* @is_in_line: the first line is already indented, by "- ". Depth is bounded by jansson's parser. */
static void put_block(struct buf *dst, json_t *value, unsigned depth, bool is_in_line)
{
    const size_t n = json_array_size(value);
    const char *key;
    json_t *item;

    for (size_t i = 0; i < n; i++) {
        put_indent(dst, is_in_line ? 0 : depth);
        is_in_line = false;
        buf_adds(dst, "-");
        put_value(dst, json_array_get(value, i), depth, true);
    }
    if (!json_is_object(value))
        return;
    json_object_foreach(value, key, item)
    {
        put_indent(dst, is_in_line ? 0 : depth);
        is_in_line = false;
        put_text(dst, key, strlen(key));
        buf_adds(dst, ":");
        put_value(dst, item, depth, false);
    }
}

void yaml_put(struct buf *dst, json_t *value)
{
    if (is_block(value)) {
        put_block(dst, value, 0, false);
        return;
    }
    put_scalar(dst, value);
    buf_adds(dst, "\n");
}
