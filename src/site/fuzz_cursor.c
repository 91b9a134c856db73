/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "site/cursor.h"
#include "site/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct site with_key = {.cursor_key = {"a key for the fuzzer alone"},
                                     .has_cursor_key = true};

/* What the site gives out comes back as it was, for the same question alone. */
static void check_own(struct site *site, const json_t *place)
{
    OWN(json_freep) json_t *back = NULL;
    OWN(json_freep) json_t *other = NULL;
    char text[CURSOR_TEXT_MAX];
    int r = cursor_put(site, "devices", place, text);

    if (r == CURSOR_E_TOO_LONG)
        return;
    if (r != 0 || cursor_parse(site, "devices", text, &back) != 0 || !json_equal(place, back))
        abort();
    if (cursor_parse(site, "collections", text, &other) != CURSOR_E_FOREIGN)
        abort();
    text[strlen(text) / 2] = text[strlen(text) / 2] == 'A' ? 'B' : 'A';
    if (cursor_parse(site, "devices", text, &other) != CURSOR_E_FOREIGN)
        abort();
}

/* A cursor from outside, and, if it is JSON, a place in a list. Seeds were made with this key, and are nobody's with another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct site site = with_key;
    struct site stranger = {.cursor_key = {1}, .has_cursor_key = true};
    OWN(freep) char *text = strndup((const char *)data, size);
    OWN(json_freep) json_t *place = NULL;
    OWN(json_freep) json_t *given = NULL;
    OWN(json_freep) json_t *none = NULL;

    if (!text)
        return 0;
    (void)cursor_parse(&site, "devices", text, &given);
    if (cursor_parse(&stranger, "devices", text, &none) != CURSOR_E_FOREIGN)
        abort();
    place = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (place)
        check_own(&site, place);
    return 0;
}
