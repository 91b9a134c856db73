/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_find.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "ts/script_text.h"
#include "ts/tree.h"

enum {
    CODED_MAX_BYTES = 8 * TS_SECRET_MAX_BYTES,
    CORE_MIN = 4, /* characters of Base64; fewer are in any word */
    MARK_BYTES = 2,
};

enum coding {
    AS_IT_IS,
    AS_URL,
    AS_XML,
    CODINGS,
};

/* The longest first: what begins another would leave the rest of it. @secret: is taken. */
static void insert(struct ts_secrets *secrets, char *secret)
{
    size_t i = secrets->n++;

    for (; i > 0 && strlen(secrets->items[i - 1]) < strlen(secret); i--)
        secrets->items[i] = secrets->items[i - 1];
    secrets->items[i] = secret;
}

void ts_secrets_add(struct ts_secrets *secrets, const char *secret)
{
    bool has_room = secrets->n < TS_SECRETS_MAX && strlen(secret) <= TS_SECRET_MAX_BYTES;
    OWN(freep) char *own = NULL;

    if (secret[0] == '\0')
        return;
    for (size_t i = 0; i < secrets->n; i++)
        if (strcmp(secrets->items[i], secret) == 0)
            return;
    own = has_room ? ts_copy(secret) : NULL;
    if (own)
        insert(secrets, TAKE(own));
    else
        secrets->has_others = true;
}

void ts_secrets_fini(struct ts_secrets *secrets)
{
    for (size_t i = 0; i < secrets->n; i++)
        free(secrets->items[i]);
    *secrets = (struct ts_secrets){0};
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* "%41" as one byte. Return: how many characters of @text are @c; 0: they are not. */
static size_t match_url(const char *text, char c)
{
    int high = text[0] == '%' ? digit(text[1]) : -1;
    int low = high >= 0 ? digit(text[2]) : -1;

    if (low >= 0 && high * 16 + low == (unsigned char)c)
        return 3;
    return text[0] == c || (text[0] == '+' && c == ' ') ? 1 : 0;
}

/* "&amp;", "&#38;" and "&#x26;" as one byte. Return: as match_url(). */
static size_t match_xml(const char *text, char c)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    int base = text[0] == '&' && text[1] == '#' ? (text[2] == 'x' || text[2] == 'X' ? 16 : 10) : 0;
    size_t i = base == 16 ? 3 : 2;
    int value = 0;

    for (size_t k = 0; text[0] == '&' && k < sizeof(names) / sizeof(names[0]); k++)
        if (names[k].c == c && strncmp(text, names[k].name, strlen(names[k].name)) == 0)
            return strlen(names[k].name);
    for (; base != 0 && digit(text[i]) >= 0 && digit(text[i]) < base && value < 256; i++)
        value = value * base + digit(text[i]);
    if (base != 0 && value == (unsigned char)c && text[i] == ';')
        return i + 1;
    return text[0] == c ? 1 : 0;
}

/* Return: how many characters at @text are the secret; 0: they are not. */
static size_t match(const char *text, const char *secret, enum coding coding)
{
    const char *at = text;

    for (; *secret != '\0'; secret++) {
        size_t len = coding == AS_URL   ? match_url(at, *secret)
                     : coding == AS_XML ? match_xml(at, *secret)
                                        : (*at == *secret ? 1 : 0);

        if (len == 0)
            return 0;
        at += len;
    }
    return (size_t)(at - text);
}

/* Letters and digits; and all that is not ASCII, which may be one. */
static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

/* Characters, not bytes. */
static bool is_short(const char *secret)
{
    size_t n = 0;

    for (; *secret != '\0'; secret++)
        n += ((unsigned char)*secret & 0xc0) != 0x80;
    return n < TS_SECRET_MIN_CHARS;
}

static bool cut_words(char *text, const char *secret, enum coding coding, bool is_word)
{
    bool is_found = false;
    char *to = text;
    char before = ' '; /* what is cut stays the end of a word */

    while (*text != '\0') {
        size_t len = match(text, secret, coding);

        if (is_word && len > 0 && (is_of_word(before) || is_of_word(text[len])))
            len = 0;
        is_found |= len > 0;
        if (len > 0)
            before = ' ';
        else
            before = *text;
        text += len;
        if (len == 0)
            *to++ = *text++;
    }
    *to = '\0';
    return is_found;
}

