/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_text.h"

#include <string.h>

#include "base/bytes.h"

enum {
    PLAIN_MAX = 200,
    MARKUP_DEPTH_MAX = 32,
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_plain(const char *text)
{
    static const char *const words[] = {
        "true", "false", "yes", "no", "on", "off", "y", "n", "null"};
    size_t len = strlen(text);

    if (len == 0 || len > PLAIN_MAX || !(is_letter(text[0]) || text[0] == '_') ||
        text[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter(text[i]) && !strchr("0123456789 _./()-", text[i]))
            return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (bytes_eq_nocase(bytes_of(text), words[i]))
            return false;
    return true;
}

static void put_spaces(struct buf *dst, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_adds(dst, " ");
}

/* Whether every character may stand in a block of text as it is. */
static bool is_block(const char *text)
{
    if (!strchr(text, '\n') || text[strspn(text, " \t\n")] == '\0')
        return false;
    for (const char *c = text; *c; c++) {
        static const char *const breaks[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"};
        const unsigned char byte = (unsigned char)*c;

        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
            return false;
        if (byte == 0xc2 && (unsigned char)c[1] < 0xa0)
            return false;
        for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
            if (strncmp(c, breaks[i], 3) == 0)
                return false;
    }
    return true;
}

static void put_block(struct buf *dst, const char *text, unsigned indent)
{
    size_t len = strlen(text);
    bool ends = text[len - 1] == '\n';

    buf_adds(dst, "|");
    if (strchr(" \t\n", text[0]))
        buf_addf(dst, "%d", YAML_TEXT_SPACES); /* or the first line would say it */
    buf_adds(dst, ends ? (text[len - 2] == '\n' ? "+\n" : "\n") : "-\n");
    while (*text) {
        size_t n = strcspn(text, "\n");

        if (n > 0)
            put_spaces(dst, indent);
        buf_add(dst, (struct bytes){(const uint8_t *)text, n});
        buf_adds(dst, "\n");
        text += n + (text[n] == '\n' ? 1 : 0);
    }
}

/* Return: how many bytes it was; 0: it is none of these. */
static size_t put_special(struct buf *dst, const unsigned char *c)
{
    static const char escaped[] = "\"\\\n\r\t";
    const char *at = strchr(escaped, (char)c[0]);

    if (at) {
        buf_addf(dst, "\\%c", "\"\\nrt"[at - escaped]);
        return 1;
    }
    if (c[0] < 0x20 || c[0] == 0x7f) {
        buf_addf(dst, "\\x%02x", c[0]);
        return 1;
    }
    if (c[0] == 0xc2 && c[1] < 0xa0) {
        buf_addf(dst, "\\x%02x", c[1]);
        return 2;
    }
    if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) {
        buf_addf(dst, "\\u20%02x", c[2] - 0x80);
        return 3;
    }
    if (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) {
        buf_adds(dst, "\\ufeff");
        return 3;
    }
    return 0;
}

/* Elements in one long line, such as the rules of Set Dynamic Variables. */
static bool is_markup(const char *text)
{
    size_t len = strlen(text);

    return text[0] == '<' && len > PLAIN_MAX && strcspn(text, "\n") + 1 >= len &&
           strstr(text, "><") != NULL;
}

/* The line goes on behind the tag that ends before @c: deeper if that opened something, less deep if the next one closes. */
static void
put_break(struct buf *dst, const char *tag, const char *c, unsigned *depth, unsigned indent)
{
    bool is_open = tag[1] != '/' && tag[1] != '?' && tag[1] != '!' && c[-2] != '/';

    if (is_open && c[1] != '/' && *depth < MARKUP_DEPTH_MAX)
        ++*depth;
    else if (!is_open && c[1] == '/' && *depth > 0)
        --*depth;
    buf_adds(dst, "\\\n");
    put_spaces(dst, indent + *depth * YAML_TEXT_SPACES);
}

/* A tag on each line; the ends of the lines are none of the text. */
static void put_markup(struct buf *dst, const char *text, unsigned indent)
{
    const char *tag = text;
    unsigned depth = 0;

    buf_adds(dst, "\"");
    for (const char *c = text; *c;) {
        size_t n;

        if (c > text && c[0] == '<' && c[-1] == '>')
            put_break(dst, tag, c, &depth, indent);
        tag = *c == '<' ? c : tag;
        n = put_special(dst, (const unsigned char *)c);
        if (n == 0)
            buf_add(dst, (struct bytes){(const uint8_t *)c, 1});
        c += n > 0 ? n : 1;
    }
    buf_adds(dst, "\"");
}

/* @may_break: each line of several on its own, so that a comparison of two versions shows lines. */
static void put_quoted(struct buf *dst, const char *text, unsigned indent, bool may_break)
{
    const unsigned char *c = (const unsigned char *)text;
    bool is_lines = may_break && text[strspn(text, " \t\r\n")] != '\0';

    buf_adds(dst, "\"");
    while (*c) {
        bool is_end = *c == '\n';
        size_t n = put_special(dst, c);

        if (n == 0)
            buf_add(dst, (struct bytes){c, 1});
        c += n > 0 ? n : 1;
        if (is_end && is_lines && *c) {
            buf_adds(dst, "\\\n");
            put_spaces(dst, indent);
            buf_adds(dst, *c == ' ' ? "\\" : "");
        }
    }
    buf_adds(dst, "\"");
}

/* Whether nothing in it needs a backslash, but something would get one. */
static bool is_literal(const char *text)
{
    if (!strpbrk(text, "\"\\"))
        return false;
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte < 0x20 || byte >= 0x7f)
            return false;
    }
    return true;
}

static void put_literal(struct buf *dst, const char *text)
{
    buf_adds(dst, "'");
    for (; *text; text++) {
        buf_adds(dst, *text == '\'' ? "'" : "");
        buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
    }
    buf_adds(dst, "'");
}

void yaml_text_dash(struct buf *dst, unsigned indent)
{
    put_spaces(dst, indent);
    buf_adds(dst, "- ");
}

void yaml_text_key(struct buf *dst, const char *key, unsigned indent, bool *is_first)
{
    if (!*is_first)
        put_spaces(dst, indent);
    *is_first = false;
    if (is_plain(key))
        buf_adds(dst, key);
    else
        put_quoted(dst, key, indent, false);
    buf_adds(dst, ":");
}

void yaml_text_pair(
    struct buf *dst, const char *key, const char *text, unsigned indent, bool *is_first)
{
    yaml_text_key(dst, key, indent, is_first);
    buf_adds(dst, " ");
    indent += YAML_TEXT_SPACES;
    if (is_plain(text)) {
        buf_adds(dst, text);
        buf_adds(dst, "\n");
    } else if (is_markup(text)) {
        put_markup(dst, text, indent);
        buf_adds(dst, "\n");
    } else if (is_block(text)) {
        put_block(dst, text, indent);
    } else {
        if (is_literal(text))
            put_literal(dst, text);
        else
            put_quoted(dst, text, indent, true);
        buf_adds(dst, "\n");
    }
}

void yaml_text_item(struct buf *dst, const char *key, const char *text, unsigned indent)
{
    bool is_first = true;

    yaml_text_dash(dst, indent);
    yaml_text_pair(dst, key, text, indent + YAML_TEXT_SPACES, &is_first);
}