static bool cut(char *text, const char *secret, enum coding coding)
{
    return cut_words(text, secret, coding, false);
}

/* The characters of Base64 that are of @bytes alone, if @lead bytes stand before them. */
static bool cut_core(char *text, struct bytes bytes, size_t lead)
{
    static const uint8_t zeros[2] = {0};
    OWN(buf_fini) struct buf plain = BUF_INIT(CODED_MAX_BYTES);
    OWN(buf_fini) struct buf coded = BUF_INIT(CODED_MAX_BYTES);
    size_t first = (lead * 8 + 5) / 6;
    size_t end = (lead + bytes.len) * 8 / 6;

    if (end < first + CORE_MIN)
        return false;
    buf_add(&plain, (struct bytes){zeros, lead});
    buf_add(&plain, bytes);
    base64_put(&coded, buf_bytes(&plain));

    OWN(freep) char *core = buf_take(&coded);

    if (!core || plain.failed)
        return false;
    core[end] = '\0';
    return cut(text, core + first, AS_IT_IS);
}

static bool cut_base64(char *text, struct bytes bytes)
{
    OWN(buf_fini) struct buf coded = BUF_INIT(CODED_MAX_BYTES);
    bool is_found;

    base64_put(&coded, bytes);
    is_found = coded.len > 0 && cut(text, buf_str(&coded), AS_IT_IS);
    for (size_t lead = 0; lead < 3; lead++)
        is_found |= cut_core(text, bytes, lead);
    return is_found;
}

static bool cut_utf16(char *text, const char *secret)
{
    OWN(buf_fini) struct buf coded = BUF_INIT(CODED_MAX_BYTES);
    OWN(buf_fini) struct buf bytes = BUF_INIT(CODED_MAX_BYTES);

    if (!ts_script_source(secret, &coded) || !base64_parse(buf_bytes(&coded), &bytes) ||
        bytes.len <= MARK_BYTES)
        return false;
    return cut_base64(text,
                      (struct bytes){buf_bytes(&bytes).ptr + MARK_BYTES, bytes.len - MARK_BYTES});
}

/* One that is found in any text: only where nothing of a word stands beside it. */
static bool cut_short(char *text, const char *secret)
{
    OWN(buf_fini) struct buf coded = BUF_INIT(CODED_MAX_BYTES);
    bool is_found = false;

    for (enum coding coding = AS_IT_IS; coding < CODINGS; coding++)
        is_found |= cut_words(text, secret, coding, true);
    base64_put(&coded, bytes_of(secret));
    is_found |= coded.len > 0 && cut_words(text, buf_str(&coded), AS_IT_IS, true);
    return is_found | cut_utf16(text, secret);
}

bool ts_secrets_have_short(const struct ts_secrets *secrets, const char *text)
{
    for (size_t i = 0; i < secrets->n; i++)
        if (is_short(secrets->items[i]) && strstr(text, secrets->items[i]))
            return true;
    return false;
}

static bool cut_all(const struct ts_secrets *secrets, char *text)
{
    bool is_found = false;

    for (size_t i = 0; i < secrets->n; i++) {
        const char *secret = secrets->items[i];

        if (is_short(secret)) {
            is_found |= cut_short(text, secret);
            continue;
        }
        for (enum coding coding = AS_IT_IS; coding < CODINGS; coding++)
            is_found |= cut(text, secret, coding);
        is_found |= cut_base64(text, bytes_of(secret));
        is_found |= cut_utf16(text, secret);
    }
    return is_found;
}

bool ts_secrets_cut(const struct ts_secrets *secrets, char *text)
{
    bool is_found = secrets->has_others && text[0] != '\0';

    if (is_found)
        text[0] = '\0';
    is_found |= cut_all(secrets, text);
    if (is_found && cut_all(secrets, text)) /* what was on both sides of one makes another */
        text[0] = '\0';
    return is_found;
}
